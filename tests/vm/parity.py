#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what skbtrail shows with what other tools show of the same packets.

In:  a directory of guest-parity.sh, a skbtrail that reads its recordings.
Out: a verdict a line: what perf trace, tracepkt (its facts, known from the rules), and pwru tell, skbtrail
     tells, too; 10 MB of TCP leave no two packets mixed up; a filter shows all pings and nothing else.
"""

import argparse
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

from truth_headers import json_layers

failed = False


def verdict(name, problems):
    global failed
    problems = list(problems)
    if not problems:
        print(f"ok parity_{name}")
        return
    failed = True
    print(f"FAIL parity_{name}: {'; '.join(problems[:3])}"
          + (f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""))


def read_packets(file):
    objects = [json.loads(line) for line in file.read_text().splitlines()]
    return [packet for packet in objects if "summary" not in packet]


def packets_of(directory, name, skbtrail):
    recording, out = directory / f"{name}.dat", directory / f"{name}.json"
    if skbtrail and recording.exists():
        with out.open("wb") as file:
            subprocess.run([skbtrail, "report", "--json", str(recording)], stdout=file, timeout=300,
                           stderr=subprocess.DEVNULL, check=False)
    return read_packets(out)


def event_of(hop):
    return hop["event"].split(":")[-1]


def base(address):
    return int(address, 16)


# ---- perf trace


PERF_EVENT = re.compile(r"net:(net_dev_queue|net_dev_start_xmit|netif_rx|netif_receive_skb)\((.*)\)\s*$")
# our events that stand for the same tracepoint, where the kernel cannot probe the event itself
SAME = {"dev_hard_start_xmit": "net_dev_start_xmit", "__dev_queue_xmit": "net_dev_queue",
        "__netif_receive_skb_core": "netif_receive_skb"}


def perf_ways(text):
    """{skb address: [(event, device)]} in order, as long as the address is not used anew."""
    ways = defaultdict(list)
    for line in text.splitlines():
        found = PERF_EVENT.search(line)
        if not found:
            continue
        skb = re.search(r"skbaddr: (0x[0-9a-f]+)", found[2])
        name = re.search(r'name: "?([\w.-]+)', found[2])
        if skb and name:
            ways[base(skb[1])].append((found[1], name[1]))
    return ways


def is_part(theirs, mine):
    """Whether perf's events are ours, in order. It shows none of those that come in an interrupt of itself."""
    for begin in range(len(mine)):
        left = list(theirs)
        for event, dev, task in mine[begin:]:
            if left and left[0] == (event, dev):
                left.pop(0)
            elif not left or len(left) == len(theirs) or task:
                break
        if not left:
            return True
    return False


def check_perf(directory, skbtrail):
    theirs = perf_ways((directory / "perf.txt").read_text(errors="replace"))
    ours = defaultdict(list)
    for packet in packets_of(directory, "perf", skbtrail):
        for hop in packet["hops"]:
            event = SAME.get(event_of(hop), event_of(hop))
            if event in ("net_dev_queue", "net_dev_start_xmit", "netif_rx", "netif_receive_skb") and "skb" in hop:
                ours[base(hop["skb"])].append((hop["ts_ns"], event, hop.get("dev"), hop.get("pid")))
    if sum(map(len, theirs.values())) < 30:
        yield "perf trace saw next to nothing"
    for skb, way in theirs.items():
        hops = sorted(ours[skb], key=lambda hop: hop[0])
        mine = [(event, dev) for _, event, dev, _ in hops]
        # one of the two may have begun earlier or ended later
        ended = any(way[i:i + len(mine)] == mine for i in range(len(way) - len(mine) + 1))
        if not mine or not ended and not is_part(way, [hop[1:] for hop in hops]):
            yield f"skb {skb:#x}: {mine}, not {way}"


# ---- tracepkt's facts


ORDER = {"PREROUTING": ("raw", "mangle", "nat"), "INPUT": ("mangle", "filter", "nat"),
         "OUTPUT": ("raw", "mangle", "nat", "filter"), "POSTROUTING": ("mangle", "nat")}


