// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Plans: from a request and a description of a kernel to the exact tracefs writes.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/plan.h"
#include "kernel/features.h"
#include "tree.h"

static const char small_kernel[] =
	"{ \"kernel\": { \"cpus\": 2, \"mem_available_kb\": 4000000 },"
	"  \"tracing_dir\": \"/sys/kernel/tracing\","
	"  \"capabilities\": { \"buffer_percent\": { \"ok\": true } },"
	"  \"clocks\": [\"local\", \"global\", \"mono\"],"
	"  \"events\": { \"net\": [\"net_dev_queue\", \"netif_rx\", \"netif_rx_exit\","
	"                          \"net_dev_xmit_timeout\"],"
	"                \"skb\": [\"kfree_skb\"],"
	"                \"tcp\": [\"tcp_probe\", \"tcp_retransmit_skb\"] } }";

struct fixture {
	struct features f;
	struct plan plan;
	struct error err;
	struct capture_request rq;
};

static void fixture_init(struct fixture *fix, const char *json, size_t len)
{
	memset(fix, 0, sizeof(*fix));
	assert_int_equal(features_from_json(&fix->f, json, len, &fix->err), 0);
	fix->rq.buffer_percent = -1;
	fix->rq.pid = 77;
}

static int setup(void **state)
{
	*state = malloc(sizeof(struct fixture));
	fixture_init(*state, small_kernel, strlen(small_kernel));
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	plan_free(&fix->plan);
	features_free(&fix->f);
	free(fix);
	return 0;
}

static int build(struct fixture *fix, const char *const *events, size_t count)
{
	plan_free(&fix->plan);
	memset(&fix->err, 0, sizeof(fix->err));
	fix->rq.events = events;
	fix->rq.event_count = count;
	return plan_build(&fix->rq, &fix->f, &fix->plan, &fix->err);
}

static bool has_event(const struct plan *plan, const char *event)
{
	size_t i;

	for (i = 0; i < plan->event_count; i++)
		if (!strcmp(plan->events[i], event))
			return true;
	return false;
}

static const char *value_of(const struct plan *plan, const char *file)
{
	size_t i;
	size_t len;

	for (i = 0; i < plan->step_count; i++) {
		len = strlen(plan->steps[i].path);
		if (len > strlen(file) && !strcmp(plan->steps[i].path + len - strlen(file), file))
			return plan->steps[i].value;
	}
	return NULL;
}

static void dry_run_shows_exactly_these_lines(void **state)
{
	struct fixture *fix = *state;
	struct strbuf out = STRBUF_INIT;

	assert_int_equal(build(fix, NULL, 0), 0);
	plan_print_shell(&fix->plan, &out);
#define I "/sys/kernel/tracing/instances/skbtrail-77"
	assert_string_equal(strbuf_cstr(&out),
			    "# set up (as root)\n"
			    "mkdir " I "\n"
			    "echo 0 > " I "/tracing_on\n"
			    "echo mono > " I "/trace_clock\n"
			    "echo 4096 > " I "/buffer_size_kb\n"
			    "echo 1 > " I "/events/net/net_dev_queue/enable\n"
			    "echo 1 > " I "/events/net/netif_rx/enable\n"
			    "echo 1 > " I "/events/skb/kfree_skb/enable\n"
			    "echo 1 > " I "/events/tcp/tcp_retransmit_skb/enable\n"
			    "# start\n"
			    "echo 1 > " I "/tracing_on\n"
			    "# undo (or: skbtrail clean)\n"
			    "echo 0 > " I "/tracing_on\n"
			    "echo 0 > " I "/events/enable\n"
			    "rmdir " I "\n");
#undef I
	strbuf_free(&out);
}

static void nothing_outside_of_our_own_instance_is_written(void **state)
{
	static const char *const all[] = { "*:*" };
	struct fixture *fix = *state;
	size_t len;
	size_t i;

	assert_int_equal(build(fix, all, 1), 0);
	len = strlen(fix->plan.instance_dir);
	for (i = 0; i < fix->plan.step_count; i++) {
		assert_memory_equal(fix->plan.steps[i].path, fix->plan.instance_dir, len);
		assert_true(strchr("/", fix->plan.steps[i].path[len]) != NULL);
	}
}

