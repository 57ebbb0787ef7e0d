// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The trial: records held against the truth, and a command really followed through its system calls.
 *
 * The lines are those that kernels 5.10 to 7.2 print (trace files of guests), with numbers changed.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/trial_priv.h"
#include "capture/workload.h"

#define MS 1000000ULL

static struct trial_call make_call(s32 tid, u8 kind, u64 begin_ns, u64 end_ns)
{
	struct trial_call call = { .tid = tid,
				   .kind = kind,
				   .begin_ns = begin_ns,
				   .end_ns = end_ns,
				   .one_message = true,
				   .ret = 10 };

	call.truth.family = AF_INET;
	call.truth.protocol = IPPROTO_TCP;
	call.truth.local = (struct trial_end){ AF_INET, 38720, { 127, 0, 0, 1 } };
	call.truth.remote = (struct trial_end){ AF_INET, 8000, { 127, 0, 0, 2 } };
	return call;
}

static void judge_text(const char *text, struct trial_call *call, size_t nr_calls,
		       struct trial_def *def)
{
	struct trial_calls calls = { .call = call, .nr = nr_calls };
	struct trial_result result = { 0 };
	size_t event = 3;

	trial_calls_sort(&calls);
	trial_judge(text, &calls, def, &event, 1, &result);
}

static const char right_line[] =
	"            curl-123     [001] d....   100.000500: e3: (tcp_connect+0x0/0x60) family=2 lport=38720 "
	"laddr={127,0,0,1} laddr6={0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0xff,0xff,0x7f,0x0,0x0,0x1} "
	"rport1=31 rport2=64 raddr={127,0,0,2}\n";

static void a_record_that_agrees_is_right_and_one_that_does_not_is_wrong(void **state)
{
	struct trial_call call =
		make_call(123, TRIAL_CONNECT, 100 * 1000 * MS, 100 * 1000 * MS + MS);
	struct trial_def def = { .calls = TRIAL_CONNECT, .judge = FETCH_LOCAL | FETCH_REMOTE };

	(void)state;
	judge_text(right_line, &call, 1, &def);
	assert_int_equal(def.right, 1);
	call.truth.remote.port = 8001;
	judge_text(right_line, &call, 1, &def);
	assert_int_equal(def.right, 1);
	assert_int_equal(def.wrong, 1);
	assert_string_equal(def.got, "127.0.0.2:8000");
	assert_string_equal(def.truth, "127.0.0.2:8001");
}

static void an_address_of_the_wrong_family_is_wrong(void **state)
{
	struct trial_call call =
		make_call(123, TRIAL_CONNECT, 100 * 1000 * MS, 100 * 1000 * MS + MS);
	struct trial_def def = { .calls = TRIAL_CONNECT, .judge = FETCH_LOCAL };

	(void)state;
	call.truth.local.family = AF_INET6;
	judge_text(right_line, &call, 1, &def);
	assert_int_equal(def.wrong, 1);
}

static void records_outside_of_the_operation_are_not_judged(void **state)
{
	static const char irq[] =
		"  curl-123     [001] d.s2.   100.000500: e3: (f+0x0/0x60) family=2 lport=38720\n";
	struct trial_call call = make_call(123, TRIAL_SEND, 100 * 1000 * MS, 100 * 1000 * MS + MS);
	struct trial_def def = { .calls = TRIAL_CONNECT, .judge = FETCH_LOCAL };

	(void)state;
	judge_text(right_line, &call, 1, &def); /* another operation */
	call.kind = TRIAL_CONNECT;
	judge_text(irq, &call, 1, &def);
	call.tid = 124;
	judge_text(right_line, &call, 1, &def); /* another thread */
	call = make_call(123, TRIAL_CONNECT, 101 * 1000 * MS, 102 * 1000 * MS);
	judge_text(right_line, &call, 1, &def); /* another time */
	assert_int_equal(def.right + def.wrong + def.unjudged, 0);
	assert_int_equal(def.elsewhere, 4);
}

static void a_socket_that_has_no_address_yet_cannot_be_judged(void **state)
{
	struct trial_call call =
		make_call(123, TRIAL_CONNECT, 100 * 1000 * MS, 100 * 1000 * MS + MS);
	struct trial_def def = { .calls = TRIAL_CONNECT, .judge = FETCH_LOCAL };

	(void)state;
	call.truth.local.port = 0;
	judge_text(right_line, &call, 1, &def);
	assert_int_equal(def.unjudged, 1);
}

static void bytes_are_compared_with_what_the_call_returned(void **state)
{
	static const char line[] =
		" a b-7 [0] x-123     [001] ...1   100.000500: e3: (f+0x0/0x60 <- g) bytes=10\n";
	struct trial_call call = make_call(123, TRIAL_SEND, 100 * 1000 * MS, 100 * 1000 * MS + MS);
	struct trial_def def = { .calls = TRIAL_SEND, .judge = FETCH_BYTES };

	(void)state;
	judge_text(line, &call, 1, &def);
	assert_int_equal(def.right, 1);
	call.ret = 9;
	judge_text(line, &call, 1, &def);
	assert_int_equal(def.wrong, 1);
	call.one_message = false;
	judge_text(line, &call, 1, &def);
	assert_int_equal(def.unjudged, 1);
}

