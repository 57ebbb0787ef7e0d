// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records -> events -> paths -> text, as one loop without allocation or look-ups by name.
 */
#include "cli/pipeline.h"

#include "base/clock.h"
#include "decode/ahead.h"
#include "render/tap.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FLUSH_BYTES (256u << 10)
#define CMDLINES_EVERY_NS (200 * NSEC_PER_MSEC)

/* How far a long report is; asked each time a quarter of a megabyte of text goes out. */
static void show_progress(struct pipeline *p)
{
	u64 now = now_ns(), wait = p->progress_shown ? NSEC_PER_SEC / 4 : 2 * NSEC_PER_SEC;

	if (!p->progress_ns)
		p->progress_ns = now;
	if (now < p->progress_ns + wait)
		return;
	p->progress_ns = now;
	p->progress_shown = true;
	fprintf(stderr, "\rskbtrail: %llu packets", (unsigned long long)p->shown);
}

int pipeline_flush(struct pipeline *p)
{
	size_t done = 0;
	ssize_t put;

	while (done < p->out.len && !p->write_error) {
		put = write(STDOUT_FILENO, p->out.data + done, p->out.len - done);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			p->write_error = errno;
		else
			done += (size_t)put;
	}
	if (p->out.failed)
		p->write_error = ENOMEM;
	p->out.len = 0;
	return -p->write_error;
}

static void need_symbols(struct pipeline *p)
{
	if (p->symbols_loaded)
		return;
	p->symbols_loaded = true;
	if (p->load_symbols)
		p->load_symbols(p, p->load_ctx);
}

/* The kernel's own list of names, which outlives the tasks; read at most every so often. */
static void refresh_cmdlines(struct pipeline *p, u64 now_ns)
{
	struct strbuf sb = STRBUF_INIT;

	if (p->cmdlines_ns && now_ns < p->cmdlines_ns + CMDLINES_EVERY_NS)
		return;
	p->cmdlines_ns = now_ns;
	if (!strbuf_read_file(&sb, p->cmdlines_path, 64u << 20))
		comms_add_text(&p->comms, sb.data, sb.len);
	strbuf_free(&sb);
}

/* Learn the name of a task while it may still be there. */
static void learn_comm(struct pipeline *p, s32 pid, u64 now_ns)
{
	struct strbuf sb = STRBUF_INIT;
	char path[64];

	if (pid <= 0 || comms_find(&p->comms, pid))
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (!strbuf_read_file(&sb, path, 4096) && sb.len > 1)
		comms_add(&p->comms, pid, sb.data, sb.len - 1);
	else
		refresh_cmdlines(p, now_ns);
	strbuf_free(&sb);
}

static void learn_comms(struct pipeline *p, const struct path *path)
{
	u32 i;

	for (i = 0; i < path->nr_hops; i++)
		if (!i || path->hops[i].kind == EVENT_COPY)
			learn_comm(p, path->hops[i].pid, path->last_ns);
	if (path->birth_pid > 0)
		learn_comm(p, path->birth_pid, path->last_ns);
	if (path->raw_copy)
		learn_comm(p, path->raw_pid, path->last_ns);
}

/* Whether an address of a function will be shown. */
static bool names_functions(const struct pipeline *p, const struct path *path)
{
	return (path->chain && !p->options.brief) ||
	       (path->end_hop >= 0 && path->hops[path->end_hop].has & EVENT_HAS_LOCATION) ||
	       (path->filters && (p->options.json || p->options.verbose));
}

static void show_path(void *ctx, struct path *path)
{
	struct pipeline *p = ctx;

	if (p->write_error)
		return;
	if (p->calls) {
		/* the tasks that send are those whose calls will be shown */
		if (p->live)
			learn_comms(p, path);
		return;
	}
	topology_resolve(&p->topology, path);
	if (p->nr_only_netns &&
	    !path_touches_netns(path, &p->topology, p->only_netns, p->nr_only_netns))
		return;
	if (p->live)
		learn_comms(p, path);
	if (p->selective && !select_path(&p->select, path, &p->names))
		return;
	if (p->options.on_path || names_functions(p, path))
		need_symbols(p);
	p->shown++;
	if (p->options.on_path) {
		p->options.on_path(p->options.on_path_ctx, p, path);
		return;
	}
	if (p->options.json)
		render_json(&p->out, path, &p->names);
	else
		render_text(&p->out, path, &p->names, &p->style);
	if (p->flush_each || p->out.len >= FLUSH_BYTES) {
		pipeline_flush(p);
		if (p->progress)
			show_progress(p);
	}
}

