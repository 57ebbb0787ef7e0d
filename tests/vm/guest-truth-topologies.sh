# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: the networks of the truth harness and the traffic for each.
#
# A topology NAME is two functions: up_NAME builds it, go_NAME sends. Its network namespaces are called
# NAME-x. needs_NAME, where there is one, says what a kernel must have for it.
# What go_NAME sends, and what must become of it, is in /out/.../traffic.log:
#   flow NUMBER TOPOLOGY LABEL KIND VERSION SRC DST [EXPECT]
# EXPECT tells truth.py what is special: drop=..., closed, ... ; without it packets are delivered.

# How much of each; every packet of it is looked at.
pings=12 datagrams=12 stream_bytes=40000

# shellcheck disable=SC2034 # guest-truth.sh builds these
topologies=(bridge routed snat dnat nftdrop iptdrop vxlan vxlan6 gre gre6 ipip sit ip6tnl vlan macvlan
	ipvlan2 ipvlan3 bond tun wg tcpoff tcpgso tcpgro frag fragmtu closed flood mcast delay loss)

# ---- building

here=/run/truth
topology=

# host NAME...: network namespaces of the topology.
host()
{
	local name

	printf "netns add $topology-%s\n" "$@" | ip -batch -
	for name; do
		link "$name" lo
		hosts+=("$topology-$name")
	done
}

# settings: of all network namespaces to come. No waiting for duplicate addresses, no looking for routers.
settings()
{
	local conf

	echo 1 > /proc/sys/net/core/devconf_inherit_init_net
	for conf in all default; do
		echo 0 > /proc/sys/net/ipv6/conf/$conf/accept_dad
		echo 0 > /proc/sys/net/ipv6/conf/$conf/router_solicitations
		echo 0 > /proc/sys/net/ipv4/conf/$conf/rp_filter
	done
	for conf in msgs_per_sec msgs_burst; do
		[ ! -e /proc/sys/net/ipv4/icmp_$conf ] || echo 100000 > /proc/sys/net/ipv4/icmp_$conf
	done
}

# unlimited NAME...: as many ICMP errors as there are reasons for some.
unlimited()
{
	local name

	for name; do
		# shellcheck disable=SC2016 # expanded in the netns
		in_ns "$name" sh -c '
			echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
			echo 0 > /proc/sys/net/ipv6/icmp/ratelimit'
	done
}

# in_ns NAME COMMAND...
in_ns()
{
	local ns=$topology-$1

	shift
	ip netns exec "$ns" "$@"
}

# ip_in NAME ARGUMENTS...: ip(8) there.
ip_in()
{
	local ns=$topology-$1

	shift
	ip -n "$ns" "$@"
}

# link NAME DEV [ADDRESS...]: up, with addresses.
link()
{
	local ns=$1 dev=$2 address nodad

	shift 2
	{
		echo "link set $dev up"
		for address; do
			nodad=nodad
			[[ $address = *:* ]] || nodad=
			echo "address add $address dev $dev $nodad"
		done
	} | ip_in "$ns" -batch -
}

# cable NAME1 DEV1 NAME2 DEV2: a veth pair.
cable()
{
	ip_in "$1" link add "$2" type veth peer name "$4" netns "$topology-$3"
}

# bridge_in NAME DEV PORT...
bridge_in()
{
	local ns=$1 dev=$2 port

	shift 2
	ip_in "$ns" link add "$dev" type bridge forward_delay 0 mcast_snooping 0
	for port; do
		ip_in "$ns" link set "$port" master "$dev" up
	done
	ip_in "$ns" link set "$dev" up
}

router()
{
	# shellcheck disable=SC2016 # expanded in the netns
	in_ns "$1" sh -c '
		echo 1 > /proc/sys/net/ipv4/ip_forward
		echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
}

# default NAME ADDRESS...: default routes.
default()
{
	local ns=$1 via

	shift
	for via; do
		ip_in "$ns" route add default via "$via"
	done
}

