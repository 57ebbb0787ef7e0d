# SPDX-License-Identifier: GPL-2.0-or-later
"""What must become of each packet of the truth harness: from the programs' logs and the EXPECT words.

EXPECT, in a "flow" line of traffic.log, is "-" (all arrive) or words with commas between them:
  drop=TABLE.CHAIN@HOST, drop=HOOK@HOST   dropped there by a rule
  loss=HOST.DEV[,HOST.DEV]                what nobody received was dropped by the qdisc of one of these
  closed                                  nobody listens: dropped, and an error or a reset is its answer
  flood, mcast                            the bridge makes copies for several ports
  frag, toobig                            cut up on the way; the first is refused with an ICMP error
  gso, gro                                TCP segments are cut up, or joined
"""

import ipaddress
import re
from collections import defaultdict, namedtuple

from truth_headers import show

Flow = namedtuple("Flow", "number topology label kind version netns dst expect")
FIRST_SPORT, PER_FLOW, FIRST_TCP_SPORT = 20000, 100, 50000
# Kernels make a copy with more headroom where there is too little for the outer headers.
TUNNELS = {"vxlan", "vxlan6", "gre", "gre6", "ipip", "sit", "ip6tnl"}
DROPPED_BY_QDISC = re.compile(r"^QDISC|netem|kfree_skb_list|__dev_(queue_)?xmit", re.I)


# With one of these as its last a packet was seen at a device, and by no function behind it.
DEVICE_EVENTS = {"netif_receive_skb", "netif_rx", "net_dev_queue", "net_dev_start_xmit", "napi_gro_receive_entry"}


def missed_probes(directory):
    """How many calls the kernel did not show to the probes on them, by its own count."""
    path = directory / "record.log"
    text = path.read_text(errors="replace") if path.exists() else ""
    found = re.search(r"(\d+) calls of probed functions were not recorded", text)
    return int(found[1]) if found else 0


def read_log(directory):
    """(flows by number, sent lines, {(flow, number, direction): netns that received it}, notes)."""
    flows, sent, received, notes = {}, [], defaultdict(set), defaultdict(list)
    for line in (directory / "traffic.log").read_text(errors="replace").splitlines():
        word, *rest = line.split()[:1] + line.split()[1:] or [""]
        if word == "flow" and len(rest) >= 7:
            flows[int(rest[0])] = Flow(int(rest[0]), rest[1], rest[2], rest[3], int(rest[4]), rest[5],
                                       rest[6], frozenset(rest[7].split(",")) if rest[7:] else frozenset())
        elif word in ("sent", "unsent", "received", "refused", "silent") and len(rest) == 8:
            note(word, rest, flows[int(rest[0])].netns, sent, received, notes)
        elif word in ("ping", "tcp", "failed") and rest:
            notes[int(rest[0])].append((word, *rest[1:]))
    served = directory / "served.log"
    for line in served.read_text(errors="replace").splitlines() if served.exists() else ():
        netns, word, *rest = line.split()
        if len(rest) == 8:
            note(word, rest, netns, sent, received, notes)
    return flows, sent, received, notes


def note(word, rest, netns, sent, received, notes):
    flow, number, direction = (int(text) for text in rest[:3])
    if word == "sent":
        sent.append((flow, number, direction, rest[3], int(rest[4]), rest[5].split("%")[0], int(rest[6])))
    elif word == "received":
        received[flow, number, direction].add(netns)
    else:
        notes[flow].append((word, number))


def useless_to_tcp(piece):
    """Whether TCP itself refused a segment: overtaken, out of its window, of a connection that is closed.

    The kernel names the reason, or, when it knows none, the place; what was in it came with another.
    """
    unnamed = piece.reason in (None, "NOT_SPECIFIED") and piece.location.startswith("tcp_v")
    return unnamed or (piece.reason or "").startswith("TCP_")


