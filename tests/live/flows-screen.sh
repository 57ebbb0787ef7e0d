#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The screen of skbtrail flows, on a terminal that tmux keeps: tests/live/flows-screen.sh BINARY [--doc]
#
# Traffic is that of flows_load.py, in a network namespace without a name. With --doc, the captures in
# doc/flows-screen.md are made again; without, they must have the columns and rows that the screen has.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
skbtrail=$(realpath "${1:?Usage: tests/live/flows-screen.sh BINARY [--doc]}")
doc=$here/../../doc/flows-screen.md
update=${2:-}
unset TMUX NO_COLOR
export LC_ALL=C.UTF-8

fail()
{
	echo "$*"
	[[ ! -f screen ]] || sed 's/^/  | /' screen
	exit 1
}

for program in tmux python3 unshare; do
	command -v "$program" > /dev/null || {
		echo "SKIP: no $program"
		exit 77
	}
done

terminal=skbtrail-$$
load_fd=
work=$(mktemp -d)
cd "$work" || exit 1

tmux_do()
{
	tmux -L "$terminal" -f /dev/null "$@"
}

# shellcheck disable=SC2317 # called by the trap
finish()
{
	[[ -z $load_fd ]] || exec {load_fd}>&-
	tmux_do kill-server 2> /dev/null
	wait
	cd / && rm -rf "$work"
}
trap finish EXIT

# -- the terminal ---------------------------------------------------------------------------------

capture()
{
	tmux_do capture-pane -p -t pane > screen
}

press()
{
	tmux_do send-keys -t pane "$@"
}

# shows PATTERN: within ten seconds a line of the screen does.
shows()
{
	local try

	for try in {1..100}; do
		capture
		! grep -qE -e "$1" screen || return 0
		sleep 0.1
	done
	fail "after $((try / 10)) s no line of the screen is '$1'"
}

is()
{
	[[ $(tmux_do display-message -p -t pane "$2") == "$3" ]] || fail "$1"
}

resize()
{
	tmux_do resize-window -t pane -x "$1" -y "$2"
}

# on COMMAND...: in the terminal; its process is the one in the file pid.
on()
{
	rm -f pid after
	press "clear; stty -a > before; bash -c 'echo \$\$ > pid; exec $*'; echo \$? > code; stty -a > after" Enter
}

ended()
{
	local try

	for try in {1..100}; do
		[[ ! -s after ]] || break
		sleep 0.1
	done
	capture
	[[ -s after ]] || fail "$1: still there after $((try / 10)) s"
	[[ $(cat code) -eq 0 ]] || fail "$1: exit status $(cat code)"
	sed -i 's/rows [0-9]*; columns [0-9]*; //' before after
	cmp -s before after || fail "$1: the terminal is not as it was: $(diff before after)"
	is "$1: no cursor" '#{cursor_flag}' 1
	is "$1: the alternate screen is still there" '#{alternate_on}' 0
	is "$1: keys of the keypad are still others" '#{keypad_flag}#{keypad_cursor_flag}' 00
	! compgen -G '/sys/kernel/tracing/instances/skbtrail-'"$(cat pid)" > /dev/null ||
		fail "$1: the instance is left"
}

# -- what must be on it ---------------------------------------------------------------------------

start_load()
{
	mkfifo load
	# shellcheck disable=SC2016 # for the other shell
	unshare --net bash -c 'ip link set lo up
		ip address add 10.77.0.1/32 dev lo
		ip address add 10.77.0.2/32 dev lo
		ip address add fd00:77:1234:5678:9abc:def0:1122:3344/128 dev lo nodad
		ip address add fd00:77:1234:5678:9abc:def0:1122:4455/128 dev lo nodad
		exec "$0"' "$here/flows_load.py" < load > load.out 2>&1 &
	exec {load_fd}> load
}

# rate NAME COLUMN LEAST MOST: whether the screen says so of a process, in kB a second; COLUMN from the right.
rate()
{
	awk -v name="demo-$1" -v column="$2" -v least="$3" -v most="$4" '
		$2 == name { value = $(NF - column); ok = sub(/kB$/, "", value) && value + 0 >= least && value + 0 <= most }
		END { exit !ok }' screen
}

# steady COLUMN: 10 times 10,000 bytes, and 10 times 2,000, are 100 and 20 kB; one more or less of them each second.
# COLUMN is where TX/s is.
steady()
{
	rate web "$1" 88 112 && rate curl "$(($1 + 1))" 88 112 && rate db "$1" 17 23 && rate app "$(($1 + 1))" 17 23
}

# Stop at an interval in which nothing else kept the traffic from being what it is meant to be.
pause_when_steady()
{
	local try

	for try in {1..30}; do
		capture
		if steady "$1"; then
			press Space
			shows ' PAUSED$'
			! steady "$1" || return 0
			press Space
		fi
		sleep 0.7
	done
	fail "never the rates that the traffic has, in $try tries"
}

# The head and the rows of a capture, without what is another number each time.
shape()
{
	grep -E '^ *PID +COMM' "$1"
	awk '$2 ~ /^demo-/ { print $2, $3, $4, $5 }' "$1" | LC_ALL=C sort
	tail -n 1 "$1"
}

# block NAME: what the document shows.
block()
{
	awk -v mark="<!-- screen: $1 -->" '
		$0 == mark { found = 1; next }
		found && /^```$/ { exit }
		found && !/^```/ { print }' "$doc"
}

