# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: headers by packet socket (--tap), at tier T0, beside other packets of the same length.
#
# Out: tap.json, which tests/live/tap_truth.py judges, and tap.pings: how many each process sent at least.

set -euo pipefail
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
# Where there is nothing better, in full; elsewhere as much as shows that this kernel's code is the same.
pings=200
[ -w "$tracefs/kprobe_events" ] || pings=1000

# 500 packets a second of the same length, on the same way.
load="{ ip netns exec host ping -q -4 -c $((pings * 5 / 2)) -i 0.002 10.0.2.2 > /dev/null & }
ip netns exec host ping -q -4 -c $pings -i 0.005 10.0.2.2 > /out/tap-ping.txt
wait"

traced()
{
	timeout -k 5 90 "$skbtrail" trace --tier T0 --tap --json -v -b 8M -- sh -c "$load" \
		> /out/tap.json 2> /out/tap.err < /dev/null
}

# Each packet of the demo's pings says what it is, and so does each of its hops.
demo()
{
	timeout -k 5 60 "$skbtrail" demo --tap --json > /out/tap-demo.json 2> /out/tap-demo.err &&
		[ "$(grep -c '"icmp":' /out/tap-demo.json)" = 8 ] &&
		! grep '"packet":' /out/tap-demo.json | grep -v '"headers_from":"tap"' > /dev/null
}

# in_time ERR COMMAND...: once more where the guest stood still for half a second, and so got frames so late that no packet
# waited for them any more, which is told in ERR
in_time()
{
	local err=$1

	shift
	for _ in 1 2 3; do
		"$@" || return
		grep -q 'too late' "$err" || break
	done
}

trace_pings()
{
	timeout -k 5 60 "$skbtrail" trace --tier T0 --tap --json 'icmp and src host 10.0.2.2' -- \
		ip netns exec host ping -q -c 3 -i 0.05 10.0.2.2 > /out/tap-filter.json 2> /out/tap-filter.err
}

# A filter needs headers.
filtered()
{
	in_time /out/tap-filter.err trace_pings &&
		[ "$(grep -c '"type":0' /out/tap-filter.json)" -ge 3 ] &&
		! grep '"packet":' /out/tap-filter.json | grep '"type":8' > /dev/null
}

record_pings()
{
	timeout -k 5 60 "$skbtrail" record --tier T0 --tap -o /tmp/tap.dat -- \
		ip netns exec host ping -q -c 3 -i 0.05 10.0.2.2 > /dev/null 2> /out/tap-record.err &&
		"$skbtrail" report -f icmp --json /tmp/tap.dat > /out/tap-report.json 2> /out/tap-report.err
}

# What is recorded shows the same, and trace-cmd opens it.
recorded()
{
	in_time /out/tap-report.err record_pings &&
		[ "$(grep -c '"headers_from":"tap"' /out/tap-report.json)" -ge 6 ] &&
		trace-cmd report /tmp/tap.dat > /tmp/tap-report.txt 2> /dev/null &&
		grep -q net_dev_start_xmit /tmp/tap-report.txt &&
		grep -q raw_data /tmp/tap-report.txt
}

tracefs_warm_up
network_up
# a request that waits for its neighbour's address is sent by nobody's process
in_host ping -q -4 -c 1 -W 5 10.0.2.2 > /dev/null
echo $pings > /out/tap.pings
verdict tap_traces_beside_packets_of_the_same_length "see tap.err" traced
if [ ! -w "$tracefs/kprobe_events" ]; then
	verdict tap_shows_what_each_packet_of_the_demo_is "see tap-demo.json, .err" demo
fi
verdict tap_lets_filters_work_without_probes "see tap-filter.json, .err" filtered
verdict tap_is_recorded_and_trace_cmd_opens_it "see tap-record.err, tap-report.err" recorded
verdict tap_leaves_nothing_behind "instances are left" test -z "$(ls "$tracefs/instances")"
network_down
