/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of "skbtrail check" about probe events and structures.
 */
#ifndef SKBTRAIL_CLI_CHECK_PROBES_H
#define SKBTRAIL_CLI_CHECK_PROBES_H

#include "base/strbuf.h"
#include "capture/flowprobes.h"
#include "capture/probes.h"
#include "kernel/structs.h"

/** check_print_probes - for people, on standard output */
void check_print_probes(const struct layout *layout, const struct probes *probes);

/** check_print_tap - whether packet sockets can tell headers, where nothing else does */
void check_print_tap(const struct layout *layout, const struct probes *probes);

/** check_print_flows - where 'skbtrail flows' has bytes from */
void check_print_flows(const struct flowprobes *flows);

/**
 * check_add_json - add "structs", "probes", "tap" and "flows" to the JSON object in @doc
 *
 * Return: 0 or -ENOMEM.
 */
int check_add_json(struct strbuf *doc, const struct layout *layout, const struct probes *probes,
		   const struct flowprobes *flows);

#endif
