// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For make-structs: compiled in a kernel's source tree with debug info, so that the object has all
 * structures that skbtrail may ask for, laid out as in that kernel. It is never linked nor loaded.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter/x_tables.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/net_namespace.h>
#include <net/netfilter/nf_tables.h>
#include <net/sock.h>

#define INCLUDE_VERMAGIC
#include <linux/vermagic.h>

/* Tells the kernel's release. */
MODULE_INFO(vermagic, VERMAGIC_STRING);

struct dst_entry *a_dst_entry;
struct file *a_file;
struct net *a_net;
struct net_device *a_net_device;
struct nf_hook_entries *some_nf_hook_entries;
struct nf_hook_state *a_nf_hook_state;
struct nft_chain *a_nft_chain;
struct nft_pktinfo *a_nft_pktinfo;
struct nft_table *a_nft_table;
struct sk_buff *a_sk_buff;
struct sock *a_sock;
struct socket *a_socket;
struct xt_table *a_xt_table;
