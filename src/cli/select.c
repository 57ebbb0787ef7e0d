// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which finished paths are shown: see select.h.
 */
#include "cli/select.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"

#define GLOB_CHARS "*?["
#define NAMES_SHOWN 16 /* in an error */
#define COMM_BYTES 15  /* that the kernel keeps of a task's name */

/* "200us", "1.5s" -> ns. No strtod(): a locale may have it want a comma. */
int select_time(const char *text, u64 *ns)
{
	static const struct {
		const char *unit;
		u64 ns;
	} units[] = { { "ns", 1 },
		      { "us", NSEC_PER_USEC },
		      { "µs", NSEC_PER_USEC },
		      { "ms", NSEC_PER_MSEC },
		      { "s", NSEC_PER_SEC } };
	u64 whole = 0, part = 0, scale = 1;
	const char *c = text;
	size_t i;

	for (; isdigit((u8)*c) && whole < NSEC_PER_SEC; c++)
		whole = whole * 10 + (u64)(*c - '0');
	if (c == text)
		return -EINVAL;
	if (*c == '.')
		for (c++; isdigit((u8)*c) && scale < NSEC_PER_SEC; c++, scale *= 10)
			part = part * 10 + (u64)(*c - '0');
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(c, units[i].unit))
			continue;
		*ns = whole * units[i].ns + part * units[i].ns / scale;
		return 0;
	}
	return -EINVAL;
}

static int parse_pid(const char *text, s32 *pid)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = isdigit((u8)*text) ? strtoul(text, &end, 10) : 0;
	if (!value || *end || errno || value > INT32_MAX)
		return -EINVAL;
	*pid = (s32)value;
	return 0;
}

static int add_word(struct strbuf *words, const char *word)
{
	if (words->len)
		strbuf_putc(words, ' ');
	strbuf_puts(words, word);
	strbuf_cstr(words);
	return words->failed ? -ENOMEM : 0;
}

static int set_text(const char **to, const char *text)
{
	*to = text;
	return *text ? 0 : -EINVAL;
}

int select_option(struct select_options *o, int c, const char *arg)
{
	switch (c) {
	case 1:
		return add_word(&o->words, arg);
	case 'f':
		return o->filter ? -EINVAL : set_text(&o->filter, arg);
	case 'i':
		return set_text(&o->dev, arg);
	case OPT_NETNS:
		return set_text(&o->netns, arg);
	case OPT_PID:
		return parse_pid(arg, &o->pid);
	case OPT_COMM:
		return set_text(&o->comm, arg);
	case OPT_DROPPED:
		o->dropped = true;
		return 0;
	case OPT_MIN_LATENCY:
		return select_time(arg, &o->min_latency_ns);
	default:
		return -ENOENT;
	}
}

void select_options_free(struct select_options *o)
{
	strbuf_free(&o->words);
}

bool select_any(const struct select_options *o)
{
	return o->filter || o->words.len || o->dev || o->netns || o->comm || o->pid || o->dropped ||
	       o->min_latency_ns || o->from_ns || o->to_ns;
}

static int compile_filter(struct select *s, struct error *err)
{
	const char *words = s->options->words.len ? s->options->words.data : NULL;
	const char *expr = s->options->filter ? s->options->filter : words;
	size_t used;
	int ret;

	if (!expr)
		return 0;
	if (expr != words && words)
		return error_set(err, EINVAL,
				 "two filters: '%.300s' and '%.300s'; join them with 'and'", expr,
				 words);
	ret = pktfilter_compile(&s->filter, expr, err);
	used = ret && err ? strlen(err->text) : 0;
	if (ret == -EINVAL && err && words)
		snprintf(err->text + used, sizeof(err->text) - used,
			 "; a command to run comes after --");
	return ret;
}

int select_init(struct select *s, const struct select_options *options, struct error *err)
{
	*s = (struct select){ .options = options };
	if (options->comm) {
		s->by_comm = true;
		/* a name longer than the kernel keeps can only be found by what it keeps */
		snprintf(s->comm, sizeof(s->comm), "%.*s",
			 strpbrk(options->comm, GLOB_CHARS "\\") ? (int)sizeof(s->comm) - 1 :
								   COMM_BYTES,
			 options->comm);
	}
	return compile_filter(s, err);
}

void select_free(struct select *s)
{
	pktfilter_free(s->filter);
	free(s->netns);
	*s = (struct select){ 0 };
}

int select_check(const struct select_options *options, struct error *err)
{
	struct select s;
	int ret = select_init(&s, options, err);

	select_free(&s);
	return ret;
}

static int add_netns(struct select *s, u64 inum)
{
	u64 *netns = reallocarray(s->netns, s->nr_netns + 1, sizeof(*netns));

	if (!netns)
		return -ENOMEM;
	netns[s->nr_netns++] = inum;
	s->netns = netns;
	return 0;
}

/* Take all netns whose name fits. */
static int add_by_name(struct select *s, const struct netns_snapshot *snap, const char *glob)
{
	size_t i;
	int ret = 0;

	for (i = 0; snap && i < snap->nr_ns && !ret; i++)
		if (!strcmp(snap->ns[i].name, glob) || !fnmatch(glob, snap->ns[i].name, 0))
			ret = add_netns(s, snap->ns[i].inum);
	return ret;
}

