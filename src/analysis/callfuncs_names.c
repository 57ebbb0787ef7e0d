// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What names of kernel functions say, by patterns. No function is named here that does a socket's work:
 * which of those matter is for the recording to say.
 */
#include "analysis/callfuncs_names.h"

#include <string.h>

/* "sendto" and its like; and what reads and writes any file. */
static const struct {
	const char *name;
	enum call_kind kind;
} kinds[] = {
	{ "accept", CALL_SOCKET },
	{ "accept4", CALL_SOCKET },
	{ "bind", CALL_SOCKET },
	{ "connect", CALL_SOCKET },
	{ "getpeername", CALL_SOCKET },
	{ "getsockname", CALL_SOCKET },
	{ "getsockopt", CALL_SOCKET },
	{ "listen", CALL_SOCKET },
	{ "recv", CALL_SOCKET },
	{ "recvfrom", CALL_SOCKET },
	{ "recvmmsg", CALL_SOCKET },
	{ "recvmmsg_time32", CALL_SOCKET },
	{ "recvmmsg_time64", CALL_SOCKET },
	{ "recvmsg", CALL_SOCKET },
	{ "send", CALL_SOCKET },
	{ "sendmmsg", CALL_SOCKET },
	{ "sendmsg", CALL_SOCKET },
	{ "sendto", CALL_SOCKET },
	{ "setsockopt", CALL_SOCKET },
	{ "shutdown", CALL_SOCKET },
	{ "socket", CALL_SOCKET },
	{ "socketcall", CALL_SOCKET },
	{ "socketpair", CALL_SOCKET },
	{ "close", CALL_FILE },
	{ "io_uring", CALL_FILE },
	{ "io_uring_enter", CALL_FILE },
	{ "ioctl", CALL_FILE },
	{ "preadv2", CALL_FILE },
	{ "pwritev2", CALL_FILE },
	{ "read", CALL_FILE },
	{ "readv", CALL_FILE },
	{ "sendfile", CALL_FILE },
	{ "sendfile64", CALL_FILE },
	{ "splice", CALL_FILE },
	{ "tee", CALL_FILE },
	{ "vmsplice", CALL_FILE },
	{ "write", CALL_FILE },
	{ "writev", CALL_FILE },
};

/* Words between "__" and "sys_". */
static const struct {
	const char *word;
	const char *abi;
} wrappers[] = {
	{ "x64_", NULL },
	{ "ia32_", "ia32" },
	{ "arm64_", NULL },
	{ "s390x_", NULL },
	{ "s390_", "compat" },
	{ "riscv_", NULL },
	{ "powerpc_", NULL },
	{ "se_", NULL },
	{ "do_", NULL },
	{ "ia32_compat_", "ia32" },
	{ "x32_compat_", "x32" },
	{ "x64_compat_", "x32" },
	{ "arm64_compat_", "compat" },
	{ "s390_compat_", "compat" },
	{ "riscv_compat_", "compat" },
	{ "se_compat_", "compat" },
	{ "do_compat_", "compat" },
};

