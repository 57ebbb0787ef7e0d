// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calibration's probe events: see calibrate_probes.h.
 *
 * A window is a fetch argument, an array of words; a probe event has as many as fit into a record, and
 * several events sit on one function. Records are read as text, without the part that names the task, as
 * that is the same on all kernels; of numbers it is exact.
 */
#include "kernel/calibrate_probes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "kernel/calibrate_priv.h"
#include "kernel/dynevents.h"
#include "kernel/tracedir.h"

#define EVENTS_MAX 128
#define WORDS_MAX 144 /* of a record: a line of text stays below 4 KiB, a record below 3 */
#define LINE_MAX_BYTES 3600
#define ARGS_MAX 100	/* the kernel takes 128 */
#define BUFFER_KB "256" /* per CPU; a packet makes some 20 */
#define READ_BYTES 65536
#define RX_TRIES 100
#define RX_PAUSE_NS 1000000

struct event {
	size_t first, nr; /* wants */
	u8 hook;
	size_t calls; /* records since the packet was added */
};

struct calprobes {
	char tracing_dir[256];
	char instance[320];
	char group[32];
	char define[288];
	const char *symbols[CAL_HOOKS];
	int owner, pipe;
	struct event events[EVENTS_MAX];
	size_t nr_events;
	char *text; /* READ_BYTES + 1 */
};

static int write_file(const struct calprobes *p, const char *file, const char *value)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", p->instance, file);
	return tracedir_write(path, value);
}

static int open_pipe(struct calprobes *p, struct error *err)
{
	char path[512];
	int ret = write_file(p, "options/context-info", "0");

	if (!ret)
		ret = write_file(p, "buffer_size_kb", BUFFER_KB);
	if (ret)
		return error_errno(err, -ret, "cannot set up the private instance %s", p->instance);
	snprintf(path, sizeof(path), "%s/trace_pipe", p->instance);
	p->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return p->pipe < 0 ? error_errno(err, errno, "cannot open %s", path) : 0;
}

int calprobes_open(struct calprobes **out, const char *tracing_dir,
		   const char *const symbols[CAL_HOOKS], struct error *err)
{
	struct calprobes *p = calloc(1, sizeof(*p));
	int ret;

	*out = NULL;
	if (p)
		p->text = malloc(READ_BYTES + 1);
	if (!p || !p->text) {
		free(p);
		return error_errno(err, ENOMEM, "calibration");
	}
	p->pipe = -1;
	memcpy(p->symbols, symbols, sizeof(p->symbols));
	snprintf(p->tracing_dir, sizeof(p->tracing_dir), "%s", tracing_dir);
	snprintf(p->instance, sizeof(p->instance), "%s/instances/skbtrail-%d", tracing_dir,
		 (int)getpid());
	snprintf(p->group, sizeof(p->group), "skbtrail_%d", (int)getpid());
	snprintf(p->define, sizeof(p->define), "%s/kprobe_events", tracing_dir);
	if (access(p->define, F_OK)) {
		ret = error_errno(err, errno, "this kernel has no kprobe events: %s", p->define);
		free(p->text);
		free(p);
		return ret;
	}
	p->owner = instance_create_over(tracing_dir, p->instance, err);
	if (p->owner < 0) {
		ret = p->owner;
		free(p->text);
		free(p);
		return ret;
	}
	*out = p;
	ret = open_pipe(p, err);
	if (ret) {
		calprobes_close(p, NULL);
		*out = NULL;
	}
	return ret;
}

/* The instance goes last: while it is owned, the probe events are nobody's leftovers. */
int calprobes_close(struct calprobes *p, struct error *err)
{
	int ret, removed;

	if (!p)
		return 0;
	ret = calprobes_end(p, err);
	if (p->pipe >= 0)
		close(p->pipe);
	removed = instance_remove(p->instance);
	if (removed && !ret)
		ret = error_errno(err, -removed, "cannot remove %s", p->instance);
	close(p->owner);
	free(p->text);
	free(p);
	return ret;
}

/* ---- definitions */

/* "+8(+16($arg1))" without the outermost: the pointer that @depth steps of the path lead to. */
static void put_pointer(struct strbuf *line, const struct cal_path *path, u8 depth)
{
	u8 i;

	for (i = depth; i; i--)
		strbuf_printf(line, "+%u(", path->at[i - 1]);
	strbuf_printf(line, "$arg%u", path->arg);
	for (i = depth; i; i--)
		strbuf_putc(line, ')');
}

static bool shows_functions(const struct cal_want *w)
{
	return w->path.hook == CAL_NF && w->path.arg == 3 && !w->path.depth && !w->start;
}

static void put_window(struct strbuf *line, const struct cal_want *w, size_t index)
{
	u8 i;

	for (i = 1; i <= w->path.depth; i++) {
		strbuf_printf(line, " p%zu_%u=", index, i);
		put_pointer(line, &w->path, i);
		strbuf_puts(line, ":x64");
	}
	strbuf_printf(line, " w%zu=+%u(", index, w->start);
	put_pointer(line, &w->path, w->path.depth);
	strbuf_printf(line, "):x64[%u]", w->len / 8);
	for (i = 0; shows_functions(w) && i < w->len / 8; i++)
		strbuf_printf(line, " y%zu_%u=+%u($arg3):symbol", index, i, i * 8U);
}

