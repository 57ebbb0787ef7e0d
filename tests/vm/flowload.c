// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flowload READY GO: use sockets in every way there is, and count what the calls returned.
 *
 * Opens some sockets and uses them, makes the file READY, and waits for the file GO; counts from then on. Prints a line
 * for each socket, "PROTOCOL LOCAL-PORT REMOTE-PORT RECEIVED SENT NAME", where a port of 0 stands for any. Bytes that
 * were only looked at (MSG_PEEK) or came from the error queue were not received.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_COUNTED 8192
#define BIG (256 * 1024)

struct counted {
	char name[40];
	bool tcp, done;
	uint16_t lport, rport;
	uint64_t rx, tx;
};

/* Shared with children. */
static struct {
	int nr;
	bool on;
	struct counted c[MAX_COUNTED];
} * all;

static char buffer[BIG];
static int file = -1, null = -1;

static void die(const char *what)
{
	fprintf(stderr, "flowload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
	/* at the same place for both families */
	return ntohs(((const struct sockaddr_in *)(const void *)a)->sin_port);
}

/* Begin to count for a socket. */
static struct counted *count(int fd, bool tcp, const char *name)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);
	struct counted *c;
	int i = __atomic_fetch_add(&all->nr, 1, __ATOMIC_SEQ_CST);

	if (i >= MAX_COUNTED)
		die("too many sockets");
	c = &all->c[i];
	snprintf(c->name, sizeof(c->name), "%s", name);
	c->tcp = tcp;
	getsockname(fd, (struct sockaddr *)&a, &len);
	c->lport = port_of(&a);
	memset(&a, 0, sizeof(a));
	len = sizeof(a);
	if (tcp && !getpeername(fd, (struct sockaddr *)&a, &len))
		c->rport = port_of(&a);
	c->done = true;
	return c;
}

static ssize_t sent(struct counted *c, ssize_t n)
{
	if (n > 0 && all->on)
		__atomic_fetch_add(&c->tx, (uint64_t)n, __ATOMIC_RELAXED);
	return n;
}

static ssize_t received(struct counted *c, ssize_t n)
{
	if (n > 0 && all->on)
		__atomic_fetch_add(&c->rx, (uint64_t)n, __ATOMIC_RELAXED);
	return n;
}

static struct sockaddr_storage address(int family, const char *text, uint16_t port, socklen_t *len)
{
	struct sockaddr_storage a = { .ss_family = (sa_family_t)family };
	struct sockaddr_in6 *in6 = (void *)&a;
	struct sockaddr_in *in = (void *)&a;

	if (family == AF_INET6) {
		inet_pton(AF_INET6, text, &in6->sin6_addr);
		in6->sin6_port = htons(port);
		*len = sizeof(*in6);
	} else {
		inet_pton(AF_INET, text, &in->sin_addr);
		in->sin_port = htons(port);
		*len = sizeof(*in);
	}
	return a;
}

static int listener(int family)
{
	socklen_t len;
	struct sockaddr_storage a = address(family, family == AF_INET ? "0.0.0.0" : "::", 0, &len);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 128))
		die("listen");
	return fd;
}

static uint16_t local_port(int fd)
{
	struct sockaddr_storage a = { 0 };
	socklen_t len = sizeof(a);

	getsockname(fd, (struct sockaddr *)&a, &len);
	return port_of(&a);
}

struct pair {
	int a, b;
	struct counted *ca, *cb;
};

/* A connection over loopback. @server: family of the listener, @client and @to: of who connects */
static struct pair connection(const char *name, int server, int client, const char *to)
{
	int l = listener(server);
	socklen_t len;
	struct sockaddr_storage a = address(client, to, local_port(l), &len);
	struct pair p;
	char text[40];

