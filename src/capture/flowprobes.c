// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The events of sockets and their bytes: see flowprobes.h.
 */
#include "capture/flowprobes.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "capture/flowprobes_table.h"

/*
 * Calls under way at a time of which the return can be seen. Who waits for bytes may wait for hours, and each such
 * thread needs one; the kernel takes no more than this (KRETPROBE_MAXACTIVE_MAX).
 */
#define RECEIVES_AT_ONCE 4096
#define SENDS_AT_ONCE 1024

#define RELEASE "sk_common_release"

/* Numbers of protocols: TCP, UDP, UDP-Lite, MPTCP. */
static const char inet_only[] = "(family == 2 || family == 10) && (protocol == 6 || "
				"protocol == 17 || protocol == 136 || protocol == 262)";

/* Numbers of protocols of which there are so few calls that each has a record: UDP-Lite, MPTCP. */
static const char inet_rest[] =
	"(family == 2 || family == 10) && (protocol == 136 || protocol == 262)";

/* With 16,384 entries 6 MB of the kernel's memory each. What more tasks and sockets than that do is counted as dropped. */
static const char sums[] = "hist:keys=common_pid,sk,pp:vals=ret,ck";

const struct flowprobes_hist flowprobes_hists[FLOWPROBES_HISTS] = {
	{ "flow_tcp_sent", "sock:sock_send_length", IPPROTO_TCP, false },
	{ "flow_tcp_received", "sock:sock_recv_length", IPPROTO_TCP, true },
	{ "flow_udp_sent", "sock:sock_send_length", IPPROTO_UDP, false },
	{ "flow_udp_received", "sock:sock_recv_length", IPPROTO_UDP, true },
};

struct chooser {
	const struct flowprobes_request *rq;
	const struct features *f;
	const struct kallsyms *symbols;
	const struct layout *l;
	struct flowprobes *out;
	bool memory;
};

static void miss(struct chooser *c, const char *name, const char *why)
{
	struct probes *p = &c->out->probes;
	struct probe_missing *grown;

	grown = reallocarray(p->missing, p->nr_missing + 1, sizeof(*grown));
	if (!grown) {
		c->memory = false;
		return;
	}
	p->missing = grown;
	grown += p->nr_missing++;
	memset(grown, 0, sizeof(*grown));
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	snprintf(grown->why, sizeof(grown->why), "%s", why);
}

/* @line: freed in any case */
static void add(struct chooser *c, const char *name, const char *function, u8 tier,
		struct strbuf *line, const char *filter)
{
	struct probes *p = &c->out->probes;
	struct probe *grown = reallocarray(p->probe, p->nr + 1, sizeof(*grown));

	c->memory &= grown && !line->failed;
	if (grown) {
		p->probe = grown;
		grown += p->nr++;
		memset(grown, 0, sizeof(*grown));
		snprintf(grown->name, sizeof(grown->name), "%s", name);
		snprintf(grown->function, sizeof(grown->function), "%s", function);
		grown->tier = tier;
		grown->definition = strdup(strbuf_cstr(line));
		grown->filter = filter ? strdup(filter) : NULL;
		c->memory &= grown->definition && (grown->filter || !filter);
		if (tier > p->tier)
			p->tier = tier;
	}
	strbuf_free(line);
}

/* " NAME=+OFFSET(SK):TYPE" of a member, @more bytes behind its beginning; false when its place is not known. */
static bool put(struct strbuf *line, const struct chooser *c, const char *sk, const char *name,
		enum member m, u32 more, const char *type)
{
	if (!layout_has(c->l, m))
		return false;
	strbuf_printf(line, " %s=+%u(%s):%s", name, c->l->at[m].offset + more, sk, type);
	return true;
}

/* Everything about the socket that @sk gives. @told: its family is the tracepoint's own */
static void put_sock(struct strbuf *line, const struct chooser *c, const char *sk, bool told)
{
	strbuf_printf(line, " sk=%s:x64", sk);
	put(line, c, sk, "ck", SOCK_COOKIE, 0, "x64");
	put(line, c, sk, "dp", SOCK_DPORT, 0, "x16");
	put(line, c, sk, "np", SOCK_NUM, 0, "u16");
	if (layout_has(c->l, SOCK_NET) && layout_has(c->l, NET_INUM))
		strbuf_printf(line, " ns=+%u(+%u(%s)):u32", c->l->at[NET_INUM].offset,
			      c->l->at[SOCK_NET].offset, sk);
	/* without it addresses would be read that are none */
	if (!told && !put(line, c, sk, "family", SOCK_FAMILY, 0, "u16"))
		return;
	put(line, c, sk, "da", SOCK_DADDR, 0, "x32");
	put(line, c, sk, "sa", SOCK_RCV_SADDR, 0, "x32");
	put(line, c, sk, "d0", SOCK_V6_DADDR, 0, "x64");
	put(line, c, sk, "d1", SOCK_V6_DADDR, 8, "x64");
	put(line, c, sk, "s0", SOCK_V6_RCV_SADDR, 0, "x64");
	put(line, c, sk, "s1", SOCK_V6_RCV_SADDR, 8, "x64");
}

