// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of a trial held against the truth: see trial_priv.h.
 *
 * A record belongs to the system call of its thread in whose time it falls; the text has microseconds. Only what
 * the thread did itself counts: an interrupt on top of it works for others.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/trial_priv.h"

#define US 1000

/* ---- lines */

/* "-123     [001] d..1.    12.345678: " somewhere in a line; a command's name may hold anything before it. */
static bool parse_head(const char *at, const char *end, struct trial_line *line)
{
	unsigned long long sec;
	char *after, *next;

	line->tid = (s32)strtol(at + 1, &after, 10);
	if (after == at + 1)
		return false;
	at = after + strspn(after, " ");
	if (at == after || *at != '[')
		return false;
	at += strspn(at, "[0123456789");
	if (*at != ']' || at[1] != ' ')
		return false;
	at += 1 + strspn(at + 1, " ");
	if (end - at < 5)
		return false;
	line->irq = strchr("hHsZz", at[2]) && at[2];
	at += strcspn(at, " ");
	at += strspn(at, " ");
	if (at >= end || !isdigit((unsigned char)*at))
		return false;
	sec = strtoull(at, &after, 10);
	if (*after != '.')
		return false;
	line->ts_us = sec * 1000000 + strtoull(after + 1, &next, 10);
	if (next != after + 7 || next[0] != ':' || next[1] != ' ')
		return false;
	line->name = next + 2;
	return true;
}

static bool parse_line(const char *at, const char *end, struct trial_line *line)
{
	const char *dash;

	for (dash = at; (dash = memchr(dash, '-', (size_t)(end - dash))); dash++) {
		if (!parse_head(dash, end, line) || line->name > end)
			continue;
		line->name_len = strcspn(line->name, ":( \n");
		line->text = line->name + line->name_len;
		if (line->text > end)
			return false;
		line->len = (size_t)(end - line->text);
		return true;
	}
	return false;
}

bool trial_next_line(const char **text, struct trial_line *line)
{
	const char *at, *end;

	while (**text) {
		at = *text;
		end = at + strcspn(at, "\n");
		*text = end + (*end == '\n');
		if (*at != '#' && parse_line(at, end, line))
			return true;
	}
	return false;
}

/* "# entries-in-buffer/entries-written: 5/9   #P:2" */
u64 trial_lost(const char *text)
{
	const char *at = strstr(text, "entries-written: ");
	u64 in, written;
	char *end;

	if (!at)
		return 0;
	in = strtoull(at + strlen("entries-written: "), &end, 10);
	if (*end != '/')
		return 0;
	written = strtoull(end + 1, NULL, 10);
	return written > in ? written - in : 0;
}

/* ---- values */

/* What follows " KEY=" in a line; NULL when it is not there. */
static const char *value_of(const struct trial_line *line, const char *key)
{
	const char *at = line->text, *end = line->text + line->len;
	size_t len = strlen(key);

	while ((at = memchr(at, ' ', (size_t)(end - at)))) {
		at++;
		if ((size_t)(end - at) > len && !strncmp(at, key, len) && at[len] == '=')
			return at + len + 1;
	}
	return NULL;
}

static bool number_of(const struct trial_line *line, const char *key, s64 *value)
{
	const char *at = value_of(line, key);
	char *end;

	if (!at)
		return false;
	*value = strtoll(at, &end, 0);
	return end > at;
}

/* "{127,0,0,1}", "{0x0,0x1,...}" */
static bool bytes_of(const struct trial_line *line, const char *key, u8 *bytes, size_t nr)
{
	const char *at = value_of(line, key);
	char *end;
	size_t i;

	if (!at || *at != '{')
		return false;
	for (i = 0; i < nr; i++) {
		bytes[i] = (u8)strtoul(at + 1, &end, 0);
		if (end == at + 1 || *end != (i + 1 < nr ? ',' : '}'))
			return false;
		at = end;
	}
	return true;
}

/* The end of a socket as a record tells it. */
static bool read_end(const struct trial_line *line, bool local, struct trial_end *end)
{
	s64 family, port, low = 0;
	bool has;

	memset(end, 0, sizeof(*end));
	has = number_of(line, "family", &family);
	if (local)
		has = has && number_of(line, "lport", &port);
	else
		has = has && number_of(line, "rport1", &port) && number_of(line, "rport2", &low);
	if (!has)
		return false;
	end->family = (u16)family;
	end->port = (u16)(local ? port : port << 8 | low);
	if (family == AF_INET)
		return bytes_of(line, local ? "laddr" : "raddr", end->addr, 4);
	if (family == AF_INET6)
		return bytes_of(line, local ? "laddr6" : "raddr6", end->addr, 16);
	return true;
}