def tables_wanted(have, host, family, chains, first):
    """[TABLE.CHAIN:ACCEPT], by the priorities of netfilter; nat's only for a connection's first packet."""
    return [f"{table}.{chain}:ACCEPT" for chain in chains for table in ORDER[chain]
            if (host, family, table) in have and (first or table != "nat")]


def pings_of(packets, ident):
    """{(request or reply, seq): [packets]}"""
    pings = defaultdict(list)
    for packet in packets:
        icmp = packet.get("icmp", {})
        if icmp.get("id") == ident and icmp.get("type") in (0, 8, 128, 129):
            pings["request" if icmp["type"] in (8, 128) else "reply", icmp["seq"]].append(packet)
    return pings


def verdicts_in(packet, netns):
    """TABLE.CHAIN:VERDICT in a netns. A table's chain and netns are those of the hook that it is in."""
    hook, where, found = None, None, []
    for verdict in packet.get("verdicts", []):
        hook = verdict.get("hook", hook)
        where = packet["hops"][verdict["hop"]].get("netns", where)
        if "table" in verdict and where == netns:
            found.append(f"{verdict['table']}.{verdict.get('chain', hook)}:{verdict.get('verdict')}")
    return found


def check_tables(directory, skbtrail):
    have = {tuple(line.split()) for line in (directory / "tables.have").read_text().splitlines()}
    packets = packets_of(directory, "tables", skbtrail)
    for version, ident, family, ends in ((4, 4, "iptables-legacy", ("10.0.2.1", "10.0.2.2")),
                                         (6, 6, "ip6tables-legacy", ("fd00:2::1", "fd00:2::2"))):
        pings = pings_of(packets, ident)
        for what, out_host, in_host in (("request", "h", "a"), ("reply", "a", "h")):
            for seq in (1, 2, 3):
                name = f"IPv{version} {what} {ident}.{seq}"
                found = pings[what, seq]
                if len(found) != 1:
                    yield f"{name}: {len(found)} packets"
                    continue
                packet, t = found[0], found[0]["tuple"]
                if (t["src"], t["dst"]) != (ends if what == "request" else ends[::-1]):
                    yield f"{name}: {t['src']} > {t['dst']}"
                places = {(h.get("netns"), h.get("dev")) for h in packet["hops"]}
                for place in (("tables-h", "br0"), ("tables-h", "porta"), ("tables-a", "eth0")):
                    if place not in places:
                        yield f"{name}: not shown at {place}"
                first = seq == 1 and what == "request"
                for host, chains in ((out_host, ("OUTPUT", "POSTROUTING")), (in_host, ("PREROUTING", "INPUT"))):
                    wanted = tables_wanted(have, host, family, chains, first)
                    mine = verdicts_in(packet, f"tables-{host}")
                    if mine != wanted:
                        yield f"{name} in tables-{host}: {' '.join(mine)}, not {' '.join(wanted)}"


def check_drop(directory, skbtrail):
    packets = packets_of(directory, "drop", skbtrail)
    for ident in (14, 16):
        pings = pings_of(packets, ident)
        for seq in (1, 2):
            found = pings["request", seq]
            if len(found) != 1:
                yield f"request {ident}.{seq}: {len(found)} packets"
                continue
            if "filter.INPUT:DROP" not in verdicts_in(found[0], "tables-a"):
                yield f"request {ident}.{seq}: no filter.INPUT:DROP in {verdicts_in(found[0], 'tables-a')}"
            if found[0]["end"]["state"] != "dropped":
                yield f"request {ident}.{seq}: {found[0]['end']['state']}"
        if pings["reply", 1]:
            yield f"a reply to {ident}.1"


# ---- pwru


# TIME SKB CPU PROCESS FUNC TIMESTAMP netns= mark= iface= proto= mtu= len= TUPLE
PWRU_LINE = re.compile(r"0x[0-9a-f]+ +\d+ +\[.*\] +(\S+) +(\d+) netns=(\d+) mark=\S+ iface=(\d+)\S* "
                       r".* (\S+)->(\S+)\(icmp\)$")
