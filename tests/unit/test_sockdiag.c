// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The inventory of sockets: the kernel's answers taken apart, and against sockets of our own.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/sockdiag.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

struct answer {
	struct nlmsghdr hdr;
	struct inet_diag_msg msg;
	u8 rest[512];
};

static void make_answer(struct answer *a)
{
	memset(a, 0, sizeof(*a));
	a->hdr.nlmsg_len = NLMSG_LENGTH(sizeof(a->msg));
	a->hdr.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	a->msg.idiag_family = AF_INET;
	a->msg.idiag_state = 1;
	a->msg.id.idiag_sport = htons(80);
	a->msg.id.idiag_dport = htons(1234);
	a->msg.id.idiag_src[0] = htonl(0x0a000001);
	a->msg.id.idiag_dst[0] = htonl(0x0a000002);
	a->msg.id.idiag_cookie[0] = 5;
	a->msg.id.idiag_cookie[1] = 1;
	a->msg.idiag_uid = 33;
	a->msg.idiag_inode = 4711;
}

static void answer_is_taken_apart(void **unused)
{
	static const u8 local[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 };
	struct sockdiag_entry e;
	struct answer a;

	(void)unused;
	make_answer(&a);
	assert_int_equal(sockdiag_parse(&a, sizeof(a), IPPROTO_TCP, &e), 0);
	assert_memory_equal(e.addrs.local, local, 16);
	assert_int_equal(e.addrs.remote[15], 2);
	assert_int_equal(e.addrs.lport, 80);
	assert_int_equal(e.addrs.rport, 1234);
	assert_int_equal(e.addrs.family, 4);
	assert_int_equal(e.addrs.proto, IPPROTO_TCP);
	assert_true(e.cookie == 0x100000005ULL);
	assert_int_equal(e.uid, 33);
	assert_int_equal(e.inode, 4711);
	assert_false(e.has_info);
}

static void tcp_info_is_read_as_far_as_it_goes(void **unused)
{
	struct nlattr attr = { .nla_len = 4 + sizeof(struct tcp_info), .nla_type = INET_DIAG_INFO };
	struct tcp_info info = { .tcpi_rtt = 250,
				 .tcpi_total_retrans = 3,
				 .tcpi_bytes_acked = 1ULL << 40,
				 .tcpi_bytes_received = 77 };
	struct sockdiag_entry e;
	struct answer a;

	(void)unused;
	make_answer(&a);
	memcpy(a.rest, &attr, 4);
	memcpy(a.rest + 4, &info, sizeof(info));
	a.hdr.nlmsg_len += attr.nla_len;
	assert_int_equal(sockdiag_parse(&a, sizeof(a), IPPROTO_TCP, &e), 0);
	assert_true(e.has_info);
	assert_int_equal(e.rtt_us, 250);
	assert_int_equal(e.retransmits, 3);
	assert_true(e.bytes_acked == 1ULL << 40);
	assert_int_equal(e.bytes_received, 77);

	attr.nla_len = 4 + offsetof(struct tcp_info, tcpi_bytes_received);
	memcpy(a.rest, &attr, 4);
	assert_int_equal(sockdiag_parse(&a, sizeof(a), IPPROTO_TCP, &e), 0);
	assert_false(e.has_info);
	assert_int_equal(e.bytes_received, 0);
}

static void damaged_answers_are_refused(void **unused)
{
	struct sockdiag_entry e;
	struct answer a;
	size_t len;

	(void)unused;
	make_answer(&a);
	for (len = 0; len < a.hdr.nlmsg_len; len++)
		assert_int_equal(sockdiag_parse(&a, len, IPPROTO_TCP, &e), -EINVAL);
	a.hdr.nlmsg_len--;
	assert_int_equal(sockdiag_parse(&a, sizeof(a), IPPROTO_TCP, &e), -EINVAL);
	make_answer(&a);
	a.msg.idiag_family = AF_UNIX;
	assert_int_equal(sockdiag_parse(&a, sizeof(a), IPPROTO_TCP, &e), -EINVAL);
	make_answer(&a);
	a.hdr.nlmsg_type = NLMSG_ERROR;
	assert_int_equal(sockdiag_parse(&a, sizeof(a), IPPROTO_TCP, &e), -EINVAL);
}

