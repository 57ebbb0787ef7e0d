# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What a capture would write to tracefs, as shell lines; nothing is changed.
# needs: root
set -o pipefail
skbtrail record --dry-run -e tcp:tcp_retransmit_skb | grep mkdir
