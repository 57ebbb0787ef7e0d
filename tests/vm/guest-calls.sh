# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: function_graph is used with nothing lost, and tracefs is afterwards as it was, whatever happened.
#
# The client is bash itself (/dev/tcp), which connects and then writes; the server answers over IPv4 and IPv6.
# trace-cmd is asked what is in the recordings. Where function_graph cannot run in an instance, the machine's own
# tracing is what is recorded, so everything about it is compared file by file.

set -euo pipefail
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
saved=/run/skbtrail/function_graph
# shellcheck disable=SC2016 # expanded by the shell that runs it
client='exec 3<>/dev/tcp/$1/8000; printf "GET / HTTP/1.0\r\n\r\n" >&3; while read -r -t 5 line <&3; do :; done'

# run COMMAND...: status in $status, output in /tmp/stdout and /tmp/stderr
run()
{
	status=0
	timeout -k 5 200 "$@" > /tmp/stdout 2> /tmp/stderr < /dev/null || status=$?
}

ended_well_and_said()
{
	[ "$status" = 0 ] && said "$1"
}

# record NAME OPTION...: all calls into /tmp/NAME.dat
record()
{
	local name=$1

	shift
	run "$skbtrail" record --calls -o "/tmp/$name.dat" "$@"
	cat /tmp/stderr
	trace-cmd report "/tmp/$name.dat" > "/tmp/$name.txt" 2> /dev/null || true
}

said()
{
	grep -qsE -- "$1" /tmp/stderr
}

is_as_before()
{
	tracefs_picture /tmp/after
	[ ! -e "$saved" ] && tracefs_same /tmp/before /tmp/after
}

restored()
{
	verdict "$1" "tracefs is not as before, see the log" is_as_before
}

# calls FILE SYSCALL FUNCTION: whether FUNCTION was called below an entry of SYSCALL, by trace-cmd
calls()
{
	awk -v "root=__[a-z0-9_]+_sys_$2\\\\(" -v "wanted=[^a-z_.]$3[.a-z0-9]*\\\\(" '
		/funcgraph_entry/ && match($0, /\| +/) {
			depth = RLENGTH
			if (inside && depth <= from)
				inside = 0
			if (inside && $0 ~ wanted)
				found = 1
			if (!inside && $0 ~ root) {
				inside = 1
				from = depth
			}
		}
		END { exit !found }' "$1"
}

whole_recording()
{
	# with few probes: many take long to define and to remove, and are other tests' business
	record all --hops minimal -- bash -c "$client; exec 3>&-; set -- ::1; $client" - 127.0.0.1
	verdict calls_are_recorded_without_loss "status $status, see the log" \
		ended_well_and_said '[0-9]+ bytes of records, 0 records lost'
	for want in connect:tcp_v4_connect connect:tcp_v6_connect write:tcp_sendmsg read:tcp_recvmsg; do
		verdict "${want##*:}_is_below_${want%%:*}" "not so in trace-cmd report" \
			calls /tmp/all.txt "${want%%:*}" "${want##*:}"
	done
	restored state_is_restored_after_a_recording
}

# chain PATTERN: a packet's chain of calls in what trace printed
chain()
{
	grep -qE -- "$1" /tmp/stdout
}

# Each kernel and tier has stack traces, also one without function_graph.
chains()
{
	# shellcheck disable=SC2016 # expanded by the shell that runs it
	run env LC_ALL=C.UTF-8 "$skbtrail" trace --tier T0 -- bash -c 'curl -s "$1" "$2"' - http://127.0.0.1:8000/ 'http://[::1]:8000/'
	cat /tmp/stderr
	grep -B 1 'net_dev_queue lo' /tmp/stdout | grep -v '^ *0 ns' || true
	verdict a_syn_shows_the_calls_from_connect "no such chain" \
		chain '^ +connect → inet_stream_connect → tcp_v4_connect → tcp_connect → … → net_dev_queue lo'
	verdict a_syn_over_ipv6_does_too "no such chain" \
		chain '^ +connect → inet_stream_connect → tcp_v6_connect → tcp_connect → … → net_dev_queue lo'
	verdict a_request_shows_the_calls_from_sendto "no such chain" \
		chain '^ +sendto → (inet6?_sendmsg → )?tcp_sendmsg → .* → net_dev_queue lo'
	restored state_is_restored_after_a_trace
}

live_calls()
{
	run env LC_ALL=C.UTF-8 "$skbtrail" calls --tier T0 -- bash -c "$client" - 127.0.0.1
	cat /tmp/stderr
	head -n 30 /tmp/stdout
	verdict calls_of_a_command_are_shown "status $status" chain '^connect TCP IPv4: 1 call by bash'
	verdict they_are_shown_as_a_tree "no tcp_v4_connect" chain '[├└] tcp_v4_connect( |$)'
	restored state_is_restored_after_calls
}