/* The first that fits counts. A suffix that the compiler appended is cut off before. */
static const struct {
	const char *pattern;
	enum func_class class;
} classes[] = {
	{ "irq_enter*", FUNC_HARDIRQ },
	{ "sysvec_*", FUNC_HARDIRQ },
	{ "__sysvec_*", FUNC_HARDIRQ },
	{ "asm_sysvec_*", FUNC_HARDIRQ },
	{ "common_interrupt", FUNC_HARDIRQ },
	{ "__common_interrupt", FUNC_HARDIRQ },
	{ "do_IRQ", FUNC_HARDIRQ },
	{ "do_io_irq", FUNC_HARDIRQ },
	{ "do_ext_irq", FUNC_HARDIRQ },
	{ "gic_handle_irq", FUNC_HARDIRQ },
	{ "irq_exit*", FUNC_SOFTIRQ },
	{ "__irq_exit*", FUNC_SOFTIRQ },
	{ "*do_softirq*", FUNC_SOFTIRQ },
	{ "__softirqentry*", FUNC_SOFTIRQ },
	{ "handle_softirqs", FUNC_SOFTIRQ },
	{ "invoke_softirq", FUNC_SOFTIRQ },
	{ "run_ksoftirqd", FUNC_SOFTIRQ },
	/* locks; those of sockets are no helpers */
	{ "_raw_spin_*", FUNC_LOCKING },
	{ "_raw_read_*", FUNC_LOCKING },
	{ "_raw_write_*", FUNC_LOCKING },
	{ "*queued_spin_lock_slowpath", FUNC_LOCKING },
	{ "queued_*_lock_slowpath", FUNC_LOCKING },
	{ "mutex_*", FUNC_LOCKING },
	{ "__mutex_*", FUNC_LOCKING },
	{ "down_*", FUNC_LOCKING },
	{ "up_read*", FUNC_LOCKING },
	{ "up_write*", FUNC_LOCKING },
	{ "rwsem_*", FUNC_LOCKING },
	{ "rt_mutex_*", FUNC_LOCKING },
	{ "__local_bh_*", FUNC_LOCKING },
	{ "local_bh_*", FUNC_LOCKING },
	{ "preempt_count_*", FUNC_LOCKING },
	{ "*lock_acquire", FUNC_LOCKING },
	{ "*lock_release", FUNC_LOCKING },
	{ "percpu_down_*", FUNC_LOCKING },
	{ "refcount_*", FUNC_LOCKING },
	{ "rcu_*", FUNC_RCU },
	{ "__rcu_*", FUNC_RCU },
	{ "call_rcu", FUNC_RCU },
	{ "__call_rcu*", FUNC_RCU },
	{ "kvfree_call_rcu", FUNC_RCU },
	{ "kvfree_rcu*", FUNC_RCU },
	{ "synchronize_rcu*", FUNC_RCU },
	{ "srcu_*", FUNC_RCU },
	{ "__srcu_*", FUNC_RCU },
	{ "kmem_cache_*", FUNC_MEMORY },
	{ "kmalloc*", FUNC_MEMORY },
	{ "__kmalloc*", FUNC_MEMORY },
	{ "kmem_*", FUNC_MEMORY },
	{ "__kmem_*", FUNC_MEMORY },
	{ "kfree", FUNC_MEMORY },
	{ "kvfree", FUNC_MEMORY },
	{ "kvmalloc*", FUNC_MEMORY },
	{ "__kvmalloc*", FUNC_MEMORY },
	{ "vmalloc*", FUNC_MEMORY },
	{ "*slab_*", FUNC_MEMORY },
	{ "__slab_*", FUNC_MEMORY },
	{ "*alloc_pages*", FUNC_MEMORY },
	{ "*free_pages*", FUNC_MEMORY },
	{ "__free_page*", FUNC_MEMORY },
	{ "free_unref_*", FUNC_MEMORY },
	{ "page_frag_*", FUNC_MEMORY },
	{ "__page_frag_*", FUNC_MEMORY },
	{ "page_counter_*", FUNC_MEMORY },
	{ "*mem_cgroup*", FUNC_MEMORY },
	{ "memcg_*", FUNC_MEMORY },
	{ "__memcg_*", FUNC_MEMORY },
	{ "obj_cgroup_*", FUNC_MEMORY },
	{ "refill_obj_stock", FUNC_MEMORY },
	{ "refill_stock", FUNC_MEMORY },
	{ "drain_obj_stock", FUNC_MEMORY },
	{ "try_charge*", FUNC_MEMORY },
	{ "should_failslab", FUNC_MEMORY },
	{ "mod_objcg_*", FUNC_MEMORY },
	{ "__mod_*_state", FUNC_MEMORY },
	{ "ksize", FUNC_MEMORY },
	{ "__ksize", FUNC_MEMORY },
	{ "memset*", FUNC_MEMORY },
	{ "memcpy*", FUNC_MEMORY },
	{ "__check_object_size*", FUNC_MEMORY },
	{ "check_stack_object", FUNC_MEMORY },
	{ "check_heap_object", FUNC_MEMORY },
	{ "__virt_addr_valid", FUNC_MEMORY },
	{ "virt_addr_valid", FUNC_MEMORY },
	{ "is_vmalloc_addr", FUNC_MEMORY },
	{ "*_page_fault", FUNC_MEMORY },
	{ "handle_mm_fault", FUNC_MEMORY },
	{ "kasan_*", FUNC_MEMORY },
	{ "__kasan_*", FUNC_MEMORY },
	{ "kmemleak_*", FUNC_MEMORY },
	{ "debug_check_*", FUNC_MEMORY },
	{ "audit_*", FUNC_AUDIT },
	{ "__audit_*", FUNC_AUDIT },
	{ "security_*", FUNC_LSM },
	{ "apparmor_*", FUNC_LSM },
	{ "aa_*", FUNC_LSM },
	{ "tomoyo_*", FUNC_LSM },
	{ "selinux_*", FUNC_LSM },
	{ "smack_*", FUNC_LSM },
	{ "bpf_lsm_*", FUNC_LSM },
	{ "hook_*", FUNC_LSM },
	{ "cap_*", FUNC_LSM },
	{ "*schedule", FUNC_SCHED },
	{ "schedule_*", FUNC_SCHED },
	{ "__cond_resched*", FUNC_SCHED },
	{ "_cond_resched", FUNC_SCHED },
	{ "*wait_queue*", FUNC_SCHED },
	{ "prepare_to_wait*", FUNC_SCHED },
	{ "finish_wait", FUNC_SCHED },
	{ "__wake_up*", FUNC_SCHED },
	{ "wake_up_*", FUNC_SCHED },
	{ "try_to_wake_up", FUNC_SCHED },
	{ "default_wake_function", FUNC_SCHED },
	{ "autoremove_wake_function", FUNC_SCHED },
	{ "woken_wake_function", FUNC_SCHED },
	{ "pollwake", FUNC_SCHED },
	{ "ep_poll_callback", FUNC_SCHED },
	{ "ktime_get*", FUNC_TIME },
	{ "*_timer", FUNC_TIME },
	{ "*timer_base*", FUNC_TIME },
	{ "add_timer*", FUNC_TIME },
	{ "mod_timer*", FUNC_TIME },
	{ "timer_delete*", FUNC_TIME },
	{ "hrtimer_*", FUNC_TIME },
	{ "__hrtimer_*", FUNC_TIME },
	{ "get_nohz_timer_target", FUNC_TIME },
	{ "calc_wheel_index", FUNC_TIME },
	{ "enqueue_timer", FUNC_TIME },
	{ "detach_if_pending", FUNC_TIME },
	{ "jiffies_*", FUNC_TIME },
	{ "__traceiter_*", FUNC_TRACING },
	{ "trace_event_*", FUNC_TRACING },
	{ "perf_trace_*", FUNC_TRACING },
	{ "trace_*", FUNC_TRACING },
	{ "ring_buffer_*", FUNC_TRACING },
	{ "ftrace_*", FUNC_TRACING },
	{ "__ftrace_*", FUNC_TRACING },
	{ "kprobe_*", FUNC_TRACING },
};

