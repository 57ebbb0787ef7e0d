// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcap-filter expressions: see pktfilter.h. libpcap compiles and runs them; here is decided which
 * bytes they see.
 */
#include "decode/pktfilter.h"

#include <errno.h>
#include <linux/filter.h>
#include <net/ethernet.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

/* What a filter accepts at most; libpcap's own default. */
#define SNAP_BYTES 262144
#define ARP_BYTES 28 /* of ARP for IPv4 on Ethernet, RFC 826 */
#define MACS_BYTES (2 * ETH_ALEN)
#define TAG_BYTES 4
#define TAGGED_BYTES \
	1024 /* of a frame that a tag was put into; there is more in no window of ours */

struct pktfilter {
	struct bpf_program ether, raw; /* no instructions: not possible with this link type */
	bool reads_macs;	       /* ->ether looks at the addresses of the frame */
	bool reads_tags;	       /* ->ether has "vlan" in it */
};

static int refuse(struct error *err, const char *expr, const char *why)
{
	return error_set(err, EINVAL,
			 "filter '%.400s': %s; pcap-filter(7) describes the syntax, for example "
			 "'icmp and host 10.0.2.2'",
			 expr, why);
}

/* Whether a program loads from a place (plus a register, perhaps) from @low to @high - 1. */
static bool loads_from(const struct bpf_program *program, u32 low, u32 high)
{
	u32 i;

	for (i = 0; i < program->bf_len; i++) {
		const struct bpf_insn *insn = &program->bf_insns[i];
		int mode = BPF_MODE(insn->code);

		if (BPF_CLASS(insn->code) == BPF_LD && (mode == BPF_ABS || mode == BPF_IND) &&
		    insn->k >= low && insn->k < high)
			return true;
	}
	return false;
}

static bool compares_with(const struct bpf_program *program, u32 value)
{
	u32 i;

	for (i = 0; i < program->bf_len; i++)
		if (program->bf_insns[i].code == (BPF_JMP | BPF_JEQ | BPF_K) &&
		    program->bf_insns[i].k == value)
			return true;
	return false;
}

/* libpcap makes of "vlan" a comparison with all types that a tag may have, and of nothing else. */
static bool asks_for_tags(const struct bpf_program *program)
{
	return compares_with(program, 0x8100) && compares_with(program, 0x88a8) &&
	       compares_with(program, 0x9100);
}

/*
 * libpcap takes us for a capture on Linux and makes programs out of "inbound" and "ifindex 2" that ask
 * the kernel about the skb. They would hold for nothing here.
 */
static bool asks_kernel(const struct bpf_program *program)
{
	return loads_from(program, (u32)SKF_NET_OFF, UINT32_MAX);
}

int pktfilter_compile_for(struct bpf_program *program, int link, const char *expr,
			  struct error *err)
{
	pcap_t *dead = pcap_open_dead(link, SNAP_BYTES);
	int ret = 0;

	if (!dead)
		return error_errno(err, ENOMEM, "cannot compile the filter");
	if (pcap_compile(dead, program, expr, 1, PCAP_NETMASK_UNKNOWN)) {
		memset(program, 0, sizeof(*program));
		ret = refuse(err, expr, pcap_geterr(dead));
	} else if (asks_kernel(program)) {
		pcap_freecode(program);
		ret = refuse(err, expr, "direction and ifindex are not in a packet's bytes");
	}
	pcap_close(dead);
	return ret;
}

int pktfilter_compile(struct pktfilter **out, const char *expr, struct error *err)
{
	struct pktfilter *f = calloc(1, sizeof(*f));
	struct error raw_err = { 0 };
	int ret, raw_ret;

	*out = NULL;
	if (!f)
		return error_errno(err, ENOMEM, "cannot compile the filter");
	ret = pktfilter_compile_for(&f->ether, DLT_EN10MB, expr, err);
	raw_ret = pktfilter_compile_for(&f->raw, DLT_RAW, expr, &raw_err);
	if (ret && raw_ret) {
		pktfilter_free(f);
		return ret;
	}
	if (ret && err)
		*err = (struct error){ 0 };
	f->reads_macs = loads_from(&f->ether, 0, MACS_BYTES);
	f->reads_tags = asks_for_tags(&f->ether);
	*out = f;
	return 0;
}

void pktfilter_free(struct pktfilter *f)
{
	if (!f)
		return;
	pcap_freecode(&f->ether);
	pcap_freecode(&f->raw);
	free(f);
}

bool pktfilter_programs(const struct pktfilter *f, const struct bpf_program **ether,
			const struct bpf_program **raw)
{
	*ether = &f->ether;
	*raw = &f->raw;
	return !f->reads_tags;
}

/* The packet's length from its network header at @offset on, as that header says; 0 not known. */
static u32 length_in_header(const struct skb_window *w, u32 offset)
{
	const u8 *h = w->bytes + offset;
	u32 left = w->len_bytes - offset;

	if (left >= 4 && h[0] >> 4 == 4)
		return (u32)h[2] << 8 | h[3];
	/* 0: more than the field holds (jumbograms, segments that are cut later) */
	if (left >= 6 && h[0] >> 4 == 6 && (h[4] || h[5]))
		return ((u32)h[4] << 8 | h[5]) + 40;
	return 0;
}