static struct probe made_probes[] = {
	{ .name = "net_dev_queue",
	  .definition = "e:skbtrail_77/net_dev_queue net.net_dev_queue s=$skbaddr",
	  .tier = TIER_T2,
	  .replaces = "net:net_dev_queue" },
	{ .name = "ip_rcv", .definition = "p:skbtrail_77/ip_rcv ip_rcv", .tier = TIER_T1 },
	{ .name = "x_ret", .definition = "f:skbtrail_77/x_ret x%return", .tier = TIER_T3 },
	{ .name = "x_ret",
	  .definition = "r:skbtrail_77/x_ret x",
	  .tier = TIER_T1,
	  .instead_of = 3 },
};
static const struct probes some_probes = {
	.probe = made_probes,
	.nr = ARRAY_SIZE(made_probes),
	.tier = TIER_T3,
	.replaced = { "net:net_dev_queue", "net:netif_rx" },
	.nr_replaced = 2,
};

static void probes_are_defined_behind_the_instance_and_removed_last(void **state)
{
	struct fixture *fix = *state;
	struct strbuf out = STRBUF_INIT;

	fix->rq.probes = &some_probes;
	assert_int_equal(build(fix, NULL, 0), 0);
	plan_print_shell(&fix->plan, &out);
#define T "/sys/kernel/tracing"
#define I T "/instances/skbtrail-77"
	assert_string_equal(strbuf_cstr(&out),
			    "# set up (as root)\n"
			    "mkdir " I "\n"
			    "echo 0 > " I "/tracing_on\n"
			    "echo mono > " I "/trace_clock\n"
			    "echo 4096 > " I "/buffer_size_kb\n"
			    "echo 'e:skbtrail_77/net_dev_queue net.net_dev_queue s=$skbaddr' >> " T
			    "/dynamic_events\n"
			    "echo 'p:skbtrail_77/ip_rcv ip_rcv' >> " T "/dynamic_events\n"
			    "echo 'f:skbtrail_77/x_ret x%return' >> " T "/dynamic_events\n"
			    "echo 1 > " I "/events/skb/kfree_skb/enable\n"
			    "echo 1 > " I "/events/tcp/tcp_retransmit_skb/enable\n"
			    "echo 1 > " I "/events/skbtrail_77/enable\n"
			    "# start\n"
			    "echo 1 > " I "/tracing_on\n"
			    "# undo (or: skbtrail clean)\n"
			    "echo 0 > " I "/tracing_on\n"
			    "echo 0 > " I "/events/enable\n"
			    "rmdir " I "\n"
			    "printf '%s\\n' -:skbtrail_77/net_dev_queue >> " T "/dynamic_events\n"
			    "printf '%s\\n' -:skbtrail_77/ip_rcv >> " T "/dynamic_events\n"
			    "printf '%s\\n' -:skbtrail_77/x_ret >> " T "/dynamic_events\n");
#undef I
#undef T
	strbuf_free(&out);
}

static void all_definitions_go_in_with_one_write_and_out_with_one(void **state)
{
	struct fixture *fix = *state;
	size_t appends = 0;
	size_t i;

	fix->rq.probes = &some_probes;
	assert_int_equal(build(fix, NULL, 0), 0);
	for (i = 0; i < fix->plan.step_count; i++)
		appends += fix->plan.steps[i].op == PLAN_APPEND;
	assert_int_equal(appends, 2);
	assert_int_equal(fix->plan.tier, TIER_T3);
	assert_true(has_event(&fix->plan, "skbtrail_77:ip_rcv"));
	assert_true(has_event(&fix->plan, "skbtrail_77:net_dev_queue"));
	assert_int_equal(fix->plan.event_count, 5);
}

