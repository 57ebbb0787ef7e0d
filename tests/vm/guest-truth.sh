# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: traffic in many kinds of networks, seen by skbtrail and by tcpdump.
#
# In:  /in/skbtrail, /in/traffic; /in/topologies and /in/batch, where there are some: the topologies to
#      build and how many of them at a time (one recording for each such batch); /in/record-options.
# Out: /out/truth/topologies: "NAME BATCH" or "NAME - why it was left out"; for each batch a directory
#      with NETNS.pcap, NETNS.devices, traffic.log and rec.dat of the run with tcpdump, and below alone/
#      the last two of the run without it. truth.py on the host does the rest.

set -euo pipefail
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh
# shellcheck source=guest-truth-topologies.sh
. /in/guest-truth-topologies.sh

skbtrail=/in/skbtrail
hosts=()
servers=()
mkdir -p $here

# What is recorded: the traffic of the topologies named, one after the other.
if [ "${1:-}" = --traffic ]; then
	shift
	for topology; do
		"go_$topology" 2>&1
	done
	# what is still under way arrives
	sleep 0.5
	exit
fi

wanted=("${topologies[@]}")
[ ! -s /in/topologies ] || read -ra wanted < /in/topologies
batch=$(cat /in/batch 2> /dev/null || echo 8)
read -ra record_options < <(cat /in/record-options 2> /dev/null || true) || true
mkdir -p /out/truth
list=/out/truth/topologies
: > $list

# devices_of NETNS: "ifindex name" of its devices, as captures have only the number.
devices_of()
{
	ip -n "$1" -o link | sed 's/^\([0-9]*\): \([^:@]*\).*/\1 \2/'
}

# watch DIR: a tcpdump in every netns. One for all devices of it, so that the order of a netns' packets
# is the kernel's own; stamps are in nanoseconds and nothing waits in buffers. The snapshot is short, as
# each packet takes that much of the buffer.
watch()
{
	local ns pid log

	captures=()
	for ns in "${hosts[@]}"; do
		log=$here/tcpdump.$ns
		ip netns exec "$ns" tcpdump -i any -y LINUX_SLL2 -s 512 -n -U --immediate-mode -B 4096 -Z root \
			--time-stamp-precision=nano -w "$1/$ns.pcap" > "$log" 2>&1 &
		captures[$!]=$log
	done
	for pid in "${!captures[@]}"; do
		wait_until 20 grep -q 'listening on' "${captures[$pid]}"
	done
}

# record DIR NAME...: with the traffic of the topologies NAME as workload.
record()
{
	local dir=$1 status=0 log

	shift
	timeout -k 5 120 "$skbtrail" record "${record_options[@]}" -b 32M -o "$dir/rec.dat" -- \
		bash /in/guest-truth.sh --traffic "$@" > "$dir/traffic.log" 2> "$dir/record.log" < /dev/null ||
		status=$?
	# record sends what the workload prints to standard error
	cat "$dir/record.log" >> "$dir/traffic.log"
	for log in "$here"/serve.*-*; do
		sed "s/^/${log##*/serve.} /" "$log" >> "$dir/served.log"
		: > "$log"
	done
	return $status
}

# forget: neighbours and path MTUs, so that each run has to ask for them
forget()
{
	local ns

	for ns in "${hosts[@]}"; do
		ip -n "$ns" neigh flush all 2> /dev/null || true
		ip -n "$ns" route flush cache 2> /dev/null || true
		ip -n "$ns" -6 route flush cache 2> /dev/null || true
	done
}

# run_batch NUMBER NAME...
run_batch()
{
	local number=$1 dir=/out/truth/$1 name started=$SECONDS
	local -a built=()

	shift
	mkdir -p "$dir/alone"
	for topology; do
		if ! "up_$topology"; then
			fail "truth_$topology" "could not be built, see the log"
			echo "$topology - could not be built" >> $list
			continue
		fi
		echo "$topology $number" >> $list
		built+=("$topology")
	done
	[ ${#built[@]} -gt 0 ] || return 0
	echo "batch $number: ${built[*]}: built after $((SECONDS - started)) s"
	watch "$dir"
	verdict "truth_batch_${number}_is_recorded" "skbtrail record: $(tail -n 1 "$dir/record.log" 2>&1)" \
		record "$dir" "${built[@]}"
	verdict "truth_batch_${number}_tcpdump_lost_nothing" "a capture was incomplete" capture_stop
	for name in "${hosts[@]}"; do
		devices_of "$name" > "$dir/$name.devices"
	done
	echo "batch $number: with tcpdump: $((SECONDS - started)) s"
	forget
	verdict "truth_batch_${number}_is_recorded_alone" "skbtrail record failed" \
		record "$dir/alone" "${built[@]}"
	tear_down
	echo "batch $number: $((SECONDS - started)) s"
}

# left_out NAME: why, and fails when the kernel has all it needs.
left_out()
{
	reason=
	[ "$(type -t "needs_$1")" = function ] || return 1
	! "needs_$1"
}

settings
todo=()
for name in "${wanted[@]}"; do
	if left_out "$name"; then
		skip "truth_$name" "$reason"
		echo "$name - $reason" >> $list
	else
		todo+=("$name")
	fi
done
number=0
while [ ${#todo[@]} -gt 0 ]; do
	number=$((number + 1))
	run_batch $number "${todo[@]:0:batch}"
	todo=("${todo[@]:batch}")
done
