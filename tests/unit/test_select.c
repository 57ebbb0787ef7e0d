// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which paths are shown: the options, and what they mean for a path.
 */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/select.h"

#define HOST 4026531833ULL
#define WEB 4026532246ULL
#define HIDDEN 4026532999ULL
#define PING 134
#define CURL 205
#define SERVER 300

static struct netns netns[] = {
	{ .inum = HOST, .name = (char *)"host", .read = true },
	{ .inum = WEB, .name = (char *)"web", .read = true },
	{ .inum = WEB + 1, .name = (char *)"web2", .read = true },
	{ .inum = WEB + 2, .name = (char *)"pid:77(db)", .read = true },
	{ .inum = WEB + 3, .name = (char *)"4026531833", .read = true },
	{ .inum = WEB + 4, .name = (char *)"\033[2Jx", .read = true },
};
static struct netns_snapshot snap = { .ns = netns, .nr_ns = ARRAY_SIZE(netns) };

static struct schema schema;
static struct comms comms;
static struct topology topology;
static struct render_names names;
static struct select_options options;
static struct select chosen;
static struct path path;
static struct hop hops[8];

static int setup(void **state)
{
	(void)state;
	assert_int_equal(schema_init(&schema, false, 8, NULL), 0);
	comms_add(&comms, PING, "ping", 4);
	comms_add(&comms, CURL, "curl", 4);
	comms_add(&comms, SERVER, "systemd-resolve", 15);
	topology.snap = &snap;
	names = (struct render_names){ &schema, NULL, &comms, &topology, NULL };
	memset(hops, 0, sizeof(hops));
	path = (struct path){ .number = 1, .hops = hops, .end_hop = -1, .first_ns = 1000 };
	path.last_ns = path.first_ns;
	options = (struct select_options){ 0 };
	chosen = (struct select){ 0 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	select_free(&chosen);
	select_options_free(&options);
	schema_free(&schema);
	comms_free(&comms);
	return 0;
}

static struct hop *hop(u8 kind, const char *dev, u16 ns, s32 pid, u8 context)
{
	struct hop *h = &hops[path.nr_hops++];

	path.last_ns += 1000;
	*h = (struct hop){ .kind = kind,
			   .ts_ns = path.last_ns,
			   .netns = ns,
			   .pid = pid,
			   .context = EVENT_CONTEXT_KNOWN | context };
	if (dev)
		h->dev = devnames_intern(&schema.devs, dev, strlen(dev));
	return h;
}

/* ping in the host sends; what it sends is received in softirq on the same CPU, and read. */
static void ping_to_web(void)
{
	hop(EVENT_QUEUE, "br0", 1, PING, 0);
	hop(EVENT_QUEUE, "veth1", 1, PING, 0);
	hop(EVENT_RX, "eth0", 2, PING, EVENT_IN_SOFTIRQ);
	hop(EVENT_RECEIVE, "eth0", 2, CURL, EVENT_IN_SOFTIRQ);
	hop(EVENT_COPY, NULL, 0, SERVER, 0);
}

static bool selects(bool live)
{
	struct error err = { 0 };
	bool yes;

	if (select_init(&chosen, &options, &err) || select_netns(&chosen, &snap, live, &err))
		fail_msg("%s", err.text);
	yes = select_path(&chosen, &path, &names);
	select_free(&chosen);
	return yes;
}

static bool with_netns(const char *wanted)
{
	options.netns = wanted;
	return selects(false);
}

static void without_options_every_path_is_shown(void **state)
{
	(void)state;
	assert_true(selects(false));
	ping_to_web();
	assert_true(selects(true));
	assert_false(select_any(&options));
}

static void a_device_of_any_hop_counts(void **state)
{
	static const struct {
		const char *dev;
		bool shown;
	} cases[] = { { "br0", true },	{ "eth0", true },  { "eth*", true },
		      { "eth", false }, { "veth?", true }, { "br1", false } };
	size_t i;

	(void)state;
	ping_to_web();
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		options.dev = cases[i].dev;
		assert_int_equal(selects(false), cases[i].shown);
	}
	assert_true(select_any(&options));
}

static void a_netns_goes_by_name_or_inode(void **state)
{
	(void)state;
	ping_to_web();
	assert_true(with_netns("host"));
	assert_true(with_netns("web"));
	assert_false(with_netns("web2"));
	assert_true(with_netns("we*"));
	assert_false(with_netns("?eb2"));
	assert_true(with_netns("4026532246"));
	assert_false(with_netns("4026532247"));
	assert_false(with_netns("pid:77"));
	/* a netns has this number for its name */
	assert_false(with_netns("4026531833"));
	assert_true(select_any(&options));
}

