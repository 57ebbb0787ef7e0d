# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: what discover offers first reads the truth, in the words in which it is printed.
#
# The client is curl, or peer (tests/vm/peer.c), which is also the server; both say which addresses their
# sockets have. Of each operation the definition that is offered first is put into kprobe_events as printed, the
# client runs once more, and address and port in the records are compared with what it says. Nothing may be left in
# tracefs.

set -euo pipefail
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
peer=/in/peer
tracing=/sys/kernel/tracing
mine=$tracing/instances/as-printed
port=8000

# ask NAME QUESTION ARG...: the answer in /tmp/NAME
ask()
{
	local name=$1

	shift
	timeout 100 "$skbtrail" discover "$@" > "/tmp/$name" 2> /tmp/stderr < /dev/null || echo "status $?" >> "/tmp/$name"
	cat "/tmp/$name" /tmp/stderr
}

# part NAME TITLE: the operation of /tmp/NAME whose line begins with TITLE
part()
{
	awk -v "title=$2" 'index($0, title) == 1 { on = 1 } on && !NF { exit } on' "/tmp/$1"
}

# names NAME TITLE FUNCTION: whether it is the first one there that is explained
names()
{
	part "$1" "$2" > /tmp/part
	[ "$(sed -n '2s/^ *[0-9]*=* *//p' /tmp/part)" = "$3" ] && grep -q "every call passes it" /tmp/part
}

# offered_right NAME TITLE: whether the definition offered first was right whenever it could be judged
offered_right()
{
	part "$1" "$2" > /tmp/part
	grep -qE '^  Offered first: .*, right in [1-9]' /tmp/part
}

# The definition as printed, and its event's name.
definition()
{
	part "$1" "$2" | sed -n "s/^ *\(echo '[pr]:trail\/.* >> .*kprobe_events\)$/\1/p" | head -n 1
}

# hexaddr ADDRESS: as laddr or laddr6 show it
bytes()
{
	case $1 in
	::1) echo '{0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x0,0x1}' ;;
	*) echo "{${1//./,}}" ;;
	esac
}

# same_as_truth FIELD4 FIELD6: each socket of /tmp/truth is in a record of /tmp/records
same_as_truth()
{
	local found=0 addr num field

	while read -r _ addr num _; do
		field=$([ "$addr" = ::1 ] && echo laddr6 || echo laddr)
		if grep -F "lport=$num " /tmp/records > /tmp/of_port && grep -qF "$field=$(bytes "$addr")" /tmp/of_port; then
			found=$((found + 1))
		else
			return 1
		fi
	done < <(grep ^truth /tmp/truth)
	[ "$found" -gt 0 ]
}

# run_definition NAME TITLE COMMAND...: put it in as printed, run COMMAND, take it out
run_definition()
{
	local line

	line=$(definition "$1" "$2")
	shift 2
	[ -n "$line" ] || return 1
	bash -c "$line" || return 1
	mkdir $mine
	echo 1 > $mine/events/trail/enable
	"$@" > /tmp/truth < /dev/null
	echo 0 > $mine/events/trail/enable
	cat $mine/trace > /tmp/records
	rmdir $mine
	cat /tmp/truth
	sed -n '/^#/!p' /tmp/records
	echo '-:trail/'"$(sed -n 's/^echo .[pr]:trail\/\([a-z0-9_]*\) .*/\1/p' <<< "$line")" >> $tracing/kprobe_events
	same_as_truth
}