/*
 * ICMP's functions free a packet that only raw sockets wanted, after these got their copies. TCP's state
 * machine ends with a drop for every segment that it need not keep, acknowledgments that it has taken in
 * included (tcp_rcv_state_process() in net/ipv4/tcp_input.c). What GRO or reassembly hung into another
 * packet is freed with it, as if each were dropped.
 */
static enum free_site free_site(void *ctx, const struct event *ev)
{
	static const struct {
		const char *name;
		enum free_site site;
	} sites[] = {
		{ "ping_rcv", FREE_SITE_ICMP },		{ "icmp_rcv", FREE_SITE_ICMP },
		{ "icmpv6_rcv", FREE_SITE_ICMP },	{ "tcp_rcv_state_process", FREE_SITE_TCP },
		{ "skb_release_data", FREE_SITE_PART }, { "kfree_skb_list", FREE_SITE_PART },
		{ "nf_hook_slow", FREE_SITE_FILTER },	{ "kfree_skb_list_reason", FREE_SITE_PART },
	};
	struct pipeline *p = ctx;
	const char *name = NULL;
	u64 offset;
	size_t len, i;

	if (ev->has & EVENT_HAS_REASON) {
		name = schema_reason(&p->schema.types[ev->type], ev->reason);
		if (name && !strcmp(name, "NETFILTER_DROP"))
			return FREE_SITE_FILTER;
		if (!name || (strcmp(name, "NO_SOCKET") && strcmp(name, "NOT_SPECIFIED")))
			return FREE_SITE_PLAIN;
	}
	need_symbols(p);
	name = symbols_find(&p->symbols, ev->location, &offset, &len);
	for (i = 0; name && i < ARRAY_SIZE(sites); i++)
		if (len == strlen(sites[i].name) && !memcmp(name, sites[i].name, len))
			return sites[i].site;
	return FREE_SITE_PLAIN;
}

static bool name_shared(void *ctx, u16 dev)
{
	const struct pipeline *p = ctx;

	return topology_name_shared(&p->topology, dev);
}

static int output_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col)
		return ws.ws_col;
	return columns ? atoi(columns) : 0;
}

struct text_style output_style(const struct output_options *options)
{
	const char *when = options->color ? options->color : "auto", *term = getenv("TERM");
	struct text_style style = { 0 };

	style.color = !strcmp(when, "always") ||
		      (!strcmp(when, "auto") && isatty(STDOUT_FILENO) && !getenv("NO_COLOR") &&
		       term && strcmp(term, "dumb"));
	style.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	style.verbose = options->verbose;
	style.brief = options->brief;
	style.width = output_width();
	return style;
}

/* A function's entry is recorded as its address, or that of a place shortly behind. */
#define ENTRY_BYTES 64

static const char *function_name(void *ctx, u64 func, size_t *len)
{
	struct pipeline *p = ctx;
	const char *name;
	u64 offset;

	need_symbols(p);
	name = symbols_find(&p->symbols, func, &offset, len);
	return name && offset <= ENTRY_BYTES ? name : NULL;
}

static int start_calls(struct pipeline *p, bool big_endian, u8 long_size, struct error *err)
{
	struct callsink_setup setup = {
		.options = p->options.calls,
		.names = &p->names,
		.style = p->style,
		.name = function_name,
		.ctx = p,
		.big_endian = big_endian,
		.long_size = long_size,
	};

	return callsink_new(&p->calls, &setup, err);
}

int pipeline_init(struct pipeline *p, const struct output_options *options, bool big_endian,
		  u8 long_size, struct error *err)
{
	int ret;

	memset(p, 0, sizeof(*p));
	p->options = *options;
	p->style = output_style(options);
	p->flush_each = isatty(STDOUT_FILENO);
	ret = schema_init(&p->schema, big_endian, long_size, err);
	if (!ret && options->calls)
		ret = start_calls(p, big_endian, long_size, err);
	else if (!ret)
		ret = chainmark_new(&p->marks, big_endian, long_size, err);
	return ret;
}

int pipeline_add_format(struct pipeline *p, const char *system, const char *text, size_t len,
			struct error *err)
{
	if (p->calls)
		callsink_add_format(p->calls, system, text, len);
	if (strcmp(system, GRAPH_SYSTEM))
		return schema_add_format(&p->schema, system, text, len, err);
	if (p->marks)
		chainmark_format(p->marks, text, len);
	return p->schema.tapped ? schema_add_format(&p->schema, system, text, len, err) : 0;
}

