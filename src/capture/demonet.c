// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The demo's network: see demonet.h.
 *
 * Every step runs on a short-lived thread inside one of the two netns. The netns are silent: what
 * IPv6 and the bridge would send on their own is switched off, so that a trace shows the pings.
 */
#include "capture/demonet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <netlink/socket.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "capture/demonet_link.h"
#include "capture/pinger.h"
#include "kernel/netns_enter.h"
#include "kernel/rtnl.h"

#define READY_TRIES 1500 /* of 2 ms each: 3 s */
#define WARM_UP_TRIES 6
#define WARM_UP_TIMEOUT_MS 500
#define SETTLE_MS 60 /* multicast listener reports come within some 5 jiffies */

/* Devices as they are shown; fixed MAC addresses (locally administered) make runs comparable. */
static const char bridge_name[] = "br0";
static const char web_name[] = "eth0";
static const struct side {
	const char *device;
	const char *ipv4;
	const char *ipv6;
	const char
		*solicited; /* the group that neighbours ask for ipv6 in, as in /proc/net/igmp6 */
} sides[DEMONET_NR] = {
	[DEMONET_HOST] = { bridge_name, DEMONET_HOST_IPV4, DEMONET_HOST_IPV6,
			   "ff0200000000000000000001ff000001" },
	[DEMONET_WEB] = { web_name, DEMONET_WEB_IPV4, DEMONET_WEB_IPV6,
			  "ff0200000000000000000001ff000002" },
};
static const u8 bridge_mac[DEMONET_MAC_SIZE] = { 0x02, 0x42, 0x0a, 0x00, 0x02, 0x01 };
static const u8 web_mac[DEMONET_MAC_SIZE] = { 0x02, 0x42, 0x0a, 0x00, 0x02, 0x02 };
static const u8 port_mac[DEMONET_MAC_SIZE] = { 0x02, 0x42, 0x0a, 0x00, 0x02, 0x11 };

/*
 * Settings of the private netns, each as good as it gets: what a kernel lacks or a read-only
 * /proc/sys refuses only makes the demo less quiet or the pinger use a raw socket.
 */
static const struct {
	const char *path;
	const char *value;
} sysctls[] = {
	{ "/proc/sys/net/ipv4/ping_group_range", "0 2147483647" },
	{ "/proc/sys/net/ipv4/icmp_echo_ignore_all", "0" },
	{ "/proc/sys/net/ipv4/icmp_ratelimit", "0" },
	{ "/proc/sys/net/ipv6/icmp/ratelimit", "0" },
	{ "/proc/sys/net/ipv6/conf/all/disable_ipv6", "0" },
	{ "/proc/sys/net/ipv6/conf/default/disable_ipv6", "0" },
	/* no link-local address, hence no router solicitation and no duplicate detection */
	{ "/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1" },
	{ "/proc/sys/net/ipv6/conf/default/accept_ra", "0" },
	{ "/proc/sys/net/ipv6/conf/default/router_solicitations", "0" },
	{ "/proc/sys/net/ipv6/conf/default/accept_dad", "0" },
	{ "/proc/sys/net/ipv6/conf/default/dad_transmits", "0" },
	/* multicast listener reports are sent at once, not some time in the next second */
	{ "/proc/sys/net/ipv6/conf/default/mldv1_unsolicited_report_interval", "1" },
	{ "/proc/sys/net/ipv6/conf/default/mldv2_unsolicited_report_interval", "1" },
};

/* What one step works on. */
struct step {
	struct demonet *net;
	int which; /* DEMONET_HOST or DEMONET_WEB: where it runs */
	struct nl_sock *sock;
};

static int step_make_netns(void *arg, struct error *err)
{
	struct step *step = arg;
	struct stat st;
	int fd;

	if (unshare(CLONE_NEWNET))
		return error_errno(err, errno, "cannot make a network namespace%s",
				   errno == EPERM  ? " (needs CAP_SYS_ADMIN)" :
				   errno == EINVAL ? " (does this kernel have CONFIG_NET_NS?)" :
				   errno == ENOSPC ? " (limit: /proc/sys/user/max_net_namespaces)" :
						     "");
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st)) {
		int code = errno;

		if (fd >= 0)
			close(fd);
		return error_errno(err, code, "cannot open /proc/thread-self/ns/net");
	}
	step->net->netns[step->which].fd = fd;
	step->net->inum[step->which] = st.st_ino;
	return 0;
}