/* Whether arguments are where the sources say: the compiler did not split or clone the function. */
static bool find_symbol(struct chooser *c, const char *function, char *symbol, size_t size)
{
	switch (kallsyms_function(c->symbols, function, symbol, size)) {
	case KALLSYMS_OK:
		if (!strstr(symbol + strlen(function), ".isra.") &&
		    !strstr(symbol + strlen(function), ".part.") &&
		    !strstr(symbol + strlen(function), ".constprop."))
			return true;
		miss(c, function, "the compiler changed its arguments in this kernel");
		return false;
	case KALLSYMS_BLACKLISTED:
		miss(c, function, "this kernel refuses probes there");
		return false;
	case KALLSYMS_AMBIGUOUS:
		miss(c, function, "several functions have that name");
		return false;
	case KALLSYMS_ABSENT:
	default:
		return false; /* most are of other versions, or of a module that is not loaded */
	}
}

/* Which probes of functions there are, and whether the kernel has them. */
static bool add_call(struct chooser *c, const struct sock_call_row *row)
{
	struct strbuf line = STRBUF_INIT;
	char symbol[80], sk[32], name[64];

	if (!find_symbol(c, row->function, symbol, sizeof(symbol)))
		return false;
	snprintf(sk, sizeof(sk), row->stands_in ? "$arg2" : "$arg1");
	if (row->by_socket) {
		if (!layout_has(c->l, SOCKET_SK)) {
			if (!layout_has(c->l, SOCK_FAMILY))
				miss(c, row->function,
				     "where socket.sk is in this kernel is not known");
			return false;
		}
		snprintf(sk, sizeof(sk), "+%u($arg1)", c->l->at[SOCKET_SK].offset);
	}
	strbuf_printf(&line, "p:skbtrail_%u/%s %s", c->rq->pid, row->function, symbol);
	put_sock(&line, c, sk, false);
	if (row->has_flags)
		strbuf_puts(&line, " a4=$arg4:x64 a5=$arg5:x64");
	add(c, row->function, symbol, TIER_T1, &line, NULL);
	snprintf(name, sizeof(name), "%s_ret", row->function);
	strbuf_printf(&line, "r%d:skbtrail_%u/%s %s ret=$retval:%s",
		      row->receives ? RECEIVES_AT_ONCE : SENDS_AT_ONCE, c->rq->pid, name, symbol,
		      row->by_socket ? "s64" : "s32");
	add(c, name, symbol, TIER_T1, &line, NULL);
	return true;
}

/* The end of a socket that is not of TCP. */
static void add_release(struct chooser *c)
{
	struct strbuf line = STRBUF_INIT;
	char symbol[80];

	if (!find_symbol(c, RELEASE, symbol, sizeof(symbol)))
		return;
	strbuf_printf(&line, "p:skbtrail_%u/%s %s", c->rq->pid, RELEASE, symbol);
	if (c->out->aggregated) {
		/* sums lack addresses: these are the last that can be told */
		put_sock(&line, c, "$arg1", false);
	} else {
		strbuf_puts(&line, " sk=$arg1:x64");
		put(&line, c, "$arg1", "ck", SOCK_COOKIE, 0, "x64");
	}
	add(c, RELEASE, symbol, TIER_T1, &line, NULL);
	c->out->udp_ends = true;
}

/* When a call begins whose end a tracepoint tells. */
static void add_begin(struct chooser *c, const struct sock_call_row *row)
{
	struct strbuf line = STRBUF_INIT;
	char symbol[80], name[64];

	if (row->receives || row->by_socket || row->splices ||
	    !find_symbol(c, row->function, symbol, sizeof(symbol)))
		return;
	snprintf(name, sizeof(name), "%s_begin", row->function);
	strbuf_printf(&line, "p:skbtrail_%u/%s %s sk=$arg1:x64", c->rq->pid, name, symbol);
	add(c, name, symbol, TIER_T1, &line, NULL);
	c->out->begins = true;
}

/* When a socket has something to read. Without the family those of UNIX could not be told apart. */
static void add_readable(struct chooser *c)
{
	struct strbuf line = STRBUF_INIT;
	char symbol[80];

	if (!layout_has(c->l, SOCK_FAMILY) ||
	    !find_symbol(c, SOCK_READABLE_FUNCTION, symbol, sizeof(symbol)))
		return;
	strbuf_printf(&line, "p:skbtrail_%u/%s %s sk=$arg1:x64", c->rq->pid, SOCK_READABLE_FUNCTION,
		      symbol);
	put(&line, c, "$arg1", "family", SOCK_FAMILY, 0, "u16");
	add(c, SOCK_READABLE_FUNCTION, symbol, TIER_T1, &line, "family == 2 || family == 10");
	c->out->readable = true;
}

