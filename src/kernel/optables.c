// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations tables of the running kernel: see optables.h.
 *
 * A table ends where its structure does by BTF, and at the next symbol at the latest. What is in it are words;
 * those that are the address of a function are slots. Addresses are resolved in one pass over kallsyms.
 */
#include "kernel/optables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "kernel/optables_priv.h"

#define KALLSYMS_MAX (256U << 20)

/* How tables are called; in this order. @exact: the whole name. */
static const struct {
	const char *ending;
	const char *type;
	bool exact;
} patterns[] = {
	{ "socket_file_ops", "file_operations", true },
	{ "netlink_ops", "proto_ops", true },
	{ "packet_ops", "proto_ops", true },
	{ "_stream_ops", "proto_ops", false },
	{ "_dgram_ops", "proto_ops", false },
	{ "_seqpacket_ops", "proto_ops", false },
	{ "_sockraw_ops", "proto_ops", false },
	{ "v6_mapped", "inet_connection_sock_af_ops", false },
	{ "v4_specific", "inet_connection_sock_af_ops", false },
	{ "v6_specific", "inet_connection_sock_af_ops", false },
	{ "_prot", "proto", false },
};

/* What has such an ending and is no table. */
static const char *const others[] = { "__", "trace_event", "event_class", "print_fmt",
				      "tcp_sock_" };

const char *optable_type(const char *symbol)
{
	size_t len = strlen(symbol), end, i;

	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (!strncmp(symbol, others[i], strlen(others[i])))
			return NULL;
	for (i = 0; i < ARRAY_SIZE(patterns); i++) {
		end = strlen(patterns[i].ending);
		if (patterns[i].exact ?
			    !strcmp(symbol, patterns[i].ending) :
			    len > end && !strcmp(symbol + len - end, patterns[i].ending))
			return patterns[i].type;
	}
	return NULL;
}

/* ---- a line of kallsyms */

static bool next_symbol(const char **at, struct optables_symbol *out)
{
	const char *line = *at;
	char *end;
	size_t len;

	while (*line) {
		len = strcspn(line, "\n");
		*at = line + len + (line[len] == '\n');
		out->addr = strtoull(line, &end, 16);
		if (end > line && *end == ' ' && end[1] && end[2] == ' ') {
			out->type = end[1];
			out->name = end + 3;
			out->len = strcspn(out->name, "\t\n ");
			return true;
		}
		line = *at;
	}
	return false;
}

static int add_table(struct optables_raw *raw, const struct optables_symbol *s)
{
	struct raw_table *table;
	const char *type;
	char name[128];

	/* T: 7.2 has tables among what becomes read-only with the text */
	if (!strchr("dDrRbBtT", s->type) || !s->addr || s->len >= sizeof(name))
		return 0;
	memcpy(name, s->name, s->len);
	name[s->len] = '\0';
	type = optable_type(name);
	if (!type || raw->nr == OPTABLES_MAX)
		return 0;
	table = &raw->table[raw->nr];
	table->addr = s->addr;
	table->type = type;
	table->name = strdup(name);
	table->end = UINT64_MAX;
	if (!table->name)
		return -ENOMEM;
	raw->nr++;
	return 0;
}

static int find_tables(struct optables_raw *raw, const char *text)
{
	struct optables_symbol s;
	const char *at = text;
	int ret = 0;
	size_t i;

	while (!ret && next_symbol(&at, &s))
		ret = add_table(raw, &s);
	at = text;
	while (!ret && raw->nr && next_symbol(&at, &s))
		for (i = 0; i < raw->nr; i++)
			if (s.addr > raw->table[i].addr && s.addr < raw->table[i].end)
				raw->table[i].end = s.addr;
	return ret;
}

static void bound_tables(struct optables_raw *raw, const struct prototypes *p)
{
	struct raw_table *table;
	u32 size;
	size_t i;
	u64 len;

	for (i = 0; i < raw->nr; i++) {
		table = &raw->table[i];
		len = table->end - table->addr;
		size = prototypes_struct_size(p, table->type);
		if (size && size < len)
			len = size;
		table->nr_words = len / 8 < OPTABLES_SLOTS_MAX ? (u32)(len / 8) :
								 OPTABLES_SLOTS_MAX;
	}
}

/* ---- addresses to functions */

struct target {
	u64 addr;
	const char *name; /* in the text of kallsyms; NULL: no function */
	size_t len;
	bool global;
};

static int compare_targets(const void *a, const void *b)
{
	u64 x = ((const struct target *)a)->addr, y = ((const struct target *)b)->addr;

	return x < y ? -1 : x > y;
}

static struct target *find_target(struct target *targets, size_t nr, u64 addr)
{
	struct target key = { .addr = addr };

	return nr ? bsearch(&key, targets, nr, sizeof(key), compare_targets) : NULL;
}

static size_t collect_targets(const struct optables_raw *raw, struct target *targets)
{
	size_t nr = 0, kept = 0, i;
	u32 w;

	for (i = 0; i < raw->nr; i++)
		for (w = 0; w < raw->table[i].nr_words; w++)
			if (raw->table[i].words[w])
				targets[nr++].addr = raw->table[i].words[w];
	if (nr)
		qsort(targets, nr, sizeof(*targets), compare_targets);
	for (i = 0; i < nr; i++)
		if (!kept || targets[kept - 1].addr != targets[i].addr)
			targets[kept++] = targets[i];
	return kept;
}

