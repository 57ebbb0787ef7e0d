/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of the user's filter the kernel is given: from the words of pcap-filter(7) and what this machine does to
 * packets to a push_filter, and telling the user about it.
 */
#ifndef SKBTRAIL_CLI_PUSHDOWN_H
#define SKBTRAIL_CLI_PUSHDOWN_H

#include "capture/filter.h"
#include "capture/session.h"
#include "cli/select.h"
#include "kernel/kallsyms.h"

struct pushdown {
	bool wanted; /* set by the caller, as the next */
	const struct select_options *select;
	struct push_filter *filter; /* NULL: nothing is pushed */
	bool nat, tunnels;	    /* what was found on this machine */
	char why_not[160]; /* in words; "" when something is pushed or nothing was asked for */
};

/* Functions that pushdown_prepare() asks kallsyms for. */
extern const char *const pushdown_symbols[];
extern const size_t nr_pushdown_symbols;

/**
 * pushdown_prepare - make ->filter, or say why there is none; once, what an earlier call made stays
 * @symbols: with pushdown_symbols; NULL: there are no probes to filter
 *
 * NAT is assumed where a table or a chain for it is in any netns, tunnels where a device of an unknown kind is up in any
 * netns.
 *
 * Return: 0, or -errno.
 */
int pushdown_prepare(struct pushdown *down, const struct kallsyms *symbols,
		     const struct layout *layout, struct error *err);
void pushdown_free(struct pushdown *down);

/** pushdown_tell - on stderr, what the kernel filters and what not; @session NULL: not yet open */
void pushdown_tell(const struct pushdown *down, const struct probes *probes,
		   const struct session *session);

#endif
