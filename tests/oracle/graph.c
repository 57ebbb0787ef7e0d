// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The call trees of a function_graph recording, for comparison with other readers and with themselves.
 *
 *	graph FILE			every node of every tree: one line, in the order of entries
 *	graph --lose COUNT LENGTH FILE	... and how many parents change when records are lost
 *	graph --lose-first PERCENT FILE
 *
 * A node's line: task (pid, or -1 - CPU of an idle task), time of its entry, function, the same two of its
 * parent ("- -" for a root), duration ("-" when its exit is missing). Then on standard error: "entries N
 * exits N matched N orphans N open N".
 *
 * With a loss, windows of LENGTH records in a row are left out, COUNT of them, evenly spread; or all
 * records before a place. A CPU whose records were left out is told to have lost some. Of each entry that is
 * left the parent must be the nearest one of its parents in the whole tree that is still there, be it
 * made from its exit. Prints "nodes N wrong N orphans N exits N matched N".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/callgraph.h"
#include "decode/symbols.h"
#include "trace/datfile.h"
#include "trace/stream.h"

#define NONE UINT32_MAX
#define CPUS 4096

/* What is known of the record at an index: of an entry its parent's entry; of an exit its own entry. */
struct fact {
	u32 parent;
	u32 entry;
	bool is_there; /* as a node of the tree built last */
};

