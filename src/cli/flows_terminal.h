/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen of "skbtrail flows" on a terminal: keys in, lines of render/flows_screen.h out.
 *
 * Whatever ends the program but a fatal signal leaves the terminal as it was found. While the screen is there, what is
 * written to a standard error that is a terminal waits: its last line is shown at the bottom, all of it afterwards.
 */
#ifndef SKBTRAIL_CLI_FLOWS_TERMINAL_H
#define SKBTRAIL_CLI_FLOWS_TERMINAL_H

#include "base/error.h"
#include "render/flows_screen.h"

struct flows_terminal;

/**
 * flows_terminal_open - take the terminal, if there is one on standard input and output that can be drawn on
 * @out: set to NULL when there is none: then lines are to be printed
 * @refresh_ns: how long intervals are
 * @quiet: no remark on why there is none
 *
 * Return: 0, or -errno with @err filled in.
 */
int flows_terminal_open(struct flows_terminal **out, enum flows_by by, u64 refresh_ns, bool quiet,
			struct error *err);

/** flows_terminal_close - give it back, and print what waited. NULL is allowed */
void flows_terminal_close(struct flows_terminal *t);

/**
 * flows_terminal_rows - show an interval's rows, as flows_screen_rows()
 * @lost: records, since the start
 */
int flows_terminal_rows(struct flows_terminal *t, const struct flow_row *row, size_t nr, u64 now_ns,
			u64 interval_ns, u64 lost);

/**
 * flows_terminal_keys - take what was typed, and draw
 * @by: what to sum by, changed with SCREEN_REGROUP
 *
 * Never waits. Return: enum screen_action, SCREEN_REGROUP or SCREEN_QUIT before others; or -errno.
 */
int flows_terminal_keys(struct flows_terminal *t, enum flows_by *by);

#endif
