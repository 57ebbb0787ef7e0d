/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain of calls as text: what a person wants to see of it, or all.
 */
#ifndef SKBTRAIL_RENDER_CHAIN_H
#define SKBTRAIL_RENDER_CHAIN_H

#include "analysis/chains.h"
#include "render/render.h"

/**
 * render_chain_text - append "connect → inet_stream_connect → tcp_v4_connect → tcp_connect → …"
 * @whole: every function under its own name; else the system call as users know it, without what only wraps
 *         another function, and no more than a few
 *
 * It begins with the system call if there is one. Return: whether functions were left out behind the last.
 */
bool render_chain_text(struct strbuf *sb, const struct chain *chain,
		       const struct render_names *names, bool whole, bool utf8);

/**
 * render_chain_begin - the index of the system call in a chain
 *
 * Return: 0 when there is none; of a stack trace without one all is left out: what a thread of the kernel does is
 * asked by nobody's call.
 */
u32 render_chain_begin(const struct chain *chain, const struct render_names *names);
/** render_chain_end - the index behind the last function that is not the tracer's */
u32 render_chain_end(const struct chain *chain, const struct render_names *names);

/** render_function - the name of a function in a chain, in @buf of @size bytes; "0x..." without one */
const char *render_function(const struct chain *chain, u32 i, const struct render_names *names,
			    char *buf, size_t size);

#endif
