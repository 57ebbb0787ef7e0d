// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets in each netns, a thread that empties their rings, records in the trace; see tap.h.
 *
 * The thread reads the rings from the time the sockets are open, so that they do not fill up before
 * tracing begins; what is older than the start, or younger than the stop, is thrown away.
 */
#include "capture/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/tap_clock.h"
#include "capture/tap_record.h"
#include "capture/tap_ring.h"
#include "kernel/netns_enter.h"
#include "kernel/netns_targets.h"

#define RINGS_MAX 2048
#define CPUS_MAX 256 /* sockets in a group, on all kernels */
#define MEMORY_BYTES (64u << 20)
#define RING_BYTES_MAX (4u << 20)
#define RING_BYTES_MIN (128u << 10)
#define RETIRE_MS_MIN 8
#define RETIRE_MS_MAX 64
#define MARK_EVERY_NS (25 * NSEC_PER_MSEC)
#define DELAY_DECAY 64	      /* marks until a slow frame is as good as forgotten */
#define RINGS_PER_RETIRE_MS 8 /* the kernel has a timer for each ring */
#define NAMES 64
#define NAME_AGE_NS NSEC_PER_SEC

struct tap_name {
	u32 ifindex; /* 0: none */
	u64 read_ns;
	bool no_hop;
	char name[IFNAMSIZ];
};

struct tap_netns {
	u32 inum;
	struct tap_ring *ring; /* one for each of tap->nr_cpus */
	u32 *seq;
	struct tap_name name[NAMES];
};

struct tap {
	struct tap_netns *netns;
	u32 nr_netns;
	u32 nr_cpus; /* sockets in each netns */
	u32 ring_bytes, retire_ms;
	int marker; /* trace_marker_raw; -1 before the start */
	int epoll;
	struct tap_clock clock;
	pthread_t thread;
	bool running;
	u64 marked_ns; /* when a mark was written last */
	u64 delay_ns;  /* of the slowest frames of late, from the socket to here */
	/* Between the threads; CLOCK_MONOTONIC, 0: not yet. */
	u64 start_ns, stop_ns;
	struct tap_stats stats;
};

/* ---- names of devices */

/*
 * Devices that __netif_receive_skb_core() goes round again for: the packet socket sees the packet on
 * them, but the tracepoint only told of the device below. The VRF's driver shows packets by itself.
 */
static bool kind_has_no_hop(const char *driver)
{
	static const char *const kinds[] = { "802.1Q VLAN Support",
					     "vlan",
					     "macvlan",
					     "macvtap",
					     "ipvlan",
					     "ipvtap",
					     "bonding",
					     "bond",
					     "team",
					     "vrf",
					     "hsr" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(driver, kinds[i]))
			return true;
	return false;
}

static void read_name(int fd, struct tap_name *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { .ifr_ifindex = (int)name->ifindex };

	memset(name->name, 0, sizeof(name->name));
	name->no_hop = false;
	if (ioctl(fd, SIOCGIFNAME, &ifr))
		return;
	memcpy(name->name, ifr.ifr_name, sizeof(name->name));
	ifr.ifr_data = (void *)&info;
	if (!ioctl(fd, SIOCETHTOOL, &ifr)) {
		info.driver[sizeof(info.driver) - 1] = '\0';
		name->no_hop = kind_has_no_hop(info.driver);
	}
}

static const struct tap_name *name_of(struct tap_netns *ns, u32 ifindex, u64 now)
{
	struct tap_name *name = &ns->name[ifindex % NAMES];

	if (name->ifindex != ifindex || now - name->read_ns > NAME_AGE_NS) {
		name->ifindex = ifindex;
		name->read_ns = now;
		read_name(ns->ring[0].fd, name);
	}
	return name;
}

/* ---- frames into the trace */

static void put_record(struct tap *tap, const void *record, size_t len)
{
	if (write(tap->marker, record, len) >= 0)
		return;
	if (!tap->stats.refused++)
		tap->stats.refused_by = errno;
}