static void a_netns_that_a_probe_read_needs_no_snapshot(void **state)
{
	struct hop *h;

	(void)state;
	h = hop(EVENT_QUEUE, "eth0", 0, PING, 0);
	assert_false(with_netns("4026532999"));
	h->netns_inum = HIDDEN & UINT32_MAX;
	assert_true(with_netns("4026532999"));
	names.topology = NULL;
	assert_true(with_netns("4026532999"));
}

static void an_unknown_netns_is_refused_with_those_there_are(void **state)
{
	static const char *const wanted[] = { "wep", "we[x]", "pid:78", "12x", "pid:", "" };
	struct error err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		options.netns = wanted[i];
		err = (struct error){ 0 };
		assert_int_equal(select_init(&chosen, &options, &err), 0);
		assert_true(select_netns(&chosen, &snap, false, &err) < 0);
		assert_true(strlen(err.text) > 20);
		assert_null(strchr(err.text, '\033'));
		select_free(&chosen);
	}
	options.netns = "wep";
	select_init(&chosen, &options, &err);
	assert_int_equal(select_netns(&chosen, &snap, false, &err), -ENOENT);
	assert_non_null(strstr(err.text, "host web web2 pid:77(db)"));
	assert_int_equal(select_netns(&chosen, NULL, false, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no network namespaces were recorded"));
}

static void pid_of_a_live_process_is_its_netns(void **state)
{
	struct error err = { 0 };
	struct stat st;
	char wanted[32];

	(void)state;
	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	snprintf(wanted, sizeof(wanted), "pid:%d", getpid());
	options.netns = wanted;
	hop(EVENT_QUEUE, "eth0", 0, PING, 0)->netns_inum = (u32)st.st_ino;
	assert_true(selects(true));
	hops[0].netns_inum++;
	assert_false(selects(true));
	options.netns = "pid:2147483647";
	assert_int_equal(select_init(&chosen, &options, &err), 0);
	assert_int_equal(select_netns(&chosen, &snap, true, &err), -ESRCH);
	assert_non_null(strstr(err.text, "2147483647"));
}

static bool with_pid(s32 pid)
{
	options.pid = pid;
	return selects(false);
}

static bool with_comm(const char *comm)
{
	options.pid = 0;
	options.comm = comm;
	return selects(false);
}

static void a_process_that_sent_or_read_is_found(void **state)
{
	(void)state;
	ping_to_web();
	assert_true(with_pid(PING));
	assert_true(with_pid(SERVER));
	/* it only happened to run when the packet was received */
	assert_false(with_pid(CURL));
	assert_false(with_pid(1));
	assert_true(with_comm("ping"));
	assert_true(with_comm("p?n*"));
	assert_false(with_comm("pin"));
	assert_false(with_comm("curl"));
	/* the kernel cuts names after 15 bytes */
	assert_true(with_comm("systemd-resolved"));
	assert_true(with_comm("systemd-*"));
	assert_false(with_comm("systemd-resolv"));
	options.pid = PING;
	options.comm = "systemd-resolve";
	assert_false(selects(false));
}

static void who_runs_in_an_interrupt_is_no_sender(void **state)
{
	(void)state;
	hop(EVENT_QUEUE, "eth0", 1, PING, EVENT_IN_SOFTIRQ);
	hop(EVENT_START_XMIT, "eth0", 1, PING, 0); /* took it from the queue for someone */
	assert_false(with_pid(PING));
	hops[0].context = 0; /* not known */
	assert_false(with_pid(PING));
	hops[0].context = EVENT_CONTEXT_KNOWN;
	assert_true(with_pid(PING));
	hops[0].kind = EVENT_RECEIVE;
	assert_false(with_pid(PING));
	path.birth_pid = PING;
	assert_true(with_pid(PING));
	path.birth_pid = 0;
	path.raw_copy = true;
	path.raw_pid = PING;
	assert_true(with_pid(PING));
}

static pid_t other_thread;
static pthread_barrier_t barrier;

static void *be_a_thread(void *arg)
{
	(void)arg;
	other_thread = gettid();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void threads_of_a_live_process_belong_to_it(void **state)
{
	pthread_t thread;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, be_a_thread, NULL), 0);
	pthread_barrier_wait(&barrier);
	hop(EVENT_QUEUE, "eth0", 1, other_thread, 0);
	options.pid = getpid();
	assert_true(selects(true));
	assert_false(selects(false));
	options.pid = 1;
	assert_false(selects(true));
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
}

