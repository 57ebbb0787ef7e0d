// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See report_flow.h: the recording is read twice, for its sockets and then for its packets.
 */
#include "cli/report_flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include "cli/flows_cmd.h"

/*
 * Around the time in which the socket had its addresses: the handshake of one that is accepted comes before it, what its
 * last packets become comes behind it.
 */
#define AROUND_NS NSEC_PER_SEC

struct search {
	u64 number;
	bool found;
	struct flow flow;
};

static int look_at_rows(void *ctx, struct flowsink *sink, const struct flow_row *row, size_t nr,
			u64 end_ns, u64 interval_ns)
{
	struct search *search = ctx;
	size_t i;

	(void)sink;
	(void)end_ns;
	(void)interval_ns;
	for (i = 0; i < nr && !search->found; i++) {
		if (!row[i].flow || row[i].flow->number != search->number)
			continue;
		search->flow = *row[i].flow;
		search->found = true;
	}
	return 0;
}

/* "src host 10.0.0.1 and src port 80", as far as known. @way: "src" or "dst" */
static void put_end(struct strbuf *sb, const char *way, const u8 *addr, u16 port)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (!sock_addr_is_any(addr)) {
		if (sock_addr_is_mapped(addr))
			inet_ntop(AF_INET, addr + 12, text, sizeof(text));
		else
			inet_ntop(AF_INET6, addr, text, sizeof(text));
		strbuf_printf(sb, " and %s host %s", way, text);
	}
	if (port)
		strbuf_printf(sb, " and %s port %u", way, port);
}

static void put_filter(struct strbuf *sb, const struct sock_addrs *a, const char *also)
{
	const char *proto = a->proto == IPPROTO_UDP || a->proto == IPPROTO_UDPLITE ? "udp" : "tcp";

	if (also)
		strbuf_printf(sb, "(%s) and ", also);
	strbuf_printf(sb, "((%s", proto);
	put_end(sb, "src", a->local, a->lport);
	put_end(sb, "dst", a->remote, a->rport);
	strbuf_printf(sb, ") or (%s", proto);
	put_end(sb, "dst", a->local, a->lport);
	put_end(sb, "src", a->remote, a->rport);
	strbuf_puts(sb, "))");
}

int report_flow(const char *path, u64 number, struct select_options *select, struct strbuf *filter,
		struct error *err)
{
	struct search search = { .number = number };
	struct flowsink_options options = { .by = FLOWS_BY_SOCKET,
					    .all = true,
					    .quiet = true,
					    .show = look_at_rows,
					    .ctx = &search };
	const struct flow *f = &search.flow;
	int ret = flows_file_run(path, &options, err);

	if (ret)
		return ret;
	if (!search.found)
		return error_set(err, ENOENT,
				 "%s: there is no socket %llu in it; 'skbtrail flows --all --json' "
				 "shows their numbers",
				 path, (unsigned long long)number);
	if (!f->addrs.lport)
		return error_set(err, EINVAL, "%s: addresses of socket %llu are not known", path,
				 (unsigned long long)number);
	put_filter(filter, &f->addrs, select->filter);
	if (filter->failed)
		return error_errno(err, ENOMEM, "%s", path);
	select->filter = strbuf_cstr(filter);
	if (f->flags & FLOW_BIRTH_SEEN && f->first_ns > AROUND_NS)
		select->from_ns = f->first_ns - AROUND_NS;
	if (f->flags & FLOW_OVER)
		select->to_ns = f->closed_ns + AROUND_NS;
	return 0;
}