static void tracepoint_that_a_probe_carries_is_on_only_once(void **state)
{
	static const char *const asked[] = { "net" };
	struct fixture *fix = *state;

	fix->rq.probes = &some_probes;
	assert_int_equal(build(fix, NULL, 0), 0);
	assert_false(has_event(&fix->plan, "net:netif_rx"));
	assert_int_equal(build(fix, asked, 1), 0);
	assert_false(has_event(&fix->plan, "net:net_dev_queue"));
	/* left out only because it adds nothing: the user wants it */
	assert_true(has_event(&fix->plan, "net:netif_rx"));
}

static size_t step_of(const struct plan *plan, enum plan_op op, const char *file)
{
	size_t i, len;

	for (i = 0; i < plan->step_count; i++) {
		len = strlen(plan->steps[i].path);
		if (plan->steps[i].op == op && len > strlen(file) &&
		    !strcmp(plan->steps[i].path + len - strlen(file), file))
			return i;
	}
	fail_msg("no step for %s", file);
	return 0;
}

static void filters_are_written_before_their_events_are_on(void **state)
{
	static char text[] = "skbaddr!=0&&(p!=0x8)";
	struct fixture *fix = *state;
	struct probe filtered[2] = { some_probes.probe[0], some_probes.probe[1] };
	struct probes probes = some_probes;
	size_t filter;

	/* an event probe that needs its tracepoint's format has that in the plan, and not on */
	filtered[0].filter = text;
	filtered[0].reads_format = true;
	probes.probe = filtered;
	probes.nr = 2;
	fix->rq.probes = &probes;
	assert_int_equal(build(fix, NULL, 0), 0);
	filter = step_of(&fix->plan, PLAN_FILTER, "events/skbtrail_77/net_dev_queue/filter");
	assert_string_equal(fix->plan.steps[filter].value, text);
	assert_true(filter < step_of(&fix->plan, PLAN_WRITE, "events/skbtrail_77/enable"));
	assert_true(filter > step_of(&fix->plan, PLAN_APPEND, "dynamic_events"));
	assert_true(has_event(&fix->plan, filtered[0].replaces));
	for (filter = 0; filter < fix->plan.step_count; filter++)
		assert_null(strstr(fix->plan.steps[filter].path, "events/net/net_dev_queue"));
}

static void what_the_kernel_sums_up_has_no_records(void **state)
{
	struct fixture *fix = *state;
	struct probe probe = some_probes.probe[0];
	struct probes probes = some_probes;
	size_t on, off, all;

	strcpy(probe.name, "summed");
	snprintf(probe.trigger[0], sizeof(probe.trigger[0]), "hist:keys=sk:vals=ret");
	snprintf(probe.trigger[1], sizeof(probe.trigger[1]), "hist:keys=sk:vals=ret if ret & 1");
	probe.replaces = NULL;
	probes.probe = &probe;
	probes.nr = 1;
	fix->rq.probes = &probes;
	assert_int_equal(build(fix, NULL, 0), 0);
	all = step_of(&fix->plan, PLAN_WRITE, "events/skbtrail_77/enable");
	on = step_of(&fix->plan, PLAN_WRITE, "events/skbtrail_77/summed/trigger");
	off = step_of(&fix->plan, PLAN_WRITE, "events/skbtrail_77/summed/enable");
	assert_true(all < on && on < off);
	assert_string_equal(fix->plan.steps[on].value, "hist:keys=sk:vals=ret");
	assert_string_equal(fix->plan.steps[on + 1].path, fix->plan.steps[on].path);
	assert_string_equal(fix->plan.steps[on + 1].value, "hist:keys=sk:vals=ret if ret & 1");
	assert_string_equal(fix->plan.steps[off].value, "0");
	/* the trigger goes before the instance, and that before the definition */
	for (off = on + 2; strcmp(fix->plan.steps[off].path, fix->plan.steps[on].path) != 0; off++)
		assert_true(off + 1 < fix->plan.step_count);
	assert_int_equal(fix->plan.steps[off].phase, PLAN_UNDO);
	assert_string_equal(fix->plan.steps[off].value, "!hist:keys=sk:vals=ret");
	assert_string_equal(fix->plan.steps[off + 1].value, "!hist:keys=sk:vals=ret if ret & 1");
	while (fix->plan.steps[off].op != PLAN_RMDIR)
		assert_true(++off < fix->plan.step_count);
}

