// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where members are: from BTF made here, from text, from the cache, and from a small object's DWARF.
 */
#include "unit.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "kernel/structs.h"
#include "kernel/structs_priv.h"
#include "tree.h"

#define BUILD_ID "00112233445566778899aabbccddeeff00112233"
#define CACHE "var/cache/skbtrail"

struct fixture {
	char *root;
	struct layout l;
	struct error err;
	struct strbuf text;
};

static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));

	fix->root = tree_new();
	*state = fix;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	strbuf_free(&fix->text);
	tree_free(fix->root);
	free(fix);
	return 0;
}

static void write_bytes(const struct fixture *fix, const char *path, const void *bytes, size_t len)
{
	char whole[256];
	FILE *file;

	tree_file(fix->root, path, "");
	snprintf(whole, sizeof(whole), "%s/%s", fix->root, path);
	file = fopen(whole, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void expect_place(const struct layout *l, enum member m, u32 offset, u32 size)
{
	if (l->at[m].offset != offset || l->at[m].size != size)
		fail_msg("%s is at %u, %u bytes; expected %u, %u", member_name(m), l->at[m].offset,
			 l->at[m].size, offset, size);
}

static void load(struct fixture *fix)
{
	struct structs_options options = { .root = fix->root };

	assert_int_equal(structs_load(&fix->l, &options, &fix->err), 0);
}

/* The notes of a kernel: somebody else's, then the build id. */
static void make_notes(const struct fixture *fix)
{
	static const u32 head[] = { 4, 5, 3 };
	static const u32 other[] = { 6, 1, 3 };
	u8 notes[64] = { 0 };
	size_t len = 0;
	u32 desc_len = 20;
	int i;

	memcpy(notes, other, 12);
	memcpy(notes + 12, "Linux", 6);
	len = 12 + 8 + 4;
	memcpy(notes + len, head, 12);
	memcpy(notes + len + 4, &desc_len, 4);
	memcpy(notes + len + 12, "GNU", 4);
	for (i = 0; i < 20; i++)
		notes[len + 16 + (size_t)i] = (u8)(i % 16 * 0x11);
	write_bytes(fix, "sys/kernel/notes", notes, len + 36);
}

/* ---- BTF */

struct types {
	struct btf *btf;
	int u8, u16, u32, u64, pointer;
};

static void types_init(struct types *t)
{
	t->btf = btf__new_empty();
	assert_non_null(t->btf);
	t->u8 = btf__add_int(t->btf, "unsigned char", 1, 0);
	t->u16 = btf__add_int(t->btf, "short unsigned int", 2, 0);
	t->u32 = btf__add_int(t->btf, "unsigned int", 4, 0);
	t->u64 = btf__add_int(t->btf, "long unsigned int", 8, 0);
	t->pointer = btf__add_ptr(t->btf, 0);
	assert_true(t->pointer > 0);
}

static void field(struct types *t, const char *name, int type, u32 byte)
{
	assert_int_equal(btf__add_field(t->btf, name, type, byte * 8, 0), 0);
}

static void types_save(struct types *t, const struct fixture *fix, const char *path)
{
	const void *raw;
	u32 size;

	raw = btf__raw_data(t->btf, &size);
	assert_non_null(raw);
	write_bytes(fix, path, raw, size);
	btf__free(t->btf);
	t->btf = NULL;
}

/*
 * struct sk_buff as kernels have it: a device in a structure in a union, headers in a structure group
 * that is there once without and once with a name, bitfields.
 */
static int add_skb(struct types *t)
{
	int list, list_union, group, named, vlan, vlans;

	list = btf__add_struct(t->btf, NULL, 24);
	field(t, "next", t->pointer, 0);
	field(t, "prev", t->pointer, 8);
	field(t, "dev", t->pointer, 16);
	list_union = btf__add_union(t->btf, NULL, 24);
	field(t, NULL, list, 0);
	field(t, "list", t->u64, 0);
	vlan = btf__add_struct(t->btf, NULL, 4);
	field(t, "vlan_proto", t->u16, 0);
	field(t, "vlan_tci", t->u16, 2);
	vlans = btf__add_union(t->btf, NULL, 4);
	field(t, "vlan_all", t->u32, 0);
	field(t, NULL, vlan, 0);
	group = btf__add_struct(t->btf, NULL, 16);
	field(t, "skb_iif", t->u32, 0);
	field(t, NULL, vlans, 4);
	field(t, "protocol", t->u16, 8);
	field(t, "network_header", t->u16, 10);
	named = btf__add_struct(t->btf, NULL, 16);
	field(t, "skb_iif", t->u32, 0);
	list = btf__add_union(t->btf, NULL, 16);
	field(t, NULL, group, 0);
	field(t, "headers", named, 0);
	group = list;
	list = btf__add_struct(t->btf, "sk_buff", 64);
	field(t, NULL, list_union, 0);
	field(t, "len", t->u32, 24);
	/* as if these two had been made bitfields: one at a byte's beginning, one not */
	assert_int_equal(btf__add_field(t->btf, "mark", t->u32, 28 * 8, 31), 0);
	assert_int_equal(btf__add_field(t->btf, "data_len", t->u32, 32 * 8 + 3, 5), 0);
	field(t, NULL, group, 40);
	field(t, "head", t->pointer, 56);
	return list;
}

static void make_vmlinux_btf(const struct fixture *fix)
{
	int common, alias, net, holder, skb, name, pointer, pointer2, proto;
	struct types t;

	types_init(&t);
	skb = add_skb(&t);
	common = btf__add_struct(t.btf, "ns_common", 16);
	field(&t, "stashed", t.u64, 0);
	field(&t, "inum", t.u32, 8);
	alias = btf__add_typedef(t.btf, "ns_common_t", btf__add_const(t.btf, common));
	net = btf__add_struct(t.btf, "net", 128);
	field(&t, "passive", t.u32, 0);
	field(&t, "ns", alias, 64);
	pointer = btf__add_ptr(t.btf, net);
	holder = btf__add_struct(t.btf, NULL, 8);
	field(&t, "net", pointer, 0);
	holder = btf__add_typedef(t.btf, "possible_net_t", holder);
	name = btf__add_array(t.btf, t.u32, t.u8, 16);
	btf__add_struct(t.btf, "net_device", 256);
	field(&t, "name", name, 32);
	field(&t, "nd_net", holder, 200);
	btf__add_struct(t.btf, "dst_entry", 64);
	field(&t, "dev_rcu", t.pointer, 8);
	common = btf__add_struct(t.btf, "nf_hook_entry", 16);
	field(&t, "hook", t.pointer, 0);
	name = btf__add_array(t.btf, t.u32, common, 0);
	btf__add_struct(t.btf, "nf_hook_entries", 8);
	field(&t, "hooks", name, 8);
	/* two structures of one name that do not agree, and two that do */
	btf__add_struct(t.btf, "socket", 32);
	field(&t, "sk", t.pointer, 24);
	btf__add_struct(t.btf, "socket", 32);
	field(&t, "sk", t.pointer, 16);
	btf__add_struct(t.btf, "file", 32);
	field(&t, "private_data", t.pointer, 16);
	btf__add_struct(t.btf, "file", 64);
	field(&t, "private_data", t.pointer, 16);
	/* int ip_rcv(struct sk_buff *, struct net_device *), and others */
	pointer = btf__add_ptr(t.btf, btf__add_const(t.btf, skb));
	pointer2 = btf__add_ptr(t.btf, btf__add_ptr(t.btf, skb));
	proto = btf__add_func_proto(t.btf, t.u32);
	assert_int_equal(btf__add_func_param(t.btf, "skb", pointer), 0);
	assert_int_equal(btf__add_func_param(t.btf, "dev", t.pointer), 0);
	btf__add_func(t.btf, "ip_rcv", BTF_FUNC_STATIC, proto);
	proto = btf__add_func_proto(t.btf, t.u32);
	assert_int_equal(btf__add_func_param(t.btf, "net", t.pointer), 0);
	assert_int_equal(btf__add_func_param(t.btf, "sk", t.u64), 0);
	assert_int_equal(btf__add_func_param(t.btf, "pskb", pointer2), 0);
	btf__add_func(t.btf, "core", BTF_FUNC_STATIC, proto);
	pointer = btf__add_ptr(t.btf, pointer2);
	proto = btf__add_func_proto(t.btf, t.u32);
	assert_int_equal(btf__add_func_param(t.btf, "by_value", skb), 0);
	assert_int_equal(btf__add_func_param(t.btf, "three", pointer), 0);
	btf__add_func(t.btf, "no_skb", BTF_FUNC_STATIC, proto);
	types_save(&t, fix, "sys/kernel/btf/vmlinux");
}

/* BTF of a module stands on the kernel's. */
static void make_module_btf(const struct fixture *fix)
{
	struct btf *base;
	struct types t;
	char path[256];
	int proto, skb;

	snprintf(path, sizeof(path), "%s/sys/kernel/btf/vmlinux", fix->root);
	base = btf__parse_raw(path);
	assert_non_null(base);
	t.btf = btf__new_empty_split(base);
	t.u32 = btf__find_by_name_kind(base, "unsigned int", BTF_KIND_INT);
	t.pointer = btf__add_ptr(t.btf, 0);
	skb = btf__add_ptr(t.btf, btf__find_by_name_kind(base, "sk_buff", BTF_KIND_STRUCT));
	btf__add_struct(t.btf, "nft_pktinfo", 32);
	field(&t, "skb", skb, 0);
	field(&t, "state", t.pointer, 8);
	/* not this module's to tell */
	btf__add_struct(t.btf, "sock", 32);
	field(&t, "__sk_common", t.u32, 0);
	btf__add_struct(t.btf, "xt_table", 32);
	field(&t, "name", t.u32, 4);
	proto = btf__add_func_proto(t.btf, 0);
	assert_int_equal(btf__add_func_param(t.btf, "info", t.pointer), 0);
	assert_int_equal(btf__add_func_param(t.btf, "skb", skb), 0);
	btf__add_func(t.btf, "nft_do_chain_skb", BTF_FUNC_STATIC, proto);
	types_save(&t, fix, "sys/kernel/btf/nf_tables");
	btf__free(base);
}

static void members_are_found_in_btf(void **state)
{
	struct fixture *fix = *state;

	make_vmlinux_btf(fix);
	load(fix);
	assert_int_equal(fix->l.source, STRUCTS_BTF);
	assert_int_equal(fix->l.skb_size, 64);
	assert_int_equal(fix->l.long_size, 8);
	assert_int_equal(fix->l.little_endian, !HOST_BIG_ENDIAN);
	expect_place(&fix->l, SKB_LEN, 24, 4);
	expect_place(&fix->l, SKB_HEAD, 56, 8);
	expect_place(&fix->l, DEV_NAME, 32, 16);
	expect_place(&fix->l, DEV_NET, 200, 8);
	expect_place(&fix->l, NET_INUM, 72, 4);
	assert_int_equal(fix->l.at[SKB_LEN].source, STRUCTS_BTF);
	assert_true(fix->l.kernel[0]);
}

static void members_in_nameless_structures_are_found(void **state)
{
	struct fixture *fix = *state;

	make_vmlinux_btf(fix);
	load(fix);
	expect_place(&fix->l, SKB_DEV, 16, 8);
	expect_place(&fix->l, SKB_IIF, 40, 4);
	expect_place(&fix->l, SKB_VLAN_TCI, 46, 2);
	expect_place(&fix->l, SKB_VLAN_PROTO, 44, 2);
	expect_place(&fix->l, SKB_VLAN_PRESENT, 44, 4);
	assert_false(fix->l.at[SKB_VLAN_PRESENT].is_bit);
	expect_place(&fix->l, SKB_PROTOCOL, 48, 2);
	expect_place(&fix->l, SKB_NETWORK, 50, 2);
}

static void bitfields_are_no_members(void **state)
{
	struct fixture *fix = *state;

	make_vmlinux_btf(fix);
	load(fix);
	assert_false(layout_has(&fix->l, SKB_MARK));
	assert_false(layout_has(&fix->l, SKB_DATA_LEN));
}

/* Before 6.2 it is a bit. It is counted as the processor numbers bits, and here from the lowest of a byte. */
static void a_flag_is_found_in_a_bitfield(void **state)
{
	static const struct {
		u32 offset_bits, bits;
		bool big_endian, found;
		u32 offset;
		u8 bit;
	} cases[] = {
		{ 126 * 8 + 7, 1, false, true, 126, 7 }, { 126 * 8, 1, false, true, 126, 0 },
		{ 127 * 8 + 3, 1, false, true, 127, 3 }, { 126 * 8 + 7, 1, true, true, 126, 0 },
		{ 126 * 8 + 1, 1, true, true, 126, 6 },	 { 126 * 8 + 6, 2, false, false, 0, 0 },
	};
	struct fixture *fix = *state;
	struct types t;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		types_init(&t);
		assert_int_equal(btf__set_endianness(t.btf, cases[i].big_endian ?
								    BTF_BIG_ENDIAN :
								    BTF_LITTLE_ENDIAN),
				 0);
		btf__add_struct(t.btf, "sk_buff", 232);
		field(&t, "len", t.u32, 112);
		assert_int_equal(btf__add_field(t.btf, "vlan_present", t.u8, cases[i].offset_bits,
						(int)cases[i].bits),
				 0);
		types_save(&t, fix, "sys/kernel/btf/vmlinux");
		load(fix);
		expect_place(&fix->l, SKB_VLAN_PRESENT, cases[i].offset, cases[i].found);
		assert_int_equal(fix->l.at[SKB_VLAN_PRESENT].is_bit, cases[i].found);
		assert_int_equal(fix->l.at[SKB_VLAN_PRESENT].bit, cases[i].bit);
	}
}

static void renamed_member_is_found(void **state)
{
	struct fixture *fix = *state;

	make_vmlinux_btf(fix);
	load(fix);
	expect_place(&fix->l, DST_DEV, 8, 8);
}

static void array_without_length_has_the_size_of_an_element(void **state)
{
	struct fixture *fix = *state;

	make_vmlinux_btf(fix);
	load(fix);
	expect_place(&fix->l, NFENTRIES_HOOKS, 8, 16);
}

static void structures_that_disagree_are_not_believed(void **state)
{
	struct fixture *fix = *state;

	make_vmlinux_btf(fix);
	load(fix);
	assert_false(layout_has(&fix->l, SOCKET_SK));
	expect_place(&fix->l, FILE_PRIVATE, 16, 8);
}

static void modules_tell_of_their_own_structures_only(void **state)
{
	struct fixture *fix = *state;

	make_vmlinux_btf(fix);
	load(fix);
	assert_false(layout_has(&fix->l, NFT_PKT_SKB));
	make_module_btf(fix);
	load(fix);
	expect_place(&fix->l, NFT_PKT_SKB, 0, 8);
	expect_place(&fix->l, NFT_PKT_STATE, 8, 8);
	assert_false(layout_has(&fix->l, XT_TABLE_NAME));
	expect_place(&fix->l, SKB_DEV, 16, 8);
}

static void argument_is_found_from_prototypes(void **state)
{
	struct fixture *fix = *state;
	bool by_reference = true;

	make_vmlinux_btf(fix);
	make_module_btf(fix);
	assert_int_equal(structs_skb_argument(fix->root, "ip_rcv", &by_reference), 1);
	assert_false(by_reference);
	assert_int_equal(structs_skb_argument(fix->root, "core", &by_reference), 3);
	assert_true(by_reference);
	assert_int_equal(structs_skb_argument(fix->root, "no_skb", &by_reference), 0);
	assert_false(by_reference);
	assert_int_equal(structs_skb_argument(fix->root, "nft_do_chain_skb", &by_reference), 2);
	assert_int_equal(structs_skb_argument(fix->root, "not_there", &by_reference), -ENOENT);
	/* a type of that name is no function */
	assert_int_equal(structs_skb_argument(fix->root, "sk_buff", &by_reference), -ENOENT);
}

static void without_btf_everything_is_unknown(void **state)
{
	struct fixture *fix = *state;
	bool by_reference;

	load(fix);
	assert_int_equal(layout_known(&fix->l), 0);
	assert_int_equal(fix->l.source, STRUCTS_NONE);
	assert_int_equal(fix->err.text[0], 0);
	assert_int_equal(structs_skb_argument(fix->root, "ip_rcv", &by_reference), -ENODATA);
}

/* Every place to cut the file at, and every byte of it changed: no crash, no place out of range. */
static void damaged_btf_does_no_harm(void **state)
{
	struct fixture *fix = *state;
	struct strbuf whole = STRBUF_INIT;
	bool by_reference;
	char path[256];
	size_t i;
	int m;

	make_vmlinux_btf(fix);
	snprintf(path, sizeof(path), "%s/sys/kernel/btf/vmlinux", fix->root);
	assert_int_equal(strbuf_read_file(&whole, path, 1 << 20), 0);
	assert_true(whole.len > 1000);
	for (i = 0; i < whole.len; i += 7) {
		write_bytes(fix, "sys/kernel/btf/vmlinux", whole.data, i);
		load(fix);
	}
	for (i = 0; i < whole.len; i++) {
		whole.data[i] = (char)~whole.data[i];
		write_bytes(fix, "sys/kernel/btf/vmlinux", whole.data, whole.len);
		whole.data[i] = (char)~whole.data[i];
		load(fix);
		structs_skb_argument(fix->root, "ip_rcv", &by_reference);
		for (m = 0; m < MEMBER_COUNT; m++)
			assert_true(fix->l.at[m].offset <= 65535 && fix->l.at[m].size <= 4096);
	}
	strbuf_free(&whole);
}

/* ---- text */

static const char good_text[] = "# skbtrail structs 1\n"
				"kernel 6.1.0-56-cloud-amd64\n"
				"build-id " BUILD_ID "\n"
				"source BTF, /sys/kernel/btf/vmlinux\n"
				"skb-size 232\n"
				"long-size 8\n"
				"byte-order little\n"
				"sk_buff.dev 16 8\n"
				"net.ns.inum 144 4\n";

static int read_text(struct fixture *fix, const char *text)
{
	memset(&fix->err, 0, sizeof(fix->err));
	return structs_read_text(&fix->l, text, strlen(text), &fix->err);
}

static void text_is_read(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(read_text(fix, good_text), 0);
	assert_string_equal(fix->l.kernel, "6.1.0-56-cloud-amd64");
	assert_string_equal(fix->l.build_id, BUILD_ID);
	assert_int_equal(fix->l.skb_size, 232);
	assert_int_equal(fix->l.long_size, 8);
	assert_true(fix->l.little_endian);
	expect_place(&fix->l, SKB_DEV, 16, 8);
	expect_place(&fix->l, NET_INUM, 144, 4);
	assert_int_equal(layout_known(&fix->l), 2);
	assert_int_equal(fix->l.at[SKB_DEV].source, STRUCTS_FILE);
}

static void text_of_what_was_read_is_the_same(void **state)
{
	struct fixture *fix = *state;
	struct layout again;

	make_vmlinux_btf(fix);
	make_notes(fix);
	load(fix);
	assert_string_equal(fix->l.build_id, BUILD_ID);
	assert_int_equal(structs_write_text(&fix->l, &fix->text), 0);
	assert_int_equal(structs_read_text(&again, fix->text.data, fix->text.len, &fix->err), 0);
	assert_string_equal(again.build_id, fix->l.build_id);
	assert_string_equal(again.kernel, fix->l.kernel);
	assert_string_equal(again.from, "BTF, /sys/kernel/btf/vmlinux");
	assert_int_equal(again.skb_size, fix->l.skb_size);
	assert_int_equal(again.long_size, fix->l.long_size);
	assert_int_equal(again.little_endian, fix->l.little_endian);
	assert_int_equal(layout_known(&again), layout_known(&fix->l));
	for (int m = 0; m < MEMBER_COUNT; m++)
		expect_place(&again, (enum member)m, fix->l.at[m].offset, fix->l.at[m].size);
}

static void names_of_later_versions_are_passed_over(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(read_text(fix, "# skbtrail structs 1\n\n# a word\npage-size 4 k\n"
					"sk_buff.flavour sweet\nsk_buff.len 112 4\n"),
			 0);
	assert_int_equal(layout_known(&fix->l), 1);
	expect_place(&fix->l, SKB_LEN, 112, 4);
}

static void hostile_text_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{ "", "empty" },
		{ "\n", "line 1" },
		{ "# skbtrail structs 2\n", "line 1" },
		{ "# skbtrail structs 1 \n", "line 1" },
		{ "sk_buff.dev 16 8\n", "line 1" },
		{ "# skbtrail structs 1", "line 1: cut short" },
		{ "# skbtrail structs 1\nsk_buff.dev 16 8", "line 2: cut short" },
		{ "# skbtrail structs 1\nsk_buff.dev 16\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.dev\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.dev 16 8 8\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.dev 16 8 \n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.dev  16 8\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.dev -16 8\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.dev +16 8\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.dev 0x10 8\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.dev 16 8)):string\n", "line 2" },
		{ "# skbtrail structs 1\nnet.ns.inum 65536 4\n", "line 2" },
		{ "# skbtrail structs 1\nnet.ns.inum 4294967300 4\n", "line 2" },
		{ "# skbtrail structs 1\nnet.ns.inum 18446744073709551616 4\n", "line 2" },
		{ "# skbtrail structs 1\nnet.ns.inum 16 0\n", "line 2" },
		{ "# skbtrail structs 1\nnet.ns.inum 16 4097\n", "line 2" },
		{ "# skbtrail structs 1\nnet.ns.inum 1 4\nnet.ns.inum 1 4\n",
		  "line 3: said twice" },
		{ "# skbtrail structs 1\nsk_buff.vlan_present 126 1 8\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.vlan_present 126 1 256\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.vlan_present 126 1 -1\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.vlan_present 126 1 \n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.vlan_present 126 1 7 7\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.vlan_present 126 2 7\n", "line 2" },
		{ "# skbtrail structs 1\nsk_buff.len 112 1 7\n", "line 2" },
		{ "# skbtrail structs 1\nskb-size 126\nsk_buff.vlan_present 126 1 7\n",
		  "sk_buff.vlan_present" },
		{ "# skbtrail structs 1\nskb-size 232\nskb-size 232\n", "line 3: said twice" },
		{ "# skbtrail structs 1\nskb-size 0\n", "line 2" },
		{ "# skbtrail structs 1\nskb-size 5000\n", "line 2" },
		{ "# skbtrail structs 1\nskb-size 232x\n", "line 2" },
		{ "# skbtrail structs 1\nskb-size 232\nsk_buff.len 229 4\n", "sk_buff.len" },
		{ "# skbtrail structs 1\nsk_buff.len 65535 4\nskb-size 232\n", "sk_buff.len" },
		{ "# skbtrail structs 1\nlong-size 16\n", "line 2" },
		{ "# skbtrail structs 1\nbyte-order middle\n", "line 2" },
		{ "# skbtrail structs 1\nbuild-id xyz\n", "line 2" },
		{ "# skbtrail structs 1\nbuild-id abc\n", "line 2" },
		{ "# skbtrail structs 1\nbuild-id ../../../etc/passwd\n", "line 2" },
		{ "# skbtrail structs 1\nkernel a b\n", "line 2" },
		{ "# skbtrail structs 1\nkernel \033[2J\n", "line 2: not plain text" },
		{ "# skbtrail structs 1\r\n", "line 1: not plain text" },
		{ "# skbtrail structs 1\n source x\n", "line 2" },
	};
	struct fixture *fix = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (read_text(fix, cases[i].text) != -EINVAL)
			fail_msg("accepted: %s", cases[i].text);
		if (!strstr(fix->err.text, cases[i].says))
			fail_msg("'%s' is not said of %s but '%s'", cases[i].says, cases[i].text,
				 fix->err.text);
	}
	assert_int_equal(structs_read_text(&fix->l, "# skbtrail structs 1\n\0\n", 23, &fix->err),
			 -EINVAL);
}