class Expectations:
    def __init__(self, flows, sent, received, notes, missed=0):
        self.flows, self.sent, self.received, self.notes = flows, sent, received, notes
        self.missed = missed  # calls of functions that the kernel did not show to the probes on them
        self.fragments = {}
        self.truths = {}
        self.deferring = None

    # ---- which flow a packet belongs to

    def number_of(self, key, layers=()):
        kind = key[0]
        if kind == "udp":
            return key[1]
        if kind == "ping":
            return key[2]
        if kind == "tcp":
            last = layers[-1]
            return max(last.sport, last.dport) - FIRST_TCP_SPORT
        if kind == "fragment":
            return self.fragments.get(key[1:6])
        return None

    def flow_of(self, truth):
        if truth.flow is None:
            truth.flow = self.find_flow(truth)
        return truth.flow

    def find_flow(self, truth):
        key, seen = truth.key, truth.seen[0]
        if key[0] == "error":
            cause = self.cause_of(truth)
            return self.flow_of(cause) if cause else None
        flow = self.flows.get(self.number_of(key, seen.layers))
        return flow if flow and flow.topology == truth.topology else None

    def cause_of(self, truth):
        """The packet that an ICMP error quotes."""
        quoted = truth.key[4]
        for (topology, key, _), other in self.truths.items():
            if topology == truth.topology and key[0] == quoted[0] and key[:5] == quoted[:5]:
                return other
        return None

    def learn(self, truths):
        """Fragments get the flow of the first one of them, which has the payload's beginning."""
        self.truths = truths
        for truth in truths.values():
            if truth.key[0] == "fragment" and truth.key[6] == 0:
                number = fragment_flow(truth.seen[0])
                if number is not None:
                    self.fragments[truth.key[1:6]] = number
        self.learn_tcp(truths)

    def learn_tcp(self, truths):
        """What TCP may throw away: what came before, or after the end."""
        streams = defaultdict(list)
        for truth in truths.values():
            flow = self.flow_of(truth)
            if truth.key[0] == "tcp" and flow:
                streams[flow].append(truth)
        for stream in streams.values():
            # in the order of sending, and in that of arriving
            for at in (0, -1):
                views = [([seen for seen in truth.seen if seen.layers[-1].tcp][at], truth) for truth in stream]
                views.sort(key=lambda view: view[0].time)
                segments = [(seen.layers[-1], len(seen.payload)) for seen, _ in views]
                for (_, truth), redundant in zip(views, redundancy(segments)):
                    truth.redundant |= redundant

    def window(self, truths):
        times = [seen.time for truth in truths if self.flow_of(truth) for seen in truth.seen]
        return (min(times), max(times)) if times else (0, -1)

    def flow_of_layers(self, layers, topology):
        """(Flow, direction, number) by headers alone, as skbtrail has no payload."""
        if not layers:
            return None
        last = layers[-1]
        if last.icmp and last.icmp[2] is not None:
            number, direction, n = last.icmp[2], 0 if last.icmp[0] in (8, 128) else 1, last.icmp[3]
        elif last.sport is not None:
            high = max(last.sport, last.dport)
            direction = 0 if last.sport == high else 1
            if last.proto == "TCP":
                number, n = high - FIRST_TCP_SPORT, None
            else:
                number, n = divmod(high - FIRST_SPORT, PER_FLOW)
        else:
            return None
        flow = self.flows.get(number)
        if not flow or flow.topology != topology or flow.kind == "tcp" and last.proto != "TCP":
            return None
        return flow, direction, n

    # ---- what may be several packets

    def splitting_links(self, truth, flow):
        """The kinds of links that may join several packets of one key; {} when it must be one."""
        last = truth.seen[0].layers[-1]
        if truth.topology == "tun":
            return {"signature", "any"}
        if truth.topology == "wg":
            return {"signature", "copy", "clone", "segment"}
        if truth.key[0] == "tcp":
            return {"segment", "merge"}
        if truth.topology in TUNNELS:
            return {"copy"}
        if truth.topology == "flood" or last.arp or flow and flow.expect & {"flood", "mcast"} or is_group(last.dst):
            return {"clone"}
        return set()

    # ---- the end

    def check_end(self, truth, flow, numbers):
        """Yields (kind of problem, text)."""
        if flow is None:
            return
        if truth.key[0] == "error":
            yield from self.check_answer(truth, self.cause_of(truth), "error")
        elif truth.key[0] == "tcp" and "R" in truth.key[2] and "closed" in flow.expect:
            yield from self.check_answer(truth, self.syn_of(truth), "reset")
        for piece in truth.pieces:
            states, reason = self.wanted(truth, flow, piece)
            if self.blinded(piece):
                continue
            if truth.topology == "loss":
                # what asks for its neighbour's address is lost, too: it may still wait at the end
                states = states | {"open"}
            if piece.state not in states:
                kind = "false drop" if piece.state == "dropped" else "end"
                yield kind, (f"packet {piece.number} {piece.state} {piece.reason or ''} "
                             f"{piece.location} after {piece.last_event()}, not {' or '.join(sorted(states))}")
            elif piece.state == "dropped":
                yield from check_reason(piece, reason)
        yield from self.check_rule(truth, flow)
        yield from check_changes(truth)

    def blinded(self, piece):
        """Whether the kernel missed what would have told of its end, and skbtrail does not tell of any."""
        return self.missed and piece.state in ("unknown", "open") and piece.last_event() in DEVICE_EVENTS

    def wanted(self, truth, flow, piece):
        """(states, pattern of the reason) for one of the packets of a key."""
        netns = piece.way()[-1][0] if piece.way() else flow.netns
        kind = truth.key[0]
        if kind == "fragment":
            return {"merged", "delivered"}, None
        if kind == "error":
            # such kernels free every ICMPv6 packet as if it were dropped, used or not
            if truth.key[1] == 6 and piece.location.startswith("icmpv6_rcv"):
                return {"delivered", "unknown"}, None
            if truth.topology == "loss":
                # one of those that answer what came too late
                return {"delivered", "dropped"}, DROPPED_BY_QDISC
            return {"delivered"}, None
        if piece.links("copy", "parent"):
            return {"delivered", "unknown", "transmitted", "split"}, None
        if truth.topology in ("tun", "wg") and piece is not truth.pieces[-1]:
            return {"delivered", "transmitted", "unknown", "split"}, None
        if kind == "udp":
            return self.wanted_udp(truth, flow, piece, netns)
        if kind == "tcp":
            if "closed" in flow.expect and truth.key[2] == "S":
                return {"dropped"}, "NO_SOCKET"
            joined = {"merged"} if piece.links("merge", "child") else set()
            cut = {"split"} if piece.links("segment", "parent") else set()
            redundant = {"dropped"} if truth.redundant or useless_to_tcp(piece) else set()
            # TCP may keep it, as a FIN that nobody has read, until after the recording
            kept = {"open"} if piece.last_event() in ("tcp_v4_rcv", "tcp_v6_rcv") else set()
            return {"delivered"} | joined | cut | redundant | kept, None
        if kind == "ping" and flow.expect & {"flood"}:
            reply = self.find(truth, ("ping", *truth.key[1:4], 1))
            target = reply.seen[0].netns if reply and truth.key[4] == 0 else flow.netns
            if target != netns:
                return {"dropped"}, None
        if truth.topology == "fragmtu" and truth.seen[-1].dev == "left":
            return {"split"}, None
        return {"delivered"}, None

    def wanted_udp(self, truth, flow, piece, netns):
        key = truth.key[1:]
        if "frag" in flow.expect and key not in self.received:
            return {"dropped"}, "PKT_TOO_BIG"
        if truth.topology == "fragmtu" and truth.seen[-1].dev == "left":
            return {"split"}, None
        if netns in self.received.get(key, ()):
            # its memory may wait for the CPU that made it until after the recording
            kept = {"open"} if piece.last_event() in ("udp_rcv", "udpv6_rcv") and self.defers() else set()
            return {"delivered"} | kept, None
        if key in self.received:
            return {"dropped"}, None
        if any(word.startswith("drop=") for word in flow.expect):
            return {"dropped"}, "NETFILTER_DROP"
        if any(word.startswith("loss=") for word in flow.expect):
            # an answer that came all the way after its sender had given up waiting
            if key[2] == 1 and netns == flow.netns:
                return {"dropped"}, "NO_SOCKET"
            return {"dropped"}, DROPPED_BY_QDISC
        if "closed" in flow.expect:
            return {"dropped"}, "NO_SOCKET"
        return {"delivered"}, None

    def defers(self):
        """Whether this kernel gives memory back to the CPU that made it, later (7.2: of datagrams, too)."""
        if self.deferring is None:
            self.deferring = any(piece.location.startswith("skb_defer_free_flush")
                                 for truth in self.truths.values() for piece in truth.pieces)
        return self.deferring

    def find(self, truth, key):
        return self.truths.get((truth.topology, key, 0))

    def syn_of(self, truth):
        """The SYN that a reset answers: its sequence number is one less."""
        for (topology, key, _), other in self.truths.items():
            if topology == truth.topology and key[0] == "tcp" and key[2] == "S" and \
                    (key[3] + 1) & 0xFFFFFFFF == truth.key[4]:
                return other
        return None

    def check_answer(self, truth, cause, kind):
        """An error or a reset is linked to the packet that caused it."""
        causes = {piece.number for piece in cause.pieces} if cause else set()
        for piece in truth.pieces:
            named = {link.get("packet") for link in piece.links(kind, "child")}
            if not named & causes:
                yield "links", (f"packet {piece.number} is not linked as {kind} to "
                                f"{' or '.join(map(str, sorted(causes))) or 'its cause'}, but to {named or '-'}")

    def check_rule(self, truth, flow):
        """The rule that dropped it is named."""
        rule = next((word[5:] for word in flow.expect if word.startswith("drop=")), None)
        if rule and truth.key[0] == "udp":
            for piece in truth.pieces:
                yield from check_verdict(piece, rule, truth.topology)

    # ---- what tcpdump could not see

    def unseen(self, truths, pieces, reports):
        """Datagrams that were dropped before tcpdump's place: the log says that they were sent."""
        known = {(t.topology, t.key[1:]) for t in truths if t.key[0] == "udp"}
        by_name = defaultdict(list)
        for piece in pieces:
            name = self.flow_of_layers(piece.first_layers, piece.topology())
            if name and not piece.truths:
                by_name[name[0].number, name[1], name[2]].append(piece)
        for flow_number, number, direction, src, sport, dst, dport in self.sent:
            flow = self.flows[flow_number]
            if (flow.topology, (flow_number, number, direction)) in known or flow.topology not in reports or \
                    "frag" in flow.expect:
                continue
            report = reports[flow.topology]
            report.counts["packets"] += 1
            found = by_name.pop((flow_number, direction, number), [])
            name = f"udp {flow_number} {number} {direction} (seen by no tcpdump)"
            if len(found) != 1:
                report.problem("split" if found else "missing", f"{name}: {len(found)} packets")
                continue
            piece, last = found[0], found[0].first_layers[-1]
            if (last.src, last.sport, last.dst, last.dport) != (src, sport, dst, dport):
                report.problem("tuple", f"{name}: {show(piece.first_layers)}")
            if any(station[0] != flow.netns for station in piece.way()):
                report.problem("hops", f"{name}: {piece.way()}")
            if piece.state != "dropped":
                report.problem("end", f"{name}: packet {piece.number} {piece.state}")
            rule = next((word[5:] for word in flow.expect if word.startswith("drop=")), None)
            for kind, text in list(check_verdict(piece, rule, flow.topology) if rule else ()) + \
                    list(check_reason(piece, "NETFILTER_DROP" if rule else DROPPED_BY_QDISC)):
                report.problem(kind, f"{name}: {text}")
        for (flow_number, _, _), left in by_name.items():
            for piece in left:
                if not (may_be_unseen(piece) or self.blinded(piece)) and self.flows[flow_number].topology in reports:
                    reports[self.flows[flow_number].topology].problem(
                        "extra", f"packet {piece.number} ({show(piece.first_layers)}) is none that tcpdump saw")

    # ---- the run without tcpdump

    def kind_of(self, layers, flow):
        """(flow number, direction): packets of one such kind go the same way in both runs."""
        if flow is None:
            return None
        named = self.flow_of_layers(layers, flow.topology)
        return (flow.number, named[1]) if named else (flow.number, None)

    def alone_redundant(self, pieces):
        """Numbers of the TCP packets that may be thrown away."""
        streams, found = defaultdict(list), set()
        for piece in sorted(pieces, key=lambda piece: piece.first_ns):
            named = self.flow_of_layers(piece.first_layers, piece.topology())
            if named and piece.first_layers[-1].tcp and piece.stays:
                streams[named[0]].append(piece)
        for stream in streams.values():
            # header lengths are not told; with time stamps they are these
            segments = [(p.first_layers[-1], max(0, (p.first_layers[-1].len or 0) - 52 -
                                                 (20 if p.first_layers[-1].version == 6 else 0)))
                        for p in stream]
            found |= {p.number for p, redundant in zip(stream, redundancy(segments)) if redundant}
        return found

    def check_alone(self, pieces, ways, reports):
        by_name = defaultdict(list)
        redundant = self.alone_redundant(pieces)
        # of which the kernel missed every call that shows headers: each stands for one that is not found
        bare = sum(not piece.has_headers() for piece in pieces) if self.missed else 0
        for piece in pieces:
            topology = piece.topology()
            named = self.flow_of_layers(piece.first_layers, topology)
            if not named or topology not in reports:
                continue
            flow, direction, number = named
            report = reports[topology]
            report.counts["alone packets"] += 1
            if flow.kind != "tcp":
                by_name[flow.number, number, direction].append(piece)
            if piece.way() and tuple(piece.way()) not in ways[topology, (flow.number, direction)] and \
                    not may_be_unseen(piece) and not any("=" in word for word in flow.expect):
                report.problem("alone", f"packet {piece.number} ({show(piece.first_layers)}): "
                                        f"{' > '.join(':'.join(s) for s in piece.way())}")
            self.check_alone_end(piece, flow, direction, number, report, piece.number in redundant)
        for flow_number, number, direction, *_ in self.sent:
            flow = self.flows[flow_number]
            if flow.topology not in reports:
                continue
            found = by_name.get((flow_number, number, direction), [])
            if not found and bare:
                bare -= 1
                reports[flow.topology].counts["no headers"] += 1
            elif not found:
                reports[flow.topology].problem("alone", f"udp {flow_number} {number} {direction}: no packet")
            elif len(found) > 1 and not flow.expect & {"flood", "mcast", "frag"} and \
                    flow.topology not in ("tun", "wg") and not linked_copies(found):
                reports[flow.topology].problem(
                    "alone", f"udp {flow_number} {number} {direction}: {len(found)} packets")

    def check_alone_end(self, piece, flow, direction, number, report, redundant):
        key = (flow.number, number, direction)
        received = key in self.received or flow.kind == "ping" or \
            flow.kind == "tcp" and "closed" not in flow.expect
        useless = piece.first_layers[-1].tcp and useless_to_tcp(piece)
        if piece.state == "dropped" and received and not redundant and not useless and not flow.expect & {"flood", "mcast"}:
            report.problem("alone", f"packet {piece.number} ({show(piece.first_layers)}): false drop "
                                    f"{piece.reason or ''} {piece.location}")
        elif not received and piece.state not in ("dropped", "delivered", "split"):
            report.problem("alone", f"packet {piece.number} ({show(piece.first_layers)}): {piece.state}")


