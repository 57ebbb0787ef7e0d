# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: probe events are placed, fire, say what is true, and are gone afterwards, whatever happens.
#
# What is true is known from elsewhere: how many pings there were, the addresses, the inode numbers of the
# network namespaces; what the events say is read from the kernel's own text, not with skbtrail.

set -euo pipefail
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
pings=5
pid=

# How many definitions of ours there are.
defined()
{
	grep -sc ':skbtrail_' "$tracefs/dynamic_events" || true
}

some_defined()
{
	[ "$(defined)" != 0 ]
}

none_defined()
{
	[ "$(defined)" = 0 ]
}

# now: milliseconds since boot
now()
{
	awk '{ printf "%d", $1 * 1000 }' /proc/uptime
}

# expected_tier: the highest that this kernel describes in its README
expected_tier()
{
	local tier=T0

	[ -e "$tracefs/kprobe_events" ] && tier=T1
	[ $tier = T1 ] && grep -q 'e\[:' "$tracefs/README" && tier=T2
	[ $tier = T2 ] && grep -q 'f\[:' "$tracefs/README" && tier=T3
	echo $tier
}

# hits EVENT: how often it is in the text of the pasted capture
hits()
{
	grep -c " $1: (\| $1: " /tmp/text || true
}

# fires EVENT COUNT: at least COUNT times
fires()
{
	local count

	count=$(hits "$1")
	[ "$count" -ge "$2" ] && return
	echo "$1: $count times, not $2"
	return 1
}

# line_of EVENT N: its Nth line there
line_of()
{
	awk -v event=" $1: " -v n="$2" 'index($0, event) && ++seen == n' /tmp/text
}