#define V4 CALL_INET
#define V6 CALL_INET6
#define LO CALL_LOCAL

/*
 * The first that fits counts. What IPv4 and IPv6 share has no family. Since 5.3 sockets of IPv6 have their own
 * functions for sending and receiving, so those of inet_*msg are IPv4's.
 */
static const struct {
	const char *pattern;
	u16 protocols;
	u8 families;
} owners[] = {
	{ "tcp_v4_*", CALL_TCP, V4 },
	{ "tcp_v6_*", CALL_TCP, V6 },
	{ "tcpv6_*", CALL_TCP, V6 },
	{ "tcp6_*", CALL_TCP, V6 },
	{ "tcp4_*", CALL_TCP, V4 },
	{ "tcp_*", CALL_TCP, 0 },
	{ "__tcp_*", CALL_TCP, 0 },
	{ "udplite6_*", CALL_UDPLITE, V6 },
	{ "udplite_*", CALL_UDPLITE, 0 },
	{ "udpv6_*", CALL_UDP, V6 },
	{ "udp_v6_*", CALL_UDP, V6 },
	{ "__udp6_*", CALL_UDP, V6 },
	{ "udp6_*", CALL_UDP, V6 },
	{ "udp_v4_*", CALL_UDP, V4 },
	{ "udp4_*", CALL_UDP, V4 },
	{ "__udp4_*", CALL_UDP, V4 },
	{ "udp_tunnel*", 0, 0 },
	{ "udp_*", CALL_UDP, 0 },
	{ "__udp_*", CALL_UDP, 0 },
	{ "ping_v4_*", CALL_PING, V4 },
	{ "ping_v6_*", CALL_PING, V6 },
	{ "ping_*", CALL_PING, 0 },
	{ "rawv6_*", CALL_RAW, V6 },
	{ "raw6_*", CALL_RAW, V6 },
	{ "raw_*msg", CALL_RAW, V4 },
	{ "raw_*sockopt", CALL_RAW, V4 },

	{ "sctp_*", CALL_SCTP, 0 },
	{ "mptcp_*", CALL_MPTCP, 0 },
	{ "unix_*", CALL_UNIX, LO },
	{ "__unix_*", CALL_UNIX, LO },
	{ "netlink_*", CALL_NETLINK, LO },
	{ "__netlink_*", CALL_NETLINK, LO },
	{ "packet_*msg*", CALL_PACKET, LO },
	{ "packet_create", CALL_PACKET, LO },
	{ "packet_bind*", CALL_PACKET, LO },
	{ "vsock_*", CALL_VSOCK, LO },
	{ "xsk_*msg", CALL_XDP, LO },
	{ "inet6_*", 0, V6 },
	{ "__inet6_*", 0, V6 },
	{ "ip6_*", 0, V6 },
	{ "__ip6_*", 0, V6 },
	{ "ipv6_*", 0, V6 },
	{ "__ipv6_*", 0, V6 },
	{ "inet_*msg", 0, V4 },
	{ "ip_*", 0, V4 },
	{ "__ip_*", 0, V4 },
	{ "ip4_*", 0, V4 },
};

