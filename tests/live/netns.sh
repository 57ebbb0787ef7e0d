#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The snapshot of network namespaces against the truth: tests/live/netns.sh PROGRAM
#
# In:  PROGRAM, built from netns_dump.c.
# Out: builds a network with ip(8), compares what PROGRAM prints with "ip -j -d link" of each netns,
#      removes it again. Exit status 0, 1 with what differs, or 77 with why it was skipped.
set -uo pipefail

dump=$(realpath "${1:?Usage: tests/live/netns.sh PROGRAM}")
p=skbtest$$.
work=$(mktemp -d)
sleeper=

skip()
{
	echo "SKIP: $*"
	exit 77
}

cleanup()
{
	local ns

	[[ -z $sleeper ]] || kill "$sleeper"
	ip -o netns list 2> /dev/null | sed 's/ .*//' | grep -F "$p" | while read -r ns; do
		ip netns del "$ns"
	done
	rm -rf "$work"
}

# pair NETNS DEVICE NETNS DEVICE [INDEX]: a veth pair; INDEX is the ifindex of both ends.
pair()
{
	ip -n "$1" link add "$2" ${5:+index "$5"} type veth peer name "$4" ${5:+index "$5"} netns "$3"
}

build()
{
	local i

	for i in host web db lone left1 right1 left2 right2 left3 right3; do
		ip netns add "$p$i" || return
		ip -n "$p$i" link set lo up
	done
	ip -n "${p}host" link add br0 type bridge
	pair "${p}host" veth1 "${p}web" eth0
	pair "${p}host" veth2 "${p}db" eth0
	pair "${p}host" inner1 "${p}host" inner2
	for i in 1 2 3; do
		# All six ends have the same number: only the kernel can say who belongs to whom.
		pair "${p}left$i" eth0 "${p}right$i" eth0 40
	done
	ip -n "${p}host" link set veth1 master br0 up
	ip -n "${p}host" link set br0 up
	ip -n "${p}web" link set eth0 up
	ip -n "${p}host" link add link veth1 name veth1.5 type vlan id 5 2> /dev/null
	ip -n "${p}host" link add link veth2 name mv0 netns "${p}web" type macvlan 2> /dev/null
	ip -n "${p}host" link add dummy0 type dummy 2> /dev/null
	ip -n "${p}host" link add vx0 type vxlan id 9 dstport 4789 2> /dev/null
	ip netns exec "${p}host" unshare -n sleep 60 &
	sleeper=$!
	sleep 0.2
}

# ask NETNS-INODE...: what ip(8) says about each, as one JSON object.
truth()
{
	local ns

	for ns in $(ip -o netns list | sed 's/ .*//' | grep -F "$p"); do
		echo "$(stat -L -c %i "/run/netns/$ns") $ns $(ip -n "$ns" -j -d link)"
	done
	echo "$(stat -L -c %i "/proc/$sleeper/ns/net") pid:$sleeper(sleep)" \
		"$(nsenter --net="/proc/$sleeper/ns/net" ip -j -d link)"
	echo "$(stat -L -c %i /proc/self/ns/net) - $(ip -j -d link)"
}

compare()
{
	python3 - "$1" "$2" "$p" << 'EOP'
import json, sys

snap = json.load(open(sys.argv[1]))
prefix = sys.argv[3]
truth = {}
for line in open(sys.argv[2]):
    inum, name, links = line.split(" ", 2)
    truth[int(inum)] = (name, {link["ifindex"]: link for link in json.loads(links)})
ours = {ns["inum"]: ns for ns in snap["netns"]}
names = {ns["name"]: ns["inum"] for ns in snap["netns"]}
wrong = []
devices = 0

def check(ok, *words):
    if not ok:
        wrong.append(" ".join(map(str, words)))

for inum, (name, links) in truth.items():
    ns = ours.get(inum)
    if not ns:
        check(False, name, "is missing")
        continue
    check(name in ("-", ns["name"]), name, "is called", ns["name"])
    check("unread" not in ns, name, "was not read")
    mine = {dev["ifindex"]: dev for dev in ns["devices"]}
    check(set(mine) == set(links), name, "has", sorted(links), "not", sorted(mine))
    for ifindex in set(mine) & set(links):
        link, dev = links[ifindex], mine[ifindex]
        devices += 1
        what = "%s:%s:" % (name, link["ifname"])
        kind = link.get("linkinfo", {}).get("info_kind", "")
        if link["link_type"] == "loopback":
            kind = "lo"
        check(dev["name"] == link["ifname"], what, "is called", dev["name"])
        check(dev.get("kind", "") == kind, what, "is a", dev.get("kind"))
        check(dev.get("up", False) == ("UP" in link["flags"]), what, "flags", link["flags"])
        if link["link_type"] == "ether":
            mac = dev.get("mac", "00:00:00:00:00:00")
            check(mac == link["address"], what, "has MAC", mac)
        master = mine.get(dev.get("master"), {}).get("name")
        check(master == link.get("master"), what, "master", master, link.get("master"))
        elsewhere = "link_netnsid" in link or "link_netns" in link
        check(elsewhere == ("link_netns" in dev or "link_unknown" in dev), what, "link", dev)
        if "link_index" in link:
            check(dev.get("link") == link["link_index"], what, "link", dev.get("link"))
        if "link" in link and not elsewhere and link["link"]:
            check(mine.get(dev.get("link"), {}).get("name") == link["link"], what, "lower", dev)

pairs = [("host", "veth1", "web", "eth0"), ("host", "veth2", "db", "eth0")]
pairs += [("left%d" % i, "eth0", "right%d" % i, "eth0") for i in (1, 2, 3)]
pairs += [(ns2, dev2, ns1, dev1) for ns1, dev1, ns2, dev2 in pairs]
for ns1, dev1, ns2, dev2 in pairs:
    here = ours[names[prefix + ns1]]
    there = ours[names[prefix + ns2]]
    dev = next(d for d in here["devices"] if d["name"] == dev1)
    peer = next(d for d in there["devices"] if d["name"] == dev2)
    check(dev.get("link_netns") == there["inum"] and dev["link"] == peer["ifindex"],
          ns1, dev1, "should lead to", ns2, dev2, "not", dev)
macvlan = [d for d in ours[names[prefix + "web"]]["devices"] if d.get("kind") == "macvlan"]
for dev in macvlan:
    check(dev.get("link_netns") == names[prefix + "host"], "macvlan leads to", dev)
print("%d netns, %d devices, %d pair ends, %d macvlan across" %
      (len(truth), devices, len(pairs), len(macvlan)))
for line in wrong:
    print("WRONG:", line)
sys.exit(bool(wrong))
EOP
}

[[ $(id -u) -eq 0 ]] || skip "not root"
for program in ip python3 nsenter unshare; do
	command -v "$program" > /dev/null || skip "no $program"
done
trap cleanup EXIT
build || skip "no network namespaces here"
"$dump" > "$work/snap" 2> "$work/err" || {
	cat "$work/err"
	exit 1
}
truth > "$work/truth"
compare "$work/snap" "$work/truth" || exit 1

# 100 netns, each joined to the first by a veth pair, in under 200 ms.
for ((i = 0; i < 90; i++)); do
	ip netns add "${p}n$i" && pair "${p}lone" "v$i" "${p}n$i" eth0
done
"$dump" 5 2>&1 > "$work/snap" | sed 's/^/100 netns: /' | tee "$work/time"
awk '{ exit !($3 < 200) }' "$work/time" || exit 1
if grep -q link_unknown "$work/snap"; then
	echo "WRONG: a peer was not found"
	exit 1
fi
