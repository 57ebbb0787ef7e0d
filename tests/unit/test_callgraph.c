// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Call trees from entries and exits, one test for each thing that real recordings do to them.
 *
 * A trace is written as words: "+a1" is the entry of function a at depth 1, "-a1" its exit; "p2" goes on as task 2,
 * "c1" on CPU 1, "h" in a hard interrupt, "s" in a softirq, "n" in neither; "L0" is a loss on CPU 0; "w9" lets
 * nine microseconds pass; "!" is an event with an skb. Each record takes a microsecond, and an exit says that
 * its call took as long as its entry is ago, or with "-a1/7" seven microseconds.
 *
 * Trees come back as "a(b c(d))": with ~ no exit, ^ open, * made from an exit, ' late, i in an interrupt, s in a
 * softirq, ! for each event, and a number for a duration that was asked for with '='.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/callgraph.h"
#include "base/strbuf.h"

#define FUNC(letter) (0xffffffff81000000ULL + 16u * (u64)(letter))
#define LETTER(func) ((char)(((func)-0xffffffff81000000ULL) / 16))

struct test {
	struct callgraph *graph;
	struct strbuf out;
	bool durations, calls_only;
	u32 calls;
	struct call_node root; /* of the call that came last */
	u64 first_args[2];
	u64 began[64][128]; /* last entry of a function, by task */
};

/* Capital letters are system calls. */
static const char *root_name(void *ctx, u64 func)
{
	static const char *const names[] = { "accept", "bind", "connect" };

	(void)ctx;
	return LETTER(func) >= 'A' && LETTER(func) <= 'C' ? names[LETTER(func) - 'A'] : NULL;
}

static void put_node(struct test *t, const struct graph_call *call, u32 i)
{
	const struct call_node *n = &call->nodes[i];
	u32 end = i + n->nr_below + 1, k;
	bool first = true;

	strbuf_putc(&t->out, LETTER(n->func));
	strbuf_puts(&t->out, n->flags & CALL_NODE_NOEXIT ? "~" : "");
	strbuf_puts(&t->out, n->flags & CALL_NODE_OPEN ? "^" : "");
	strbuf_puts(&t->out, n->flags & CALL_NODE_SYNTH ? "*" : "");
	strbuf_puts(&t->out, n->flags & CALL_NODE_LATE ? "'" : "");
	strbuf_puts(&t->out, n->flags & CALL_NODE_HARDIRQ ? "i" : "");
	strbuf_puts(&t->out, n->flags & CALL_NODE_SOFTIRQ ? "s" : "");
	for (k = 0; k < call->nr_notes; k++)
		strbuf_puts(&t->out, call->notes[k].node == i ? "!" : "");
	if (t->durations)
		strbuf_put_u64(&t->out, n->dur_ns / 1000);
	for (k = i + 1; k < end; k += call->nodes[k].nr_below + 1) {
		strbuf_putc(&t->out, first ? '(' : ' ');
		assert_int_equal(call->nodes[k].parent, i);
		assert_int_equal(call->nodes[k].depth, n->depth + 1);
		put_node(t, call, k);
		first = false;
	}
	strbuf_puts(&t->out, first ? "" : ")");
}

static void take_call(void *ctx, const struct graph_call *call)
{
	struct test *t = ctx;

	if (t->out.len)
		strbuf_puts(&t->out, "; ");
	if (call->syscall)
		strbuf_printf(&t->out, "%s:", call->syscall);
	assert_int_equal(call->nodes[0].parent, CALL_NO_NODE);
	assert_int_equal(call->nodes[0].nr_below + 1, call->nr_nodes);
	put_node(t, call, 0);
	t->root = call->nodes[0];
	if (call->nr_args >= 2)
		memcpy(t->first_args, call->args + t->root.args, sizeof(t->first_args));
	t->calls++;
}

static void start(struct test *t, const char *how, u32 max_nodes, u32 max_tasks)
{
	struct callgraph_options options = { .call_done = take_call,
					     .root_name = root_name,
					     .ctx = t,
					     .every_root = !strchr(how, 'c'),
					     .max_nodes = max_nodes,
					     .max_tasks = max_tasks };

	memset(t, 0, sizeof(*t));
	t->durations = strchr(how, '=');
	assert_int_equal(callgraph_new(&t->graph, &options, NULL), 0);
}