# background COMMAND...: record --calls in the background until it says that it records; its process in $pid
background()
{
	rm -f /tmp/stderr
	"$skbtrail" record --calls --tier T0 -o /tmp/background.dat "$@" > /dev/null 2> /tmp/stderr < /dev/null &
	pid=$!
	wait_until 90 said 'skbtrail: recording' || fail a_recording_begins "not within 90 s: $(cat /tmp/stderr)"
	sleep 1
}

interrupted_recording()
{
	bash -c "while :; do ($client); sleep 0.3; done" - 127.0.0.1 > /dev/null 2>&1 &
	loop=$!
	background -b 64K -p "$loop"
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	kill -KILL "$loop"
	{ wait "$loop" || true; } 2> /dev/null
	cat /tmp/stderr
	verdict a_full_buffer_is_told "no number of lost records" said '[0-9]+ bytes of records, [0-9]+ records lost'
	verdict ctrl_c_ends_a_recording "status $status" [ "$status" = 0 ]
	restored state_is_restored_after_ctrl_c
}

killed_recording()
{
	background -- sleep 60
	kill -KILL "$pid"
	{ wait "$pid" || true; } 2> /dev/null
	verdict what_to_restore_is_kept_to_oneself "mode of $saved" [ "$(stat -c %a "$saved")" = 600 ]
	run "$skbtrail" clean
	cat /tmp/stdout /tmp/stderr
	verdict clean_restores_what_a_killed_one_left "status $status" grep -q '^restored settings' /tmp/stdout
	restored state_is_restored_after_kill_and_clean
}

process_that_ends()
{
	sleep 100 &
	target=$!
	background -p "$target"
	kill "$target"
	{ wait "$target" || true; } 2> /dev/null
	verdict the_end_of_the_process_ends_the_recording "still there after 40 s" wait_until 40 ended "$pid"
	restored state_is_restored_after_the_process_ended
	record gone --tier T0 -p "$target"
	verdict a_process_that_is_not_there_is_told "status $status" said "there is no process $target"
}

ended()
{
	! kill -0 "$1" 2> /dev/null
}

failing_command()
{
	run "$skbtrail" record --calls --tier T0 -o /tmp/none.dat -- /no/such/command
	cat /tmp/stderr
	verdict a_command_that_cannot_start_is_told "status $status" said 'No such file|not found'
	restored state_is_restored_without_a_command
}

# Somebody else has set something, and has a file open: is that told, and is it left as it is?
foreign_user()
{
	local list=set_graph_function

	sleep 100 3< $tracefs/trace_clock &
	other=$!
	echo ip_rcv > $tracefs/$list
	record foreign --tier T0 -- true
	verdict a_foreign_user_is_respected "status $status" said "$list has 'ip_rcv'"
	verdict who_it_is_is_told "no process in the message" said "process $other \\(sleep\\) has trace_clock open"
	verdict what_is_foreign_stays "$(cat $tracefs/$list)" [ "$(cat $tracefs/$list)" = ip_rcv ]
	echo > $tracefs/$list
	kill "$other"
	{ wait "$other" || true; } 2> /dev/null
	echo function_graph > $tracefs/current_tracer
	record foreign --tier T0 -- true
	verdict a_foreign_tracer_is_respected "status $status" said "current_tracer is 'function_graph'"
	echo nop > $tracefs/current_tracer
	echo > $tracefs/trace
	restored nothing_is_changed_beside_a_foreign_user
}

program_32_bit()
{
	if [ ! -x /in/client32 ]; then
		skip calls_of_a_32_bit_program_are_recorded "it could not be built"
	elif ! /in/client32; then
		skip calls_of_a_32_bit_program_are_recorded "this kernel runs none"
	else
		record old --tier T0 -- /in/client32
		verdict calls_of_a_32_bit_program_are_recorded "no __ia32_ connect in trace-cmd report" calls /tmp/old.txt connect tcp_v4_connect
		restored state_is_restored_after_a_32_bit_program
	fi
}

ip link set lo up
mkdir -p /tmp/www
echo hello > /tmp/www/index.html
busybox httpd -f -p '[::]:8000' -h /tmp/www &
server=$!
answers()
{
	bash -c "$client" - 127.0.0.1 2> /dev/null
}
wait_until 10 answers
tracefs_warm_up
tracefs_picture /tmp/before
chains
if ! grep -qw function_graph $tracefs/available_tracers; then
	record none -- true
	verdict a_kernel_without_function_graph_is_told "status $status" said 'has no function_graph'
	exit 0
fi
# the test sets tracers at the top level itself, which makes its buffers larger for good
echo nop > $tracefs/current_tracer
tracefs_picture /tmp/before
whole_recording
live_calls
interrupted_recording
killed_recording
process_that_ends
failing_command
foreign_user
program_32_bit
kill "$server"
