// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The members that may be asked for, and the order of the sources that know about them.
 *
 * In:  what the user named, else the running kernel's BTF, else the cache, else calibration.
 * Out: struct layout. Two sources are never mixed, so it is of one kernel.
 */
#include "kernel/structs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/bytes.h"
#include "kernel/calibrate.h"
#include "kernel/structs_priv.h"

#define FILE_MAX_BYTES (64U << 10)

const struct member_def member_defs[MEMBER_COUNT] = {
	[SKB_DEV] = { "sk_buff.dev", NULL, NULL },
	[SKB_SK] = { "sk_buff.sk", NULL, NULL },
	[SKB_REFDST] = { "sk_buff._skb_refdst", NULL, NULL },
	[SKB_LEN] = { "sk_buff.len", NULL, NULL },
	[SKB_DATA_LEN] = { "sk_buff.data_len", NULL, NULL },
	[SKB_MARK] = { "sk_buff.mark", NULL, NULL },
	[SKB_PROTOCOL] = { "sk_buff.protocol", NULL, NULL },
	[SKB_TRANSPORT] = { "sk_buff.transport_header", NULL, NULL },
	[SKB_NETWORK] = { "sk_buff.network_header", NULL, NULL },
	[SKB_MAC] = { "sk_buff.mac_header", NULL, NULL },
	[SKB_TAIL] = { "sk_buff.tail", NULL, NULL },
	[SKB_HEAD] = { "sk_buff.head", NULL, NULL },
	[SKB_DATA] = { "sk_buff.data", NULL, NULL },
	[SKB_IIF] = { "sk_buff.skb_iif", NULL, NULL },
	[SKB_VLAN_TCI] = { "sk_buff.vlan_tci", NULL, NULL },
	[SKB_VLAN_PROTO] = { "sk_buff.vlan_proto", NULL, NULL },
	[SKB_VLAN_PRESENT] = { "sk_buff.vlan_present", "sk_buff.vlan_all", NULL },
	[DEV_NAME] = { "net_device.name", NULL, NULL },
	[DEV_IFINDEX] = { "net_device.ifindex", NULL, NULL },
	[DEV_NET] = { "net_device.nd_net", NULL, NULL },
	[NET_INUM] = { "net.ns.inum", NULL, NULL },
	[DST_DEV] = { "dst_entry.dev", "dst_entry.dev_rcu", NULL },
	[SOCK_FAMILY] = { "sock.__sk_common.skc_family", NULL, NULL },
	[SOCK_STATE] = { "sock.__sk_common.skc_state", NULL, NULL },
	[SOCK_DADDR] = { "sock.__sk_common.skc_daddr", NULL, NULL },
	[SOCK_RCV_SADDR] = { "sock.__sk_common.skc_rcv_saddr", NULL, NULL },
	[SOCK_DPORT] = { "sock.__sk_common.skc_dport", NULL, NULL },
	[SOCK_NUM] = { "sock.__sk_common.skc_num", NULL, NULL },
	[SOCK_NET] = { "sock.__sk_common.skc_net", NULL, NULL },
	[SOCK_V6_DADDR] = { "sock.__sk_common.skc_v6_daddr", NULL, NULL },
	[SOCK_V6_RCV_SADDR] = { "sock.__sk_common.skc_v6_rcv_saddr", NULL, NULL },
	[SOCK_COOKIE] = { "sock.__sk_common.skc_cookie", NULL, NULL },
	[SOCKET_SK] = { "socket.sk", NULL, NULL },
	[FILE_PRIVATE] = { "file.private_data", NULL, NULL },
	[NFSTATE_HOOK] = { "nf_hook_state.hook", NULL, NULL },
	[NFSTATE_PF] = { "nf_hook_state.pf", NULL, NULL },
	[NFSTATE_IN] = { "nf_hook_state.in", NULL, NULL },
	[NFSTATE_OUT] = { "nf_hook_state.out", NULL, NULL },
	[NFSTATE_NET] = { "nf_hook_state.net", NULL, NULL },
	[NFENTRIES_HOOKS] = { "nf_hook_entries.hooks", NULL, NULL },
	[XT_TABLE_NAME] = { "xt_table.name", NULL, "x_tables" },
	[NFT_PKT_SKB] = { "nft_pktinfo.skb", NULL, "nf_tables" },
	[NFT_PKT_STATE] = { "nft_pktinfo.state", NULL, "nf_tables" },
	[NFT_CHAIN_NAME] = { "nft_chain.name", NULL, "nf_tables" },
	[NFT_CHAIN_TABLE] = { "nft_chain.table", NULL, "nf_tables" },
	[NFT_TABLE_NAME] = { "nft_table.name", NULL, "nf_tables" },
};

