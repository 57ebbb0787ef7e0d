// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * skbtrail demo: a docker-like network of our own, pings through it, and the paths they took. Where
 * this machine does not let itself be traced, a recording that comes with the program is shown.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/demonet.h"
#include "capture/pinger.h"
#include "cli/cli.h"
#include "cli/livetrace.h"
#include "cli/options.h"
#include "cli/report.h"

#define PINGS_EACH 2
#define PING_INTERVAL_MS 20
#define RECORDING "demo.dat"

static void print_help(void)
{
	puts("Usage: skbtrail demo [options]\n"
	     "Build a private network like docker's (a bridge in one network namespace, a\n"
	     "container in another), ping through it over IPv4 and IPv6, show the paths of\n"
	     "these packets, and remove everything. The machine's own network is not touched.\n"
	     "Where tracefs cannot be used, say why and show a recording of the same instead.\n\n" OUTPUT_OPTIONS_HELP
	     "      --tap           without probes: headers by packet sockets, joined by time\n"
	     "      --replay        show the recording, without trying\n"
	     "  -h, --help          this text\n\n"
	     "Examples:\n"
	     "  skbtrail demo               (as root)\n"
	     "  skbtrail demo --brief\n");
}

/* The pings of one family after the other. */
struct ping_job {
	struct capture *capture;
	const struct demonet *net;
	struct pinger *pinger;
	bool ipv6; /* which family is under way */
	struct pinger_result v4, v6;
	struct error err;
};

static int start_pings(void *ctx, struct error *err)
{
	struct ping_job *job = ctx;
	struct pinger_request request = {
		.netns_fd = job->net->netns[DEMONET_HOST].fd,
		.address = job->ipv6 ? DEMONET_WEB_IPV6 : DEMONET_WEB_IPV4,
		.count = PINGS_EACH,
		.interval_ms = PING_INTERVAL_MS,
	};
	int ret = pinger_start(&job->pinger, &request, err);

	if (ret)
		return ret;
	job->capture->job.fd = pinger_fd(job->pinger);
	return 0;
}

static bool pings_ended(void *ctx)
{
	struct ping_job *job = ctx;
	int ret;

	ret = pinger_finish(job->pinger, job->ipv6 ? &job->v6 : &job->v4, &job->err);
	job->pinger = NULL;
	if (ret || job->ipv6 || !job->net->ipv6)
		return true;
	job->ipv6 = true;
	return start_pings(job, &job->err) != 0;
}

/* After the capture, which may have been interrupted. */
static int judge_pings(struct ping_job *job, bool quiet, struct error *err)
{
	if (job->pinger) {
		pinger_stop(job->pinger);
		pinger_finish(job->pinger, NULL, NULL);
		return 0;
	}
	if (job->err.text[0]) {
		*err = job->err;
		return -job->err.code;
	}
	if (!quiet)
		fprintf(stderr, "skbtrail: %u of %u pings answered over IPv4, %u of %u over IPv6\n",
			job->v4.received, job->v4.sent, job->v6.received, job->v6.sent);
	if (job->v4.received != PINGS_EACH || (job->net->ipv6 && job->v6.received != PINGS_EACH))
		return error_set(err, ETIMEDOUT, "not every ping of the demo was answered");
	return 0;
}

static void tell_network(const struct demonet *net)
{
	fprintf(stderr,
		"skbtrail: private network: netns " DEMONET_HOST_NAME " (br0 " DEMONET_HOST_IPV4
		", port %s) -- netns " DEMONET_WEB_NAME " (eth0 " DEMONET_WEB_IPV4 ")\n",
		net->port);
	if (!net->ipv6)
		fprintf(stderr, "skbtrail: IPv4 only: %s\n", net->no_ipv6);
}

