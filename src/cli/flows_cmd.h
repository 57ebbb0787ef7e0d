/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * skbtrail flows: what is asked for, and the two places that records come from.
 */
#ifndef SKBTRAIL_CLI_FLOWS_CMD_H
#define SKBTRAIL_CLI_FLOWS_CMD_H

#include "cli/capture.h"
#include "cli/flowsink.h"

struct flows_command {
	struct capture_options capture; /* first: a capture session is handed a pointer to it */
	struct flowsink_options sink;
	const char *file; /* NULL: live */
	bool no_aggregate;
	bool batch; /* lines on a terminal, too */
};

/** flows_live - show the flows of this machine. Return: CLI_OK or CLI_FAILURE */
int flows_live(struct flows_command *cmd, struct error *err);

/** flows_file - show those of a recording. Return: CLI_OK or CLI_FAILURE */
int flows_file(struct flows_command *cmd, struct error *err);

/**
 * flows_file_run - run a recording's records through a sink
 * @options: as they are; ->show may take the rows
 *
 * Return: 0, or -errno; -EPIPE when the reader of standard output has gone.
 */
int flows_file_run(const char *path, const struct flowsink_options *options, struct error *err);

#endif
