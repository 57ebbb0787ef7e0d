/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of one socket of a recording.
 */
#ifndef SKBTRAIL_CLI_REPORT_FLOW_H
#define SKBTRAIL_CLI_REPORT_FLOW_H

#include "cli/select.h"

/**
 * report_flow - choose packets by a socket's protocol, addresses, ports and time
 * @number: as 'skbtrail flows FILE --json' has it
 * @select: what is asked for besides; ->filter, ->from_ns and ->to_ns are set
 * @filter: memory of ->filter
 *
 * Return: 0, -ENOENT when the recording has no such socket, -EINVAL for one whose addresses are not known, or -errno.
 */
int report_flow(const char *path, u64 number, struct select_options *select, struct strbuf *filter,
		struct error *err);

#endif
