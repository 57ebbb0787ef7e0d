// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See flows_sums.h, and capture/flowprobes.h for the two halves of a table.
 */
#include "cli/flows_sums.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "kernel/tracedir.h"

#define MAX_HIST_BYTES (32U << 20)
#define MAX_DOUBTS 16

void flows_sums_init(struct flows_sums *sums, const struct capture *c, struct flowhist *hist)
{
	memset(sums, 0, sizeof(*sums));
	sums->c = c;
	sums->hist = hist;
	/* without it tables fill up, which is told */
	sums->clock_known = hist && c->sums_half_ticks && !jiffies_read(&sums->clock);
}

void flows_sums_free(struct flows_sums *sums)
{
	strbuf_free(&sums->text);
}

/*
 * Which half rests, and which rest of the two's it is, from 1. A quarter at either end does not count, for the kernel's ticks may
 * be late, and so may be a call that has read them. Return: 0 when none rests for sure.
 */
static u64 resting(const struct flows_sums *sums, u8 *half)
{
	u64 jiffies = jiffies_now(&sums->clock), ticks = sums->c->sums_half_ticks;
	u64 within = jiffies & (ticks - 1);

	/* [0] counts while the bit is set */
	*half = jiffies & ticks ? 1 : 0;
	return within >= ticks / 4 && within < ticks - ticks / 4 ? jiffies / ticks + 1 : 0;
}

static int clear_table(struct flows_sums *sums, size_t which, u8 half, u64 rest)
{
	const struct capture *c = sums->c;
	const struct probes *p = &c->probes;
	char path[4096], order[160];
	const char *trigger = NULL;
	u8 still;
	size_t i;
	int n, ret;

	for (i = 0; i < p->nr; i++)
		if (!strcmp(p->probe[i].name, flowprobes_hists[which].name))
			trigger = p->probe[i].trigger[half];
	if (!trigger || !strstr(trigger, " if "))
		return 0;
	n = (int)(strstr(trigger, " if ") - trigger);
	snprintf(order, sizeof(order), "%.*s:clear%s", n, trigger, trigger + n);
	snprintf(path, sizeof(path), "%s/events/%s/%s/trigger", c->plan.instance_dir, c->plan.group,
		 flowprobes_hists[which].name);
	ret = tracedir_append(path, order);
	if (ret)
		return ret;
	sums->late += resting(sums, &still) != rest;
	flowhist_cleared(sums->hist, which, half);
	return 0;
}

static int read_table(struct flows_sums *sums, size_t which, u64 begin_ns)
{
	char path[4096];
	int ret;

	snprintf(path, sizeof(path), "%s/events/%s/%s/hist", sums->c->plan.instance_dir,
		 sums->c->plan.group, flowprobes_hists[which].name);
	sums->text.len = 0;
	ret = strbuf_read_file(&sums->text, path, MAX_HIST_BYTES);
	return ret ? ret :
		     flowhist_read(sums->hist, which, sums->text.data, sums->text.len, begin_ns);
}

static bool is_filling(const struct flows_sums *sums, size_t which, u8 half)
{
	return flowhist_table(sums->hist, which, half)->entries >= sums->c->sums_table / 4;
}

/*
 * A table that rests has nothing that is not known once it was read. The first one is read twice: if something was added, the clock
 * is not what it was taken for, and is read again.
 */
static int take_rest(struct flows_sums *sums, size_t which, u8 half, u64 rest)
{
	u64 hits = flowhist_table(sums->hist, which, half)->hits;
	int ret = 0;
	u8 still;

	if (!is_filling(sums, which, half))
		return 0;
	if (!sums->clock_proved)
		ret = read_table(sums, which, now_ns());
	if (ret || resting(sums, &still) != rest)
		return ret;
	sums->clock_proved = flowhist_table(sums->hist, which, half)->hits == hits;
	if (sums->clock_proved)
		return clear_table(sums, which, half, rest);
	sums->clock_known = ++sums->doubts < MAX_DOUBTS && !jiffies_read(&sums->clock);
	return 0;
}

/* Whether a table can be emptied now that should be, as far as is known: it may have been read long ago. */
static bool is_urgent(const struct flows_sums *sums, u8 half, u64 ago_ns)
{
	size_t i;

	if (ago_ns >= sums->c->sums_half_ticks * sums->clock.tick_ns)
		return true;
	for (i = 0; i < FLOWPROBES_HISTS; i++)
		if (is_filling(sums, i, half))
			return true;
	return false;
}

int flows_sums_read(struct flows_sums *sums, bool now)
{
	u64 begin_ns = now_ns(), ago_ns = begin_ns - sums->read_ns, rest = 0;
	u8 half = 0;
	size_t i;
	int ret = 0;

	if (!sums->hist)
		return 0;
	if (sums->clock_known)
		rest = resting(sums, &half);
	/* tables may have 32,768 lines: they are never read for more than a twentieth of the time, but for that */
	if (!now && ago_ns < 20 * sums->took_ns &&
	    (!rest || rest == sums->rest || !is_urgent(sums, half, ago_ns)))
		return 0;
	for (i = 0; i < FLOWPROBES_HISTS && !ret; i++) {
		ret = read_table(sums, i, begin_ns);
		if (!ret && rest && sums->clock_known)
			ret = take_rest(sums, i, half, rest);
	}
	sums->rest = rest ? rest : sums->rest;
	sums->read_ns = begin_ns;
	sums->took_ns = now_ns() - begin_ns;
	return ret;
}