static int bound(int family, int type, u16 *port)
{
	struct sockaddr_in6 any = { .sin6_family = (sa_family_t)family };
	socklen_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(any);
	int fd = socket(family, type, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&any, len) ||
	    getsockname(fd, (struct sockaddr *)&any, &len)) {
		close(fd);
		return -1;
	}
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	*port = ntohs(any.sin6_port); /* at the same place in a struct sockaddr_in */
	return fd;
}

static const struct sockdiag_entry *find(const struct sockdiag *diag, int fd)
{
	socklen_t len = sizeof(u64);
	u64 cookie = 0;
	size_t i;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	for (i = 0; i < diag->nr; i++)
		if (diag->entry[i].cookie == cookie)
			return &diag->entry[i];
	return NULL;
}

static void our_own_sockets_are_listed(void **unused)
{
	static const struct {
		int family, type;
		u16 proto;
	} kinds[] = { { AF_INET, SOCK_STREAM, IPPROTO_TCP },
		      { AF_INET6, SOCK_STREAM, IPPROTO_TCP },
		      { AF_INET, SOCK_DGRAM, IPPROTO_UDP },
		      { AF_INET6, SOCK_DGRAM, IPPROTO_UDP } };
	struct sockdiag_options o = { .owners = true, .nr_netns = 1 };
	const struct sockdiag_entry *e;
	char comm[16] = "";
	struct error err = { 0 };
	struct sockdiag diag;
	u16 port[4];
	struct stat st;
	int fd[4], net;
	u32 inum;
	size_t i;

	(void)unused;
	net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (net < 0 || fstat(net, &st))
		skip();
	inum = (u32)st.st_ino;
	o.netns_fd = &net;
	o.netns_inum = &inum;
	for (i = 0; i < 4; i++)
		fd[i] = bound(kinds[i].family, kinds[i].type, &port[i]);
	prctl(PR_GET_NAME, comm);
	if (sockdiag_take(&diag, &o, &err)) {
		print_message("%s\n", err.text);
		sockdiag_free(&diag);
		skip();
	}
	for (i = 0; i < 4; i++) {
		if (fd[i] < 0)
			continue;
		e = find(&diag, fd[i]);
		if (!e && diag.incomplete[0]) {
			print_message("%s\n", diag.incomplete);
			continue;
		}
		assert_non_null(e);
		assert_int_equal(e->addrs.proto, kinds[i].proto);
		assert_int_equal(e->addrs.family, kinds[i].family == AF_INET ? 4 : 6);
		assert_int_equal(e->addrs.lport, port[i]);
		assert_int_equal(e->addrs.rport, 0);
		assert_true(sock_addr_is_any(e->addrs.local));
		assert_int_equal(e->state, kinds[i].type == SOCK_STREAM ? 10 : 7);
		fstat(fd[i], &st);
		assert_int_equal(e->inode, st.st_ino);
		assert_int_equal(e->uid, getuid());
		assert_int_equal(e->pid, getpid());
		assert_string_equal(e->comm, comm);
		assert_int_equal(e->netns, inum);
	}
	sockdiag_free(&diag);
	o.max = 1;
	assert_int_equal(sockdiag_take(&diag, &o, &err), 0);
	assert_int_equal(diag.nr, 1);
	assert_true(diag.cut > 0);
	sockdiag_free(&diag);
	for (i = 0; i < 4; i++)
		close(fd[i]);
	close(net);
}

static void owner_is_the_lowest_process(void **unused)
{
	char dir[] = "/tmp/skbtrail-owners.XXXXXX", path[256];
	struct sockdiag_entry entries[2] = { { .inode = 11 }, { .inode = 12 } };
	struct sockdiag diag = { .entry = entries, .nr = 2 };
	static const int pids[] = { 30, 4, 200 };
	size_t i;
	FILE *f;

	(void)unused;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/proc", dir);
	mkdir(path, 0700);
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/proc/%d", dir, pids[i]);
		mkdir(path, 0700);
		snprintf(path, sizeof(path), "%s/proc/%d/fd", dir, pids[i]);
		mkdir(path, 0700);
		snprintf(path, sizeof(path), "%s/proc/%d/fd/3", dir, pids[i]);
		assert_int_equal(symlink("socket:[11]", path), 0);
		snprintf(path, sizeof(path), "%s/proc/%d/fd/4", dir, pids[i]);
		assert_int_equal(symlink("pipe:[12]", path), 0);
		snprintf(path, sizeof(path), "%s/proc/%d/comm", dir, pids[i]);
		f = fopen(path, "w");
		fprintf(f, "p%d\n", pids[i]);
		fclose(f);
	}
	assert_int_equal(sockdiag_owners(&diag, dir), 0);
	assert_int_equal(entries[0].pid, 4);
	assert_string_equal(entries[0].comm, "p4");
	assert_int_equal(entries[1].pid, 0);
	/* nobody's files were hidden, so it is nobody's */
	assert_true(entries[1].no_owner);
	assert_false(entries[0].no_owner);
	snprintf(path, sizeof(path), "rm -rf %s", dir);
	assert_int_equal(system(path), 0);
}

