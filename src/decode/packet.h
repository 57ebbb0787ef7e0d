/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of a packet -> what the packet is. The only place that knows network byte order.
 *
 * In:  a window of memory around skb->data, as a probe recorded it (struct skb_window).
 * Out: struct packet: link header, up to PACKET_NETS network headers one inside the other, transport
 *      header, and for an ICMP error the packet that it quotes.
 *
 * Bounded by the window: a header that does not lie in it whole is PART_CUT, one that contradicts
 * itself is PART_BAD; neither is ever guessed. Numbers are in host order, addresses and MACs are bytes
 * as on the wire. Depends on base/ headers only: plugins/ compiles it too.
 *
 * Formats: RFC 791, 8200, 792, 4443, 9293, 768, 9260, 2784, 2890, 7348, 8926, 826, IEEE 802.1Q.
 */
#ifndef SKBTRAIL_DECODE_PACKET_H
#define SKBTRAIL_DECODE_PACKET_H

#include "base/types.h"

#define PACKET_NETS 3  /* network headers one inside the other; more are counted in ->deeper */
#define PACKET_VLANS 2 /* tags of one link header; more are PART_BAD */

/* What is known of a header. */
enum packet_part {
	PART_NONE,     /* the packet has none, or nobody said that it has */
	PART_OK,       /* all of its fields were read */
	PART_CUT,      /* not (wholly) in the window */
	PART_BAD,      /* malformed: its fields contradict each other */
	PART_FRAGMENT, /* a transport header, but this is a later fragment without one */
};

enum packet_tunnel {
	TUNNEL_NONE,
	TUNNEL_VXLAN,
	TUNNEL_GENEVE,
	TUNNEL_GRE,
	TUNNEL_IPIP, /* IPv4 or IPv6 directly in IPv4 or IPv6 */
	TUNNEL_ESP,  /* encrypted: nothing inside can be read; tunnel_id is the SPI */
};

/* Bits of tcp_flags, as on the wire. */
enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
};

/* A network header and the transport header in it. */
struct packet_net {
	u8 src[16], dst[16]; /* IPv4: the first 4 bytes, the rest 0 */
	u8 version;	     /* 4, 6 */
	u8 part;  /* enum packet_part of this header; the rest is meaningless unless PART_OK */
	u8 ttl;	  /* or hop limit */
	u8 tos;	  /* or traffic class */
	u8 proto; /* IPPROTO_* of the transport header, extension headers passed over; with ->l4
		      * PART_CUT or PART_BAD perhaps that of the extension header which is so */
	u8 l4;	  /* enum packet_part of the transport header */
	bool only_tuple; /* addresses, ports, ->version and ->proto are known and nothing else: told by a
			  * tracepoint; ->l4 is PART_NONE, though there is a transport header */
	bool has_id; /* ->id is there: IPv4 always, IPv6 in fragments only */
	bool more_fragments;
	u16 frag_offset;  /* bytes */
	u16 header_bytes; /* with options or extension headers */
	u32 id;
	u32 total_bytes; /* of the packet from this header on, as the header says; where it says 0
			  * because 16 bits are too few, what the skb says; 0 not known */
	/* with l4 PART_OK; which of them depends on ->proto */
	u16 sport, dport; /* TCP, UDP, SCTP, UDP-Lite, DCCP; also when only these were in the
			   * window (the quoted packet of an ICMP error), or told, else 0 */
	u8 tcp_flags;
	u8 l4_bytes; /* length of the transport header, or of that of GRE or ESP */
	u16 tcp_window;
	u32 tcp_seq, tcp_ack;
	u16 udp_bytes;		 /* length field of UDP */
	u8 icmp_type, icmp_code; /* ICMP and ICMPv6 */
	bool icmp_has_id;	 /* echo, timestamp: id and seq are there */
	u16 icmp_id, icmp_seq;
	u32 icmp_mtu;	  /* of "fragmentation needed" and "packet too big", else 0 */
	u8 nd_target[16]; /* of neighbour solicitation and advertisement; else 0 */
	u32 sctp_vtag;
	u8 sctp_chunk; /* type of the first chunk */
	/* what is inside, when ->proto or the ports say tunnel and net[i + 1] was looked for */
	u8 tunnel; /* enum packet_tunnel */
	bool has_tunnel_id;
	u32 tunnel_id; /* VNI, GRE key, SPI */
};