put_block()
{
	awk -v mark="<!-- screen: $1 -->" -v file="$2" '
		$0 == mark { print; getline; print; while ((getline line < file) > 0) print line; skip = 1; next }
		skip && /^```$/ { skip = 0 }
		!skip' "$doc" > doc.new
	cat doc.new > "$doc"
}

is_in_doc()
{
	if [[ $update == --doc ]]; then
		put_block "$1" screen
		return
	fi
	[[ -f $doc ]] || return 0 # tests that are installed somewhere else
	block "$1" > shown
	shape shown > shown.shape
	shape screen > screen.shape
	diff shown.shape screen.shape > difference ||
		fail "doc/flows-screen.md shows other rows or columns; flows-screen.sh BINARY --doc makes it: $(cat difference)"
}

# -- the tests ------------------------------------------------------------------------------------

tmux_do new-session -d -s pane -x 80 -y 24 'bash --norc --noprofile' || fail "tmux does not start"

on "$skbtrail flows"
shows '^flows by socket  every 1 s'
is "the cursor is to be seen" '#{cursor_flag}' 0
is "it is not the alternate screen" '#{alternate_on}' 1
start_load
press /demo- Enter
shows '^/demo-   h help'
for name in web curl db app; do
	shows "^ +[0-9]+ demo-$name +tcp .* [0-9]"
done
pause_when_steady 0
[[ $(wc -l < screen) -eq 24 ]] || fail "not 24 lines"
grep -q '^    PID COMM       PROTO LOCAL                REMOTE                 RX/s   TX/s$' screen ||
	fail "not these columns at 80"
grep -q '10\.77\.0\.1:443 ' screen || fail "an address is cut that need not be"
grep -qF '…' screen || fail "a long address is not cut visibly"
is_in_doc 80x24
cp screen before-pause
sleep 2.2
capture
cmp -s screen before-pause || fail "a pause does not stand still: $(diff screen before-pause)"
resize 200 50
shows 'RX-SUM TX-SUM .* STATE +AGE-s$'
press Space
pause_when_steady 6
[[ $(wc -l < screen) -eq 50 ]] || fail "not 50 lines"
grep -qF ' [fd00:77:1234:5678:9abc:def0:1122:3344]:5432 ' screen || fail "an address is cut at 200"
! grep -qF '…' screen || fail "something is cut at 200"
grep -q ' ESTABLISHED ' screen || fail "no state"
is_in_doc 200x50
[[ $update != --doc ]] || exit 0

# Keys.
press Space
press x
shows '  sort TX/s '
press R
shows '  sort TX/s reversed '
[[ $(awk '$2 ~ /^demo-/ { print $2 }' screen | tail -n 1) == demo-web ]] || fail "the most does not come last"
press Right
shows '  sort RX-SUM '
press Left Left
shows '  sort RX/s '
[[ $(awk '$2 ~ /^demo-/ { print $2 }' screen | head -n 1) == demo-curl ]] || fail "the most does not come first"
press Down
shows '^local  10\.77\.0\.2:50001  tcp  pid [0-9]+ demo-curl'
shows '^remote 10\.77\.0\.1:443  ESTABLISHED '
press Escape
press h
shows '^KEYS'
press h
press / no-such-text
shows '^no row has this text'
is "no cursor where text is typed" '#{cursor_flag}' 1
press Escape
shows '^ +[0-9]+ demo-web '
press b
shows '^flows by pid '
shows '^PID .* RX-SUM'
shows '^[0-9]+ demo-web '
press / C-u Enter
press b b
shows '^10\.77\.0\.1 '
press b
shows '^tcp/443 '
press b b
shows '^flows by socket '
resize 100 30
shows 'RX/s   TX/s RX-SUM TX-SUM'
resize 30 6
shows 'RX/s   TX/s$'
resize 8 2
sleep 0.3
resize 80 24
shows '^    PID COMM  '

# Waiting costs nothing to speak of: ticks of 10 ms.
before=$(awk '{ print $14 + $15 }' "/proc/$(cat pid)/stat")
sleep 3
after=$(awk '{ print $14 + $15 }' "/proc/$(cat pid)/stat")
[[ $((after - before)) -lt 60 ]] || fail "$((after - before)) ticks of CPU time in 3 seconds"

# Every way out.
press q
ended "after q"
for signal in INT TERM HUP QUIT; do
	on "$skbtrail flows 0.5"
	shows '^flows by socket  every 0.5 s .* rows?$'
	if [[ $signal == INT ]]; then
		press C-c
	else
		kill -s "$signal" "$(cat pid)"
	fi
	ended "after SIG$signal"
done
on "$skbtrail flows -v 0.5 2"
ended "after two intervals"
grep -q '^skbtrail: bytes from ' screen || fail "messages of the screen's time are not there after it"
on "$skbtrail flows"
shows '^flows by socket'
press C-z
shows 'Stopped'
is "no cursor while it is stopped" '#{cursor_flag}' 1
rm after # the shell went on without it
press 'fg; echo $? > code; stty -a > after' Enter
shows '^flows by socket'
press q
ended "after Ctrl-Z"

# Where no screen can be, there are lines.
resize 200 50
on "env TERM=no-such-terminal $skbtrail flows 0.5 2"
ended "TERM that nobody knows"
grep -q 'lines instead of a screen: TERM=no-such-terminal' screen || fail "no reason for lines"
grep -q '^ *[0-9]* demo-web ' screen || fail "no lines with a terminal that nobody knows"
on "env TERM=dumb $skbtrail flows 0.5 2"
ended "dumb terminal"
grep -q '^ *[0-9]* demo-web ' screen || fail "no lines on a dumb terminal"
on "$skbtrail flows --batch 0.5 2"
ended "with --batch"
grep -q '^ *[0-9]* demo-web ' screen || fail "no lines with --batch"
exit 0
