# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: bcc's tcptop and skbtrail flows count the same load (flowload.c), side by side; and what a call that sends
# takes with either of them (flowcost.c). tcptop.py compares; what it needs is left in /out/tcptop:
#   counts, rows, rows.err     as in guest-flows.sh
#   theirs                     tcptop's table; bytes, where it prints KiB otherwise
#   cost                       NAME and what flowcost printed
# tcptop runs in /in/tcptop, which is a root directory. It compiles itself, which takes a minute here: it is started once.

set -euo pipefail
# with job control what is started here can be interrupted
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

dir=/out/tcptop
mkdir -p $dir
ip link set lo up
for module in tcp_diag udp_diag tls; do
	modprobe -q $module 2> /dev/null || true
done
mount -t debugfs debugfs /sys/kernel/debug 2> /dev/null || true
for d in proc sys dev; do
	mount --rbind /$d /in/tcptop/$d
done
rounds=3

# cost NAME [TIMES]
cost()
{
	local i

	for ((i = 0; i < ${2:-1}; i++)); do
		echo "$1$(/in/flowcost)" >> $dir/cost
	done
}

# cost_of_flows NAME OPTION...
cost_of_flows()
{
	local name=$1 ours status=0

	shift
	/in/skbtrail flows --json "$@" 600 > /dev/null 2> "$dir/$name.err" &
	ours=$!
	wait_until 30 grep -qsx 1 "$tracefs/instances/skbtrail-$ours/tracing_on"
	sleep 1
	cost "$name" $rounds
	kill -INT $ours
	wait $ours || status=$?
	verdict "flows_${name}_ends_well" "status $status: $(tail -n 1 "$dir/$name.err")" test $status = 0
}

tcptop_start()
{
	sed 's, / 1024,,g' /in/tcptop/usr/sbin/tcptop-bpfcc > /in/tcptop/tmp/tcptop
	chroot /in/tcptop /usr/bin/python3 -u /tmp/tcptop -C -S 10000 > $dir/theirs 2> $dir/theirs.err &
	tcptop=$!
	wait_until 400 eval "grep -q '^Tracing' $dir/theirs || ! kill -0 $tcptop 2> /dev/null"
	kill -0 $tcptop 2> /dev/null
}

begin_load()
{
	(
		timeout 480 /in/flowload /tmp/ready /tmp/go 200 > $dir/counts 2> $dir/counts.err || echo "exit $?" >> $dir/counts.err
		touch /tmp/done
	) &
	wait_until 20 test -e /tmp/ready
}

for ((round = 0; round < 2; round++)); do
	cost none 2
	cost_of_flows aggregated --aggregate auto
	cost none
	cost_of_flows streaming --aggregate no -b 16M
done
cost none 2
# what it does before it is to begin, none of the two shall see
begin_load
if ! tcptop_start; then
	skip flows_beside_tcptop "tcptop does not run here: $(tail -n 1 $dir/theirs.err)"
	touch /tmp/go
	wait
	exit 0
fi
timeout 100 /in/skbtrail flows --json 1 -- bash -c 'touch /tmp/go; while [ ! -e /tmp/done ]; do sleep 0.1; done' \
	> $dir/rows 2> $dir/rows.err || echo "exit $?" >> $dir/rows.err
cost tcptop $((2 * rounds))
kill -INT $tcptop
wait $tcptop || echo "exit $?" >> $dir/theirs.err
cost none 2
cat $dir/*.err
verdict flows_beside_tcptop_ends_well "$(tail -n 1 $dir/rows.err)" test "$(grep -c '^exit' $dir/rows.err)" = 0
