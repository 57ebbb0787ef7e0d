#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What "check" promises, on this machine's own kernel: tests/live/check.sh BINARY
# Exit status 77 with a reason when that kernel cannot be used.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
skbtrail=$(realpath "${1:?Usage: tests/live/check.sh BINARY}")
tracing=/sys/kernel/tracing
passed=0 failed=0

if ! why=$("$here/usable"); then
	echo "SKIP: $why"
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# verdict NAME COMMAND...: the test is passed when the command succeeds.
verdict()
{
	local name=$1
	shift
	if "$@" > "$work/said" 2>&1; then
		echo "ok - $name"
		passed=$((passed + 1))
	else
		echo "not ok - $name"
		sed 's/^/# /' "$work/said"
		failed=$((failed + 1))
	fi
}

every_line_has_a_mark()
{
	LC_ALL=C.UTF-8 "$skbtrail" check > "$work/utf8" && LC_ALL=C "$skbtrail" check > "$work/ascii" ||
		return 1
	! grep -q '[✓✗]' "$work/ascii" && grep -q '✓' "$work/utf8" &&
		[[ $(grep -cE '^(ok|no) ' "$work/ascii") -eq $(grep -cE '^[✓✗] ' "$work/utf8") ]]
}

every_no_names_a_file_and_a_need()
{
	local bad
	bad=$(grep '^no ' "$work/ascii" | grep -vE '^no .*/[a-z].*: .*; needed: .')
	[[ -z $bad ]] || { echo "$bad"; return 1; }
}

tier_is_told_last()
{
	grep -q '^capture tier: T0' "$work/ascii" && tail -n 2 "$work/ascii" | grep -q 'G  *(function_graph)'
}

colour_only_when_asked_for()
{
	! grep -q $'\e' "$work/utf8" && "$skbtrail" check --color=always > "$work/colour" &&
		grep -q $'\e\[32m' "$work/colour"
}

json_has_the_same_answers()
{
	"$skbtrail" check --json > "$work/json" || return 1
	python3 - "$work/json" "$work/ascii" << 'EOF'
import json, sys
doc = json.load(open(sys.argv[1]))
marks = [line.split()[0] == "ok" for line in open(sys.argv[2]) if line[:3] in ("ok ", "no ")]
caps = doc["capabilities"]
assert [cap["ok"] for cap in caps.values()] == marks
assert all("detail" in cap and (cap["ok"] or "path" in cap) for cap in caps.values())
assert doc["tiers"]["used"] == "T0" and "net_dev_queue" in doc["events"]["net"]
EOF
}

is_quick()
{
	timeout 1 "$skbtrail" check > /dev/null
}

# Interrupted at any moment, it leaves nothing; files of the top level are as before.
top_level()
{
	local file
	for file in tracing_on current_tracer trace_clock buffer_size_kb set_event set_ftrace_filter \
		dynamic_events kprobe_events uprobe_events; do
		[[ ! -e $tracing/$file ]] || sed "s|^|$file: |" "$tracing/$file"
	done 2>&1
}

interrupted_it_leaves_nothing()
{
	local i pid
	top_level > "$work/before"
	for i in {0..19}; do
		"$skbtrail" check > /dev/null 2>&1 &
		pid=$!
		sleep "0.0$((RANDOM % 6))$((i % 10))"
		kill -s "$([[ $((i % 2)) == 0 ]] && echo TERM || echo HUP)" "$pid" 2> /dev/null
		wait "$pid" 2> /dev/null
		[[ ! -e $tracing/instances/skbtrail-$pid ]] || { echo "skbtrail-$pid is left"; return 1; }
	done
	top_level > "$work/after"
	diff "$work/before" "$work/after"
}

verdict every_capability_is_one_line_with_a_mark every_line_has_a_mark
verdict every_no_names_a_file_and_what_is_needed every_no_names_a_file_and_a_need
verdict the_tier_is_told_last tier_is_told_last
verdict colour_is_used_only_when_asked_for colour_only_when_asked_for
verdict json_gives_the_same_answers json_has_the_same_answers
verdict check_takes_less_than_a_second is_quick
verdict check_ended_by_a_signal_leaves_nothing interrupted_it_leaves_nothing
echo "$passed passed, $failed failed, 0 skipped"
[[ $failed -eq 0 ]]
