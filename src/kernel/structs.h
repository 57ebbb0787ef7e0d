/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where members are in this kernel's structures, and who says so.
 *
 * In:  a file made by "skbtrail structs --save", BTF of the kernel and its modules, the cache, DWARF, calibration.
 * Out: struct layout: for each member that a probe may need its offset and size, or that it is unknown.
 *
 * Nothing is assumed: members move between versions and structures may be randomised. A member
 * that no source knows is unknown, and what needs it does without and says so.
 */
#ifndef SKBTRAIL_KERNEL_STRUCTS_H
#define SKBTRAIL_KERNEL_STRUCTS_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/types.h"

/* Each is structure.member as in the kernel's sources; names in structs.c, in this order. */
enum member {
	SKB_DEV,	   /* sk_buff.dev */
	SKB_SK,		   /* sk_buff.sk */
	SKB_REFDST,	   /* sk_buff._skb_refdst */
	SKB_LEN,	   /* sk_buff.len */
	SKB_DATA_LEN,	   /* sk_buff.data_len */
	SKB_MARK,	   /* sk_buff.mark */
	SKB_PROTOCOL,	   /* sk_buff.protocol, big-endian */
	SKB_TRANSPORT,	   /* sk_buff.transport_header */
	SKB_NETWORK,	   /* sk_buff.network_header */
	SKB_MAC,	   /* sk_buff.mac_header */
	SKB_TAIL,	   /* sk_buff.tail */
	SKB_HEAD,	   /* sk_buff.head */
	SKB_DATA,	   /* sk_buff.data */
	SKB_IIF,	   /* sk_buff.skb_iif */
	SKB_VLAN_TCI,	   /* sk_buff.vlan_tci: a tag that is not in the packet's bytes */
	SKB_VLAN_PROTO,	   /* sk_buff.vlan_proto, big-endian */
	SKB_VLAN_PRESENT,  /* whether there is that tag: the bit sk_buff.vlan_present, or since 6.2
			    * sk_buff.vlan_all, which is not 0 then */
	DEV_NAME,	   /* net_device.name */
	DEV_IFINDEX,	   /* net_device.ifindex */
	DEV_NET,	   /* net_device.nd_net (a pointer to struct net) */
	NET_INUM,	   /* net.ns.inum */
	DST_DEV,	   /* dst_entry.dev (or its successor dev_rcu) */
	SOCK_FAMILY,	   /* sock.__sk_common.skc_family */
	SOCK_STATE,	   /* sock.__sk_common.skc_state */
	SOCK_DADDR,	   /* sock.__sk_common.skc_daddr, big-endian */
	SOCK_RCV_SADDR,	   /* sock.__sk_common.skc_rcv_saddr, big-endian */
	SOCK_DPORT,	   /* sock.__sk_common.skc_dport, big-endian */
	SOCK_NUM,	   /* sock.__sk_common.skc_num, host order */
	SOCK_NET,	   /* sock.__sk_common.skc_net (a pointer to struct net) */
	SOCK_V6_DADDR,	   /* sock.__sk_common.skc_v6_daddr */
	SOCK_V6_RCV_SADDR, /* sock.__sk_common.skc_v6_rcv_saddr */
	SOCK_COOKIE,	   /* sock.__sk_common.skc_cookie */
	SOCKET_SK,	   /* socket.sk */
	FILE_PRIVATE,	   /* file.private_data */
	NFSTATE_HOOK,	   /* nf_hook_state.hook: 4 bytes up to 5.10 or so, then 1 */
	NFSTATE_PF,	   /* nf_hook_state.pf */
	NFSTATE_IN,	   /* nf_hook_state.in */
	NFSTATE_OUT,	   /* nf_hook_state.out */
	NFSTATE_NET,	   /* nf_hook_state.net */
	NFENTRIES_HOOKS,   /* nf_hook_entries.hooks: an array of { hook function, priv } */
	XT_TABLE_NAME,	   /* xt_table.name (module x_tables): an array */
	NFT_PKT_SKB,	   /* nft_pktinfo.skb (module nf_tables) */
	NFT_PKT_STATE,	   /* nft_pktinfo.state */
	NFT_CHAIN_NAME,	   /* nft_chain.name: a pointer */
	NFT_CHAIN_TABLE,   /* nft_chain.table */
	NFT_TABLE_NAME,	   /* nft_table.name: a pointer */
	MEMBER_COUNT
};

enum structs_source {
	STRUCTS_NONE,
	STRUCTS_FILE, /* --structs FILE */
	STRUCTS_BTF,
	STRUCTS_CACHE,
	STRUCTS_DWARF,
	STRUCTS_CALIBRATION, /* found out by sending packets: kernel/calibrate.h */
	STRUCTS_SOURCE_COUNT
};

struct member_place {
	u32 offset; /* bytes from the structure's beginning, below 64 KiB */
	u32 size; /* bytes, up to 4096; of an array the whole, of one without a length an element; 0: not known */
	u8 source;   /* enum structs_source */
	bool is_bit; /* one bit of the byte at ->offset; ->size is 1 */
	u8 bit;	     /* its number there, 0 for the one of value 1 */
};

