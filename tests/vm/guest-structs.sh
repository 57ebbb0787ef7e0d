# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# In the guest: whether "skbtrail structs" is right about this kernel. The judge is the kernel itself:
# kprobes read members at those places, and what they read has to be what is known without them: the
# device's name and number, the netns, addresses, ports, lengths and the mark of traffic made here.
#
# A kernel without type data gets /in/KERNEL.structs, made from its source by make-structs.

set -euo pipefail
# shellcheck source=guest-lib.sh
. /in/guest-lib.sh

skbtrail=/in/skbtrail
structs=/out/structs.text
instance=$tracefs/instances/structs-test
release=$(uname -r)

# at MEMBER: its offset
at()
{
	awk -v member="$1" '$1 == member { print $2 }' "$structs"
}

if [ -e /sys/kernel/btf/vmlinux ]; then
	# for compare_structs.py; 5.10 has no BTF of modules
	modprobe -q -a x_tables nf_tables 2> /dev/null || true
	mkdir /out/btf
	cp /sys/kernel/btf/{vmlinux,x_tables,nf_tables} /out/btf/ 2> /dev/null || true
	"$skbtrail" structs
	verdict structs_are_known_from_btf "exit status not 0" "$skbtrail" structs --save "$structs"
else
	if "$skbtrail" structs --no-cache > /tmp/structs 2>&1; then
		fail structs_without_type_data_are_unknown "$(head -n 1 /tmp/structs)"
	else
		ok structs_without_type_data_are_unknown
	fi
	file=/in/6.1-${release#*-}.structs
	if [ ! -w "$tracefs/kprobe_events" ]; then
		echo "no kprobe events: nothing in this kernel would read a member"
		exit 0
	elif ! grep -qx "kernel $release" "$file"; then
		skip structs_are_what_the_kernel_uses "$file is not for $release: run tests/vm/make-structs"
		exit 0
	fi
	"$skbtrail" structs --structs "$file" --save "$structs"
fi
cat "$structs"

# probe NAME FUNCTION ARGS...: in one write, as the kernel wants it
probe()
{
	echo "p:structs/$1 $2 ${*:3}" >> "$tracefs/kprobe_events"
}

# value EVENT FIELD [PATTERN]: of the first record of EVENT that has PATTERN in it
value()
{
	awk -v event=" $1: " -v field=" $2=" -v pattern="${3:- }" '
		!index($0, event) || $0 !~ pattern { next }
		(i = index($0, field)) {
			rest = substr($0, i + length(field))
			if (substr(rest, 1, 1) == "\"") { rest = substr(rest, 2); sub(/".*/, "", rest) }
			else sub(/ .*/, "", rest)
			print rest
			exit
		}' /out/trace
}

# same NAME EXPECTED GOT
problems=
compared=0
same()
{
	compared=$((compared + 1))
	[ "$2" = "$3" ] || problems+=" $1: expected '$2', read '$3';"
}

# shellcheck disable=SC2016 # the kernel's
skb='$arg1'
dev="+$(at sk_buff.dev)($skb)"
sk="+$(at sk_buff.sk)($skb)"
net="+$(at net_device.nd_net)($dev)"
sk_net="+$(at sock.__sk_common.skc_net)($sk)"
inum=$(at net.ns.inum)

network_up
mkdir "$instance"
# an skb on its way out: there is an Ethernet header, the network header is behind it
probe tx dev_hard_start_xmit \
	"name=+$(at net_device.name)($dev):string" \
	"ifindex=+$(at net_device.ifindex)($dev):u32" \
	"netns=+$inum($net):u32" \
	"sknetns=+$inum($sk_net):u32" \
	"len=+$(at sk_buff.len)($skb):u32" \
	"dlen=+$(at sk_buff.data_len)($skb):u32" \
	"mark=+$(at sk_buff.mark)($skb):x32" \
	"proto=+$(at sk_buff.protocol)($skb):x16" \
	"th=+$(at sk_buff.transport_header)($skb):u16" \
	"nh=+$(at sk_buff.network_header)($skb):u16" \
	"mh=+$(at sk_buff.mac_header)($skb):u16" \
	"tail=+$(at sk_buff.tail)($skb):u32" \
	"head=+$(at sk_buff.head)($skb):x64" \
	"data=+$(at sk_buff.data)($skb):x64" \
	"iif=+$(at sk_buff.skb_iif)($skb):u32"
# The route's device. Only packets sent here come by, with a counted route: the lowest bit of the
# pointer, a flag, is 0. (Following it with the flag set reads an address that is none, about which 5.10
# warns on some processors.)
probe out ip_finish_output2 \
	"ref=+$(at sk_buff._skb_refdst)(\$arg3):x64" \
	"name=+$(at net_device.name)(+$(at dst_entry.dev)(+$(at sk_buff._skb_refdst)(\$arg3))):string" \
	2> /dev/null || true
# a connected socket
probe udp udp_sendmsg \
	"family=+$(at sock.__sk_common.skc_family)(\$arg1):u16" \
	"state=+$(at sock.__sk_common.skc_state)(\$arg1):u8" \
	"daddr=+$(at sock.__sk_common.skc_daddr)(\$arg1):x32" \
	"saddr=+$(at sock.__sk_common.skc_rcv_saddr)(\$arg1):x32" \
	"dport=+$(at sock.__sk_common.skc_dport)(\$arg1):x16" \
	"num=+$(at sock.__sk_common.skc_num)(\$arg1):u16"
probe udp6 udpv6_sendmsg \
	"daddr=+$(at sock.__sk_common.skc_v6_daddr)(\$arg1):x64" \
	"dlow=+$(($(at sock.__sk_common.skc_v6_daddr) + 8))(\$arg1):x64" \
	"slow=+$(($(at sock.__sk_common.skc_v6_rcv_saddr) + 8))(\$arg1):x64" 2> /dev/null || true
# a file that is a socket: file -> socket -> sock
probe sock sock_write_iter \
	"num=+$(at sock.__sk_common.skc_num)(+$(at socket.sk)(+$(at file.private_data)(+0(\$arg1)))):u16"
echo 1 > "$instance/events/structs/enable"

in_host ping -q -c 1 -m 24301 -s 56 10.0.2.2 > /dev/null
# shellcheck disable=SC2016 # expanded in the netns
port=$(in_host bash -c 'exec 3<> /dev/udp/10.0.2.2/4242; echo hello >&3
	awk "\$3 == \"0202000A:1092\" { split(\$2, a, \":\"); print a[2] }" /proc/net/udp')
port=$((16#$port))
in_host bash -c 'exec 3<> /dev/udp/fd00:2::2/4243; echo hello >&3'
echo 0 > "$instance/tracing_on"
grep -v '^#' "$instance/trace" > /out/trace || true
for event in tx out udp udp6 sock; do
	[ ! -d "$tracefs/events/structs/$event" ] || echo 0 > "$instance/events/structs/$event/enable"
done
rmdir "$instance"
echo > "$tracefs/kprobe_events"

netns=$(in_host stat -Lc %i /proc/self/ns/net)
same netns "$netns" "$(value tx netns 'mark=0x5eed')"
same sknetns "$netns" "$(value tx sknetns 'mark=0x5eed')"
same name br0 "$(value tx name 'mark=0x5eed')"
same ifindex "$(in_host cat /sys/class/net/br0/ifindex)" "$(value tx ifindex 'mark=0x5eed')"
same port_ifindex "$(in_host cat /sys/class/net/vethweb/ifindex)" \
	"$(value tx ifindex 'name="vethweb".*mark=0x5eed')"
same len 98 "$(value tx len 'mark=0x5eed')"
same data_len 0 "$(value tx dlen 'mark=0x5eed')"
same protocol 0x8 "$(value tx proto 'mark=0x5eed')"
nh=$(value tx nh 'mark=0x5eed')
same mac_header $((nh - 14)) "$(value tx mh 'mark=0x5eed')"
same transport_header $((nh + 20)) "$(value tx th 'mark=0x5eed')"
same tail $((nh + 84)) "$(value tx tail 'mark=0x5eed')"
head=$(value tx head 'mark=0x5eed') data=$(value tx data 'mark=0x5eed')
same data $((nh - 14)) $((data - head))
same skb_iif 0 "$(value tx iif 'mark=0x5eed')"
if [ -n "$(value out ref)" ]; then
	same route br0 "$(value out name)"
fi
same family 2 "$(value udp family)"
same state 1 "$(value udp state)"
same daddr 0x202000a "$(value udp daddr)"
same saddr 0x102000a "$(value udp saddr)"
same dport 0x9210 "$(value udp dport)"
same num "$port" "$(value udp num)"
same file_socket_num "$port" "$(value sock num)"
if [ -n "$(value udp6 daddr)" ]; then
	same v6_daddr 0x20000fd "$(value udp6 daddr | sed 's/^0x0*/0x/')"
	same v6_daddr_low 0x200000000000000 "$(value udp6 dlow)"
	same v6_rcv_saddr_low 0x100000000000000 "$(value udp6 slow)"
fi
cat /out/trace
echo "$compared members compared"
verdict structs_are_what_the_kernel_uses "$problems" [ -z "$problems" ]
network_down