/* With a fourth word of a bit; the three of before mean what they meant. */
static void a_bit_is_written_and_read(void **state)
{
	static const char text[] = "# skbtrail structs 1\nsource nothing\nsk_buff.len 112 4\n"
				   "sk_buff.vlan_present 126 1 7\n";
	static const char word[] = "# skbtrail structs 1\nsk_buff.vlan_present 156 4\n";
	struct fixture *fix = *state;

	assert_int_equal(read_text(fix, word), 0);
	expect_place(&fix->l, SKB_VLAN_PRESENT, 156, 4);
	assert_false(fix->l.at[SKB_VLAN_PRESENT].is_bit);
	assert_int_equal(read_text(fix, text), 0);
	expect_place(&fix->l, SKB_LEN, 112, 4);
	assert_false(fix->l.at[SKB_LEN].is_bit);
	expect_place(&fix->l, SKB_VLAN_PRESENT, 126, 1);
	assert_true(fix->l.at[SKB_VLAN_PRESENT].is_bit);
	assert_int_equal(fix->l.at[SKB_VLAN_PRESENT].bit, 7);
	fix->l.source = STRUCTS_NONE;
	fix->l.from[0] = '\0';
	assert_int_equal(structs_write_text(&fix->l, &fix->text), 0);
	assert_string_equal(strbuf_cstr(&fix->text), text);
}