static void stack_traces_are_of_tasks_and_of_what_the_filter_lets_through(void **state)
{
	static char text[] = "p==0x8||p==0";
	static char hooks[] =
		"p:skbtrail_77/nf_hook_slow nf_hook_slow skbaddr=$arg1:x64 hook=+0($arg2):u8";
	struct fixture *fix = *state;
	struct probe probe[3] = { some_probes.probe[0], some_probes.probe[1],
				  some_probes.probe[1] };
	struct probes probes = some_probes;
	size_t on, off;

	fix->rq.stacks = true;
	assert_int_equal(build(fix, NULL, 0), 0);
	on = step_of(&fix->plan, PLAN_WRITE, "events/net/net_dev_queue/trigger");
	assert_string_equal(fix->plan.steps[on].value, "stacktrace if !(common_flags & 24)");
	assert_true(fix->plan.steps[on].optional);
	for (off = on + 2; strcmp(fix->plan.steps[off].path, fix->plan.steps[on].path) != 0; off++)
		assert_true(off + 1 < fix->plan.step_count);
	assert_int_equal(fix->plan.steps[off].phase, PLAN_UNDO);
	assert_string_equal(fix->plan.steps[off].value, "!stacktrace");
	/* what pauses a session is the first step of the undo */
	for (on = 0; fix->plan.steps[on].phase != PLAN_UNDO; on++)
		;
	assert_non_null(strstr(fix->plan.steps[on].path, "tracing_on"));

	/* in the place of the tracepoint its event probe, with what the kernel filters by */
	probe[0].filter = text;
	strcpy(probe[2].name, "nf_hook_slow");
	probe[2].definition = hooks;
	probe[2].replaces = NULL;
	probes.probe = probe;
	probes.nr = 3;
	fix->rq.probes = &probes;
	assert_int_equal(build(fix, NULL, 0), 0);
	on = step_of(&fix->plan, PLAN_WRITE, "events/skbtrail_77/net_dev_queue/trigger");
	assert_string_equal(fix->plan.steps[on].value,
			    "stacktrace if !(common_flags & 24) && (p==0x8||p==0)");
	on = step_of(&fix->plan, PLAN_WRITE, "events/skbtrail_77/nf_hook_slow/trigger");
	assert_string_equal(fix->plan.steps[on].value,
			    "stacktrace if !(common_flags & 24) && hook == 3");
	for (on = 0; on < fix->plan.step_count; on++)
		assert_null(strstr(fix->plan.steps[on].path, "events/net/net_dev_queue"));
	/* a probe that could not have the hook */
	*strstr(hooks, " hook=") = '\0';
	assert_int_equal(build(fix, NULL, 0), 0);
	for (on = 0; on < fix->plan.step_count; on++)
		assert_null(strstr(fix->plan.steps[on].path, "nf_hook_slow/trigger"));
}

static void events_of_a_plan_can_be_corrected(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(build(fix, NULL, 0), 0);
	plan_drop_event(&fix->plan, "net:netif_rx");
	plan_drop_event(&fix->plan, "net:netif_rx");
	assert_int_equal(fix->plan.event_count, 3);
	assert_int_equal(plan_add_event(&fix->plan, "a:first"), 0);
	assert_string_equal(fix->plan.events[0], "a:first");
	assert_string_equal(fix->plan.events[1], "net:net_dev_queue");
	assert_string_equal(fix->plan.events[2], "skb:kfree_skb");
	assert_string_equal(fix->plan.events[3], "tcp:tcp_retransmit_skb");
}

static void default_event_this_kernel_lacks_is_left_out_and_named(void **state)
{
	struct fixture *fix = *state;
	bool named = false;
	size_t i;

	assert_int_equal(build(fix, NULL, 0), 0);
	assert_false(has_event(&fix->plan, "qdisc:qdisc_drop"));
	for (i = 0; i < fix->plan.missing_count; i++)
		named |= !strcmp(fix->plan.missing[i], "qdisc:qdisc_drop");
	assert_true(named);
}

