// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Builds the demo network, pings through it and checks what the demo relies on, for demonet.sh.
 *
 * In:  optional: "hold" stops before the end until stdin closes; "quiet" looks 3 s for packets
 *      that nobody asked for.
 * Out: one line per fact; exit status 0 only if every ping was answered and all devices were
 *      found in a snapshot with the right peers.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/demonet.h"
#include "capture/pinger.h"
#include "kernel/netns_enter.h"

#define PINGS 100

static int failures;

static void check(bool ok, const char *what)
{
	printf("%s: %s\n", ok ? "ok" : "FAILED", what);
	failures += !ok;
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static u64 netns_here(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : st.st_ino;
}

/* Bytes and packets that eth0 of the netns has received and sent, as one line. */
static int read_counters(void *arg, struct error *err)
{
	FILE *file = fopen("/proc/thread-self/net/dev", "re");
	char line[512];

	if (!file)
		return error_errno(err, errno, "cannot open /proc/thread-self/net/dev");
	while (fgets(line, sizeof(line), file))
		if (strstr(line, "eth0:"))
			memcpy(arg, line, sizeof(line));
	fclose(file);
	return 0;
}

static void check_quiet(const struct demonet *net)
{
	int fd = net->netns[DEMONET_WEB].fd;
	char before[512] = "", after[512] = "";
	struct error err = { 0 };

	netns_call(fd, read_counters, before, &err);
	sleep(3);
	netns_call(fd, read_counters, after, &err);
	check(before[0] && !strcmp(before, after), "nothing passes eth0 for 3 s");
	if (strcmp(before, after))
		printf("before %safter  %s", before, after);
}

static void check_pings(const struct demonet *net, const char *address, struct error *err)
{
	struct pinger_request request = {
		.netns_fd = net->netns[DEMONET_HOST].fd,
		.address = address,
		.count = PINGS,
	};
	struct pinger_result result = { 0 };
	int ret = pinger_run(&request, &result, err);

	printf("%s: %u sent, %u received, rtt %.1f/%.1f/%.1f us, %s socket\n", address, result.sent,
	       result.received, (double)result.rtt_min_ns / 1e3, (double)result.rtt_avg_ns / 1e3,
	       (double)result.rtt_max_ns / 1e3, result.raw_socket ? "raw" : "ping");
	check(!ret && result.sent == PINGS && result.received == PINGS, "every ping is answered");
}

static void check_stop(const struct demonet *net, struct error *err)
{
	struct pinger_request request = {
		.netns_fd = net->netns[DEMONET_HOST].fd,
		.address = "10.0.2.77",
		.count = 10,
	};
	struct pinger_result result = { 0 };
	struct pinger *pinger;
	struct pollfd pfd = { .events = POLLIN };
	double start;

	if (pinger_start(&pinger, &request, err)) {
		check(false, "the pinger starts");
		return;
	}
	pfd.fd = pinger_fd(pinger);
	check(poll(&pfd, 1, 500) == 0, "a pinger waits for a reply that does not come");
	start = now_ms();
	pinger_stop(pinger);
	check(poll(&pfd, 1, 1000) == 1, "a stopped pinger says that it is done");
	check(!pinger_finish(pinger, &result, err) && now_ms() - start < 300, "and ends at once");
	check(result.sent == 1 && result.received == 0, "with one sent and none received");
}

/* Some kernels put tunnel devices into each netns first, so ifindexes differ. */
static const struct netdev *by_name(const struct netns *ns, const char *name)
{
	size_t i;

	for (i = 0; ns && i < ns->nr_devs; i++)
		if (!strcmp(ns->devs[i].name, name))
			return &ns->devs[i];
	return NULL;
}

static void check_devices(const struct demonet *net, const struct netns_snapshot *snap,
			  const struct netns *host, const struct netns *web)
{
	const struct netdev *port = by_name(host, net->port);
	const struct netdev *eth0 = by_name(web, "eth0");
	const struct netdev *bridge = by_name(host, "br0");
	const struct netns *peer_ns = NULL;
	const struct netdev_ref *refs;

	check(port && eth0 && bridge, "all devices are in the snapshot");
	if (!port || !eth0 || !bridge)
		return;
	check(netns_find_devices(snap, net->port, &refs) == 1,
	      "the bridge's port is found by name, one only");
	check(netdev_peer(snap, host, port, &peer_ns) == eth0 && peer_ns == web,
	      "the port leads to eth0");
	check(netdev_peer(snap, web, eth0, &peer_ns) == port && peer_ns == host,
	      "and eth0 to the port");
	check(netdev_master(host, port) == bridge, "it is a port of br0");
	check(bridge->running && port->running && eth0->running, "all three are running");
}

static void check_snapshot(const struct demonet *net, bool only_held, struct error *err)
{
	struct netns_take_options options = { .held = net->netns,
					      .nr_held = DEMONET_NR,
					      .only_held = only_held };
	const struct netns *host, *web;
	struct netns_snapshot *snap;

	if (netns_snapshot_take_with(&snap, &options, err)) {
		check(false, "the snapshot is taken");
		return;
	}
	host = netns_find(snap, net->inum[DEMONET_HOST]);
	web = netns_find(snap, net->inum[DEMONET_WEB]);
	check(host && web && !strcmp(host->name, "demo-host") && !strcmp(web->name, "demo-web"),
	      "both netns are in the snapshot, by name");
	check(!only_held || snap->nr_ns == 2, "and no other, if asked");
	check(!only_held || !snap->incomplete, "which is then complete");
	check_devices(net, snap, host, web);
	netns_snapshot_free(snap);
}

int main(int argc, char **argv)
{
	u64 before = netns_here();
	struct error err = { 0 };
	double start = now_ms();
	struct demonet *net;
	char byte;

	if (demonet_create(&net, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("created in %.1f ms%s%s\n", now_ms() - start, net->ipv6 ? "" : ", ", net->no_ipv6);
	start = now_ms();
	check(!demonet_warm_up(net, &err), "the network is warm");
	printf("warm after %.1f ms\n", now_ms() - start);
	if (argc > 1 && !strcmp(argv[1], "quiet"))
		check_quiet(net);
	check_pings(net, DEMONET_WEB_IPV4, &err);
	if (net->ipv6)
		check_pings(net, DEMONET_WEB_IPV6, &err);
	check_stop(net, &err);
	check_snapshot(net, true, &err);
	check_snapshot(net, false, &err);
	if (argc > 1 && !strcmp(argv[1], "hold")) {
		fflush(stdout);
		while (read(0, &byte, 1) > 0)
			;
	}
	demonet_destroy(net);
	check(netns_here() == before, "the caller is where it was");
	if (err.text[0])
		printf("%s\n", err.text);
	return failures != 0;
}
