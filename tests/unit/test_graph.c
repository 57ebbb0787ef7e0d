// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * function_graph: what a capture with it writes, what it keeps to restore, and whom it respects. No kernel is
 * asked; a made tree stands for tracefs.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/foreign.h"
#include "capture/graph.h"
#include "capture/plan.h"
#include "capture/saved.h"
#include "tree.h"

#define T "/sys/kernel/tracing"

static const char functions[] =
	"ip_rcv\n__x64_sys_connect\n__ia32_compat_sys_recvmsg\n"
	"___sys_sendmsg\ntcp_v4_connect\nveth_xmit [veth]\n_raw_spin_lock\n";

struct fixture {
	char *root;
	char dir[256];
	char saved[256];
	struct features f;
	struct graph g;
	struct plan plan;
	struct error err;
};

static void put(struct fixture *fix, const char *file, const char *text)
{
	char path[300];

	snprintf(path, sizeof(path), T "/%s", file);
	tree_file(fix->root, path, text);
}

/* As a 6.1 has it: function_graph at the top level only. */
static int setup(void **state)
{
	struct fixture *fix = calloc(1, sizeof(*fix));

	*state = fix;
	fix->root = tree_new();
	snprintf(fix->dir, sizeof(fix->dir), "%s" T, fix->root);
	snprintf(fix->saved, sizeof(fix->saved), "%s/run/function_graph", fix->root);
	put(fix, "available_filter_functions", functions);
	put(fix, "current_tracer", "nop\n");
	put(fix, "tracing_on", "1\n");
	put(fix, "trace_clock", "[local] global mono\n");
	put(fix, "buffer_size_kb", "7 (expanded: 1408)\n");
	put(fix, "max_graph_depth", "0\n");
	put(fix, "set_graph_function", "#### all functions enabled ####\n");
	put(fix, "set_graph_notrace", "#### no functions disabled ####\n");
	put(fix, "set_ftrace_filter", "#### all functions enabled ####\n");
	put(fix, "set_ftrace_notrace", "#### no functions disabled ####\n");
	put(fix, "set_ftrace_pid", "no pid\n");
	put(fix, "set_event", "");
	put(fix, "options/funcgraph-irqs", "1\n");
	put(fix, "options/function-fork", "0\n");
	put(fix, "trace", "");
	put(fix, "per_cpu/cpu0/stats", "entries: 0\noverrun: 0\n");
	snprintf(fix->f.tracing_dir, sizeof(fix->f.tracing_dir), "%s", fix->dir);
	fix->f.cpus = 1;
	fix->f.cap[FEATURE_FGRAPH_TOP].ok = true;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fix = *state;

	plan_free(&fix->plan);
	graph_free(&fix->g);
	tree_free(fix->root);
	free(fix);
	return 0;
}

static int prepare(struct fixture *fix)
{
	struct graph_request rq = { 0 };

	return graph_prepare(&fix->g, &rq, &fix->f, &fix->err);
}

static void a_pattern_is_kept_if_a_function_matches(void **state)
{
	static const char *const patterns[] = { "__[a-z]*_sys_connect",
						"__[a-z]*_sys_send*",
						"__[a-z]*_sys_recv*",
						"tcp_*",
						"veth_xmit",
						"icmp_*" };
	char *words = graph_match(functions, patterns, ARRAY_SIZE(patterns));

	(void)state;
	/* ___sys_sendmsg() is called by the system call, it is none */
	assert_string_equal(words, "__[a-z]*_sys_connect __[a-z]*_sys_recv* tcp_* veth_xmit");
	free(words);
	words = graph_match("", patterns, ARRAY_SIZE(patterns));
	assert_string_equal(words, "");
	free(words);
}

static void system_calls_are_found_by_name_on_each_architecture(void **state)
{
	(void)state;
	assert_string_equal(graph_syscall("__x64_sys_connect"), "connect");
	assert_string_equal(graph_syscall("__arm64_sys_sendto"), "sendto");
	assert_string_equal(graph_syscall("__s390x_sys_write"), "write");
	assert_string_equal(graph_syscall("__se_sys_read"), "read");
	assert_string_equal(graph_syscall("__ia32_compat_sys_recvmsg"), "recvmsg");
	assert_null(graph_syscall("___sys_sendmsg"));
	assert_null(graph_syscall("____sys_recvmsg"));
	assert_null(graph_syscall("__sys_connect"));
	assert_null(graph_syscall("x64_sys_call"));
	assert_null(graph_syscall("tcp_sendmsg"));
	assert_null(graph_syscall("__x64_sys_"));
	assert_null(graph_syscall(""));
}

