#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the paths.json that a perfect skbtrail would make, from the captures and logs alone.

With it truth.py must find nothing wrong; truth_selftest.py spoils it in all kinds of ways, and truth.py
must find each. On a directory of guest-truth.sh it shows whether the expectations are true on a kernel:
  truth_ideal.py DIR && truth.py DIR
"""

import json
import sys
from pathlib import Path

from truth import read_batch, truths_of
from truth_expect import Expectations, read_log
from truth_headers import Layer


def as_json(layers):
    """The inverse of json_layers()."""
    if not layers:
        return {}
    layer, out = layers[0], {}
    if layer.arp:
        return {"arp": dict(zip(("op", "sender_ip", "target_ip"), layer.arp))}
    t = {name: getattr(layer, name) for name in ("version", "src", "dst", "proto", "sport", "dport", "id", "len")}
    t["proto"] = t["proto"] or {4: "IPIP", 6: "IPv6"}[layer.version]
    if layer.offset is not None:
        t["fragment"] = {"offset": layer.offset, "more": layer.more}
    out["tuple"] = without_none(t)
    if layer.icmp:
        out["icmp"] = without_none(dict(zip(("type", "code", "id", "seq"), layer.icmp)))
    if layer.tcp:
        out["tcp"] = dict(zip(("flags", "seq", "ack", "window"), layer.tcp))
    if layer.tunnel:
        out["tunnel"] = without_none({"kind": layer.tunnel[0], "id": layer.tunnel[1],
                                      "inner": as_json(layers[1:])})
    return out


def without_none(values):
    return {name: value for name, value in values.items() if value is not None}


class Ideal:
    """The packets of one batch, one after the other."""

    def __init__(self, truths, expect, clock=-1_000_000):
        self.truths, self.expect, self.clock = truths, expect, clock
        self.packets, self.of = [], {}

    def make(self):
        for truth in self.truths.values():
            flow = self.expect.flow_of(truth)
            branches = self.branches(truth, flow)
            self.of[id(truth)] = [self.packet(truth, flow, seens) for seens in branches]
            parent = self.of[id(truth)][0]
            kind = "signature" if truth.topology in ("tun",) else "clone"
            for other in self.of[id(truth)][1:]:
                link(other, parent, kind)
        self.make_unseen()
        self.join_fragments()
        self.cut_up()
        for truth in self.truths.values():
            self.finish(truth)
        return self.packets

    def branches(self, truth, flow):
        """The views of a packet, split where the kernel makes copies, or a program another packet."""
        if truth.topology == "tun":
            cut = next((i for i, s in enumerate(truth.seen) if s.dev == "tun0" and not s.out), len(truth.seen))
            return [part for part in (truth.seen[:cut], truth.seen[cut:]) if part]
        if not self.expect.splitting_links(truth, flow) & {"clone"} or truth.topology == "wg":
            return [truth.seen]
        ports = {}
        for seen in truth.seen:
            if seen.out and seen.dev.startswith("port"):
                ports[seen.dev[4:]] = []
        if len(ports) < 2:
            return [truth.seen]
        stem, up = [], []
        for seen in truth.seen:
            where = seen.netns.rsplit("-", 1)[1]
            if seen.dev.startswith("port") and seen.out:
                ports[seen.dev[4:]].append(seen)
            elif where in ports and not seen.out:
                ports[where].append(seen)
            elif seen.dev.startswith("br0") and not seen.out:
                up.append(seen)
            else:
                stem.append(seen)
        parts = list(ports.values()) + ([up] if up else [])
        return [stem + parts[-1]] + parts[:-1]

    def packet(self, truth, flow, seens):
        hops, last = [], None
        for seen in seens:
            hop = {"ts_ns": seen.time + self.clock, "cpu": 0, "dev": seen.dev, "netns": seen.netns,
                   "event": "net:net_dev_start_xmit" if seen.out else "net:netif_receive_skb",
                   "netns_from": "dev", "len": 100, "skb": "0x1"}
            if seen.layers != last:
                hop.update(as_json(seen.layers))
                last = seen.layers
            if truth.topology == "vlan":
                hop.update(as_json(seen.layers))
                if "." not in seen.dev:
                    hop["vlan"] = [10]
            hops.append(hop)
        return self.add(hops, as_json(seens[0].layers))

    def add(self, hops, headers):
        packet = {"packet": len(self.packets) + 1, "first_ns": hops[0]["ts_ns"], **headers, "hops": hops,
                  "end": {"state": "delivered"}, "complete": "complete", "links": [], "verdicts": [],
                  "changes": []}
        self.packets.append(packet)
        return packet

    def make_unseen(self):
        """Datagrams that tcpdump cannot see: dropped before its place on the first device."""
        known = {(t.topology, t.key[1:]) for t in self.truths.values() if t.key[0] == "udp"}
        for number, n, direction, src, sport, dst, dport in self.expect.sent:
            flow = self.expect.flows[number]
            if (flow.topology, (number, n, direction)) in known or "frag" in flow.expect:
                continue
            layer = Layer(6 if ":" in src else 4, src, dst, "UDP", sport, dport, len=92)
            hop = {"ts_ns": 1, "event": "skbtrail:ip_output", "dev": "eth0", "netns": flow.netns}
            packet = self.add([hop], as_json((layer,)))
            rule = next((word[5:] for word in flow.expect if word.startswith("drop=")), None)
            self.drop(packet, rule, "NETFILTER_DROP" if rule else "QDISC_DROP")

    def cut_up(self):
        """For each flow with GSO the packet that two of its segments were."""
        for flow in self.expect.flows.values():
            data = [t for t in self.truths.values() if t.flow is flow and t.key[0] == "tcp" and t.key[5]]
            data.sort(key=lambda truth: truth.key[3])
            pairs = zip(data, data[1:])
            pair = next((p for p in pairs if (p[0].key[3] + p[0].key[5]) == p[1].key[3]), None)
            if "gso" not in flow.expect or not pair:
                continue
            first = pair[0].seen[0]
            layer = first.layers[-1]._replace(len=first.layers[-1].len + pair[1].key[5])
            hop = {"ts_ns": first.time + self.clock, "event": "net:net_dev_queue", "dev": first.dev,
                   "netns": first.netns, **as_json((layer,))}
            parent = self.add([hop], as_json((layer,)))
            parent["end"]["state"] = "split"
            for truth in pair:
                link(self.of[id(truth)][0], parent, "segment")

    def join_fragments(self):
        """All parts of a datagram end in the last of them."""
        datagrams = {}
        for truth in self.truths.values():
            if truth.key[0] == "fragment":
                datagrams.setdefault((truth.topology, truth.key[1:6]), []).append(self.of[id(truth)][0])
        for packets in datagrams.values():
            for packet in packets[:-1]:
                packet["end"]["state"] = "merged"
                link(packet, packets[-1], "merge")

    def drop(self, packet, rule, reason):
        packet["end"] = {"state": "dropped", "reason": reason, "location": "nf_hook_slow+0x1"}
        if rule:
            table, _, hook = rule.split("@")[0].rpartition(".")
            packet["verdicts"].append({"hop": len(packet["hops"]) - 1, "hook": hook, "pf": "ipv4",
                                       "verdict": "DROP", "table": table, "chain": hook})

    def finish(self, truth):
        """Ends, changes, answers: by the same expectations that truth.py has."""
        flow, packets = self.expect.flow_of(truth), self.of[id(truth)]
        for before, after in zip(truth.seen, truth.seen[1:]):
            a, b = before.layers[-1], after.layers[-1]
            if len(before.layers) != len(after.layers):
                kind = "encap" if len(before.layers) < len(after.layers) else "decap"
                packets[0]["changes"].append({"kind": kind})
                continue
            for kind, old, new in (("snat", (a.src, a.sport), (b.src, b.sport)),
                                   ("dnat", (a.dst, a.dport), (b.dst, b.dport))):
                if old != new:
                    packets[0]["changes"].append({"kind": kind, "from": endpoint(old), "to": endpoint(new)})
        if flow is None:
            return
        if truth.key[0] == "error":
            self.answer(packets, self.expect.cause_of(truth), "error")
        if truth.key[0] == "tcp" and "R" in truth.key[2] and "closed" in flow.expect:
            self.answer(packets, self.expect.syn_of(truth), "reset")
        rule = next((word[5:] for word in flow.expect if word.startswith("drop=")), None)
        truth.pieces = [AsPiece(packet) for packet in packets]
        for piece, packet in zip(truth.pieces, packets):
            states, reason = self.expect.wanted(truth, flow, piece)
            if packet["end"]["state"] != "merged":
                packet["end"]["state"] = "delivered" if "delivered" in states else min(states)
            if states == {"dropped"}:
                self.drop(packet, rule, reason if isinstance(reason, str) else "QDISC_DROP")
        truth.pieces = []

    def answer(self, packets, cause, kind):
        if cause:
            for packet in packets:
                link(packet, self.of[id(cause)][0], kind)


class AsPiece:
    """As much of truth.Piece as Expectations.wanted() asks for."""

    location, reason = "", None

    def __init__(self, packet):
        self.packet = packet

    def way(self):
        return [(hop["netns"], hop["dev"]) for hop in self.packet["hops"]]

    @staticmethod
    def last_event():
        return ""

    def links(self, kind, role):
        return [l for l in self.packet["links"] if (l["kind"], l["role"]) == (kind, role)]


def link(child, parent, kind):
    child["links"].append({"kind": kind, "packet": parent["packet"], "role": "child", "evidence": "call"})
    parent["links"].append({"kind": kind, "packet": child["packet"], "role": "parent", "evidence": "call"})


def endpoint(pair):
    address, port = pair
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def write_ideal(batch):
    captures, problems = read_batch(batch)
    if problems:
        raise SystemExit(problems[0])
    truths = truths_of(captures)
    expect = Expectations(*read_log(batch))
    expect.learn(truths)
    packets = Ideal(truths, expect).make()
    text = "".join(json.dumps(packet) + "\n" for packet in packets)
    for directory in (batch, batch / "alone"):
        (directory / "paths.json").write_text(text)


def main():
    for directory in sys.argv[1:]:
        for batch in sorted((Path(directory) / "truth").glob("[0-9]*")):
            write_ideal(batch)


if __name__ == "__main__":
    sys.exit(main())