static const char *const source_names[STRUCTS_SOURCE_COUNT] = {
	[STRUCTS_NONE] = "nothing", [STRUCTS_FILE] = "file",
	[STRUCTS_BTF] = "BTF",	    [STRUCTS_CACHE] = "cache",
	[STRUCTS_DWARF] = "DWARF",  [STRUCTS_CALIBRATION] = "calibration",
};

const char *member_name(enum member m)
{
	return member_defs[m].name;
}

const char *member_module(enum member m)
{
	return member_defs[m].module;
}

const char *structs_source_name(u8 source)
{
	return source < STRUCTS_SOURCE_COUNT ? source_names[source] : "?";
}

size_t layout_known(const struct layout *l)
{
	size_t known = 0;
	int m;

	for (m = 0; m < MEMBER_COUNT; m++)
		known += layout_has(l, (enum member)m);
	return known;
}

bool member_struct_is(const struct member_def *def, const char *name)
{
	size_t len = strcspn(def->name, ".");

	return !strncmp(def->name, name, len) && !name[len];
}

const char *member_path(const char *name)
{
	return strchr(name, '.') + 1;
}

struct found found_bit(u64 offset_bits, bool little_endian)
{
	u8 bit = (u8)(offset_bits % 8);

	return (struct found){ .offset = offset_bits / 8,
			       .size = 1,
			       .is_bit = true,
			       .bit = (u8)(little_endian ? bit : 7 - bit) };
}

bool layout_put(struct layout *l, enum member m, const struct found *found, u8 source)
{
	if (found->offset > STRUCTS_OFFSET_MAX || !found->size || found->size > STRUCTS_SIZE_MAX)
		return false;
	/* the only one that may be a bitfield */
	if (found->is_bit && (m != SKB_VLAN_PRESENT || found->size != 1 || found->bit > 7))
		return false;
	l->at[m].offset = (u32)found->offset;
	l->at[m].size = (u32)found->size;
	l->at[m].is_bit = found->is_bit;
	l->at[m].bit = found->bit;
	l->at[m].source = source;
	return true;
}

static void running_release(char *release, size_t size)
{
	struct utsname name;

	release[0] = '\0';
	if (!uname(&name))
		snprintf(release, size, "%s", name.release);
}

/* Whether what a named file says of itself fits the running kernel. */
static int check_kernel(const struct layout *l, const char *path, const char *root,
			struct error *err)
{
	char build_id[sizeof(l->build_id)];
	char release[sizeof(l->kernel)];

	build_id_read(build_id, sizeof(build_id), root);
	running_release(release, sizeof(release));
	if (l->long_size && l->little_endian == HOST_BIG_ENDIAN)
		return error_set(err, EINVAL, "%s is of a machine with the other byte order", path);
	if (build_id[0] && l->build_id[0]) {
		if (!strcmp(build_id, l->build_id))
			return 0;
		return error_set(
			err, EINVAL,
			"%s is of another kernel: its build id is %s, the running one's %s", path,
			l->build_id, build_id);
	}
	if (release[0] && l->kernel[0] && strcmp(release, l->kernel))
		return error_set(err, EINVAL, "%s is of kernel %s, and %s is running", path,
				 l->kernel, release);
	return 0;
}

static int load_file(struct layout *out, const struct structs_options *options, const char *root,
		     struct error *err)
{
	struct strbuf text = STRBUF_INIT;
	char words[sizeof(out->from)];
	int ret;

	ret = strbuf_read_file(&text, options->file, FILE_MAX_BYTES);
	if (!ret && text.failed)
		ret = -ENOMEM;
	if (ret) {
		error_errno(err, -ret, "cannot read %s", options->file);
		goto out;
	}
	ret = structs_read_text(out, text.data, text.len, err);
	if (ret) {
		error_prepend(err, "%s: ", options->file);
		goto out;
	}
	memcpy(words, out->from, sizeof(words));
	snprintf(out->from, sizeof(out->from), words[0] ? "%.120s (%.120s)" : "%.120s",
		 options->file, words);
	if (!options->any_kernel)
		ret = check_kernel(out, options->file, root, err);
out:
	strbuf_free(&text);
	return ret;
}

static int load_dwarf(struct layout *out, const struct structs_options *options, const char *root,
		      struct error *err)
{
	char build_id[sizeof(out->build_id)];
	size_t i;
	int ret;