# offload NAME DEV FEATURE on|off...
offload()
{
	local ns=$1

	shift
	in_ns "$ns" ethtool -K "$@" > /dev/null
}

# serve NAME [GROUP%DEV...]: answers UDP and TCP on port 7000.
serve()
{
	local log=$here/serve.$topology-$1 ns=$1

	shift
	# appended to, so that it can be emptied between two runs
	rm -f "$log"
	in_ns "$ns" /in/traffic serve 7000 "$@" >> "$log" 2>&1 < /dev/null &
	servers+=($!)
	wait_until 10 grep -qs ^serving "$log"
}

# tear_down: what was built, and who serves in it.
tear_down()
{
	local pid ns

	for pid in "${servers[@]}"; do
		# the whole job: it is a shell that waits for the server
		kill -- "-$pid" 2> /dev/null || true
	done
	wait
	for ns in "${hosts[@]}"; do
		ip netns delete "$ns" || true
	done
	hosts=()
	servers=()
}

# two_hosts PREFIX: a and b with a cable, eth0 each.
two_hosts()
{
	host a b
	cable a eth0 b eth0
	link a eth0 192.168.9.1/24 fd00:9::1/64
	link b eth0 192.168.9.2/24 fd00:9::2/64
}

# chain: a -- r -- b, routed.
chain()
{
	host a r b
	cable a eth0 r left
	cable b eth0 r right
	link a eth0 10.1.0.2/24 fd00:1::2/64
	link r left 10.1.0.1/24 fd00:1::1/64
	link r right 192.168.9.1/24 fd00:9::1/64
	link b eth0 192.168.9.2/24 fd00:9::2/64
	router r
	default a 10.1.0.1 fd00:1::1
	default b 192.168.9.1 fd00:9::1
	serve b
}

# star PORTS: h with br0 and as many hosts at it as letters are given.
star()
{
	local i=2 name ports=()

	host h
	for name; do
		host "$name"
		cable h "port$name" "$name" eth0
		link "$name" eth0 "10.0.2.$i/24" "fd00:2::$i/64"
		ports+=("port$name")
		i=$((i + 1))
	done
	bridge_in h br0 "${ports[@]}"
	link h br0 10.0.2.1/24 fd00:2::1/64
}

# ---- what a kernel must have

# Why something cannot be built; guest-truth.sh shows it.
# shellcheck disable=SC2034
reason=

# link_kind KIND [OPTION...]: whether such devices can be made.
link_kind()
{
	local kind=$1 error

	shift
	ip link add truthprobe type "$kind" "$@" 2> "$here/error" || {
		error=$(< "$here/error")
		case $error in
		*"Unknown device type"* | *"not supported"*) reason="this kernel has no $kind devices" ;;
		*) return 0 ;; # what is wrong will show
		esac
		return 1
	}
	ip link delete truthprobe
}

# nft_has RULE: whether a rule with that statement or expression can be made.
nft_has()
{
	local type=$1 rule=$2

	if nft "add table ip truthprobe; add chain ip truthprobe c { $type }; add rule ip truthprobe c $rule" \
		2> "$here/error"; then
		nft delete table ip truthprobe
		return 0
	fi
	nft delete table ip truthprobe 2> /dev/null || true
	reason="nftables of this kernel cannot do: $rule"
	return 1
}

