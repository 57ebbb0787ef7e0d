// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of capabilities, and what follows from it.
 *
 * In:  outcomes of tries (features_detect.c, features_probe.c) or a description (features_json.c).
 * Out: names, words for each "no", what would be needed, the tier.
 *
 * Adding a capability is adding a row here and a try there. Words never name a kernel version:
 * configurations differ more than versions do.
 */
#include "kernel/features.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/features_priv.h"

struct feature_row {
	const char *key;
	const char *label;
	const char *absent; /* why, when the kernel knows nothing of it (ENOENT, EINVAL, ...) */
	const char *need;   /* what would make it available */
};

#define NO_GROUP(name) "this kernel has no " name " tracepoints", "a kernel that has them built in"

static const struct feature_row rows[FEATURE_COUNT] = {
	[FEATURE_TRACEFS] = { "tracefs", "tracefs", "kernel built without CONFIG_TRACING",
			      "a kernel with CONFIG_TRACING=y" },
	[FEATURE_INSTANCES] = { "private_instances", "private instances",
				"no private instances in this kernel",
				"a tracefs with an instances directory" },
	[FEATURE_EVENTS] = { "enable_events", "events can be enabled",
			     "no such event in a private instance",
			     "a kernel with CONFIG_NET=y and CONFIG_EVENT_TRACING=y" },
	[FEATURE_TP_NET] = { "tracepoints_net", "tracepoints net", NO_GROUP("net") },
	[FEATURE_TP_SKB] = { "tracepoints_skb", "tracepoints skb", NO_GROUP("skb") },
	[FEATURE_TP_SOCK] = { "tracepoints_sock", "tracepoints sock", NO_GROUP("sock") },
	[FEATURE_TP_TCP] = { "tracepoints_tcp", "tracepoints tcp", NO_GROUP("tcp") },
	[FEATURE_TP_UDP] = { "tracepoints_udp", "tracepoints udp", NO_GROUP("udp") },
	[FEATURE_TP_ICMP] = { "tracepoints_icmp", "tracepoints icmp", NO_GROUP("icmp") },
	[FEATURE_TP_NAPI] = { "tracepoints_napi", "tracepoints napi", NO_GROUP("napi") },
	[FEATURE_TP_QDISC] = { "tracepoints_qdisc", "tracepoints qdisc", NO_GROUP("qdisc") },
	[FEATURE_TP_NEIGH] = { "tracepoints_neigh", "tracepoints neigh", NO_GROUP("neigh") },
	[FEATURE_TP_FIB] = { "tracepoints_fib", "tracepoints fib", NO_GROUP("fib") },
	[FEATURE_TP_BRIDGE] = { "tracepoints_bridge", "tracepoints bridge",
				"kernel built without CONFIG_BRIDGE",
				"a kernel with CONFIG_BRIDGE" },
	[FEATURE_DROP_REASON] = { "drop_reasons", "drop reasons",
				  "skb:kfree_skb has no field 'reason'", "a newer kernel" },
	[FEATURE_NET_COOKIE] = { "net_cookie", "netns in net events",
				 "net events have no field 'net_cookie'",
				 "a newer kernel; until then network "
				 "namespaces come from the devices" },
	[FEATURE_KPROBE_EVENTS] = { "kprobe_events", "kprobe events",
				    "kernel built without CONFIG_KPROBE_EVENTS",
				    "a kernel with CONFIG_KPROBE_EVENTS=y" },
	[FEATURE_EVENT_PROBES] = { "event_probes", "event probes",
				   "event probes are not built into this kernel",
				   "a kernel with CONFIG_EPROBE_EVENTS=y "
				   "(older ones: CONFIG_KPROBE_EVENTS=y)" },
	[FEATURE_FPROBE_EVENTS] = { "fprobe_events", "fprobe events",
				    "kernel built without CONFIG_FPROBE_EVENTS",
				    "a kernel with CONFIG_FPROBE_EVENTS=y" },
	[FEATURE_BTF_ARGS] = { "btf_arguments", "BTF arguments",
			       "probes do not take arguments by name in this kernel",
			       "a kernel with "
			       "CONFIG_PROBE_EVENTS_BTF_ARGS=y and kprobe or fprobe events" },
	[FEATURE_HIST_TRIGGERS] = { "hist_triggers", "hist triggers",
				    "kernel built without CONFIG_HIST_TRIGGERS",
				    "a kernel with CONFIG_HIST_TRIGGERS=y" },
	[FEATURE_FGRAPH_TOP] = { "function_graph_top", "function_graph, top level",
				 "function_graph is not in the list of tracers",
				 "a kernel with CONFIG_FUNCTION_GRAPH_TRACER=y" },
	[FEATURE_FGRAPH_INSTANCE] = { "function_graph_instance", "function_graph, instance",
				      "a private instance of this kernel does not take function_graph",
				      "a kernel with "
				      "CONFIG_FUNCTION_GRAPH_TRACER=y, new enough to run it in instances" },
	[FEATURE_FGRAPH_SCOPE] = { "graph_scope", "function_graph, from some",
				   "no set_graph_function here",
				   "a kernel with CONFIG_DYNAMIC_FTRACE=y" },
	[FEATURE_FGRAPH_DEPTH] = { "graph_depth", "function_graph, depth",
				   "no max_graph_depth here",
				   "a kernel with CONFIG_FUNCTION_GRAPH_TRACER=y" },
	[FEATURE_FGRAPH_IRQS] = { "funcgraph_irqs", "funcgraph-irqs", "no such tracer option",
				  "a kernel with CONFIG_FUNCTION_GRAPH_TRACER=y" },
	[FEATURE_FGRAPH_ARGS] = { "funcgraph_args", "funcgraph-args", "no such tracer option",
				  "a kernel with CONFIG_FUNCTION_TRACE_ARGS=y" },
	[FEATURE_FGRAPH_RETVAL] = { "funcgraph_retval", "funcgraph-retval", "no such tracer option",
				    "a kernel with CONFIG_FUNCTION_GRAPH_RETVAL=y" },
	[FEATURE_FGRAPH_RETADDR] = { "funcgraph_retaddr", "funcgraph-retaddr",
				     "no such tracer option",
				     "a kernel with CONFIG_FUNCTION_GRAPH_RETADDR=y" },
	[FEATURE_FUNCTION_FORK] = { "function_fork", "function-fork", "no such tracer option",
				    "a kernel with CONFIG_FUNCTION_TRACER=y" },
	[FEATURE_BTF_FILE] = { "btf_file", "BTF file", "kernel built without CONFIG_DEBUG_INFO_BTF",
			       "a kernel with CONFIG_DEBUG_INFO_BTF=y" },
	[FEATURE_LOCKDOWN] = { "lockdown", "lockdown", "the kernel is locked down",
			       "a boot without lockdown=confidentiality" },
	[FEATURE_SUBBUF_SIZE] = { "subbuffer_size", "sub-buffer size",
				  "the sub-buffer size of this kernel is fixed",
				  "a newer kernel; until then each sub-buffer is one page" },
	[FEATURE_BUFFER_PERCENT] = { "buffer_percent", "buffer_percent",
				     "this kernel wakes readers at its own discretion",
				     "a newer kernel" },
	[FEATURE_CLOCK_MONO] = { "clock_mono", "clock mono",
				 "this kernel has no trace clock 'mono'",
				 "another clock (--clock)" },
	[FEATURE_KALLSYMS] = { "kallsyms", "kallsyms addresses",
			       "kernel built without CONFIG_KALLSYMS",
			       "root, kernel.kptr_restrict below 2, and CONFIG_KALLSYMS=y" },
};

