# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: sockets are used in every way by programs that count their own bytes (flowload.c), while
# skbtrail flows counts. flows.py compares; what it needs is left in /out/flows.
# skbtrail record --flows runs beside it, for the same sums out of a file; and skbtrail flows --aggregate no, so that
# where the kernel sums up calls, its sums and those of records are of the same load.
# Environment: FLOWS_OPTIONS for skbtrail flows, SHORT for the number of short connections.

set -euo pipefail
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

dir=/out/flows
mkdir -p $dir
ip link set lo up
for module in tcp_diag udp_diag tls; do
	modprobe -q $module 2> /dev/null || true
done
options=${FLOWS_OPTIONS:-}
[ ! -e /in/flows-options ] || options=$(cat /in/flows-options)

# watch_ends FILE: each TCP socket as it ends, with the kernel's own counters; $ss is the watcher
watch_ends()
{
	_STDBUF_O=L LD_PRELOAD=/in/libstdbuf.so timeout 200 ss -E -tinHO > "$1" 2> $dir/ss.err &
	ss=$!
}

# begin_load NAME PROGRAM [ARG]: what it prints goes to NAME and NAME.err; it waits for /tmp/go, then makes /tmp/done.
# With $blocked flowblocked runs beside it, in the same way.
blocked=
begin_load()
{
	rm -f /tmp/ready /tmp/go /tmp/done /tmp/ready-blocked
	(
		if [ -n "$blocked" ]; then
			timeout 60 /in/flowblocked /tmp/ready-blocked /tmp/go > "$dir/$blocked" 2> "$dir/$blocked.err" ||
				echo "exit $?" >> "$dir/$blocked.err" &
			wait_until 20 test -e /tmp/ready-blocked
		fi
		timeout 60 "/in/$2" /tmp/ready /tmp/go ${3:+"$3"} > "$dir/$1" 2> "$dir/$1.err" || echo "exit $?" >> "$dir/$1.err"
		wait
		touch /tmp/done
	) &
	wait_until 20 test -e /tmp/ready
}

# flows_of_load NAME OPTION...: what flows shows of it goes to NAME and NAME.err; the tables in which the kernel summed it
# up, where it did, to NAME.hist. Environment: interval, in seconds; after, commands before the end
flows_of_load()
{
	local name=$1 tables="$tracefs/instances/skbtrail-*/events/skbtrail_*/flow_*/hist"

	shift
	timeout 100 /in/skbtrail flows "$@" --json "${interval:-1}" -- bash -c "touch /tmp/go; while [ ! -e /tmp/done ]; do sleep 0.1; done; ${after:-}
		tail -n +1 $tables > $dir/$name.hist 2> /dev/null || true" \
		> "$dir/$name" 2> "$dir/$name.err" || echo "exit $?" >> "$dir/$name.err"
}

watch_ends $dir/ss
blocked=blocked
begin_load counts flowload "${SHORT:-300}"
blocked=
timeout 100 /in/skbtrail record --flows -b 16M -o $dir/flows.dat -- bash -c 'touch /tmp/recording; while [ ! -e /tmp/done ]; do sleep 0.1; done' \
	2> $dir/record.err || echo "exit $?" >> $dir/record.err &
recorder=$!
wait_until 60 test -e /tmp/recording
timeout 100 /in/skbtrail flows --aggregate no -b 16M --json -v 1 -- bash -c 'touch /tmp/streaming; while [ ! -e /tmp/done ]; do sleep 0.1; done' \
	> $dir/stream-rows 2> $dir/stream.err || echo "exit $?" >> $dir/stream.err &
streamer=$!
wait_until 60 test -e /tmp/streaming
# shellcheck disable=SC2086 # several options
flows_of_load rows $options
wait $recorder
wait $streamer
kill $ss
wait

# how long bytes wait for devices and readers, told by who sends and reads them
begin_load waits flowwait
# so short an interval that many come in one and are read in a later one
# shellcheck disable=SC2086 # several options
interval=0.25 flows_of_load latencies $options -v
wait