static void write_frame(struct tap *tap, struct tap_netns *ns, u32 cpu, const struct tap_frame *f,
			u64 now)
{
	struct {
		struct tap_record head;
		u8 bytes[TAP_SNAP_BYTES];
	} record = { .head = { .id = TAP_RECORD_ID, .version = TAP_RECORD_VERSION } };
	struct tap_record *r = &record.head;
	const struct tap_name *name;
	u64 stop = __atomic_load_n(&tap->stop_ns, __ATOMIC_ACQUIRE);
	u64 start = __atomic_load_n(&tap->start_ns, __ATOMIC_ACQUIRE);

	r->ts_ns = tap_clock_convert(&tap->clock, f->realtime_ns, &r->slack_ns);
	if (!start || r->ts_ns < start || (stop && r->ts_ns > stop))
		return;
	if (now > r->ts_ns && now - r->ts_ns > tap->delay_ns)
		tap->delay_ns = now - r->ts_ns;
	name = name_of(ns, f->ifindex, now);
	r->seq = ++ns->seq[cpu];
	r->netns_inum = ns->inum;
	r->ifindex = f->ifindex;
	r->len_bytes = f->len_bytes;
	r->link_bytes = f->link_bytes;
	r->hatype = f->hatype;
	r->protocol = f->protocol;
	r->vlan_tci = f->vlan_tci;
	r->vlan_type = f->vlan_type;
	r->flags = f->flags | (name->no_hop ? TAP_NO_HOP : 0);
	r->cpu = (u16)cpu;
	r->nr_cpus = (u16)tap->nr_cpus;
	memcpy(r->dev, name->name, sizeof(r->dev));
	r->snap_bytes = (u16)f->snap_bytes;
	memcpy(record.bytes, f->bytes, f->snap_bytes);
	tap->stats.frames++;
	tap->stats.lost += !!(f->flags & TAP_LOST);
	put_record(tap, &record, sizeof(*r) + f->snap_bytes);
}

static struct tap_record mark_of(const struct tap *tap, u64 ts_ns)
{
	return (struct tap_record){ .id = TAP_RECORD_ID,
				    .version = TAP_RECORD_VERSION,
				    .ts_ns = ts_ns,
				    .nr_cpus = (u16)tap->nr_cpus,
				    .flags = TAP_MARK };
}

/* After a drain that began at @from_ns: what came before is written, as far as rings gave it out. */
static void put_mark(struct tap *tap, u64 from_ns)
{
	u64 behind = (u64)(tap->retire_ms * 2 + 10) * NSEC_PER_MSEC;
	struct tap_record mark;

	/* On a machine that is busy the kernel gives blocks out later than it was asked to. */
	if (behind < tap->delay_ns * 2)
		behind = tap->delay_ns * 2;
	mark = mark_of(tap, from_ns > behind ? from_ns - behind : 1);
	if (!__atomic_load_n(&tap->start_ns, __ATOMIC_ACQUIRE) ||
	    from_ns < tap->marked_ns + MARK_EVERY_NS)
		return;
	tap->marked_ns = from_ns;
	tap->delay_ns -= tap->delay_ns / DELAY_DECAY;
	put_record(tap, &mark, sizeof(mark));
}

/* Once through all rings. Return: whether there was anything. */
static bool drain(struct tap *tap)
{
	struct tap_frame frame;
	bool any = false;
	u64 now = now_ns();
	u32 i, cpu;

	for (i = 0; i < tap->nr_netns; i++) {
		for (cpu = 0; cpu < tap->nr_cpus; cpu++) {
			while (tap_ring_next(&tap->netns[i].ring[cpu], &frame)) {
				write_frame(tap, &tap->netns[i], cpu, &frame, now);
				any = true;
			}
		}
	}
	return any;
}

static void *tap_run(void *arg)
{
	struct epoll_event ready[16];
	struct tap *tap = arg;
	u64 stop, from;
	bool any;

	for (;;) {
		stop = __atomic_load_n(&tap->stop_ns, __ATOMIC_ACQUIRE);
		tap_clock_look(&tap->clock);
		from = now_ns();
		any = drain(tap);
		put_mark(tap, from);
		/* Blocks that were open at the stop are handed over a little later. */
		if (stop && !any && now_ns() > stop + (u64)tap->retire_ms * 3 * NSEC_PER_MSEC)
			return NULL;
		epoll_wait(tap->epoll, ready, ARRAY_SIZE(ready),
			   stop ? (int)tap->retire_ms / 2 : 100);
	}
}

/* ---- sockets */

struct opening {
	struct tap *tap;
	struct tap_netns *ns;
};

