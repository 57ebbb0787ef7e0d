// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Definitions of probes in the words of several tools: see probedef.h.
 */
#include "capture/probedef.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define REGISTERS 6
#define EVENT_NAME 48 /* the kernel takes 64 */

const char *probe_at_name(u8 at)
{
	static const char *const names[AT_COUNT] = {
		[AT_ENTRY] = "entry",
		[AT_RETURN] = "return",
		[AT_RETVAL] = "return value",
	};

	return at < AT_COUNT ? names[at] : "?";
}

/* Members that lead from an object to its struct sock, outermost last. */
static int steps_to_sock(u8 object, enum member steps[2])
{
	switch (object) {
	case OBJECT_SOCK:
		return 0;
	case OBJECT_SOCKET:
		steps[0] = SOCKET_SK;
		return 1;
	case OBJECT_SKB:
		steps[0] = SKB_SK;
		return 1;
	case OBJECT_FILE:
		steps[0] = FILE_PRIVATE;
		steps[1] = SOCKET_SK;
		return 2;
	default:
		return -1;
	}
}

bool probedef_possible(const struct probedef *d, const struct layout *l)
{
	enum member steps[2];
	int nr, i;

	if (d->fetch & FETCH_BYTES)
		return true;
	nr = steps_to_sock(d->object, steps);
	for (i = 0; i < nr; i++)
		if (!layout_has(l, steps[i]))
			return false;
	return nr >= 0 && layout_has(l, SOCK_FAMILY) &&
	       (!(d->fetch & FETCH_LOCAL) ||
		(layout_has(l, SOCK_NUM) && layout_has(l, SOCK_RCV_SADDR))) &&
	       (!(d->fetch & FETCH_REMOTE) ||
		(layout_has(l, SOCK_DPORT) && layout_has(l, SOCK_DADDR)));
}

/* "+24($arg1)": the pointer to the struct sock. @value: "$arg1", "%di" */
static void put_sock(struct strbuf *out, const struct probedef *d, const struct layout *l,
		     const char *value)
{
	enum member steps[2];
	int nr = steps_to_sock(d->object, steps), i;

	for (i = nr - 1; i >= 0; i--)
		strbuf_printf(out, "+%u(", l->at[steps[i]].offset);
	strbuf_puts(out, value);
	for (i = 0; i < nr; i++)
		strbuf_putc(out, ')');
}

static void put_field(struct strbuf *out, const struct probedef *d, const struct layout *l,
		      const char *value, const char *name, enum member m, u32 into,
		      const char *type)
{
	if (!layout_has(l, m))
		return;
	strbuf_printf(out, " %s=+%u(", name, l->at[m].offset + into);
	put_sock(out, d, l, value);
	strbuf_printf(out, "):%s", type);
}

/* An address; @words: of tools that have no arrays, as numbers. */
static void put_address(struct strbuf *out, const struct probedef *d, const struct layout *l,
			const char *value, bool local, bool words)
{
	enum member four = local ? SOCK_RCV_SADDR : SOCK_DADDR;
	enum member six = local ? SOCK_V6_RCV_SADDR : SOCK_V6_DADDR;

	put_field(out, d, l, value, local ? "laddr" : "raddr", four, 0, words ? "x32" : "u8[4]");
	put_field(out, d, l, value, local ? "laddr6" : "raddr6", six, 0, words ? "x64" : "x8[16]");
	if (words)
		put_field(out, d, l, value, local ? "laddr6b" : "raddr6b", six, 8, "x64");
}

static void put_fields(struct strbuf *out, const struct probedef *d, const struct layout *l,
		       const char *value, bool words)
{
	if (d->fetch & FETCH_BYTES) {
		/* of a return value that is an int the upper half says nothing */
		strbuf_printf(out, " bytes=%s:%s", value, d->at == AT_RETVAL ? "s32" : "s64");
		return;
	}
	put_field(out, d, l, value, "family", SOCK_FAMILY, 0, "u16");
	if (d->fetch & FETCH_LOCAL) {
		put_field(out, d, l, value, "lport", SOCK_NUM, 0, "u16");
		put_address(out, d, l, value, true, words);
	}
	if (d->fetch & FETCH_REMOTE) {
		put_field(out, d, l, value, "rport1", SOCK_DPORT, 0, "u8");
		put_field(out, d, l, value, "rport2", SOCK_DPORT, 1, "u8");
		put_address(out, d, l, value, false, words);
	}
}

void probedef_event(struct strbuf *out, const struct probedef *d)
{
	const char *at;
	int left = EVENT_NAME;

	if (d->event) {
		strbuf_puts(out, d->event);
		return;
	}
	for (at = d->function; *at && left--; at++)
		strbuf_putc(out, isalnum((unsigned char)*at) ? *at : '_');
	if (d->at != AT_ENTRY)
		strbuf_puts(out, d->at == AT_RETURN ? "_ret" : "_val");
}

static void put_value(char *value, size_t size, const struct probedef *d)
{
	if (d->at == AT_RETVAL)
		snprintf(value, size, "$retval");
	else
		snprintf(value, size, "$arg%u", d->arg);
}