static void apply_sysctls(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sysctls); i++) {
		int fd = open(sysctls[i].path, O_WRONLY | O_CLOEXEC);
		ssize_t ignored;

		if (fd < 0)
			continue;
		ignored = write(fd, sysctls[i].value, strlen(sysctls[i].value));
		(void)ignored;
		close(fd);
	}
}

static int step_prepare(void *arg, struct error *err)
{
	struct step *step = arg;

	apply_sysctls();
	return demonet_set_up(step->sock, "lo", NULL, err);
}

static int step_make_devices(void *arg, struct error *err)
{
	struct step *step = arg;
	int ret = demonet_add_bridge(step->sock, bridge_name, bridge_mac, err);

	if (!ret)
		ret = demonet_add_veth(step->sock, step->net->port, port_mac, web_name, web_mac,
				       step->net->netns[DEMONET_WEB].fd, err);
	if (!ret)
		ret = demonet_set_up(step->sock, step->net->port, bridge_name, err);
	return ret;
}

/* That there is no IPv6 is remembered, not an error. */
static void add_ipv6(struct step *step, const char *device, const char *text)
{
	struct demonet_address address = { AF_INET6, text, 64 };
	struct demonet *net = step->net;
	struct error err = { 0 };

	if (!net->ipv6 || !demonet_add_address(step->sock, device, &address, &err))
		return;
	net->ipv6 = false;
	snprintf(net->no_ipv6, sizeof(net->no_ipv6), "no IPv6%s: %.150s",
		 access("/proc/sys/net/ipv6", F_OK) ? " (this kernel has none)" : "", err.text);
}

static int step_addresses(void *arg, struct error *err)
{
	struct step *step = arg;
	const struct side *side = &sides[step->which];
	struct demonet_address ipv4 = { AF_INET, side->ipv4, 24 };
	int ret = demonet_set_up(step->sock, side->device, NULL, err);

	if (!ret)
		ret = demonet_add_address(step->sock, side->device, &ipv4, err);
	if (!ret)
		add_ipv6(step, side->device, side->ipv6);
	return ret;
}

/*
 * Whether a device hears who asks for its IPv6 address: the kernel joins that group some time
 * after it has accepted the address, and a question asked earlier is repeated only after 1 s.
 */
static bool hears_neighbours(const struct side *side)
{
	FILE *file = fopen("/proc/thread-self/net/igmp6", "re");
	char line[256], device[32], group[64];
	bool found = !file;

	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*d %31s %63s", device, group) == 2 &&
			!strcmp(device, side->device) && !strcmp(group, side->solicited);
	if (file)
		fclose(file);
	return found;
}

static int wait_ready(const struct step *step, const char *device, struct error *err)
{
	struct timespec pause = { .tv_nsec = 2 * (long)NSEC_PER_MSEC };
	const struct side *side = &sides[step->which];
	int ret = 0;
	int tries;

	for (tries = 0; tries < READY_TRIES && !ret; tries++) {
		if (tries)
			nanosleep(&pause, NULL);
		ret = demonet_is_ready(step->sock, device, err);
		if (ret > 0 && step->net->ipv6 && device == side->device)
			ret = hears_neighbours(side);
	}
	if (!ret)
		return error_set(err, ETIMEDOUT, "the device %s did not come up within %d s",
				 device, READY_TRIES * 2 / 1000);
	return ret < 0 ? ret : 0;
}

static int step_wait(void *arg, struct error *err)
{
	struct step *step = arg;
	int ret = 0;

	if (step->which == DEMONET_HOST)
		ret = wait_ready(step, step->net->port, err);
	return ret ? ret : wait_ready(step, sides[step->which].device, err);
}

static int step_open(void *arg, struct error *err)
{
	struct step *step = arg;

	return rtnl_open(&step->sock, err);
}

