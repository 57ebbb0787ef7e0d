# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: whether "skbtrail structs --calibrate" finds out where members are, beside traffic on lo and a
# veth pair that is none of its business, leaves nothing behind, and says what is missing where it
# cannot. compare_structs.py on the host compares what it found with the kernel's own type data, or with
# those of its source.
#
# In:  /in/skbtrail; /in/calibrations: how many times (2).
# Out: /out/calibrated/N.structs and the time of each in /out/calibrated/times; /out/btf.

set -euo pipefail
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
times=$(cat /in/calibrations 2> /dev/null || echo 2)
out=/out/calibrated
limits=/proc/sys/user/max_net_namespaces
mkdir -p $out

# refused NAME PATTERN: calibration fails, and says PATTERN.
refused()
{
	if "$skbtrail" structs --calibrate --no-cache > /tmp/refused 2>&1; then
		fail "$1" "exit status 0"
	else
		verdict "$1" "$(tail -n 1 /tmp/refused)" grep -q "$2" /tmp/refused
	fi
}

if [ ! -w "$tracefs/kprobe_events" ]; then
	refused calibration_without_kprobes_is_refused 'kprobe'
	exit 0
fi

modprobe -q -a nf_tables ip_tables iptable_filter veth bridge dummy 2> /dev/null || true
if [ -e /sys/kernel/btf/vmlinux ] && [ ! -d /out/btf ]; then
	mkdir /out/btf
	cp /sys/kernel/btf/{vmlinux,x_tables,nf_tables} /out/btf/ 2> /dev/null || true
fi
network_up
noise=()
# not with in_host: kill would meet a shell, not ping
ip netns exec host ping -q -i 0.01 -s 100 127.0.0.1 > /dev/null &
noise+=($!)
ip netns exec host ping -q -i 0.01 -s 100 10.0.2.2 > /dev/null &
noise+=($!)
ip netns exec host ping -q -6 -i 0.02 -s 100 fd00:2::2 > /dev/null &
noise+=($!)

tracefs_warm_up
tracefs_brief > /tmp/before
failed=
for ((i = 1; i <= times; i++)); do
	"$skbtrail" structs --calibrate --no-cache --save "$out/$i.structs" 2> "$out/$i.errors" ||
		failed="$i: $(tail -n 1 "$out/$i.errors")"
done
"$skbtrail" structs --calibrate --no-cache > /tmp/table || failed="the table: $?"
cat /tmp/table
verdict calibration_works_beside_traffic "$failed" [ -z "$failed" ]
kill "${noise[@]}"

# what cannot be had
limit=$(cat $limits)
echo 0 > $limits
refused calibration_without_a_netns_is_refused 'max_net_namespaces'
echo "$limit" > $limits
tracefs_brief > /tmp/after
verdict calibration_leaves_nothing_behind "$(diff /tmp/before /tmp/after | head -n 3)" \
	cmp -s /tmp/before /tmp/after

# killed at any time it leaves nothing that clean does not find, and Ctrl-C nothing at all
left=
for delay in 0.3 0.9 1.7 2.6 3.5; do
	"$skbtrail" structs --calibrate --no-cache > /dev/null 2>&1 &
	victim=$!
	sleep $delay
	kill -KILL $victim 2> /dev/null || true
	wait $victim 2> /dev/null || true
	"$skbtrail" clean > /tmp/clean 2>&1 || true
	tracefs_brief > /tmp/after
	cmp -s /tmp/before /tmp/after || left+=" after $delay s: $(diff /tmp/before /tmp/after | head -n 2)"
done
verdict what_a_killed_calibration_left_is_cleaned "$left" [ -z "$left" ]
left=
for delay in 0.5 1.5 3; do
	timeout -s INT $delay "$skbtrail" structs --calibrate --no-cache > /dev/null 2>&1 || true
	tracefs_brief > /tmp/after
	cmp -s /tmp/before /tmp/after || left+=" after $delay s: $(diff /tmp/before /tmp/after | head -n 2)"
done
verdict an_interrupted_calibration_leaves_nothing_behind "$left" [ -z "$left" ]
network_down
