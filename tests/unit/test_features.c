// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a kernel allows, found in a made-up tree that stands for /.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/features.h"
#include "tree.h"

#define TRACING "sys/kernel/tracing"

struct fixture {
	char *root;
	struct features f;
	struct error err;
};

static void make_kernel(const char *root)
{
	tree_dir(root, TRACING "/instances");
	tree_dir(root, TRACING "/events/net/net_dev_queue");
	tree_dir(root, TRACING "/events/net/netif_rx");
	tree_dir(root, TRACING "/events/ftrace/function");
	tree_file(root, TRACING "/events/net/enable", "0\n");
	tree_file(root, TRACING "/events/net/net_dev_queue/format",
		  "\tfield:void * skbaddr;\toffset:8;\n\tfield:u64 net_cookie;\toffset:16;\n");
	tree_file(root, TRACING "/events/skb/kfree_skb/format",
		  "\tfield:void * skbaddr;\toffset:8;\n");
	tree_file(root, TRACING "/trace_clock", "local global [mono] x86-tsc\n");
	tree_file(root, TRACING "/available_tracers", "function_graph function nop\n");
	tree_file(root, TRACING "/current_tracer", "nop\n");
	tree_file(root, TRACING "/dynamic_events", "");
	tree_file(root, TRACING "/kprobe_events", "");
	tree_file(root, "proc/kallsyms", "0000000000000000 A fixed\nffffffff81000000 T _text\n");
	tree_file(root, "proc/meminfo", "MemTotal: 9 kB\nMemAvailable:    12345 kB\n");
	tree_file(root, "sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	tree_file(root, "sys/kernel/btf/vmlinux", "\x9f\xeb\x01");
}

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

	features_free(&fix->f);
	tree_free(fix->root);
	free(fix);
	return 0;
}

static void detect(struct fixture *fix)
{
	features_free(&fix->f);
	assert_int_equal(features_detect_at(&fix->f, fix->root, &fix->err), 0);
}

static void assert_yes(const struct fixture *fix, enum feature id, const char *words)
{
	assert_true(fix->f.cap[id].ok);
	assert_non_null(strstr(fix->f.cap[id].detail, words));
}

static void assert_no(const struct fixture *fix, enum feature id, int code, const char *file)
{
	assert_false(fix->f.cap[id].ok);
	assert_int_equal(fix->f.cap[id].code, code);
	assert_non_null(strstr(fix->f.cap[id].path, file));
	assert_int_not_equal(fix->f.cap[id].detail[0], '\0');
}

static void what_is_there_is_found(void **state)
{
	struct fixture *fix = *state;

	make_kernel(fix->root);
	detect(fix);
	assert_yes(fix, FEATURE_TRACEFS, TRACING);
	assert_yes(fix, FEATURE_INSTANCES, "removed");
	assert_yes(fix, FEATURE_TP_NET, "2 events; without net_dev_start_xmit");
	assert_yes(fix, FEATURE_NET_COOKIE, "net_cookie");
	assert_yes(fix, FEATURE_LOCKDOWN, "integrity");
	assert_yes(fix, FEATURE_BTF_FILE, "btf/vmlinux");
	assert_yes(fix, FEATURE_KALLSYMS, "kallsyms");
	assert_yes(fix, FEATURE_KPROBE_EVENTS, "netif_rx");
	assert_yes(fix, FEATURE_FGRAPH_TOP, "'nop'");
	assert_int_equal(fix->f.mem_available_kb, 12345);
	assert_string_equal(fix->f.clock, "mono");
	assert_int_equal(fix->f.clock_count, 4);
	assert_int_equal(fix->f.event_count, 3);
	assert_true(features_has_event(&fix->f, "net", "netif_rx"));
	assert_false(features_has_event(&fix->f, "ftrace", "function"));
}

static void every_no_names_the_file_and_the_errno(void **state)
{
	struct fixture *fix = *state;

	make_kernel(fix->root);
	detect(fix);
	assert_no(fix, FEATURE_EVENTS, ENOENT, "events/net/net_dev_queue/enable");
	assert_no(fix, FEATURE_TP_BRIDGE, ENOENT, "events/bridge");
	assert_no(fix, FEATURE_HIST_TRIGGERS, ENOENT, "trigger");
	assert_no(fix, FEATURE_FGRAPH_INSTANCE, ENOENT, "current_tracer");
	assert_no(fix, FEATURE_FGRAPH_ARGS, ENOENT, "options/funcgraph-args");
	assert_no(fix, FEATURE_SUBBUF_SIZE, ENOENT, "buffer_subbuf_size_kb");
	assert_no(fix, FEATURE_BUFFER_PERCENT, ENOENT, "buffer_percent");
	assert_no(fix, FEATURE_CLOCK_MONO, ENOENT, "trace_clock");
	assert_no(fix, FEATURE_DROP_REASON, 0, "skb/kfree_skb/format");
}

