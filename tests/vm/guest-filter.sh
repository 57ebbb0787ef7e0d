# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: a filter pushed down to the kernel keeps a flood of other packets out of the buffers, and nothing
# that is wanted is missed, also behind masquerading.
#
# What is wanted are connections to a closed port 80: a SYN and a reset each. How many there were tcpdump says;
# what a whole path looks like, and how many records it takes, a capture without filters in the kernel and without
# the flood.

set -euo pipefail
set -m
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

capture_dir=/tmp
connections=${CONNECTIONS:-30}
flood=${FLOOD:-600}

ext_up()
{
	ip netns add ext
	ip netns exec ext ip link set lo up
	ip -n host link add up0 type veth peer name eth0 netns ext
	ip -n host address add 192.168.9.1/24 dev up0
	ip -n ext address add 192.168.9.2/24 dev eth0
	ip -n host link set up0 up
	ip -n ext link set eth0 up
	ip -n web route add default via 10.0.2.1
	in_host sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
}

# Two ends of a tunnel, and addresses inside of it.
tunnel_up()
{
	ip -n host link add vx0 type vxlan id 7 local 192.168.9.1 remote 192.168.9.2 dstport 4789 dev up0 2> /dev/null ||
		return
	ip -n ext link add vx0 type vxlan id 7 local 192.168.9.2 remote 192.168.9.1 dstport 4789 dev eth0
	ip -n host address add 10.9.0.1/24 dev vx0
	ip -n ext address add 10.9.0.2/24 dev vx0
	ip -n host link set vx0 up
	ip -n ext link set vx0 up
	wait_until 20 in_host ping -q -c 1 -W 1 10.9.0.2 > /dev/null
}

masquerade()
{
	in_host nft 'table ip nat { chain post { type nat hook postrouting priority 100; oifname "up0" masquerade; }; }' 2> /dev/null
}

# connect NETNS ADDRESS: to port 80 there, one after the other
connect()
{
	# shellcheck disable=SC2016 # expanded in the netns
	ip netns exec "$1" bash -c 'for ((i = 0; i < '"$connections"'; i++)); do (exec 3<> /dev/tcp/'"$2"'/80) 2> /dev/null; done; true'
}

# pings NETNS ADDRESS
pings()
{
	ip netns exec "$1" ping -q -i 0.01 -c "$connections" "$2" > /dev/null
}

# others: packets that nobody asked for, of the same hosts
others()
{
	in_host ping -q -f -c "$flood" "${others:-10.0.2.2}" > /dev/null
}

with_flood()
{
	others &
	"$@"
	wait %%
}
export -f connect pings others in_host with_flood
export connections flood

# traced NAME OPTION... -- COMMAND...: /out/filter.NAME has the paths in brief, /out/filter.NAME.log the rest
traced()
{
	local name=$1

	shift
	timeout -k 5 120 /in/skbtrail trace -b 16M -v --brief "$@" > "/out/filter.$name" \
		2> "/out/filter.$name.log" < /dev/null
}

# count NAME WORD: the number before WORD in the summary
count()
{
	sed -n "s/^skbtrail: [0-9]* packets.*[ ,]\([0-9]*\) $2.*/\1/p" "/out/filter.$1.log"
}

# shapes NAME: the ways that paths took and how they ended, and how many took each
shapes()
{
	awk -F '  ' '{ sub(/[ :].*/, "", $3); print $2, $3 }' "/out/filter.$1" | sort | uniq -c
}

fewer_than_twice()
{
	[ "$(count "$1" records)" -le $((2 * $(count "$2" records))) ]
}

# all_there NAME: as many packets as tcpdump saw, all on their whole way
all_there()
{
	[ "$(count "$1" shown)" = "$2" ] && [ "$(shapes "$1")" = "$(shapes "$3")" ]
}

misses_calls()
{
	grep -q 'calls of probed functions were not recorded' "/out/filter.$1.log"
}