static enum ahead_found take_other(void *ctx, const struct record *rec, struct event *ev)
{
	struct pipeline *p = ctx;

	return chainmark_record(p->marks, rec, ev);
}

static void mark_chain(void *ctx, struct event *ev)
{
	struct pipeline *p = ctx;

	chainmark_event(p->marks, ev);
}

static void lose_chains(void *ctx)
{
	struct pipeline *p = ctx;

	chainmark_lost(p->marks);
}

static void join_event(void *ctx, const struct event *ev)
{
	struct pipeline *p = ctx;

	if (likely(!p->write_error))
		paths_event(p->paths, ev);
}

static void join_lost(void *ctx, u16 cpu, u64 from_ns, u64 to_ns, u64 count, bool uncounted)
{
	struct pipeline *p = ctx;

	paths_lost(p->paths, cpu, from_ns, to_ns, count, uncounted);
}

/* Frames of a tap have to be brought together with the hops they belong to. */
static int start_joining(struct pipeline *p, struct error *err)
{
	struct tapjoin_options options = {
		.event = join_event,
		.lost = join_lost,
		.ctx = p,
		.cut_off = p->cut_off,
	};

	/* Probes tell headers themselves; nobody records both. */
	if (!p->schema.has_taps || p->schema.has_probes)
		return 0;
	return tapjoin_new(&p->tapjoin, &options, err);
}

int pipeline_start(struct pipeline *p, struct error *err)
{
	struct paths_options options = {
		.path_done = show_path,
		.free_site = free_site,
		.name_shared = name_shared,
		.ctx = p,
		.exact = p->schema.has_births || p->schema.has_deaths,
		.filtered = p->schema.has_deaths && !p->schema.has_births,
		.headers = p->schema.has_headers,
		.carriers = !p->schema.has_device_headers,
	};
	int ret;

	if (topology_init(&p->topology, p->snapshot, &p->schema.devs))
		return error_errno(err, ENOMEM, "cannot prepare the netns table");
	p->names = (struct render_names){ &p->schema, &p->symbols, &p->comms, &p->topology,
					  p->marks ? chainmark_chains(p->marks) : NULL };
	p->selective = select_any(&p->options.select);
	ret = select_init(&p->select, &p->options.select, err);
	if (!ret)
		ret = select_netns(&p->select, p->snapshot, p->live, err);
	if (ret)
		return ret;
	p->schema.filter = p->select.filter;
	if (p->select.filter && !p->schema.has_headers)
		return error_set(err, ENODATA,
				 "a filter needs packets' headers, and no event here has them "
				 "(tier T0 without --tap; see 'skbtrail check')");
	ret = start_joining(p, err);
	return ret ? ret : paths_new(&p->paths, &options, err);
}

void pipeline_free(struct pipeline *p)
{
	callsink_free(p->calls);
	tapjoin_free(p->tapjoin);
	paths_free(p->paths);
	chainmark_free(p->marks);
	select_free(&p->select);
	topology_free(&p->topology);
	netns_snapshot_free(p->snapshot);
	comms_free(&p->comms);
	symbols_free(&p->symbols);
	schema_free(&p->schema);
	strbuf_free(&p->out);
	memset(p, 0, sizeof(*p));
}

static void take_loss(struct pipeline *p, const struct stream_loss *loss)
{
	if (unlikely(p->calls != NULL))
		callsink_lost(p->calls, loss->cpu);
	if (unlikely(p->tapjoin != NULL))
		tapjoin_lost(p->tapjoin, loss->cpu, loss->from_ns, loss->to_ns, loss->count,
			     loss->uncounted);
	else
		paths_lost(p->paths, loss->cpu, loss->from_ns, loss->to_ns, loss->count,
			   loss->uncounted);
}

static void take_event(struct pipeline *p, const struct event *ev)
{
	if (unlikely(p->tapjoin != NULL))
		tapjoin_event(p->tapjoin, ev);
	else if (likely(ev->kind != EVENT_FRAME))
		paths_event(p->paths, ev);
}

/* An event in a call; its packet may end with it, or begin. */
static void take_event_of_call(struct pipeline *p, const struct event *ev)
{
	u64 before = paths_number(p->paths, ev->skb), after;

	take_event(p, ev);
	after = paths_number(p->paths, ev->skb);
	callsink_event(p->calls, ev, after ? after : before);
}

