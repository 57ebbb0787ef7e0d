// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debug info of a kernel, a module or an object of one -> places of members.
 *
 * libdwfl is what applies the relocations that objects and modules still have in their debug info. It
 * is kept from looking for debug info anywhere else: only the named file counts, and no network.
 *
 * The first complete definition of a structure wins: the kernel has one of each, in a thousand units.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kernel/structs_priv.h"

#define MAX_DEPTH 32

static int no_debuginfo(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			const char *file, const char *link, GElf_Word crc, char **path)
{
	(void)mod;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file;
	(void)link;
	(void)crc;
	(void)path;
	return -1;
}

static int no_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base, char **path,
		  Elf **elf)
{
	(void)mod;
	(void)userdata;
	(void)name;
	(void)base;
	(void)path;
	(void)elf;
	return -1;
}

/* The type behind typedefs, const and their like, in the same place. */
static bool plain_type(Dwarf_Die *die, Dwarf_Die *type)
{
	Dwarf_Attribute attr;
	Dwarf_Die direct;

	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attr), &direct) &&
	       dwarf_peel_type(&direct, type) == 0;
}

static u64 size_of(Dwarf_Die *member)
{
	Dwarf_Word size = 0;
	Dwarf_Die type, element;

	if (!plain_type(member, &type))
		return 0;
	if ((dwarf_aggregate_size(&type, &size) || !size) &&
	    dwarf_tag(&type) == DW_TAG_array_type && plain_type(&type, &element) &&
	    dwarf_aggregate_size(&element, &size))
		size = 0;
	return size;
}

static bool is_bitfield(Dwarf_Die *member)
{
	return dwarf_hasattr(member, DW_AT_bit_size) || dwarf_hasattr(member, DW_AT_bit_offset) ||
	       dwarf_hasattr(member, DW_AT_data_bit_offset);
}

/*
 * A member's offset: a number, in DWARF 2 an expression that adds one; in a union there is none. Of a bitfield
 * that of its unit; with @parent not a union it has to be said.
 */
static bool location_of(Dwarf_Die *parent, Dwarf_Die *member, u64 *offset)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;
	Dwarf_Op *expr;
	size_t len;

	if (!dwarf_attr(member, DW_AT_data_member_location, &attr)) {
		*offset = 0;
		return dwarf_tag(parent) == DW_TAG_union_type;
	}
	if (!dwarf_formudata(&attr, &value)) {
		*offset = value;
		return true;
	}
	if (dwarf_getlocation(&attr, &expr, &len) || len != 1 || expr[0].atom != DW_OP_plus_uconst)
		return false;
	*offset = expr[0].number;
	return true;
}

static bool number_of(Dwarf_Die *die, unsigned int name, u64 *number)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (!dwarf_attr_integrate(die, name, &attr) || dwarf_formudata(&attr, &value))
		return false;
	*number = value;
	return true;
}

/*
 * Where in its structure a bitfield of one bit is, counted in bits as found_bit() wants it. Before DWARF 4 it is told
 * by a unit that it is in and how far it is from that unit's highest bit.
 */
static bool bit_location_of(Dwarf_Die *member, bool little_endian, u64 *bit)
{
	u64 bits, unit, unit_bytes, from_top;

	if (!number_of(member, DW_AT_bit_size, &bits) || bits != 1)
		return false;
	if (number_of(member, DW_AT_data_bit_offset, bit))
		return true;
	if (!number_of(member, DW_AT_bit_offset, &from_top) || !location_of(member, member, &unit))
		return false;
	if (!number_of(member, DW_AT_byte_size, &unit_bytes))
		unit_bytes = size_of(member);
	if (unit > STRUCTS_OFFSET_MAX || unit_bytes > 16 || from_top >= 8 * unit_bytes)
		return false;
	*bit = 8 * unit + (little_endian ? 8 * unit_bytes - from_top - 1 : from_top);
	return true;
}

static bool is_composite(Dwarf_Die *die)
{
	return dwarf_tag(die) == DW_TAG_structure_type || dwarf_tag(die) == DW_TAG_union_type;
}

/* A member by its name, looked for in nameless structures and unions too, as C does. */
static bool find_member(Dwarf_Die *parent, const char *name, size_t len, int depth, u64 *offset,
			Dwarf_Die *member)
{
	Dwarf_Die inner;
	const char *own;
	u64 own_offset;

	if (depth > MAX_DEPTH || dwarf_child(parent, member))
		return false;
	do {
		if (dwarf_tag(member) != DW_TAG_member)
			continue;
		own = dwarf_diename(member);
		if (own && (strncmp(own, name, len) || own[len]))
			continue;
		if (own && is_bitfield(member))
			return true; /* where in it, bit_location_of() tells */
		if (is_bitfield(member) || !location_of(parent, member, &own_offset)) {
			if (own)
				return false;
			continue;
		}
		if (own) {
			*offset += own_offset;
			return true;
		}
		if (plain_type(member, &inner) && is_composite(&inner)) {
			Dwarf_Die found;

			if (find_member(&inner, name, len, depth + 1, offset, &found)) {
				*offset += own_offset;
				*member = found;
				return true;
			}
		}
	} while (!dwarf_siblingof(member, member));
	return false;
}

static bool find_path(Dwarf_Die *structure, const char *path, bool little_endian,
		      struct found *found)
{
	Dwarf_Die parent = *structure, member;
	u64 offset = 0, bit;
	size_t len;