/* Of several names of an address the global one, then the first. */
static void resolve(struct target *targets, size_t nr, const char *text)
{
	struct optables_symbol s;
	struct target *t;

	while (next_symbol(&text, &s)) {
		if (!strchr("tTwW", s.type))
			continue;
		t = find_target(targets, nr, s.addr);
		if (!t || (t->name && (t->global || s.type != 'T')))
			continue;
		t->name = s.name;
		t->len = s.len;
		t->global = s.type == 'T';
	}
}

/* ---- the result */

static int add_slot(struct optable *table, u32 offset, const char *slot, const char *function,
		    size_t len)
{
	struct optable_slot *s = &table->slots[table->nr_slots];

	s->offset = offset;
	s->slot = slot ? strdup(slot) : NULL;
	s->function = strndup(function, len);
	if ((slot && !s->slot) || !s->function) {
		free(s->slot);
		free(s->function);
		return -ENOMEM;
	}
	table->nr_slots++;
	return 0;
}

static int fill_table(struct optables *t, const struct raw_table *raw, struct target *targets,
		      size_t nr, const struct prototypes *p)
{
	struct optable *table = &t->table[t->nr];
	const struct target *target;
	const char *slot;
	int ret = 0;
	u32 w;

	snprintf(table->type, sizeof(table->type), "%s", raw->type);
	table->name = strdup(raw->name);
	table->slots = calloc(raw->nr_words ? raw->nr_words : 1, sizeof(*table->slots));
	t->nr++;
	if (!table->name || !table->slots)
		return -ENOMEM;
	for (w = 0; w < raw->nr_words && !ret; w++) {
		target = find_target(targets, nr, raw->words[w]);
		slot = prototypes_slot(p, raw->type, w * 8);
		if (target && target->name && (slot || !prototypes_struct_size(p, raw->type)))
			ret = add_slot(table, w * 8, slot, target->name, target->len);
	}
	/* of a function called like a table, or of a module that fills it in later */
	if (!ret && !table->nr_slots) {
		free(table->name);
		free(table->slots);
		memset(table, 0, sizeof(*table));
		t->nr--;
	}
	return ret;
}

static int make_tables(struct optables *t, const struct optables_raw *raw, const char *text,
		       const struct prototypes *p)
{
	struct target *targets = calloc(OPTABLES_MAX * OPTABLES_SLOTS_MAX, sizeof(*targets));
	size_t nr, i;
	int ret = 0;

	t->table = calloc(raw->nr ? raw->nr : 1, sizeof(*t->table));
	if (!targets || !t->table) {
		free(targets);
		return -ENOMEM;
	}
	nr = collect_targets(raw, targets);
	resolve(targets, nr, text);
	for (i = 0; i < raw->nr && !ret; i++)
		ret = fill_table(t, &raw->table[i], targets, nr, p);
	t->has_names = p && prototypes_struct_size(p, "proto");
	free(targets);
	return ret;
}

static void raw_free(struct optables_raw *raw)
{
	size_t i;

	for (i = 0; raw && i < raw->nr; i++)
		free(raw->table[i].name);
	free(raw);
}

static int read_contents(struct optables *t, struct optables_raw *raw, const char *root,
			 const char *tracing_dir, const char *text, struct error *err)
{
	int ret;

	if (!raw->nr)
		return error_set(err, ENODATA, "no addresses of tables in %s/proc/kallsyms", root);
	ret = optables_read_kcore(raw, root);
	snprintf(t->from, sizeof(t->from), "/proc/kcore");
	if (ret && tracing_dir) {
		ret = optables_read_probe(raw, tracing_dir, text, err);
		snprintf(t->from, sizeof(t->from), "a probe event");
	} else if (ret) {
		error_errno(err, -ret, "cannot read %s/proc/kcore", root);
	}
	return ret ? -ENODATA : 0;
}

int optables_read(struct optables **out, const char *root, const char *tracing_dir,
		  const struct prototypes *prototypes, struct error *err)
{
	struct optables_raw *raw = calloc(1, sizeof(*raw));
	struct optables *t = calloc(1, sizeof(*t));
	struct strbuf text = STRBUF_INIT;
	char path[512];
	int ret = raw && t ? 0 : -ENOMEM;

	*out = NULL;
	snprintf(path, sizeof(path), "%s/proc/kallsyms", root);
	if (!ret && strbuf_read_file(&text, path, KALLSYMS_MAX))
		ret = error_set(err, ENODATA, "cannot read %s", path);
	if (!ret)
		ret = find_tables(raw, strbuf_cstr(&text));
	if (!ret)
		bound_tables(raw, prototypes);
	if (!ret)
		ret = read_contents(t, raw, root, tracing_dir, strbuf_cstr(&text), err);
	if (!ret)
		ret = make_tables(t, raw, strbuf_cstr(&text), prototypes);
	strbuf_free(&text);
	raw_free(raw);
	if (ret)
		optables_free(t);
	else
		*out = t;
	return ret;
}

void optables_free(struct optables *t)
{
	size_t i, j;

	if (!t)
		return;
	for (i = 0; i < t->nr; i++) {
		for (j = 0; j < t->table[i].nr_slots; j++) {
			free(t->table[i].slots[j].slot);
			free(t->table[i].slots[j].function);
		}
		free(t->table[i].slots);
		free(t->table[i].name);
	}
	free(t->table);
	free(t);
}