/* In the netns itself. */
static int open_rings(void *arg, struct error *err)
{
	struct opening *o = arg;
	struct tap *tap = o->tap;
	int ret = 0, group = -1;
	u32 cpu;

	for (cpu = 0; cpu < tap->nr_cpus && !ret; cpu++) {
		struct tap_ring *ring = &o->ns->ring[cpu];
		struct epoll_event event = { .events = EPOLLIN };

		ret = tap_ring_open(ring, tap->ring_bytes, tap->retire_ms,
				    tap->nr_cpus > 1 ? &group : NULL, err);
		if (!ret && epoll_ctl(tap->epoll, EPOLL_CTL_ADD, ring->fd, &event))
			ret = error_errno(err, errno, "cannot wait for packets");
	}
	return ret;
}

static void close_netns(const struct tap *tap, struct tap_netns *ns)
{
	u32 cpu;

	for (cpu = 0; ns->ring && cpu < tap->nr_cpus; cpu++)
		tap_ring_close(&ns->ring[cpu]);
	free(ns->ring);
	free(ns->seq);
}

static int open_netns(struct tap *tap, u64 inum, int fd, struct error *err)
{
	struct tap_netns *ns = &tap->netns[tap->nr_netns];
	struct opening o = { tap, ns };
	u32 cpu;
	int ret;

	*ns = (struct tap_netns){ .inum = (u32)inum };
	ns->ring = calloc(tap->nr_cpus, sizeof(*ns->ring));
	ns->seq = calloc(tap->nr_cpus, sizeof(*ns->seq));
	for (cpu = 0; ns->ring && cpu < tap->nr_cpus; cpu++)
		ns->ring[cpu].fd = -1;
	ret = ns->ring && ns->seq ? netns_call(fd, open_rings, &o, err) :
				    error_errno(err, ENOMEM, "cannot open packet sockets");
	if (ret)
		close_netns(tap, ns);
	else
		tap->nr_netns++;
	return ret;
}

/* As many sockets as all netns and CPUs need, within reason; memory and timers divided among them. */
static void choose_sizes(struct tap *tap, size_t nr_netns)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	u32 each = (u32)(RINGS_MAX / nr_netns), rings, bytes;
	struct rlimit files;

	tap->nr_cpus = cpus > 0 && cpus < CPUS_MAX ? (u32)cpus : CPUS_MAX;
	if (tap->nr_cpus > each)
		tap->nr_cpus = each ? each : 1;
	rings = (u32)nr_netns * tap->nr_cpus;
	bytes = MEMORY_BYTES / rings;
	tap->ring_bytes = bytes > RING_BYTES_MAX ? RING_BYTES_MAX :
			  bytes < RING_BYTES_MIN ? RING_BYTES_MIN :
						   bytes;
	tap->retire_ms = rings / RINGS_PER_RETIRE_MS;
	if (tap->retire_ms < RETIRE_MS_MIN)
		tap->retire_ms = RETIRE_MS_MIN;
	if (tap->retire_ms > RETIRE_MS_MAX)
		tap->retire_ms = RETIRE_MS_MAX;
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= rings + 256)
		return;
	files.rlim_cur = files.rlim_max < rings + 256 ? files.rlim_max : rings + 256;
	setrlimit(RLIMIT_NOFILE, &files);
}

static void tell_problem(struct strbuf *problems, const struct netns_target *target,
			 const struct error *why)
{
	const char *name = target->name ? target->name : target->path;

	strbuf_puts(problems, "no packet socket in network namespace ");
	strbuf_put_escaped(problems, name, strlen(name));
	strbuf_puts(problems, ": ");
	strbuf_puts(problems, why->text);
	strbuf_putc(problems, '\n');
}

static int open_all(struct tap *tap, const struct netns_targets *targets, struct strbuf *problems,
		    struct error *err)
{
	struct error why = { 0 };
	size_t i;
	int fd;

