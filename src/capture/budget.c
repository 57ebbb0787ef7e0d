// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The choice of --budget: see budget.h.
 *
 * What a share rests on is kept apart by kind: a tracepoint's record is copied from a few variables, a probe's
 * is fetched member by member and holds the packet's headers.
 */
#include "capture/budget.h"

/*
 * Events that a packet passes once when one process sends it to another one on the machine over one device:
 * udp_sendmsg() to skb_consume_udp(). Those that only some kernels reach so (netif_rx_entry, consume_skb) are
 * not among them. Of pairs that exclude each other (ip_rcv, ipv6_rcv) one is here. A
 * function and its return are one name each.
 */
static const char *const passed[] = {
	"__alloc_skb_ret",
	"skb_release_head_state",
	"net_dev_queue",
	"net_dev_start_xmit",
	"net_dev_xmit",
	"netif_rx",
	"netif_receive_skb",
	"skb_copy_datagram_iovec",
	/* where event probes cannot carry the headers, and with all functions */
	"__dev_queue_xmit",
	"dev_hard_start_xmit",
	"netif_rx_internal",
	"__netif_receive_skb_core",
	"ip_output",
	"ip_rcv",
	"ip_local_deliver",
	"udp_rcv",
	"__ip_local_out",
	"ip_finish_output2",
	"ip_rcv_finish",
	"ip_local_deliver_finish",
	"ip_protocol_deliver_rcu",
	"ip_route_input_noref",
	"loopback_xmit",
	"enqueue_to_backlog",
	"udp_queue_rcv_skb",
	"skb_consume_udp",
};

void budget_count(const struct plan *plan, struct budget_records *records)
{
	size_t group = strlen(plan->group), i, k;
	const char *event, *name;
	bool probe;

	records->tracepoint = records->probe = 0;
	for (i = 0; i < plan->event_count; i++) {
		event = plan->events[i];
		name = strchr(event, ':');
		if (!name)
			continue;
		probe = (size_t)(name - event) == group && !strncmp(event, plan->group, group);
		for (k = 0; k < ARRAY_SIZE(passed); k++)
			if (!strcmp(name + 1, passed[k]))
				*(probe ? &records->probe : &records->tracepoint) += 1;
	}
}

u64 budget_share_ppm(const struct budget *b, u8 level)
{
	u64 ns =
		b->level[level].tracepoint * b->tracepoint_ns + b->level[level].probe * b->probe_ns;

	/* ns of a CPU's second, in millionths of it; rounded up, for 0 would mean that it is free */
	return (b->packets_per_s * ns + 999) / 1000;
}

u8 budget_choose(const struct budget *b)
{
	u8 level = b->most;

	do {
		if (b->level[level].possible && budget_share_ppm(b, level) <= b->allowed_ppm)
			return level;
	} while (level-- > BUDGET_T0);
	return BUDGET_NONE;
}

const char *budget_level_name(u8 level)
{
	static const char *const names[] = {
		[BUDGET_T0] = "tracepoints only", [BUDGET_MINIMAL] = "minimal",
		[BUDGET_DEFAULT] = "default",	  [BUDGET_FULL] = "full",
		[BUDGET_NONE] = "none",
	};

	return names[level];
}

void budget_put_percent(struct strbuf *sb, u64 ppm)
{
	if (ppm >= 100 * BUDGET_PPM_PER_PERCENT)
		strbuf_printf(sb, "%llu %%",
			      (unsigned long long)((ppm + BUDGET_PPM_PER_PERCENT - 1) /
						   BUDGET_PPM_PER_PERCENT));
	else if (ppm >= BUDGET_PPM_PER_PERCENT)
		strbuf_printf(sb, "%.3g %%", (double)ppm / BUDGET_PPM_PER_PERCENT);
	else
		strbuf_printf(sb, "%.2g %%", (double)ppm / BUDGET_PPM_PER_PERCENT);
}

void budget_explain(struct strbuf *sb, const struct budget *b)
{
	const char *before = "; estimated shares of its time: ";
	u8 level = b->most;

	strbuf_printf(sb, "%llu packets/s on the busiest CPU",
		      (unsigned long long)b->packets_per_s);
	do {
		if (!b->level[level].possible)
			continue;
		strbuf_printf(sb, "%s%s ", before, budget_level_name(level));
		budget_put_percent(sb, budget_share_ppm(b, level));
		strbuf_printf(sb, " (%u records a packet)",
			      b->level[level].tracepoint + b->level[level].probe);
		before = ", ";
	} while (level-- > BUDGET_T0);
	strbuf_printf(sb, "; measured here: %llu ns a tracepoint's record",
		      (unsigned long long)b->tracepoint_ns);
	if (b->probe_ns)
		strbuf_printf(sb, ", %llu ns a probe's", (unsigned long long)b->probe_ns);
}
