// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calibration as a whole: see calibrate.h.
 *
 * In:  functions of the running kernel; rounds of packets (calibrate_net.c) under probes (calibrate_probes.c).
 * Out: what the solver (calibrate_solve.c) concluded.
 *
 * It runs on a thread of its own, as that changes its network namespace; all signals are blocked there, and
 * the caller blocks those that end a program, so that nothing is left behind but by SIGKILL.
 */
#include "kernel/calibrate.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "kernel/calibrate_net.h"
#include "kernel/calibrate_probes.h"
#include "kernel/features.h"
#include "kernel/kallsyms.h"
#include "kernel/netns_enter.h"

/* By enum cal_hook. */
static const char *const functions[CAL_HOOKS] = {
	"dev_hard_start_xmit", "packet_rcv",   "ip_rcv",
	"nf_hook_slow",	       "nft_do_chain", "ipt_do_table",
};

/* Tables of iptables that are there when the function that makes them is. */
static const struct {
	const char *name, *function;
} xt_tables[] = {
	{ "filter", "iptable_filter_table_init" },
	{ "raw", "iptable_raw_table_init" },
	{ "mangle", "iptable_mangle_table_init" },
};

struct names {
	const char *of[CAL_HOOKS]; /* NULL: not there, or its arguments are not certain */
	struct calnet_has has;
};

static int read_names(struct names *out, const char *root, struct error *err)
{
	const char *asked[CAL_HOOKS + ARRAY_SIZE(xt_tables)];
	struct kallsyms *symbols;
	char symbol[128];
	size_t i;
	int ret;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < CAL_HOOKS; i++)
		asked[i] = functions[i];
	for (i = 0; i < ARRAY_SIZE(xt_tables); i++)
		asked[CAL_HOOKS + i] = xt_tables[i].function;
	ret = kallsyms_read(&symbols, root, asked, ARRAY_SIZE(asked), err);
	if (ret)
		return ret;
	for (i = 0; i < CAL_HOOKS; i++)
		if (kallsyms_function(symbols, functions[i], symbol, sizeof(symbol)) ==
			    KALLSYMS_OK &&
		    !strcmp(symbol, functions[i]))
			out->of[i] = functions[i];
	for (i = 0; i < ARRAY_SIZE(xt_tables) && out->of[CAL_XT]; i++)
		if (kallsyms_function(symbols, xt_tables[i].function, symbol, sizeof(symbol)) !=
		    KALLSYMS_ABSENT)
			out->has.xt[out->has.nr_xt++] = xt_tables[i].name;
	kallsyms_free(symbols);
	out->has.nft = out->of[CAL_NFT];
	out->has.frames = out->of[CAL_TAP] && out->of[CAL_RX];
	if (!out->has.nr_xt)
		out->of[CAL_XT] = NULL;
	if (!out->has.nft && !out->has.nr_xt)
		out->of[CAL_NF] = NULL;
	return 0;
}

u8 calibrate_netfilter_now(const char *root)
{
	struct names names;

	if (read_names(&names, root, NULL))
		return 0;
	return (u8)((names.has.nft ? LAYOUT_TRIED_NFT : 0) |
		    (names.has.nr_xt ? LAYOUT_TRIED_XT : 0));
}

struct run {
	struct names names;
	char tracing_dir[256];
	struct calibration *out;
	calibrate_progress progress;
	void *arg;
	u64 began_ns;
};

static bool is_signalled(void)
{
	sigset_t pending;

	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
		sigismember(&pending, SIGHUP) == 1 || sigismember(&pending, SIGQUIT) == 1);
}

static u32 draw_mark(void)
{
	u32 mark = 0;

	if (getrandom(&mark, sizeof(mark), 0) != sizeof(mark))
		mark = (u32)now_ns();
	return (mark & 0xffffff00U) | 0x01000000U;
}

static int send_packets(const struct run *run, struct cal *cal, struct calnet *net,
			struct calprobes *probes, struct error *err)
{
	bool wait_rx;
	int ret;

	for (;;) {
		if (is_signalled())
			return error_set(err, EINTR, "calibration was interrupted");
		if (run->progress)
			run->progress(run->arg, now_ns() - run->began_ns);
		ret = calnet_send(net, &wait_rx, err);
		if (ret <= 0)
			return ret;
		ret = calprobes_take(probes, cal, run->out->packets, wait_rx, err);
		if (ret)
			return ret;
		run->out->packets++;
	}
}

static int run_rounds(const struct run *run, struct cal *cal, struct calnet *net,
		      struct calprobes *probes, struct error *err)
{
	const struct cal_want *wants;
	u32 mark;
	int ret = 0;
	int undone;

	while (!ret && cal_wants(cal, &wants)) {
		mark = draw_mark();
		calnet_begin(net, mark, run->out->rounds > 0);
		ret = calprobes_begin(probes, cal, mark, err);
		if (!ret)
			ret = send_packets(run, cal, net, probes, err);
		undone = calprobes_end(probes, ret ? NULL : err);
		if (!ret)
			ret = undone;
		if (!ret)
			cal_round(cal);
		run->out->rounds++;
	}
	return ret;
}

static void take_findings(const struct run *run, const struct cal *cal)
{
	int m;

	for (m = 0; m < MEMBER_COUNT; m++)
		run->out->of[m] = *cal_finding(cal, (enum member)m);
}

static int run_in_thread(void *arg, struct error *err)
{
	const struct run *run = arg;
	struct calprobes *probes = NULL;
	struct calnet *net = NULL;
	u32 i, hooks = 0;
	struct cal *cal;
	int ret, undone;

	for (i = 0; i < CAL_HOOKS; i++)
		hooks |= run->names.of[i] ? 1U << i : 0;
	cal = cal_new(hooks);
	if (!cal)
		return error_errno(err, ENOMEM, "calibration");
	ret = calnet_open(&net, cal, &run->names.has, err);
	if (!ret)
		ret = calprobes_open(&probes, run->tracing_dir, run->names.of, err);
	if (!ret)
		ret = run_rounds(run, cal, net, probes, err);
	if (!ret)
		take_findings(run, cal);
	undone = calprobes_close(probes, ret ? NULL : err);
	calnet_close(net);
	cal_free(cal);
	return ret ? ret : undone;
}

int calibrate(struct calibration *out, calibrate_progress progress, void *arg, struct error *err)
{
	struct run run = { .out = out, .progress = progress, .arg = arg };
	sigset_t block, before;
	int ret;

	memset(out, 0, sizeof(*out));
	if (sizeof(void *) != 8)
		return error_set(err, ENOTSUP, "calibration is for machines with 64 bits");
	if (geteuid())
		return error_set(err, EPERM, "calibration needs root");
	ret = features_find_tracefs(run.tracing_dir, sizeof(run.tracing_dir), err);
	if (!ret)
		ret = read_names(&run.names, "", err);
	if (!ret && !run.names.of[CAL_TX])
		ret = error_set(err, ENOENT, "this kernel has no function %s to probe",
				functions[CAL_TX]);
	if (ret)
		return ret;
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGHUP);
	sigaddset(&block, SIGQUIT);
	pthread_sigmask(SIG_BLOCK, &block, &before);
	run.began_ns = now_ns();
	ret = netns_call(-1, run_in_thread, &run, err);
	out->took_ns = now_ns() - run.began_ns;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}