needs_snat() { nft_has 'type nat hook postrouting priority 100;' masquerade; }
needs_dnat() { nft_has 'type nat hook prerouting priority -100;' 'meta l4proto udp dnat to 10.0.0.1'; }
needs_nftdrop() { nft_has 'type filter hook forward priority 0;' 'udp dport 7900 drop'; }
needs_iptdrop()
{
	iptables-legacy -w -S > /dev/null 2>&1 && ip6tables-legacy -w -S > /dev/null 2>&1 && return
	reason="this kernel has no iptables of the old kind"
	return 1
}
needs_vxlan() { link_kind vxlan id 7 dstport 4789 local 127.0.0.1 remote 127.0.0.2; }
needs_vxlan6() { needs_vxlan; }
needs_gre() { link_kind gre local 127.0.0.1 remote 127.0.0.2; }
needs_gre6() { link_kind ip6gre local ::1 remote ::2; }
needs_ipip() { link_kind ipip local 127.0.0.1 remote 127.0.0.2; }
needs_sit() { link_kind sit local 127.0.0.1 remote 127.0.0.2; }
needs_ip6tnl() { link_kind ip6tnl local ::1 remote ::2; }
needs_vlan() { link_of_dummy vlan id 10; }
needs_macvlan() { link_of_dummy macvlan; }
needs_ipvlan2() { link_of_dummy ipvlan; }
needs_ipvlan3() { link_of_dummy ipvlan; }
needs_bond() { link_kind bond; }
needs_wg() { link_kind wireguard; }
needs_tun()
{
	modprobe -q tun 2> /dev/null || true
	[ -c /dev/net/tun ] && return
	reason="this kernel has no tun devices"
	return 1
}
qdisc_netem()
{
	modprobe -q sch_netem 2> /dev/null || true
	tc qdisc add dev lo root netem delay 1ms 2> "$here/error" || {
		reason="this kernel has no netem"
		return 1
	}
	tc qdisc delete dev lo root
}
needs_delay() { qdisc_netem; }
needs_loss() { qdisc_netem; }

# link_of_dummy KIND [OPTION...]: devices on top of others.
link_of_dummy()
{
	local kind=$1 status=0

	shift
	ip link add truthlower type veth peer name truthother
	ip link add link truthlower name truthprobe type "$kind" "$@" 2> "$here/error" || status=1
	ip link delete truthlower
	# shellcheck disable=SC2034 # as above
	[ $status = 0 ] || reason="this kernel has no $kind devices"
	return $status
}

# ---- sending

flow=0

# send_ping FROM LABEL ADDRESS EXPECT [OPTION...]
send_ping()
{
	local from=$1 label=$2 address=$3 expect=$4 version=4

	shift 4
	[[ $address != *:* ]] || version=6
	flow=$((flow + 1))
	echo "flow $flow $topology $label ping $version $topology-$from $address $expect"
	in_ns "$from" ping "-$version" -n -q -c $pings -i 0.01 -W 2 -e $flow "$@" "$address" |
		sed -n "s/^\([0-9]*\) packets transmitted, \([0-9]*\) .*/ping $flow \1 \2/p" || true
}

# send_udp FROM LABEL SRC DST PORT EXPECT [BYTES [WAIT_MS [COUNT]]]
send_udp()
{
	local from=$1 label=$2 src=$3 dst=$4 port=$5 expect=$6 bytes=${7:-64} wait_ms=${8:-2000} version=4

	[[ $dst != *:* ]] || version=6
	flow=$((flow + 1))
	echo "flow $flow $topology $label udp $version $topology-$from $dst $expect"
	in_ns "$from" /in/traffic udp $flow "$src" "$dst" "$port" "${9:-$datagrams}" "$bytes" "$wait_ms" ||
		echo "failed $flow"
}

# send_tcp FROM LABEL SRC DST PORT EXPECT [BYTES]
send_tcp()
{
	local from=$1 label=$2 src=$3 dst=$4 port=$5 expect=$6 bytes=${7:-$stream_bytes} version=4

	[[ $dst != *:* ]] || version=6
	flow=$((flow + 1))
	echo "flow $flow $topology $label tcp $version $topology-$from $dst $expect"
	in_ns "$from" /in/traffic tcp $flow "$src" "$dst" "$port" "$bytes" || echo "failed $flow"
}