static void inventory_survives_json(void **unused)
{
	struct sockdiag_entry entries[2] = {
		{ .addrs = { .lport = 80, .rport = 0, .proto = 262, .family = 6 },
		  .cookie = UINT64_MAX,
		  .netns = 4026531840U,
		  .inode = UINT32_MAX,
		  .uid = 1000,
		  .pid = INT32_MAX,
		  .comm = "a \"b\"",
		  .rtt_us = 7,
		  .state = 10 },
		{ .addrs = { .proto = 17, .family = 4 }, .inode = 3, .no_owner = true },
	};
	struct sockdiag diag = { .entry = entries, .nr = 2 }, again;
	struct json_object *json;

	(void)unused;
	entries[0].addrs.local[0] = 0xfd;
	sock_addr_map(entries[1].addrs.remote, "\x7f\0\0\x01");
	json = sockdiag_to_json(&diag);
	assert_non_null(json);
	assert_int_equal(sockdiag_from_json(&again, json), 0);
	json_object_put(json);
	assert_int_equal(again.nr, 2);
	assert_int_equal(again.cut, 0);
	assert_string_equal(again.incomplete, "");
	assert_memory_equal(again.entry, entries, sizeof(entries));
	sockdiag_free(&again);
}

static void strange_inventories_are_refused(void **unused)
{
	static const char good[] = "[6,4,\"::1\",80,\"::\",0,10,\"1f\",1,2,3,4,\"x\",5,0]";
	static const char *const bad[] = {
		"5",
		"[]",
		"[6,4,\"::1\",80,\"::\",0,10,\"1f\",1,2,3,4,\"x\",5]",
		"[6,4,\"::1\",65536,\"::\",0,10,\"1f\",1,2,3,4,\"x\",5,0]",
		"[6,4,\"::1\",-1,\"::\",0,10,\"1f\",1,2,3,4,\"x\",5,0]",
		"[6,4,\"nowhere\",80,\"::\",0,10,\"1f\",1,2,3,4,\"x\",5,0]",
		"[6,4,\"::1\",80,\"::\",0,10,\"1g\",1,2,3,4,\"x\",5,0]",
		"[6,4,\"::1\",80,\"::\",0,10,31,1,2,3,4,\"x\",5,0]",
		"[6,4,\"::1\",80,\"::\",0,10,\"1f\",1,2,3,4,[],5,0]",
	};
	struct json_object *json;
	struct sockdiag diag;
	char text[1024];
	size_t i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "{\"complete\":true,\"sockets\":[%s,%s]}", bad[i],
			 good);
		json = json_tokener_parse(text);
		assert_non_null(json);
		assert_int_equal(sockdiag_from_json(&diag, json), 0);
		assert_int_equal(diag.nr, 1);
		assert_int_equal(diag.cut, 1);
		assert_int_equal(diag.entry[0].cookie, 0x1f);
		sockdiag_free(&diag);
		json_object_put(json);
	}
	json = json_tokener_parse("{\"complete\":true,\"sockets\":5}");
	assert_int_equal(sockdiag_from_json(&diag, json), -EBADMSG);
	sockdiag_free(&diag);
	json_object_put(json);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_is_taken_apart),
		cmocka_unit_test(tcp_info_is_read_as_far_as_it_goes),
		cmocka_unit_test(damaged_answers_are_refused),
		cmocka_unit_test(our_own_sockets_are_listed),
		cmocka_unit_test(owner_is_the_lowest_process),
		cmocka_unit_test(inventory_survives_json),
		cmocka_unit_test(strange_inventories_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