static void long_lines_are_refused(void **state)
{
	static const char *const words[] = { "kernel",	    "build-id", "source",
					     "sk_buff.dev", "x",	"x.y" };
	struct fixture *fix = *state;
	char text[2000];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		snprintf(text, sizeof(text), "# skbtrail structs 1\n%s %0900d\n", words[i], 1);
		assert_int_equal(read_text(fix, text), -EINVAL);
		assert_non_null(strstr(fix->err.text, "line 2"));
	}
}

/* Every good text cut anywhere is refused, or tells less and nothing else. */
static void cut_text_tells_nothing_wrong(void **state)
{
	struct fixture *fix = *state;
	struct layout l;
	size_t i;
	int m;

	assert_int_equal(read_text(fix, good_text), 0);
	for (i = 0; i < strlen(good_text); i++) {
		if (structs_read_text(&l, good_text, i, &fix->err))
			continue;
		for (m = 0; m < MEMBER_COUNT; m++)
			if (layout_has(&l, (enum member)m))
				expect_place(&l, (enum member)m, fix->l.at[m].offset,
					     fix->l.at[m].size);
	}
}

/* ---- a file that the user names */

static int load_file(struct fixture *fix, const char *text, bool any_kernel)
{
	struct structs_options options = { .root = fix->root, .any_kernel = any_kernel };
	char path[256];

	tree_file(fix->root, "home/a.structs", text);
	snprintf(path, sizeof(path), "%s/home/a.structs", fix->root);
	options.file = path;
	memset(&fix->err, 0, sizeof(fix->err));
	return structs_load(&fix->l, &options, &fix->err);
}