struct judge {
	struct graph_formats formats;
	struct graph_record *rec;
	u32 nr, room;
	struct fact *whole; /* of the tree without a loss */
	struct fact *left;
	bool lossy; /* the tree that is being built */
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static int add_format(void *ctx, const char *system, const char *text, size_t len,
		      struct error *err)
{
	(void)err;
	graph_formats_add(ctx, system, text, len);
	return 0;
}

/* Record numbers travel through the builder as return addresses and return values. */
static void load(struct judge *j, struct datfile *df, u32 b)
{
	const struct record *r;
	struct graph_record rec;
	struct error err = { 0 };
	struct stream *s;

	if (stream_file(&s, df, &df->buffers[b], &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	while ((r = stream_next(s, STREAM_NO_LIMIT))) {
		s->nr_losses = 0;
		if (!graph_decode(&j->formats, r->id, r->data, r->len_bytes, &rec))
			continue;
		if (j->nr == j->room) {
			j->room = j->room ? j->room * 2 : 65536;
			j->rec = must(reallocarray(j->rec, j->room, sizeof(*j->rec)));
		}
		rec.ts_ns = r->ts_ns;
		rec.cpu = r->cpu;
		rec.has |= GRAPH_HAS_RETADDR | GRAPH_HAS_RETVAL;
		rec.retaddr = rec.retval = j->nr;
		rec.nr_args = 0;
		j->rec[j->nr++] = rec;
	}
	stream_close(s);
}

/* The entry of a node, as it is in the whole tree; NONE when its exit has none there. */
static u32 entry_of(const struct judge *j, const struct call_node *n)
{
	if (!(n->flags & CALL_NODE_SYNTH))
		return (u32)n->retaddr;
	return j->lossy ? j->whole[n->retval].entry : NONE;
}

static void take_call(void *ctx, const struct graph_call *call)
{
	struct judge *j = ctx;
	struct fact *facts = j->lossy ? j->left : j->whole;
	const struct call_node *n;
	u32 i, entry, parent;

	for (i = 0; i < call->nr_nodes; i++) {
		n = &call->nodes[i];
		entry = entry_of(j, n);
		if (entry == NONE)
			continue;
		parent = i ? entry_of(j, &call->nodes[n->parent]) : NONE;
		facts[entry].parent = parent;
		facts[entry].is_there = true;
		facts[entry].entry = NONE;
		if (n->flags & CALL_NODE_RETVAL)
			facts[entry].entry = (u32)n->retval; /* of an entry: its exit */
		if (!j->lossy && n->flags & CALL_NODE_RETVAL)
			facts[n->retval].entry = entry;
	}
}

static const char *no_root(void *ctx, u64 func)
{
	(void)ctx;
	(void)func;
	return NULL;
}

/* @keep: whether a record is not lost; NULL: all are */
static struct callgraph_stats build(struct judge *j, const u8 *keep)
{
	struct callgraph_options options = {
		.call_done = take_call,
		.root_name = no_root,
		.ctx = j,
		.every_root = true,
		.max_nodes = 1u << 20,
		.max_total = 1u << 24,
		.max_tasks = 65536,
	};
	static bool lost[CPUS];
	struct callgraph_stats stats;
	struct callgraph *g;
	u32 i, cpu;

	if (callgraph_new(&g, &options, NULL))
		abort();
	for (i = 0; i < j->nr; i++) {
		if (keep && !keep[i]) {
			lost[j->rec[i].cpu % CPUS] = true;
			continue;
		}
		for (cpu = 0; keep && i && !keep[i - 1] && cpu < CPUS; cpu++)
			if (lost[cpu])
				callgraph_lost(g, (u16)cpu);
		if (keep && i && !keep[i - 1])
			memset(lost, 0, sizeof(lost));
		if (callgraph_record(g, &j->rec[i]))
			abort();
	}
	callgraph_finish(g);
	stats = *callgraph_stats(g);
	callgraph_free(g);
	return stats;
}

static void print_name(struct symbols *symbols, u64 func)
{
	u64 offset;
	size_t len;
	const char *name = symbols_find(symbols, func, &offset, &len);

	if (name)
		printf(" %.*s", (int)len, name);
	else
		printf(" 0x%" PRIx64, func);
}

static void print_nodes(const struct judge *j, struct symbols *symbols)
{
	const struct graph_record *r, *p, *x;
	u32 i;

	for (i = 0; i < j->nr; i++) {
		if (j->rec[i].kind != GRAPH_ENTRY || !j->whole[i].is_there)
			continue;
		r = &j->rec[i];
		printf("%d %" PRIu64, r->pid ? r->pid : -1 - r->cpu, r->ts_ns);
		print_name(symbols, r->func);
		if (j->whole[i].parent == NONE) {
			printf(" - -");
		} else {
			p = &j->rec[j->whole[i].parent];
			printf(" %" PRIu64, p->ts_ns);
			print_name(symbols, p->func);
		}
		if (j->whole[i].entry == NONE) {
			printf(" -\n");
			continue;
		}
		x = &j->rec[j->whole[i].entry];
		printf(" %" PRIu64 "\n", x->rettime - x->calltime);
	}
}

static u32 expected_parent(const struct judge *j, u32 i)
{
	do
		i = j->whole[i].parent;
	while (i != NONE && !j->left[i].is_there);
	return i;
}

static void compare(struct judge *j, const u8 *keep)
{
	struct callgraph_stats stats;
	u64 nodes = 0, wrong = 0;
	u32 i;

	j->left = must(calloc(j->nr, sizeof(*j->left)));
	j->lossy = true;
	stats = build(j, keep);
	for (i = 0; i < j->nr; i++) {
		if (j->rec[i].kind != GRAPH_ENTRY || !keep[i])
			continue;
		nodes++;
		wrong += !j->left[i].is_there || j->left[i].parent != expected_parent(j, i);
	}
	printf("nodes %" PRIu64 " wrong %" PRIu64 " orphans %" PRIu64 " exits %" PRIu64
	       " matched %" PRIu64 "\n",
	       nodes, wrong, stats.orphans, stats.exits, stats.matched);
}

static void lose_windows(struct judge *j, u32 count, u32 length)
{
	u8 *keep = must(malloc(j->nr));
	u32 i, k, from;

	memset(keep, 1, j->nr);
	for (i = 0; i < count; i++) {
		from = (u32)((u64)j->nr * (2 * i + 1) / (2 * count));
		for (k = 0; k < length && from + k < j->nr; k++)
			keep[from + k] = 0;
	}
	compare(j, keep);
	free(keep);
}

static void lose_first(struct judge *j, u32 percent)
{
	u8 *keep = must(calloc(1, j->nr));
	u32 from = (u32)((u64)j->nr * percent / 100);

	memset(keep + from, 1, j->nr - from);
	compare(j, keep);
	free(keep);
}

int main(int argc, char **argv)
{
	struct callgraph_stats stats;
	struct symbols symbols = { 0 };
	struct judge j = { 0 };
	struct error err = { 0 };
	struct datfile *df;
	u32 i;

	if (argc < 2 || datfile_open(&df, argv[argc - 1], &err)) {
		fprintf(stderr, "%s\n", argc < 2 ? "usage: graph [LOSS] FILE" : err.text);
		return 1;
	}
	graph_formats_init(&j.formats, df->big_endian, df->layout.commit_size);
	if (datfile_each_ftrace_format(df, add_format, &j.formats, &err))
		return 1;
	for (i = 0; i < df->nr_buffers; i++)
		load(&j, df, i);
	j.whole = must(calloc(j.nr + 1, sizeof(*j.whole)));
	for (i = 0; i < j.nr; i++)
		j.whole[i].entry = j.whole[i].parent = NONE;
	stats = build(&j, NULL);
	if (argc == 5 && !strcmp(argv[1], "--lose")) {
		lose_windows(&j, (u32)atoi(argv[2]), (u32)atoi(argv[3]));
	} else if (argc == 4 && !strcmp(argv[1], "--lose-first")) {
		lose_first(&j, (u32)atoi(argv[2]));
	} else {
		datfile_read_kallsyms(df, &symbols.text, &err);
		print_nodes(&j, &symbols);
		fprintf(stderr,
			"entries %" PRIu64 " exits %" PRIu64 " matched %" PRIu64 " orphans %" PRIu64
			" open %" PRIu64 " late %" PRIu64 " noexit %" PRIu64 " gaps %" PRIu64
			" migrated %" PRIu64 "\n",
			stats.entries, stats.exits, stats.matched, stats.orphans, stats.open,
			stats.late, stats.no_exit, stats.depth_gaps, stats.migrated);
	}
	symbols_free(&symbols);
	datfile_close(df);
	free(j.left);
	free(j.whole);
	free(j.rec);
	return 0;
}
