/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pcap-filter(7) expressions on recorded packet bytes.
 *
 * In:  an expression, compiled once by libpcap; then windows of packets' memory.
 * Out: whether the expression holds for what lies in a window.
 *
 * Runs in user space only: nothing is loaded into a kernel. An expression sees the outermost headers
 * of a window, just as tcpdump would at that place; that a packet is looked at in all of its windows,
 * before and after NAT or encapsulation, is its user's business.
 */
#ifndef SKBTRAIL_DECODE_PKTFILTER_H
#define SKBTRAIL_DECODE_PKTFILTER_H

#include "base/error.h"
#include "decode/packet.h"

struct pktfilter;
struct bpf_program;

/**
 * pktfilter_compile_for - what libpcap makes of an expression for one link type
 * @program: to be freed with pcap_freecode()
 * @link: DLT_EN10MB, DLT_RAW
 * @err: as that of pktfilter_compile()
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int pktfilter_compile_for(struct bpf_program *program, int link, const char *expr,
			  struct error *err);

/**
 * pktfilter_compile - prepare an expression
 * @expr: as for tcpdump; "" holds for every packet. libpcap looks up names of hosts in it, so an
 *        expression that comes from a stranger makes this machine ask a name server
 * @err: libpcap's own words, and where the syntax is described
 *
 * Compiled for Ethernet and for bare IP, without a netmask ("ip broadcast" is refused). An
 * expression that only one of them can have ("ether host", "arp") is used for that one.
 *
 * Return: 0, -EINVAL, -ENOMEM. To be freed with pktfilter_free().
 */
int pktfilter_compile(struct pktfilter **out, const char *expr, struct error *err);
void pktfilter_free(struct pktfilter *f);

/**
 * pktfilter_programs - what libpcap made of the expression, for Ethernet and for bare IP
 *
 * A program without instructions: the expression cannot be had for that link type. Return: false when it asks for
 * tags ("vlan"), which may be beside the bytes that the programs see.
 */
bool pktfilter_programs(const struct pktfilter *f, const struct bpf_program **ether,
			const struct bpf_program **raw);

/**
 * pktfilter_match - whether the expression holds for the packet in a window
 *
 * With a link header in the window the expression is tried from there, else from the network
 * header: then "len" is 14 less, and what asks for MAC addresses or VLAN tags does not hold. ARP
 * without its link header is tried as in a frame, unless the expression asks for a frame's addresses.
 *
 * A tag that the kernel keeps beside the bytes (->tagged) is seen by an expression with "vlan", as in
 * a frame that has it; to all others the packet is as its bytes are, so that "icmp" holds with the
 * tag and without. tcpdump on a device does the same. "ether proto 0x8100" is no "vlan". As with a short snap
 * length of tcpdump, an expression that needs bytes which are not in the window does not hold,
 * negated or not.
 *
 * Safe from several threads; allocates nothing. About 20 ns for "icmp and host 10.0.2.2".
 */
bool pktfilter_match(const struct pktfilter *f, const struct skb_window *w);

#endif