# where calls are not told, packets are
if grep -q 'not of their bytes' $dir/rows.err; then
	watch_ends $dir/ss-packets
	begin_load packets-counts flowload "${SHORT:-300}"
	timeout 100 /in/skbtrail record --flows --tap -b 16M -o $dir/packets.dat -- bash -c 'touch /tmp/recording2; while [ ! -e /tmp/done ]; do sleep 0.1; done' \
		2> $dir/packets-record.err || echo "exit $?" >> $dir/packets-record.err &
	recorder=$!
	wait_until 60 test -e /tmp/recording2
	flows_of_load packets --tap -v
	wait $recorder
	kill $ss
	wait
	/in/skbtrail flows --json $dir/packets.dat > $dir/file-packets 2> $dir/packets-file.err || echo "exit $?" >> $dir/packets-file.err
	cat $dir/packets*.err
	verdict flows_of_packets_end_well "$(tail -n 1 $dir/packets.err)" test "$(cat $dir/packets*.err | grep -c '^exit')" = 0
fi
/in/skbtrail flows --json $dir/flows.dat > $dir/file-rows 2> $dir/file.err || echo "exit $?" >> $dir/file.err
cat $dir/rows.err $dir/counts.err $dir/record.err $dir/file.err
verdict flows_ends_well "$(tail -n 1 $dir/rows.err)" test "$(grep -c '^exit' $dir/rows.err)" = 0
verdict flows_of_a_file_end_well "$(tail -n 1 $dir/record.err) $(tail -n 1 $dir/file.err)" \
	test "$(cat $dir/record.err $dir/file.err | grep -c '^exit')" = 0
# 6.3 and later have the bytes and the socket in one place; there the sums of above were the kernel's
modern=no
[ ! -e $tracefs/events/sock/sock_send_length ] || modern=yes
if [ $modern = no ]; then
	status=0
	timeout 20 /in/skbtrail flows --aggregate yes 1 1 > $dir/must 2>&1 || status=$?
	verdict flows_says_that_it_cannot_aggregate "$(tail -n 1 $dir/must)" grep -q 'cannot sum up' $dir/must
	verdict flows_fails_when_it_must_aggregate "status $status" test $status = 1
else
	# killed: the triggers go, too
	/in/skbtrail flows --aggregate yes -q 1 > $dir/killed 2>&1 &
	killed=$!
	# shellcheck disable=SC2016 # expanded when it is run
	wait_until 20 eval 'grep -qs hist: $tracefs/instances/skbtrail-$killed/events/skbtrail_$killed/flow_udp_received/trigger'
	kill -9 $killed
	wait $killed || true
	/in/skbtrail clean > $dir/cleaned 2>&1 || true
	# tables that would soon be full, but for being emptied in turn; a guest that is not run for a moment may come too late
	for _ in 1 2 3; do
		begin_load small-counts flowload 1000
		after="sleep 5" SKBTRAIL_FLOWS_TABLE="2048 2000000000" flows_of_load small --aggregate yes -v
		wait
		cat $dir/small.err
		! grep -q 'emptied [1-9]' $dir/small.err || break
	done
	verdict flows_empties_the_tables_of_the_kernel "$(grep emptied $dir/small.err)" grep -q 'emptied [1-9]' $dir/small.err
	# and some that are; it is no secret then
	begin_load full-counts flowload 150
	SKBTRAIL_FLOWS_TABLE="128 4000000000" flows_of_load full --aggregate yes
	wait
	cat $dir/full.err
fi
verdict flows_with_latency_end_well "$(tail -n 1 $dir/latencies.err) $(tail -n 1 $dir/waits.err)" \
	test "$(cat $dir/latencies.err $dir/waits.err | grep -c '^exit')" = 0
verdict flows_had_its_load "$(cat $dir/*counts.err $dir/blocked.err | head -n 1)" test "$(cat $dir/*counts.err $dir/blocked.err | wc -c)" = 0
ls $tracefs/events/sock > $dir/sources
ls $tracefs/events $tracefs/instances > $dir/left
verdict flows_leaves_nothing "$(grep skbtrail $dir/left | head -n 1)" test "$(grep -c skbtrail $dir/left)" = 0