def redundancy(segments):
    """For each (Layer, bytes of payload) of a connection, in order: whether its receiver may drop it.

    That are bytes that were sent before, acknowledgements said before, resets, and all after the end.
    """
    covered, acked, said, ended = {}, {}, set(), set()
    for layer, size in segments:
        flags, seq, ack, _ = layer.tcp
        me = layer.sport
        end = seq + size + ("S" in flags) + ("F" in flags)
        yield bool("R" in flags or len(ended) == 2 or end > seq and seq < covered.get(me, 0)
                   or end == seq and ((me, seq, ack) in said or seq < covered.get(me, 0) or ack < acked.get(me, 0)))
        acked[me] = max(acked.get(me, 0), ack)
        covered[me] = max(covered.get(me, 0), end)
        said.add((me, seq, ack))
        if "F" in flags or "R" in flags:
            ended.add(me)


def fragment_flow(seen):
    """The flow number in a first fragment."""
    last, payload = seen.layers[-1], seen.payload
    if last.icmp:
        return last.icmp[2]
    if payload[:8] == b"SKBTRUTH":
        return int.from_bytes(payload[8:10], "big")
    return None


def linked_copies(pieces):
    return pieces[0].topology() in TUNNELS and all(piece.links("copy") for piece in pieces)


def is_group(address):
    """Multicast or broadcast."""
    return bool(address) and (ipaddress.ip_address(address).is_multicast or address.endswith(".255"))