static const char *saved_value(const struct graph *g, const char *file)
{
	size_t i;

	for (i = 0; i < g->nr_saved; i++)
		if (!strcmp(g->saved[i].file, file))
			return g->saved[i].value ? g->saved[i].value : "(emptied)";
	return "(not saved)";
}

static void what_the_top_level_is_set_to_is_saved(void **state)
{
	struct fixture *fix = *state;

	assert_int_equal(prepare(fix), 0);
	assert_true(fix->g.top);
	assert_string_equal(saved_value(&fix->g, "current_tracer"), "nop");
	assert_string_equal(saved_value(&fix->g, "trace_clock"), "local");
	assert_string_equal(saved_value(&fix->g, "buffer_size_kb"), "1408");
	assert_string_equal(saved_value(&fix->g, "max_graph_depth"), "0");
	assert_string_equal(saved_value(&fix->g, "options/funcgraph-irqs"), "1");
	assert_string_equal(saved_value(&fix->g, "options/function-fork"), "0");
	assert_string_equal(saved_value(&fix->g, "options/funcgraph-args"), "(not saved)");
	assert_string_equal(saved_value(&fix->g, "set_ftrace_pid"), "(emptied)");
	assert_string_equal(fix->g.saved[fix->g.nr_saved - 1].file, "tracing_on");
}

static void buffers_of_different_sizes_are_saved_one_by_one(void **state)
{
	struct fixture *fix = *state;

	fix->f.cpus = 2;
	put(fix, "buffer_size_kb", "X\n");
	put(fix, "per_cpu/cpu0/buffer_size_kb", "1410\n");
	put(fix, "per_cpu/cpu1/buffer_size_kb", "8192\n");
	assert_int_equal(prepare(fix), 0);
	assert_string_equal(saved_value(&fix->g, "per_cpu/cpu0/buffer_size_kb"), "1410");
	assert_string_equal(saved_value(&fix->g, "per_cpu/cpu1/buffer_size_kb"), "8192");
	assert_string_equal(saved_value(&fix->g, "buffer_size_kb"), "(not saved)");
}

static void an_instance_saves_only_what_it_shares(void **state)
{
	struct fixture *fix = *state;

	fix->f.cap[FEATURE_FGRAPH_INSTANCE].ok = true;
	assert_int_equal(prepare(fix), 0);
	assert_false(fix->g.top);
	assert_string_equal(saved_value(&fix->g, "set_graph_function"), "(emptied)");
	assert_string_equal(saved_value(&fix->g, "max_graph_depth"), "0");
	assert_string_equal(saved_value(&fix->g, "current_tracer"), "(not saved)");
	assert_string_equal(saved_value(&fix->g, "tracing_on"), "(not saved)");
}

static void anything_in_use_is_somebody_elses(void **state)
{
	static const struct {
		const char *file, *text, *before;
	} uses[] = {
		{ "current_tracer", "function\n", "nop\n" },
		{ "set_graph_function", "ip_rcv\n", "#### all functions enabled ####\n" },
		{ "set_graph_notrace", "ip_rcv\n", "#### no functions disabled ####\n" },
		{ "set_ftrace_filter", "ip_rcv\n", "#### all functions enabled ####\n" },
		{ "set_ftrace_pid", "812\n", "no pid\n" },
		{ "set_event", "sched:sched_switch\n", "" },
		{ "events/net/netif_rx/filter", "len > 100\n", "none\n" },
		{ "per_cpu/cpu0/stats", "entries: 12\noverrun: 0\n", "entries: 0\n" },
	};
	struct fixture *fix = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(uses); i++) {
		assert_int_equal(foreign_top_level(fix->dir, &fix->err), 0);
		put(fix, uses[i].file, uses[i].text);
		assert_int_equal(foreign_top_level(fix->dir, &fix->err), -EBUSY);
		assert_int_equal(prepare(fix), -EBUSY);
		assert_non_null(strstr(fix->err.text, "echo"));
		put(fix, uses[i].file, uses[i].before);
	}
}