static void what_was_made_for_a_try_is_taken_back(void **state)
{
	struct fixture *fix = *state;
	char expected[256];
	char path[128];
	char *text;

	make_kernel(fix->root);
	detect(fix);
	snprintf(path, sizeof(path), TRACING "/instances/skbtrail-%d", (int)getpid());
	assert_false(tree_has(fix->root, path));
	text = tree_read(fix->root, TRACING "/kprobe_events");
	snprintf(expected, sizeof(expected),
		 "p:skbtrail_%1$d/check_k netif_rx\n-:skbtrail_%1$d/check_k\n"
		 "p:skbtrail_%1$d/check_b netif_rx len=skb->len\n-:skbtrail_%1$d/check_b\n",
		 (int)getpid());
	assert_string_equal(text, expected);
	free(text);
}

static void start_of_a_capture_tries_nothing(void **state)
{
	struct fixture *fix = *state;
	char *text;

	make_kernel(fix->root);
	tree_file(fix->root, TRACING "/events/net/net_dev_queue/enable", "0\n");
	tree_file(fix->root, TRACING "/buffer_percent", "50\n");
	tree_file(fix->root, TRACING "/dynamic_events", "");
	/* as 6.1 describes itself */
	tree_file(fix->root, TRACING "/README",
		  "\t   Format: p[:[<group>/][<event>]] <place> [<args>]\n"
		  "\t           e[:[<group>/][<event>]] <attached-group>.<attached-event>\n");
	assert_int_equal(features_read_at(&fix->f, fix->root, &fix->err), 0);
	assert_int_equal(features_require_t0(&fix->f, &fix->err), 0);
	assert_yes(fix, FEATURE_CLOCK_MONO, "not tried");
	assert_yes(fix, FEATURE_BUFFER_PERCENT, "not tried");
	assert_non_null(strstr(fix->f.cap[FEATURE_KPROBE_EVENTS].detail, "not tried"));
	text = tree_read(fix->root, TRACING "/kprobe_events");
	assert_string_equal(text, "");
	free(text);
	text = tree_read(fix->root, TRACING "/dynamic_events");
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(features_tier(&fix->f), TIER_T2);
	assert_false(fix->f.cap[FEATURE_FPROBE_EVENTS].ok);
}

static void start_of_a_capture_sees_what_is_not_to_be_written(void **state)
{
	struct fixture *fix = *state;
	char path[256];

	make_kernel(fix->root);
	snprintf(path, sizeof(path), "%s/" TRACING "/dynamic_events", fix->root);
	assert_int_equal(remove(path), 0);
	tree_file(fix->root, TRACING "/README", "p[:[<group>/][<event>]] <place> [<args>]\n");
	assert_int_equal(features_read_at(&fix->f, fix->root, &fix->err), 0);
	assert_false(fix->f.cap[FEATURE_KPROBE_EVENTS].ok);
	assert_int_equal(fix->f.cap[FEATURE_KPROBE_EVENTS].code, ENOENT);
	assert_non_null(strstr(fix->f.cap[FEATURE_KPROBE_EVENTS].path, "dynamic_events"));
}

static void top_level_instance_is_only_read(void **state)
{
	static const char *const files[] = { "current_tracer", "trace_clock", "events/net/enable" };
	static const char *const texts[] = { "nop\n", "local global [mono] x86-tsc\n", "0\n" };
	struct fixture *fix = *state;
	char path[128];
	char *text;
	size_t i;

	make_kernel(fix->root);
	detect(fix);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), TRACING "/%s", files[i]);
		text = tree_read(fix->root, path);
		assert_string_equal(text, texts[i]);
		free(text);
	}
}

static void instance_of_a_dead_process_with_our_pid_is_no_obstacle(void **state)
{
	struct fixture *fix = *state;
	char path[128];

	make_kernel(fix->root);
	snprintf(path, sizeof(path), TRACING "/instances/skbtrail-%d", (int)getpid());
	tree_dir(fix->root, path);
	detect(fix);
	assert_yes(fix, FEATURE_INSTANCES, "removed");
	assert_false(tree_has(fix->root, path));
}

