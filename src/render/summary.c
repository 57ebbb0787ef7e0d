// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rates, losses and cost, as text and as JSON.
 *
 * A number is there when it was counted or follows from what was measured. What was not says so: a cost
 * that nobody measured is no 0.
 */
#include "render/summary.h"

#include <errno.h>
#include <stdio.h>

#include "render/fmt.h"
#include "render/json_util.h"
#include "render/tap.h"

static u64 per_second(u64 count, u64 time_ns)
{
	double rate = (double)count * (double)NSEC_PER_SEC / (double)time_ns + 0.5;

	/* what a damaged recording says may be more than a number holds */
	return rate < 1e19 ? (u64)rate : (u64)1e19;
}

/* Of packets whose records were all lost nobody knows, so lost records are left out on both sides. */
static u64 packet_ns(const struct summary *s)
{
	return s->records * cost_record_ns(&s->cost) / s->packets;
}

u64 summary_cost_ns(const struct summary *s)
{
	return (s->records + s->lost) * cost_record_ns(&s->cost);
}

/* "34.5 kB": three digits at least, powers of 1,000. */
static void put_bytes(struct strbuf *sb, u64 bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 999.5 && i + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		i++;
	}
	strbuf_printf(sb, i ? "%.3g %s" : "%.0f %s", value, units[i]);
}

static void put_rates(struct strbuf *sb, const struct summary *s, bool utf8)
{
	strbuf_printf(sb, "skbtrail: %llu record%s", (unsigned long long)s->records,
		      s->records == 1 ? "" : "s");
	strbuf_puts(sb, ", ");
	put_bytes(sb, s->bytes);
	if (s->time_ns) {
		strbuf_puts(sb, " in ");
		fmt_duration(sb, s->time_ns, utf8, false);
		strbuf_printf(sb, ": %llu records/s, ",
			      (unsigned long long)per_second(s->records, s->time_ns));
		put_bytes(sb, per_second(s->bytes, s->time_ns));
		strbuf_puts(sb, "/s");
	}
	strbuf_printf(sb, "; %llu records lost", (unsigned long long)s->lost);
	if (s->lost_uncounted)
		strbuf_printf(sb, ", and %llu times uncounted ones",
			      (unsigned long long)s->lost_uncounted);
	strbuf_putc(sb, '\n');
}

static void put_cpu_share(struct strbuf *sb, u64 cpu_ns, u64 time_ns)
{
	if (time_ns)
		strbuf_printf(sb, ", %.2g %% of one CPU", 100.0 * (double)cpu_ns / (double)time_ns);
}

/* What the estimate rests on. */
static void put_measured(struct strbuf *sb, const struct cost *cost, bool utf8)
{
	strbuf_puts(sb,
		    "skbtrail: measured before it began, on UDP packets over a loopback device: ");
	fmt_duration(sb, cost->off_ns / cost->packets, utf8, false);
	strbuf_puts(sb, " a packet without tracing, ");
	fmt_duration(sb, cost->on_ns / cost->packets, utf8, false);
	strbuf_printf(sb, " with it and its %.3g records\n",
		      (double)cost->records / (double)cost->packets);
}

static void put_cost(struct strbuf *sb, const struct summary *s, bool utf8)
{
	u64 cost_ns = summary_cost_ns(s);

	if (!cost_known(&s->cost)) {
		/* of a recording the words may be a stranger's */
		strbuf_puts(sb, "skbtrail: cost per packet: not measured");
		strbuf_puts(sb, s->cost.why[0] ? ": " : "");
		strbuf_put_escaped(sb, s->cost.why, strlen(s->cost.why));
		strbuf_putc(sb, '\n');
		return;
	}
	if (!s->cost.records) {
		strbuf_puts(sb, "skbtrail: estimated cost of a packet that leaves no record: ");
		fmt_duration(sb, cost_batch_ns(&s->cost) / s->cost.packets, utf8, false);
		strbuf_puts(sb, "; of others: not measured\n");
	} else if (s->packets) {
		strbuf_puts(sb, "skbtrail: estimated cost: ");
		fmt_duration(sb, packet_ns(s), utf8, false);
		strbuf_printf(sb, " of CPU time per packet (%.3g records, %llu ns each)",
			      (double)s->records / (double)s->packets,
			      (unsigned long long)cost_record_ns(&s->cost));
		put_cpu_share(sb, cost_ns, s->time_ns);
		strbuf_putc(sb, '\n');
	} else {
		strbuf_printf(sb, "skbtrail: estimated cost: %llu ns of CPU time per record",
			      (unsigned long long)cost_record_ns(&s->cost));
		put_cpu_share(sb, cost_ns, s->time_ns);
		strbuf_putc(sb, '\n');
	}
	put_measured(sb, &s->cost, utf8);
}

