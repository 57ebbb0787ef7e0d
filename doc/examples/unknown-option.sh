# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A mistake in the command line has an exit status of its own.
# exit: 2
skbtrail report --no-such-option trace.dat