static void missing_tracefs_is_one_clear_error(void **state)
{
	struct fixture *fix = *state;

	detect(fix);
	assert_no(fix, FEATURE_TRACEFS, ENOENT, TRACING);
	assert_no(fix, FEATURE_TP_NET, ENOENT, TRACING);
	assert_no(fix, FEATURE_KPROBE_EVENTS, ENOENT, TRACING);
	assert_int_equal(features_tier(&fix->f), TIER_NONE);
	assert_int_equal(features_require_t0(&fix->f, &fix->err), -ENOENT);
	assert_non_null(strstr(fix->err.text, "(ENOENT)"));
	assert_non_null(strstr(fix->err.text, TRACING));
}

static void odd_contents_are_survived(void **state)
{
	struct fixture *fix = *state;

	make_kernel(fix->root);
	tree_file(fix->root, TRACING "/trace_clock", "[ [] ]]][x \t\n[unterminated");
	tree_file(fix->root, TRACING "/available_tracers", "[function_graph]");
	tree_file(fix->root, TRACING "/events/file_not_folder", "x");
	tree_dir(fix->root, TRACING "/events/empty");
	tree_dir(fix->root, "sys/kernel/btf2");
	tree_file(fix->root, "proc/kallsyms", "no hex here\n\n\n0\n");
	tree_file(fix->root, "proc/meminfo", "MemAvailable:");
	tree_file(fix->root, "sys/kernel/security/lockdown", "[oops");
	tree_file(fix->root, "sys/kernel/btf/vmlinux", "x");
	detect(fix);
	assert_no(fix, FEATURE_KALLSYMS, 0, "kallsyms");
	assert_no(fix, FEATURE_LOCKDOWN, 0, "lockdown");
	assert_no(fix, FEATURE_BTF_FILE, 0, "btf");
	assert_yes(fix, FEATURE_FGRAPH_TOP, "listed");
	assert_int_equal(fix->f.mem_available_kb, 0);
}

static void lockdown_confidentiality_is_a_no(void **state)
{
	struct fixture *fix = *state;

	make_kernel(fix->root);
	tree_file(fix->root, "sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	detect(fix);
	assert_no(fix, FEATURE_LOCKDOWN, 0, "lockdown");
}

static void absent_lockdown_file_is_said_so(void **state)
{
	struct fixture *fix = *state;

	detect(fix);
	assert_yes(fix, FEATURE_LOCKDOWN, "absent");
}

static void description_read_again_is_the_same(void **state)
{
	struct strbuf first = STRBUF_INIT;
	struct strbuf second = STRBUF_INIT;
	struct fixture *fix = *state;
	struct features again;

	make_kernel(fix->root);
	detect(fix);
	assert_int_equal(features_to_json(&fix->f, &first), 0);
	assert_int_equal(features_from_json(&again, first.data, first.len, &fix->err), 0);
	assert_int_equal(features_to_json(&again, &second), 0);
	assert_string_equal(strbuf_cstr(&first), strbuf_cstr(&second));
	features_free(&again);
	strbuf_free(&first);
	strbuf_free(&second);
}

static void text_that_is_no_description_is_refused(void **state)
{
	static const char *const texts[] = {
		"", "[]", "{}", "7", "{\"capabilities\":[]}", "{\"a\":"
	};
	static const char odd[] = "{\"capabilities\":{\"tracefs\":5,\"lockdown\":{\"ok\":\"x\"}},"
				  "\"kernel\":[],\"clocks\":{},\"events\":{\"a\":[null,3],\"b\":7},"
				  "\"clock\":9}";
	struct fixture *fix = *state;
	struct features f;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(features_from_json(&f, texts[i], strlen(texts[i]), &fix->err),
				 -EINVAL);
		features_free(&f);
	}
	assert_int_equal(features_from_json(&f, odd, strlen(odd), &fix->err), 0);
	features_free(&f);
}

int main(void)
{
#define FEATURES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		FEATURES_TEST(what_is_there_is_found),
		FEATURES_TEST(every_no_names_the_file_and_the_errno),
		FEATURES_TEST(what_was_made_for_a_try_is_taken_back),
		FEATURES_TEST(start_of_a_capture_tries_nothing),
		FEATURES_TEST(start_of_a_capture_sees_what_is_not_to_be_written),
		FEATURES_TEST(top_level_instance_is_only_read),
		FEATURES_TEST(instance_of_a_dead_process_with_our_pid_is_no_obstacle),
		FEATURES_TEST(missing_tracefs_is_one_clear_error),
		FEATURES_TEST(odd_contents_are_survived),
		FEATURES_TEST(lockdown_confidentiality_is_a_no),
		FEATURES_TEST(absent_lockdown_file_is_said_so),
		FEATURES_TEST(description_read_again_is_the_same),
		FEATURES_TEST(text_that_is_no_description_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