static void a_graph_elsewhere_is_respected_where_it_would_be_changed(void **state)
{
	struct fixture *fix = *state;

	fix->f.cap[FEATURE_FGRAPH_INSTANCE].ok = true;
	put(fix, "instances/theirs/current_tracer", "function_graph\n");
	assert_int_equal(foreign_graph(fix->dir, &fix->err), -EBUSY);
	assert_non_null(strstr(fix->err.text, "instances/theirs"));
	put(fix, "instances/theirs/current_tracer", "function\n");
	assert_int_equal(foreign_graph(fix->dir, &fix->err), 0);
	/* but what narrows down every graph would leave them empty */
	put(fix, "set_graph_function", "ip_rcv\n");
	assert_int_equal(foreign_graph(fix->dir, &fix->err), -EBUSY);
	assert_non_null(strstr(fix->err.text, "set_graph_function"));
}

static void no_function_graph_is_told(void **state)
{
	struct fixture *fix = *state;

	fix->f.cap[FEATURE_FGRAPH_TOP].ok = false;
	assert_int_equal(prepare(fix), -ENOTSUP);
	assert_non_null(strstr(fix->err.text, "no function_graph"));
}

static void a_process_is_followed_with_all_its_threads(void **state)
{
	struct fixture *fix = *state;
	struct graph_request rq = { .pid = getpid() };
	char own[16];

	snprintf(own, sizeof(own), "%d", (int)getpid());
	assert_int_equal(graph_prepare(&fix->g, &rq, &fix->f, &fix->err), 0);
	assert_non_null(strstr(fix->g.pids, own));
	graph_free(&fix->g);
	rq.pid = 0x7ffffffe;
	assert_int_equal(graph_prepare(&fix->g, &rq, &fix->f, &fix->err), -ESRCH);
	assert_non_null(strstr(fix->err.text, "no process"));
}

static int build_plan(struct fixture *fix)
{
	static char *events[] = { (char *)"net:net_dev_queue" };
	static char *clocks[] = { (char *)"local", (char *)"mono" };
	struct capture_request rq = { .buffer_percent = -1, .pid = 77, .graph = &fix->g };

	fix->f.events = events;
	fix->f.event_count = 1;
	fix->f.clocks = clocks;
	fix->f.clock_count = 2;
	return plan_build(&rq, &fix->f, &fix->plan, &fix->err);
}

/* Each file of the top level that is written to is written to again at the end. */
static void everything_written_at_the_top_level_is_restored(void **state)
{
	static const char *const by_others[] = { "/tracing_on", "/enable" };
	struct fixture *fix = *state;
	const struct plan_step *step;
	bool saved = false, restored;
	size_t i, k, len;

	assert_int_equal(prepare(fix), 0);
	assert_int_equal(build_plan(fix), 0);
	assert_string_equal(fix->plan.instance_dir, fix->dir);
	for (i = 0; i < fix->plan.step_count; i++) {
		step = &fix->plan.steps[i];
		saved = saved || step->op == PLAN_SAVE;
		if (step->phase != PLAN_SETUP || step->op == PLAN_SAVE || step->op == PLAN_MKDIR)
			continue;
		assert_true(saved);
		restored = false;
		for (k = i; k < fix->plan.step_count && !restored; k++)
			restored = fix->plan.steps[k].phase == PLAN_UNDO &&
				   !strcmp(fix->plan.steps[k].path, step->path);
		for (k = 0; k < ARRAY_SIZE(by_others) && !restored; k++) {
			len = strlen(by_others[k]);
			restored = !strcmp(step->path + strlen(step->path) - len, by_others[k]);
		}
		if (!restored)
			fail_msg("%s is not restored", step->path);
	}
	assert_int_equal(fix->plan.steps[fix->plan.step_count - 2].op, PLAN_FORGET);
	assert_int_equal(fix->plan.steps[fix->plan.step_count - 1].op, PLAN_RMDIR);
}

static void the_process_is_filled_in_when_there_is_one(void **state)
{
	struct fixture *fix = *state;
	struct strbuf shell = STRBUF_INIT;
	size_t i;

	assert_int_equal(prepare(fix), 0);
	assert_int_equal(build_plan(fix), 0);
	plan_print_shell(&fix->plan, &shell);
	assert_non_null(strstr(strbuf_cstr(&shell), "echo $$ > "));
	strbuf_free(&shell);
	assert_int_equal(plan_set_pid(&fix->plan, 812), 0);
	for (i = 0; i < fix->plan.step_count; i++)
		if (fix->plan.steps[i].op == PLAN_PIDS)
			break;
	assert_true(i < fix->plan.step_count);
	assert_string_equal(fix->plan.steps[i].value, "812");
}