/* Operations tables. */
static const struct {
	const char *pattern;
	u16 protocols;
	u8 families;
} tables[] = {
	{ "tcp_prot*", CALL_TCP, V4 },
	{ "tcpv6_prot*", CALL_TCP, V6 },
	{ "udp_prot", CALL_UDP, V4 },
	{ "udpv6_prot", CALL_UDP, V6 },
	{ "udplite_prot", CALL_UDPLITE, V4 },
	{ "udplitev6_prot", CALL_UDPLITE, V6 },
	{ "raw_prot", CALL_RAW, V4 },
	{ "rawv6_prot", CALL_RAW, V6 },
	{ "ping_prot", CALL_PING, V4 },
	{ "pingv6_prot", CALL_PING, V6 },
	{ "sctp_prot", CALL_SCTP, V4 },
	{ "sctpv6_prot", CALL_SCTP, V6 },
	{ "mptcp_prot", CALL_MPTCP, V4 },
	{ "mptcp_v6_prot", CALL_MPTCP, V6 },
	{ "mptcp_stream_ops", CALL_MPTCP, V4 },
	{ "mptcp_v6_stream_ops", CALL_MPTCP, V6 },
	{ "unix_*", CALL_UNIX, LO },
	{ "netlink_ops", CALL_NETLINK, LO },
	{ "netlink_proto", CALL_NETLINK, LO },
	{ "packet_*", CALL_PACKET, LO },
	{ "vsock_*", CALL_VSOCK, LO },
	{ "xsk_proto_ops", CALL_XDP, LO },
	{ "inet6_*_ops", CALL_ANY_PROTOCOL, V6 },
	{ "inet_*_ops", CALL_ANY_PROTOCOL, V4 },
	{ "ipv6_specific", CALL_ANY_PROTOCOL, V6 },
	{ "ipv4_specific", CALL_ANY_PROTOCOL, V4 },
};

static const char *const of_sockets[] = { "sock_*", "__sock_*", "inet_*", "inet6_*",   "sk_*",
					  "tls_*",  "kcm_*",	"smc_*",  "lock_sock*" };

enum call_kind callfuncs_kind(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i].name) == len && !memcmp(kinds[i].name, name, len))
			return kinds[i].kind;
	return CALL_OTHER;
}

/* The length without ".isra.0" and its like. */
static size_t plain_len(const char *symbol, size_t len)
{
	const char *dot = memchr(symbol + (len > 0), '.', len ? len - 1 : 0);

	return dot ? (size_t)(dot - symbol) : len;
}

