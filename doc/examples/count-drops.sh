# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What was dropped in a recording: by reason, place and flow, the most frequent first.
set -o pipefail
skbtrail drops -r trace.dat | grep NO_SOCKET
