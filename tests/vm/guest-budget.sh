# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: what a capture costs is told at its end, and --budget keeps to what it is given.
#
# The traffic is a flood of pings; how much it is and what it costs differs from guest to guest, so only what must
# hold of the numbers is asked.

set -euo pipefail
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
flood=

# trace OPTION...: a trace; exit status in $status, what it says in /tmp/stderr
trace()
{
	status=0
	timeout -k 5 120 "$skbtrail" trace --brief "$@" > /tmp/stdout 2> /tmp/stderr < /dev/null || status=$?
}

said()
{
	grep -qE "$1" /tmp/stderr
}

flood_on()
{
	in_host sh -c 'while :; do ping -f -q -c 100000 10.0.2.2; done' > /dev/null 2>&1 &
	flood=$!
	sleep 0.5
}

flood_off()
{
	kill -KILL -- -$flood
	{ wait $flood || true; } 2> /dev/null
}

tracefs_warm_up
network_up
tracefs_picture /tmp/before

# ---- the end of a capture
trace -v -- ip netns exec host ping -q -c 3 -i 0.05 10.0.2.2
verdict verbose_trace_ends_with_rates_and_cost "status $status: $(tail -n 5 /tmp/stderr)" \
	eval "said '^skbtrail: [0-9]+ records, .*: [0-9]+ records/s, .*/s; 0 records lost$' &&
		said '^skbtrail: estimated cost: .*s of CPU time per packet \([0-9.]+ records, [1-9][0-9]* ns each\)' &&
		said '^skbtrail: measured before it began, on UDP packets .* without tracing, .* with it'"
trace --json -- ip netns exec host ping -q -c 3 -i 0.05 10.0.2.2
verdict json_ends_with_rates_and_cost "$(tail -n 1 /tmp/stdout)" eval \
	"tail -n 1 /tmp/stdout | grep -qE '\"lost\":0,\"time_ns\":[1-9].*\"records_per_s\":[1-9].*\"record_ns\":[1-9].*\"packet_ns\":[1-9]'"
timeout -k 5 60 "$skbtrail" record -v -o /tmp/x.dat -- ip netns exec host ping -q -c 3 -i 0.05 10.0.2.2 \
	> /dev/null 2> /tmp/stderr < /dev/null || true
verdict recording_ends_with_rates_and_cost "$(tail -n 5 /tmp/stderr)" \
	eval "said '[0-9]+ records, .* records/s' && said 'estimated cost: [1-9][0-9]* ns of CPU time per record'"
timeout -k 5 60 "$skbtrail" report -v /tmp/x.dat > /dev/null 2> /tmp/stderr < /dev/null || true
verdict report_knows_what_the_recording_cost "$(tail -n 5 /tmp/stderr)" said 'estimated cost: .* of CPU time per packet'

# ---- --budget
trace --budget 50 --hops minimal -d 0.1
verdict idle_machine_gets_what_hops_asks_for "status $status: $(cat /tmp/stderr)" \
	eval "[ $status = 0 ] && said 'hop set chosen: (minimal|tracepoints only), .*; --hops, which allows no more, decided'"
if [ -e $tracefs/kprobe_events ]; then
	verdict budget_tells_its_numbers "$(cat /tmp/stderr)" \
		said 'budget of 50 %: [0-9]+ packets/s on the busiest CPU; estimated shares of its time: minimal .* %.*measured here: [1-9]'
fi
flood_on
if [ -e $tracefs/kprobe_events ]; then
	# how much the flood is depends on what else the machine does: so first what all hops would take of it
	trace --budget 100 -d 0.1
	cat /tmp/stderr
	share=$(sed -n 's/.*estimated shares of its time: full \([0-9]*\).*/\1/p' /tmp/stderr)
	budget=$((${share:-0} / 3 + 1))
	trace --budget "$((budget < 60 ? budget : 60))" -d 0.1
	cat /tmp/stderr
	verdict flood_lowers_the_hop_set "full took ${share:-?} %; status $status: $(cat /tmp/stderr)" \
		eval "[ ${share:-0} -ge 3 ] &&
			{ { [ $status = 0 ] && said 'left out: full' && ! said 'hop set chosen: full'; } ||
				{ [ $status = 1 ] && said 'nothing fits'; }; }"
fi
trace --budget 0.01 -d 0.1
cat /tmp/stderr
verdict flood_that_nothing_fits_beside_is_an_error "status $status: $(cat /tmp/stderr)" \
	eval "[ $status = 1 ] && said 'nothing fits the budget of 0.01 %: [1-9][0-9]* packets/s .*tracepoints only'"
flood_off

# ---- Ctrl-C in the second that is measured
"$skbtrail" trace --budget 5 > /dev/null 2> /tmp/stderr < /dev/null &
pid=$!
wait_until 20 eval "ls $tracefs/instances | grep -q skbtrail"
sleep 0.3
kill -INT $pid
status=0
wait $pid || status=$?
verdict signal_ends_the_measuring "status $status: $(cat /tmp/stderr)" \
	eval "[ $status = 1 ] && said 'ended while the rate of packets was measured'"
tracefs_picture /tmp/after
verdict budget_leaves_tracefs_as_it_was "tracefs differs, see the log" tracefs_same /tmp/before /tmp/after
network_down
