# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What a packet takes while this and that traces it. Runs in a guest, or on a machine with $OVERHEAD_IN.
#
# In:  $OVERHEAD_IN (default /in): skbtrail, load; maybe bpftrace/ and pwru/, trees with a loader and libraries.
#      Settings in $OVERHEAD_IN/settings: rounds, packets, kinds (words of those below; default: all), pwru (1: it too), each
#      (rounds of every probe for itself).
# Out: $OVERHEAD_OUT/times (default /out): lines "NAME NS", one for each round; what was left out on stdout.
#
# With push_option (what keeps a filter out of the kernel) the binary is one that pushes filters.
#
# Rounds go through all kinds in turn, so that each meets the same machine; the reader takes the least of each.

set -euo pipefail
set -m
in=${OVERHEAD_IN:-/in} out=${OVERHEAD_OUT:-/out}
rounds=3 packets=4000 kinds='' each='' push_option='' pwru=''
# shellcheck source=/dev/null
[ ! -e "$in/settings" ] || . "$in/settings"
skbtrail=$in/skbtrail
tracefs=/sys/kernel/tracing
work=$(mktemp -d)
tool=
mkdir -p "$out"
: > "$out/times"

finish()
{
	[ -z "$tool" ] || kill -INT "$tool" 2> /dev/null || true
	for ns in overhead-a overhead-b; do
		ip netns delete $ns 2> /dev/null || true
	done
	rm -rf "$work"
}
trap finish EXIT

left_out()
{
	echo "left out: $1: $2"
	unset "todo[$1]"
}

network()
{
	local ns

	modprobe -q veth 2> /dev/null || true
	ip netns add overhead-a || { echo "SKIP: no network namespace can be made here"; exit 77; }
	ip netns add overhead-b
	ip -n overhead-a link add eth0 type veth peer name eth0 netns overhead-b ||
		{ echo "SKIP: no veth can be made here"; exit 77; }
	ip -n overhead-a address add 10.9.0.1/24 dev eth0
	ip -n overhead-b address add 10.9.0.2/24 dev eth0
	for ns in overhead-a overhead-b; do
		ip -n $ns link set lo up
		ip -n $ns link set eth0 up
	done
	sleep 1
	ip netns exec overhead-a ping -q -c 1 -W 5 10.9.0.2 > /dev/null
}

# time_load NAME: a line for NAME
time_load()
{
	local ns

	ns=$("$in/load" overhead-a 10.9.0.1 overhead-b 10.9.0.2 7000 "$packets")
	echo "$1 $ns" | tee -a "$out/times"
}

# wait_for PATTERN: until the tool has said it, or when that is empty, three seconds; fails when it has ended.
wait_for()
{
	local i

	[ -n "$1" ] || { sleep 3 && return; }
	for ((i = 0; i < 1200; i++)); do
		! grep -qE "$1" "$work/said" || return 0
		kill -0 "$tool" 2> /dev/null || return 1
		sleep 0.1
	done
	return 1
}

# is_armed COMMAND...: ours says what it will do before it does it; waits until its instance is on.
is_armed()
{
	local i file=$tracefs/instances/skbtrail-$tool/tracing_on

	[ "$1" = "$skbtrail" ] || return 0
	for ((i = 0; i < 600; i++)); do
		[ ! -e "$file" ] || [ "$(cat "$file")" != 1 ] || return 0
		sleep 0.1
	done
	return 1
}

# with NAME PATTERN COMMAND...: NAME's line while COMMAND traces, which it does once it has said PATTERN.
with()
{
	local name=$1 pattern=$2

	shift 2
	"$@" > "$work/out" 2> "$work/said" < /dev/null &
	tool=$!
	# one that has ended meanwhile traced nothing
	if wait_for "$pattern" && is_armed "$@" && sleep 1 && kill -0 $tool 2> /dev/null; then
		time_load "$name"
	else
		left_out "$name" "$(tail -n 1 "$work/said")"
	fi
	kill -INT $tool 2> /dev/null || true
	# what a tool does afterwards is not of interest, but it must be over before the next
	[ "$name" = pwru_other ] || wait $tool 2> /dev/null || true
	tool=
}

