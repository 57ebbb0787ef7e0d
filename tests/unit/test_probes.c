// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which probe events a kernel gets, and what their definitions say.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/probes.h"
#include "capture/probes_table.h"
#include "decode/probe_names.h"
#include "tree.h"

struct fixture {
	struct probe_request rq;
	struct features f;
	struct layout l;
	struct probes out;
	struct error err;
	struct strbuf symbols; /* the text of /proc/kallsyms */
	bool no_symbols;
};

static void add_symbol(struct fixture *fix, const char *name)
{
	strbuf_printf(&fix->symbols, "ffffffff81%06zx t %s\n", fix->symbols.len, name);
}

static void add_all_symbols(struct fixture *fix)
{
	size_t i, j;

	for (i = 0; i < nr_probe_rows; i++) {
		for (j = 0; j < i && strcmp(probe_rows[i].function, probe_rows[j].function); j++)
			;
		if (j == i)
			add_symbol(fix, probe_rows[i].function);
	}
}

/* Offsets that are easy to recognise: of member number M it is 1000 + 8 * M. */
static void know_all_members(struct layout *l)
{
	int m;

	for (m = 0; m < MEMBER_COUNT; m++) {
		l->at[m].offset = 1000 + 8 * (u32)m;
		l->at[m].size = 8;
	}
	l->at[NFSTATE_HOOK].size = 1;
	l->at[NFSTATE_PF].size = 1;
}

static void allow(struct fixture *fix, enum tier tier)
{
	fix->f.cap[FEATURE_KPROBE_EVENTS].ok = tier >= TIER_T1;
	fix->f.cap[FEATURE_EVENT_PROBES].ok = tier >= TIER_T2;
	fix->f.cap[FEATURE_FPROBE_EVENTS].ok = tier >= TIER_T3;
	snprintf(fix->f.cap[FEATURE_KPROBE_EVENTS].detail, 32, "because k");
	snprintf(fix->f.cap[FEATURE_EVENT_PROBES].detail, 32, "because e");
	snprintf(fix->f.cap[FEATURE_FPROBE_EVENTS].detail, 32, "because f");
}

static struct member_place place(u32 offset, u32 size)
{
	return (struct member_place){ .offset = offset, .size = size, .source = STRUCTS_BTF };
}

static int setup(void **state)
{
	static const char events[] =
		"{ \"kernel\": { \"cpus\": 2 }, \"tracing_dir\": \"/sys/kernel/tracing\","
		" \"capabilities\": {}, \"clocks\": [], \"events\": { \"net\": [\"napi_gro_receive_entry\", \"net_dev_queue\","
		" \"net_dev_start_xmit\", \"netif_receive_skb\", \"netif_receive_skb_entry\","
		" \"netif_rx\"] } }";
	struct fixture *fix = calloc(1, sizeof(*fix));

	assert_int_equal(features_from_json(&fix->f, events, strlen(events), &fix->err), 0);
	fix->rq.pid = 77;
	allow(fix, TIER_T2);
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	probes_free(&fix->out);
	features_free(&fix->f);
	strbuf_free(&fix->symbols);
	free(fix);
	return 0;
}

static int choose(struct fixture *fix)
{
	struct kallsyms *symbols = NULL;
	char *root = tree_new();
	const char **names;
	size_t nr;
	int ret;

	tree_file(root, "proc/kallsyms", strbuf_cstr(&fix->symbols));
	nr = probes_symbols(&fix->rq, &names);
	assert_int_equal(kallsyms_read(&symbols, root, names, nr, &fix->err), 0);
	probes_free(&fix->out);
	memset(&fix->err, 0, sizeof(fix->err));
	ret = probes_choose(&fix->rq, &fix->f, fix->no_symbols ? NULL : symbols, &fix->l, &fix->out,
			    &fix->err);
	kallsyms_free(symbols);
	free(names);
	tree_free(root);
	return ret;
}

