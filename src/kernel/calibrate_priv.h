/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the solver share: the windows that were taken, and sets of places.
 */
#ifndef SKBTRAIL_KERNEL_CALIBRATE_PRIV_H
#define SKBTRAIL_KERNEL_CALIBRATE_PRIV_H

#include "kernel/calibrate_solve.h"

#define CAL_SPAN 4096 /* bytes looked at of any object */
#define CAL_OVERLAP \
	16 /* of windows on one object: no member looked for is longer but whole names */
#define CAL_WANTS_MAX 600
#define CAL_ITEMS_MAX 64 /* devices, sockets, chains, ... */
#define CAL_PACKETS_MAX 256
#define CAL_POINTERS_MAX 32

/* A window as it was fed. */
struct cal_taken {
	struct cal_want want;
	u16 packet, nth;
	u16 total; /* bytes of the object that were asked for, by all windows of that path */
	u64 args[3];
	u64 pointer;
	u8 *bytes;
};

/* Memory of one object at one call, put together from windows. */
struct cal_object {
	u64 args[3];
	u64 pointer; /* its address */
	u32 len;
	u8 bytes[CAL_SPAN];
};

/* Places that agree with all that was compared so far. */
struct cal_set {
	u8 gone[CAL_SPAN / 8]; /* a bit for each byte offset */
	u32 span;	       /* offsets below this were compared */
	u32 samples;
	u64 first; /* hash of the first value, to know whether there were others */
	bool varied;
	u8 width, align;
};

struct cal {
	u32 hooks;
	u32 round;
	struct cal_want wants[CAL_WANTS_MAX];
	size_t nr_wants;
	struct cal_device devices[CAL_ITEMS_MAX];
	struct cal_socket sockets[CAL_ITEMS_MAX];
	struct cal_chain chains[CAL_ITEMS_MAX];
	char tables[CAL_ITEMS_MAX][CAL_NAME_SIZE];
	char xt_tables[CAL_ITEMS_MAX][CAL_NAME_SIZE];
	u64 functions[CAL_ITEMS_MAX];
	u32 inums[CAL_ITEMS_MAX];
	size_t nr_inums;
	size_t nr_devices, nr_sockets, nr_chains, nr_tables, nr_xt_tables, nr_functions;
	struct cal_packet packets[CAL_PACKETS_MAX];
	size_t nr_packets;
	size_t first_taken[CAL_PACKETS_MAX + 1]; /* of each packet */
	struct cal_taken *taken;
	size_t nr_taken, cap_taken;
	struct cal_finding findings[MEMBER_COUNT];
	/* words of an sk_buff at CAL_TX, of an nft chain, that are pointers; of the former those that
	 * may be the device's */
	u16 pointers[CAL_POINTERS_MAX];
	u8 nr_pointers;
	bool like_device[CAL_POINTERS_MAX];
	/* ... and of the table of such a chain, in each that may be it */
	struct {
		u16 at[CAL_POINTERS_MAX * 2];
		u8 nr;
	} table_pointers[CAL_POINTERS_MAX];
	u16 chain_pointers[CAL_POINTERS_MAX];
	u8 nr_chain_pointers;
	bool like_table[CAL_POINTERS_MAX];
	/* words of a net_device that may be its netns' */
	u16 nets[CAL_POINTERS_MAX];
	u8 nr_nets;
	/* pointers to them; 0 not known yet */
	u64 device_at[CAL_ITEMS_MAX];
	u64 net_at[CAL_ITEMS_MAX];
};

/** cal_is_pointer - whether it is an address in the kernel's half */
bool cal_is_pointer(u64 word);

static inline u64 cal_word(const u8 *bytes, u32 at)
{
	u64 word;

	memcpy(&word, bytes + at, sizeof(word));
	return word;
}

/** cal_object - what a path led to in one call; Return: false when not all windows asked for are there */
bool cal_object_get(const struct cal *c, struct cal_path path, size_t packet, size_t nth,
		    struct cal_object *out);
/** cal_tx - the call of CAL_TX with that very packet; Return: false when it was not seen */
bool cal_tx(const struct cal *c, size_t packet, struct cal_object *out, size_t *nth);

/** cal_last_call - the last with that packet: before, a tap may have seen it on its way out */
bool cal_last_call(const struct cal *c, enum cal_hook hook, size_t packet, struct cal_object *out);

void cal_set_init(struct cal_set *set, u8 width, u8 align);
/** cal_set_match - keep the places where the object has this value */
void cal_set_match(struct cal_set *set, const u8 *bytes, u32 len, const void *value);
/** cal_set_take_out - a member is there already */
void cal_set_take_out(struct cal_set *set, u32 offset, u32 size);
/** cal_set_count - how many are left; *first the lowest; 0 when nothing was compared */
u32 cal_set_count(const struct cal_set *set, u32 *first);

/** cal_conclude - from a set to a finding: found when one place is left and the values were not all the same */
bool cal_conclude(struct cal *c, enum member m, const struct cal_set *set, u32 size);
/** cal_not_found - say why */
void cal_not_found(struct cal *c, enum member m, const char *why);
void cal_found(struct cal *c, enum member m, u32 offset, u32 size);
/** cal_add_candidate - one of several places; the finding becomes ambiguous */
void cal_add_candidate(struct cal *c, enum member m, u32 offset);

static inline bool cal_has(const struct cal *c, enum member m)
{
	return c->findings[m].state == CAL_FOUND;
}

static inline u32 cal_at(const struct cal *c, enum member m)
{
	return c->findings[m].place.offset;
}

static inline struct cal_path cal_path0(enum cal_hook hook, u8 arg)
{
	return (struct cal_path){ .hook = (u8)hook, .arg = arg };
}

static inline struct cal_path cal_path1(enum cal_hook hook, u8 arg, u32 at)
{
	return (struct cal_path){ .hook = (u8)hook, .arg = arg, .depth = 1, .at = { (u16)at } };
}

static inline struct cal_path cal_path2(enum cal_hook hook, u8 arg, u32 at, u32 at2)
{
	return (struct cal_path){
		.hook = (u8)hook, .arg = arg, .depth = 2, .at = { (u16)at, (u16)at2 }
	};
}

/* calibrate_skb.c: sk_buff, net_device, net, sock */
void cal_solve_skb(struct cal *c);
/* calibrate_vlan.c */
void cal_solve_vlan(struct cal *c);
/* calibrate_netfilter.c */
void cal_solve_netfilter(struct cal *c);
void cal_solve_nft(struct cal *c);
void cal_solve_xt(struct cal *c);

#endif
