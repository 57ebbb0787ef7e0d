/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One function, one place, one object -> definitions of a probe in the words of several tools.
 *
 * In:  a function, where its object is (argument or return value), what to read, places of members.
 * Out: lines for kprobe_events, trace-cmd, perf probe and bpftrace.
 *
 * Offsets are this kernel's (struct layout); what is not known is left out, and nothing is made of nothing.
 * The family is always fetched: of an IPv6 socket the four bytes of an IPv4 address say nothing. Ports
 * of the other side are two bytes, as the kernel keeps them in network order and has no type for that.
 */
#ifndef SKBTRAIL_CAPTURE_PROBEDEF_H
#define SKBTRAIL_CAPTURE_PROBEDEF_H

#include "base/strbuf.h"
#include "kernel/prototypes.h"
#include "kernel/structs.h"

enum probe_at {
	AT_ENTRY,
	AT_RETURN, /* what the argument points to when the function returns */
	AT_RETVAL, /* what is returned */
	AT_COUNT
};

/* What is fetched. */
enum {
	FETCH_LOCAL = 1 << 0,  /* address and port of the socket */
	FETCH_REMOTE = 1 << 1, /* and those of the other side */
	FETCH_BYTES = 1 << 2,  /* the argument or return value as a number */
};

struct probedef {
	const char *function;
	const char *event; /* name of the event, without the group; NULL: made of the function */
	u8 at;		   /* enum probe_at */
	u8 object;	   /* enum object */
	u8 arg;		   /* from 1; AT_RETVAL: 0 */
	u8 fetch;	   /* FETCH_* */
};

/** probedef_possible - whether this kernel's layout has what the definition reads */
bool probedef_possible(const struct probedef *d, const struct layout *l);

/** probedef_kprobe - append "p:GROUP/EVENT FUNCTION family=+16($arg1):u16 ...", without a newline */
void probedef_kprobe(struct strbuf *out, const struct probedef *d, const struct layout *l,
		     const char *group);

/** probedef_event - append the event's name: the function, with _ret behind it for a return */
void probedef_event(struct strbuf *out, const struct probedef *d);

/** probedef_trace_cmd - append "trace-cmd record -e GROUP:EVENT", for after the definition */
void probedef_trace_cmd(struct strbuf *out, const struct probedef *d, const char *group);

/**
 * probedef_perf - append "perf probe -a '...'"
 * @machine: as uname -m says it, for the registers that hold arguments
 *
 * Return: false when it cannot be said in perf's words (arguments at return, other machines).
 */
bool probedef_perf(struct strbuf *out, const struct probedef *d, const struct layout *l,
		   const char *group, const char *machine);

/** probedef_bpftrace - append "bpftrace -e '...'"; Return: false when it cannot be said so */
bool probedef_bpftrace(struct strbuf *out, const struct probedef *d);

/** probe_at_name - "entry", "return", "return value" */
const char *probe_at_name(u8 at);

#endif
