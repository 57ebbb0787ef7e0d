// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tries that create something: a private instance, probe events.
 *
 * In:  f->tracing_dir.
 * Out: capabilities. The instance skbtrail-<pid> is there, and flocked, for as long as a probe
 *      event of group skbtrail_<pid> may exist, so that "skbtrail clean" knows whose they are.
 *
 * Whatever is made is removed before features_probe() returns. In the instance tracing is off. A
 * tracer is set only after the instance's function filter was narrowed to one function: patching
 * every function of a production kernel for a question would be rude.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/features_priv.h"
#include "kernel/tracedir.h"

/* Exported by every kernel with networking, may be probed, and its argument is "skb". */
#define PROBED_FUNCTION "netif_rx"
#define PROBED_EVENT "net/net_dev_queue"

struct prober {
	struct features *f;
	char instance[FEATURES_PATH_MAX - 128]; /* "" when it could not be made */
	char path[FEATURES_PATH_MAX];		/* of the last in_instance() or in_top() */
	char group[32];
};

static const char *in_instance(struct prober *p, const char *file)
{
	snprintf(p->path, sizeof(p->path), "%s/%s", p->instance, file);
	return p->path;
}

static const char *in_top(struct prober *p, const char *file)
{
	snprintf(p->path, sizeof(p->path), "%s/%s", p->f->tracing_dir, file);
	return p->path;
}

/* A capability that one accepted write proves. */
static int try_write(struct prober *p, enum feature id, const char *file, const char *value)
{
	int ret = tracedir_write(in_instance(p, file), value);

	if (ret)
		features_refused(p->f, id, -ret, p->path);
	return ret;
}

static void probe_events(struct prober *p)
{
	static const char file[] = "events/" PROBED_EVENT "/enable";
	int ret;

	if (try_write(p, FEATURE_EVENTS, file, "1"))
		return;
	ret = tracedir_write(p->path, "0");
	if (ret)
		features_refused(p->f, FEATURE_EVENTS, -ret, p->path);
	else
		features_yes(p->f, FEATURE_EVENTS, "tried in a private instance");
}

static void probe_hist(struct prober *p)
{
	static const char file[] = "events/" PROBED_EVENT "/trigger";

	if (try_write(p, FEATURE_HIST_TRIGGERS, file, "hist:keys=common_pid:size=128"))
		return;
	tracedir_write(p->path, "!hist:keys=common_pid:size=128");
	features_yes(p->f, FEATURE_HIST_TRIGGERS, "accepted");
}

/* Write back what is there for the percentage; another size for the sub-buffers. */
static void probe_buffer_files(struct prober *p)
{
	struct strbuf text = STRBUF_INIT;
	char percent[16];
	int ret;

	ret = strbuf_read_file(&text, in_instance(p, "buffer_percent"), 64);
	snprintf(percent, sizeof(percent), "%d", atoi(strbuf_cstr(&text)));
	if (ret)
		features_refused(p->f, FEATURE_BUFFER_PERCENT, -ret, p->path);
	else if (!try_write(p, FEATURE_BUFFER_PERCENT, "buffer_percent", percent))
		features_yes(p->f, FEATURE_BUFFER_PERCENT,
			     "a blocked reader is woken at %s %% by default", percent);
	text.len = 0;
	ret = strbuf_read_file(&text, in_instance(p, "buffer_subbuf_size_kb"), 64);
	if (ret) {
		features_refused(p->f, FEATURE_SUBBUF_SIZE, -ret, p->path);
	} else {
		tracedir_write(in_instance(p, "buffer_size_kb"), "64");
		if (!try_write(p, FEATURE_SUBBUF_SIZE, "buffer_subbuf_size_kb", "64"))
			features_yes(p->f, FEATURE_SUBBUF_SIZE,
				     "%d KiB by default; 64 KiB accepted",
				     atoi(strbuf_cstr(&text)));
	}
	strbuf_free(&text);
}

static void probe_clock(struct prober *p)
{
	struct strbuf names = STRBUF_INIT;
	size_t i;

	if (try_write(p, FEATURE_CLOCK_MONO, "trace_clock", "mono"))
		return;
	for (i = 0; i < p->f->clock_count; i++)
		strbuf_printf(&names, " %s", p->f->clocks[i]);
	features_yes(p->f, FEATURE_CLOCK_MONO, "accepted; clocks:%s; default %s",
		     strbuf_cstr(&names), p->f->clock[0] ? p->f->clock : "unknown");
	strbuf_free(&names);
}

