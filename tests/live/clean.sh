#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What "clean" promises, on this machine's own kernel: tests/live/clean.sh BINARY [ROUNDS]
# A tracing skbtrail is killed at random moments; after "clean" tracefs is compared file by file.
# Exit status 77 with a reason when that kernel cannot be used. SEED=N repeats the moments of a run.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
skbtrail=$(realpath "${1:?Usage: tests/live/clean.sh BINARY [ROUNDS]}")
rounds=${2:-20}
tracing=/sys/kernel/tracing
# Command that keeps a capture open until it is killed; for a stand-in binary in development.
read -ra capture <<< "${CAPTURE:-trace}"
passed=0 failed=0

if ! why=$("$here/usable"); then
	echo "SKIP: $why"
	exit 77
fi
work=$(mktemp -d)
mine=()
# shellcheck disable=SC2317 # it is called: by the trap
leave()
{
	[[ -z ${living:-} ]] || kill -KILL "$living" 2> /dev/null
	for name in "${mine[@]}"; do
		rmdir "$tracing/instances/$name" 2> /dev/null
	done
	"$skbtrail" clean > /dev/null 2>&1
	rm -rf "$work"
}
trap leave EXIT
# The moments are random, but a run can be repeated.
SEED=${SEED:-$((SRANDOM % 32768))}
RANDOM=$SEED
echo "# SEED=$SEED"

result()
{
	local code=$1 name=$2
	shift 2
	if [[ $code -eq 0 ]]; then
		echo "ok - $name"
		passed=$((passed + 1))
	else
		echo "not ok - $name"
		printf '%s\n' "$*" | head -n 30 | sed 's/^/# /'
		failed=$((failed + 1))
	fi
}

# Names, modes and owners of all files of the top level and its events, and the text of those that
# hold settings. Buffers, statistics and logs change by themselves.
picture()
{
	(
		cd "$tracing" || exit
		ls instances
		find . -path ./instances -prune -o -path ./per_cpu -prune -o -printf '%M %u:%g %p\n' | sort
		find . -maxdepth 1 -type f \( -name tracing_on -o -name current_tracer -o -name trace_clock \
			-o -name 'buffer_*' -o -name 'set_*' -o -name '*_events' -o -name tracing_cpumask \
			-o -name trace_options \) ! -name available_events -exec grep -sH '' {} + | sort
		find events \( -name enable -o -name filter -o -name trigger \) -exec grep -sH '' {} + | sort
	) > "$1"
}

start()
{
	"$skbtrail" "${capture[@]}" > /dev/null 2> "$work/stderr" < /dev/null &
	living=$!
}

start_and_wait()
{
	local i
	start
	for ((i = 0; i < 100; i++)); do
		grep -qs 1 "$tracing/instances/skbtrail-$living/events/net/net_dev_queue/enable" && return
		sleep 0.05
	done
	return 1
}

end()
{
	kill -s "$1" "$living" 2> /dev/null
	wait "$living" 2> /dev/null
	dead=$living
	living=
}

picture "$work/before"

# ---- killed at random moments
problems='' left=0
for ((round = 0; round < rounds; round++)); do
	start
	sleep "0.$(printf '%03d' $((RANDOM % 400)))"
	end KILL
	[[ ! -e $tracing/instances/skbtrail-$dead ]] || left=$((left + 1))
	"$skbtrail" clean > "$work/clean" 2>&1 || problems+="round $round: $(cat "$work/clean")"$'\n'
	[[ ! -e $tracing/instances/skbtrail-$dead ]] || problems+="round $round: still there"$'\n'
done
picture "$work/after"
problems+=$(diff "$work/before" "$work/after")
[[ -z $problems ]]
result $? clean_after_sigkill_leaves_tracefs_as_before "$problems"
[[ $left -gt 0 ]]
result $? sigkill_met_open_captures "none of $rounds kills left an instance"

# ---- listed before it is removed
start_and_wait
end KILL
said=$("$skbtrail" clean --dry-run)
[[ $said == *"would remove instance skbtrail-$dead"* && -d $tracing/instances/skbtrail-$dead ]]
result $? dry_run_lists_and_removes_nothing "$said"
said=$("$skbtrail" clean)
[[ $said == *"removed instance skbtrail-$dead"* && ! -d $tracing/instances/skbtrail-$dead ]]
result $? what_is_removed_is_told "$said"

# ---- the living, and what belongs to others
mine=(skbtrail-notours other-4711)
mkdir "${mine[@]/#/$tracing/instances/}"
echo 1 > "$tracing/instances/other-4711/events/net/net_dev_queue/enable"
start_and_wait
"$skbtrail" clean > "$work/clean" 2>&1
[[ -d $tracing/instances/skbtrail-$living ]] && kill -0 "$living"
result $? a_live_capture_is_left_alone "$(cat "$work/clean" "$work/stderr")"
end TERM
"$skbtrail" clean > "$work/clean" 2>&1
[[ -d $tracing/instances/skbtrail-notours &&
	$(cat "$tracing/instances/other-4711/events/net/net_dev_queue/enable") == 1 ]]
result $? instances_of_others_are_left_alone "$(ls "$tracing/instances")"
rmdir "${mine[@]/#/$tracing/instances/}"
mine=()

# ---- an instance that somebody still reads cannot go yet, and that is told
start_and_wait
end KILL
exec 9< "$tracing/instances/skbtrail-$dead/trace_pipe"
said=$("$skbtrail" clean 2>&1)
code=$?
exec 9<&-
[[ $code -eq 1 && $said == *EBUSY* ]]
result $? what_cannot_be_removed_is_told_with_its_reason "exit status $code: $said"
"$skbtrail" clean > "$work/clean" 2>&1
result $? and_goes_when_it_is_free "$(cat "$work/clean")"

# ---- probe events: uprobes work on kernels without kprobes, too
dead=4194999
events=$tracing/dynamic_events
[[ -e $events ]] || events=$tracing/uprobe_events
if echo "p:skbtrail_$dead/left /bin/sh:0x1000" >> "$events" 2> /dev/null &&
	echo "p:skbtrail_notours/keep /bin/sh:0x1000" >> "$events"; then
	mkdir "$tracing/instances/skbtrail-$dead"
	echo 1 > "$tracing/instances/skbtrail-$dead/events/skbtrail_$dead/left/enable"
	said=$("$skbtrail" clean 2>&1)
	[[ $said == *"probe event skbtrail_$dead/left"* ]] && ! grep -q "skbtrail_$dead" "$events"
	result $? probe_events_of_the_dead_are_removed "$said"
	grep -q skbtrail_notours/keep "$events"
	result $? probe_events_of_others_are_left_alone "$(cat "$events")"
	echo "-:skbtrail_notours/keep" >> "$events"
else
	echo "# this kernel takes no uprobe events"
fi

picture "$work/after"
problems=$(diff "$work/before" "$work/after")
result $? tracefs_is_as_before_in_the_end "$problems"
echo "$passed passed, $failed failed, 0 skipped"
[[ $failed -eq 0 ]]