# send_all FROM SRC4 DST4 SRC6 DST6 [LABEL]: of everything something; a "-" leaves a version out.
send_all()
{
	local from=$1 label=${6:-}

	if [ "$3" != - ]; then
		send_ping "$from" "${label}ping4" "$3" -
		send_udp "$from" "${label}udp4" "$2" "$3" 7000 -
		send_tcp "$from" "${label}tcp4" "$2" "$3" 7000 -
	fi
	if [ "$5" != - ]; then
		send_ping "$from" "${label}ping6" "$5" -
		send_udp "$from" "${label}udp6" "$4" "$5" 7000 -
		send_tcp "$from" "${label}tcp6" "$4" "$5" 7000 -
	fi
}

# ---- the topologies

up_bridge()
{
	star a b
	serve h
	serve a
}
go_bridge()
{
	send_all h 10.0.2.1 10.0.2.2 fd00:2::1 fd00:2::2 down-
	send_all b 10.0.2.3 10.0.2.2 fd00:2::3 fd00:2::2 across-
}

up_routed() { chain; }
go_routed() { send_all a 10.1.0.2 192.168.9.2 fd00:1::2 fd00:9::2; }

# nft_in NAME RULES
nft_in()
{
	in_ns "$1" nft "$2"
}

up_snat()
{
	chain
	nft_in r 'table ip nat { chain post { type nat hook postrouting priority 100; oifname "right" masquerade; }; }'
	nft_in r 'table ip6 nat { chain post { type nat hook postrouting priority 100; oifname "right" masquerade; }; }'
}
go_snat() { go_routed; }

up_dnat()
{
	chain
	serve a
	nft_in r 'table ip nat { chain pre { type nat hook prerouting priority -100;
		iifname "right" ip daddr 192.168.9.1 meta l4proto { tcp, udp } th dport 8080 dnat to 10.1.0.2:7000;
		iifname "right" ip daddr 192.168.9.1 ip protocol icmp dnat to 10.1.0.2; }; }'
	nft_in r 'table ip6 nat { chain pre { type nat hook prerouting priority -100;
		iifname "right" ip6 daddr fd00:9::1 meta l4proto { tcp, udp } th dport 8080 dnat to [fd00:1::2]:7000;
		iifname "right" ip6 daddr fd00:9::1 icmpv6 type echo-request dnat to fd00:1::2; }; }'
}
go_dnat()
{
	send_ping b ping4 192.168.9.1 -
	send_udp b udp4 192.168.9.2 192.168.9.1 8080 -
	send_tcp b tcp4 192.168.9.2 192.168.9.1 8080 -
	send_ping b ping6 fd00:9::1 -
	send_udp b udp6 fd00:9::2 fd00:9::1 8080 -
	send_tcp b tcp6 fd00:9::2 fd00:9::1 8080 -
}

up_nftdrop()
{
	chain
	nft_in r 'table inet filter { chain forward { type filter hook forward priority 0;
		udp dport 7900 drop; tcp dport 7900 drop; }; }'
}
go_nftdrop()
{
	send_all a 10.1.0.2 192.168.9.2 fd00:1::2 fd00:9::2
	send_udp a dropped-udp4 10.1.0.2 192.168.9.2 7900 drop=FORWARD@r 64 0
	send_udp a dropped-udp6 fd00:1::2 fd00:9::2 7900 drop=FORWARD@r 64 0
}

up_iptdrop()
{
	local tables

	chain
	for tables in iptables-legacy ip6tables-legacy; do
		in_ns r $tables -w -A FORWARD -p udp --dport 7900 -j DROP
		in_ns b $tables -w -A INPUT -p udp --dport 7901 -j DROP
		in_ns a $tables -w -A OUTPUT -p udp --dport 7902 -j DROP
	done
}
go_iptdrop()
{
	send_all a 10.1.0.2 192.168.9.2 fd00:1::2 fd00:9::2
	send_udp a forward-udp4 10.1.0.2 192.168.9.2 7900 drop=filter.FORWARD@r 64 0
	send_udp a forward-udp6 fd00:1::2 fd00:9::2 7900 drop=filter.FORWARD@r 64 0
	send_udp a input-udp4 10.1.0.2 192.168.9.2 7901 drop=filter.INPUT@b 64 0
	send_udp a input-udp6 fd00:1::2 fd00:9::2 7901 drop=filter.INPUT@b 64 0
	send_udp a output-udp4 10.1.0.2 192.168.9.2 7902 drop=filter.OUTPUT@a 64 0
	send_udp a output-udp6 fd00:1::2 fd00:9::2 7902 drop=filter.OUTPUT@a 64 0
}