# perf does not say when it begins.
perf_record()
{
	exec perf record -q -a -m 1024 -o "$work/perf.data" "$@"
}

# ---- kinds: one function each

kind_none() { time_load none; }

skbtrail_record()
{
	with "skbtrail_$1" '^skbtrail: recording' "$skbtrail" record -o "$work/x.dat" "${@:2}"
}
kind_skbtrail_T0() { skbtrail_record T0 --tier T0; }
kind_skbtrail_minimal() { skbtrail_record minimal --hops minimal; }
kind_skbtrail_default() { skbtrail_record default --hops default; }
kind_skbtrail_full() { skbtrail_record full --hops full; }

# With a filter: of the packets that the load sends, and of others.
skbtrail_trace()
{
	local name=$1 filter=$2

	shift 2
	with "$name" '^skbtrail: tracing' "$skbtrail" trace --brief "$@" "$filter"
}
for hops in minimal default full; do
	for push in pushed unpushed; do
		for what in matching other; do
			eval "kind_${push}_${hops}_${what}() { filtered $push $hops $what; }"
		done
	done
done
filtered()
{
	local filter='udp port 7000'
	local -a options=(--hops "$2")

	[ "$3" = matching ] || filter='udp port 7001'
	[ "$1" = pushed ] || [ -z "$push_option" ] || options+=("$push_option")
	if [ "$1" = pushed ] && [ -z "$push_option" ]; then
		left_out "pushed_$2_$3" "this skbtrail pushes no filter into the kernel"
		return
	fi
	skbtrail_trace "$1_$2_$3" "$filter" "${options[@]}"
}

# The events that skbtrail has at T0, for the others.
tracepoints()
{
	"$skbtrail" record --tier T0 --dry-run |
		sed -n 's,.*/events/\([^/]*\)/\([^/]*\)/enable$,\1:\2,p' | grep -v ':enable'
}

options_of()
{
	local event

	while read -r event; do
		echo -e "-e\n$event"
	done
}

kind_tracecmd_T0()
{
	local -a events

	mapfile -t events < <(tracepoints | options_of)
	with tracecmd_T0 "" tracecmd "${events[@]}"
}

# Its files are made where it runs. That it runs it says to a terminal only.
tracecmd()
{
	cd "$work"
	exec trace-cmd record -b 4096 -o "$work/t.dat" "$@"
}

kind_perf_T0()
{
	local -a events

	mapfile -t events < <(tracepoints | options_of)
	with perf_T0 "" perf_record "${events[@]}"
}

# Our own probe events in the hands of the others: defined as --dry-run prints it, and removed again.
define()
{
	"$skbtrail" record --hops default --dry-run > "$work/lines"
	grep 'dynamic_events$' "$work/lines" | sed '/^# undo/,$d' | grep -v "'-:\| -:" > "$work/define" || true
	[ -s "$work/define" ] || return 1
	# definitions only; removals come from the same list
	sed -n '/^# undo/,$p' "$work/lines" | grep 'dynamic_events$' > "$work/undefine"
	sh "$work/define" 2> /dev/null || true
	group=$(sed -n 's,.*[:]\(skbtrail_[0-9]*\)/.*,\1,p' "$work/define" | head -n 1)
	sed -n 's,.*/events/\([^/]*\)/\([^/]*\)/enable$,\1:\2,p' "$work/lines" | grep -v ":enable\|^$group" > "$work/others"
}

undefine()
{
	sh "$work/undefine" 2> /dev/null || true
}

# with_our_events NAME ALL COMMAND...: ALL makes a pattern for COMMAND of the name of our group.
with_our_events()
{
	local name=$1 all=$2
	local -a events

	shift 2
	if define; then
		mapfile -t events < <(options_of < "$work/others")
		with "$name" "" "$@" -e "$group$all" "${events[@]}"
	else
		left_out "$name" "there are no probe events"
	fi
	undefine
}
kind_tracecmd_default() { with_our_events tracecmd_default "" tracecmd; }
kind_perf_default() { with_our_events perf_default ":*" perf_record; }