static void put_end(char *out, size_t size, const struct trial_end *end)
{
	char addr[INET6_ADDRSTRLEN] = "?";

	if (end->family == AF_INET || end->family == AF_INET6)
		inet_ntop(end->family, end->addr, addr, sizeof(addr));
	snprintf(out, size, end->family == AF_INET6 ? "[%s]:%u" : "%s:%u", addr, end->port);
	if (end->family != AF_INET && end->family != AF_INET6)
		snprintf(out, size, "family %u", end->family);
}

/* ---- judging */

enum verdict { RIGHT, WRONG, NOT_JUDGED };

static enum verdict judge_end(struct trial_def *def, const struct trial_line *line,
			      const struct trial_end *truth, bool local)
{
	struct trial_end got;

	if (!truth->family || !truth->port)
		return NOT_JUDGED;
	if (!read_end(line, local, &got))
		memset(&got, 0, sizeof(got));
	if (got.family == truth->family && got.port == truth->port &&
	    !memcmp(got.addr, truth->addr, sizeof(got.addr)))
		return RIGHT;
	if (!def->wrong) {
		put_end(def->got, sizeof(def->got), &got);
		put_end(def->truth, sizeof(def->truth), truth);
	}
	return WRONG;
}

static enum verdict judge_bytes(struct trial_def *def, const struct trial_line *line,
				const struct trial_call *call)
{
	s64 got = -1;

	if (!call->one_message || call->ret < 0)
		return NOT_JUDGED;
	if (number_of(line, "bytes", &got) && got == call->ret)
		return RIGHT;
	if (!def->wrong) {
		snprintf(def->got, sizeof(def->got), "%lld", (long long)got);
		snprintf(def->truth, sizeof(def->truth), "%lld", (long long)call->ret);
	}
	return WRONG;
}

static enum verdict judge(struct trial_def *def, const struct trial_line *line,
			  const struct trial_call *call)
{
	enum verdict verdict = NOT_JUDGED, one;

	if (def->judge & FETCH_BYTES)
		return judge_bytes(def, line, call);
	if (def->judge & FETCH_LOCAL)
		verdict = judge_end(def, line, &call->truth.local, true);
	if (verdict != WRONG && def->judge & FETCH_REMOTE) {
		one = judge_end(def, line, &call->truth.remote, false);
		/* half of a truth is none */
		if (one == WRONG || one == NOT_JUDGED || !(def->judge & FETCH_LOCAL))
			verdict = one;
	}
	return verdict;
}

static bool is_about(const struct trial_def *def, const struct trial_call *call)
{
	return call && call->kind & def->calls &&
	       (!def->family || def->family == call->truth.family) &&
	       (!def->protocol || def->protocol == call->truth.protocol);
}

static int compare_calls(const void *x, const void *y)
{
	const struct trial_call *a = x, *b = y;

	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return a->begin_ns < b->begin_ns ? -1 : a->begin_ns > b->begin_ns;
}

void trial_calls_sort(struct trial_calls *calls)
{
	if (calls->nr)
		qsort(calls->call, calls->nr, sizeof(*calls->call), compare_calls);
}

/* The last call of the thread that began before, if it had not ended. */
static const struct trial_call *find_call(const struct trial_calls *calls,
					  const struct trial_line *line)
{
	size_t low = 0, high = calls->nr, middle;
	const struct trial_call *c;

	while (low < high) {
		middle = low + (high - low) / 2;
		c = &calls->call[middle];
		if (c->tid < line->tid || (c->tid == line->tid && c->begin_ns / US <= line->ts_us))
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	c = &calls->call[low - 1];
	return c->tid == line->tid && c->end_ns / US >= line->ts_us ? c : NULL;
}

static void count(struct trial_def *def, const struct trial_line *line,
		  const struct trial_call *call)
{
	if (line->irq || !is_about(def, call)) {
		def->elsewhere++;
		return;
	}
	switch (judge(def, line, call)) {
	case RIGHT:
		def->right++;
		break;
	case WRONG:
		def->wrong++;
		break;
	default:
		def->unjudged++;
	}
}

void trial_judge(const char *text, const struct trial_calls *calls, struct trial_def *defs,
		 const size_t *event, size_t nr, struct trial_result *result)
{
	const struct trial_call *call;
	struct trial_line line;
	size_t i, number;
	char *end;

	result->lost = trial_lost(text);
	while (trial_next_line(&text, &line)) {
		if (line.name_len < 2 || *line.name != 'e')
			continue;
		number = strtoul(line.name + 1, &end, 10);
		if (end != line.text)
			continue;
		result->records++;
		call = find_call(calls, &line);
		for (i = 0; i < nr; i++)
			if (event[i] == number && !defs[i].refused)
				count(&defs[i], &line, call);
	}
}