/*
 * The order matters: settings before devices inherit them, and both ends up before waiting. The
 * bridge gets its carrier last: while it still cannot send, recent kernels hurry to say so.
 */
static const struct {
	int which;
	int (*run)(void *arg, struct error *err);
} steps[] = {
	{ DEMONET_HOST, step_open },	     { DEMONET_WEB, step_open },
	{ DEMONET_HOST, step_prepare },	     { DEMONET_WEB, step_prepare },
	{ DEMONET_HOST, step_make_devices }, { DEMONET_HOST, step_addresses },
	{ DEMONET_WEB, step_addresses },     { DEMONET_HOST, step_wait },
	{ DEMONET_WEB, step_wait },
};

static int build(struct demonet *net, struct error *err)
{
	struct step step[DEMONET_NR] = {
		{ .net = net, .which = DEMONET_HOST },
		{ .net = net, .which = DEMONET_WEB },
	};
	int ret = 0;
	size_t i;

	for (i = 0; i < DEMONET_NR && !ret; i++)
		ret = netns_call(-1, step_make_netns, &step[i], err);
	for (i = 0; i < ARRAY_SIZE(steps) && !ret; i++)
		ret = netns_call(net->netns[steps[i].which].fd, steps[i].run, &step[steps[i].which],
				 err);
	for (i = 0; i < DEMONET_NR; i++)
		nl_socket_free(step[i].sock);
	return ret;
}

/*
 * A name that no other device we can see has, whatever its netns: two networks of the same names
 * could not be told apart by device names.
 */
static void choose_port(struct demonet *net)
{
	const struct netdev_ref *refs;
	struct netns_snapshot *snap;
	u32 n = 1;

	if (netns_snapshot_take(&snap, NULL))
		snap = NULL;
	do {
		snprintf(net->port, sizeof(net->port), "veth%u", n++);
	} while (snap && n < NETNS_DEVS_MAX && netns_find_devices(snap, net->port, &refs));
	netns_snapshot_free(snap);
}

int demonet_create(struct demonet **out, struct error *err)
{
	struct demonet *net = calloc(1, sizeof(*net));
	int ret;

	if (!net)
		return error_errno(err, ENOMEM, "cannot build the demo network");
	net->netns[DEMONET_HOST] = (struct netns_held){ .fd = -1, .name = DEMONET_HOST_NAME };
	net->netns[DEMONET_WEB] = (struct netns_held){ .fd = -1, .name = DEMONET_WEB_NAME };
	net->ipv6 = true;
	choose_port(net);
	ret = build(net, err);
	if (ret) {
		error_prepend(err, "cannot build the demo network: ");
		demonet_destroy(net);
		return ret;
	}
	*out = net;
	return 0;
}

static int warm_up(const struct demonet *net, const char *address, struct error *err)
{
	struct pinger_request request = {
		.netns_fd = net->netns[DEMONET_HOST].fd,
		.address = address,
		.count = 1,
		.timeout_ms = WARM_UP_TIMEOUT_MS,
	};
	struct pinger_result result = { 0 };
	int ret = 0;
	int tries;

	for (tries = 0; tries < WARM_UP_TRIES && !ret && !result.received; tries++)
		ret = pinger_run(&request, &result, err);
	if (!ret && !result.received)
		ret = error_set(err, ETIMEDOUT, "the demo network gives no reply from %s", address);
	return ret;
}

int demonet_warm_up(const struct demonet *net, struct error *err)
{
	struct timespec settle = { .tv_nsec = SETTLE_MS * (long)NSEC_PER_MSEC };
	int ret = warm_up(net, DEMONET_WEB_IPV4, err);

	if (ret || !net->ipv6)
		return ret;
	ret = warm_up(net, DEMONET_WEB_IPV6, err);
	if (!ret)
		nanosleep(&settle, NULL);
	return ret;
}

void demonet_destroy(struct demonet *net)
{
	int i;

	if (!net)
		return;
	for (i = 0; i < DEMONET_NR; i++)
		if (net->netns[i].fd >= 0)
			close(net->netns[i].fd);
	free(net);
}