/* Where the script has come to. */
struct place {
	u64 now_us;
	s32 pid;
	u16 cpu;
	u8 context;
};

static void take_call_word(struct test *t, struct place *at, const char *word)
{
	struct graph_record rec = { .ts_ns = at->now_us * 1000,
				    .func = FUNC(word[1]),
				    .pid = at->pid,
				    .cpu = at->cpu,
				    .context = at->context,
				    .kind = word[0] == '+' ? GRAPH_ENTRY : GRAPH_EXIT,
				    .depth = (u32)strtoul(word + 2, NULL, 10) };
	const char *took = strchr(word, '/');
	u64 *began = &t->began[at->pid][(int)word[1]];

	if (rec.kind == GRAPH_ENTRY) {
		*began = at->now_us;
	} else {
		/* of a clock that has nothing to do with the records' */
		rec.has = GRAPH_HAS_SPAN;
		rec.calltime = 777777;
		rec.rettime = rec.calltime +
			      1000 * (took ? strtoul(took + 1, NULL, 10) : at->now_us - *began);
	}
	assert_int_equal(callgraph_record(t->graph, &rec), 0);
}

static void take_word(struct test *t, struct place *at, const char *word)
{
	struct call_note note = { .skb = 0xff00 };

	at->now_us++;
	switch (word[0]) {
	case '+':
	case '-':
		take_call_word(t, at, word);
		break;
	case 'p':
		at->pid = atoi(word + 1);
		break;
	case 'c':
		at->cpu = (u16)atoi(word + 1);
		break;
	case 'w':
		at->now_us += strtoul(word + 1, NULL, 10);
		break;
	case 'L':
		callgraph_lost(t->graph, (u16)atoi(word + 1));
		break;
	case '!':
		assert_int_equal(callgraph_note(t->graph, at->pid, at->cpu, &note), 0);
		break;
	default:
		at->context = word[0] == 'h' ? GRAPH_IN_HARDIRQ :
			      word[0] == 's' ? GRAPH_IN_SOFTIRQ :
					       0;
	}
}

static void play(struct test *t, const char *script)
{
	struct place at = { .now_us = 1000000, .pid = 1 };
	char *copy = strdup(script), *rest = copy, *word;

	while ((word = strsep(&rest, " ")))
		if (*word)
			take_word(t, &at, word);
	free(copy);
}

static void stop(struct test *t)
{
	callgraph_free(t->graph);
	strbuf_free(&t->out);
}

/* @how: '=' with durations, 'c' system calls only, 'k' without finishing. */
static struct callgraph_stats expect(const char *how, const char *script, const char *trees)
{
	struct callgraph_stats stats;
	struct test t;

	start(&t, how, 0, 0);
	play(&t, script);
	if (!strchr(how, 'k'))
		assert_int_equal(callgraph_finish(t.graph), 0);
	assert_string_equal(strbuf_cstr(&t.out), trees);
	stats = *callgraph_stats(t.graph);
	stop(&t);
	return stats;
}

static void nested_calls_become_a_tree_with_durations(void **state)
{
	struct callgraph_stats stats;

	(void)state;
	stats = expect("=", "+a0 +b1 +c2 -c2 -b1 +d1 -d1 -a0", "a7(b3(c1) d1)");
	assert_int_equal(stats.matched, 4);
	assert_int_equal(stats.depth_gaps, 0);
	/* As soon as it has ended. */
	expect("k", "+a0 +b1 -b1 -a0", "a(b)");
}

static void system_call_is_found_at_any_depth_and_others_are_not_handed_out(void **state)
{
	(void)state;
	expect("c", "+x0 +C1 +b2 -b2 -C1 -x0 +y0 -y0 +A0 -A0", "connect:C(b); accept:A");
	/* The outermost counts. */
	expect("c", "+C0 +A1 -A1 -C0", "connect:C(A)");
}

