# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the scripts in the guest share: verdicts, the network, pictures of tracefs.
#
# A test has the name of what a user is promised. Its verdict is one line in $results, and on stdout.

tracefs=/sys/kernel/tracing
results=/out/results

ok()
{
	echo "ok $1" | tee -a "$results"
}

skip()
{
	echo "skip $1: $2" | tee -a "$results"
}

fail()
{
	echo "FAIL $1: $2" | tee -a "$results"
}

# A verdict by what is true: verdict NAME WHY COMMAND... fails with WHY when COMMAND does.
verdict()
{
	local name=$1 why=$2

	shift 2
	if "$@"; then
		ok "$name"
	else
		fail "$name" "$why"
	fi
}

# wait_until SECONDS COMMAND...: until COMMAND succeeds; fails when time is up.
wait_until()
{
	local end=$((SECONDS + $1 + 1))

	shift
	while ! "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# ---- the network: "host" stands for a machine with containers, "web" for a container
#
#   host: br0 10.0.2.1 fd00:2::1 -- vethweb  ~~veth~~  eth0 10.0.2.2 fd00:2::2 :web

in_host()
{
	ip netns exec host "$@"
}

in_web()
{
	ip netns exec web "$@"
}

network_up()
{
	local ns module

	# loaded here, so that no event of theirs turns up between two pictures of tracefs
	for module in veth bridge dummy; do
		modprobe -q $module 2> /dev/null || true
	done
	for ns in host web; do
		ip netns add $ns
		# shellcheck disable=SC2016 # expanded in the netns
		ip netns exec $ns sh -c 'for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f; done'
		ip -n $ns link set lo up
	done
	# 5.10 warns that there is no STP outside the root netns, even when told not to use it
	ip -n host link add br0 type bridge forward_delay 0
	ip -n host link add vethweb type veth peer name eth0 netns web
	ip -n host link set vethweb master br0
	ip -n host address add 10.0.2.1/24 dev br0
	ip -n host address add fd00:2::1/64 dev br0 nodad
	ip -n web address add 10.0.2.2/24 dev eth0
	ip -n web address add fd00:2::2/64 dev eth0 nodad
	ip -n web link set eth0 up
	ip -n host link set vethweb up
	ip -n host link set br0 up
	wait_until 20 in_host ping -q -4 -c 1 -W 1 10.0.2.2 > /dev/null
	wait_until 20 in_host ping -q -6 -c 1 -W 1 fd00:2::2 > /dev/null
	# the first ping of a test meets an empty neighbour table, as on a machine that just came up
	ip -n host neigh flush all
	ip -n web neigh flush all
}

network_down()
{
	ip netns delete host
	ip netns delete web
}

# ---- tcpdump, the other witness

# What guest-paths.sh has here is compared with its recordings; others have a folder of their own.
capture_dir=/out

# capture_start NETNS DEV: all packets of DEV from now on into $capture_dir/NETNS.DEV.pcap. Stamps are in
# nanoseconds and nothing waits in buffers, so that the order of packets between devices is true.
capture_start()
{
	local log=/tmp/tcpdump.$1.$2

	ip netns exec "$1" tcpdump -i "$2" -Q inout -n -U --immediate-mode -B 8192 -Z root \
		--time-stamp-precision=nano -w "$capture_dir/$1.$2.pcap" 2> "$log" &
	captures[$!]=$log
	wait_until 20 grep -q '^tcpdump: listening on\|^listening on' "$log"
}

# capture_stop: ends all captures; fails when one of them lost a packet.
capture_stop()
{
	local pid status=0

	sleep 0.5
	kill -INT "${!captures[@]}"
	for pid in "${!captures[@]}"; do
		wait "$pid" || status=1
		grep -q '^0 packets dropped by kernel' "${captures[$pid]}" || status=1
		cat "${captures[$pid]}"
	done
	captures=()
	return $status
}

declare -A captures=()

# ---- pictures of tracefs

# Files whose contents are not state that a tool sets and has to set back:
volatile=(
	# records, and who was seen running while there were any
	trace 'trace_pipe*' snapshot 'snapshot_raw' saved_cmdlines saved_tgids stats
	# write only; and the mere closing of free_buffer empties the ring buffer
	'trace_marker*' free_buffer inject
	# counters and measurements
	'*_profile' hist hist_debug 'function[0-9]*' stack_trace stack_max_size tracing_max_latency
	# logs of what was: past errors, functions that were ever traced
	error_log touched_functions
	# what the kernel and its modules have; long, and nothing that tracing sets
	'available_filter_functions*' dyn_ftrace_total_info
)

# Up to 6.1, when any instance enables an event for the first time, the kernel makes the top buffer
# larger, for good (7 KiB per CPU become 1410). Nobody can undo that, so it comes before all pictures.
tracefs_warm_up()
{
	mkdir "$tracefs/instances/warm-up"
	echo 1 > "$tracefs/instances/warm-up/events/net/enable"
	echo 0 > "$tracefs/instances/warm-up/events/net/enable"
	rmdir "$tracefs/instances/warm-up"
}

# tracefs_picture FILE: every file below tracefs with type, mode and owner, and the lines of each that
# is not volatile.
tracefs_picture()
{
	local pattern
	local -a contents=()

	for pattern in "${volatile[@]}"; do
		contents+=(! -name "$pattern")
	done
	(
		cd "$tracefs" || exit
		find . -exec stat -c '%A %u:%g %n' {} + | sort
		# some files answer a read with an error; that they do is no state either
		{ find . -type f "${contents[@]}" -exec grep -sH '' {} + || true; } | sort -t : -s -k 1,1
	) > "$1"
	[ "$(wc -l < "$1")" -gt 4000 ]
}

# tracefs_same BEFORE AFTER: compares two pictures and shows what is different.
tracefs_same()
{
	cmp -s "$1" "$2" && return
	diff "$1" "$2" | head -n 40
	return 1
}

# What tools leave behind most easily, in a few lines.
tracefs_brief()
{
	(
		cd "$tracefs" || exit
		ls instances
		# some kernels lack some of them
		grep -sH '' dynamic_events kprobe_events uprobe_events synthetic_events set_event \
			current_tracer tracing_on events/enable set_ftrace_filter set_graph_function \
			trace_clock buffer_size_kb || true
	)
}