const char *feature_key(enum feature id)
{
	return rows[id].key;
}

const char *feature_label(enum feature id)
{
	return rows[id].label;
}

const char *feature_need(enum feature id, int code)
{
	if (code == EACCES || code == EPERM)
		return geteuid() ? "root" : "root outside of a sandbox, and no lockdown";
	return rows[id].need;
}

void features_yes(struct features *f, enum feature id, const char *fmt, ...)
{
	struct capability *cap = &f->cap[id];
	va_list ap;

	memset(cap, 0, sizeof(*cap));
	cap->ok = true;
	va_start(ap, fmt);
	vsnprintf(cap->detail, sizeof(cap->detail), fmt, ap);
	va_end(ap);
}

void features_no(struct features *f, enum feature id, int code, const char *path, const char *fmt,
		 ...)
{
	struct capability *cap = &f->cap[id];
	va_list ap;

	memset(cap, 0, sizeof(*cap));
	cap->code = code;
	snprintf(cap->path, sizeof(cap->path), "%s", path);
	va_start(ap, fmt);
	vsnprintf(cap->detail, sizeof(cap->detail), fmt, ap);
	va_end(ap);
}

static const char *words_for(const struct features *f, enum feature id, int code)
{
	switch (code) {
	case EACCES:
	case EPERM:
		if (geteuid())
			return "only root may";
		if (f->cap[FEATURE_LOCKDOWN].detail[0] && !f->cap[FEATURE_LOCKDOWN].ok)
			return "the kernel is locked down";
		return "refused even to root: a sandbox or a security policy forbids it";
	case ENOENT:
	case ENOTDIR:
	case EINVAL:
	case ENODEV:
	case EOPNOTSUPP:
		return rows[id].absent;
	case EBUSY:
		return "in use by somebody else right now";
	case ENOMEM:
		return "the kernel has no memory for it right now";
	default:
		return strerror(code);
	}
}

