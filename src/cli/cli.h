/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What main.c and the subcommands share: the command table's row and the exit statuses.
 *
 * A subcommand parses its options, wires the stages of the pipeline and returns an exit status.
 * It never prints its own errors: it fills in the struct error and main() prints that line.
 */
#ifndef SKBTRAIL_CLI_CLI_H
#define SKBTRAIL_CLI_CLI_H

#include "base/error.h"

enum {
	CLI_OK = 0,
	CLI_FAILURE = 1,
	CLI_USAGE = 2,
};

struct command {
	const char *name;
	const char *summary; /* one line for skbtrail --help */
	/* argv[0] is the subcommand's name; returns one of CLI_*; main() prints err->text if set */
	int (*run)(int argc, char **argv, struct error *err);
};

int cmd_calls(int argc, char **argv, struct error *err);
int cmd_check(int argc, char **argv, struct error *err);
int cmd_clean(int argc, char **argv, struct error *err);
int cmd_demo(int argc, char **argv, struct error *err);
int cmd_discover(int argc, char **argv, struct error *err);
int cmd_drops(int argc, char **argv, struct error *err);
int cmd_flows(int argc, char **argv, struct error *err);
int cmd_record(int argc, char **argv, struct error *err);
int cmd_report(int argc, char **argv, struct error *err);
int cmd_structs(int argc, char **argv, struct error *err);
int cmd_trace(int argc, char **argv, struct error *err);

/**
 * cli_usage - an error in how skbtrail was called
 * @err: gets the message plus "; try 'skbtrail <command> --help'"
 *
 * Return: CLI_USAGE, to be returned by the caller.
 */
int cli_usage(struct error *err, const char *command, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
