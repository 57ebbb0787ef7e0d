/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of the running kernel by name: is it there, under which suffix, may it be probed.
 *
 * In:  /proc/kallsyms, /sys/kernel/debug/kprobes/blacklist (when it can be read).
 * Out: for a bare name the symbol to probe, or why none. What the kernel refuses for another reason
 *      (functions built with notrace) only shows when the probe is written.
 *
 * decode/symbols.h is the other direction: addresses to names.
 */
#ifndef SKBTRAIL_KERNEL_KALLSYMS_H
#define SKBTRAIL_KERNEL_KALLSYMS_H

#include "base/error.h"
#include "base/types.h"

struct kallsyms;

enum kallsyms_verdict {
	KALLSYMS_OK,
	KALLSYMS_ABSENT, /* no such function: another kernel's, inlined, or a module not loaded */
	KALLSYMS_BLACKLISTED, /* the kernel refuses probes there */
	KALLSYMS_AMBIGUOUS,   /* several of that name */
};

/**
 * kallsyms_read - take in the functions whose bare names will be asked for
 * @out: set on success, for kallsyms_free()
 * @root: "" or a directory that stands for /, for tests
 * @names: bare names, @nr of them: only these (and what extends them) are kept, the file is megabytes
 * @err: says why /proc/kallsyms cannot be read; a blacklist that cannot is no error
 *
 * Addresses are not looked at: with kptr_restrict they are 0, and the names still count.
 *
 * Return: 0 or -errno.
 */
int kallsyms_read(struct kallsyms **out, const char *root, const char *const *names, size_t nr,
		  struct error *err);
void kallsyms_free(struct kallsyms *k);

/**
 * kallsyms_function - the symbol to probe for a bare name
 * @name: "__netif_receive_skb_core", one of those given to kallsyms_read()
 * @symbol: with KALLSYMS_OK and KALLSYMS_BLACKLISTED set to "__netif_receive_skb_core.constprop.0",
 *          or @name itself; "" otherwise; @size bytes
 *
 * Accepted endings: .constprop.N, .isra.N, .llvm.N and .part.N, and combinations. The bare name wins;
 * without it a whole function wins over a part of one. A part has not always the function's
 * arguments. .cold and its like are never taken: no call enters there.
 *
 * Several of the name that wins, in the kernel or its modules, are KALLSYMS_AMBIGUOUS: since Linux 6.7
 * a kprobe by such a name is refused, before it takes the first one (trace_kprobe.c,
 * number_of_same_symbols()). A symbol that does not fit into @size is KALLSYMS_ABSENT.
 */
enum kallsyms_verdict kallsyms_function(const struct kallsyms *k, const char *name, char *symbol,
					size_t size);

#endif
