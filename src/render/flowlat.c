// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See flowlat.h. Bounds of a histogram are powers of two of nanoseconds, told to three digits.
 */
#include "render/flowlat.h"

#include <errno.h>

#include "render/flows.h"
#include "render/fmt.h"
#include "render/json_util.h"

#define BAR 40U

static const char stars_of_a_bar[] = "****************************************";

static const struct {
	const char *name, *words, *one;
} kinds[FLOWLAT_KINDS] = {
	[FLOWLAT_SEND] = { "send", "send call to first device", "call" },
	[FLOWLAT_QUEUE] = { "queue", "device to socket's queue", "wake-up" },
	[FLOWLAT_READ] = { "read", "device to return of the call that read it", "call" },
};

static u64 lower_ns(u32 bucket)
{
	return bucket ? 1ULL << bucket : 0;
}

static void put_bucket(struct strbuf *sb, u32 i, u32 count, u32 most)
{
	u32 stars = (u32)((u64)count * BAR / most);

	strbuf_puts(sb, "    ");
	fmt_duration(sb, lower_ns(i), false, true);
	strbuf_puts(sb, " - ");
	if (i + 1 < FLOWLAT_BUCKETS)
		fmt_duration(sb, lower_ns(i + 1), false, true);
	else
		strbuf_printf(sb, "%*s", FMT_DURATION_WIDTH, "");
	strbuf_printf(sb, " %8u |%.*s%*s|\n", count, (int)stars, stars_of_a_bar, (int)(BAR - stars),
		      "");
}

static void put_hist(struct strbuf *sb, const struct flow_hist *h)
{
	u32 i, first = FLOWLAT_BUCKETS, last = 0, most = 0;

	for (i = 0; i < FLOWLAT_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		first = first < i ? first : i;
		last = i;
		most = h->bucket[i] > most ? h->bucket[i] : most;
	}
	for (i = first; i <= last; i++)
		put_bucket(sb, i, h->bucket[i], most);
}

static void put_duration(struct strbuf *sb, const char *word, u64 ns)
{
	strbuf_puts(sb, word);
	fmt_duration(sb, ns, false, false);
}

static void put_kind(struct strbuf *sb, const struct flow_latency *l, enum flowlat_kind kind)
{
	const struct flow_hist *h = &l->hist[kind];

	if (!h->count && !l->unjoined[kind])
		return;
	strbuf_printf(sb, "  %s: %llu %s%s", kinds[kind].words, (unsigned long long)h->count,
		      kinds[kind].one, h->count == 1 ? "" : "s");
	if (l->unjoined[kind])
		strbuf_printf(sb, ", %u not measured", l->unjoined[kind]);
	if (h->count) {
		put_duration(sb, "; least ", h->min_ns);
		put_duration(sb, ", mean ", h->sum_ns / h->count);
		put_duration(sb, ", most ", h->max_ns);
	}
	strbuf_putc(sb, '\n');
	put_hist(sb, h);
}

int render_flow_latency(struct strbuf *sb, const struct flow_row *row)
{
	enum flowlat_kind kind;

	strbuf_printf(sb, "#%llu ", (unsigned long long)row->flow->number);
	render_flows_cell(sb, row, FLOWS_COL_PROTO, FLOWS_BY_SOCKET, 0, 0);
	strbuf_putc(sb, ' ');
	render_flows_cell(sb, row, FLOWS_COL_LOCAL, FLOWS_BY_SOCKET, 0, 0);
	strbuf_putc(sb, ' ');
	render_flows_cell(sb, row, FLOWS_COL_REMOTE, FLOWS_BY_SOCKET, 0, 0);
	strbuf_putc(sb, '\n');
	for (kind = 0; kind < FLOWLAT_KINDS; kind++)
		put_kind(sb, row->latency, kind);
	return sb->failed ? -ENOMEM : 0;
}

static struct json_object *buckets_json(const struct flow_hist *h)
{
	struct json_object *array = json_object_new_array(), *obj;
	u32 i;

	for (i = 0; array && i < FLOWLAT_BUCKETS; i++) {
		if (!h->bucket[i])
			continue;
		obj = json_object_new_object();
		json_add_u64(obj, "from_ns", lower_ns(i));
		json_add_u64(obj, "count", h->bucket[i]);
		json_object_array_add(array, obj);
	}
	return array;
}

struct json_object *render_flow_latency_json(const struct flow_latency *latency)
{
	struct json_object *all = json_object_new_object(), *obj;
	const struct flow_hist *h;
	enum flowlat_kind kind;

	for (kind = 0; all && kind < FLOWLAT_KINDS; kind++) {
		h = &latency->hist[kind];
		obj = json_object_new_object();
		json_add_u64(obj, "count", h->count);
		json_add_u64(obj, "unjoined", latency->unjoined[kind]);
		if (h->count) {
			json_add_u64(obj, "sum_ns", h->sum_ns);
			json_add_u64(obj, "min_ns", h->min_ns);
			json_add_u64(obj, "max_ns", h->max_ns);
			json_object_object_add(obj, "buckets", buckets_json(h));
		}
		json_object_object_add(all, kinds[kind].name, obj);
	}
	return all;
}