	for (i = 0; i < options->nr_dwarf; i++) {
		ret = dwarf_load(out, options->dwarf[i], err);
		if (!ret && !options->any_kernel)
			ret = check_kernel(out, options->dwarf[i], root, err);
		if (ret)
			return ret;
	}
	out->source = STRUCTS_DWARF;
	snprintf(out->from, sizeof(out->from), "%s", options->dwarf[0]);
	if (options->nr_dwarf > 1)
		snprintf(out->from, sizeof(out->from), "%.200s and %zu more", options->dwarf[0],
			 options->nr_dwarf - 1);
	build_id_read(build_id, sizeof(build_id), root);
	if (!options->no_cache && build_id[0] && !strcmp(build_id, out->build_id))
		cache_write(out, root);
	return 0;
}

/* What calibration found, as a layout. */
static void take_calibration(struct layout *out, const struct calibration *cal, u8 tried)
{
	const struct cal_finding *f;
	int m;

	memset(out, 0, sizeof(*out));
	for (m = 0; m < MEMBER_COUNT; m++) {
		f = &cal->of[m];
		if (f->state == CAL_FOUND)
			layout_put(out, (enum member)m,
				   &(struct found){ .offset = f->place.offset,
						    .size = f->place.size,
						    .is_bit = f->place.is_bit,
						    .bit = f->place.bit },
				   STRUCTS_CALIBRATION);
	}
	out->tried = tried | LAYOUT_TRIED;
	out->source = STRUCTS_CALIBRATION;
	out->little_endian = !HOST_BIG_ENDIAN;
	out->long_size = sizeof(long);
	snprintf(out->from, sizeof(out->from), "%u packets in a private network", cal->packets);
}

/* Not over what debug info told: that is more. */
static bool may_cache(const char *root, const char *build_id)
{
	struct layout kept;

	return build_id[0] && (cache_read(&kept, root, build_id) || kept.tried & LAYOUT_TRIED);
}

static int load_calibrated(struct layout *out, const struct structs_options *options,
			   const char *root, const char *build_id, struct error *err)
{
	struct calibration own;
	struct calibration *cal = options->calibration ? options->calibration : &own;
	u8 tried = calibrate_netfilter_now(root);
	int ret = calibrate(cal, options->progress, NULL, err);

	if (ret)
		return ret;
	take_calibration(out, cal, tried);
	memcpy(out->build_id, build_id, sizeof(out->build_id));
	running_release(out->kernel, sizeof(out->kernel));
	if (!options->no_cache && layout_known(out) && may_cache(root, build_id))
		cache_write(out, root);
	return 0;
}

/* Whether calibration would tell more now than what it told the cache. */
static bool is_outdated(const struct layout *l, const char *root)
{
	u8 wants = 0;

	if (!(l->tried & LAYOUT_TRIED))
		return false;
	if (!(l->tried & LAYOUT_TRIED_NFT))
		wants |= LAYOUT_TRIED_NFT;
	if (!(l->tried & LAYOUT_TRIED_XT))
		wants |= LAYOUT_TRIED_XT;
	return wants && calibrate_netfilter_now(root) & wants;
}

static int load_running(struct layout *out, const struct structs_options *options,
			struct error *err)
{
	const char *root = options->root ? options->root : "";
	char build_id[sizeof(out->build_id)];
	struct error why = { 0 };
	struct layout found;
	bool known;

	build_id_read(build_id, sizeof(build_id), root);
	if (options->calibrate == STRUCTS_CALIBRATE_ALWAYS)
		return load_calibrated(out, options, root, build_id, err);
	known = !btf_load(out, root) ||
		(!options->no_cache && build_id[0] && !cache_read(out, root, build_id));
	if (!known)
		memset(out, 0, sizeof(*out));
	running_release(out->kernel, sizeof(out->kernel));
	memcpy(out->build_id, build_id, sizeof(build_id));
	if (options->calibrate != STRUCTS_CALIBRATE_NEEDED || root[0] ||
	    (known && !is_outdated(out, root)))
		return 0;
	if (!load_calibrated(&found, options, root, build_id, &why))
		*out = found;
	else
		snprintf(out->why, sizeof(out->why), "%.250s", why.text);
	return 0;
}

int structs_load(struct layout *out, const struct structs_options *options, struct error *err)
{
	const char *root = options->root ? options->root : "";
	int ret = 0;

	memset(out, 0, sizeof(*out));
	if (options->file)
		ret = load_file(out, options, root, err);
	else if (options->nr_dwarf)
		ret = load_dwarf(out, options, root, err);
	else
		ret = load_running(out, options, err);
	if (ret)
		memset(out, 0, sizeof(*out));
	return ret;
}