def may_be_unseen(piece):
    """Packets that no tcpdump sees: TCP's originals of transmitted clones, what was cut up or joined."""
    return piece.state in ("split", "merged") or bool(piece.links("clone", "parent")) or not piece.stays


def check_reason(piece, wanted):
    """Kernels before 5.17 have no reasons; where there is one it must be the right one."""
    if wanted is None:
        return
    if isinstance(wanted, str):
        if piece.reason is not None and piece.reason != wanted:
            yield "end", f"packet {piece.number} was dropped for {piece.reason}, not {wanted}"
    elif not wanted.search(piece.reason or "") and not wanted.search(piece.location):
        yield "end", f"packet {piece.number} was dropped for {piece.reason} in {piece.location}"


def check_verdict(piece, rule, topology):
    """A DROP at that hook, and by that table and chain if the rule names them, in that netns."""
    where, host = rule.split("@")
    table, _, wanted = where.rpartition(".")
    hook, netns, hops = None, None, piece.json["hops"]
    for verdict in piece.json.get("verdicts", []):
        hook = verdict.get("hook", hook)
        if 0 <= verdict.get("hop", -1) < len(hops):
            netns = hops[verdict["hop"]].get("netns", netns)
        if verdict.get("verdict") != "DROP" or (hook or verdict.get("chain")) != wanted:
            continue
        if (not table or (verdict.get("table"), verdict.get("chain")) == (table, wanted)) and \
                netns == f"{topology}-{host}":
            return
    yield "end", f"packet {piece.number}: no verdict DROP of {where} in {topology}-{host}"