static void only_the_dropped_or_only_the_slow(void **state)
{
	(void)state;
	ping_to_web(); /* 5 us */
	options.dropped = true;
	path.state = PATH_DELIVERED;
	assert_false(selects(false));
	path.state = PATH_DROPPED;
	assert_true(selects(false));
	options.min_latency_ns = 5000;
	assert_true(selects(false));
	options.min_latency_ns = 5001;
	assert_false(selects(false));
}

static void a_filter_wants_a_path_that_matched(void **state)
{
	(void)state;
	ping_to_web();
	options.filter = "icmp";
	assert_false(selects(false));
	path.matched = true;
	assert_true(selects(false));
	options.dev = "nothing";
	assert_false(selects(false));
}

static void words_become_a_filter(void **state)
{
	static const char *const words[] = { "icmp", "and host", "10.0.2.2" };
	struct error err = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(select_option(&options, 1, words[i]), 0);
	assert_string_equal(options.words.data, "icmp and host 10.0.2.2");
	assert_true(select_any(&options));
	assert_int_equal(select_init(&chosen, &options, &err), 0);
	assert_non_null(chosen.filter);
	select_free(&chosen);
	assert_int_equal(select_option(&options, 'f', "tcp"), 0);
	assert_int_equal(select_init(&chosen, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "two filters"));
	assert_int_equal(select_option(&options, 'f', "udp"), -EINVAL);
	options.filter = NULL;
	select_option(&options, 1, "ping");
	assert_int_equal(select_init(&chosen, &options, &err), -EINVAL);
	assert_non_null(strstr(err.text, "comes after --"));
}

static void options_take_what_makes_sense_only(void **state)
{
	static const struct {
		const char *text;
		u64 ns; /* 0: refused */
	} times[] = {
		{ "5ms", 5000000 }, { "200us", 200000 },   { "1.5s", 1500000000 },
		{ "7ns", 7 },	    { "20µs", 20000 },	   { "0.25ms", 250000 },
		{ "5", 0 },	    { "ms", 0 },	   { "-5ms", 0 },
		{ "5 ms", 0 },	    { "5m", 0 },	   { "", 0 },
		{ "nan", 0 },	    { "99999999999s", 0 }, { "1e3ms", 0 },
	};
	static const char *const pids[] = {
		"0", "-1", "x", "12x", "", "2147483648", "99999999999999999999"
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(times); i++) {
		options.min_latency_ns = 0;
		assert_int_equal(select_option(&options, OPT_MIN_LATENCY, times[i].text),
				 times[i].ns ? 0 : -EINVAL);
		assert_int_equal(options.min_latency_ns, times[i].ns);
	}
	for (i = 0; i < ARRAY_SIZE(pids); i++)
		assert_int_equal(select_option(&options, OPT_PID, pids[i]), -EINVAL);
	assert_int_equal(select_option(&options, OPT_PID, "2147483647"), 0);
	assert_int_equal(options.pid, 2147483647);
	assert_int_equal(select_option(&options, OPT_COMM, ""), -EINVAL);
	assert_int_equal(select_option(&options, 'i', ""), -EINVAL);
	assert_int_equal(select_option(&options, OPT_DROPPED, NULL), 0);
	assert_true(options.dropped);
	assert_int_equal(select_option(&options, 'v', NULL), -ENOENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_options_every_path_is_shown),
		TEST(a_device_of_any_hop_counts),
		TEST(a_netns_goes_by_name_or_inode),
		TEST(a_netns_that_a_probe_read_needs_no_snapshot),
		TEST(an_unknown_netns_is_refused_with_those_there_are),
		TEST(pid_of_a_live_process_is_its_netns),
		TEST(a_process_that_sent_or_read_is_found),
		TEST(who_runs_in_an_interrupt_is_no_sender),
		TEST(threads_of_a_live_process_belong_to_it),
		TEST(only_the_dropped_or_only_the_slow),
		TEST(a_filter_wants_a_path_that_matched),
		TEST(words_become_a_filter),
		TEST(options_take_what_makes_sense_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