static void exit_that_an_interrupt_overtook_is_matched_late(void **state)
{
	struct callgraph_stats stats;

	(void)state;
	/* 5.10 and 6.1: depth is counted down before the exit is recorded. */
	stats = expect("=", "+a0 +b1 h +q1 +r2 -r2 -q1 n -b1/2 +c1 -c1 -a0",
		       "a11(b'2 qi3(ri1) c1)");
	assert_int_equal(stats.late, 1);
	assert_int_equal(stats.matched, 5);
	assert_int_equal(stats.orphans, 0);
	assert_int_equal(stats.no_exit, 0);
	/* At the root of a task, where several such pieces of an interrupt come before it. */
	expect("c", "+C0 +b1 -b1 h +q0 -q0 +r0 -r0 n -C0", "connect:C'(b)");
}

static void interrupt_between_depth_and_entry_leaves_a_gap(void **state)
{
	struct callgraph_stats stats;

	(void)state;
	stats = expect("", "+a0 h +q2 -q2 n +b1 -b1 -a0", "a(qi b)");
	assert_int_equal(stats.depth_gaps, 1);
	assert_int_equal(stats.orphans, 0);
}

static void root_may_be_at_any_depth(void **state)
{
	(void)state;
	expect("", "+a1 +b2 -b2 -a1 +c0 -c0", "a(b); c");
}

static void interrupts_are_told_by_flags_and_what_they_call_is_theirs(void **state)
{
	(void)state;
	expect("", "+a0 s +q1 n +r2 -r2 s -q1 n +b1 -b1 -a0", "a(qs(rs) b)");
}

static void tail_of_a_task_that_is_switched_away_belongs_to_the_other_pid(void **state)
{
	(void)state;
	/* With a pid filter, the last records before the switch may carry the next task's pid. */
	expect("", "+a0 +s1 p2 +t0 -t0 p1 -s1 -a0", "t; a(s)");
}

static void task_that_moves_to_another_cpu_keeps_its_stack(void **state)
{
	struct callgraph_stats stats;

	(void)state;
	stats = expect("", "+a0 +b1 c1 +c2 -c2 -b1 -a0", "a(b(c))");
	assert_int_equal(stats.migrated, 2);
	assert_int_equal(stats.orphans, 0);
}

static void idle_tasks_of_cpus_are_told_apart(void **state)
{
	(void)state;
	expect("", "p0 c0 +a0 c1 +b0 c0 +c1 -c1 -a0 c1 -b0", "a(c); b");
}

static void calls_that_do_not_return_are_open(void **state)
{
	struct callgraph_stats stats;

	(void)state;
	stats = expect("", "+C0 +b1 -b1 +s1 p2 +a0 -a0", "a; connect:C^(b s^)");
	assert_int_equal(stats.open, 2);
	/* Nothing before the end tells. */
	expect("k", "+C0 +b1 -b1 +s1 p2 +a0 -a0", "a");
}

static void exit_without_entry_makes_the_call_and_adopts_what_it_called(void **state)
{
	struct callgraph_stats stats;

	(void)state;
	/* Lost before the first record: entries of C at 0 and b at 1. */
	stats = expect("=", "+d2 -d2 +e2 -e2 -b1/9 +f1 -f1 -C0/15", "connect:C*15(b*9(d1 e1) f1)");
	assert_int_equal(stats.orphans, 2);
	assert_int_equal(stats.exits - stats.matched, 2);
	/* What began before it is not its own. */
	expect("=", "+d2 -d2 w9000 +e2 -e2 -b1/9 -C0/12", "d1; connect:C*12(b*9(e1))");
}

static void after_a_loss_the_duration_tells_calls_apart(void **state)
{
	struct callgraph_stats stats;

	(void)state;
	/* b's exit, and the entry of another b, were lost. */
	stats = expect("", "+a0 +b1 +c2 -c2 L0 w5000 +d2 -d2 -b1/3 -a0", "a(b~(c) b*(d))");
	assert_int_equal(stats.mismatched, 1);
	assert_int_equal(stats.orphans, 1);
	/* The same b: what was lost was inside of it. */
	stats = expect("", "+a0 +b1 +c2 -c2 L0 w5000 +d2 -d2 -b1 -a0", "a(b(c d))");
	assert_int_equal(stats.mismatched, 0);
	/* Without a loss nobody asks: a clock may have stood still. */
	expect("", "+a0 +b1 -b1/9000 -a0", "a(b)");
}