static bool skip_word(const char **at, size_t *len, const char *word)
{
	size_t n = strlen(word);

	if (*len < n || memcmp(*at, word, n))
		return false;
	*at += n;
	*len -= n;
	return true;
}

const char *callfuncs_syscall(const char *symbol, size_t len, size_t *name_len, const char **abi)
{
	static const char io_uring_issues[] = "io_issue_sqe";
	const char *at;
	size_t i, left;

	*name_len = 0;
	*abi = NULL;
	if (len < 5 || (*symbol != '_' && *symbol != 's' && *symbol != 'i'))
		return "";
	len = plain_len(symbol, len);
	if (len == strlen(io_uring_issues) && !memcmp(symbol, io_uring_issues, len)) {
		*name_len = strlen("io_uring");
		return "io_uring";
	}
	for (i = 0; i < ARRAY_SIZE(wrappers); i++) {
		at = symbol;
		left = len;
		if (!skip_word(&at, &left, "__") || !skip_word(&at, &left, wrappers[i].word) ||
		    !skip_word(&at, &left, "sys_") || !left)
			continue;
		*abi = wrappers[i].abi;
		*name_len = left;
		return at;
	}
	/* Where there are no wrappers. */
	at = symbol;
	left = len;
	if (skip_word(&at, &left, "sys_") && callfuncs_kind(at, left) != CALL_OTHER) {
		*name_len = left;
		return at;
	}
	return "";
}

/* fnmatch() would turn both into wide characters first, and a recording has thousands of names. */
bool callfuncs_fits(const char *pattern, const char *name)
{
	const char *star = NULL, *again = NULL;

	for (;;) {
		if (*pattern == '*') {
			star = ++pattern;
			again = name;
			continue;
		}
		if (!*name && !*pattern)
			return true;
		if (*name && (*pattern == *name || *pattern == '?')) {
			pattern++;
			name++;
			continue;
		}
		/* the last star takes one more */
		if (!star || !*again)
			return false;
		pattern = star;
		name = ++again;
	}
}

void callfuncs_judge_name(struct call_func *f, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(classes) && !f->class; i++)
		if (callfuncs_fits(classes[i].pattern, name))
			f->class = (u8)classes[i].class;
	for (i = 0; i < ARRAY_SIZE(owners); i++) {
		if (!callfuncs_fits(owners[i].pattern, name))
			continue;
		f->protocols = owners[i].protocols;
		f->families = owners[i].families;
		break;
	}
	f->of_sockets = f->protocols;
	for (i = 0; i < ARRAY_SIZE(of_sockets) && !f->of_sockets; i++)
		f->of_sockets = callfuncs_fits(of_sockets[i], name);
}

bool callfuncs_judge_table(const char *table, u16 *protocols, u8 *families)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (!callfuncs_fits(tables[i].pattern, table))
			continue;
		*protocols = tables[i].protocols;
		*families = tables[i].families;
		return true;
	}
	return false;
}

const char *callfuncs_class_name(u8 class)
{
	static const char *const names[FUNC_CLASSES] = {
		[FUNC_LOCKING] = "locking", [FUNC_RCU] = "RCU",
		[FUNC_MEMORY] = "memory",   [FUNC_AUDIT] = "audit",
		[FUNC_LSM] = "security",    [FUNC_SCHED] = "scheduler",
		[FUNC_TIME] = "timers",	    [FUNC_TRACING] = "tracing",
		[FUNC_SOFTIRQ] = "softirq", [FUNC_HARDIRQ] = "interrupt",
	};

	return class < FUNC_CLASSES && names[class] ? names[class] : "other";
}

const char *callfuncs_protocol_name(u16 protocols)
{
	static const char *const names[] = {
		"TCP",	 "UDP",	 "UDP-Lite", "raw",    "ping",	"SCTP",
		"MPTCP", "UNIX", "netlink",  "packet", "vsock", "XDP"
	};

	if (!protocols || protocols & (protocols - 1) || protocols > CALL_ANY_PROTOCOL)
		return "?";
	return names[__builtin_ctz(protocols)];
}

const char *callfuncs_family_name(u8 families)
{
	switch (families) {
	case CALL_INET:
		return "IPv4";
	case CALL_INET6:
		return "IPv6";
	case CALL_LOCAL:
		return "";
	default:
		return "?";
	}
}