/* Where the packet ends, counted as places in w->bytes; 0 not known. */
static u64 packet_end(const struct skb_window *w, s32 net)
{
	u32 said;

	if (w->skb_len)
		return (u64)w->before + w->skb_len;
	if (net < 0 || (u32)net >= w->len_bytes || w->at == AT_NETWORK_NEW)
		return 0;
	said = length_in_header(w, (u32)net);
	return said ? (u64)(u32)net + said : 0;
}

/*
 * What there is of the packet from @offset on. ->caplen 0: nothing.
 * @net: where the network header is, or -1; it says the length when the skb did not
 */
static struct pcap_pkthdr extent(const struct skb_window *w, u32 offset, s32 net)
{
	u64 end = packet_end(w, net), read = w->len_bytes;
	struct pcap_pkthdr header = { 0 };

	if (!end)
		end = read;
	if (end < read)
		read = end;
	if (offset >= read)
		return header;
	header.caplen = (u32)(read - offset);
	header.len = end - offset > UINT32_MAX ? UINT32_MAX : (u32)(end - offset);
	return header;
}

static bool run(const struct bpf_program *program, const struct pcap_pkthdr *header,
		const u8 *bytes)
{
	return program->bf_insns && header->caplen && pcap_offline_filter(program, header, bytes);
}

/* ARP for IPv4 on Ethernet. ->protocol alone may speak of a packet inside of this one. */
static bool is_arp(const struct skb_window *w, u32 offset)
{
	static const u8 head[] = { 0, 1, 0x08, 0, 6, 4 };

	return w->protocol == ETHERTYPE_ARP && offset < w->len_bytes &&
	       w->len_bytes - offset >= ARP_BYTES && !memcmp(w->bytes + offset, head, sizeof(head));
}

/* ARP exists in frames only; this makes one around it. */
static bool match_arp(const struct pktfilter *f, const struct skb_window *w, u32 offset)
{
	struct pcap_pkthdr header = extent(w, offset, -1);
	u8 frame[ETH_HLEN + ARP_BYTES] = { [12] = 0x08, [13] = 0x06 };

	if (f->reads_macs || header.caplen < ARP_BYTES)
		return false;
	memcpy(frame + ETH_HLEN, w->bytes + offset, ARP_BYTES);
	header.caplen = sizeof(frame);
	header.len += ETH_HLEN;
	return run(&f->ether, &header, frame);
}

static u16 ethertype_of(const struct skb_window *w, u32 net)
{
	if (is_arp(w, net))
		return ETHERTYPE_ARP;
	return w->bytes[net] >> 4 == 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP;
}

/*
 * A frame with the skb's own tag in it. @link, @net: where these headers are, or -1; without a link
 * header the frame's addresses are made up.
 */
static bool match_tagged(const struct pktfilter *f, const struct skb_window *w, s32 link, s32 net)
{
	u16 type = w->tag_type ? w->tag_type : ETHERTYPE_VLAN, inner;
	u8 frame[TAGGED_BYTES] = { 0 };
	struct pcap_pkthdr header;
	u32 head = MACS_BYTES + TAG_BYTES, rest;

	if (link < 0 && (net < 0 || f->reads_macs))
		return false;
	rest = link >= 0 ? (u32)link + MACS_BYTES : (u32)net;
	header = extent(w, rest, net > link ? net : -1);
	if (link >= 0) {
		memcpy(frame, w->bytes + link, MACS_BYTES);
	} else {
		inner = ethertype_of(w, rest);
		frame[head++] = (u8)(inner >> 8);
		frame[head++] = (u8)inner;
	}
	frame[MACS_BYTES] = (u8)(type >> 8);
	frame[MACS_BYTES + 1] = (u8)type;
	frame[MACS_BYTES + 2] = (u8)(w->tag >> 8);
	frame[MACS_BYTES + 3] = (u8)w->tag;
	if (header.caplen > sizeof(frame) - head)
		header.caplen = (u32)sizeof(frame) - head;
	memcpy(frame + head, w->bytes + rest, header.caplen);
	if (!header.caplen)
		return false;
	header.caplen += head;
	header.len += head;
	return run(&f->ether, &header, frame);
}

bool pktfilter_match(const struct pktfilter *f, const struct skb_window *w)
{
	s32 link = packet_link_offset(w), net = packet_net_offset(w);
	struct pcap_pkthdr header;

	if (w->tag_known && w->tagged && f->reads_tags)
		return match_tagged(f, w, link, net);
	if (link >= 0) {
		header = extent(w, (u32)link, net > link ? net : -1);
		return run(&f->ether, &header, w->bytes + link);
	}
	if (net < 0)
		return false;
	if (is_arp(w, (u32)net))
		return match_arp(f, w, (u32)net);
	header = extent(w, (u32)net, net);
	return run(&f->raw, &header, w->bytes + net);
}