static void stale_frames_do_not_keep_what_others_called(void **state)
{
	(void)state;
	/* Lost: the exits of c and b, the entries of another e at 1 and of f at 2. */
	expect("", "+a0 +b1 +c2 L0 w5000 +d3 -d3 -f2/3 -e1/6 -a0", "a(b~(c~) e*(f*(d)))");
	/* What c called before the loss stays with it. */
	expect("", "+a0 +b1 +c2 +g3 -g3 L0 w5000 +d3 -d3 -f2/3 -e1/6 -a0",
	       "a(b~(c~(g)) e*(f*(d)))");
}

static void loss_on_one_cpu_is_nothing_to_tasks_of_another(void **state)
{
	(void)state;
	expect("", "c0 +a0 +b1 c1 p2 +x0 +y1 L0 w5000 -y1/3 -x0 c0 p1 -b1/3 -a0", "x(y); a(b~ b*)");
}

static void unmatched_entry_waits_no_longer_than_its_caller(void **state)
{
	struct callgraph_stats stats;

	(void)state;
	stats = expect("", "+a0 +b1 +c1 -c1 -a0", "a(b~ c)");
	assert_int_equal(stats.no_exit, 1);
}

static void events_belong_to_the_innermost_function(void **state)
{
	(void)state;
	expect("c", "! +C0 +b1 ! +c2 ! ! -c2 -b1 ! -C0 !", "connect:C!(b!(c!!))");
	/* Of a call made from its exit they are what it called. */
	expect("c", "+d2 ! -d2 -b1/5 -C0/9", "connect:C*(b*(d!))");
	/* Two system calls have their own. */
	expect("", "+x0 +A1 ! -A1 +C1 ! -C1 -x0 +y0 -y0", "accept:A!; connect:C!; y");
}

static void arguments_and_return_values_are_handed_on(void **state)
{
	struct graph_record rec = { .kind = GRAPH_ENTRY,
				    .func = FUNC('C'),
				    .pid = 1,
				    .ts_ns = 5,
				    .has = GRAPH_HAS_RETADDR,
				    .retaddr = 0x1234,
				    .nr_args = 2,
				    .args = { 11, 22 } };
	struct test t;

	(void)state;
	start(&t, "", 0, 0);
	callgraph_record(t.graph, &rec);
	rec.kind = GRAPH_EXIT;
	rec.has = GRAPH_HAS_RETVAL;
	rec.retval = 99;
	callgraph_record(t.graph, &rec);
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.root.flags, CALL_NODE_RETVAL | CALL_NODE_RETADDR);
	assert_int_equal(t.root.retval, 99);
	assert_int_equal(t.root.retaddr, 0x1234);
	assert_int_equal(t.root.nr_args, 2);
	assert_int_equal(t.first_args[0], 11);
	assert_int_equal(t.first_args[1], 22);
	stop(&t);
}

static void call_that_is_too_large_keeps_its_beginning(void **state)
{
	struct callgraph_stats stats;
	struct test t;
	u32 i;

	(void)state;
	start(&t, "k", 32, 0);
	play(&t, "+C0");
	for (i = 0; i < 100; i++)
		play(&t, "+b1 +c2 -c2 -b1");
	play(&t, "-C0");
	stats = *callgraph_stats(t.graph);
	assert_int_equal(t.calls, 1);
	assert_int_equal(stats.matched, 201);
	assert_int_equal(stats.truncated, 201 - 32);
	/* The next one has room again. */
	play(&t, "+A0 -A0");
	assert_int_equal(t.calls, 2);
	stop(&t);
}

static void tasks_beyond_the_cap_push_out_the_oldest(void **state)
{
	struct callgraph_stats stats;
	struct test t;

	(void)state;
	start(&t, "", 0, 2);
	play(&t, "p1 +a0 p2 +b0 p3 +c0 p2 -b0 p1 -a0/1");
	stats = *callgraph_stats(t.graph);
	assert_int_equal(stats.evicted, 2);
	callgraph_finish(t.graph);
	assert_string_equal(strbuf_cstr(&t.out), "a~; b; c~; a*");
	stop(&t);
}