/* Parts of netfilter that were there when a layout was calibrated: struct layout's ->tried. */
enum {
	LAYOUT_TRIED = 1 << 0, /* it was calibrated at all */
	LAYOUT_TRIED_NFT = 1 << 1,
	LAYOUT_TRIED_XT = 1 << 2,
};

struct layout {
	struct member_place at[MEMBER_COUNT];
	u32 skb_size;	   /* sizeof(struct sk_buff); 0 not known */
	char kernel[96];   /* uname -r, for people; "" not known */
	char build_id[64]; /* of the kernel's notes, hex; "" not known */
	char from
		[256]; /* where most of it comes from, in words: a path. From a file: a stranger's */
	u8 source;     /* enum structs_source of most of it */
	u8 tried;      /* LAYOUT_TRIED_* */
	bool little_endian;
	u8 long_size; /* bytes; 0 not known */
	/* Why nothing is known although calibration was to find out; "" else. Of this run. */
	char why[256];
};

struct calibration;

enum structs_calibrate {
	STRUCTS_CALIBRATE_NEVER,
	STRUCTS_CALIBRATE_NEEDED, /* when neither BTF nor the cache knows */
	STRUCTS_CALIBRATE_ALWAYS, /* ask no other source; failing is an error */
};

struct structs_options {
	const char *file; /* --structs FILE: ours; NULL none. Anything it lacks stays unknown */
	const char *const *dwarf; /* a vmlinux, modules, or objects with debug info; NULL none */
	size_t nr_dwarf;
	const char *root; /* "" or a directory that stands for /, for tests; NULL: "" */
	bool no_cache;
	/* Take a named file for what it is, even when it tells of another kernel than the one running:
	 * for looking at it and for making files. Never for probes. */
	bool any_kernel;
	enum structs_calibrate calibrate;	   /* of the running kernel; takes about a second */
	void (*progress)(void *arg, u64 since_ns); /* of calibration; NULL none */
	struct calibration *calibration;	   /* NULL, or where to put what it said */
};

/**
 * structs_load - learn the layout of the running kernel from the best source there is
 * @err: only for a file that the user named and that cannot be used
 *
 * A file that the user named is the only source then: --structs FILE before --dwarf. It is refused when it
 * says that it is of another kernel: by build id when both are known, else by release. Objects (.o)
 * of a build say neither, and are the user's word.
 *
 * Else, in order: BTF (/sys/kernel/btf/vmlinux, then modules that are loaded), the cache keyed by
 * the kernel's build id, calibration if options->calibrate says so. Finding nothing is no error: everything is
 * unknown then. What a slow source (DWARF of a vmlinux with the running kernel's build id, calibration) told is
 * put into the cache. What was calibrated while netfilter was not there is calibrated again when it is.
 *
 * Return: 0, -errno with @err for a named file.
 */
int structs_load(struct layout *out, const struct structs_options *options, struct error *err);

/**
 * structs_read_text - parse the format of structs_write_text(); may come from a stranger
 *
 * Names that are not known are passed over: a later version may know them.
 */
int structs_read_text(struct layout *out, const char *text, size_t len, struct error *err);

/**
 * structs_write_text - the file of "structs --save": one "structure.member offset size" a line
 *
 *	# skbtrail structs 1
 *	kernel 6.1.0-56-cloud-amd64
 *	build-id 0123456789abcdef0123456789abcdef01234567
 *	source BTF, /sys/kernel/btf/vmlinux
 *	skb-size 232
 *	long-size 8
 *	byte-order little
 *	calibrated nf_tables x_tables
 *	sk_buff.dev 16 8
 *	sk_buff.vlan_present 126 1 7
 *
 * The fourth word of a member that is one bit is the bit's number in its byte, from 0 for the lowest. Lines of what is not known are left out.
 */
int structs_write_text(const struct layout *l, struct strbuf *out);

/** member_name - "sk_buff.dev" */
const char *member_name(enum member m);
/** member_module - the module whose BTF has it unless it is built in: "nf_tables"; NULL: the kernel */
const char *member_module(enum member m);
/** structs_source_name - "BTF" */
const char *structs_source_name(u8 source);

static inline bool layout_has(const struct layout *l, enum member m)
{
	return l->at[m].size != 0;
}

/** layout_known - how many members are known */
size_t layout_known(const struct layout *l);

/**
 * structs_skb_argument - which argument of a function is its skb, by BTF
 * @root: "" or a directory that stands for /
 * @function: bare name, without .constprop.0
 * @by_reference: set when it is a struct sk_buff **
 *
 * Takes in the kernel's BTF at each call, some 10 ms.
 *
 * Return: 1 for the first argument, ...; 0 when it takes none; -ENOENT when the function is not known,
 * -ENODATA without BTF.
 */
int structs_skb_argument(const char *root, const char *function, bool *by_reference);

#endif