/* When a datagram is taken. Not by the function's name alone: paths may have a probe there, too. */
static void add_takes(struct chooser *c)
{
	struct strbuf line = STRBUF_INIT;
	char symbol[80];

	if (!find_symbol(c, SOCK_TAKES_FUNCTION, symbol, sizeof(symbol)))
		return;
	strbuf_printf(&line,
		      "p:skbtrail_%u/" SOCK_TAKES_FUNCTION "_begin %s sk=$arg1:x64 dg=$arg2:x64",
		      c->rq->pid, symbol);
	add(c, SOCK_TAKES_FUNCTION "_begin", symbol, TIER_T1, &line, NULL);
}

static void add_latency(struct chooser *c)
{
	size_t i;

	add_readable(c);
	add_takes(c);
	if (c->out->source == FLOW_SOURCE_CALLS)
		c->out->begins = true;
	else
		for (i = 1; i < SOCK_CALL_COUNT; i++)
			add_begin(c, &sock_calls[i]);
}

static void add_result(struct chooser *c, const char *event)
{
	const char *name = strchr(event, ':') + 1;
	struct strbuf line = STRBUF_INIT;

	strbuf_printf(&line,
		      "e:skbtrail_%u/%s sock.%s family=$family:u16 protocol=$protocol:u16 "
		      "ret=$ret:s32 flags=$flags:u32",
		      c->rq->pid, name, name);
	put_sock(&line, c, "$sk", true);
	if (c->out->aggregated)
		strbuf_printf(&line, " if %s", inet_rest);
	add(c, name, event, TIER_T2, &line, c->out->aggregated ? NULL : inet_only);
	c->out->probes.probe[c->out->probes.nr - 1].replaces = event;
}

/*
 * Sums instead of records. The event has nothing but keys and values; what does not count is refused before any of it is
 * fetched. MSG_PEEK and MSG_ERRQUEUE of who receives: nothing was taken.
 */
static void put_triggers(const struct flowprobes_request *rq, struct probe *probe)
{
	u32 size = rq->table_size ? rq->table_size : FLOWPROBES_TABLE;
	size_t room = sizeof(probe->trigger[0]);

	if (!rq->half_ticks) {
		snprintf(probe->trigger[0], room, "%s:size=%u", sums, size);
		return;
	}
	snprintf(probe->trigger[0], room, "%s:size=%u if g & %llu", sums, size,
		 (unsigned long long)rq->half_ticks);
	snprintf(probe->trigger[1], room, "%s:size=%u if !(g & %llu)", sums, size,
		 (unsigned long long)rq->half_ticks);
}

static void add_sums(struct chooser *c, const struct flowprobes_hist *hist)
{
	struct probes *p = &c->out->probes;
	struct strbuf line = STRBUF_INIT;
	size_t before = p->nr;

	strbuf_printf(
		&line,
		"e:skbtrail_%u/%s sock.%s sk=$sk:x64 pp=+%u($sk):x64 ck=+%u($sk):x64 ret=$ret:s32 "
		"g=@jiffies:u%zu "
		"if protocol == %u && (family == 2 || family == 10) && ret > 0%s",
		c->rq->pid, hist->name, strchr(hist->tracepoint, ':') + 1,
		c->l->at[SOCK_DPORT].offset - (u32)sizeof(u32), c->l->at[SOCK_COOKIE].offset,
		8 * sizeof(long), hist->proto, hist->receives ? " && !(flags & 8194)" : "");
	add(c, hist->name, hist->tracepoint, TIER_T2, &line, NULL);
	if (p->nr > before)
		put_triggers(c->rq, &p->probe[before]);
}

static const char *why_no_sums(const struct chooser *c, bool results, bool event_probes)
{
	/* whether there are hist triggers only trying them tells: then the session is opened again without */
	if (!results)
		return "this kernel tells the socket at a call's entry and the bytes at its return";
	if (!event_probes)
		return "there are no event probes";
	if (!layout_has(c->l, SOCK_COOKIE) || !layout_has(c->l, SOCK_DPORT) ||
	    c->l->at[SOCK_DPORT].offset < sizeof(u32) ||
	    c->l->at[SOCK_NUM].offset != c->l->at[SOCK_DPORT].offset + 2)
		return "the ports are not side by side in this kernel's struct sock";
	return NULL;
}

static void add_event(struct chooser *c, const char *event)
{
	c->out->events[c->out->nr_events++] = event;
}

static bool has(const struct chooser *c, const char *event)
{
	char system[16];

	snprintf(system, sizeof(system), "%.*s", (int)strcspn(event, ":"), event);
	return features_has_event(c->f, system, strchr(event, ':') + 1);
}