PWRU_SLACK_NS = 2_000_000


def pwru_lines(directory):
    """Yields (time, netns inode, device or None, source, destination, reason or None, the line)."""
    devices = {}
    for line in (directory / "pwru.devices").read_text().splitlines():
        inum, number, name = line.split()
        devices[int(inum), int(number)] = name
    for line in (directory / "pwru.txt").read_text(errors="replace").splitlines():
        found = PWRU_LINE.search(line)
        if not found:
            continue
        function, time, inum, number, src, dst = found.groups()
        reason = re.search(r"SKB_DROP_REASON_(\w+)", function)
        yield (int(time), int(inum), devices.get((int(inum), int(number))), pwru_address(src), pwru_address(dst),
               reason and reason[1], f"{function} netns {inum} iface {number} {src}->{dst}")


def pwru_address(text):
    return text.rsplit(":", 1)[0].strip("[]")


def check_pwru(directory, name, ident, skbtrail):
    """pwru's clock is ours (mono); what it showed while our packets were under way must be in them."""
    mine = [p for p in packets_of(directory, name, skbtrail)
            if any(hop.get("icmp", {}).get("id") == ident for hop in [p, *p["hops"]])]
    if not mine:
        yield "skbtrail shows no such ping"
        return
    places, tuples, reasons = set(), set(), set()
    for packet in mine:
        layers = json_layers(packet)
        reasons |= {hop.get("reason") for hop in (packet["end"], *packet["hops"])}
        for hop in packet["hops"]:
            layers = json_layers(hop) or layers
            if "netns_inum" in hop:
                places |= {(hop["netns_inum"], hop.get(key)) for key in ("dev", "in", "out")}
                tuples |= {(hop["netns_inum"], layer.src, layer.dst) for layer in layers}
    times = [hop["ts_ns"] for packet in mine for hop in packet["hops"]]
    begin, end, seen = min(times) - PWRU_SLACK_NS, max(times) + PWRU_SLACK_NS, 0
    for time, inum, dev, src, dst, reason, line in pwru_lines(directory):
        if not begin <= time <= end:
            continue
        seen += 1
        if not inum:  # the skb was at no device any more, so pwru does not know where it was
            pass
        elif inum not in {place[0] for place in places}:
            yield f"was not in that netns: {line}"
        elif dev and (inum, dev) not in places:
            yield f"was not at {dev}: {line}"
        elif (inum, src, dst) not in tuples:
            yield f"had no such addresses: {line}"
        if reason and reason not in reasons:
            yield f"was not dropped for {reason} but {reasons - {None}}"
    if seen < 20:
        yield f"pwru showed {seen} lines"


# ---- much TCP


def check_bulk(packets, flow, size):
    """By sequence numbers: all bytes there, none in two packets, none of two packets in one."""
    port, data, identities = 50000 + flow, defaultdict(list), Counter()
    first = None
    for packet in packets:
        layer = json_layers(packet)[-1:]
        if not layer or layer[0].sport != port or not layer[0].tcp:
            continue
        layer = layer[0]
        if "S" in layer.tcp[0]:
            first = layer.tcp[1]
        seqs, joined = set(), any(link["kind"] in ("merge", "segment") for link in packet.get("links", []))
        layers = (layer,)
        for hop in packet["hops"]:
            layers = json_layers(hop) or layers
            seqs.add(layers[-1].tcp[1] if layers[-1].tcp else None)
        if len(seqs) > 1 and not joined:
            yield f"packet {packet['packet']} has sequence numbers {seqs}"
        if packet["complete"] not in ("complete", "gap", "unknown_end", "open"):
            yield f"packet {packet['packet']} is {packet['complete']}"
        # header sizes are not told: 32 bytes of TCP with time stamps
        payload = layer.len - (40 if layer.version == 6 else 20) - 32
        # what is short and not pushed has more options, as selective acknowledgements
        if (payload > 40 or payload > 0 and "P" in layer.tcp[0]) and "S" not in layer.tcp[0] and any("dev" in hop for hop in packet["hops"]):
            data[layer.tcp[1], payload].append(packet)
            identities[layer.tcp[1], payload, layer.id] += 1
    if first is None:
        yield "no SYN"
        return
    for (seq, payload, ident), count in identities.items():
        if count > 1:
            numbers = [p["packet"] for p in data[seq, payload]]
            if not all(p.get("links") for p in data[seq, payload]):
                yield f"seq {seq} id {ident}: packets {numbers[:4]}"
    marked = any(p["complete"] != "complete" for p in packets)
    at = 1
    for seq, payload in sorted(((seq - first) & 0xFFFFFFFF, payload) for seq, payload in data):
        if seq > at:
            if not marked:
                yield f"bytes {at} to {seq} are in no packet"
            at = seq
        at = max(at, seq + payload)
    if at != size + 1 and not marked:
        yield f"the stream ends at {at}"