/* The top level is looked at, never set. */
static void probe_fgraph_top(struct prober *p)
{
	struct strbuf now = STRBUF_INIT;
	char *end;
	int ret;

	ret = tracedir_has_word(in_top(p, "available_tracers"), "function_graph");
	if (ret < 0) {
		features_refused(p->f, FEATURE_FGRAPH_TOP, -ret, p->path);
	} else if (!ret) {
		features_refused(p->f, FEATURE_FGRAPH_TOP, EINVAL, p->path);
		p->f->cap[FEATURE_FGRAPH_TOP].code = 0;
	} else if ((ret = tracedir_can_write(in_top(p, "current_tracer")))) {
		features_refused(p->f, FEATURE_FGRAPH_TOP, -ret, p->path);
	} else {
		strbuf_read_file(&now, p->path, 256);
		end = strchr(strbuf_cstr(&now), '\n');
		if (end)
			*end = '\0';
		features_yes(p->f, FEATURE_FGRAPH_TOP,
			     "listed, current_tracer ('%.32s') may be written; not tried",
			     strbuf_cstr(&now));
	}
	strbuf_free(&now);
}

/* A file that is there in our instance, or else once for the whole machine. */
static void probe_fgraph_file(struct prober *p, enum feature id, const char *file)
{
	if (p->instance[0] && !access(in_instance(p, file), W_OK))
		features_yes(p->f, id, "%s is there, in each instance", file);
	else if (!access(in_top(p, file), W_OK))
		features_yes(p->f, id, "%s is there, once for the whole machine", file);
	else
		features_refused(p->f, id, errno, p->path);
}

/* Once the tracer runs in the instance, which then has its options. */
static void probe_fgraph_files(struct prober *p)
{
	probe_fgraph_file(p, FEATURE_FGRAPH_SCOPE, "set_graph_function");
	probe_fgraph_file(p, FEATURE_FGRAPH_DEPTH, "max_graph_depth");
	probe_fgraph_file(p, FEATURE_FGRAPH_IRQS, "options/funcgraph-irqs");
	probe_fgraph_file(p, FEATURE_FGRAPH_ARGS, "options/funcgraph-args");
	probe_fgraph_file(p, FEATURE_FGRAPH_RETVAL, "options/funcgraph-retval");
	probe_fgraph_file(p, FEATURE_FGRAPH_RETADDR, "options/funcgraph-retaddr");
	probe_fgraph_file(p, FEATURE_FUNCTION_FORK, "options/function-fork");
}

static void probe_fgraph_instance(struct prober *p)
{
	int filtered = tracedir_write(in_instance(p, "set_ftrace_filter"), PROBED_FUNCTION);
	int listed = tracedir_has_word(in_instance(p, "available_tracers"), "function_graph");

	if (listed > 0 && filtered) {
		in_instance(p, "set_ftrace_filter");
		features_refused(p->f, FEATURE_FGRAPH_INSTANCE, -filtered, p->path);
	} else if (!try_write(p, FEATURE_FGRAPH_INSTANCE, "current_tracer", "function_graph")) {
		features_yes(p->f, FEATURE_FGRAPH_INSTANCE, "accepted");
	}
	probe_fgraph_files(p);
	if (p->f->cap[FEATURE_FGRAPH_INSTANCE].ok)
		tracedir_write(in_instance(p, "current_tracer"), "nop");
}

/*
 * Define a probe event, never enabled, and take the definition back. p->path is the file written.
 * Return: 0 or -errno of the definition.
 */
static int define_probe(struct prober *p, const char *type, const char *name, const char *what)
{
	bool kprobe = type[0] == 'p';
	char definition[160];
	char removal[64];
	int tries = 0;
	int ret;

	if (!kprobe || access(in_top(p, "kprobe_events"), F_OK))
		in_top(p, "dynamic_events");
	snprintf(definition, sizeof(definition), "%s:%s/%s %s", type, p->group, name, what);
	snprintf(removal, sizeof(removal), "-:%s/%s", p->group, name);
	ret = tracedir_append(p->path, definition);
	if (ret)
		return ret;
	while (tracedir_append(p->path, removal) == -EBUSY && tries++ < 50)
		usleep(10000);
	return 0;
}