static const struct probe *find(const struct fixture *fix, const char *name)
{
	size_t i;

	for (i = 0; i < fix->out.nr; i++)
		if (!strcmp(fix->out.probe[i].name, name))
			return &fix->out.probe[i];
	return NULL;
}

static const char *definition(const struct fixture *fix, const char *name)
{
	const struct probe *p = find(fix, name);

	return p ? p->definition : "";
}

static const struct probe_missing *find_missing(const struct fixture *fix, const char *name)
{
	size_t i;

	for (i = 0; i < fix->out.nr_missing; i++)
		if (!strcmp(fix->out.missing[i].name, name))
			return &fix->out.missing[i];
	return NULL;
}

static bool is_replaced(const struct fixture *fix, const char *event)
{
	size_t i;

	for (i = 0; i < fix->out.nr_replaced; i++)
		if (!strcmp(fix->out.replaced[i], event))
			return true;
	return false;
}

static void without_a_layout_a_probe_says_which_skb_and_no_more(void **state)
{
	struct fixture *fix = *state;

	add_all_symbols(fix);
	assert_int_equal(choose(fix), 0);
	assert_string_equal(definition(fix, "ip_rcv"),
			    "p:skbtrail_77/ip_rcv ip_rcv skbaddr=$arg1:x64");
	assert_string_equal(definition(fix, "ip_output"),
			    "p:skbtrail_77/ip_output ip_output skbaddr=$arg3:x64");
	assert_string_equal(definition(fix, "__alloc_skb_ret"),
			    "r64:skbtrail_77/__alloc_skb_ret __alloc_skb new=$retval:x64");
	/* and the tracepoints tell as much by themselves */
	assert_null(find(fix, "net_dev_queue"));
	assert_int_equal(fix->out.nr_replaced, 0);
	assert_int_equal(fix->out.tier, TIER_T1);
	assert_non_null(strstr(fix->out.why_not_higher, "sk_buff"));
}

static void known_members_are_fetched_from_where_they_are(void **state)
{
	struct fixture *fix = *state;

	add_symbol(fix, "ip_rcv");
	fix->l.at[SKB_HEAD] = place(200, 8);
	fix->l.at[SKB_DATA] = place(208, 8);
	fix->l.at[SKB_DEV] = place(16, 8);
	fix->l.at[DEV_NAME] = place(304, 16);
	fix->l.at[DEV_NET] = place(280, 8);
	fix->l.at[NET_INUM] = place(136, 4);
	assert_int_equal(choose(fix), 0);
	assert_string_equal(definition(fix, "ip_rcv"),
			    "p:skbtrail_77/ip_rcv ip_rcv skbaddr=$arg1:x64 h=+200($arg1):x64"
			    " d=+208($arg1):x64 w64=-64(+208($arg1)):x64[26] dv=+16($arg1):x64"
			    " name=+304(+16($arg1)):string ns=+136(+280(+16($arg1))):u32");
	assert_string_equal(definition(fix, "net_dev_queue"),
			    "e:skbtrail_77/net_dev_queue net.net_dev_queue skbaddr=$skbaddr:x64"
			    " len=$len:u32 name=$name:string h=+200($skbaddr):x64"
			    " d=+208($skbaddr):x64 w64=-64(+208($skbaddr)):x64[26]"
			    " dv=+16($skbaddr):x64 ns=+136(+280(+16($skbaddr))):u32");
}

