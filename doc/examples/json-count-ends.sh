# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# How many packets were delivered, dropped, ...: any program that reads JSON will do.
skbtrail report --json trace.dat | python3 -c '
import collections, json, sys
lines = [json.loads(line) for line in sys.stdin]
ends = collections.Counter(line["end"]["state"] for line in lines if "end" in line)
print(dict(ends))
sys.exit(not ends)'