	for (;;) {
		len = strcspn(path, ".");
		if (!find_member(&parent, path, len, 0, &offset, &member))
			return false;
		if (!path[len])
			break;
		path += len + 1;
		if (!plain_type(&member, &parent) || !is_composite(&parent))
			return false;
	}
	if (is_bitfield(&member)) {
		if (!bit_location_of(&member, little_endian, &bit))
			return false;
		*found = found_bit(8 * offset + bit, little_endian);
		return true;
	}
	*found = (struct found){ .offset = offset, .size = size_of(&member) };
	return true;
}

static void take_struct(struct layout *l, Dwarf_Die *die, const char *name)
{
	const struct member_def *def;
	struct found found;
	Dwarf_Word size;
	int m;

	for (m = 0; m < MEMBER_COUNT; m++) {
		def = &member_defs[m];
		if (layout_has(l, (enum member)m) || !member_struct_is(def, name))
			continue;
		if (find_path(die, member_path(def->name), l->little_endian, &found) ||
		    (def->renamed &&
		     find_path(die, member_path(def->renamed), l->little_endian, &found)))
			layout_put(l, (enum member)m, &found, STRUCTS_DWARF);
	}
	if (!l->skb_size && !strcmp(name, "sk_buff") && !dwarf_aggregate_size(die, &size) &&
	    size <= STRUCTS_SKB_SIZE_MAX)
		l->skb_size = (u32)size;
}

/* All structures at the top of a compilation unit. */
static void take_unit(struct layout *l, Dwarf_Die *unit)
{
	const char *name;
	Dwarf_Die die;

	if (dwarf_child(unit, &die))
		return;
	do {
		if (dwarf_tag(&die) != DW_TAG_structure_type ||
		    dwarf_hasattr(&die, DW_AT_declaration))
			continue;
		name = dwarf_diename(&die);
		if (name)
			take_struct(l, &die, name);
	} while (!dwarf_siblingof(&die, &die));
}

/* A word that follows a text in a section: the release in "Linux version 6.1.0 (gcc ...". */
static void take_release(struct layout *l, Elf_Scn *scn, const char *before)
{
	Elf_Data *data = elf_rawdata(scn, NULL);
	const char *at, *end;
	size_t len;

	if (l->kernel[0] || !data || !data->d_buf)
		return;
	end = (const char *)data->d_buf + data->d_size;
	at = memmem(data->d_buf, data->d_size, before, strlen(before));
	if (!at)
		return;
	at += strlen(before);
	for (len = 0; at + len < end && at[len] > ' ' && at[len] <= '~'; len++)
		;
	if (len < sizeof(l->kernel)) {
		memcpy(l->kernel, at, len);
		l->kernel[len] = '\0';
	}
}

/* Which kernel a file is of. Notes of modules and objects are not the kernel's. */
static void take_identity(struct layout *l, Elf *elf)
{
	Elf_Scn *scn = NULL;
	GElf_Ehdr ehdr;
	GElf_Shdr shdr;
	Elf_Data *data;
	size_t strings;
	const char *name;

	if (!gelf_getehdr(elf, &ehdr) || elf_getshdrstrndx(elf, &strings))
		return;
	l->little_endian = ehdr.e_ident[EI_DATA] == ELFDATA2LSB;
	l->long_size = ehdr.e_ident[EI_CLASS] == ELFCLASS64 ? 8 : 4;
	while ((scn = elf_nextscn(elf, scn))) {
		name = gelf_getshdr(scn, &shdr) ? elf_strptr(elf, strings, shdr.sh_name) : NULL;
		if (!name || shdr.sh_type == SHT_NOBITS)
			continue;
		if (!strcmp(name, ".modinfo"))
			take_release(l, scn, "vermagic=");
		else if (!strcmp(name, ".rodata"))
			take_release(l, scn, "Linux version ");
		if (shdr.sh_type != SHT_NOTE || ehdr.e_type == ET_REL || l->build_id[0])
			continue;
		data = elf_rawdata(scn, NULL);
		if (data && data->d_buf)
			build_id_from_notes(data->d_buf, data->d_size, l->build_id,
					    sizeof(l->build_id));
	}
}

static int take_file(struct layout *l, Dwfl *dwfl, int fd, const char *path, struct error *err)
{
	Dwfl_Module *mod = dwfl_report_offline(dwfl, "kernel", path, fd);
	size_t before = layout_known(l);
	Dwarf_Die *unit = NULL;
	GElf_Addr bias;
	Dwarf_Addr unused;
	Elf *elf;

	if (!mod) {
		close(fd);
		return error_set(err, EINVAL, "cannot use %s: %s", path, dwfl_errmsg(-1));
	}
	dwfl_report_end(dwfl, NULL, NULL);
	elf = dwfl_module_getelf(mod, &bias);
	if (!elf)
		return error_set(err, EINVAL, "cannot use %s: %s", path, dwfl_errmsg(-1));
	take_identity(l, elf);
	while (layout_known(l) < MEMBER_COUNT && (unit = dwfl_module_nextcu(mod, unit, &unused)))
		take_unit(l, unit);
	if (layout_known(l) == before)
		return error_set(
			err, ENODATA,
			"%s has no debug info (DWARF) of the kernel's structures for packets",
			path);
	return 0;
}

int dwarf_load(struct layout *l, const char *path, struct error *err)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = no_elf,
		.find_debuginfo = no_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	Dwfl *dwfl;
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "cannot open %s", path);
	dwfl = dwfl_begin(&callbacks);
	if (!dwfl) {
		close(fd);
		return error_set(err, ENOMEM, "cannot use %s: %s", path, dwfl_errmsg(-1));
	}
	ret = take_file(l, dwfl, fd, path, err);
	dwfl_end(dwfl);
	return ret;
}