	p.a = socket(client, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p.a < 0 || connect(p.a, (struct sockaddr *)&a, len))
		die(name);
	p.b = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	if (p.b < 0)
		die("accept");
	close(l);
	snprintf(text, sizeof(text), "%s-client", name);
	p.ca = count(p.a, true, text);
	snprintf(text, sizeof(text), "%s-server", name);
	p.cb = count(p.b, true, text);
	return p;
}

static void hang_up(struct pair *p)
{
	close(p->a);
	close(p->b);
}

/* All ways to write and to read, both directions. */
static void talk(struct pair *p)
{
	struct iovec iov[2] = { { buffer, 1000 }, { buffer + 1000, 337 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	int i;

	for (i = 1; i <= 20; i++) {
		sent(p->ca, write(p->a, buffer, (size_t)i * 37));
		sent(p->ca, send(p->a, buffer, (size_t)i * 11, MSG_MORE));
		sent(p->ca, writev(p->a, iov, 2));
		sent(p->ca, sendmsg(p->a, &msg, 0));
		received(p->cb, read(p->b, buffer, 100));
		received(p->cb, recv(p->b, buffer, 500, 0));
		received(p->cb, readv(p->b, iov, 2));
		received(p->cb, recvmsg(p->b, &msg, 0));
		sent(p->cb, send(p->b, buffer, (size_t)i, MSG_NOSIGNAL));
		received(p->ca, recvfrom(p->a, buffer, sizeof(buffer), 0, NULL, NULL));
	}
	while (received(p->cb, recv(p->b, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		;
}

static void blocking(const char *name, int server, int client, const char *to)
{
	struct pair p = connection(name, server, client, to);

	talk(&p);
	hang_up(&p);
}

/* Full buffers: EAGAIN, and sends of which a part is taken. */
static void nonblocking(void)
{
	struct pair p = connection("nonblocking", AF_INET, AF_INET, "127.0.0.1");
	int size = 20000, i, again = 0, partial = 0;
	ssize_t n;

	setsockopt(p.a, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	fcntl(p.a, F_SETFL, O_NONBLOCK);
	fcntl(p.b, F_SETFL, O_NONBLOCK);
	for (i = 0; i < 60; i++) {
		n = sent(p.ca, send(p.a, buffer, sizeof(buffer), 0));
		again += n < 0 && errno == EAGAIN;
		partial += n > 0 && n < (ssize_t)sizeof(buffer);
		if (i % 3 == 2)
			received(p.cb, read(p.b, buffer, 30000));
	}
	while (received(p.cb, read(p.b, buffer, sizeof(buffer))) > 0)
		;
	n = read(p.b, buffer, 1); /* EAGAIN */
	received(p.cb, n);
	if (!again || !partial)
		fprintf(stderr, "flowload: %d times EAGAIN, %d partial sends: no test\n", again,
			partial);
	hang_up(&p);
}

static void files(void)
{
	struct pair p = connection("files", AF_INET, AF_INET, "127.0.0.1");
	struct pair q = connection("files6", AF_INET6, AF_INET6, "::1");
	off_t at = 0;
	loff_t lat = 0;
	int pipes[2], i;
	ssize_t n;

	if (pipe(pipes))
		die("pipe");
	for (i = 0; i < 4; i++) {
		sent(p.ca, sendfile(p.a, file, &at, 10000 + (size_t)i));
		sent(q.ca, sendfile(q.a, file, &at, 5000 + (size_t)i));
		n = splice(file, &lat, pipes[1], NULL, 7000, 0);
		if (n > 0)
			sent(p.ca, splice(pipes[0], NULL, p.a, NULL, (size_t)n, SPLICE_F_MORE));
		n = received(p.cb, splice(p.b, NULL, pipes[1], NULL, 6000, 0));
		while (n > 0)
			n -= splice(pipes[0], NULL, null, NULL, (size_t)n, 0);
		n = received(q.cb, splice(q.b, NULL, pipes[1], NULL, 6000, 0));
		while (n > 0)
			n -= splice(pipes[0], NULL, null, NULL, (size_t)n, 0);
	}
	shutdown(p.a, SHUT_WR);
	while (received(p.cb, read(p.b, buffer, sizeof(buffer))) > 0)
		;
	/* nothing more to splice */
	received(p.cb, splice(p.b, NULL, pipes[1], NULL, 6000, SPLICE_F_NONBLOCK));
	hang_up(&p);
	hang_up(&q);
	close(pipes[0]);
	close(pipes[1]);
}

static void peeking(void)
{
	struct pair p = connection("peek", AF_INET, AF_INET, "127.0.0.1");

	sent(p.ca, send(p.a, buffer, 3000, 0));
	recv(p.b, buffer, 2000, MSG_PEEK);
	recv(p.b, buffer, 3000, MSG_PEEK | MSG_WAITALL);
	recv(p.b, buffer, 100, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
	received(p.cb, recv(p.b, buffer, 1000, MSG_WAITALL));
	/* read and thrown away */
	received(p.cb, recv(p.b, NULL, 500, MSG_TRUNC));
	received(p.cb, recv(p.b, buffer, sizeof(buffer), 0));
	sent(p.ca, send(p.a, buffer, 5, 0));
	sent(p.ca, send(p.a, "!", 1, MSG_OOB));
	usleep(20000);
	received(p.cb, recv(p.b, buffer, 1, MSG_OOB));
	received(p.cb, recv(p.b, buffer, 10, 0));
	hang_up(&p);
}

/* A call that waits for more several times before it returns. */
static void waiting(void)
{
	struct pair p = connection("waitall", AF_INET, AF_INET, "127.0.0.1");
	pid_t pid = fork();
	int i, status;

	if (!pid) {
		for (i = 0; i < 5; i++) {
			usleep(20000);
			sent(p.ca, send(p.a, buffer, 1000, 0));
		}
		_exit(0);
	}
	received(p.cb, recv(p.b, buffer, 5000, MSG_WAITALL));
	waitpid(pid, &status, 0);
	hang_up(&p);
}

static void failing(void)
{
	socklen_t len;
	struct sockaddr_storage a = address(AF_INET, "127.0.0.1", 9, &len);
	struct pair p = connection("reset", AF_INET, AF_INET, "127.0.0.1");
	struct linger now = { 1, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct counted *c;

	if (!connect(fd, (struct sockaddr *)&a, len))
		die("somebody listens on port 9");
	c = count(fd, true, "refused");
	sent(c, send(fd, buffer, 100, MSG_NOSIGNAL));
	received(c, recv(fd, buffer, 100, 0));
	close(fd);
	sent(p.ca, send(p.a, buffer, 4000, 0));
	sent(p.cb, send(p.b, buffer, 1234, 0));
	setsockopt(p.b, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(p.b);
	usleep(20000);
	/* reset: what waits in the queue can be read or not, an error comes either way */
	received(p.ca, recv(p.a, buffer, 500, 0));
	received(p.ca, recv(p.a, buffer, 5000, 0));
	sent(p.ca, send(p.a, buffer, 100, MSG_NOSIGNAL));
	close(p.a);
}

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/* Encrypted by the kernel: what counts is what the programs wrote and read. */
static void encrypted(void)
{
	struct tls12_crypto_info_aes_gcm_128 key = {
		.info = { .version = TLS_1_2_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 }
	};
	struct pair p = connection("tls", AF_INET, AF_INET, "127.0.0.1");
	off_t at = 0;
	int pipes[2];
	ssize_t n;

	if (setsockopt(p.a, SOL_TCP, TCP_ULP, "tls", 3) ||
	    setsockopt(p.b, SOL_TCP, TCP_ULP, "tls", 3) ||
	    setsockopt(p.a, SOL_TLS, TLS_TX, &key, sizeof(key)) ||
	    setsockopt(p.b, SOL_TLS, TLS_RX, &key, sizeof(key)) || pipe(pipes)) {
		printf("# no TLS: %s\n", strerror(errno));
		hang_up(&p);
		return;
	}
	sent(p.ca, write(p.a, buffer, 1000));
	sent(p.ca, send(p.a, buffer, 20000, 0));
	recv(p.b, buffer, 500, MSG_PEEK);
	received(p.cb, read(p.b, buffer, 800));
	received(p.cb, recv(p.b, buffer, 5000, 0));
	sent(p.ca, sendfile(p.a, file, &at, 9000));
	n = received(p.cb, splice(p.b, NULL, pipes[1], NULL, 3000, 0));
	while (n > 0)
		n -= splice(pipes[0], NULL, null, NULL, (size_t)n, 0);
	sent(p.cb, write(p.b, buffer, 77)); /* the other direction is not encrypted */
	received(p.ca, read(p.a, buffer, 100));
	shutdown(p.a, SHUT_WR);
	while (received(p.cb, read(p.b, buffer, 4000)) > 0)
		;
	hang_up(&p);
	close(pipes[0]);
	close(pipes[1]);
}

/* ---- UDP */

static int udp(int family, const char *name, struct counted **c)
{
	socklen_t len;
	struct sockaddr_storage a = address(family, family == AF_INET ? "0.0.0.0" : "::", 0, &len);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len))
		die(name);
	*c = count(fd, false, name);
	return fd;
}

static void datagrams(const char *name, int family, const char *to, int family_b)
{
	struct counted *ca, *cb;
	char text[40];
	int a, b, i;
	struct sockaddr_storage peer;
	struct mmsghdr mm[4] = { 0 };
	struct iovec iov[4];
	socklen_t len;

	snprintf(text, sizeof(text), "%s-a", name);
	a = udp(family, text, &ca);
	snprintf(text, sizeof(text), "%s-b", name);
	b = udp(family_b, text, &cb);
	peer = address(family, to, local_port(b), &len);
	for (i = 0; i < 5; i++) {
		sent(ca, sendto(a, buffer, 100 + (size_t)i, 0, (struct sockaddr *)&peer, len));
		received(cb, recvfrom(b, buffer, sizeof(buffer), 0, NULL, NULL));
	}
	for (i = 0; i < 4; i++) {
		iov[i] = (struct iovec){ buffer, 200 + (size_t)i };
		mm[i].msg_hdr = (struct msghdr){
			.msg_iov = &iov[i], .msg_iovlen = 1, .msg_name = &peer, .msg_namelen = len
		};
	}
	if (sendmmsg(a, mm, 4, 0) == 4)
		for (i = 0; i < 4; i++)
			sent(ca, mm[i].msg_len);
	for (i = 0; i < 4; i++)
		mm[i].msg_hdr.msg_name = NULL;
	i = recvmmsg(b, mm, 4, MSG_DONTWAIT, NULL);
	while (i-- > 0)
		received(cb, mm[i].msg_len);
	/* connected from here on; corked; looked at; cut off; nothing */
	if (connect(a, (struct sockaddr *)&peer, len))
		die("connect");
	sent(ca, send(a, buffer, 300, MSG_MORE));
	sent(ca, send(a, buffer, 300, 0));
	recv(b, buffer, 50, MSG_PEEK);
	received(cb, recv(b, buffer, 250, 0));
	sent(ca, write(a, buffer, 700));
	received(cb, recv(b, buffer, 100, MSG_TRUNC));
	sent(ca, send(a, buffer, 0, 0));
	received(cb, recv(b, buffer, 100, 0));
	sent(ca, send(a, buffer, 70000, 0));		  /* EMSGSIZE */
	received(cb, recv(b, buffer, 100, MSG_DONTWAIT)); /* EAGAIN */
	close(a);
	close(b);
}

static void udp_files(void)
{
	struct counted *ca, *cb;
	int a = udp(AF_INET, "udp-files-a", &ca), b = udp(AF_INET, "udp-files-b", &cb), pipes[2];
	socklen_t len;
	struct sockaddr_storage peer = address(AF_INET, "127.0.0.1", local_port(b), &len);
	off_t at = 0;
	ssize_t n;

	if (connect(a, (struct sockaddr *)&peer, len) || pipe(pipes))
		die("udp-files");
	sent(ca, sendfile(a, file, &at, 3000));
	while (received(cb, recv(b, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0)
		;
	n = write(pipes[1], buffer, 2000);
	if (n > 0)
		sent(ca, splice(pipes[0], NULL, a, NULL, (size_t)n, 0));
	n = received(cb, splice(b, NULL, pipes[1], NULL, 4000, SPLICE_F_NONBLOCK));
	close(pipes[0]);
	close(pipes[1]);
	close(a);
	close(b);
}

static void error_queue(void)
{
	struct counted *c;
	int fd = udp(AF_INET, "errqueue", &c), on = 1;
	socklen_t len;
	struct sockaddr_storage peer = address(AF_INET, "127.0.0.1", 9, &len);
	char control[512];
	struct iovec iov = { buffer, 1000 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };

	setsockopt(fd, SOL_IP, IP_RECVERR, &on, sizeof(on));
	sent(c, sendto(fd, buffer, 123, 0, (struct sockaddr *)&peer, len));
	usleep(20000);
	if (recvmsg(fd, &msg, MSG_ERRQUEUE) != 123)
		fprintf(stderr, "flowload: nothing in the error queue: no test\n");
	close(fd);
}

/* ---- processes and threads */

static void workers(int nr)
{
	int l = listener(AF_INET), i, status;
	socklen_t len;
	struct sockaddr_storage a = address(AF_INET, "127.0.0.1", local_port(l), &len);
	struct counted *c;
	pid_t pid[3];

	for (i = 0; i < 3; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		for (;;) {
			int fd = accept(l, NULL, NULL);
			ssize_t n;

			if (fd < 0)
				_exit(0);
			c = count(fd, true, "worker");
			n = received(c, read(fd, buffer, 1000));
			if (n > 0)
				sent(c, write(fd, buffer, (size_t)n * 2));
			close(fd);
		}
	}
	for (i = 0; i < nr; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, (struct sockaddr *)&a, len))
			die("connect to a worker");
		c = count(fd, true, "short");
		sent(c, write(fd, buffer, 100 + (size_t)i % 50));
		while (received(c, read(fd, buffer, 1000)) > 0)
			;
		close(fd);
	}
	for (i = 0; i < 3; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], &status, 0);
	}
	close(l);
}

static void passed_on(void)
{
	struct pair p = connection("passed", AF_INET, AF_INET, "127.0.0.1");
	union {
		struct cmsghdr hdr;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { buffer, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int unix_pair[2], status, fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair))
		die("socketpair");
	pid = fork();
	if (!pid) {
		close(p.a);
		if (recvmsg(unix_pair[1], &msg, 0) != 1)
			_exit(1);
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
		sent(p.ca, write(fd, buffer, 555));
		_exit(0);
	}
	sent(p.ca, write(p.a, buffer, 111));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &p.a, sizeof(int));
	if (sendmsg(unix_pair[0], &msg, 0) != 1)
		die("SCM_RIGHTS");
	waitpid(pid, &status, 0);
	shutdown(p.a, SHUT_WR);
	while (received(p.cb, read(p.b, buffer, sizeof(buffer))) > 0)
		;
	hang_up(&p);
	close(unix_pair[0]);
	close(unix_pair[1]);
}

struct reader {
	int fd;
	struct counted *c;
};

static void *read_all(void *arg)
{
	static __thread char mine[4096];
	struct reader *r = arg;

	while (received(r->c, read(r->fd, mine, sizeof(mine))) > 0)
		;
	return NULL;
}

/* A thread waits for bytes on both ends while others send: calls of many tasks under way. */
static void full_duplex(void)
{
	struct pair p = connection("duplex", AF_INET6, AF_INET, "127.0.0.1");
	struct reader ra = { p.a, p.ca }, rb = { p.b, p.cb };
	pthread_t ta, tb;
	int i;

	if (pthread_create(&ta, NULL, read_all, &ra) || pthread_create(&tb, NULL, read_all, &rb))
		die("pthread_create");
	for (i = 0; i < 100; i++) {
		sent(p.ca, write(p.a, buffer, 1000 + (size_t)i * 100));
		sent(p.cb, write(p.b, buffer, 500 + (size_t)i));
	}
	shutdown(p.a, SHUT_WR);
	shutdown(p.b, SHUT_WR);
	pthread_join(ta, NULL);
	pthread_join(tb, NULL);
	hang_up(&p);
}

static void not_ours(void)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd))
		die("socketpair");
	if (write(fd[0], buffer, 77777) != 77777 || read(fd[1], buffer, sizeof(buffer)) <= 0)
		die("socketpair");
	close(fd[0]);
	close(fd[1]);
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	close(fd);
}

int main(int argc, char **argv)
{
	struct pair old, old6;
	struct counted *ca, *cb;
	char path[] = "/tmp/flowload.XXXXXX";
	struct sockaddr_storage peer;
	struct stat st;
	socklen_t len;
	int ua, ub, i, short_ones = argc > 3 ? atoi(argv[3]) : 200;

	if (argc < 3) {
		fputs("usage: flowload READY GO [SHORT-CONNECTIONS]\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	file = mkstemp(path);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (all == MAP_FAILED || file < 0 || null < 0 || write(file, buffer, sizeof(buffer)) < 0)
		die("set up");
	unlink(path);
	/* there before anybody counts */
	old = connection("old", AF_INET, AF_INET, "127.0.0.1");
	old6 = connection("old6", AF_INET6, AF_INET6, "::1");
	ua = udp(AF_INET, "old-udp-a", &ca);
	ub = udp(AF_INET, "old-udp-b", &cb);
	peer = address(AF_INET, "127.0.0.1", local_port(ub), &len);
	talk(&old);
	talk(&old6);
	make_file(argv[1]);
	while (stat(argv[2], &st))
		usleep(10000);
	all->on = true;
	talk(&old);
	talk(&old6);
	sent(ca, sendto(ua, buffer, 400, 0, (struct sockaddr *)&peer, len));
	received(cb, recv(ub, buffer, sizeof(buffer), 0));
	blocking("v4", AF_INET, AF_INET, "127.0.0.1");
	blocking("v6", AF_INET6, AF_INET6, "::1");
	blocking("mapped", AF_INET6, AF_INET6, "::ffff:127.0.0.1");
	blocking("mapped-server", AF_INET6, AF_INET, "127.0.0.1");
	nonblocking();
	files();
	peeking();
	waiting();
	failing();
	encrypted();
	datagrams("udp4", AF_INET, "127.0.0.1", AF_INET);
	datagrams("udp6", AF_INET6, "::1", AF_INET6);
	datagrams("udp-mapped", AF_INET6, "::ffff:127.0.0.1", AF_INET);
	datagrams("udp-mapped-b", AF_INET, "127.0.0.1", AF_INET6);
	udp_files();
	error_queue();
	not_ours();
	passed_on();
	full_duplex();
	workers(short_ones);
	talk(&old);
	hang_up(&old);
	hang_up(&old6);
	close(ua);
	close(ub);
	for (i = 0; i < all->nr; i++)
		printf("%s %u %u %llu %llu %s\n", all->c[i].tcp ? "tcp" : "udp", all->c[i].lport,
		       all->c[i].rport, (unsigned long long)all->c[i].rx,
		       (unsigned long long)all->c[i].tx, all->c[i].name);
	return 0;
}