static int show_calls(struct pipeline *p, bool end)
{
	int ret = callsink_take(p->calls, &p->out, end);

	if (ret)
		p->write_error = -ret;
	return end || p->flush_each || p->out.len >= FLUSH_BYTES ? pipeline_flush(p) : ret;
}

/* The records of function_graph are most of all, so they come first. */
static int run_calls(struct pipeline *p, struct stream *s, u64 limit)
{
	const struct record *rec;
	struct skb_facts facts;
	struct event ev;
	u32 i;

	while ((rec = stream_next(s, limit))) {
		for (i = 0; unlikely(i < s->nr_losses); i++)
			take_loss(p, &s->loss[i]);
		s->nr_losses = 0;
		if (likely(callsink_record(p->calls, rec)))
			continue;
		if (!schema_decode(&p->schema, rec->id, rec->data, rec->len_bytes, &ev, &facts))
			continue;
		ev.ts_ns = rec->ts_ns;
		ev.cpu = rec->cpu;
		take_event_of_call(p, &ev);
	}
	return show_calls(p, false);
}

void pipeline_clock(struct pipeline *p, const char *clock, bool converted)
{
	/* Those of kernel/trace/trace.c that are not "in_ns". */
	static const char *const ticks[] = { "counter", "uptime", "x86-tsc" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ticks) && !converted; i++)
		p->ticks = p->ticks || !strcmp(clock, ticks[i]);
	if (p->ticks && !p->options.quiet)
		fprintf(stderr,
			"skbtrail: the clock '%s' does not count nanoseconds: times are "
			"shown as if its ticks were some\n",
			clock);
}

int pipeline_run(struct pipeline *p, struct stream *s, u64 limit)
{
	const struct record *rec;
	struct skb_facts facts;
	struct event ev;
	u32 i;

	if (p->calls)
		return run_calls(p, s, limit);
	while ((rec = stream_next(s, limit))) {
		if (unlikely(s->nr_losses))
			lose_chains(p);
		for (i = 0; unlikely(i < s->nr_losses); i++)
			take_loss(p, &s->loss[i]);
		s->nr_losses = 0;
		if (schema_decode(&p->schema, rec->id, rec->data, rec->len_bytes, &ev, &facts)) {
			ev.ts_ns = rec->ts_ns;
			ev.cpu = rec->cpu;
			mark_chain(p, &ev);
		} else if (take_other(p, rec, &ev) != AHEAD_EVENT) {
			continue;
		}
		take_event(p, &ev);
		if (unlikely(p->write_error))
			return -p->write_error;
	}
	return 0;
}

static int take_batch(struct pipeline *p, const struct event_batch *b)
{
	const struct ahead_loss *loss = b->loss, *last = b->loss + b->nr_losses;
	u32 i;

	for (i = 0; i <= b->nr; i++) {
		for (; unlikely(loss < last && loss->before == i); loss++)
			take_loss(p, &loss->loss);
		if (i == b->nr)
			break;
		take_event(p, &b->event[i]);
		if (unlikely(p->write_error))
			return -p->write_error;
	}
	return 0;
}

int pipeline_run_all(struct pipeline *p, struct stream *s, struct error *err)
{
	const struct ahead_watch watch = { take_other, mark_chain, lose_chains, p, p->stacks };
	const struct event_batch *batch;
	struct ahead *ahead;
	int ret;

	if (p->calls)
		return run_calls(p, s, STREAM_NO_LIMIT);
	ret = ahead_start(&ahead, s, &p->schema, &watch, err);
	if (ret)
		return ret;
	while (!ret && (batch = ahead_next(ahead)))
		ret = take_batch(p, batch);
	ahead_stop(ahead);
	return ret;
}

void pipeline_tick(struct pipeline *p, u64 now_ns)
{
	if (p->tapjoin) {
		tapjoin_tick(p->tapjoin, now_ns);
		/* What the join holds back is still to come. */
		now_ns = tapjoin_gone(p->tapjoin);
	}
	paths_tick(p->paths, now_ns);
}

int pipeline_finish(struct pipeline *p)
{
	if (p->calls && p->live)
		refresh_cmdlines(p, UINT64_MAX);
	if (p->tapjoin)
		tapjoin_finish(p->tapjoin);
	paths_finish(p->paths);
	if (p->calls)
		show_calls(p, true);
	if (p->progress_shown)
		fputs("\r\033[K", stderr);
	return pipeline_flush(p);
}