# filtered NAME EXPRESSION NETNS DEV COMMAND...: what COMMAND sends, beside the flood and without it; DEV of NETNS
# sees all of it
filtered()
{
	local name=$1 expression=$2 netns=$3 dev=$4 seen

	shift 4
	# where the kernel says that it could not record calls, packets may be taken for one: once more
	for _ in 1 2 3; do
		capture_start "$netns" "$dev"
		traced "$name.quiet" --no-push-down "$expression" -- bash -c "$*"
		capture_stop
		misses_calls "$name.quiet" || break
	done
	seen=$(tcpdump -Z root -n -r "$capture_dir/$netns.$dev.pcap" 'tcp port 80 or icmp' 2> /dev/null | wc -l)
	for _ in 1 2 3; do
		traced "$name.pushed" "$expression" -- bash -c "with_flood $*"
		if all_there "$name.pushed" "$seen" "$name.quiet" || ! misses_calls "$name.pushed"; then
			break
		fi
	done
	verdict "filter_${name}_misses_nothing" \
		"$(count "$name.pushed" shown) of $seen packets, or other ways: $(diff <(shapes "$name.pushed") <(shapes "$name.quiet") | head -n 12 | tr '\n' ';')" \
		all_there "$name.pushed" "$seen" "$name.quiet"
	verdict "filter_${name}_keeps_the_flood_out" \
		"$(count "$name.pushed" records) records, $(count "$name.quiet" records) of them wanted" \
		fewer_than_twice "$name.pushed" "$name.quiet"
	verdict "filter_${name}_is_taken_by_the_kernel" "$(grep -m 1 refuses "/out/filter.$name.pushed.log")" \
		not_refused "$name.pushed"
	echo "$name: $(count "$name.quiet" records) records wanted, $(count "$name.pushed" records) filtered"
}

# asks_for_address: whether the kernel is asked for 10.0.2.2 behind a link header
asks_for_address()
{
	/in/skbtrail trace --dry-run 'host 10.0.2.2 and tcp port 80' 2> /dev/null | grep 'a30w==0x202000a' > /dev/null
}

asks_for_no_address()
{
	! asks_for_address
}

not_refused()
{
	! grep -q 'refuses the filter' "/out/filter.$1.log"
}

if ! /in/skbtrail trace --dry-run icmp 2> /dev/null | grep '/filter$' > /dev/null; then
	skip filter "no probes with headers in this kernel"
	exit
fi
network_up
ext_up
verdict filter_without_nat_has_addresses "it has none" asks_for_address
filtered bridged 'host 10.0.2.2 and tcp port 80' web eth0 connect host 10.0.2.2
# the judge is one only if the flood gets in without filters
traced flood --no-push-down 'host 10.0.2.2 and tcp port 80' -- bash -c "with_flood connect host 10.0.2.2"
if fewer_than_twice flood bridged.quiet; then
	fail filter_is_flooded "only $(count flood records) records"
fi
if masquerade; then
	# learn the neighbours before
	ip netns exec web ping -q -c 1 -W 2 192.168.9.2 > /dev/null
	filtered snat 'host 10.0.2.2 and tcp port 80' web eth0 connect web 192.168.9.2
	verdict filter_knows_of_nat "it does not say so" grep -q 'as there is NAT' /out/filter.snat.pushed.log
	in_host nft delete table ip nat
	verdict filter_forgets_nat_that_is_gone "it has no addresses" asks_for_address
	if in_host iptables-legacy -w -t nat -S > /dev/null 2>&1; then
		verdict filter_knows_of_old_nat_tables "it has addresses" asks_for_no_address
	fi
else
	skip filter_snat "no masquerading in this kernel, or no nft here"
fi
if tunnel_up; then
	# inside of the tunnel; another flood, as an echo is an echo
	others=fd00:2::2 flood=$((flood / 2))
	export others flood
	filtered vxlan icmp ext vx0 pings host 10.9.0.2
else
	skip filter_vxlan "no VXLAN in this kernel"
fi
ip netns delete ext
network_down