/* Another process owns the file, and dies. */
static void leave_behind(struct fixture *fix, const char *tail)
{
	struct strbuf text = STRBUF_INIT;
	FILE *file;

	saved_put(&text, "PATH", NULL);
	saved_remove(fix->saved, saved_create(fix->saved, &text, &fix->err));
	strbuf_free(&text);
	file = fopen(fix->saved, "w");
	assert_non_null(file);
	chmod(fix->saved, 0600);
	fprintf(file, "skbtrail 1 4711\nw %1$s/trace_clock local\nc %1$s/set_graph_function\n%2$s",
		fix->dir, tail);
	fclose(file);
}

static void settings_of_a_dead_owner_are_restored(void **state)
{
	struct fixture *fix = *state;
	pid_t pid = 0;
	char *text;

	leave_behind(fix, "end\n");
	assert_int_equal(saved_owner(fix->saved, &pid), 0);
	assert_int_equal(pid, 4711);
	assert_int_equal(saved_restore(fix->saved, fix->dir, &fix->err), 0);
	text = tree_read(fix->root, T "/trace_clock");
	assert_memory_equal(text, "local\n", 6);
	free(text);
	text = tree_read(fix->root, T "/set_graph_function");
	assert_string_equal(text, "\n");
	free(text);
	assert_int_equal(access(fix->saved, F_OK), -1);
}

static void an_unfinished_file_restores_nothing(void **state)
{
	struct fixture *fix = *state;
	char *text;

	leave_behind(fix, "w ");
	assert_int_equal(saved_restore(fix->saved, fix->dir, &fix->err), 0);
	text = tree_read(fix->root, T "/trace_clock");
	assert_string_equal(text, "[local] global mono\n");
	free(text);
	assert_int_equal(access(fix->saved, F_OK), -1);
}

static void nothing_outside_of_tracefs_is_restored(void **state)
{
	struct fixture *fix = *state;
	char line[600];

	snprintf(line, sizeof(line), "w %s/../../../passwd x\nend\n", fix->dir);
	leave_behind(fix, line);
	assert_int_equal(saved_restore(fix->saved, fix->dir, &fix->err), -EINVAL);
	assert_false(tree_has(fix->root, "/passwd"));
	assert_int_equal(access(fix->saved, F_OK), 0);
	assert_int_equal(saved_restore(fix->saved, "/somewhere/else", &fix->err), -EINVAL);
	/* and nothing that others could have written */
	chmod(fix->saved, 0622);
	assert_int_equal(saved_restore(fix->saved, fix->dir, &fix->err), -EPERM);
}

static void a_living_owner_is_left_alone(void **state)
{
	struct fixture *fix = *state;
	struct strbuf text = STRBUF_INIT;
	struct stat st;
	pid_t pid;
	int fd;

	saved_put(&text, "/x/trace_clock", "local");
	fd = saved_create(fix->saved, &text, &fix->err);
	assert_true(fd >= 0);
	assert_int_equal(stat(fix->saved, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(saved_owner(fix->saved, &pid), 1);
	assert_int_equal(pid, getpid());
	assert_int_equal(saved_create(fix->saved, &text, &fix->err), -EBUSY);
	assert_int_equal(saved_restore(fix->saved, fix->dir, &fix->err), -EWOULDBLOCK);
	saved_remove(fix->saved, fd);
	assert_int_equal(saved_owner(fix->saved, &pid), -ENOENT);
	strbuf_free(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pattern_is_kept_if_a_function_matches),
		TEST(system_calls_are_found_by_name_on_each_architecture),
		TEST(what_the_top_level_is_set_to_is_saved),
		TEST(buffers_of_different_sizes_are_saved_one_by_one),
		TEST(an_instance_saves_only_what_it_shares),
		TEST(anything_in_use_is_somebody_elses),
		TEST(a_graph_elsewhere_is_respected_where_it_would_be_changed),
		TEST(no_function_graph_is_told),
		TEST(a_process_is_followed_with_all_its_threads),
		TEST(everything_written_at_the_top_level_is_restored),
		TEST(the_process_is_filled_in_when_there_is_one),
		TEST(settings_of_a_dead_owner_are_restored),
		TEST(an_unfinished_file_restores_nothing),
		TEST(nothing_outside_of_tracefs_is_restored),
		TEST(a_living_owner_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
