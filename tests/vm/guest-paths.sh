# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: pings through bridge, veth and netns border, seen by skbtrail and by tcpdump.
#
# Out: what compare.py reads: NETNS.DEV.pcap and ping.txt; and of the same pings paths.json. Then the
# same again with nobody else watching (tcpdump makes the kernel clone packets): paths2.json from a
# recording, live.json from a live trace, ping2.txt and ping-live.txt.

set -euo pipefail
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
pings='ip netns exec host ping -4 -c 120 -i 0.01 10.0.2.2; ip netns exec host ping -6 -c 120 -i 0.01 fd00:2::2'

# run_to FILE COMMAND...: COMMAND's output in FILE; its errors are shown when it fails or FILE is empty.
run_to()
{
	local file=$1 status=0

	shift
	timeout -k 5 60 "$@" > "$file" 2> /tmp/stderr < /dev/null || status=$?
	[ $status = 0 ] && [ -s "$file" ] && return
	echo "status $status, $(wc -c < "$file") bytes: $*"
	tail -n 5 /tmp/stderr
	return 1
}

# traced PINGS_TO COMMAND...: skbtrail COMMAND with the pings as its workload.
traced()
{
	local file=$1

	shift
	timeout -k 5 90 "$skbtrail" "$@" -- sh -c "{ $pings; } > $file"
}

all_answered()
{
	[ "$(grep -c '^120 packets transmitted, 120 received' "$1")" = 2 ]
}

machine_picture()
{
	ip netns list
	# without the states: a bridge takes a while to notice that it is up
	ip -br link | sed 's/  .*//'
}

live()
{
	traced /out/ping-live.txt trace --json > /out/live.json
}

tracefs_warm_up
network_up
machine_picture > /tmp/machine-before
tracefs_picture /out/tracefs-before

# ---- with tcpdump on every device
capture_start host br0
capture_start host vethweb
capture_start web eth0
verdict recording_works "skbtrail record failed" traced /out/ping.txt record -o /out/rec.dat
verdict tcpdump_lost_nothing "a capture was incomplete" capture_stop
verdict pings_are_answered_while_recording "$(tail -n 3 /out/ping.txt 2>&1)" all_answered /out/ping.txt
verdict report_shows_recording "skbtrail report failed" \
	run_to /out/paths.txt "$skbtrail" report /out/rec.dat
verdict report_shows_recording_as_json "skbtrail report --json failed" \
	run_to /out/paths.json "$skbtrail" report /out/rec.dat --json
verdict trace_cmd_reads_our_recording "trace-cmd report failed" \
	run_to /out/tracecmd.txt trace-cmd report /out/rec.dat

# ---- alone
ip -n host neigh flush all
ip -n web neigh flush all
verdict recording_without_tcpdump_works "skbtrail record failed" \
	traced /out/ping2.txt record -o /out/rec2.dat
verdict report_shows_recording_without_tcpdump "skbtrail report --json failed" \
	run_to /out/paths2.json "$skbtrail" report /out/rec2.dat --json
verdict live_trace_works "skbtrail trace failed" live

# ---- the rest of what is promised at any time
verdict demo_works "skbtrail demo failed" run_to /out/demo.txt "$skbtrail" demo
verdict check_works "skbtrail check failed" run_to /out/check.txt "$skbtrail" check
verdict check_works_as_json "skbtrail check --json failed" run_to /out/check.json "$skbtrail" check --json

tracefs_picture /out/tracefs-after
verdict tracefs_is_as_before "tracefs differs, see the log" \
	tracefs_same /out/tracefs-before /out/tracefs-after
machine_picture > /tmp/machine-after
verdict demo_removes_its_network "devices or netns differ, see the log" \
	diff /tmp/machine-before /tmp/machine-after
rm -f /out/tracefs-before /out/tracefs-after
network_down
