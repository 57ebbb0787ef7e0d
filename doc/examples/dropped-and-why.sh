# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Only what was dropped: the packet's number, the kernel's reason and the function.
set -o pipefail
skbtrail report --json trace.dat | python3 -c '
import json, sys
packets = [line for line in map(json.loads, sys.stdin) if "packet" in line]
dropped = [packet for packet in packets if packet["end"]["state"] == "dropped"]
for packet in dropped:
    print(packet["packet"], packet["end"].get("reason"), packet["end"].get("location"))
sys.exit(len(dropped) != 2)'