static void damaged_lines_are_passed_over(void **state)
{
	char text[sizeof(right_line)];
	struct trial_line line;
	const char *at;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(right_line); len++) {
		memcpy(text, right_line, len);
		text[len] = '\0';
		at = text;
		while (trial_next_line(&at, &line))
			assert_true(line.text + line.len <= text + len);
		assert_int_equal(*at, 0);
	}
	assert_int_equal(trial_lost("# entries-in-buffer/entries-written: 5/9   #P:2\n"), 4);
	assert_int_equal(trial_lost("# entries-in-buffer/entries-written: 5"), 0);
}

static void calls_of_a_process_come_from_tracepoints(void **state)
{
	static const char text[] =
		"  p-9  [000] ....   5.000100: sys_sendto(fd: 3, buff: 7ffe, len: a, flags: 0)\n"
		"  p-9  [000] ....   5.000300: sys_sendto -> 0xa\n"
		"  p-9  [000] ....   5.000400: sys_close(fd: 3)\n";
	struct trial_sample sample = { .fd = 3, .first_ns = 4000 * MS, .last_ns = 6000 * MS };
	struct trial_samples samples = { &sample, 1, 1 };
	struct trial_calls calls = { 0 };

	(void)state;
	sample.truth = make_call(9, 0, 0, 0).truth;
	assert_int_equal(trial_calls_from_text(text, &samples, &calls), 0);
	assert_int_equal(calls.nr, 1);
	assert_int_equal(calls.call[0].kind, TRIAL_SEND);
	assert_int_equal(calls.call[0].ret, 10);
	assert_int_equal(calls.call[0].truth.local.port, 38720);
	trial_calls_free(&calls);
}

/* The child: over loopback to a listener that is inherited as descriptor 0. */
static int be_child(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (getsockname(0, (struct sockaddr *)&addr, &len) ||
	    connect(fd, (struct sockaddr *)&addr, len))
		return 1;
	if (send(fd, "hello", 5, 0) != 5)
		return 1;
	len = sizeof(addr);
	getsockname(fd, (struct sockaddr *)&addr, &len);
	return dprintf(1, "%d\n", ntohs(addr.sin_port)) < 0;
}

static int listen_anywhere(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void a_command_is_followed_and_its_sockets_asked(void **state)
{
	char *const argv[] = { (char *)"/proc/self/exe", (char *)"child", NULL };
	struct trial_request rq = { .stop_fd = -1 };
	struct trial_calls calls = { 0 };
	struct error err = { 0 };
	struct workload *w;
	int listener = listen_anywhere(), out[2], said, ret;
	char text[16] = "";

	(void)state;
	assert_int_equal(pipe(out), 0);
	said = dup(1);
	dup2(listener, 0);
	dup2(out[1], 1);
	assert_int_equal(workload_start(argv, WORKLOAD_KEEP_USER, &w, &err), 0);
	dup2(said, 1);
	ret = trial_follow(w, &rq, &calls, &err);
	if (ret == -EPERM) { /* in a sandbox */
		workload_free(w);
		skip();
	}
	assert_int_equal(ret, 0);
	assert_true(workload_ok(w));
	workload_free(w);
	assert_true(read(out[0], text, sizeof(text) - 1) > 0);
	assert_int_equal(calls.nr, 2);
	assert_int_equal(calls.call[0].kind, TRIAL_CONNECT);
	assert_int_equal(calls.call[1].kind, TRIAL_SEND);
	assert_int_equal(calls.call[1].ret, 5);
	assert_int_equal(calls.call[0].truth.local.port, atoi(text));
	assert_int_equal(calls.call[1].truth.local.port, atoi(text));
	assert_int_equal(calls.call[0].truth.family, AF_INET);
	trial_calls_free(&calls);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_that_agrees_is_right_and_one_that_does_not_is_wrong),
		cmocka_unit_test(an_address_of_the_wrong_family_is_wrong),
		cmocka_unit_test(records_outside_of_the_operation_are_not_judged),
		cmocka_unit_test(a_socket_that_has_no_address_yet_cannot_be_judged),
		cmocka_unit_test(bytes_are_compared_with_what_the_call_returned),
		cmocka_unit_test(damaged_lines_are_passed_over),
		cmocka_unit_test(calls_of_a_process_come_from_tracepoints),
		cmocka_unit_test(a_command_is_followed_and_its_sockets_asked),
	};

	(void)argv;
	/* a search for leaks does not go together with being followed */
	if (argc > 1)
		_exit(be_child());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