static int no_such_netns(const struct netns_snapshot *snap, const char *wanted, struct error *err)
{
	struct strbuf names = STRBUF_INIT;
	size_t i;

	if (!snap || !snap->nr_ns)
		return error_set(err, ENOENT,
				 "--netns '%.200s': no network namespaces were recorded", wanted);
	for (i = 0; i < snap->nr_ns && i < NAMES_SHOWN; i++) {
		strbuf_putc(&names, ' ');
		strbuf_put_escaped(&names, snap->ns[i].name, strlen(snap->ns[i].name));
	}
	if (snap->nr_ns > NAMES_SHOWN)
		strbuf_printf(&names, " and %zu more", snap->nr_ns - NAMES_SHOWN);
	error_set(err, ENOENT, "there is no network namespace '%.200s'; there are:%s", wanted,
		  strbuf_cstr(&names));
	strbuf_free(&names);
	return -ENOENT;
}

/* The netns that a process is in; of a recording, the one that was named after it. */
static int add_by_pid(struct select *s, const struct netns_snapshot *snap, const char *text,
		      struct error *err)
{
	char path[64], glob[64];
	struct stat st;
	s32 pid;

	if (parse_pid(text, &pid))
		return error_set(err, EINVAL, "--netns pid:%.100s: that is no process id", text);
	if (s->live) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
		if (stat(path, &st))
			return error_errno(err, errno == ENOENT ? ESRCH : errno,
					   "--netns pid:%d: cannot look at %s", pid, path);
		return add_netns(s, st.st_ino);
	}
	snprintf(glob, sizeof(glob), "pid:%d(*", pid);
	return add_by_name(s, snap, glob);
}

int select_netns(struct select *s, const struct netns_snapshot *snap, bool live, struct error *err)
{
	const char *wanted = s->options->netns;
	char *end;
	u64 inum;
	int ret;

	s->live = live;
	if (!wanted)
		return 0;
	s->by_netns = true;
	ret = add_by_name(s, snap, wanted);
	if (!ret && !s->nr_netns && !strncmp(wanted, "pid:", 4)) {
		ret = add_by_pid(s, snap, wanted + 4, err);
	} else if (!ret && !s->nr_netns && isdigit((u8)*wanted)) {
		errno = 0;
		inum = strtoull(wanted, &end, 10);
		if (!*end && !errno)
			ret = add_netns(s, inum);
	}
	if (ret == -ENOMEM)
		return error_errno(err, ENOMEM, "--netns");
	return ret || s->nr_netns ? ret : no_such_netns(snap, wanted, err);
}

bool path_touches_device(const struct path *path, const struct devnames *devs, const char *glob)
{
	u16 last = 0;
	u32 i;

	for (i = 0; i < path->nr_hops; i++) {
		if (!path->hops[i].dev || path->hops[i].dev == last)
			continue;
		last = path->hops[i].dev;
		if (!fnmatch(glob, devnames_text(devs, last), 0))
			return true;
	}
	return false;
}

bool path_touches_netns(const struct path *path, const struct topology *topology, const u64 *inums,
			u32 nr)
{
	const struct netns *ns;
	u64 inum, last = 0;
	u32 i, k;

	for (i = 0; i < path->nr_hops; i++) {
		ns = topology ? topology_netns(topology, &path->hops[i]) : NULL;
		inum = ns ? ns->inum : path->hops[i].netns_inum;
		if (!inum || inum == last)
			continue;
		last = inum;
		for (k = 0; k < nr; k++)
			if (inum == inums[k])
				return true;
	}
	return false;
}

static bool is_task(const struct select *s, s32 pid, const struct render_names *names)
{
	const char *comm;
	char path[64];

	if (pid <= 0)
		return false;
	if (s->options->pid && pid != s->options->pid) {
		/* records name threads */
		snprintf(path, sizeof(path), "/proc/%d/task/%d", s->options->pid, pid);
		if (!s->live || access(path, F_OK))
			return false;
	}
	comm = s->by_comm && names->comms ? comms_find(names->comms, pid) : NULL;
	return !s->by_comm || (comm && !fnmatch(s->comm, comm, 0));
}

static bool is_sent(const struct hop *first)
{
	return (first->kind < EVENT_RX_ENTRY || first->kind > EVENT_RECEIVE) &&
	       first->kind != EVENT_COPY && first->context & EVENT_CONTEXT_KNOWN &&
	       !(first->context & (EVENT_IN_SOFTIRQ | EVENT_IN_HARDIRQ));
}

/* Sent or read by a task that was asked for. */
static bool by_task(const struct select *s, const struct path *path,
		    const struct render_names *names)
{
	u32 i;

	if (is_task(s, path->birth_pid, names))
		return true;
	if (path->nr_hops && is_sent(&path->hops[0]) && is_task(s, path->hops[0].pid, names))
		return true;
	for (i = 0; i < path->nr_hops; i++)
		if (path->hops[i].kind == EVENT_COPY && is_task(s, path->hops[i].pid, names))
			return true;
	return path->raw_copy && is_task(s, path->raw_pid, names);
}

bool select_path(const struct select *s, const struct path *path, const struct render_names *names)
{
	const struct select_options *o = s->options;

	if (o->dropped && path->state != PATH_DROPPED)
		return false;
	if (s->filter && !path->matched)
		return false;
	if (path->last_ns < path->first_ns + o->min_latency_ns)
		return false;
	if (path->last_ns < o->from_ns || (o->to_ns && path->first_ns > o->to_ns))
		return false;
	if (o->dev && !path_touches_device(path, &names->schema->devs, o->dev))
		return false;
	if (s->by_netns && !path_touches_netns(path, names->topology, s->netns, s->nr_netns))
		return false;
	return !(o->pid || s->by_comm) || by_task(s, path, names);
}