/* Kernels since 6.2 have a word that is not 0, those before a bit. */
static void a_tag_beside_the_bytes_is_fetched_with_the_word_that_it_is_there(void **state)
{
	struct fixture *fix = *state;

	add_symbol(fix, "ip_rcv");
	fix->l.at[SKB_DATA] = place(208, 8);
	fix->l.at[SKB_MARK] = place(168, 4);
	fix->l.at[SKB_VLAN_TCI] = place(158, 2);
	fix->l.at[SKB_VLAN_PROTO] = place(156, 2);
	assert_int_equal(choose(fix), 0);
	assert_null(strstr(definition(fix, "ip_rcv"), " vt="));
	fix->l.at[SKB_VLAN_PRESENT] = place(156, 4);
	assert_int_equal(choose(fix), 0);
	assert_non_null(strstr(definition(fix, "ip_rcv"),
			       " m=+168($arg1):u32 vt=+158($arg1):u16 vp=+156($arg1):u16"
			       " vb=+156($arg1):u32"));
	fix->l.at[SKB_VLAN_PRESENT] = place(126, 1);
	fix->l.at[SKB_VLAN_PRESENT].is_bit = true;
	fix->l.at[SKB_VLAN_PRESENT].bit = 7;
	assert_int_equal(choose(fix), 0);
	assert_non_null(strstr(definition(fix, "ip_rcv"), " vb=+126($arg1):b1@7/8"));
	assert_non_null(strstr(definition(fix, "net_dev_queue"), " vb=+126($skbaddr):b1@7/8"));
	fix->l.at[SKB_VLAN_TCI] = place(0, 0);
	assert_int_equal(choose(fix), 0);
	assert_null(strstr(definition(fix, "ip_rcv"), " vb="));
}

/* The low bit of _skb_refdst is a flag, so the pointer is one of two. */
static void route_is_read_both_ways(void **state)
{
	struct fixture *fix = *state;

	add_symbol(fix, "ip_output");
	fix->l.at[SKB_REFDST] = place(88, 8);
	fix->l.at[DST_DEV] = place(0, 8);
	/* of the two one is no address: nothing may be fetched from there */
	fix->l.at[DEV_NET] = place(280, 8);
	fix->l.at[NET_INUM] = place(136, 4);
	assert_int_equal(choose(fix), 0);
	assert_string_equal(definition(fix, "ip_output"),
			    "p:skbtrail_77/ip_output ip_output skbaddr=$arg3:x64 rd=+88($arg3):x64"
			    " dd0=+0(+88($arg3)):x64 dd1=-1(+88($arg3)):x64");
	fix->l.at[DST_DEV].offset = 16;
	assert_int_equal(choose(fix), 0);
	assert_non_null(strstr(definition(fix, "ip_output"), " dd1=+15(+88($arg3)):x64"));
}

static void hook_is_as_wide_as_this_kernel_has_it(void **state)
{
	struct fixture *fix = *state;

	add_symbol(fix, "nf_hook_slow");
	fix->l.at[NFSTATE_HOOK] = place(0, 4);
	fix->l.at[NFSTATE_PF] = place(4, 1);
	fix->l.at[NFENTRIES_HOOKS] = place(8, 16);
	assert_int_equal(choose(fix), 0);
	assert_string_equal(definition(fix, "nf_hook_slow"),
			    "p:skbtrail_77/nf_hook_slow nf_hook_slow skbaddr=$arg1:x64"
			    " hook=+0($arg2):u32 pf=+4($arg2):u8 hf=+8($arg3):x64");
	assert_string_equal(definition(fix, "nf_hook_slow_ret"),
			    "r64:skbtrail_77/nf_hook_slow_ret nf_hook_slow ret=$retval:s32");
}

/* What the kernel takes: see probes.h. */
static void check_limits(const struct probe *p)
{
	char *copy = strdup(p->definition), *save = NULL, *word, *equals, *array;
	size_t words = 0;

	assert_true(strlen(p->definition) < 4096);
	assert_true(strlen(p->name) < 64);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (words++ < 2)
			continue;
		equals = strchr(word, '=');
		assert_non_null(equals);
		assert_true(equals - word <= 32);
		assert_true(strlen(equals + 1) <= 63);
		array = strchr(word, '[');
		if (array)
			assert_true(atoi(array + 1) <= 64);
	}
	assert_true(words <= 128);
	free(copy);
}