static void probe_definition(struct prober *p, enum feature id, const char *type, const char *name,
			     const char *what)
{
	int ret = define_probe(p, type, name, what);

	if (ret && id == FEATURE_KPROBE_EVENTS && (ret == -EINVAL || ret == -ENOENT) &&
	    !access(in_top(p, "kprobe_events"), F_OK))
		features_no(p->f, id, -ret, p->path, "'%s:... %s' refused", type, what);
	else if (ret)
		features_refused(p->f, id, -ret, p->path);
	else
		features_yes(p->f, id, "'%s:... %s' accepted", type, what);
}

/*
 * Whether the kernel's own description of its probe syntax mentions @words, or cannot be read. Asked
 * where a refused definition would leave a complaint in the machine's error_log.
 */
static bool readme_lists(struct prober *p, const char *words)
{
	struct strbuf text = STRBUF_INIT;
	bool listed;

	listed = strbuf_read_file(&text, in_top(p, "README"), TRACEDIR_FILE_MAX) ||
		 strstr(strbuf_cstr(&text), words);
	strbuf_free(&text);
	return listed;
}

static void probe_definitions(struct prober *p)
{
	static const char by_name[] = PROBED_FUNCTION " len=skb->len";

	probe_definition(p, FEATURE_KPROBE_EVENTS, "p", "check_k", PROBED_FUNCTION);
	probe_definition(p, FEATURE_EVENT_PROBES, "e", "check_e", "net.net_dev_queue s=$skbaddr");
	probe_definition(p, FEATURE_FPROBE_EVENTS, "f", "check_f", PROBED_FUNCTION);
	if (!readme_lists(p, "<argname>")) {
		features_refused(p->f, FEATURE_BTF_ARGS, EINVAL, p->path);
		p->f->cap[FEATURE_BTF_ARGS].code = 0;
		return;
	}
	probe_definition(p, FEATURE_BTF_ARGS, "p", "check_b", by_name);
	if (!p->f->cap[FEATURE_BTF_ARGS].ok && p->f->cap[FEATURE_FPROBE_EVENTS].ok)
		probe_definition(p, FEATURE_BTF_ARGS, "f", "check_b", by_name);
}

/* Without an instance nothing below can be tried: all are "no" for the same reason. */
static void refuse_all(struct prober *p, int code, const char *path, const char *why)
{
	static const enum feature ids[] = {
		FEATURE_INSTANCES,	 FEATURE_EVENTS,	 FEATURE_HIST_TRIGGERS,
		FEATURE_SUBBUF_SIZE,	 FEATURE_BUFFER_PERCENT, FEATURE_CLOCK_MONO,
		FEATURE_FGRAPH_INSTANCE, FEATURE_FGRAPH_ARGS,	 FEATURE_FGRAPH_SCOPE,
		FEATURE_FGRAPH_DEPTH,	 FEATURE_FGRAPH_IRQS,	 FEATURE_FGRAPH_RETVAL,
		FEATURE_FGRAPH_RETADDR,	 FEATURE_FUNCTION_FORK,	 FEATURE_KPROBE_EVENTS,
		FEATURE_EVENT_PROBES,	 FEATURE_FPROBE_EVENTS,	 FEATURE_BTF_ARGS,
	};
	size_t i;

	if (p->f->tracing_dir[0])
		features_refused(p->f, FEATURE_INSTANCES, code, path);
	else
		features_no(p->f, FEATURE_INSTANCES, code, path, "not tried: %s", why);
	for (i = 1; i < ARRAY_SIZE(ids); i++)
		features_no(p->f, ids[i], code, path, "not tried: %s", why);
}

static void refuse_groups(struct features *f)
{
	const struct capability *cap = &f->cap[FEATURE_TRACEFS];
	int id;

	for (id = FEATURE_TP_NET; id <= FEATURE_TP_BRIDGE; id++)
		features_no(f, (enum feature)id, cap->code, cap->path, "not tried: no tracefs");
	features_no(f, FEATURE_FGRAPH_TOP, cap->code, cap->path, "not tried: no tracefs");
	features_no(f, FEATURE_DROP_REASON, cap->code, cap->path, "not tried: no tracefs");
	features_no(f, FEATURE_NET_COOKIE, cap->code, cap->path, "not tried: no tracefs");
}

static void assume_file(struct prober *p, enum feature id, const char *file, int mode)
{
	if (access(in_top(p, file), mode))
		features_refused(p->f, id, errno, p->path);
	else
		features_yes(p->f, id, "there; not tried");
}

