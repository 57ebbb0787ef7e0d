// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Table of probe events: see probe_names.h. Adding a probe is adding a row.
 */
#include "decode/probe_names.h"

#include <string.h>

const struct probe_name probe_names[] = {
	/* Tracepoints. At netif_rx and behind it the link header has been passed. */
	{ "net_dev_queue", EVENT_QUEUE, LAYER_NONE, AT_LINK, RETURNS_NOTHING },
	{ "net_dev_start_xmit", EVENT_START_XMIT, LAYER_NONE, AT_LINK, RETURNS_NOTHING },
	{ "netif_rx", EVENT_RX, LAYER_NONE, AT_NETWORK, RETURNS_NOTHING },
	{ "netif_receive_skb", EVENT_RECEIVE, LAYER_NONE, AT_NETWORK, RETURNS_NOTHING },
	{ "napi_gro_receive_entry", EVENT_GRO, LAYER_NONE, AT_NETWORK, RETURNS_NOTHING },
	/* There the network header may still lie in a fragment: only offsets count. */
	{ "napi_gro_frags_entry", EVENT_GRO, LAYER_NONE, AT_UNKNOWN, RETURNS_NOTHING },
	/* Devices. */
	{ "__dev_queue_xmit", EVENT_HEADERS, LAYER_OTHER, AT_LINK, RETURNS_NOTHING },
	{ "dev_hard_start_xmit", EVENT_HEADERS, LAYER_OTHER, AT_LINK, RETURNS_NOTHING },
	{ "netif_rx_internal", EVENT_HEADERS, LAYER_OTHER, AT_NETWORK, RETURNS_NOTHING },
	{ "__netif_receive_skb_core", EVENT_HEADERS, LAYER_OTHER, AT_NETWORK, RETURNS_NOTHING },
	/* Netfilter. Of hooks on devices' egress, data is the link header: offsets come first. */
	{ "nf_hook_slow", EVENT_HOOK, LAYER_HOOK, AT_NETWORK, RETURNS_HOOKS },
	{ "ipt_do_table", EVENT_TABLE, LAYER_TABLE, AT_NETWORK, RETURNS_VERDICT },
	{ "ip6t_do_table", EVENT_TABLE, LAYER_TABLE, AT_NETWORK, RETURNS_VERDICT },
	{ "arpt_do_table", EVENT_TABLE, LAYER_TABLE, AT_NETWORK, RETURNS_VERDICT },
	{ "nft_do_chain", EVENT_TABLE, LAYER_TABLE, AT_NETWORK, RETURNS_VERDICT },
	/* Bridge: between its functions the link header is passed, too. */
	{ "br_handle_frame", EVENT_LAYER, LAYER_BRIDGE, AT_NETWORK, RETURNS_NOTHING },
	{ "br_handle_frame_finish", EVENT_LAYER, LAYER_BRIDGE, AT_NETWORK, RETURNS_NOTHING },
	{ "br_forward", EVENT_LAYER, LAYER_BRIDGE, AT_NETWORK, RETURNS_NOTHING },
	{ "br_flood", EVENT_LAYER, LAYER_BRIDGE, AT_NETWORK, RETURNS_NOTHING },
	{ "br_dev_xmit", EVENT_LAYER, LAYER_BRIDGE, AT_LINK, RETURNS_NOTHING },
	/* IP. */
	{ "arp_rcv", EVENT_LAYER, LAYER_IP_IN, AT_NETWORK, RETURNS_NOTHING },
	{ "ip_rcv", EVENT_LAYER, LAYER_IP_IN, AT_NETWORK, RETURNS_NOTHING },
	{ "ip_rcv_core", EVENT_LAYER, LAYER_IP_IN, AT_NETWORK, RETURNS_SKB },
	{ "ipv6_rcv", EVENT_LAYER, LAYER_IP_IN, AT_NETWORK, RETURNS_NOTHING },
	{ "ip6_rcv_core", EVENT_LAYER, LAYER_IP_IN, AT_NETWORK, RETURNS_SKB },
	{ "ip_local_deliver", EVENT_LAYER, LAYER_LOCAL_IN, AT_NETWORK, RETURNS_NOTHING },
	{ "ip6_input", EVENT_LAYER, LAYER_LOCAL_IN, AT_NETWORK, RETURNS_NOTHING },
	{ "ip6_mc_input", EVENT_LAYER, LAYER_LOCAL_IN, AT_NETWORK, RETURNS_NOTHING },
	{ "ip_forward", EVENT_LAYER, LAYER_FORWARD, AT_NETWORK, RETURNS_NOTHING },
	{ "ip6_forward", EVENT_LAYER, LAYER_FORWARD, AT_NETWORK, RETURNS_NOTHING },
	{ "__ip_local_out", EVENT_LAYER, LAYER_IP_OUT, AT_NETWORK_NEW, RETURNS_NOTHING },
	{ "__ip6_local_out", EVENT_LAYER, LAYER_IP_OUT, AT_NETWORK, RETURNS_NOTHING },
	{ "ip_output", EVENT_LAYER, LAYER_IP_OUT, AT_NETWORK, RETURNS_NOTHING },
	{ "ip_mc_output", EVENT_LAYER, LAYER_IP_OUT, AT_NETWORK, RETURNS_NOTHING },
	{ "ip_finish_output2", EVENT_LAYER, LAYER_IP_OUT, AT_NETWORK, RETURNS_NOTHING },
	{ "ip6_output", EVENT_LAYER, LAYER_IP_OUT, AT_NETWORK, RETURNS_NOTHING },
	{ "ip6_finish_output2", EVENT_LAYER, LAYER_IP_OUT, AT_NETWORK, RETURNS_NOTHING },
	/* Fragments. */
	{ "ip_do_fragment", EVENT_CALL, LAYER_FRAGMENT, AT_NETWORK, RETURNS_NOTHING },
	{ "ip6_fragment", EVENT_CALL, LAYER_FRAGMENT, AT_NETWORK, RETURNS_NOTHING },
	{ "ip_defrag", EVENT_LAYER, LAYER_DEFRAG, AT_NETWORK, RETURNS_NOTHING },
	{ "ipv6_frag_rcv", EVENT_LAYER, LAYER_DEFRAG, AT_TRANSPORT, RETURNS_NOTHING },
	{ "nf_ct_frag6_gather", EVENT_LAYER, LAYER_DEFRAG, AT_NETWORK, RETURNS_NOTHING },
	/* Protocols above. */
	{ "tcp_v4_rcv", EVENT_LAYER, LAYER_L4_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "tcp_v6_rcv", EVENT_LAYER, LAYER_L4_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "udp_rcv", EVENT_LAYER, LAYER_L4_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "udpv6_rcv", EVENT_LAYER, LAYER_L4_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "icmp_rcv", EVENT_LAYER, LAYER_L4_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "icmpv6_rcv", EVENT_LAYER, LAYER_L4_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "igmp_rcv", EVENT_LAYER, LAYER_L4_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "tcp_queue_rcv", EVENT_LAYER, LAYER_L4_IN, AT_UNKNOWN, RETURNS_NOTHING },
	{ "udp_queue_rcv_skb", EVENT_LAYER, LAYER_L4_IN, AT_UNKNOWN, RETURNS_NOTHING },
	{ "udpv6_queue_rcv_skb", EVENT_LAYER, LAYER_L4_IN, AT_UNKNOWN, RETURNS_NOTHING },
	{ "raw_rcv", EVENT_LAYER, LAYER_OTHER, AT_TRANSPORT, RETURNS_NOTHING },
	{ "rawv6_rcv", EVENT_LAYER, LAYER_OTHER, AT_TRANSPORT, RETURNS_NOTHING },
	/* Tunnels. Receiving: data is what follows the outer network header. */
	{ "vxlan_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_LINK, RETURNS_NOTHING },
	{ "geneve_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_LINK, RETURNS_NOTHING },
	{ "ipgre_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_UNKNOWN, RETURNS_NOTHING },
	{ "gre_tap_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_LINK, RETURNS_NOTHING },
	{ "ipip_tunnel_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_NETWORK, RETURNS_NOTHING },
	{ "ip_tunnel_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ip6_tnl_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ip6gre_tunnel_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_UNKNOWN, RETURNS_NOTHING },
	{ "sit_tunnel_xmit", EVENT_LAYER, LAYER_TUNNEL_OUT, AT_UNKNOWN, RETURNS_NOTHING },
	{ "vxlan_rcv", EVENT_LAYER, LAYER_TUNNEL_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "geneve_udp_encap_recv", EVENT_LAYER, LAYER_TUNNEL_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "gre_rcv", EVENT_LAYER, LAYER_TUNNEL_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "ipip_rcv", EVENT_LAYER, LAYER_TUNNEL_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "ipip6_rcv", EVENT_LAYER, LAYER_TUNNEL_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "ip4ip6_rcv", EVENT_LAYER, LAYER_TUNNEL_IN, AT_TRANSPORT, RETURNS_NOTHING },
	{ "ip6ip6_rcv", EVENT_LAYER, LAYER_TUNNEL_IN, AT_TRANSPORT, RETURNS_NOTHING },
	/* Calls in which an skb is made because of another. */
	{ "__icmp_send", EVENT_CALL, LAYER_ERROR, AT_UNKNOWN, RETURNS_NOTHING },
	{ "icmp6_send", EVENT_CALL, LAYER_ERROR, AT_UNKNOWN, RETURNS_NOTHING },
	{ "tcp_v4_send_reset", EVENT_CALL, LAYER_RESET, AT_TRANSPORT, RETURNS_NOTHING },
	{ "tcp_v6_send_reset", EVENT_CALL, LAYER_RESET, AT_TRANSPORT, RETURNS_NOTHING },
	{ "icmp_reply", EVENT_CALL, LAYER_ANSWER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "icmp_echo", EVENT_CALL, LAYER_ANSWER, AT_TRANSPORT, RETURNS_NOTHING },
	{ "icmpv6_echo_reply", EVENT_CALL, LAYER_ANSWER, AT_TRANSPORT, RETURNS_NOTHING },
	{ "arp_process", EVENT_CALL, LAYER_ANSWER, AT_NETWORK, RETURNS_NOTHING },
	{ "ndisc_rcv", EVENT_CALL, LAYER_NDISC, AT_TRANSPORT, RETURNS_NOTHING },
	/* Births, copies and deaths: anywhere. */
	{ "__alloc_skb", EVENT_BIRTH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "__netdev_alloc_skb", EVENT_BIRTH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "__napi_alloc_skb", EVENT_BIRTH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "napi_alloc_skb", EVENT_BIRTH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "build_skb", EVENT_BIRTH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "__build_skb", EVENT_BIRTH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "napi_build_skb", EVENT_BIRTH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "slab_build_skb", EVENT_BIRTH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "skb_release_head_state", EVENT_DEATH, LAYER_NONE, AT_UNKNOWN, RETURNS_NOTHING },
	{ "kfree_skb", EVENT_DROP, LAYER_NONE, AT_UNKNOWN, RETURNS_NOTHING },
	{ "consume_skb", EVENT_CONSUME, LAYER_NONE, AT_UNKNOWN, RETURNS_NOTHING },
	{ "skb_copy_datagram_iovec", EVENT_COPY, LAYER_NONE, AT_UNKNOWN, RETURNS_NOTHING },
	{ "skb_gro_receive", EVENT_MERGE, LAYER_NONE, AT_UNKNOWN, RETURNS_NOTHING },
	{ "skb_gro_receive_list", EVENT_MERGE, LAYER_NONE, AT_UNKNOWN, RETURNS_NOTHING },
	{ "skb_morph", EVENT_MORPH, LAYER_NONE, AT_UNKNOWN, RETURNS_SKB },
	{ "skb_clone", EVENT_CALL, LAYER_CLONE, AT_UNKNOWN, RETURNS_SKB },
	{ "skb_copy", EVENT_CALL, LAYER_COPY, AT_UNKNOWN, RETURNS_SKB },
	{ "__pskb_copy_fclone", EVENT_CALL, LAYER_COPY, AT_UNKNOWN, RETURNS_SKB },
	{ "skb_copy_expand", EVENT_CALL, LAYER_COPY, AT_UNKNOWN, RETURNS_SKB },
	{ "skb_segment", EVENT_CALL, LAYER_SEGMENT, AT_UNKNOWN, RETURNS_SKB },
	{ "skb_segment_list", EVENT_CALL, LAYER_SEGMENT, AT_UNKNOWN, RETURNS_NOTHING },
	/* Others that a capture may have, of no meaning of their own. */
	{ "ip_rcv_finish", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ip_forward_finish", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ip_local_deliver_finish", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ip_protocol_deliver_rcu", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ip_route_input_noref", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ip6_rcv_finish", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ip6_protocol_deliver_rcu", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "br_dev_queue_push_xmit", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "br_pass_frame_up", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "sch_direct_xmit", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "veth_xmit", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "loopback_xmit", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "tun_net_xmit", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "wg_xmit", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "macvlan_handle_frame", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ipvlan_handle_frame", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "enqueue_to_backlog", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "nf_conntrack_in", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "nf_nat_packet", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "tcp_v4_do_rcv", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "tcp_v6_do_rcv", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "tcp_rcv_established", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "tcp_rcv_state_process", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "skb_consume_udp", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "ping_rcv", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "xfrm_input", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
	{ "xfrm_output", EVENT_LAYER, LAYER_OTHER, AT_UNKNOWN, RETURNS_NOTHING },
};

const size_t nr_probe_names = ARRAY_SIZE(probe_names);

static const char return_suffix[] = "_ret";

const struct probe_name *probe_name_find(const char *event, bool *is_return)
{
	size_t len = strlen(event), suffix = sizeof(return_suffix) - 1, i;
	bool at_return = len > suffix && !strcmp(event + len - suffix, return_suffix);

	if (is_return)
		*is_return = at_return;
	if (at_return)
		len -= suffix;
	for (i = 0; i < nr_probe_names; i++) {
		if (!strncmp(probe_names[i].name, event, len) && !probe_names[i].name[len])
			return &probe_names[i];
	}
	return NULL;
}

bool probe_group_is_ours(const char *group)
{
	static const char prefix[] = "skbtrail_";

	if (strncmp(group, prefix, sizeof(prefix) - 1))
		return false;
	group += sizeof(prefix) - 1;
	return *group && group[strspn(group, "0123456789")] == '\0';
}