void features_refused(struct features *f, enum feature id, int code, const char *path)
{
	features_no(f, id, code, path, "%s", words_for(f, id, code));
}

static void free_strings(char **strings, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

void features_free(struct features *f)
{
	free_strings(f->events, f->event_count);
	free_strings(f->clocks, f->clock_count);
	memset(f, 0, sizeof(*f));
}

int features_require_t0(const struct features *f, struct error *err)
{
	static const enum feature needed[] = { FEATURE_TRACEFS, FEATURE_INSTANCES, FEATURE_TP_NET,
					       FEATURE_EVENTS };
	const struct capability *cap;
	const char *need;
	size_t i;
	int code;

	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		cap = &f->cap[needed[i]];
		if (cap->ok)
			continue;
		code = cap->code ? cap->code : ENOTSUP;
		need = feature_need(needed[i], cap->code);
		if (!cap->code)
			return error_set(err, code,
					 "no capture is possible here: %s: %s; needed: %s",
					 cap->path, cap->detail, need);
		return error_set(err, code,
				 "no capture is possible here: %s: %s (%s): %s; needed: %s",
				 cap->path, strerror(code), error_name(code), cap->detail, need);
	}
	return 0;
}

bool features_allow(const struct features *f, enum tier tier)
{
	if (tier == TIER_NONE)
		return true;
	if (features_require_t0(f, NULL))
		return false;
	switch (tier) {
	case TIER_T1:
		return f->cap[FEATURE_KPROBE_EVENTS].ok;
	case TIER_T2:
		return f->cap[FEATURE_KPROBE_EVENTS].ok && f->cap[FEATURE_EVENT_PROBES].ok;
	case TIER_T3:
		return features_allow(f, TIER_T2) && f->cap[FEATURE_FPROBE_EVENTS].ok;
	case TIER_G:
		return f->cap[FEATURE_FGRAPH_TOP].ok || f->cap[FEATURE_FGRAPH_INSTANCE].ok;
	default:
		return tier == TIER_T0;
	}
}

enum tier features_tier(const struct features *f)
{
	enum tier tier = TIER_T3;

	while (!features_allow(f, tier))
		tier--;
	return tier;
}

const struct tier_info *tier_describe(enum tier tier)
{
	static const struct tier_info infos[TIER_COUNT] = {
		[TIER_NONE] = { "none", "nothing", "nothing" },
		[TIER_T0] = { "T0", "tracepoints",
			      "hops with device, length and protocol; drops, "
			      "with the reason where the kernel tells it" },
		[TIER_T1] = { "T1", "kprobe events",
			      "addresses and ports, network namespaces, births, "
			      "deaths and clones, netfilter verdicts, hops inside the stack" },
		[TIER_T2] = { "T2", "event probes",
			      "the same taken at the tracepoints themselves" },
		[TIER_T3] = { "T3", "fprobe events",
			      "a function's arguments when it returns: fewer records" },
		[TIER_G] = { "G", "function_graph", "call graphs of a socket's traffic" },
	};

	return &infos[tier];
}

static int compare_event(const void *key, const void *element)
{
	return strcmp(key, *(char *const *)element);
}

bool features_has_event(const struct features *f, const char *system, const char *event)
{
	char name[256];
	int len = snprintf(name, sizeof(name), "%s:%s", system, event);

	if (len < 0 || (size_t)len >= sizeof(name) || !f->event_count)
		return false;
	return bsearch(name, f->events, f->event_count, sizeof(*f->events), compare_event);
}
