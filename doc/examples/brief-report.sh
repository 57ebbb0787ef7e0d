# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# One line a packet, from a recording; neither root nor the recorded machine is needed.
skbtrail report --brief trace.dat