static void file_of_this_build_is_used_alone(void **state)
{
	struct fixture *fix = *state;

	make_vmlinux_btf(fix);
	make_notes(fix);
	assert_int_equal(load_file(fix, good_text, false), 0);
	assert_int_equal(fix->l.source, STRUCTS_FILE);
	assert_int_equal(layout_known(&fix->l), 2);
	assert_non_null(strstr(fix->l.from, "home/a.structs (BTF, /sys/kernel/btf/vmlinux)"));
}

static void file_of_another_build_is_refused(void **state)
{
	struct fixture *fix = *state;

	make_notes(fix);
	assert_int_equal(load_file(fix, "# skbtrail structs 1\nbuild-id aabb\nsk_buff.len 112 4\n",
				   false),
			 -EINVAL);
	assert_non_null(strstr(fix->err.text, "aabb"));
	assert_non_null(strstr(fix->err.text, BUILD_ID));
	assert_int_equal(layout_known(&fix->l), 0);
	assert_int_equal(load_file(fix, "# skbtrail structs 1\nbuild-id aabb\nsk_buff.len 112 4\n",
				   true),
			 0);
	assert_int_equal(layout_known(&fix->l), 1);
}

static void file_of_another_release_is_refused(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(load_file(fix, "# skbtrail structs 1\nkernel 0.0.1\nsk_buff.len 112 4\n",
				   false),
			 -EINVAL);
	assert_non_null(strstr(fix->err.text, "0.0.1"));
	assert_int_equal(load_file(fix, "# skbtrail structs 1\nsk_buff.len 112 4\n", false), 0);
}

