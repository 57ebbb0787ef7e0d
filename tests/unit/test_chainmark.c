// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stack traces become chains of the packets that they were taken for, and of no other.
 */
#include "unit.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/chainmark.h"

/* As /sys/kernel/tracing/events/ftrace/kernel_stack/format has it on 5.10, 6.12 and 6.18. */
#define FORMAT(size)                                                                   \
	"name: kernel_stack\nID: 4\nformat:\n"                                         \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"         \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"         \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n" size              \
	"\tfield:unsigned long caller[8];\toffset:16;\tsize:64;\tsigned:0;\n\n"        \
	"print fmt: \"\\t=> %ps\\n\", (void *)REC->caller[0]\n"
#define SIZE "\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"

#define PID 812
#define CPU 3
#define SKB 0xffff888012345600ULL

struct test {
	struct chainmark *m;
	struct event ev;
	u8 bytes[16 + 8 * 200];
	bool big;
};

static void start(struct test *t, bool big, const char *format)
{
	struct error err;

	memset(t, 0, sizeof(*t));
	t->big = big;
	assert_int_equal(chainmark_new(&t->m, big, 8, &err), 0);
	chainmark_format(t->m, format, strlen(format));
}

static void put(struct test *t, u32 at, u32 size, u64 value)
{
	u32 i;

	for (i = 0; i < size; i++)
		t->bytes[at + (t->big ? size - 1 - i : i)] = (u8)(value >> 8 * i);
}

/* An event of an skb on CPU: it is awaited from then on, if it sends. */
static void event(struct test *t, u8 kind, u8 context, s32 pid)
{
	t->ev = (struct event){ .kind = kind, .skb = SKB, .pid = pid, .cpu = CPU };
	t->ev.context = EVENT_CONTEXT_KNOWN | context;
	chainmark_event(t->m, &t->ev);
}

/* A stack of @nr functions, the innermost 1000, that says it has @size. */
static enum ahead_found stack(struct test *t, u8 flags, s32 pid, u16 cpu, u32 nr, u32 size)
{
	struct record rec = { .ts_ns = 77, .id = 4, .cpu = cpu, .len_bytes = 16 + 8 * nr };
	enum ahead_found found;
	u8 *copy;
	u32 i;

	put(t, 0, 2, 4);
	t->bytes[2] = flags;
	put(t, 4, 4, (u32)pid);
	put(t, 8, 4, size);
	for (i = 0; i < nr; i++)
		put(t, 16 + 8 * i, 8, 1000 + i);
	/* in memory of its own size, so that a sanitizer sees a read behind it */
	copy = malloc(rec.len_bytes);
	memcpy(copy, t->bytes, rec.len_bytes);
	rec.data = copy;
	memset(&t->ev, 0xee, sizeof(t->ev));
	found = chainmark_record(t->m, &rec, &t->ev);
	free(copy);
	return found;
}

static void assert_stack(struct test *t, u8 layer, u32 nr, u64 outermost)
{
	const struct chain *chain = chains_get(chainmark_chains(t->m), t->ev.chain);
	u32 i;

	assert_int_equal(t->ev.kind, EVENT_STACK);
	assert_int_equal(t->ev.skb, SKB);
	assert_int_equal(t->ev.layer, layer);
	assert_int_equal(t->ev.ts_ns, 77);
	assert_int_equal(t->ev.cpu, CPU);
	assert_int_equal(t->ev.has, 0);
	assert_non_null(chain);
	assert_true(chain->stack);
	assert_int_equal(chain->nr, nr);
	for (i = 0; i < nr; i++)
		assert_int_equal(chain->func[i], outermost - i);
}

static void a_stack_is_of_the_event_before_it(void **state)
{
	struct test t;
	int big;

	(void)state;
	for (big = 0; big < 2; big++) {
		start(&t, big, FORMAT(SIZE));
		event(&t, EVENT_QUEUE, 0, PID);
		assert_int_equal(stack(&t, 1, PID, CPU, 5, 5), AHEAD_EVENT);
		assert_stack(&t, LAYER_NONE, 5, 1004);
		/* the next one is of nothing */
		assert_int_equal(stack(&t, 1, PID, CPU, 5, 5), AHEAD_OF_INTEREST);
		/* and an event that is no sending awaits none */
		event(&t, EVENT_RECEIVE, 0, PID);
		assert_int_equal(stack(&t, 1, PID, CPU, 5, 5), AHEAD_OF_INTEREST);
		chainmark_free(t.m);
	}
}

static void hook(struct test *t, u8 number)
{
	struct skb_facts facts = { .hook = number };

	t->ev = (struct event){ .kind = EVENT_HOOK,
				.layer = LAYER_HOOK,
				.skb = SKB,
				.pid = PID,
				.cpu = CPU,
				.context = EVENT_CONTEXT_KNOWN,
				.has = EVENT_HAS_FACTS };
	t->ev.facts = &facts;
	chainmark_event(t->m, &t->ev);
}

