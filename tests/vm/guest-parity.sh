# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: the same packets shown by skbtrail and by other tools, for parity.py to compare.
#
# Out: in /out/parity, for each part that this kernel can do: perf.dat and perf.txt (perf trace -e net:*);
#      tables.dat, drop.dat (pings through iptables rules); pwru-*.dat, pwru.txt and pwru.devices; bulk.dat and
#      bulk-cut.dat (10 MB over a bridge); beside.json with beside.txt and beside.log (pings beside other
#      traffic). parts: "NAME ok" or "NAME - why it was left out".

set -euo pipefail
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh
# shellcheck source=guest-truth-topologies.sh
. /in/guest-truth-topologies.sh

skbtrail=/in/skbtrail
out=/out/parity
hosts=()
servers=()
mkdir -p $out $here
: > $out/parts
read -ra record_options < <(cat /in/record-options 2> /dev/null || true) || true
settings

part()
{
	echo "$1 ok" >> $out/parts
}

left_out()
{
	echo "$1 - $2" >> $out/parts
	skip "parity_$1" "$2"
}

# record NAME COMMAND...: what happens while COMMAND runs, into NAME.dat; what it prints into NAME.log.
record()
{
	local name=$1

	shift
	timeout -k 5 180 "$skbtrail" record "${record_options[@]}" -b 64M -o "$out/$name.dat" -- "$@" \
		> "$out/$name.log" 2>&1 < /dev/null || {
		fail "parity_${name}_is_recorded" "$(tail -n 1 "$out/$name.log")"
		return 0
	}
	part "$name"
}

wants()
{
	[ ! -s /in/parts ] || grep -qw "$1" /in/parts
}

# ---- perf trace of a container's ping
if wants perf; then
	topology=perf
	star a
	in_ns h ping -q -c 1 -W 2 10.0.2.2 > /dev/null || true
	if timeout 30 perf trace -a -e 'net:*' -o $out/try.txt -- true 2> $here/error; then
		record perf perf trace -a -e 'net:*' -o $out/perf.txt -- ip netns exec perf-h ping -c 5 -i 0.05 10.0.2.2
	else
		left_out perf "perf trace does not run here: $(tail -n 1 $here/error)"
	fi
	rm -f $out/try.txt
	tear_down
fi

# ---- iptables' verdicts, with all tables
tables()
{
	local family name table

	for family in iptables-legacy ip6tables-legacy; do
		for name in h a; do
			for table in raw mangle nat filter; do
				in_ns $name $family -w -t $table -S > /dev/null 2> $here/error || continue
				echo "$name $family $table" >> $out/tables.have
			done
			# a rule that matches nothing, but has connections tracked: without, nat is passed over
			in_ns $name $family -w -t nat -A POSTROUTING -p 254 -j MASQUERADE
		done
	done
}
if wants tables; then
	topology=tables
	star a
	: > $out/tables.have
	tables
	if [ -s $out/tables.have ]; then
		record tables bash -c 'ip netns exec tables-h ping -4 -e 4 -c 3 -i 0.05 10.0.2.2; ip netns exec tables-h ping -6 -e 6 -c 3 -i 0.05 fd00:2::2'
		in_ns a iptables-legacy -w -A INPUT -p icmp -j DROP
		in_ns a ip6tables-legacy -w -A INPUT -p icmpv6 --icmpv6-type echo-request -j DROP
		record drop bash -c 'ip netns exec tables-h ping -4 -e 14 -c 2 -i 0.05 -W 0.2 10.0.2.2; ip netns exec tables-h ping -6 -e 16 -c 2 -i 0.05 -W 0.2 fd00:2::2; true'
	else
		left_out tables "$(tail -n 1 $here/error)"
	fi
	tear_down
fi

# ---- much TCP
if wants bulk; then
	topology=bulk
	star a b
	serve a
	record bulk ip netns exec bulk-b /in/traffic tcp 1 10.0.2.3 10.0.2.2 7000 10000000
	for name in a b; do
		offload $name eth0 tso off gso off gro off
		offload h port$name tso off gso off gro off
	done
	sleep 1
	record bulk-cut ip netns exec bulk-b /in/traffic tcp 2 10.0.2.3 10.0.2.2 7000 10000000
	tear_down
fi

# ---- pings beside much else
if wants beside; then
	topology=beside
	star a b
	serve a
	in_ns h ping -q -c 1 -W 2 10.0.2.2 > /dev/null || true
	(while :; do ip netns exec beside-b /in/traffic tcp 3 10.0.2.3 10.0.2.2 7000 2000000 || break; done) \
		> $out/beside.log 2>&1 &
	other=$!
	sleep 0.5
	# shellcheck disable=SC2016 # expanded later
	if timeout -k 5 120 "$skbtrail" trace "${record_options[@]}" -b 64M --json icmp -- sh -c \
		'cat /proc/uptime > /out/parity/beside.begin; ip netns exec beside-h ping -e 31 -c 100 -i 0.03 10.0.2.2 > /out/parity/beside.txt; cat /proc/uptime > /out/parity/beside.end' \
		> $out/beside.json 2> $out/beside.err < /dev/null; then
		part beside
	else
		fail parity_beside_is_traced "$(tail -n 1 $out/beside.err)"
	fi
	kill -- -$other 2> /dev/null || true
	tear_down
fi

# ---- pwru on a NATed and on a dropped packet. The last part: pwru takes a minute to take its probes away,
# and the guest need not wait for that.
pwru_start()
{
	/in/pwru/lib64/ld-linux-x86-64.so.2 --library-path /in/pwru/lib /in/pwru/bin/pwru --output-meta \
		--output-tuple --timestamp absolute --output-file $out/pwru.txt icmp > $out/pwru.err 2>&1 < /dev/null &
	pwru=$!
	wait_until 150 eval "grep -qi 'listening for events' $out/pwru.err || ! kill -0 $pwru 2> /dev/null"
	kill -0 $pwru 2> /dev/null
}

# Devices by netns, as pwru shows numbers.
devices()
{
	local ns

	for ns in "${hosts[@]}"; do
		ip -n "$ns" -o link | sed "s/^\([0-9]*\): \([^:@]*\).*/$(stat -L -c %i "/run/netns/$ns") \1 \2/"
	done > $out/pwru.devices
}

if wants pwru; then
	if [ ! -x /in/pwru/bin/pwru ]; then
		left_out pwru "no pwru was given"
	elif [ ! -e /sys/kernel/btf/vmlinux ]; then
		left_out pwru "pwru needs BTF"
	elif ! needs_snat; then
		left_out pwru "$reason"
	else
		# where pwru looks for the functions that can be traced
		mount -t debugfs debugfs /sys/kernel/debug 2> /dev/null || true
		topology=snat
		up_snat
		in_ns a ping -q -c 1 -W 2 192.168.9.2 > /dev/null || true
		devices
		if pwru_start; then
			record pwru-snat ip netns exec snat-a ping -e 21 -c 1 -W 2 192.168.9.2
			nft_in r 'add table ip filter; add chain ip filter forward { type filter hook forward priority 0; }; add rule ip filter forward ip protocol icmp drop'
			record pwru-drop ip netns exec snat-a ping -e 22 -c 1 -W 0.5 192.168.9.2 || true
			sleep 2
			kill -KILL -- -$pwru
		else
			left_out pwru "pwru does not run here: $(tail -n 1 $out/pwru.err)"
		fi
	fi
fi