/* Frames and trees deeper than any kernel's, in any order: bounded, and nothing is read that is not there. */
static void nonsense_is_survived(void **state)
{
	struct graph_record rec = { .pid = 1 };
	u64 random = 88172645463325252ULL, ts = 0;
	struct test t;
	u32 i;

	(void)state;
	start(&t, "c", 0, 16);
	for (i = 0; i < 300000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		rec.ts_ns = ts += random >> 60;
		rec.kind = random & 1 ? GRAPH_ENTRY : GRAPH_EXIT;
		rec.func = FUNC('A' + (random >> 8) % 40);
		rec.depth = random & 2 ? (u32)(random >> 16) : (u32)(random >> 16) % 300;
		if (random % 5 == 0)
			rec.depth = UINT32_MAX - i % 3;
		rec.pid = (s32)(random >> 40) % 40;
		rec.cpu = (u16)(random % 7 ? 0 : random >> 48);
		rec.has = (u8)(random >> 20);
		rec.nr_args = rec.kind == GRAPH_ENTRY ? (u8)((random >> 28) % GRAPH_MAX_ARGS) : 0;
		rec.calltime = random;
		rec.rettime = random + (random >> 50);
		assert_int_equal(callgraph_record(t.graph, &rec), 0);
		if (random % 97 == 0)
			callgraph_lost(t.graph, rec.cpu);
		if (random % 3 == 0)
			take_word(&t, &(struct place){ .pid = rec.pid }, "!");
	}
	callgraph_finish(t.graph);
	assert_true(t.calls > 1000);
	stop(&t);
}

/* Deeper and deeper, then exits of what was never entered, each of which adopts everything. */
static void deep_orphans_are_bounded(void **state)
{
	struct graph_record rec = { .pid = 1, .func = FUNC('x'), .kind = GRAPH_EXIT };
	struct test t;
	u32 i;

	(void)state;
	start(&t, "", 0, 0);
	for (i = 100000; i > 0; i--) {
		rec.depth = i;
		rec.ts_ns++;
		callgraph_record(t.graph, &rec);
	}
	callgraph_finish(t.graph);
	assert_true(callgraph_stats(t.graph)->orphans == 100000);
	stop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nested_calls_become_a_tree_with_durations),
		cmocka_unit_test(system_call_is_found_at_any_depth_and_others_are_not_handed_out),
		cmocka_unit_test(exit_that_an_interrupt_overtook_is_matched_late),
		cmocka_unit_test(interrupt_between_depth_and_entry_leaves_a_gap),
		cmocka_unit_test(root_may_be_at_any_depth),
		cmocka_unit_test(interrupts_are_told_by_flags_and_what_they_call_is_theirs),
		cmocka_unit_test(tail_of_a_task_that_is_switched_away_belongs_to_the_other_pid),
		cmocka_unit_test(task_that_moves_to_another_cpu_keeps_its_stack),
		cmocka_unit_test(idle_tasks_of_cpus_are_told_apart),
		cmocka_unit_test(calls_that_do_not_return_are_open),
		cmocka_unit_test(exit_without_entry_makes_the_call_and_adopts_what_it_called),
		cmocka_unit_test(after_a_loss_the_duration_tells_calls_apart),
		cmocka_unit_test(stale_frames_do_not_keep_what_others_called),
		cmocka_unit_test(loss_on_one_cpu_is_nothing_to_tasks_of_another),
		cmocka_unit_test(unmatched_entry_waits_no_longer_than_its_caller),
		cmocka_unit_test(events_belong_to_the_innermost_function),
		cmocka_unit_test(arguments_and_return_values_are_handed_on),
		cmocka_unit_test(call_that_is_too_large_keeps_its_beginning),
		cmocka_unit_test(tasks_beyond_the_cap_push_out_the_oldest),
		cmocka_unit_test(nonsense_is_survived),
		cmocka_unit_test(deep_orphans_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