static void append_count(struct strbuf *sb, u64 count, const char *what)
{
	if (!count)
		return;
	strbuf_puts(sb, ", ");
	strbuf_put_u64(sb, count);
	strbuf_putc(sb, ' ');
	strbuf_puts(sb, what);
}

void pipeline_summary(const struct pipeline *p, const struct stream_stats *stats,
		      u64 lost_elsewhere)
{
	const struct paths_stats *ps = paths_stats(p->paths);
	struct strbuf sb = STRBUF_INIT;
	u64 lost = stats->lost > lost_elsewhere ? stats->lost : lost_elsewhere;

	if (p->options.quiet)
		return;
	strbuf_puts(&sb, "skbtrail: ");
	if (p->calls) {
		callsink_summary(p->calls, &sb);
		strbuf_puts(&sb, "; ");
	}
	if (!p->calls || ps->packets)
		strbuf_printf(&sb, "%llu packet%s", (unsigned long long)ps->packets,
			      ps->packets == 1 ? "" : "s");
	if (p->selective)
		strbuf_printf(&sb, ", %llu shown", (unsigned long long)p->shown);
	append_count(&sb, ps->by_state[PATH_DELIVERED], "delivered");
	append_count(&sb, ps->by_state[PATH_TRANSMITTED], "transmitted");
	append_count(&sb, ps->by_state[PATH_DROPPED], "dropped");
	append_count(&sb, ps->by_state[PATH_SPLIT], "split");
	append_count(&sb, ps->by_state[PATH_MERGED], "merged");
	append_count(&sb, ps->by_state[PATH_OPEN], "open");
	append_count(&sb, ps->by_state[PATH_UNKNOWN], "with unknown end");
	append_count(&sb, ps->by_complete[PATH_GAP], "with a gap");
	append_count(&sb, ps->refused, "events of packets not followed (too many at once)");
	strbuf_printf(&sb, "%s%llu records, %llu lost", p->calls && !ps->packets ? "" : "; ",
		      (unsigned long long)stats->records, (unsigned long long)lost);
	append_count(&sb, stats->lost_uncounted, "losses uncounted");
	append_count(&sb, stats->damaged, "damaged sub-buffers");
	append_count(&sb, stats->backwards, "out of order (clock not in step)");
	append_count(&sb, p->schema.short_records, "too short");
	if (p->options.verbose) {
		append_count(&sb, ps->unseen_frees, "frees and reads of skbs seen on no device");
		append_count(&sb, ps->strays, "other events of such");
		append_count(&sb, ps->reused, "addresses reused without a death event");
		append_count(&sb, p->topology.unresolved, "devices in an unknown netns");
	}
	strbuf_putc(&sb, '\n');
	if (p->tapjoin)
		render_tap_text(&sb, tapjoin_stats(p->tapjoin), ps, p->options.verbose);
	fputs(strbuf_cstr(&sb), stderr);
	strbuf_free(&sb);
}

int pipeline_totals(struct pipeline *p, const struct stream *s, u64 lost_elsewhere, u64 time_ns,
		    u64 own_cpu_ns)
{
	struct summary sum = {
		.packets = paths_stats(p->paths)->packets,
		.records = s->stats.records,
		.bytes = s->stats.bytes,
		.lost = s->stats.lost > lost_elsewhere ? s->stats.lost : lost_elsewhere,
		.lost_uncounted = s->stats.lost_uncounted,
		.time_ns = time_ns,
		.own_cpu_ns = own_cpu_ns,
		.cost = p->cost,
		.tap = p->tapjoin ? tapjoin_stats(p->tapjoin) : NULL,
		.paths = paths_stats(p->paths),
	};
	struct strbuf sb = STRBUF_INIT;

	if (p->options.on_path || p->calls)
		return 0;
	if (!time_ns && !p->ticks && s->oldest <= s->newest)
		sum.time_ns = s->newest - s->oldest;
	if (p->options.verbose && !p->options.quiet) {
		render_summary_text(&sb, &sum, p->style.utf8);
		fputs(strbuf_cstr(&sb), stderr);
		strbuf_free(&sb);
	}
	if (!p->options.json)
		return 0;
	if (render_summary_json(&p->out, &sum))
		p->write_error = ENOMEM;
	return pipeline_flush(p);
}