# field NAME LINE: value of a field of a line of text
field()
{
	local value=${2#* "$1"=}

	[ "$value" != "$2" ] && echo "${value%% *}"
}

# byte WORDS INDEX: a byte of an array of 64-bit words "{0x..,0x..}", as it lies in memory
byte()
{
	local -a words

	IFS=, read -ra words <<< "$(tr -d '{}' <<< "$1")"
	echo $(((${words[$2 / 8]} >> ($2 % 8 * 8)) & 255))
}

# header LINE: source and destination of the IPv4 header in the window, found as the reader finds it
header()
{
	local words at i
	local -a b=()

	words=$(field w64 "$1")
	at=$((64 + $(field nh "$1") - ($(field d "$1") - $(field h "$1"))))
	for i in 0 12 13 14 15 16 17 18 19; do
		b+=("$(byte "$words" $((at + i)))")
	done
	echo "$((b[0] >> 4)) ${b[1]}.${b[2]}.${b[3]}.${b[4]} ${b[5]}.${b[6]}.${b[7]}.${b[8]}"
}

trace_start()
{
	"$skbtrail" trace > /dev/null 2> /tmp/stderr < /dev/null &
	pid=$!
}

trace_kill()
{
	kill -KILL $pid
	{ wait $pid || true; } 2> /dev/null
}

tracefs_warm_up
network_up
tracefs_picture /tmp/before
tier=$(expected_tier)

# ---- the tier, and how long it takes
started=$(now)
timeout -k 5 60 "$skbtrail" record -v -d 0.1 -o /tmp/x.dat > /dev/null 2> /tmp/stderr < /dev/null || true
echo "$(($(now) - started)) ms for a capture of 100 ms with probes"
cat /tmp/stderr
started=$(now)
timeout -k 5 60 "$skbtrail" record --tier T0 -d 0.1 -o /tmp/x.dat > /dev/null 2>&1 < /dev/null || true
echo "$(($(now) - started)) ms for one without"
verdict capture_has_the_tier_that_the_kernel_allows "not $tier: $(cat /tmp/stderr)" \
	grep -q "tier $tier " /tmp/stderr
verdict no_probe_is_refused_by_the_kernel "$(grep 'refuses it' /tmp/stderr)" \
	eval '! grep -q "refuses it" /tmp/stderr'
tracefs_picture /tmp/after
verdict capture_leaves_tracefs_as_it_was "tracefs differs, see the log" tracefs_same /tmp/before /tmp/after

if [ "$tier" = T0 ]; then
	skip probes_fire "this kernel has no kprobe events"
	network_down
	exit 0
fi

# ---- the printed lines do in a shell what a capture does
# Where members are, for a kernel that does not say.
release=$(uname -r)
layout=() file=/in/6.1-${release#*-}.structs
if [ ! -e /sys/kernel/btf/vmlinux ] && grep -qsx "kernel $release" "$file"; then
	layout=(--structs "$file")
fi
"$skbtrail" trace --dry-run "${layout[@]}" < /dev/null > /tmp/lines
dir=$(sed -n 's,^mkdir ,,p' /tmp/lines)
sed '/^# start/,$d' /tmp/lines > /tmp/setup
sed '1,/^# undo/d' /tmp/lines > /tmp/undo
sh -e /tmp/setup && status=0 || status=$?
verdict printed_set_up_works_when_pasted "status $status" [ "$status" = 0 ]
echo 0 > "$tracefs/options/hash-ptr" 2> /dev/null || true
echo 0 > "$dir/options/hash-ptr" 2> /dev/null || true
echo 1 > "$dir/tracing_on"
in_host ping -q -4 -c $pings -i 0.05 10.0.2.2 > /dev/null
in_host bash -c 'echo x > /dev/udp/10.0.2.2/9' || true
in_host bash -c 'echo x > /dev/tcp/10.0.2.2/9' 2> /dev/null || true
sleep 0.3
echo 0 > "$dir/tracing_on"
cat "$dir/trace" > /tmp/text
echo 1 > "$tracefs/options/hash-ptr" 2> /dev/null || true
sh -e /tmp/undo && status=0 || status=$?
verdict printed_undo_works_when_pasted "status $status" [ "$status" = 0 ]
tracefs_picture /tmp/after
verdict printed_lines_leave_tracefs_as_it_was "tracefs differs, see the log" \
	tracefs_same /tmp/before /tmp/after
sed 's/.*: \([a-z_0-9A-Z]*\): .*/\1/; /^#/d' /tmp/text | sort | uniq -c | sort -rn

# ---- what has to fire, did
problems=
for event in ip_output ip_rcv ip_local_deliver icmp_rcv __alloc_skb_ret skb_release_head_state; do
	fires $event $((2 * pings)) || problems+=" $event"
done
for event in icmp_echo br_handle_frame; do
	fires $event $pings || problems+=" $event"
done
for event in udp_rcv __icmp_send __icmp_send_ret tcp_v4_rcv tcp_v4_send_reset tcp_v4_send_reset_ret \
	skb_clone_ret; do
	fires $event 1 || problems+=" $event"
done
verdict every_hop_of_a_ping_is_seen "missing:$problems" [ -z "$problems" ]

# ---- and what they say is true
if [ -e /sys/kernel/btf/vmlinux ] || [ ${#layout[@]} -gt 0 ]; then
	host=$(stat -L -c %i /run/netns/host)
	web=$(stat -L -c %i /run/netns/web)
	line=$(line_of icmp_rcv 1)
	verdict netns_of_a_device_is_told "not $web in: $line" [ "$(field ns "$line")" = "$web" ]
	verdict header_in_the_window_is_that_of_the_packet "$(header "$line"): $line" \
		[ "$(header "$line")" = '4 10.0.2.1 10.0.2.2' ]
	line=$(line_of icmp_rcv 2)
	verdict answer_is_seen_where_it_arrives "$(header "$line") $host: $line" \
		[ "$(header "$line") $(field ns "$line")" = "4 10.0.2.2 10.0.2.1 $host" ]
	verdict device_name_is_told "$line" [ "$(field name "$line")" = '"br0"' ]
	line=$(line_of ip_output 1)
	verdict netns_of_a_socket_is_told "not $host in: $line" [ "$(field sns "$line")" = "$host" ]
else
	skip header_in_the_window_is_that_of_the_packet "$file is not for $release: run tests/vm/make-structs"
fi

# ---- killed: cleaned by clean, or by the next start
trace_start
if wait_until 30 some_defined; then
	trace_kill
	verdict sigkill_leaves_probes_for_clean "there are none, the test is of no use" some_defined
	timeout -k 5 60 "$skbtrail" clean > /tmp/clean 2>&1 < /dev/null || true
	cat /tmp/clean
	tracefs_picture /tmp/after
	verdict clean_removes_probes_of_a_killed_skbtrail "tracefs differs, see the log" \
		tracefs_same /tmp/before /tmp/after
else
	fail sigkill_leaves_probes_for_clean "no probe came up: $(cat /tmp/stderr)"
	trace_kill
fi
trace_start
wait_until 30 some_defined || true
trace_kill
timeout -k 5 60 "$skbtrail" trace -d 0.1 > /dev/null 2> /tmp/stderr < /dev/null || true
verdict next_start_removes_probes_of_a_killed_skbtrail "$(defined) left" none_defined
verdict next_start_tells_what_it_removed "$(cat /tmp/stderr)" grep -q 'removed .*skbtrail_' /tmp/stderr

# ---- functions that the user names
status=0
"$skbtrail" record --probe __netif_receive_skb_core:*1 --probe veth_xmit:1 -o /tmp/x.dat \
	-- ip netns exec host ping -q -c 1 10.0.2.2 > /dev/null 2> /tmp/stderr < /dev/null || status=$?
trace-cmd report /tmp/x.dat > /tmp/text 2> /dev/null || true
verdict named_functions_are_in_the_recording "status $status: $(cat /tmp/stderr)" \
	eval 'fires veth_xmit 2 && fires __netif_receive_skb_core 2'
# the kernel itself refuses this one, part of the handling of probes
"$skbtrail" record --probe notify_die:1 -d 0.1 -o /tmp/x.dat > /dev/null 2> /tmp/stderr < /dev/null && status=0 || status=$?
verdict named_function_that_is_refused_is_an_error "status $status: $(cat /tmp/stderr)" \
	eval "[ $status = 1 ] && grep -q 'probe on notify_die' /tmp/stderr"
verdict refused_function_leaves_nothing "$(defined) left" none_defined

# ---- signals, and an error behind the set-up
for signal in INT TERM HUP QUIT; do
	trace_start
	wait_until 30 some_defined || true
	kill "-$signal" $pid
	{ wait $pid || true; } 2> /dev/null
	verdict "sig${signal}_removes_the_probes" "$(defined) left" none_defined
done
"$skbtrail" trace -i no-such-device > /dev/null 2>&1 < /dev/null || true
verdict failing_start_removes_the_probes "$(defined) left" none_defined
tracefs_picture /tmp/after
verdict probes_leave_tracefs_as_it_was_in_the_end "tracefs differs, see the log" \
	tracefs_same /tmp/before /tmp/after
network_down