/* Whether the function is called in the sender's context, so that a filter by task does. */
static bool is_by_task(const struct cal *cal, u8 hook)
{
	return hook == CAL_NFT || hook == CAL_XT || !cal_has(cal, SKB_MARK);
}

/* One event with the windows from @first on that fit into a record; Return: how many. */
static size_t put_event(struct calprobes *p, const struct cal *cal, const struct cal_want *wants,
			size_t nr, size_t first, struct strbuf *lines)
{
	struct event *e = &p->events[p->nr_events];
	u8 hook = wants[first].path.hook;
	size_t i, begin = lines->len;
	u32 words = 0, args = 4;

	strbuf_printf(lines, "p:%s/c%zu %s a=$arg1:x64 b=$arg2:x64 c=$arg3:x64", p->group,
		      p->nr_events, p->symbols[hook]);
	if (!is_by_task(cal, hook))
		strbuf_printf(lines, " m=+%u($arg1):u32", cal_at(cal, SKB_MARK));
	for (i = first; i < nr && wants[i].path.hook == hook; i++) {
		words += wants[i].len / 8U + wants[i].path.depth;
		args += 1U + wants[i].path.depth;
		if (i > first &&
		    (words > WORDS_MAX || args > ARGS_MAX || lines->len - begin > LINE_MAX_BYTES ||
		     shows_functions(&wants[i])))
			break;
		put_window(lines, &wants[i], i);
		if (shows_functions(&wants[i]))
			words = WORDS_MAX; /* alone */
	}
	strbuf_putc(lines, '\n');
	*e = (struct event){ .first = first, .nr = i - first, .hook = hook };
	p->nr_events++;
	return i - first;
}

static int set_filters(const struct calprobes *p, const struct cal *cal, u32 mark)
{
	char file[96], filter[96];
	int ret = 0;
	size_t i;

	for (i = 0; i < p->nr_events && !ret; i++) {
		if (is_by_task(cal, p->events[i].hook))
			snprintf(filter, sizeof(filter), "common_pid == %ld", syscall(SYS_gettid));
		else
			snprintf(filter, sizeof(filter), "m >= %u && m <= %u", mark & ~0xffU,
				 mark | 0xffU);
		snprintf(file, sizeof(file), "events/%s/c%zu/filter", p->group, i);
		ret = write_file(p, file, filter);
	}
	return ret;
}

static int switch_all(const struct calprobes *p, const char *value)
{
	char file[96];

	snprintf(file, sizeof(file), "events/%s/enable", p->group);
	return write_file(p, file, value);
}

/* What the kernel would not take: the first line that is not among those it has. */
static int tell_refusal(const struct calprobes *p, int ret, struct error *err)
{
	size_t taken = 0;

	if (dynevents_count(p->define, p->group, &taken) || taken >= p->nr_events)
		taken = 0;
	return error_errno(err, -ret, "the kernel refuses a probe on %s (%s)%s",
			   p->symbols[p->events[taken].hook], p->define,
			   ret == -EPERM || ret == -EACCES ? ": locked down?" : "");
}

int calprobes_begin(struct calprobes *p, struct cal *cal, u32 mark, struct error *err)
{
	const struct cal_want *wants;
	size_t nr = cal_wants(cal, &wants);
	struct strbuf lines = STRBUF_INIT;
	size_t at = 0;
	int ret;

	p->nr_events = 0;
	while (at < nr && p->nr_events < EVENTS_MAX)
		at += put_event(p, cal, wants, nr, at, &lines);
	ret = lines.failed ? -ENOMEM : tracedir_append(p->define, strbuf_cstr(&lines));
	strbuf_free(&lines);
	if (ret)
		return tell_refusal(p, ret, err);
	ret = set_filters(p, cal, mark);
	if (!ret)
		ret = switch_all(p, "1");
	return ret ? error_errno(err, -ret, "cannot switch calibration's probes on") : 0;
}

int calprobes_end(struct calprobes *p, struct error *err)
{
	if (!p->nr_events)
		return 0;
	p->nr_events = 0;
	switch_all(p, "0");
	return dynevents_remove(p->define, p->group, err);
}

/* ---- records */

/* The text behind " KEY=" in a line; NULL when it is not there. */
static const char *value_of(const char *line, const char *format, size_t index, unsigned int step)
{
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), format, index, step);
	at = strstr(line, key);
	return at ? at + strlen(key) : NULL;
}

static u64 number_of(const char *line, const char *format, size_t index, unsigned int step)
{
	const char *at = value_of(line, format, index, step);

	return at ? strtoull(at, NULL, 0) : 0;
}

