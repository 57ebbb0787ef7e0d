// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What functions took on kernels that we know: see signatures.h.
 *
 * A line of the table is "NAME MASK:ARGS[/SLOT] ...": the kernels (bit 0 is the first of the list), and the
 * arguments that are objects, a letter and a number each, r for what is returned:
 *
 *	FUNCTION 3:s1m2z3rn/proto.sendmsg 8:s1m2
 *
 * The lines are sorted by name, bytewise.
 */
#include "kernel/signatures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first is the list of kernels: "5.10 6.1". */
static const char *const lines[] = {
#include "kernel/signatures.inc"
};

#define FIRST_LINE 1
#define KERNELS_MAX 16
#define SLOT_MAX 96

static const char letters[OBJECT_COUNT] = {
	[OBJECT_NONE] = '-', [OBJECT_SOCK] = 's',   [OBJECT_SOCKET] = 'k', [OBJECT_SKB] = 'b',
	[OBJECT_FILE] = 'f', [OBJECT_MSGHDR] = 'm', [OBJECT_BYTES] = 'z',  [OBJECT_NUMBER] = 'n',
};

int signatures_kernels(void)
{
	const char *at = lines[0];
	int nr;

	for (nr = 0; *at && nr < KERNELS_MAX; nr++) {
		at += strcspn(at, " ");
		at += *at == ' ';
	}
	return nr;
}

const char *signatures_kernel(int i)
{
	static char names[KERNELS_MAX][16];
	const char *at = lines[0];
	int k;

	for (k = 0; k < i && *at; k++) {
		at += strcspn(at, " ");
		at += *at == ' ';
	}
	if (i < 0 || i >= KERNELS_MAX || !*at)
		return "";
	snprintf(names[i], sizeof(names[i]), "%.*s", (int)strcspn(at, " "), at);
	return names[i];
}

static int compare_line(const void *key, const void *line)
{
	const char *name = key, *text = *(const char *const *)line;
	size_t len = strcspn(text, " ");
	int order = strncmp(name, text, len);

	return order ? order : (unsigned char)name[len];
}

/* What follows the name: "3:k1rk/proto.accept ..."; NULL when it is not known. */
static const char *find_line(const char *name)
{
	const char *const *line = bsearch(name, lines + FIRST_LINE, ARRAY_SIZE(lines) - FIRST_LINE,
					  sizeof(*lines), compare_line);

	return line ? *line + strcspn(*line, " ") + 1 : NULL;
}

/* One "MASK:ARGS/SLOT" off the line; Return: NULL at its end. */
static const char *next_variant(const char *at, unsigned long *mask, struct prototype *proto,
				char *slot, size_t size)
{
	struct prototype_arg *arg;
	const char *letter;
	unsigned long n;
	char *end;

	memset(proto, 0, sizeof(*proto));
	*slot = '\0';
	*mask = strtoul(at, &end, 16);
	if (end == at || *end != ':')
		return NULL;
	for (at = end + 1; *at && *at != ' ' && *at != '/';) {
		arg = NULL;
		if (*at == 'r' && at[1]) {
			letter = memchr(letters, at[1], sizeof(letters));
			arg = &proto->ret;
			at += 2;
		} else {
			letter = memchr(letters, *at, sizeof(letters));
			n = strtoul(at + 1, &end, 10);
			if (end == at + 1)
				return NULL;
			if (n >= 1 && n <= PROTOTYPE_ARGS) {
				arg = &proto->arg[n - 1];
				if (n > proto->nr_args)
					proto->nr_args = (u8)n;
			}
			at = end;
		}
		if (arg && letter)
			arg->object = (u8)(letter - letters);
	}
	if (*at == '/') {
		snprintf(slot, size, "%.*s", (int)strcspn(at + 1, " "), at + 1);
		at += strcspn(at, " ");
	}
	return at + (*at == ' ');
}

static void name_types(struct prototype *proto)
{
	static const char *const types[OBJECT_COUNT] = {
		[OBJECT_SOCK] = "sock", [OBJECT_SOCKET] = "socket", [OBJECT_SKB] = "sk_buff",
		[OBJECT_FILE] = "file", [OBJECT_MSGHDR] = "msghdr",
	};
	int i;

	for (i = 0; i < proto->nr_args; i++)
		if (types[proto->arg[i].object])
			snprintf(proto->arg[i].type, sizeof(proto->arg[i].type), "%s",
				 types[proto->arg[i].object]);
	if (types[proto->ret.object])
		snprintf(proto->ret.type, sizeof(proto->ret.type), "%s", types[proto->ret.object]);
}