static bool may(const struct chooser *c, enum tier tier, enum feature feature)
{
	return (!c->rq->max_tier || c->rq->max_tier >= tier) && c->f->cap[feature].ok;
}

/* Which process a thread is of that is gone when it is looked up, its parent, its name. */
static void add_tasks(struct chooser *c)
{
	static const char *const events[] = { "task:task_newtask", "task:task_rename" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (has(c, events[i]))
			add_event(c, events[i]);
}

static void choose_source(struct chooser *c, bool kprobes)
{
	static const char sent[] = "sock:sock_send_length", received[] = "sock:sock_recv_length",
			  seen[] = "tcp:tcp_rcv_space_adjust";
	bool results = has(c, sent) && has(c, received);
	bool whole = results && kprobes && may(c, TIER_T2, FEATURE_EVENT_PROBES) &&
		     layout_has(c->l, SOCK_NUM);
	size_t i, calls = 0;

	if (c->rq->aggregate) {
		c->out->not_aggregated = why_no_sums(c, results, whole);
		c->out->aggregated = !c->out->not_aggregated;
	}
	for (i = 0; i < FLOWPROBES_HISTS && c->out->aggregated; i++)
		add_sums(c, &flowprobes_hists[i]);
	if (whole) {
		add_result(c, sent);
		add_result(c, received);
		c->out->source = FLOW_SOURCE_WHOLE;
	} else if (results) {
		add_event(c, sent);
		add_event(c, received);
		/* addresses and cookies of those that receive */
		if (has(c, seen))
			add_event(c, seen);
		c->out->source = FLOW_SOURCE_RESULTS;
	}
	for (i = 1; i < SOCK_CALL_COUNT && kprobes && c->memory; i++) {
		if (results && !sock_calls[i].splices)
			continue;
		/* without the family UNIX sockets could not be told apart */
		if (sock_calls[i].stands_in &&
		    (layout_has(c->l, SOCKET_SK) || !layout_has(c->l, SOCK_FAMILY)))
			continue;
		if (add_call(c, &sock_calls[i])) {
			calls++;
			c->out->splices |= i == SOCK_CALL_TCP_SPLICE || sock_calls[i].stands_in;
		}
	}
	if (!results)
		c->out->source = calls ? FLOW_SOURCE_CALLS : FLOW_SOURCE_STATES;
}

int flowprobes_choose(const struct flowprobes_request *rq, const struct features *f,
		      const struct kallsyms *symbols, const struct layout *layout,
		      struct flowprobes *out, struct error *err)
{
	static const char *const events[] = { "sock:inet_sock_set_state", "tcp:tcp_retransmit_skb",
					      "tcp:tcp_destroy_sock" };
	struct chooser c = { rq, f, symbols, layout, out, true };
	bool kprobes;
	size_t i;

	memset(out, 0, sizeof(*out));
	out->probes.faults_are_misses = !f->cap[FEATURE_EVENT_PROBES].ok;
	kprobes = symbols && may(&c, TIER_T1, FEATURE_KPROBE_EVENTS);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (has(&c, events[i]))
			add_event(&c, events[i]);
		else
			miss(&c, strchr(events[i], ':') + 1, "this kernel has no such tracepoint");
	}
	out->tcp_ends = has(&c, events[2]);
	choose_source(&c, kprobes);
	add_tasks(&c);
	if (kprobes)
		add_release(&c);
	if (kprobes && rq->latency)
		add_latency(&c);
	return c.memory ? 0 : error_errno(err, ENOMEM, "cannot choose the events of sockets");
}

size_t flowprobes_symbols(const char ***names)
{
	const char **list = calloc(SOCK_CALL_COUNT + 2, sizeof(*list));
	size_t i, n = 0;

	*names = list;
	if (!list)
		return 0;
	for (i = 1; i < SOCK_CALL_COUNT; i++)
		list[n++] = sock_calls[i].function;
	list[n++] = RELEASE;
	list[n++] = SOCK_READABLE_FUNCTION;
	list[n++] = SOCK_TAKES_FUNCTION;
	return n;
}

void flowprobes_free(struct flowprobes *p)
{
	probes_free(&p->probes);
	memset(p, 0, sizeof(*p));
}

const char *flow_source_words(enum flow_source source)
{
	switch (source) {
	case FLOW_SOURCE_WHOLE:
		return "results of calls, with addresses (event probes)";
	case FLOW_SOURCE_RESULTS:
		return "results of calls; addresses from the inventory and from state changes";
	case FLOW_SOURCE_CALLS:
		return "entry and return of the functions that send and receive (kprobes)";
	case FLOW_SOURCE_STATES:
		break;
	}
	return "opening and closing only: bytes are not told";
}