# ---- a filter beside other traffic


def check_beside(directory):
    packets = read_packets(directory / "beside.json")
    said = re.search(r"(\d+) packets transmitted, (\d+) received", (directory / "beside.txt").read_text())
    if not said or said[1] != said[2]:
        yield f"ping: {said and said[0]}"
    others = [p for p in packets if p.get("tuple", {}).get("proto") != "ICMP"]
    if others:
        yield f"{len(others)} other packets, as {others[0].get('tuple')}"
    pings = pings_of(packets, 31)
    for what in ("request", "reply"):
        for seq in range(1, int(said[1] if said else 0) + 1):
            if len(pings[what, seq]) != 1:
                yield f"{what} {seq}: {len(pings[what, seq])} packets"
            elif pings[what, seq][0]["end"]["state"] != "delivered":
                yield f"{what} {seq}: {pings[what, seq][0]['end']['state']}"
    begin, end = (float((directory / f"beside.{name}").read_text().split()[0]) for name in ("begin", "end"))
    moved = sum(int(n) for n in re.findall(r"^tcp 3 [01] (\d+) ok", (directory / "beside.log").read_text(), re.M))
    print(f"beside: {moved / 1e6:.1f} MB moved, pings took {end - begin:.1f} s", file=sys.stderr)
    if moved < 2_000_000:
        yield f"only {moved} bytes went beside them"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="what guest-parity.sh left in /out/parity")
    parser.add_argument("--skbtrail", help="reads the recordings")
    options = parser.parse_args()
    where, skbtrail = options.directory, options.skbtrail
    parts = {line.split()[0] for line in (where / "parts").read_text().splitlines() if line.endswith(" ok")}
    checks = {
        "perf": ("perf_trace_shows_the_same_devices", lambda: check_perf(where, skbtrail)),
        "tables": ("tracepkts_facts_of_pings_are_told", lambda: check_tables(where, skbtrail)),
        "drop": ("tracepkts_facts_of_a_drop_are_told", lambda: check_drop(where, skbtrail)),
        "pwru-snat": ("all_that_pwru_shows_of_snat", lambda: check_pwru(where, "pwru-snat", 21, skbtrail)),
        "pwru-drop": ("all_that_pwru_shows_of_a_drop", lambda: check_pwru(where, "pwru-drop", 22, skbtrail)),
        "bulk": ("bulk_tcp_packets_are_not_mixed_up",
                 lambda: check_bulk(packets_of(where, "bulk", skbtrail), 1, 10_000_000)),
        "bulk-cut": ("bulk_tcp_segments_are_not_mixed_up",
                     lambda: check_bulk(packets_of(where, "bulk-cut", skbtrail), 2, 10_000_000)),
        "beside": ("filter_shows_all_pings_and_nothing_else", lambda: check_beside(where)),
    }
    for part, (name, check) in checks.items():
        if part in parts:
            try:
                verdict(name, check())
            except (OSError, ValueError, KeyError, IndexError) as error:
                verdict(name, [f"{type(error).__name__}: {error}"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