/* A kind of probe event: its own words in README say that it is built in, dynamic_events takes it. */
static void assume_definition(struct prober *p, enum feature id, const char *words)
{
	int ret;

	if (!readme_lists(p, words)) {
		features_refused(p->f, id, EINVAL, p->path);
		p->f->cap[id].code = 0;
		return;
	}
	ret = tracedir_can_write(in_top(p, "dynamic_events"));
	if (ret)
		features_refused(p->f, id, -ret, p->path);
	else
		features_yes(p->f, id, "described in README; not tried");
}

static void assume_definitions(struct prober *p)
{
	/* README names both sorts in one line */
	assume_definition(p, FEATURE_KPROBE_EVENTS, "p[:[<group>/]");
	if (p->f->cap[FEATURE_KPROBE_EVENTS].ok)
		assume_file(p, FEATURE_KPROBE_EVENTS, "kprobe_events", W_OK);
	assume_definition(p, FEATURE_EVENT_PROBES, "e[:[<group>/]");
	assume_definition(p, FEATURE_FPROBE_EVENTS, "f[:[<group>/]");
	assume_definition(p, FEATURE_BTF_ARGS, "<argname>");
}

void features_assume(struct features *f)
{
	struct prober p = { .f = f };
	size_t i;

	refuse_all(&p, f->cap[FEATURE_TRACEFS].code, f->cap[FEATURE_TRACEFS].path,
		   f->tracing_dir[0] ? "only 'skbtrail check' does" : "no tracefs");
	if (!f->tracing_dir[0]) {
		refuse_groups(f);
		return;
	}
	features_no(f, FEATURE_FGRAPH_TOP, 0, "", "not tried: only 'skbtrail check' does");
	assume_file(&p, FEATURE_INSTANCES, "instances", W_OK | X_OK);
	assume_file(&p, FEATURE_EVENTS, "events/" PROBED_EVENT "/enable", W_OK);
	assume_file(&p, FEATURE_BUFFER_PERCENT, "buffer_percent", W_OK);
	for (i = 0; i < f->clock_count; i++)
		if (!strcmp(f->clocks[i], "mono"))
			features_yes(f, FEATURE_CLOCK_MONO, "there; not tried");
	assume_definitions(&p);
}

static void name_prober(struct prober *p)
{
	snprintf(p->group, sizeof(p->group), "skbtrail_%d", (int)getpid());
	snprintf(p->instance, sizeof(p->instance), "%s/instances/skbtrail-%d", p->f->tracing_dir,
		 (int)getpid());
}

void features_probe_graph(struct features *f)
{
	struct prober p = { .f = f };
	struct error err = { 0 };
	int owner;

	name_prober(&p);
	probe_fgraph_top(&p);
	owner = instance_create_over(f->tracing_dir, p.instance, &err);
	if (owner < 0) {
		features_refused(f, FEATURE_FGRAPH_INSTANCE, -owner, p.instance);
		p.instance[0] = '\0';
		probe_fgraph_files(&p);
		return;
	}
	tracedir_write(in_instance(&p, "tracing_on"), "0");
	probe_fgraph_instance(&p);
	instance_remove(p.instance);
	close(owner);
}

void features_probe(struct features *f)
{
	struct prober p = { .f = f };
	struct error err = { 0 };
	int owner;
	int ret;

	if (!f->tracing_dir[0]) {
		refuse_groups(f);
		refuse_all(&p, f->cap[FEATURE_TRACEFS].code, f->cap[FEATURE_TRACEFS].path,
			   "no tracefs");
		return;
	}
	name_prober(&p);
	probe_fgraph_top(&p);
	owner = instance_create_over(p.f->tracing_dir, p.instance, &err);
	if (owner < 0) {
		refuse_all(&p, -owner, p.instance, "no private instance");
		return;
	}
	tracedir_write(in_instance(&p, "tracing_on"), "0");
	probe_events(&p);
	probe_hist(&p);
	probe_clock(&p);
	probe_fgraph_instance(&p);
	probe_buffer_files(&p);
	probe_definitions(&p);
	ret = instance_remove(p.instance);
	if (ret)
		features_no(f, FEATURE_INSTANCES, -ret, p.instance, "made, but cannot be removed");
	else
		features_yes(f, FEATURE_INSTANCES, "made and removed one");
	close(owner);
}