/* Whether two kernels have the objects that a probe reads addresses from in the same places. */
static bool agree(const struct prototype *a, const struct prototype *b)
{
	u8 object;

	for (object = OBJECT_SOCK; object <= OBJECT_FILE; object++)
		if (prototype_argument(a, object) != prototype_argument(b, object))
			return false;
	return a->ret.object == b->ret.object;
}

bool signatures_prototype(const char *name, struct prototype *out)
{
	const char *at = find_line(name);
	unsigned long mask, newest = 0;
	struct prototype proto;
	char slot[SLOT_MAX];
	bool known = false;

	while (at && (at = next_variant(at, &mask, &proto, slot, sizeof(slot)))) {
		if (known && !agree(out, &proto))
			return false;
		if (mask > newest)
			*out = proto;
		newest = mask > newest ? mask : newest;
		known = true;
	}
	if (known) {
		out->source = PROTOTYPE_TABLE;
		name_types(out);
	}
	return known;
}

int signatures_stable(const char *name, int arg, u8 object, int *have)
{
	const char *at = find_line(name);
	struct prototype proto;
	unsigned long mask;
	char slot[SLOT_MAX];
	int same = 0, bits;
	u8 is;

	*have = 0;
	while (at && (at = next_variant(at, &mask, &proto, slot, sizeof(slot)))) {
		bits = __builtin_popcountl(mask);
		*have += bits;
		if (arg < 0 || arg > PROTOTYPE_ARGS)
			continue;
		is = arg ? proto.arg[arg - 1].object : proto.ret.object;
		if (is == object)
			same += bits;
	}
	return same;
}

const char *signatures_slot(const char *name)
{
	static char found[SLOT_MAX];
	const char *at = find_line(name);
	struct prototype proto;
	unsigned long mask;
	char slot[SLOT_MAX];

	found[0] = '\0';
	while (at && (at = next_variant(at, &mask, &proto, slot, sizeof(slot)))) {
		if (!slot[0])
			continue;
		if (found[0] && strcmp(found, slot))
			return NULL;
		memcpy(found, slot, sizeof(found));
	}
	return found[0] ? found : NULL;
}

/* ---- what this kernel says of itself */

struct writer {
	struct strbuf *out;
	const struct optables *tables;
};

static void put_slot(struct strbuf *out, const struct optables *tables, const char *name)
{
	size_t i, j;

	for (i = 0; tables && i < tables->nr; i++)
		for (j = 0; j < tables->table[i].nr_slots; j++)
			if (tables->table[i].slots[j].slot &&
			    !strcmp(tables->table[i].slots[j].function, name)) {
				strbuf_printf(out, "/%s.%s", tables->table[i].type,
					      tables->table[i].slots[j].slot);
				return;
			}
}

static void write_function(void *ctx, const char *name, const struct prototype *proto)
{
	const struct writer *w = ctx;
	bool wanted = false;
	int i;

	for (i = 0; i < proto->nr_args; i++)
		wanted |= proto->arg[i].object >= OBJECT_SOCK &&
			  proto->arg[i].object <= OBJECT_MSGHDR;
	wanted |= proto->ret.object == OBJECT_SOCK || proto->ret.object == OBJECT_SOCKET;
	if (!wanted)
		return;
	strbuf_printf(w->out, "%s ", name);
	for (i = 0; i < proto->nr_args; i++)
		if (proto->arg[i].object && proto->arg[i].object < OBJECT_NUMBER)
			strbuf_printf(w->out, "%c%d", letters[proto->arg[i].object], i + 1);
	if (proto->ret.object)
		strbuf_printf(w->out, "r%c", letters[proto->ret.object]);
	put_slot(w->out, w->tables, name);
	strbuf_putc(w->out, '\n');
}

int signatures_write(struct strbuf *out, const struct prototypes *p, const struct optables *tables)
{
	struct writer w = { .out = out, .tables = tables };

	prototypes_each(p, write_function, &w);
	return out->failed ? -1 : 0;
}