static void events_that_name_no_packet_are_on_only_when_asked_for(void **state)
{
	static const char *const asked[] = { "net:netif_rx_exit" };
	struct fixture *fix = *state;

	assert_int_equal(build(fix, NULL, 0), 0);
	assert_false(has_event(&fix->plan, "net:netif_rx_exit"));
	assert_false(has_event(&fix->plan, "net:net_dev_xmit_timeout"));
	assert_int_equal(build(fix, asked, 1), 0);
	assert_true(has_event(&fix->plan, "net:netif_rx_exit"));
}

static void event_may_be_written_as_people_write_it(void **state)
{
	static const char *const ways[] = { "tcp:tcp_probe", "tcp/tcp_probe", "tcp_probe",   "tcp",
					    "tcp:*",	     "*_pro?e",	      "t[c]p:tcp_p*" };
	struct fixture *fix = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		assert_int_equal(build(fix, &ways[i], 1), 0);
		assert_true(has_event(&fix->plan, "tcp:tcp_probe"));
		assert_int_equal(fix->plan.event_count, 5);
	}
}

static void event_asked_for_twice_is_enabled_once(void **state)
{
	static const char *const twice[] = { "tcp", "tcp_probe", "net_dev_queue" };
	struct fixture *fix = *state;

	assert_int_equal(build(fix, twice, 3), 0);
	assert_int_equal(fix->plan.event_count, 5);
}

static void unknown_event_is_an_error_that_names_the_nearest(void **state)
{
	static const char *const wrong[] = { "net:net_dev_quue", "retransmit", "nothing_like_it" };
	struct fixture *fix = *state;

	assert_int_equal(build(fix, &wrong[0], 1), -EINVAL);
	assert_non_null(strstr(fix->err.text, "'net:net_dev_quue'"));
	assert_non_null(strstr(fix->err.text, "nearest: net:net_dev_queue"));
	assert_int_equal(build(fix, &wrong[1], 1), -EINVAL);
	assert_non_null(strstr(fix->err.text, "tcp:tcp_retransmit_skb"));
	assert_int_equal(build(fix, &wrong[2], 1), -EINVAL);
	assert_non_null(strstr(fix->err.text, "available_events"));
}

static void hostile_event_names_are_refused(void **state)
{
	char *huge = calloc(1, 5001);
	const char *bad[] = { "", huge, ":", "[", "../../tracing_on", "net:../../enable" };
	struct fixture *fix = *state;
	size_t i;

	memset(huge, '*', 5000);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(build(fix, &bad[i], 1), -EINVAL);
	free(huge);
}

static void unknown_clock_is_an_error_that_lists_the_clocks(void **state)
{
	struct fixture *fix = *state;

	fix->rq.clock = "sundial";
	assert_int_equal(build(fix, NULL, 0), -EINVAL);
	assert_non_null(strstr(fix->err.text, "'sundial'"));
	assert_non_null(strstr(fix->err.text, "local global mono"));
	fix->rq.clock = "global";
	assert_int_equal(build(fix, NULL, 0), 0);
	assert_string_equal(value_of(&fix->plan, "/trace_clock"), "global");
}

static void default_buffers_never_eat_the_memory_of_a_many_cpu_machine(void **state)
{
	struct fixture *fix = *state;

	fix->f.cpus = 128;
	fix->f.mem_available_kb = 2000000;
	assert_int_equal(build(fix, NULL, 0), 0);
	assert_int_equal(fix->plan.buffer_kb, 1953);
	fix->f.mem_available_kb = 200000;
	assert_int_equal(build(fix, NULL, 0), 0);
	assert_int_equal(fix->plan.buffer_kb, PLAN_BUFFER_KB_FLOOR);
}

static void buffer_size_that_was_asked_for_is_used_or_refused(void **state)
{
	struct fixture *fix = *state;

	fix->rq.buffer_kb = 100;
	assert_int_equal(build(fix, NULL, 0), 0);
	assert_string_equal(value_of(&fix->plan, "/buffer_size_kb"), "100");
	fix->rq.buffer_kb = 2000001;
	assert_int_equal(build(fix, NULL, 0), -EINVAL);
	fix->rq.buffer_kb = UINT64_MAX;
	assert_int_equal(build(fix, NULL, 0), -EINVAL);
}