void render_summary_text(struct strbuf *sb, const struct summary *s, bool utf8)
{
	put_rates(sb, s, utf8);
	put_cost(sb, s, utf8);
	if (!s->own_cpu_ns)
		return;
	strbuf_puts(sb, "skbtrail: own CPU time, besides: ");
	fmt_duration(sb, s->own_cpu_ns, utf8, false);
	put_cpu_share(sb, s->own_cpu_ns, s->time_ns);
	strbuf_putc(sb, '\n');
}

static void add_percent(struct json_object *obj, const char *key, u64 part, u64 whole)
{
	double percent = 100.0 * (double)part / (double)whole;
	char text[32];

	snprintf(text, sizeof(text), "%.4g", percent);
	json_object_object_add(obj, key, json_object_new_double_s(percent, text));
}

static struct json_object *cost_json(const struct summary *s)
{
	struct json_object *obj = json_object_new_object(), *timed;
	const struct cost *cost = &s->cost;

	if (!cost_known(cost)) {
		if (cost->why[0])
			json_add_text(obj, "not_measured", cost->why, strlen(cost->why));
		else
			json_add_word(obj, "not_measured", "not recorded");
		return obj;
	}
	if (cost->records) {
		json_add_u64(obj, "record_ns", cost_record_ns(cost));
		if (s->packets)
			json_add_u64(obj, "packet_ns", packet_ns(s));
		if (s->time_ns)
			add_percent(obj, "cpu_percent", summary_cost_ns(s), s->time_ns);
	} else {
		json_add_u64(obj, "unrecorded_packet_ns", cost_batch_ns(cost) / cost->packets);
	}
	timed = json_object_new_object();
	json_add_u64(timed, "packets", cost->packets);
	json_add_u64(timed, "records", cost->records);
	json_add_u64(timed, "off_ns", cost->off_ns);
	json_add_u64(timed, "on_ns", cost->on_ns);
	json_object_object_add(obj, "measured", timed);
	return obj;
}

int render_summary_json(struct strbuf *sb, const struct summary *s)
{
	struct json_object *line = json_object_new_object(), *obj = json_object_new_object();

	if (!line || !obj) {
		json_object_put(line);
		json_object_put(obj);
		return -ENOMEM;
	}
	json_add_u64(obj, "packets", s->packets);
	json_add_u64(obj, "records", s->records);
	json_add_u64(obj, "bytes", s->bytes);
	json_add_u64(obj, "lost", s->lost);
	if (s->lost_uncounted)
		json_add_u64(obj, "lost_uncounted", s->lost_uncounted);
	if (s->time_ns) {
		json_add_u64(obj, "time_ns", s->time_ns);
		json_add_u64(obj, "records_per_s", per_second(s->records, s->time_ns));
		json_add_u64(obj, "bytes_per_s", per_second(s->bytes, s->time_ns));
	}
	json_object_object_add(obj, "cost", cost_json(s));
	if (s->own_cpu_ns)
		json_add_u64(obj, "own_cpu_ns", s->own_cpu_ns);
	if (s->tap)
		json_object_object_add(obj, "tap", tap_json(s->tap, s->paths));
	json_object_object_add(line, "summary", obj);
	return json_put_line(sb, line);
}
