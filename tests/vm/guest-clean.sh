# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: what is left in tracefs when skbtrail ends in all possible ways, and what "clean" does.
#
# SKBTRAIL_VM_SEED repeats the delays of another run; the seed is in the log of each.

set -euo pipefail
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
rounds=20
pid=

trace_start()
{
	"$skbtrail" trace > /dev/null 2> /tmp/stderr < /dev/null &
	pid=$!
}

trace_is_up()
{
	[ -d "$tracefs/instances/skbtrail-$pid" ]
}

# trace_end SIGNAL: true when skbtrail was still running, and is gone within 10 seconds.
trace_end()
{
	local i

	kill "-$1" $pid 2> /dev/null || return 1
	for ((i = 0; i < 200; i++)); do
		[ "$(awk '/^State/ { print $2 }' /proc/$pid/status 2> /dev/null || echo Z)" != Z ] || break
		sleep 0.05
	done
	[ $i -lt 200 ] || kill -KILL $pid
	{ wait $pid || true; } 2> /dev/null
	[ $i -lt 200 ]
}

clean()
{
	timeout -k 5 30 "$skbtrail" clean "$@" > /tmp/clean 2>&1 < /dev/null || {
		echo "clean $*: status $?"
		cat /tmp/clean
		return 1
	}
}

# brief_same WHERE: the short form of the comparison, quick enough for every round.
brief_same()
{
	tracefs_brief > /tmp/brief-after
	diff /tmp/brief-before /tmp/brief-after && return
	echo "above: tracefs after $1"
	return 1
}

tracefs_warm_up
network_up
in_host ping -q -i 0.02 10.0.2.2 > /dev/null 2>&1 &
pinger=$!
tracefs_picture /tmp/before
tracefs_brief > /tmp/brief-before

# ---- killed at random moments, then cleaned
seed=$(cat /in/seed 2> /dev/null || echo $((SRANDOM % 32768)))
echo "seed $seed (SKBTRAIL_VM_SEED)"
RANDOM=$seed
seen=0
delays=
problems=
for ((round = 1; round <= rounds; round++)); do
	printf -v delay '%04d' $((RANDOM % 1500))
	delay=${delay:0:1}.${delay:1}
	delays+=" $delay"
	trace_start
	sleep "$delay"
	trace_is_up && seen=$((seen + 1))
	trace_end KILL || {
		problems+=" round $round: trace had ended by itself: $(tail -n 1 /tmp/stderr);"
	}
	clean || problems+=" round $round: clean failed;"
	brief_same "round $round" || problems+=" round $round: something left;"
	if [ $((round % 10)) = 0 ]; then
		tracefs_picture /tmp/after
		tracefs_same /tmp/before /tmp/after || problems+=" round $round: tracefs differs;"
	fi
done
echo "$seen of $rounds were killed while tracing; delays$delays"
verdict clean_after_sigkill_leaves_tracefs_as_before "seed $seed:$problems" [ -z "$problems" ]
verdict sigkill_met_a_running_trace "no instance seen in $rounds rounds" [ $seen -gt 0 ]

# ---- ended in the ways that it can notice
for signal in INT TERM HUP; do
	trace_start
	if ! wait_until 15 trace_is_up; then
		fail "sig${signal}_leaves_nothing" "no instance skbtrail-$pid: $(tail -n 1 /tmp/stderr)"
		trace_end KILL || true
	elif ! trace_end $signal; then
		fail "sig${signal}_leaves_nothing" "did not end within 10 seconds"
	else
		verdict "sig${signal}_leaves_nothing" "something left, see the log" brief_same "SIG$signal"
	fi
	clean || true
done
# SIGPIPE or EPIPE, whichever it takes
timeout -k 5 30 "$skbtrail" trace 2> /dev/null < /dev/null | head -n 1 > /dev/null || true
verdict broken_stdout_leaves_nothing "something left, see the log" brief_same "a broken stdout"
clean || true

# ---- what is left is listed, and told of at the next start
trace_start
if wait_until 15 trace_is_up; then
	left=skbtrail-$pid
	trace_end KILL || true
	clean --dry-run || true
	verdict clean_dry_run_lists_what_is_left "no $left in: $(cat /tmp/clean)" grep -q "$left" /tmp/clean
	verdict clean_dry_run_removes_nothing "$left is gone" [ -d "$tracefs/instances/$left" ]
	timeout -k 5 30 "$skbtrail" trace -d 0.2 > /dev/null 2> /tmp/stderr < /dev/null || true
	verdict start_tells_of_what_is_left "no $left in: $(cat /tmp/stderr)" grep -q "$left" /tmp/stderr
else
	fail clean_dry_run_lists_what_is_left "no instance skbtrail-$pid: $(tail -n 1 /tmp/stderr)"
	trace_end KILL || true
fi
clean || true

instances()
{
	find "$tracefs/instances" -mindepth 1 -maxdepth 1 -exec basename {} \; | sort | tr '\n' ' '
}

# ---- what belongs to others, or is in use, stays
for other in other skbtrail-notours; do
	mkdir "$tracefs/instances/$other"
done
echo 1 > "$tracefs/instances/other/events/net/enable"
probes=no
if [ -w "$tracefs/kprobe_events" ] && echo 'p:other/keep vfs_read' >> "$tracefs/kprobe_events"; then
	probes=yes
fi
trace_start
if wait_until 15 trace_is_up; then
	clean || true
	verdict clean_keeps_what_a_live_skbtrail_uses "instance skbtrail-$pid is gone" trace_is_up
	verdict live_skbtrail_survives_clean "pid $pid is gone" kill -0 $pid
	trace_end TERM || true
else
	fail clean_keeps_what_a_live_skbtrail_uses "no instance skbtrail-$pid: $(tail -n 1 /tmp/stderr)"
	trace_end KILL || true
fi
clean || true
verdict clean_keeps_instances_of_others "left: $(instances)" \
	[ "$(instances)" = 'other skbtrail-notours ' ]
verdict clean_keeps_settings_of_others "other's events were switched off" \
	grep -qx 1 "$tracefs/instances/other/events/net/enable"
if [ $probes = yes ]; then
	verdict clean_keeps_probes_of_others "$(< "$tracefs/kprobe_events")" \
		[ "$(< "$tracefs/kprobe_events")" = 'p:other/keep vfs_read' ]
	echo '-:other/keep' >> "$tracefs/kprobe_events"
else
	skip clean_keeps_probes_of_others "this kernel has no kprobe events"
fi
rmdir "$tracefs/instances/other" "$tracefs/instances/skbtrail-notours"

tracefs_picture /tmp/after
verdict tracefs_is_as_before_in_the_end "tracefs differs, see the log" tracefs_same /tmp/before /tmp/after
kill -- -$pinger # the function runs in a subshell: the whole job has to go
wait $pinger 2> /dev/null || true
network_down