static void a_stack_before_the_device_says_so(void **state)
{
	struct test t;

	(void)state;
	start(&t, false, FORMAT(SIZE));
	event(&t, EVENT_LAYER, 0, PID);
	assert_int_equal(stack(&t, 0, PID, CPU, 2, 2), AHEAD_OF_INTEREST);
	hook(&t, NF_INET_LOCAL_OUT);
	assert_int_equal(stack(&t, 0, PID, CPU, 2, 2), AHEAD_EVENT);
	assert_stack(&t, LAYER_IP_OUT, 2, 1001);
	hook(&t, NF_INET_FORWARD);
	assert_int_equal(stack(&t, 0, PID, CPU, 2, 2), AHEAD_OF_INTEREST);
	chainmark_free(t.m);
}

static void interrupts_other_tasks_and_other_cpus_have_no_part_in_it(void **state)
{
	struct test t;

	(void)state;
	start(&t, false, FORMAT(SIZE));
	event(&t, EVENT_QUEUE, EVENT_IN_SOFTIRQ, PID);
	assert_int_equal(stack(&t, EVENT_IN_SOFTIRQ, PID, CPU, 5, 5), AHEAD_OF_INTEREST);
	event(&t, EVENT_QUEUE, 0, PID);
	assert_int_equal(stack(&t, EVENT_IN_SOFTIRQ, PID, CPU, 5, 5), AHEAD_OF_INTEREST);
	assert_int_equal(stack(&t, EVENT_IN_HARDIRQ, PID, CPU, 5, 5), AHEAD_OF_INTEREST);
	assert_int_equal(stack(&t, 0, PID + 1, CPU, 5, 5), AHEAD_OF_INTEREST);
	assert_int_equal(stack(&t, 0, PID, CPU + 1, 5, 5), AHEAD_OF_INTEREST);
	assert_int_equal(stack(&t, 0, PID, CPU + 1024, 5, 5), AHEAD_OF_INTEREST);
	/* the one that all of them were not is still to come */
	assert_int_equal(stack(&t, 0, PID, CPU, 5, 5), AHEAD_EVENT);
	/* it may be among what was lost */
	event(&t, EVENT_QUEUE, 0, PID);
	chainmark_lost(t.m);
	assert_int_equal(stack(&t, 0, PID, CPU, 5, 5), AHEAD_OF_INTEREST);
	chainmark_free(t.m);
}

static void the_outermost_functions_of_a_deep_stack_are_kept(void **state)
{
	struct test t;

	(void)state;
	start(&t, false, FORMAT(SIZE));
	event(&t, EVENT_QUEUE, 0, PID);
	assert_int_equal(stack(&t, 0, PID, CPU, 200, 200), AHEAD_EVENT);
	assert_stack(&t, LAYER_NONE, STACK_FUNCS, 1199);
	chainmark_free(t.m);
}

static void damaged_records_and_formats_are_passed_over(void **state)
{
	static const char *const formats[] = {
		FORMAT(""), FORMAT("\tfield:int size;\toffset:80;\tsize:4;\tsigned:1;\n"), "",
		"name: user_stack\nID: 4\nformat:\n\tfield:int size;\toffset:8;\tsize:4;\tsigned:1;\n"
	};
	struct test t;
	size_t i;

	(void)state;
	start(&t, false, FORMAT(SIZE));
	/* the record ends before all that it says to have; and a size below 0 */
	event(&t, EVENT_QUEUE, 0, PID);
	assert_int_equal(stack(&t, 0, PID, CPU, 3, 1000000), AHEAD_EVENT);
	assert_stack(&t, LAYER_NONE, 3, 1002);
	event(&t, EVENT_QUEUE, 0, PID);
	assert_int_equal(stack(&t, 0, PID, CPU, 3, 0xffffffff), AHEAD_EVENT);
	assert_stack(&t, LAYER_NONE, 3, 1002);
	event(&t, EVENT_QUEUE, 0, PID);
	assert_int_equal(stack(&t, 0, PID, CPU, 0, 0), AHEAD_OF_INTEREST);
	chainmark_free(t.m);
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		start(&t, false, formats[i]);
		event(&t, EVENT_QUEUE, 0, PID);
		assert_int_equal(stack(&t, 0, PID, CPU, 5, 5), AHEAD_NOTHING);
		chainmark_free(t.m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stack_is_of_the_event_before_it),
		cmocka_unit_test(a_stack_before_the_device_says_so),
		cmocka_unit_test(interrupts_other_tasks_and_other_cpus_have_no_part_in_it),
		cmocka_unit_test(the_outermost_functions_of_a_deep_stack_are_kept),
		cmocka_unit_test(damaged_records_and_formats_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