	choose_sizes(tap, targets->nr);
	tap->netns = calloc(targets->nr, sizeof(*tap->netns));
	if (!tap->netns)
		return error_errno(err, ENOMEM, "cannot open packet sockets");
	for (i = 0; i < targets->nr; i++) {
		bool own = targets->list[i].inum == targets->self_inum;

		memset(&why, 0, sizeof(why));
		/* One's own needs no entering, for which there may be no right. */
		fd = own ? -1 : netns_targets_open(targets, targets->list[i].inum);
		if (fd < 0 && !own)
			error_errno(&why, -fd, "cannot open it");
		else
			open_netns(tap, targets->list[i].inum, fd, &why);
		if (fd >= 0)
			close(fd);
		if (why.code)
			tell_problem(problems, &targets->list[i], &why);
		if (why.code && !tap->nr_netns)
			*err = why;
	}
	if (tap->nr_netns) {
		memset(err, 0, sizeof(*err));
		return 0;
	}
	return err->code ? -err->code : error_set(err, ENOENT, "there is no network to tap");
}

struct finding {
	struct netns_targets targets;
	const struct netns_take_options *options;
	pid_t caller;
};

static int find_targets(void *arg, struct error *err)
{
	struct finding *f = arg;

	return netns_targets_find(&f->targets, f->caller, f->options, err);
}

/*
 * With PREEMPT_RT, softirqs off need not keep others from sending on the same CPU between a frame and its
 * hop's event (CONFIG_PREEMPT_RT_NEEDS_BH_LOCK), on which the join rests.
 */
static bool is_realtime(void)
{
	struct strbuf text = STRBUF_INIT;
	bool realtime = !strbuf_read_file(&text, "/sys/kernel/realtime", 64) && text.len &&
			text.data[0] == '1';

	strbuf_free(&text);
	return realtime;
}

int tap_open(struct tap **out, const struct netns_take_options *options, struct strbuf *problems,
	     struct error *err)
{
	struct finding f = { .options = options, .caller = gettid() };
	struct tap *tap = calloc(1, sizeof(*tap));
	int ret;

	if (!tap)
		return error_errno(err, ENOMEM, "cannot open packet sockets");
	if (is_realtime()) {
		free(tap);
		return error_set(err, ENOTSUP,
				 "on a PREEMPT_RT kernel frames cannot be told apart for sure");
	}
	tap->marker = -1;
	tap->epoll = epoll_create1(EPOLL_CLOEXEC);
	ret = tap->epoll < 0 ? error_errno(err, errno, "cannot wait for packets") :
			       netns_call(-1, find_targets, &f, err);
	if (!ret)
		ret = open_all(tap, &f.targets, problems, err);
	netns_targets_free(&f.targets);
	if (!ret) {
		tap_clock_look(&tap->clock);
		ret = netns_thread(&tap->thread, tap_run, tap);
		tap->running = !ret;
		if (ret)
			error_errno(err, -ret, "cannot start a thread");
	}
	if (ret) {
		tap_close(tap);
		return ret;
	}
	*out = tap;
	return 0;
}

int tap_try(struct error *err)
{
	struct tap_ring ring;
	int ret = tap_ring_open(&ring, RING_BYTES_MIN, RETIRE_MS_MAX, NULL, err);

	if (!ret)
		tap_ring_close(&ring);
	return ret;
}

int tap_start(struct tap *tap, const char *instance_dir, struct error *err)
{
	struct tap_record first = mark_of(tap, now_ns());
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/trace_marker_raw", instance_dir);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "--tap: cannot open %s", path);
	tap->marker = fd;
	if (write(fd, &first, sizeof(first)) < 0)
		return error_errno(err, errno, "--tap: cannot write to %s", path);
	/* Of what is tapped from here on, the events are in the trace. */
	__atomic_store_n(&tap->start_ns, now_ns(), __ATOMIC_RELEASE);
	return 0;
}

void tap_stop(struct tap *tap)
{
	if (!tap || !tap->running)
		return;
	__atomic_store_n(&tap->stop_ns, now_ns(), __ATOMIC_RELEASE);
	pthread_join(tap->thread, NULL);
	tap->running = false;
}

void tap_size(const struct tap *tap, u32 *nr_netns, u32 *sockets_each)
{
	*nr_netns = tap->nr_netns;
	*sockets_each = tap->nr_cpus;
}

void tap_stats(const struct tap *tap, struct tap_stats *stats)
{
	*stats = tap->stats;
}

void tap_close(struct tap *tap)
{
	u32 i;

	if (!tap)
		return;
	tap_stop(tap);
	for (i = 0; i < tap->nr_netns; i++)
		close_netns(tap, &tap->netns[i]);
	free(tap->netns);
	if (tap->marker >= 0)
		close(tap->marker);
	if (tap->epoll >= 0)
		close(tap->epoll);
	free(tap);
}