static int trace_pings(struct capture *c, const struct demonet *net, struct error *err)
{
	struct netns_take_options take = { .held = net->netns, .nr_held = DEMONET_NR };
	struct netns_snapshot *snapshot = NULL;
	struct ping_job job = { .capture = c, .net = net };
	struct pipeline p = { 0 };
	int ret;

	ret = netns_snapshot_take_with(&snapshot, &take, err);
	if (!ret)
		ret = live_pipeline(&p, c, snapshot, err);
	if (ret)
		goto out;
	p.only_netns = net->inum;
	p.nr_only_netns = DEMONET_NR;
	c->job = (struct capture_job){ -1, start_pings, pings_ended, &job };
	ret = live_trace(&p, c, err);
	if (!ret)
		ret = judge_pings(&job, c->options->output.quiet, err);
out:
	pipeline_free(&p);
	return ret;
}

static int demo_live(struct capture *c, struct error *err)
{
	struct netns_take_options held = { .nr_held = DEMONET_NR, .only_held = true };
	struct demonet *net;
	int ret;

	ret = demonet_create(&net, err);
	if (ret)
		return ret;
	/* The demo's own network is all that is tapped. */
	held.held = net->netns;
	if (!c->options->output.quiet)
		tell_network(net);
	ret = demonet_warm_up(net, err);
	c->held = &held;
	if (!ret)
		ret = capture_open(c, err);
	if (!ret) {
		capture_announce(c, "tracing");
		ret = trace_pings(c, net, err);
	}
	c->held = NULL;
	demonet_destroy(net);
	return ret;
}

/* The recording lies where it was installed, or beside the build tree's program. */
static bool find_recording(char *path, size_t size)
{
	static const char *const beside[] = { "data", "../data", "../../data" };
	char exe[2048];
	ssize_t len;
	char *slash;
	size_t i;

	snprintf(path, size, "%s/%s", PKGDATADIR, RECORDING);
	if (!access(path, R_OK))
		return true;
	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (len <= 0)
		return false;
	exe[len] = '\0';
	slash = strrchr(exe, '/');
	if (!slash)
		return false;
	*slash = '\0';
	for (i = 0; i < ARRAY_SIZE(beside); i++) {
		snprintf(path, size, "%s/%s/%s", exe, beside[i], RECORDING);
		if (!access(path, R_OK))
			return true;
	}
	return false;
}

static int replay(const struct output_options *options, struct error *err)
{
	char path[4096];

	if (!find_recording(path, sizeof(path)))
		return error_set(err, ENOENT, "the demo's recording is not installed (%s/%s)",
				 PKGDATADIR, RECORDING);
	fprintf(stderr,
		"skbtrail: REPLAY of a recording made elsewhere, %s; nothing of this machine "
		"is shown\n",
		path);
	return report_file(path, options, err);
}

static int demo(const struct capture_options *options, bool only_replay, struct error *err)
{
	struct capture c;
	int ret;

	if (only_replay)
		return replay(&options->output, err) ? CLI_FAILURE : CLI_OK;
	ret = capture_plan(&c, options, err);
	if (ret) {
		capture_close(&c, err);
		fprintf(stderr, "skbtrail: this machine cannot be traced: %s\n", err->text);
		memset(err, 0, sizeof(*err));
		return replay(&options->output, err) ? CLI_FAILURE : CLI_OK;
	}
	ret = demo_live(&c, err);
	if (capture_close(&c, err))
		ret = -1;
	return ret ? CLI_FAILURE : CLI_OK;
}

int cmd_demo(int argc, char **argv, struct error *err)
{
	enum { OPT_REPLAY = 1000 };
	static const struct option longs[] = { OUTPUT_LONG_OPTIONS,
					       { "replay", no_argument, NULL, OPT_REPLAY },
					       { "tap", no_argument, NULL, OPT_TAP },
					       { "help", no_argument, NULL, 'h' },
					       { 0 } };
	struct capture_options options = { 0 };
	bool only_replay = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":" OUTPUT_SHORT_OPTIONS "h", longs, NULL)) >= 0) {
		if (c == 'h') {
			print_help();
			return CLI_OK;
		}
		if (c == OPT_REPLAY)
			only_replay = true;
		else if (c == OPT_TAP)
			options.tap = true;
		else if (output_option(&options.output, c, optarg))
			return options_bad(err, "demo", argv, c);
	}
	if (optind != argc)
		return cli_usage(err, "demo", "unexpected '%s'", argv[optind]);
	return demo(&options, only_replay, err);
}
