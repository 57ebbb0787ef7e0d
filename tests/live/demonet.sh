#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The demo's network on this machine's own kernel: tests/live/demonet.sh PROGRAM
#
# In:  PROGRAM, built from demonet_try.c.
# Out: its checks, and that neither its end nor SIGKILL leaves anything of the network. Exit status
#      0, 1 with what is wrong, or 77 with why it was skipped.
set -uo pipefail

try=$(realpath "${1:?Usage: tests/live/demonet.sh PROGRAM}")
work=$(mktemp -d)
marker=skbtest$$
trap 'rm -rf "$work"; ip netns del "$marker" 2> /dev/null' EXIT

# What the rest of the machine has; flags and states may change by themselves.
network_state()
{
	ip -o link | cut -d: -f1,2
	ip -o addr | awk '{ print $2, $3, $4 }'
	ip netns list
	ip route show table all
	ip -6 route show table all
	sysctl net.ipv4.ping_group_range net.ipv4.icmp_ratelimit 2> /dev/null
	sysctl net.ipv6.conf.default 2> /dev/null
}

same_network()
{
	network_state > "$work/after"
	diff "$work/before" "$work/after" && return
	echo "WRONG: the machine's network is not as it was after $1"
	exit 1
}

# The program's two netns cannot be listed once it is gone. So each gets one end of a veth pair whose
# other end is in a netns of ours: that one vanishes with the netns.
mark()
{
	local pid=$1 n=0 fd

	ip netns add "$marker" || return
	for fd in /proc/"$pid"/fd/*; do
		[[ $(readlink "$fd") == net:* ]] || continue
		n=$((n + 1))
		ip -n "$marker" link add "m$n" type veth peer name "x$n" netns "$fd" || return
	done
	[[ $n -eq 2 ]]
}

marks_are_gone()
{
	local i

	for ((i = 0; i < 100; i++)); do
		[[ $(ip -o -n "$marker" link | grep -c ': m[0-9]') -gt 0 ]] || return 0
		sleep 0.1
	done
	return 1
}

if [[ $(id -u) -ne 0 ]] || ! unshare -n true 2> /dev/null; then
	echo "SKIP: no network namespaces here"
	exit 77
fi
network_state > "$work/before"
for mode in quiet again; do
	"$try" "$mode" > "$work/out" 2>&1 || {
		cat "$work/out"
		exit 1
	}
	same_network "its end"
done
grep -v '^ok' "$work/out"

mkfifo "$work/hold"
for delay in 0.00 0.01 0.02 0.03 2; do
	"$try" hold < "$work/hold" > /dev/null 2>&1 &
	pid=$!
	exec 3> "$work/hold"
	sleep "$delay"
	[[ $delay != 2 ]] || mark "$pid" || wrong="its netns could not be marked"
	kill -KILL "$pid"
	wait "$pid" 2> /dev/null
	exec 3>&-
done
marks_are_gone || wrong="a network namespace outlived SIGKILL"
ip netns del "$marker"
same_network "SIGKILL"
if [[ -n ${wrong:-} ]]; then
	echo "WRONG: $wrong"
	exit 1
fi