static void file_of_the_other_byte_order_is_refused(void **state)
{
	struct fixture *fix = *state;
	char text[200];

	snprintf(text, sizeof(text),
		 "# skbtrail structs 1\nlong-size 8\nbyte-order %s\nsk_buff.len 112 4\n",
		 HOST_BIG_ENDIAN ? "little" : "big");
	assert_int_equal(load_file(fix, text, false), -EINVAL);
	assert_non_null(strstr(fix->err.text, "byte order"));
}

static void bad_file_is_named_in_its_error(void **state)
{
	struct fixture *fix = *state;
	struct structs_options options = { .root = fix->root, .file = "/nonexistent/a.structs" };

	assert_int_equal(load_file(fix, "# skbtrail structs 1\nsk_buff.len 112\n", false), -EINVAL);
	assert_non_null(strstr(fix->err.text, "home/a.structs: line 2"));
	assert_int_equal(structs_load(&fix->l, &options, &fix->err), -ENOENT);
	assert_non_null(strstr(fix->err.text, "/nonexistent/a.structs"));
}

/* ---- the cache */

static void make_cache(const struct fixture *fix, const char *text)
{
	char path[256];

	make_notes(fix);
	tree_file(fix->root, CACHE "/" BUILD_ID, text);
	snprintf(path, sizeof(path), "%s/" CACHE, fix->root);
	assert_int_equal(chmod(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/" CACHE "/" BUILD_ID, fix->root);
	assert_int_equal(chmod(path, 0600), 0);
}

static void change_mode(const struct fixture *fix, const char *what, mode_t mode)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", fix->root, what);
	assert_int_equal(chmod(path, mode), 0);
}

static mode_t mode_of(const struct fixture *fix, const char *what)
{
	struct stat st;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", fix->root, what);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void cache_is_used_without_btf(void **state)
{
	struct structs_options options = { .no_cache = true };
	struct fixture *fix = *state;

	if (HOST_BIG_ENDIAN)
		skip();
	make_cache(fix, good_text);
	load(fix);
	assert_int_equal(fix->l.source, STRUCTS_CACHE);
	assert_int_equal(fix->l.at[SKB_DEV].source, STRUCTS_CACHE);
	expect_place(&fix->l, SKB_DEV, 16, 8);
	options.root = fix->root;
	assert_int_equal(structs_load(&fix->l, &options, &fix->err), 0);
	assert_int_equal(layout_known(&fix->l), 0);
}

static void btf_is_better_than_the_cache(void **state)
{
	struct fixture *fix = *state;

	make_cache(fix, good_text);
	make_vmlinux_btf(fix);
	load(fix);
	assert_int_equal(fix->l.source, STRUCTS_BTF);
	expect_place(&fix->l, NET_INUM, 72, 4);
}

static void expect_cache_ignored(struct fixture *fix, const char *why)
{
	load(fix);
	if (layout_known(&fix->l))
		fail_msg("used: %s", why);
	assert_int_equal(fix->l.source, STRUCTS_NONE);
	assert_string_equal(fix->l.build_id, BUILD_ID);
}

static void cache_that_others_may_write_is_ignored(void **state)
{
	struct fixture *fix = *state;
	char path[256], other[256];

	make_cache(fix, good_text);
	change_mode(fix, CACHE, 0770);
	expect_cache_ignored(fix, "directory open to its group");
	change_mode(fix, CACHE, 0700);
	change_mode(fix, CACHE "/" BUILD_ID, 0602);
	expect_cache_ignored(fix, "file that others may write");
	change_mode(fix, CACHE "/" BUILD_ID, 0600);
	if (!geteuid()) {
		snprintf(path, sizeof(path), "%s/" CACHE "/" BUILD_ID, fix->root);
		assert_int_equal(chown(path, 65534, 65534), 0);
		expect_cache_ignored(fix, "file of somebody else");
		assert_int_equal(chown(path, 0, 0), 0);
		snprintf(path, sizeof(path), "%s/" CACHE, fix->root);
		assert_int_equal(chown(path, 65534, 65534), 0);
		expect_cache_ignored(fix, "directory of somebody else");
		assert_int_equal(chown(path, 0, 0), 0);
	}
	snprintf(path, sizeof(path), "%s/" CACHE "/" BUILD_ID, fix->root);
	snprintf(other, sizeof(other), "%s/" CACHE "/other", fix->root);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink("other", path), 0);
	expect_cache_ignored(fix, "link to a file");
}

static void damaged_cache_is_ignored(void **state)
{
	struct fixture *fix = *state;

	make_cache(fix, "# skbtrail structs 1\nbuild-id " BUILD_ID "\nsk_buff.dev 16\n");
	expect_cache_ignored(fix, "damaged line");
	make_cache(fix, "# skbtrail structs 1\nbyte-order little\nsk_buff.dev 16 8\n");
	expect_cache_ignored(fix, "no build id");
	make_cache(fix,
		   "# skbtrail structs 1\nbuild-id 0011\nbyte-order little\nsk_buff.dev 16 8\n");
	expect_cache_ignored(fix, "another build id");
	make_cache(fix, "");
	expect_cache_ignored(fix, "empty");
}

static void cache_that_was_written_is_read(void **state)
{
	struct fixture *fix = *state;
	struct layout l;

	make_vmlinux_btf(fix);
	make_notes(fix);
	load(fix);
	l = fix->l;
	tree_dir(fix->root, "var/cache");
	assert_int_equal(cache_write(&l, fix->root), 0);
	assert_int_equal(cache_write(&l, fix->root), 0);
	assert_int_equal(mode_of(fix, CACHE), 0700);
	assert_int_equal(mode_of(fix, CACHE "/" BUILD_ID), 0600);
	assert_int_equal(cache_read(&fix->l, fix->root, BUILD_ID), 0);
	assert_int_equal(layout_known(&fix->l), layout_known(&l));
	expect_place(&fix->l, NET_INUM, 72, 4);
	assert_int_equal(cache_read(&fix->l, fix->root, "00"), -ENOENT);
}

static void cache_is_not_written_where_others_may(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(read_text(fix, good_text), 0);
	tree_dir(fix->root, CACHE);
	change_mode(fix, CACHE, 0777);
	assert_int_equal(cache_write(&fix->l, fix->root), -EPERM);
	assert_false(tree_has(fix->root, CACHE "/" BUILD_ID));
}

static void damaged_notes_have_no_build_id(void **state)
{
	static const u32 huge[] = { 4, 0xffffffff, 3, 0x554e47, 0, 0 };
	static const u32 huge_name[] = { 0xfffffffe, 4, 3, 0x554e47, 0, 0 };
	static const u32 too_long[] = { 4, 40, 3, 0x554e47, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	char hex[64] = "";
	u32 i;

	(void)state;
	assert_false(build_id_from_notes(huge, sizeof(huge), hex, sizeof(hex)));
	assert_false(build_id_from_notes(huge_name, sizeof(huge_name), hex, sizeof(hex)));
	assert_false(build_id_from_notes(too_long, sizeof(too_long), hex, sizeof(hex)));
	for (i = 0; i < sizeof(too_long); i++)
		assert_false(build_id_from_notes(too_long, i, hex, sizeof(hex)));
	assert_string_equal(hex, "");
}

/* ---- DWARF: tests/fixtures/structs-*.obj, made from structs.c beside them */

static bool fixture_object(char *path, size_t size, const char *name)
{
	const char *const places[] = { getenv("SKBTRAIL_TESTS"), "tests", "../tests",
				       "../../tests" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (!places[i])
			continue;
		snprintf(path, size, "%s/fixtures/%s", places[i], name);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

static void load_object(struct fixture *fix, const char *name, int expected)
{
	struct structs_options options = { .root = fix->root, .nr_dwarf = 1 };
	const char *paths[1];
	char path[256];

	if (!fixture_object(path, sizeof(path), name))
		skip();
	paths[0] = path;
	options.dwarf = paths;
	memset(&fix->err, 0, sizeof(fix->err));
	assert_int_equal(structs_load(&fix->l, &options, &fix->err), expected);
}

/* The numbers are those of the comments in structs.c. */
static void check_object(const struct layout *l)
{
	assert_int_equal(l->source, STRUCTS_DWARF);
	assert_int_equal(l->long_size, 8);
	assert_true(l->little_endian);
	assert_int_equal(l->skb_size, 80);
	expect_place(l, SKB_DEV, 16, 8);
	expect_place(l, SKB_LEN, 24, 4);
	expect_place(l, SKB_IIF, 40, 4);
	expect_place(l, SKB_VLAN_TCI, 46, 2);
	expect_place(l, SKB_VLAN_PROTO, 44, 2);
	expect_place(l, SKB_VLAN_PRESENT, 44, 4);
	expect_place(l, SKB_PROTOCOL, 48, 2);
	expect_place(l, SKB_HEAD, 72, 8);
	expect_place(l, DEV_NAME, 32, 16);
	expect_place(l, DEV_NET, 200, 8);
	expect_place(l, NET_INUM, 72, 4);
	expect_place(l, DST_DEV, 8, 8);
	expect_place(l, NFENTRIES_HOOKS, 8, 16);
	assert_false(layout_has(l, SKB_MARK));
	assert_false(layout_has(l, SKB_DATA_LEN));
	assert_false(layout_has(l, SOCKET_SK));
	assert_int_equal(layout_known(l), 13);
}

static void members_are_found_in_debug_info(void **state)
{
	struct fixture *fix = *state;

	load_object(fix, "structs-dwarf5.obj", 0);
	check_object(&fix->l);
	assert_int_equal(fix->l.at[SKB_DEV].source, STRUCTS_DWARF);
	assert_string_equal(fix->l.build_id, "");
}

static void members_are_found_in_old_debug_info(void **state)
{
	struct fixture *fix = *state;

	load_object(fix, "structs-dwarf2.obj", 0);
	check_object(&fix->l);
}

/* As kernels before 6.2 have it, in both ways in which DWARF tells of bits. */
static void a_flag_is_found_in_debug_info(void **state)
{
	static const char *const names[] = { "structs-bit-dwarf5.obj", "structs-bit-dwarf2.obj" };
	struct fixture *fix = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		load_object(fix, names[i], 0);
		expect_place(&fix->l, SKB_LEN, 24, 4);
		expect_place(&fix->l, SKB_VLAN_TCI, 46, 2);
		expect_place(&fix->l, SKB_VLAN_PRESENT, 45, 1);
		assert_true(fix->l.at[SKB_VLAN_PRESENT].is_bit);
		assert_int_equal(fix->l.at[SKB_VLAN_PRESENT].bit, 6);
		assert_false(layout_has(&fix->l, SKB_MARK));
	}
}

static void debug_info_of_this_kernel_is_kept_in_the_cache(void **state)
{
	struct fixture *fix = *state;

	make_notes(fix);
	tree_dir(fix->root, "var/cache");
	load_object(fix, "structs-linked.obj", 0);
	check_object(&fix->l);
	assert_string_equal(fix->l.build_id, BUILD_ID);
	assert_string_equal(fix->l.kernel, "5.4.3-fixture");
	load(fix);
	if (HOST_BIG_ENDIAN)
		return;
	assert_int_equal(fix->l.source, STRUCTS_CACHE);
	assert_int_equal(layout_known(&fix->l), 13);
	assert_non_null(strstr(fix->l.from, "structs-linked.obj"));
}

static void debug_info_of_another_kernel_is_refused(void **state)
{
	struct fixture *fix = *state;

	tree_dir(fix->root, "var/cache");
	load_object(fix, "structs-linked.obj", -EINVAL);
	assert_non_null(strstr(fix->err.text, "5.4.3-fixture"));
	assert_int_equal(layout_known(&fix->l), 0);
	assert_false(tree_has(fix->root, CACHE));
}

static void file_without_debug_info_is_said_to_be(void **state)
{
	struct fixture *fix = *state;

	load_object(fix, "README.md", -EINVAL);
	assert_non_null(strstr(fix->err.text, "README.md"));
	load_object(fix, "structs-none.obj", -ENODATA);
	assert_non_null(strstr(fix->err.text, "debug info"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(members_are_found_in_btf),
		TEST(members_in_nameless_structures_are_found),
		TEST(bitfields_are_no_members),
		TEST(a_flag_is_found_in_a_bitfield),
		TEST(renamed_member_is_found),
		TEST(array_without_length_has_the_size_of_an_element),
		TEST(structures_that_disagree_are_not_believed),
		TEST(modules_tell_of_their_own_structures_only),
		TEST(argument_is_found_from_prototypes),
		TEST(without_btf_everything_is_unknown),
		TEST(damaged_btf_does_no_harm),
		TEST(text_is_read),
		TEST(text_of_what_was_read_is_the_same),
		TEST(names_of_later_versions_are_passed_over),
		TEST(hostile_text_is_refused_with_its_line),
		TEST(long_lines_are_refused),
		TEST(a_bit_is_written_and_read),
		TEST(cut_text_tells_nothing_wrong),
		TEST(file_of_this_build_is_used_alone),
		TEST(file_of_another_build_is_refused),
		TEST(file_of_another_release_is_refused),
		TEST(file_of_the_other_byte_order_is_refused),
		TEST(bad_file_is_named_in_its_error),
		TEST(cache_is_used_without_btf),
		TEST(btf_is_better_than_the_cache),
		TEST(cache_that_others_may_write_is_ignored),
		TEST(damaged_cache_is_ignored),
		TEST(cache_that_was_written_is_read),
		TEST(cache_is_not_written_where_others_may),
		TEST(damaged_notes_have_no_build_id),
		TEST(members_are_found_in_debug_info),
		TEST(members_are_found_in_old_debug_info),
		TEST(a_flag_is_found_in_debug_info),
		TEST(debug_info_of_this_kernel_is_kept_in_the_cache),
		TEST(debug_info_of_another_kernel_is_refused),
		TEST(file_without_debug_info_is_said_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