# in_tree NAME PROGRAM ARGS...: a program with its own libraries
in_tree()
{
	local tree=$in/$1

	exec "$tree/lib64/ld-linux-x86-64.so.2" --library-path "$tree/lib" "$tree/bin/$1" "${@:2}"
}

kind_bpftrace_T0()
{
	local probes

	[ -e "$in/bpftrace/bin/bpftrace" ] || { left_out bpftrace_T0 "no bpftrace was given"; return; }
	# it counts by event, and keeps nothing else
	probes=$(tracepoints | sed 's/^/tracepoint:/' | paste -sd ,)
	with bpftrace_T0 '^(begun|Attached)' bpftrace_run -e "BEGIN { printf(\"begun\\n\"); } $probes { @[probe] = count(); }"
}

bpftrace_run()
{
	# what it prints goes to standard output
	in_tree bpftrace -B none "$@" 1>&2
}

pwru_filter()
{
	[ -e "$in/pwru/bin/pwru" ] || { left_out "$1" "no pwru was given"; return; }
	[ -e /sys/kernel/btf/vmlinux ] || { left_out "$1" "it needs BTF"; return; }
	mount -t debugfs debugfs /sys/kernel/debug 2> /dev/null || true
	with "$1" '[Ll]istening for events' in_tree pwru --output-meta --output-tuple --output-file "$work/pwru.txt" "$2"
}
kind_pwru_matching() { pwru_filter pwru_matching 'udp port 7000'; }
kind_pwru_other() { pwru_filter pwru_other 'udp port 7001'; }

# ---- each probe for itself

# written: records that came into the buffers of instance $dir so far
written()
{
	local sum

	sum=$(cat $dir/per_cpu/cpu*/stats | sed -n 's/^\(entries\|overrun\|read events\): //p' | paste -sd +)
	echo $((sum))
}

# one_probe NAME DEFINITION: its records and its time. A name that the load does not meet is passed over.
one_probe()
{
	local before

	sh -c "$2" 2> /dev/null || return 0
	echo 1 > "$dir/events/$group/$1/enable"
	before=$(written)
	"$in/load" overhead-a 10.9.0.1 overhead-b 10.9.0.2 7000 100 > /dev/null
	if [ "$(written)" -gt "$before" ]; then
		time_load "each_$1"
	else
		unset "probe[$1]"
	fi
	echo 0 > "$dir/events/$group/$1/enable"
	echo "-:$group/$1" >> $tracefs/dynamic_events
}

each_probe()
{
	local line name round dir=$tracefs/instances/overhead
	declare -A probe=()

	define || return 0
	undefine
	mkdir $dir
	while read -r line; do
		name=${line#*:"$group"/}
		name=${name%% *}
		probe[$name]=$line
	done < "$work/define"
	for ((round = 0; round < each; round++)); do
		time_load each
		for name in "${!probe[@]}"; do
			one_probe "$name" "${probe[$name]}"
		done
	done
	rmdir $dir
}

network
all=(none skbtrail_T0 skbtrail_minimal skbtrail_default skbtrail_full)
for hops in minimal default full; do
	all+=("pushed_${hops}_matching" "pushed_${hops}_other")
done
all+=(unpushed_default_matching unpushed_default_other tracecmd_T0 perf_T0 bpftrace_T0 tracecmd_default perf_default)
[ -n "$kinds" ] || kinds="${all[*]}"
declare -A todo=()
for kind in $kinds; do
	todo[$kind]=1
done
for ((round = 0; round < rounds; round++)); do
	for kind in $kinds; do
		[ -z "${todo[$kind]:-}" ] || "kind_$kind"
	done
done
# pwru takes a minute to take its probes away
for kind in pwru_matching pwru_other; do
	[ -z "$pwru" ] || "kind_$kind"
done
[ -z "$each" ] || each_probe