static void wake_up_level_is_set_only_where_the_kernel_has_one(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(build(fix, NULL, 0), 0);
	assert_null(value_of(&fix->plan, "/buffer_percent"));
	fix->rq.buffer_percent = 0;
	assert_int_equal(build(fix, NULL, 0), 0);
	assert_string_equal(value_of(&fix->plan, "/buffer_percent"), "0");
	fix->f.cap[FEATURE_BUFFER_PERCENT].ok = false;
	assert_int_equal(build(fix, NULL, 0), 0);
	assert_null(value_of(&fix->plan, "/buffer_percent"));
	fix->rq.buffer_percent = 101;
	assert_int_equal(build(fix, NULL, 0), -EINVAL);
}

static void device_is_not_filtered_in_the_kernel(void **state)
{
	struct fixture *fix = *state;
	struct strbuf without = STRBUF_INIT;
	struct strbuf with = STRBUF_INIT;

	assert_int_equal(build(fix, NULL, 0), 0);
	plan_print_shell(&fix->plan, &without);
	fix->rq.dev = "eth0";
	assert_int_equal(build(fix, NULL, 0), 0);
	plan_print_shell(&fix->plan, &with);
	assert_string_equal(strbuf_cstr(&without), strbuf_cstr(&with));
	strbuf_free(&without);
	strbuf_free(&with);
}

/* A shell really runs the printed lines, in a folder whose name tries to escape. */
static void printed_lines_survive_a_shell(void **state)
{
	struct fixture *fix = *state;
	struct strbuf out = STRBUF_INIT;
	char *root = tree_new();
	FILE *shell;

	tree_dir(root, "it's $(touch oops) `touch oops` \\ \"x\"\n;*/instances");
	snprintf(fix->f.tracing_dir, sizeof(fix->f.tracing_dir),
		 "%s/it's $(touch oops) `touch oops` \\ \"x\"\n;*", root);
	assert_int_equal(build(fix, NULL, 0), 0);
	free(fix->plan.steps[2].value);
	fix->plan.steps[2].value = strdup("-n it's\\n");
	plan_print_shell(&fix->plan, &out);
	*strstr(out.data, "# start") = '\0';
	*strstr(out.data, "echo 1 > ") = '\0';
	shell = popen("sh -eu", "w");
	assert_non_null(shell);
	fprintf(shell, "cd %s\n%s", root, out.data);
	assert_int_equal(pclose(shell), 0);
	assert_false(tree_has(root, "oops"));
	strbuf_free(&out);
	strbuf_puts(&out, fix->plan.instance_dir + strlen(root) + 1);
	strbuf_puts(&out, "/trace_clock");
	{
		char *text = tree_read(root, strbuf_cstr(&out));

		assert_non_null(text);
		assert_string_equal(text, "-n it's\\n\n");
		free(text);
	}
	strbuf_free(&out);
	tree_free(root);
}

/* Descriptions made by "check --json" on real kernels, and what is known of these. */
static const struct known_kernel {
	const char *name;
	enum tier tier;
	bool graph;
	bool reason;
	bool cookie;
	bool qdisc_drop;
} known_kernels[] = {
	{ "5.10", TIER_T1, true, false, false, false },
	{ "6.1", TIER_T2, true, true, false, false },
	{ "6.1-nobpf", TIER_T2, true, true, false, false },
	{ "6.1-nobpf-nokprobes", TIER_T0, true, true, false, false },
	{ "6.12", TIER_T3, true, true, false, false },
	{ "6.18", TIER_T0, false, true, false, false },
	{ "7.2", TIER_T3, true, true, true, true },
};

static bool load_kernel(struct fixture *fix, const char *name)
{
	char path[64];
	size_t len;
	char *json;

	snprintf(path, sizeof(path), "fixtures/kernels/%s.json", name);
	json = tree_tests_file(path, &len);
	if (!json)
		return false;
	plan_free(&fix->plan);
	features_free(&fix->f);
	fixture_init(fix, json, len);
	free(json);
	return true;
}