# tunnel DEV KIND OPTIONS OF A [OPTIONS OF B]: between two_hosts; inner addresses of both versions.
tunnel()
{
	local dev=$1 kind=$2 name other

	two_hosts
	shift 2
	for name in a b; do
		# shellcheck disable=SC2086 # options are words
		ip_in $name link add "$dev" type "$kind" $1
		[ $# = 1 ] || shift
	done
	for name in a b; do
		other=1
		[ $name = a ] || other=2
		case $kind in
		sit) link $name "$dev" "fd00:20::$other/64" ;;
		ipip) link $name "$dev" "10.20.0.$other/24" ;;
		*) link $name "$dev" "10.20.0.$other/24" "fd00:20::$other/64" ;;
		esac
	done
	serve b
}
go_tunnel() { send_all a 10.20.0.1 10.20.0.2 fd00:20::1 fd00:20::2; }

up_vxlan()
{
	tunnel vx0 vxlan 'dev eth0 id 7 dstport 4789 local 192.168.9.1 remote 192.168.9.2' \
		'dev eth0 id 7 dstport 4789 local 192.168.9.2 remote 192.168.9.1'
}
go_vxlan() { go_tunnel; }
up_vxlan6()
{
	tunnel vx0 vxlan 'dev eth0 id 8 dstport 4789 local fd00:9::1 remote fd00:9::2' \
		'dev eth0 id 8 dstport 4789 local fd00:9::2 remote fd00:9::1'
}
go_vxlan6() { go_tunnel; }
up_gre()
{
	tunnel tun1 gre 'local 192.168.9.1 remote 192.168.9.2 key 7' 'local 192.168.9.2 remote 192.168.9.1 key 7'
}
go_gre() { go_tunnel; }
up_gre6()
{
	tunnel tun1 ip6gre 'local fd00:9::1 remote fd00:9::2' 'local fd00:9::2 remote fd00:9::1'
}
go_gre6() { go_tunnel; }
up_ipip()
{
	tunnel tun1 ipip 'local 192.168.9.1 remote 192.168.9.2' 'local 192.168.9.2 remote 192.168.9.1'
}
go_ipip() { send_all a 10.20.0.1 10.20.0.2 - -; }
up_sit()
{
	tunnel tun1 sit 'local 192.168.9.1 remote 192.168.9.2' 'local 192.168.9.2 remote 192.168.9.1'
}
go_sit() { send_all a - - fd00:20::1 fd00:20::2; }
up_ip6tnl()
{
	tunnel tun1 ip6tnl 'mode any local fd00:9::1 remote fd00:9::2' \
		'mode any local fd00:9::2 remote fd00:9::1'
}
go_ip6tnl() { go_tunnel; }

# a and b have tagged devices, and so has the bridge's owner
up_vlan()
{
	local i=2 name

	host h a b
	for name in a b; do
		cable h port$name $name eth0
		link $name eth0
		ip_in $name link add link eth0 name eth0.10 type vlan id 10
		link $name eth0.10 "10.0.2.$i/24" "fd00:2::$i/64"
		i=$((i + 1))
	done
	bridge_in h br0 porta portb
	ip_in h link add link br0 name br0.10 type vlan id 10
	link h br0.10 10.0.2.1/24 fd00:2::1/64
	serve a
}
go_vlan()
{
	send_all h 10.0.2.1 10.0.2.2 fd00:2::1 fd00:2::2 down-
	send_all b 10.0.2.3 10.0.2.2 fd00:2::3 fd00:2::2 across-
}