static void every_definition_keeps_to_the_limits_of_the_kernel(void **state)
{
	struct fixture *fix = *state;
	size_t i, seen = 0;
	int m;

	add_all_symbols(fix);
	allow(fix, TIER_T3);
	know_all_members(&fix->l);
	for (m = 0; m < MEMBER_COUNT; m++)
		fix->l.at[m].offset = 65535;
	fix->rq.hops = HOPS_FULL;
	fix->rq.pid = 4194304;
	add_symbol(fix, "iptable_filter_table_init");
	assert_int_equal(choose(fix), 0);
	for (i = 0; i < fix->out.nr; i++, seen++)
		check_limits(&fix->out.probe[i]);
	assert_true(seen > 100);
}

static void every_event_has_a_name_of_its_own(void **state)
{
	struct fixture *fix = *state;
	size_t i, j;

	add_all_symbols(fix);
	know_all_members(&fix->l);
	fix->rq.hops = HOPS_FULL;
	assert_int_equal(choose(fix), 0);
	for (i = 0; i < fix->out.nr; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(fix->out.probe[i].name, fix->out.probe[j].name);
}

static void where_event_probes_work_they_replace_tracepoints(void **state)
{
	struct fixture *fix = *state;

	add_all_symbols(fix);
	know_all_members(&fix->l);
	assert_int_equal(choose(fix), 0);
	assert_int_equal(fix->out.tier, TIER_T2);
	assert_string_equal(find(fix, "netif_rx")->replaces, "net:netif_rx");
	assert_true(is_replaced(fix, "net:netif_rx"));
	assert_true(is_replaced(fix, "net:netif_receive_skb_entry"));
	assert_null(find(fix, "netif_receive_skb_entry"));
	/* the skb may be gone when this one tells of it */
	assert_false(is_replaced(fix, "net:net_dev_xmit"));
	assert_null(find(fix, "net_dev_xmit"));
	assert_null(find(fix, "__dev_queue_xmit"));
	assert_string_equal(fix->out.why_not_higher, "no fprobe events: because f");
	/* not in this kernel's list of events */
	assert_non_null(find_missing(fix, "napi_gro_frags_entry"));
}

static void where_they_do_not_functions_carry_the_headers(void **state)
{
	struct fixture *fix = *state;

	add_all_symbols(fix);
	know_all_members(&fix->l);
	allow(fix, TIER_T1);
	assert_int_equal(choose(fix), 0);
	assert_int_equal(fix->out.tier, TIER_T1);
	assert_int_equal(fix->out.nr_replaced, 0);
	assert_null(find(fix, "net_dev_queue"));
	assert_non_null(find(fix, "dev_hard_start_xmit"));
	assert_non_null(
		strstr(definition(fix, "__netif_receive_skb_core"), "skbaddr=+0($arg1):x64"));
	assert_string_equal(fix->out.why_not_higher, "no event probes: because e");
}

static void one_event_at_the_return_has_a_pair_behind_it(void **state)
{
	struct fixture *fix = *state;
	const struct probe *one, *entry = NULL, *ret = NULL;
	size_t i;

	add_symbol(fix, "skb_clone");
	add_symbol(fix, "nf_hook_slow");
	add_symbol(fix, "skb_segment");
	allow(fix, TIER_T3);
	know_all_members(&fix->l);
	assert_int_equal(choose(fix), 0);
	one = find(fix, "skb_clone_ret");
	assert_non_null(one);
	assert_int_equal(one->tier, TIER_T3);
	assert_string_equal(one->definition, "f:skbtrail_77/skb_clone_ret skb_clone%return"
					     " skbaddr=$arg1:x64 new=$retval:x64");
	for (i = 0; i < fix->out.nr; i++) {
		if (fix->out.probe[i].instead_of != (u32)(one - fix->out.probe) + 1)
			continue;
		if (strcmp(fix->out.probe[i].name, "skb_clone"))
			ret = &fix->out.probe[i];
		else
			entry = &fix->out.probe[i];
	}
	assert_non_null(entry);
	assert_non_null(ret);
	assert_string_equal(ret->name, "skb_clone_ret");
	/* the entry of these has to be seen before what happens inside */
	assert_int_equal(find(fix, "nf_hook_slow")->instead_of, 0);
	assert_int_equal(find(fix, "skb_segment")->instead_of, 0);
	assert_string_equal(fix->out.why_not_higher, "");
}

static void beside_function_graph_there_are_no_fprobes(void **state)
{
	struct fixture *fix = *state;
	size_t i;

	add_all_symbols(fix);
	know_all_members(&fix->l);
	allow(fix, TIER_T3);
	fix->rq.graph = true;
	assert_int_equal(choose(fix), 0);
	assert_int_equal(fix->out.tier, TIER_T2);
	assert_string_equal(fix->out.why_not_higher, "no fprobes beside function_graph");
	for (i = 0; i < fix->out.nr; i++)
		assert_int_not_equal(fix->out.probe[i].definition[0], 'f');
}

static void tier_can_be_limited(void **state)
{
	struct fixture *fix = *state;

	add_all_symbols(fix);
	know_all_members(&fix->l);
	allow(fix, TIER_T3);
	fix->rq.max_tier = TIER_T1;
	assert_int_equal(choose(fix), 0);
	assert_int_equal(fix->out.tier, TIER_T1);
	assert_string_equal(fix->out.why_not_higher, "not more than T1 was asked for");
	fix->rq.max_tier = TIER_T0;
	assert_int_equal(choose(fix), 0);
	assert_int_equal(fix->out.nr, 0);
	assert_int_equal(fix->out.tier, TIER_T0);
}

static void without_symbols_there_are_no_probes(void **state)
{
	struct fixture *fix = *state;

	know_all_members(&fix->l);
	fix->no_symbols = true;
	assert_int_equal(choose(fix), 0);
	assert_int_equal(fix->out.nr, 0);
	assert_int_equal(fix->out.tier, TIER_T0);
	assert_non_null(strstr(fix->out.why_not_higher, "symbols"));
}

static void absent_function_is_told_with_its_substitute(void **state)
{
	struct fixture *fix = *state;
	const struct probe_missing *m;

	add_symbol(fix, "ip_rcv");
	assert_int_equal(choose(fix), 0);
	assert_int_equal(fix->out.nr, 1);
	m = find_missing(fix, "napi_build_skb");
	assert_non_null(m);
	assert_non_null(strstr(m->why, "no such function"));
	assert_string_equal(m->substitute, "build_skb");
}

static void arguments_that_the_compiler_moved_are_not_read(void **state)
{
	struct fixture *fix = *state;

	add_symbol(fix, "arp_rcv.constprop.0");
	add_symbol(fix, "ip_output.constprop.0");
	add_symbol(fix, "ip_rcv.isra.0");
	assert_int_equal(choose(fix), 0);
	assert_string_equal(definition(fix, "arp_rcv"),
			    "p:skbtrail_77/arp_rcv arp_rcv.constprop.0 skbaddr=$arg1:x64");
	assert_null(find(fix, "ip_output"));
	assert_null(find(fix, "ip_rcv"));
	assert_non_null(strstr(find_missing(fix, "ip_output")->why, "compiler"));
	assert_non_null(strstr(find_missing(fix, "ip_rcv")->why, "compiler"));
}

static void arguments_of_iptables_are_found_without_its_version(void **state)
{
	struct fixture *fix = *state;

	know_all_members(&fix->l);
	add_symbol(fix, "ipt_do_table");
	assert_int_equal(choose(fix), 0);
	assert_null(find(fix, "ipt_do_table"));
	assert_non_null(strstr(find_missing(fix, "ipt_do_table")->why, "arguments"));
	add_symbol(fix, "iptable_nat_table_init");
	assert_int_equal(choose(fix), 0);
	assert_non_null(strstr(definition(fix, "ipt_do_table"), " skbaddr=$arg2:x64 tb=$arg1:x64"));
	add_symbol(fix, "iptable_nat_do_chain");
	assert_int_equal(choose(fix), 0);
	assert_non_null(strstr(definition(fix, "ipt_do_table"), " skbaddr=$arg1:x64 tb=$arg3:x64"));
}

static void minimal_set_has_devices_births_and_deaths_alone(void **state)
{
	struct fixture *fix = *state;

	add_all_symbols(fix);
	know_all_members(&fix->l);
	fix->rq.hops = HOPS_MINIMAL;
	assert_int_equal(choose(fix), 0);
	assert_non_null(find(fix, "net_dev_queue"));
	assert_non_null(find(fix, "__alloc_skb_ret"));
	assert_non_null(find(fix, "skb_release_head_state"));
	assert_null(find(fix, "ip_rcv"));
	assert_null(find(fix, "nf_hook_slow"));
}

static int argument_of(const char *function, bool *by_reference)
{
	*by_reference = !strcmp(function, "by_reference");
	if (!strcmp(function, "no_packet"))
		return 0;
	return !strcmp(function, "second") ? 2 : *by_reference ? 1 : -ENOENT;
}

static int ask(struct fixture *fix, const char *text)
{
	static struct probe_asked asked;

	assert_int_equal(probe_parse_asked(&asked, text), 0);
	fix->rq.asked = &asked;
	fix->rq.nr_asked = 1;
	fix->rq.argument = argument_of;
	return choose(fix);
}

static void named_function_is_probed_or_refused_in_words(void **state)
{
	struct fixture *fix = *state;

	add_symbol(fix, "second");
	add_symbol(fix, "by_reference");
	add_symbol(fix, "no_packet");
	add_symbol(fix, "unknown");
	assert_int_equal(ask(fix, "second"), 0);
	assert_string_equal(definition(fix, "second"),
			    "p:skbtrail_77/second second skbaddr=$arg2:x64");
	assert_int_equal(ask(fix, "by_reference"), 0);
	assert_non_null(strstr(definition(fix, "by_reference"), "skbaddr=+0($arg1):x64"));
	assert_int_equal(ask(fix, "unknown:*3"), 0);
	assert_non_null(strstr(definition(fix, "unknown"), "skbaddr=+0($arg3):x64"));
	assert_int_equal(ask(fix, "no_packet"), -EINVAL);
	assert_int_equal(ask(fix, "unknown"), -ENODATA);
	assert_non_null(strstr(fix->err.text, "--probe unknown:1"));
	assert_int_equal(ask(fix, "absent"), -ENOENT);
	assert_non_null(strstr(fix->err.text, "absent: no such function"));
	allow(fix, TIER_T0);
	assert_int_equal(ask(fix, "second"), -ENOTSUP);
	assert_non_null(strstr(fix->err.text, "because k"));
}

static void nonsense_is_no_probe(void **state)
{
	static const char *const bad[] = { "",	  ":1",	  "f:",	   "f:0",  "f:7",  "f:1x",
					   "f:*", "f:-1", "f g",   "f\n1", "../x", "1f",
					   "f;g", "f:11", "f:**1", "p:g/n" };
	struct probe_asked asked;
	char huge[200];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(probe_parse_asked(&asked, bad[i]), -EINVAL);
	memset(huge, 'f', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(probe_parse_asked(&asked, huge), -EINVAL);
	huge[59] = '\0';
	assert_int_equal(probe_parse_asked(&asked, huge), 0);
}

static bool fetches(const struct fixture *fix, const char *name, const char *member)
{
	return strstr(definition(fix, name), member);
}

/* What is behind a NULL pointer costs a page fault a packet, and the reader takes the device's netns first. */
static void socket_netns_is_fetched_only_where_nothing_else_tells(void **state)
{
	static const char *const told[] = { "ip_rcv",	   "ip_local_deliver",	"udp_rcv",
					    "tcp_v4_rcv",  "netif_receive_skb", "net_dev_queue",
					    "nf_hook_slow" };
	static const char *const untold[] = { "ip_output", "ip_mc_output", "ip_defrag" };
	struct fixture *fix = *state;
	size_t i;

	know_all_members(&fix->l);
	add_all_symbols(fix);
	assert_int_equal(choose(fix), 0);
	for (i = 0; i < ARRAY_SIZE(told); i++) {
		assert_true(fetches(fix, told[i], " ns="));
		assert_true(fetches(fix, told[i], " sk="));
		assert_false(fetches(fix, told[i], " sns="));
	}
	for (i = 0; i < ARRAY_SIZE(untold); i++)
		assert_true(fetches(fix, untold[i], " sns="));
	/* a device that does not say its netns */
	fix->l.at[DEV_NET] = place(0, 0);
	assert_int_equal(choose(fix), 0);
	for (i = 0; i + 1 < ARRAY_SIZE(told); i++)
		assert_true(fetches(fix, told[i], " sns="));
	assert_false(fetches(fix, "nf_hook_slow", " sns="));
	fix->l.at[NFSTATE_NET] = place(0, 0);
	assert_int_equal(choose(fix), 0);
	assert_true(fetches(fix, "nf_hook_slow", " sns="));
}

/* ---- filters pushed down */

/* Of "icmp", as libpcap makes it for bare IP. */
static struct bpf_insn icmp[] = {
	{ 0x30, 0, 0, 0 }, { 0x54, 0, 0, 0xf0 }, { 0x15, 0, 3, 0x40 }, { 0x30, 0, 0, 9 },
	{ 0x15, 0, 1, 1 }, { 0x06, 0, 0, 1 },	 { 0x06, 0, 0, 0 },
};

static struct push_filter *push_icmp(void)
{
	const struct bpf_program raw = { ARRAY_SIZE(icmp), icmp }, none = { 0, NULL };
	const struct push_request rq = { &none, &raw, false, false };
	struct push_filter *f = NULL;

	assert_int_equal(push_filter_new(&f, &rq), 0);
	assert_non_null(f);
	return f;
}

static void with_a_filter_every_event_that_has_an_skb_is_filtered(void **state)
{
	struct fixture *fix = *state;
	struct push_filter *f = push_icmp();
	u32 tier;
	size_t i;

	add_all_symbols(fix);
	know_all_members(&fix->l);
	fix->rq.push = f;
	fix->rq.hops = HOPS_FULL;
	for (tier = TIER_T1; tier <= TIER_T3; tier++) {
		allow(fix, (enum tier)tier);
		assert_int_equal(choose(fix), 0);
		assert_in_range(fix->out.nr, 50, 200);
		for (i = 0; i < fix->out.nr; i++) {
			if (!fix->out.probe[i].filter)
				fail_msg("%s is not filtered", fix->out.probe[i].name);
			/* of what a kernel has no field for it would refuse */
			assert_non_null(strstr(fix->out.probe[i].definition, " p="));
			assert_in_range(strlen(fix->out.probe[i].definition), 1, 4000);
			assert_int_equal(fix->out.probe[i].instead_of, 0);
		}
		/* no births, and at returns only new skbs */
		assert_null(find(fix, "__alloc_skb_ret"));
		assert_null(find(fix, "nf_hook_slow_ret"));
		assert_non_null(find(fix, "skb_clone"));
		assert_non_null(strstr(definition(fix, "skb_clone_ret"), "($retval)"));
		assert_int_equal(strncmp(find(fix, "skb_clone_ret")->filter, "new!=0&&", 8), 0);
		assert_true(is_replaced(fix, "net:net_dev_xmit"));
	}
	push_filter_free(f);
}

static void with_a_filter_functions_stand_for_tracepoints_without_headers(void **state)
{
	struct fixture *fix = *state;
	struct push_filter *f = push_icmp();

	add_all_symbols(fix);
	know_all_members(&fix->l);
	allow(fix, TIER_T1);
	fix->rq.push = f;
	assert_int_equal(choose(fix), 0);
	assert_non_null(strstr(definition(fix, "net_dev_queue"), " __dev_queue_xmit "));
	assert_non_null(strstr(definition(fix, "netif_receive_skb"), " __netif_receive_skb_core "));
	assert_non_null(strstr(definition(fix, "netif_receive_skb"), "skbaddr=+0($arg1)"));
	assert_string_equal(find(fix, "net_dev_queue")->replaces, "net:net_dev_queue");
	assert_true(is_replaced(fix, "net:net_dev_queue"));
	assert_true(is_replaced(fix, "skb:consume_skb"));
	/* UDP keeps other things in skb->dev there */
	assert_null(strstr(definition(fix, "skb_copy_datagram_iovec"), " dv="));
	assert_null(strstr(definition(fix, "consume_skb"), " dv="));
	assert_false(is_replaced(fix, "skb:kfree_skb"));
	push_filter_free(f);
}

static enum push_at push_place(u8 at)
{
	return at == AT_LINK	  ? PUSH_LINK :
	       at == AT_TRANSPORT ? PUSH_TRANSPORT :
	       at == AT_UNKNOWN	  ? PUSH_ANYWHERE :
				    PUSH_NETWORK;
}

/* A filter that looks at another place than the decoder loses packets. */
static void filters_look_where_the_decoder_does(void **state)
{
	const struct probe_name *name;
	u8 want;
	size_t i;

	(void)state;
	for (i = 0; i < nr_probe_rows; i++) {
		name = probe_name_find(probe_rows[i].function, NULL);
		if (probe_rows[i].kind == ROW_BIRTH || !name)
			continue;
		want = (u8)push_place(name->at);
		/* both places are looked at, or all of them: that keeps more */
		if (probe_rows[i].at == PUSH_ANYWHERE ||
		    (probe_rows[i].at == PUSH_LINK && want == PUSH_NETWORK))
			continue;
		if (probe_rows[i].at != want)
			fail_msg("%s: %u, not %u", probe_rows[i].function, probe_rows[i].at, want);
	}
}

int main(void)
{
#define PROBES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		PROBES_TEST(without_a_layout_a_probe_says_which_skb_and_no_more),
		PROBES_TEST(known_members_are_fetched_from_where_they_are),
		PROBES_TEST(a_tag_beside_the_bytes_is_fetched_with_the_word_that_it_is_there),
		PROBES_TEST(route_is_read_both_ways),
		PROBES_TEST(hook_is_as_wide_as_this_kernel_has_it),
		PROBES_TEST(every_definition_keeps_to_the_limits_of_the_kernel),
		PROBES_TEST(every_event_has_a_name_of_its_own),
		PROBES_TEST(where_event_probes_work_they_replace_tracepoints),
		PROBES_TEST(where_they_do_not_functions_carry_the_headers),
		PROBES_TEST(one_event_at_the_return_has_a_pair_behind_it),
		PROBES_TEST(beside_function_graph_there_are_no_fprobes),
		PROBES_TEST(tier_can_be_limited),
		PROBES_TEST(without_symbols_there_are_no_probes),
		PROBES_TEST(absent_function_is_told_with_its_substitute),
		PROBES_TEST(arguments_that_the_compiler_moved_are_not_read),
		PROBES_TEST(arguments_of_iptables_are_found_without_its_version),
		PROBES_TEST(minimal_set_has_devices_births_and_deaths_alone),
		PROBES_TEST(named_function_is_probed_or_refused_in_words),
		PROBES_TEST(nonsense_is_no_probe),
		PROBES_TEST(socket_netns_is_fetched_only_where_nothing_else_tells),
		PROBES_TEST(with_a_filter_every_event_that_has_an_skb_is_filtered),
		PROBES_TEST(with_a_filter_functions_stand_for_tracepoints_without_headers),
		PROBES_TEST(filters_look_where_the_decoder_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