# check NAME TITLE FUNCTION COMMAND...
check()
{
	local name=$1 title=$2 function=$3 what=${2//[, ]/_}

	shift 3
	verdict "${what}_names_$function" "see the log" names "$name" "$title" "$function"
	verdict "${what}_offers_what_was_right" "see the log" offered_right "$name" "$title"
	verdict "${what}_as_printed_reads_the_truth" "see the log" run_definition "$name" "$title" "$@"
}

# fetch URL...: by curl, with the truth as peer tells it
fetch()
{
	curl -s -w 'truth %{local_ip} %{local_port} %{remote_ip} %{remote_port}\n' "$@" | grep ^truth
}

of_curl()
{
	local v4=http://127.0.0.1:8080/ v6='http://[::1]:8080/'

	# three times, each over a connection of its own
	# shellcheck disable=SC2016 # expanded by the shell that runs it
	ask curled local-address -- bash -c 'for i in 1 2 3; do curl -s "$1"; curl -s "$2"; done' - "$v4" "$v6"
	check curled "connect, TCP IPv4" tcp_v4_connect fetch "$v4"
	check curled "connect, TCP IPv6" tcp_v6_connect fetch "$v6"
	check curled "send, TCP IPv4" tcp_sendmsg fetch "$v4"
	check curled "send, TCP IPv6" tcp_sendmsg fetch "$v6"
}

without_probes()
{
	ask plain local-address -- curl -s http://127.0.0.1:8080/
	verdict without_probes_it_answers "see the log" names plain "connect, TCP IPv4" tcp_v4_connect
	verdict without_probes_it_says_so "see the log" grep -q '^Not tried: .*no kprobe events' /tmp/plain
}

of_a_process()
{
	local pid

	$peer hold 4 $port 60 > /tmp/held < /dev/null &
	pid=$!
	wait_for 50 grep -q open /tmp/held
	ask open local-address -p $pid -d 2
	verdict open_connection_names_tcp_sendmsg "see the log" names open "send, TCP IPv4" tcp_sendmsg
	verdict open_connection_offers_what_was_right "see the log" offered_right open "send, TCP IPv4"
	verdict open_connection_has_no_connect "see the log" lacks /tmp/open tcp_v4_connect
	kill $pid
	wait $pid || true
}

lacks()
{
	! grep -q "$2" "$1"
}

wait_for()
{
	local turns=$1

	shift
	while ! "$@" 2> /dev/null; do
		turns=$((turns - 1))
		[ $turns -gt 0 ] || return 1
		sleep 0.1
	done
}

is_as_before()
{
	tracefs_picture /tmp/after
	tracefs_same /tmp/before /tmp/after
}

ip link set lo up
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing
$peer serve $port > /tmp/serve < /dev/null &
mkdir -p /tmp/web
echo hello > /tmp/web/index.html
busybox httpd -f -p '[::]:8080' -h /tmp/web &
wait_for 50 grep -q ready /tmp/serve
tracefs_warm_up
# function_graph at the top level makes its buffers larger for good
echo nop > $tracing/current_tracer
tracefs_picture /tmp/before

if [ ! -e $tracing/kprobe_events ]; then
	without_probes
	exit
fi
"$skbtrail" record --calls --tier T0 -q -o /tmp/all.dat -- $peer all $port > /tmp/stdout 2>&1 || cat /tmp/stdout
ask local local-address /tmp/all.dat -- $peer all $port
check local "send, UDP IPv4" udp_sendmsg $peer talk 4 udp $port 3
check local "send, UDP IPv6" udpv6_sendmsg $peer talk 6 udp $port 3
check local "receive, TCP IPv4" tcp_recvmsg $peer talk 4 tcp $port 3
check local "receive, TCP IPv6" tcp_recvmsg $peer talk 6 tcp $port 3
check local "receive, UDP IPv4" udp_recvmsg $peer talk 4 udp $port 3
check local "receive, UDP IPv6" udpv6_recvmsg $peer talk 6 udp $port 3
check local "accept, TCP" inet_csk_accept $peer accept 4 8001 2
of_curl
ask sent bytes-sent /tmp/all.dat --try 3 -- $peer talk 4 tcp $port 3
verdict sent_names_tcp_sendmsg "see the log" names sent "send, TCP IPv4" tcp_sendmsg
verdict sent_offers_what_was_right "see the log" offered_right sent "send, TCP IPv4"
of_a_process
verdict nothing_is_left "tracefs is not as before" is_as_before