/* "{0x1,0x2}" */
static bool read_words(const char *at, u8 *bytes, size_t len)
{
	size_t i;
	char *end;
	u64 word;

	if (*at != '{')
		return false;
	for (i = 0; i < len; i += 8) {
		word = strtoull(at + 1, &end, 16);
		if (end == at + 1 || (*end != ',' && *end != '}'))
			return false;
		memcpy(bytes + i, &word, sizeof(word));
		at = end;
	}
	return *at == '}';
}

/* Addresses that the kernel itself says are where netfilter calls nft or an iptables table. */
static void take_functions(struct cal *cal, const char *line, size_t index, const u8 *bytes,
			   size_t words)
{
	static const char *const prefixes[] = { "nft_do_chain", "iptable_", "ipt_do_table" };
	const char *at, *plus;
	unsigned int i;
	size_t j;

	for (i = 0; i < words; i++) {
		at = value_of(line, " y%zu_%u=", index, i);
		plus = at ? strchr(at, '+') : NULL;
		for (j = 0; plus && j < ARRAY_SIZE(prefixes); j++)
			if (!strncmp(at, prefixes[j], strlen(prefixes[j])) &&
			    !strncmp(plus, "+0x0/", 5) && strcspn(at, " ") > (size_t)(plus - at))
				cal_add_function(cal, cal_word(bytes, i * 8));
	}
}

static int feed_window(struct cal *cal, const struct cal_want *w, size_t index, size_t packet,
		       size_t nth, const char *line)
{
	u8 bytes[CAL_WINDOW_MAX];
	u64 pointers[2], args[3];
	const char *at;
	u8 i;

	for (i = 0; i < w->path.depth; i++)
		pointers[i] = number_of(line, " p%zu_%u=", index, i + 1U);
	args[0] = number_of(line, " a=", 0, 0);
	args[1] = number_of(line, " b=", 0, 0);
	args[2] = number_of(line, " c=", 0, 0);
	at = value_of(line, " w%zu=", index, 0);
	if (!at || !read_words(at, bytes, w->len))
		return 0;
	if (shows_functions(w))
		take_functions(cal, line, index, bytes, w->len / 8);
	return cal_feed(cal, index, packet, nth, args, pointers, bytes);
}

/* A line "c12: (function+0x0/0x10) a=0x1 ..." */
static int take_line(struct calprobes *p, struct cal *cal, size_t packet, const char *line)
{
	const struct cal_want *wants;
	const char *mark;
	struct event *e;
	char *end;
	size_t i, nth;
	u64 index;
	int ret = 0;

	while (*line == ' ')
		line++;
	if (*line != 'c')
		return 0;
	index = strtoull(line + 1, &end, 10);
	if (end == line + 1 || strncmp(end, ": (", 3) || index >= p->nr_events)
		return 0;
	e = &p->events[index];
	/* one that was late: of the packet before */
	mark = value_of(end, " m=", 0, 0);
	if (mark && strtoull(mark, NULL, 0) != cal->packets[packet].mark)
		return 0;
	nth = e->calls++;
	cal_wants(cal, &wants);
	for (i = e->first; i < e->first + e->nr && !ret; i++)
		ret = feed_window(cal, &wants[i], i, packet, nth, end);
	return ret;
}

static int take_lines(struct calprobes *p, struct cal *cal, size_t packet, char *text, size_t *left)
{
	char *line = text;
	char *end;
	int ret = 0;

	while (!ret && (end = memchr(line, '\n', *left))) {
		*end = '\0';
		ret = take_line(p, cal, packet, line);
		*left -= (size_t)(end + 1 - line);
		line = end + 1;
	}
	memmove(text, line, *left);
	return ret;
}

static int drain(struct calprobes *p, struct cal *cal, size_t packet, struct error *err)
{
	size_t left = 0;
	ssize_t got;
	int ret;

	for (;;) {
		got = read(p->pipe, p->text + left, READ_BYTES - left);
		if (got < 0 && errno == EINTR)
			continue;
		if (!got || (got < 0 && errno == EAGAIN))
			return 0;
		if (got < 0)
			return error_errno(err, errno, "cannot read trace_pipe of %s", p->instance);
		left += (size_t)got;
		ret = take_lines(p, cal, packet, p->text, &left);
		if (ret)
			return error_errno(err, -ret, "calibration");
		if (left == READ_BYTES)
			left = 0; /* no line of ours */
	}
}

/* Whether a record of CAL_RX is still missing. */
static bool lacks_rx(const struct calprobes *p)
{
	size_t i;

	for (i = 0; i < p->nr_events; i++)
		if (p->events[i].hook == CAL_RX && !p->events[i].calls)
			return true;
	return false;
}

int calprobes_take(struct calprobes *p, struct cal *cal, size_t packet, bool wait_rx,
		   struct error *err)
{
	const struct timespec pause = { 0, RX_PAUSE_NS };
	int tries = 0;
	size_t i;
	int ret;

	for (i = 0; i < p->nr_events; i++)
		p->events[i].calls = 0;
	do {
		if (tries)
			nanosleep(&pause, NULL);
		ret = drain(p, cal, packet, err);
	} while (!ret && wait_rx && lacks_rx(p) && tries++ < RX_TRIES);
	return ret;
}
