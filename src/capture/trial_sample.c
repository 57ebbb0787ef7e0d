// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that shall not be disturbed: its sockets looked at now and then, its system calls from
 * tracepoints. See trial_priv.h.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/trial_priv.h"

#define SAMPLES_MAX 65536
#define FDS_MAX 65536
#define NEAR_NS (500 * NSEC_PER_MSEC) /* a sample taken so long after a call still tells of it */
#define THREADS_MAX 1024
#define US 1000

void trial_samples_free(struct trial_samples *s)
{
	free(s->sample);
	memset(s, 0, sizeof(*s));
}

static int add_sample(struct trial_samples *s, int fd, const struct trial_truth *truth, u64 now)
{
	struct trial_sample *more;
	size_t i, cap;

	for (i = s->nr; i-- > 0;) {
		if (s->sample[i].fd != fd)
			continue;
		if (memcmp(&s->sample[i].truth, truth, sizeof(*truth)))
			break;
		s->sample[i].last_ns = now;
		return 0;
	}
	if (s->nr == SAMPLES_MAX)
		return 0;
	if (s->nr == s->cap) {
		cap = s->cap ? s->cap * 2 : 64;
		more = realloc(s->sample, cap * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->sample = more;
		s->cap = cap;
	}
	s->sample[s->nr++] = (struct trial_sample){ fd, now, now, *truth };
	return 0;
}

static bool is_socket(DIR *dir, const char *name)
{
	char target[64];
	ssize_t len = readlinkat(dirfd(dir), name, target, sizeof(target));

	return len > 7 && !strncmp(target, "socket:", 7);
}

int trial_sample(struct trial_samples *s, int pidfd, s32 pid)
{
	struct trial_truth truth;
	struct dirent *entry;
	char path[64], *end;
	int ret = 0;
	long fd;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -ESRCH;
	while (!ret && (entry = readdir(dir))) {
		fd = strtol(entry->d_name, &end, 10);
		if (end == entry->d_name || *end || fd > FDS_MAX || !is_socket(dir, entry->d_name))
			continue;
		trial_ask(pidfd, (int)fd, &truth);
		if (truth.family)
			ret = add_sample(s, (int)fd, &truth, now_ns());
	}
	closedir(dir);
	return ret;
}

/* What the descriptor was when the call ended, or what was seen there soon after. */
static void find_truth(const struct trial_samples *s, struct trial_call *call)
{
	const struct trial_sample *best = NULL, *one;
	size_t i;

	for (i = 0; i < s->nr; i++) {
		one = &s->sample[i];
		if (one->fd != call->fd || one->last_ns + NEAR_NS < call->begin_ns ||
		    one->first_ns > call->end_ns + NEAR_NS)
			continue;
		/* the descriptor was used for two sockets at about that time */
		if (best && memcmp(&best->truth, &one->truth, sizeof(one->truth)) &&
		    !(one->first_ns <= call->begin_ns && one->last_ns >= call->end_ns))
			return;
		best = one;
	}
	if (best)
		call->truth = best->truth;
}

/* "sys_sendto(fd: 3, ..." and "sys_sendto -> 0x10" */
static long parse_name(const struct trial_line *line)
{
	char name[32];
	size_t len = line->name_len;

	if (len <= 4 || len - 4 >= sizeof(name) || strncmp(line->name, "sys_", 4))
		return -1;
	memcpy(name, line->name + 4, len - 4);
	name[len - 4] = '\0';
	return trial_call_number(name);
}

static int take_exit(struct trial_call *open, const struct trial_line *line,
		     const struct trial_samples *samples, struct trial_calls *calls)
{
	const char *value = line->text + strspn(line->text, " ->");

	open->end_ns = line->ts_us * US + US;
	open->ret = (s64)strtoull(value, NULL, 0);
	if (open->kind == TRIAL_ACCEPT)
		open->fd = (s32)open->ret;
	find_truth(samples, open);
	if (!open->truth.family)
		return 0;
	return trial_calls_add(calls, open);
}

static struct trial_call *find_open(struct trial_call *open, size_t *nr, s32 tid)
{
	size_t i;

	for (i = 0; i < *nr; i++)
		if (open[i].tid == tid)
			return &open[i];
	if (*nr == THREADS_MAX)
		return NULL;
	memset(&open[*nr], 0, sizeof(*open));
	open[*nr].tid = tid;
	return &open[(*nr)++];
}

static void take_entry(struct trial_call *open, const struct trial_line *line, long number)
{
	const char *colon = memchr(line->text, ':', line->len);
	s32 tid = open->tid;

	memset(open, 0, sizeof(*open));
	open->tid = tid;
	if (!colon)
		return;
	open->nr = (u32)number;
	open->kind = trial_call_kind((u64)number, &open->one_message);
	open->begin_ns = line->ts_us * US;
	/* always hexadecimal (print_syscall_enter()) */
	open->fd = (s32)strtol(colon + 1, NULL, 16);
}

int trial_calls_from_text(const char *text, const struct trial_samples *samples,
			  struct trial_calls *calls)
{
	struct trial_call *open = calloc(THREADS_MAX, sizeof(*open)), *mine;
	struct trial_line line;
	size_t nr = 0;
	long number;
	int ret = 0;

	if (!open)
		return -ENOMEM;
	while (!ret && trial_next_line(&text, &line)) {
		number = parse_name(&line);
		mine = number < 0 ? NULL : find_open(open, &nr, line.tid);
		if (!mine)
			continue;
		if (*line.text == '(') {
			take_entry(mine, &line, number);
		} else if (mine->kind && mine->nr == (u32)number) {
			ret = take_exit(mine, &line, samples, calls);
			mine->kind = 0;
		}
	}
	free(open);
	return ret;
}