# h's eth0 has a cable to x; a and b are virtual devices on top of eth0
on_top()
{
	local i=2 name kind=$1 mode=$2

	host h a b x
	cable h eth0 x eth0
	link h eth0
	link x eth0 10.0.2.9/24 fd00:2::9/64
	for name in a b; do
		ip_in h link add link eth0 name v$name netns "$topology-$name" type "$kind" mode "$mode"
		link $name v$name "10.0.2.$i/24" "fd00:2::$i/64"
		i=$((i + 1))
	done
	serve a
}
go_on_top()
{
	send_all x 10.0.2.9 10.0.2.2 fd00:2::9 fd00:2::2 outside-
	send_all b 10.0.2.3 10.0.2.2 fd00:2::3 fd00:2::2 across-
}
up_macvlan() { on_top macvlan bridge; }
go_macvlan() { go_on_top; }
up_ipvlan2() { on_top ipvlan l2; }
go_ipvlan2() { go_on_top; }
up_ipvlan3() { on_top ipvlan l3; }
go_ipvlan3()
{
	send_all b 10.0.2.3 10.0.2.2 fd00:2::3 fd00:2::2 across-
}

up_bond()
{
	local name i=1

	host a b
	cable a s0 b s0
	cable a s1 b s1
	for name in a b; do
		ip_in $name link add bond0 type bond mode balance-rr miimon 100
		ip_in $name link set s0 master bond0
		ip_in $name link set s1 master bond0
		link $name bond0 "10.3.0.$i/24" "fd00:3::$i/64"
		i=$((i + 1))
	done
	wait_until 10 in_ns a ping -q -c 1 -W 1 10.3.0.2 > /dev/null
	serve b
}
go_bond() { send_all a 10.3.0.1 10.3.0.2 fd00:3::1 fd00:3::2; }

up_tun()
{
	local name i=1

	host a b
	/in/traffic tun tun-a tun0 tun-b tun0 > "$here/serve.tun" 2>&1 < /dev/null &
	servers+=($!)
	wait_until 10 grep -qs ^serving "$here/serve.tun"
	for name in a b; do
		link $name tun0 "10.4.0.$i/24" "fd00:4::$i/64"
		i=$((i + 1))
	done
	serve b
}
go_tun() { send_all a 10.4.0.1 10.4.0.2 fd00:4::1 fd00:4::2; }

up_wg()
{
	local name i=1 other

	two_hosts
	for name in a b; do
		wg genkey > "$here/$name.key"
		wg pubkey < "$here/$name.key" > "$here/$name.pub"
	done
	for name in a b; do
		other=b
		[ $name = a ] || other=a
		ip_in $name link add wg0 type wireguard
		in_ns $name wg set wg0 private-key "$here/$name.key" listen-port 51820 peer "$(< "$here/$other.pub")" \
			allowed-ips 10.5.0.0/24,fd00:5::/64 endpoint "192.168.9.$((3 - i)):51820"
		link $name wg0 "10.5.0.$i/24" "fd00:5::$i/64"
		i=$((i + 1))
	done
	wait_until 20 in_ns a ping -q -c 1 -W 1 10.5.0.2 > /dev/null
	serve b
}
go_wg() { send_all a 10.5.0.1 10.5.0.2 fd00:5::1 fd00:5::2; }

# offloads NAME... with features: for every device at both ends and in between
bridge_with()
{
	star a b
	serve a
	offload a eth0 "$@"
	offload b eth0 "$@"
	offload h porta "$@"
	offload h portb "$@"
}
tcp_only()
{
	send_tcp b tcp4 10.0.2.3 10.0.2.2 7000 "$1" 300000
	send_tcp b tcp6 fd00:2::3 fd00:2::2 7000 "$1" 300000
	send_tcp h down-tcp4 10.0.2.1 10.0.2.2 7000 "$1" 300000
}
up_tcpoff() { bridge_with tso off gso off gro off; }
go_tcpoff() { tcp_only -; }
# big until the sender's device cuts them up
up_tcpgso() { bridge_with tso off gso on gro off; }
go_tcpgso() { tcp_only gso; }
# cut up by the sender, put together again by the receiver; with GRO a veth pair uses NAPI
up_tcpgro()
{
	bridge_with tso off gso off gro off
	offload a eth0 gro on
}
go_tcpgro() { tcp_only gro; }