static void every_real_kernel_gets_all_that_shows_packets(void **state)
{
	static const char *const wanted[] = {
		"net:net_dev_queue",	  "net:net_dev_start_xmit", "net:net_dev_xmit",
		"net:netif_rx",		  "net:netif_receive_skb",  "net:netif_receive_skb_entry",
		"skb:kfree_skb",	  "skb:consume_skb",	    "skb:skb_copy_datagram_iovec",
		"tcp:tcp_retransmit_skb",
	};
	struct fixture *fix = *state;
	size_t i;
	size_t j;

	for (i = 0; i < ARRAY_SIZE(known_kernels); i++) {
		if (!load_kernel(fix, known_kernels[i].name))
			skip();
		assert_int_equal(build(fix, NULL, 0), 0);
		for (j = 0; j < ARRAY_SIZE(wanted); j++)
			assert_true(has_event(&fix->plan, wanted[j]));
		assert_int_equal(has_event(&fix->plan, "qdisc:qdisc_drop"),
				 known_kernels[i].qdisc_drop);
		assert_int_equal(fix->plan.missing_count, !known_kernels[i].qdisc_drop);
		assert_string_equal(value_of(&fix->plan, "/trace_clock"), "mono");
		assert_int_equal(fix->plan.buffer_kb, PLAN_BUFFER_KB_DEFAULT);
	}
}

static void every_real_kernel_is_told_its_tier(void **state)
{
	struct fixture *fix = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known_kernels); i++) {
		if (!load_kernel(fix, known_kernels[i].name))
			skip();
		assert_int_equal(features_require_t0(&fix->f, &fix->err), 0);
		assert_int_equal(features_tier(&fix->f), known_kernels[i].tier);
		assert_int_equal(features_allow(&fix->f, TIER_G), known_kernels[i].graph);
		assert_int_equal(fix->f.cap[FEATURE_DROP_REASON].ok, known_kernels[i].reason);
		assert_int_equal(fix->f.cap[FEATURE_NET_COOKIE].ok, known_kernels[i].cookie);
		assert_int_not_equal(fix->f.clock[0], '\0');
	}
}

int main(void)
{
#define PLAN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		PLAN_TEST(dry_run_shows_exactly_these_lines),
		PLAN_TEST(nothing_outside_of_our_own_instance_is_written),
		PLAN_TEST(probes_are_defined_behind_the_instance_and_removed_last),
		PLAN_TEST(all_definitions_go_in_with_one_write_and_out_with_one),
		PLAN_TEST(tracepoint_that_a_probe_carries_is_on_only_once),
		PLAN_TEST(events_of_a_plan_can_be_corrected),
		PLAN_TEST(filters_are_written_before_their_events_are_on),
		PLAN_TEST(what_the_kernel_sums_up_has_no_records),
		PLAN_TEST(stack_traces_are_of_tasks_and_of_what_the_filter_lets_through),
		PLAN_TEST(default_event_this_kernel_lacks_is_left_out_and_named),
		PLAN_TEST(events_that_name_no_packet_are_on_only_when_asked_for),
		PLAN_TEST(event_may_be_written_as_people_write_it),
		PLAN_TEST(event_asked_for_twice_is_enabled_once),
		PLAN_TEST(unknown_event_is_an_error_that_names_the_nearest),
		PLAN_TEST(hostile_event_names_are_refused),
		PLAN_TEST(unknown_clock_is_an_error_that_lists_the_clocks),
		PLAN_TEST(default_buffers_never_eat_the_memory_of_a_many_cpu_machine),
		PLAN_TEST(buffer_size_that_was_asked_for_is_used_or_refused),
		PLAN_TEST(wake_up_level_is_set_only_where_the_kernel_has_one),
		PLAN_TEST(device_is_not_filtered_in_the_kernel),
		PLAN_TEST(printed_lines_survive_a_shell),
		PLAN_TEST(every_real_kernel_gets_all_that_shows_packets),
		PLAN_TEST(every_real_kernel_is_told_its_tier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