void probedef_kprobe(struct strbuf *out, const struct probedef *d, const struct layout *l,
		     const char *group)
{
	char value[16];

	put_value(value, sizeof(value), d);
	strbuf_printf(out, "%c:%s/", d->at == AT_ENTRY ? 'p' : 'r', group);
	probedef_event(out, d);
	strbuf_printf(out, " %s", d->function);
	put_fields(out, d, l, value, false);
}

void probedef_trace_cmd(struct strbuf *out, const struct probedef *d, const char *group)
{
	strbuf_printf(out, "trace-cmd record -e %s:", group);
	probedef_event(out, d);
}

/* The register that holds an argument, as perf calls it; NULL: not known for this machine. */
static const char *argument_register(const char *machine, u8 arg)
{
	static const char *const x86[REGISTERS] = { "%di", "%si", "%dx", "%cx", "%r8", "%r9" };
	static const char *const arm64[REGISTERS] = { "%x0", "%x1", "%x2", "%x3", "%x4", "%x5" };
	static const char *const riscv[REGISTERS] = { "%a0", "%a1", "%a2", "%a3", "%a4", "%a5" };

	if (!arg || arg > REGISTERS)
		return NULL;
	if (!strcmp(machine, "x86_64"))
		return x86[arg - 1];
	if (!strcmp(machine, "aarch64"))
		return arm64[arg - 1];
	return strcmp(machine, "riscv64") ? NULL : riscv[arg - 1];
}

bool probedef_perf(struct strbuf *out, const struct probedef *d, const struct layout *l,
		   const char *group, const char *machine)
{
	const char *value = "$retval";

	if (d->at == AT_RETURN)
		return false;
	if (d->at == AT_ENTRY)
		value = argument_register(machine, d->arg);
	if (!value)
		return false;
	strbuf_printf(out, "perf probe -a '%s:", group);
	probedef_event(out, d);
	strbuf_printf(out, "=%s%s", d->function, d->at == AT_ENTRY ? "" : "%return");
	put_fields(out, d, l, value, true);
	strbuf_putc(out, '\'');
	return true;
}

/* How a struct sock * is got from the object, in C. */
static const char *bpftrace_sock(u8 object)
{
	switch (object) {
	case OBJECT_SOCK:
		return "(struct sock *)%s";
	case OBJECT_SOCKET:
		return "((struct socket *)%s)->sk";
	case OBJECT_SKB:
		return "((struct sk_buff *)%s)->sk";
	case OBJECT_FILE:
		return "((struct socket *)((struct file *)%s)->private_data)->sk";
	default:
		return NULL;
	}
}

static void put_bpftrace_end(struct strbuf *out, const char *side, const char *port)
{
	const char *six = *side == 'l' ? "skc_v6_rcv_saddr" : "skc_v6_daddr";
	const char *four = *side == 'l' ? "skc_rcv_saddr" : "skc_daddr";

	strbuf_printf(out,
		      " if ($s->__sk_common.skc_family == 10) { printf(\" %s %%s %%d\", "
		      "ntop(10, $s->__sk_common.%s.in6_u.u6_addr8), %s); } else "
		      "{ printf(\" %s %%s %%d\", ntop(2, $s->__sk_common.%s), %s); }",
		      side, six, port, side, four, port);
}

static void put_bpftrace_body(struct strbuf *out, const struct probedef *d, const char *value)
{
	const char *sock = bpftrace_sock(d->object);

	if (d->fetch & FETCH_BYTES) {
		strbuf_printf(out, " printf(\"%%s %%d bytes\\n\", comm, %s);", value);
		return;
	}
	strbuf_puts(out, " $s = ");
	/* the format is one of ours, with one %s */
	for (; *sock; sock++) {
		if (sock[0] == '%' && sock[1] == 's') {
			strbuf_puts(out, value);
			sock++;
		} else {
			strbuf_putc(out, *sock);
		}
	}
	strbuf_puts(out, "; printf(\"%s\", comm);");
	if (d->fetch & FETCH_LOCAL)
		put_bpftrace_end(out, "local", "$s->__sk_common.skc_num");
	if (d->fetch & FETCH_REMOTE)
		put_bpftrace_end(out, "remote", "bswap($s->__sk_common.skc_dport)");
	strbuf_puts(out, " printf(\"\\n\");");
}

bool probedef_bpftrace(struct strbuf *out, const struct probedef *d)
{
	char value[24];

	if (!(d->fetch & FETCH_BYTES) && !bpftrace_sock(d->object))
		return false;
	strbuf_puts(out, "bpftrace -e '");
	switch (d->at) {
	case AT_ENTRY:
		snprintf(value, sizeof(value), "arg%d", d->arg - 1);
		strbuf_printf(out, "kprobe:%s {", d->function);
		put_bpftrace_body(out, d, value);
		break;
	case AT_RETURN:
		strbuf_printf(out, "kprobe:%s { @o[tid] = arg%d; } kretprobe:%s /@o[tid]/ {",
			      d->function, d->arg - 1, d->function);
		put_bpftrace_body(out, d, "@o[tid]");
		strbuf_puts(out, " delete(@o[tid]);");
		break;
	default:
		strbuf_printf(out, "kretprobe:%s {", d->function);
		put_bpftrace_body(out, d, d->fetch & FETCH_BYTES ? "(int32)retval" : "retval");
		break;
	}
	strbuf_puts(out, " }'");
	return true;
}