up_frag() { chain; }
go_frag()
{
	send_ping a ping4 192.168.9.2 frag -s 4000
	send_udp a udp4 10.1.0.2 192.168.9.2 7000 frag 4000
	send_ping a ping6 fd00:9::2 frag -s 4000
	send_udp a udp6 fd00:1::2 fd00:9::2 7000 frag 4000
}

# the second link takes less: the router has to cut up IPv4, and to refuse IPv6
up_fragmtu()
{
	chain
	unlimited r
	ip_in r link set right mtu 1300
	ip_in b link set eth0 mtu 1300
}
go_fragmtu()
{
	send_udp a udp4 10.1.0.2 192.168.9.2 7000 frag 1400
	send_ping a ping4 192.168.9.2 frag -s 1400 -M dont
	send_udp a udp6 fd00:1::2 fd00:9::2 7000 frag,toobig 1400 300
}

up_closed()
{
	chain
	unlimited b
}
go_closed()
{
	send_udp a udp4 10.1.0.2 192.168.9.2 7999 closed
	send_tcp a tcp4 10.1.0.2 192.168.9.2 7999 closed
	send_udp a udp6 fd00:1::2 fd00:9::2 7999 closed
	send_tcp a tcp6 fd00:1::2 fd00:9::2 7999 closed
}

# d has moved away for the bridge: what is sent to it goes to all ports
up_flood()
{
	local name

	star a b c d
	serve d
	for name in a b c d; do
		in_ns h sh -c "echo 0 > /sys/class/net/br0/brif/port$name/learning"
	done
	ip_in h link set br0 type bridge ageing_time 0
}
go_flood()
{
	send_ping a ping4 10.0.2.5 flood
	send_udp a udp4 10.0.2.2 10.0.2.5 7000 flood
	send_ping a ping6 fd00:2::5 flood
	send_udp a udp6 fd00:2::2 fd00:2::5 7000 flood
}

up_mcast()
{
	star a b c d
	serve b 239.1.2.3%eth0 ff05::123%eth0
	serve c 239.1.2.3%eth0 ff05::123%eth0
	ip_in a route add 239.0.0.0/8 dev eth0
	ip_in a -6 route add ff05::/16 dev eth0 table local
}
go_mcast()
{
	send_udp a udp4 10.0.2.2 239.1.2.3 7000 mcast 64 0
	send_udp a udp6 fd00:2::2 ff05::123%eth0 7000 mcast 64 0
}

up_delay()
{
	chain
	in_ns r tc qdisc add dev right root netem delay 3ms
}
go_delay() { go_routed; }

# neighbours NAME1 DEV1 NAME2 DEV2: know each other for good.
neighbours()
{
	local address mac

	mac=$(in_ns "$3" cat "/sys/class/net/$4/address")
	for address in $(ip_in "$3" -o address show dev "$4" scope global | sed 's/.* inet6\? \([^/]*\).*/\1/'); do
		ip_in "$1" neigh replace "$address" dev "$2" lladdr "$mac" nud permanent
	done
}

# what netem loses, it loses before tcpdump could see it
up_loss()
{
	chain
	# who has to ask for an address that is lost waits for a second
	neighbours a eth0 r left
	neighbours r left a eth0
	neighbours b eth0 r right
	neighbours r right b eth0
	in_ns a tc qdisc add dev eth0 root netem loss 30%
	in_ns r tc qdisc add dev right root netem loss 30%
}
go_loss()
{
	send_udp a udp4 10.1.0.2 192.168.9.2 7000 loss=a.eth0,r.right 64 20
	send_udp a udp6 fd00:1::2 fd00:9::2 7000 loss=a.eth0,r.right 64 20
}