struct packet {
	u8 link; /* enum packet_part of the Ethernet header; PART_NONE: the window has none */
	u8 dmac[6], smac[6];
	u8 nr_vlans;
	bool vlans_known; /* that it has these tags and no others: the link header was read; or there
			   * is none, so its tags were taken off, and the skb tells of its own */
	u16 vlan[PACKET_VLANS]; /* tag control information, outermost first; of the skb's own tag
				 * and PACKET_VLANS in the bytes the innermost is left out */
	u16 ethertype; /* host order, behind the tags; of skb->protocol when there is no link header;
			* 0 not known */
	u8 arp;	       /* enum packet_part; also of an ARP inside of the last net's tunnel */
	u16 arp_op;    /* 1 request, 2 reply */
	u8 arp_smac[6], arp_tmac[6];
	u8 arp_sip[4], arp_tip[4];
	u8 nr_nets;	 /* used places of ->net; the last may have ->part PART_CUT or PART_BAD */
	bool deeper;	 /* there are network headers inside of the last */
	bool has_quoted; /* ->quoted is what an ICMP error in the last net quotes */
	struct packet_net net[PACKET_NETS]; /* outermost first */
	struct packet_net quoted;
};

/* Which header skb->data points at, as far as the place of the probe tells. */
enum window_at {
	AT_UNKNOWN,   /* the offsets in the skb decide */
	AT_LINK,      /* data is the link header: net_dev_queue, net_dev_start_xmit */
	AT_NETWORK,   /* data is the network header: netif_receive_skb, ip_rcv, napi_gro_receive */
	AT_TRANSPORT, /* data is behind the network header: tcp_v4_rcv, icmp_rcv */
	AT_NETWORK_NEW, /* as AT_NETWORK, but the header has no length yet, and ->protocol is not
			 * its: __ip_local_out, which sets both */
};

/* Memory around skb->data and the skb's own words about it. */
struct skb_window {
	const u8 *bytes;
	u32 len_bytes;		     /* of ->bytes */
	u32 before;		     /* bytes[before] is *skb->data */
	u64 head, data;		     /* skb->head, skb->data */
	u16 network, mac, transport; /* offsets from head; 0xffff: not set */
	u16 protocol;		     /* EtherType, host order (skb->protocol); 0 not known */
	u32 skb_len; /* skb->len; 0 not known. Bytes behind data + skb_len are not the packet's */
	u8 at;	     /* enum window_at */
	/* The tag that the kernel keeps beside the bytes, outside of all tags in them. */
	bool tag_known; /* whether there is one was recorded */
	bool tagged;
	u16 tag;      /* tag control information (skb->vlan_tci) */
	u16 tag_type; /* host order (skb->vlan_proto); 0 not known */
};

/**
 * packet_parse - read a window
 * @p: filled in wholly
 *
 * Where the network header begins is decided in this order: the skb's network offset if it lies
 * in the window and the version nibble there agrees with ->protocol; else what ->at says; else no
 * header. But with AT_NETWORK, and data right behind the skb's mac header, data decides: there the
 * network offset is not set yet. With ->at AT_LINK the link header is at data; else at the skb's mac
 * offset when that is 14 + 4 * tags bytes before the network header. When the network offset points
 * out of the window, net[0] is PART_CUT.
 *
 * Return: whether anything was read (a link, ARP or network header).
 */
bool packet_parse(struct packet *p, const struct skb_window *w);

/**
 * packet_parse_bytes - read plain bytes
 * @ethertype: host order; 0: @bytes begins with an Ethernet header, else with that protocol's
 */
bool packet_parse_bytes(struct packet *p, const u8 *bytes, u32 len, u16 ethertype);

/**
 * packet_net_offset - where in w->bytes the (outer) network header (or ARP) begins; -1 when there is
 * none
 */
s32 packet_net_offset(const struct skb_window *w);

/** packet_link_offset - where in w->bytes the Ethernet header begins; -1 when there is none */
s32 packet_link_offset(const struct skb_window *w);

/** packet_inner - the innermost network header that was read; NULL when there is none */
static inline const struct packet_net *packet_inner(const struct packet *p)
{
	u8 i = p->nr_nets;

	while (i > 0 && p->net[i - 1].part != PART_OK)
		i--;
	return i ? &p->net[i - 1] : NULL;
}

#endif