def endpoint(text):
    """("address", port or None) of "10.0.0.1:80", "[fd00::1]:80", "10.0.0.1" or "fd00::1"."""
    found = re.fullmatch(r"\[(.*)\]:(\d+)|([^:]*):(\d+)", text or "")
    if found:
        return found[1] or found[3], int(found[2] or found[4])
    return (text or "").strip("[]"), None


def check_changes(truth):
    """Each change that tcpdump saw between two devices is told."""
    told = [(c.get("kind"), endpoint(c.get("from")), endpoint(c.get("to")))
            for piece in truth.pieces for c in piece.json.get("changes", [])]
    for before, after in zip(truth.seen, truth.seen[1:]):
        deeper = len(after.layers) - len(before.layers)
        if deeper:
            kind = "encap" if deeper > 0 else "decap"
            if not any(t[0] == kind for t in told) and truth.topology != "wg" and \
                    not any(piece.links("copy") for piece in truth.pieces):
                yield "nat", f"no {kind} between {before.dev} and {after.dev}"
            continue
        a, b = before.layers[-1], after.layers[-1]
        if truth.topology == "wg":
            continue
        for kind, old, new in (("snat", (a.src, a.sport), (b.src, b.sport)),
                               ("dnat", (a.dst, a.dport), (b.dst, b.dport))):
            if old != new and not any(t[0] == kind and same(t[1], old) and same(t[2], new) for t in told):
                yield "nat", f"no {kind} {old} to {new} between {before.dev} and {after.dev}, but {told}"


def same(told, true):
    return told[0] == true[0] and told[1] in (None, true[1])
