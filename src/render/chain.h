/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain of calls as text: what a person wants to see of it, or all.
 */
#ifndef SKBTRAIL_RENDER_CHAIN_H
#define SKBTRAIL_RENDER_CHAIN_H

#include "analysis/chains.h"
#include "render/render.h"

/* Which functions of a chain are shown: from ->begin to before ->end. */
struct chain_part {
	u32 begin, end;
};

/**
 * render_chain_part - from the system call to the last function that is not the tracer's
 * @chain: NULL: nothing is shown
 *
 * Without a system call all is shown; but nothing of a stack trace: what a thread of the kernel does is asked by
 * nobody's call.
 */
struct chain_part render_chain_part(const struct chain *chain, const struct render_names *names);

/**
 * render_chain_text - append "connect → inet_stream_connect → tcp_v4_connect → tcp_connect → …"
 * @whole: every function under its own name; else the system call as users know it, without what only wraps
 *         another function, and no more than a few
 *
 * Return: whether functions were left out behind the last.
 */
bool render_chain_text(struct strbuf *sb, const struct chain *chain, struct chain_part part,
		       const struct render_names *names, bool whole, bool utf8);

/** render_function - the name of a function in a chain, in @buf of @size bytes; "0x..." without one */
const char *render_function(const struct chain *chain, u32 i, const struct render_names *names,
			    char *buf, size_t size);

#endif
