#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares skbtrail's packets, every single one, with what tcpdump saw and the programs say.

In:  a directory of guest-truth.sh. For each batch: NETNS.pcap of all devices of a netns, NETNS.devices,
     traffic.log (what was sent and what clients received), served.log (what servers received), rec.dat;
     alone/ with a recording of the same traffic while nobody else was watching.
Out: "ok|FAIL truth_TOPOLOGY..." lines on stdout; table.json in the directory; with --table, from several
     such directories, the table of doc/truth.md.

What is true:
- a packet's payload, ICMP id and seq, or TCP seq name it (its key), across NAT and tunnels;
- the captures of all netns, in the order of time, are the devices that it passed, with its headers there;
- the logs say who received it; what a topology drops is written in its EXPECT word.
What is demanded: each of skbtrail's packets matches one key, each key has one of skbtrail's packets (or
several that it has linked, where the kernel makes several), with the same devices in the same netns in
the same order, the same headers at each, and the right end. See doc/truth.md.
"""

import argparse
import json
import statistics
import subprocess
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from pathlib import Path

from truth_expect import Expectations, missed_probes, read_log
from truth_headers import (Malformed, difference, is_error, json_layers, payload_id, read_capture, show)

# Events where the kernel shows the packet to tcpdump, too: at sending and at receiving.
TAP_OUT = {"net_dev_start_xmit", "dev_hard_start_xmit"}
TAP_IN = {"netif_receive_skb", "__netif_receive_skb_core"}
# Events that come before tcpdump's place on a device: a packet may end between them and that place.
BEFORE_TAP = {
    "net_dev_queue", "__dev_queue_xmit", "netif_rx", "netif_rx_entry", "netif_rx_ni_entry",
    "napi_gro_receive_entry", "napi_gro_frags_entry", "napi_gro_receive", "netif_receive_skb_entry",
    "netif_receive_skb_list_entry", "ip_output", "ip6_output", "ip_mc_output", "nf_hook_slow",
}
OF_IP_LAYER = {"ip_output", "ip6_output", "ip_mc_output", "nf_hook_slow"}
# Events that look back from a device that the packet may have left.
BACKWARD = {"net_dev_xmit"}
RECEIVING = {"netif_rx", "netif_rx_entry", "netif_rx_ni_entry", "napi_gro_receive_entry",
             "napi_gro_frags_entry", "napi_gro_receive", "netif_receive_skb_entry",
             "netif_receive_skb_list_entry"} | TAP_IN
MAX_SHOWN = 3
WIREGUARD_MTU = 1420


# ---- keys: what a packet is, wherever it is seen


def key_of(layers, payload, quoted):
    """A name for the packet that NAT and tunnels do not change; None when there are no headers."""
    if not layers:
        return None
    last = layers[-1]
    if last.arp:
        return ("arp", *last.arp)
    if last.offset is not None:
        return ("fragment", last.version, last.src, last.dst, last.proto, last.id, last.offset)
    if last.tcp:
        flags, seq, ack, window = last.tcp
        # window and options tell acknowledgements apart that may overtake each other
        return ("tcp", last.version, flags, seq, ack, len(payload), last.id, window,
                getattr(payload, "options", b""))
    if last.icmp:
        kind, code, ident, seq = last.icmp
        if ident is not None:
            return ("ping", last.version, ident, seq, 0 if kind in (8, 128) else 1)
        if is_error(last) and quoted:
            return ("error", last.version, kind, code, key_of(quoted[0], quoted[1], None))
        return ("icmp", last.version, kind, last.src, last.dst)
    identity = payload_id(payload)
    if identity:
        return ("udp", *identity)
    if last.dport == 51820 and payload[:1] == b"\4" and len(payload) > 32:
        return ("wg", payload[4:8], int.from_bytes(payload[8:16], "little"))
    return ("other", last.version, last.src, last.dst, last.proto, last.sport, last.dport, last.id)


class Truth:
    """One packet as it really was."""

    def __init__(self, key, topology):
        self.key, self.topology = key, topology
        self.seen = []     # [Seen] in the order of time
        self.pieces = []   # skbtrail's packets for it
        self.flow = None
        self.redundant = False  # TCP may drop it
        self.twin = False  # there is another one that is the same to the bit

    def way(self):
        return dedupe((s.netns, s.dev) for s in self.seen)

    def name(self):
        return " ".join(str(part) for part in self.key if not isinstance(part, bytes))


def dedupe(stations):
    way = []
    for station in stations:
        if not way or way[-1] != station:
            way.append(station)
    return way


def topology_of(netns):
    return netns.rsplit("-", 1)[0]


def truths_of(captures):
    """{key with occurrence: Truth} of [Seen] of all captures, in the order of time."""
    truths, count, twins = {}, Counter(), defaultdict(set)
    for seen in sorted(captures, key=order_of):
        key = key_of(seen.layers, seen.payload, seen.quoted)
        if key is None:
            continue
        topology = topology_of(seen.netns)
        # the n-th time here is the n-th such packet: acknowledgements may be the same to the bit
        depth = len(seen.layers)
        place = (key, seen.netns, seen.dev, seen.out, depth)
        name = (topology, key, count[place])
        count[place] += 1
        if name not in truths:
            truths[name] = Truth(key, topology)
        truths[name].seen.append(seen)
        twins[topology, truths[name].name()].add(name)
    for names in twins.values():
        for name in names:
            truths[name].twin = len(names) > 1
    return join_wireguard(truths)


def join_wireguard(truths):
    """Gives each encrypted packet to the one that it carries: both are in the order of their counters.

    What WireGuard cuts into several before it encrypts stays apart from these.
    """
    outer, inner = defaultdict(list), defaultdict(list)
    for name, truth in truths.items():
        first = truth.seen[0]
        if truth.key[0] == "wg":
            outer[truth.topology, first.netns].append((truth.key[2], name))
        elif first.dev == "wg0" and first.out:
            inner[truth.topology, first.netns].append(name)
    for where, names in outer.items():
        names = [name for _, name in sorted(names)]
        for its in inner[where]:
            count = segments(truths[its].seen[0], WIREGUARD_MTU)
            mine, names = names[:count], names[count:]
            if count == 1 and mine:
                truths[its].seen += truths.pop(mine[0]).seen
                truths[its].seen.sort(key=order_of)
    return truths


def segments(seen, mtu):
    """How many packets one is cut into for a device of that MTU, as TCP has set it up."""
    last = seen.layers[-1]
    if not last.tcp or last.len <= mtu:
        return 1
    headers = last.len - len(seen.payload)
    return -(-len(seen.payload) // (mtu - headers))


def order_of(seen):
    """A packet keeps the stamp of its arrival when it goes up, from the device below, in h, to one on top."""
    return seen.time, not seen.netns.endswith("-h")


# ---- what skbtrail says


class Stay:
    """Hops in a row at the same device."""

    def __init__(self, station):
        self.station, self.events, self.taps, self.layers, self.vlans = station, [], [], [], []


class Piece:
    """One of skbtrail's packets."""

    def __init__(self, packet):
        self.json, self.number = packet, packet["packet"]
        self.state = packet.get("end", {}).get("state", "-")
        self.reason = packet.get("end", {}).get("reason")
        self.location = packet.get("end", {}).get("location", "")
        self.stays, self.truths, self.problems = [], [], []
        self.matched = []
        layers, vlan = json_layers(packet), packet.get("vlan")
        self.first_layers = layers
        for hop in packet["hops"]:
            if json_layers(hop):
                layers, vlan = json_layers(hop), hop.get("vlan")
            event = hop.get("event", "").split(":")[-1].split(".")[0]
            if "dev" not in hop or event in BACKWARD:
                continue
            station = (hop.get("netns", "?"), hop["dev"])
            if not self.stays or self.stays[-1].station != station:
                self.stays.append(Stay(station))
            stay = self.stays[-1]
            stay.events.append(event)
            stay.layers.append((hop["ts_ns"], layers))
            if event in TAP_OUT or event in TAP_IN:
                stay.taps.append((hop["ts_ns"], event in TAP_OUT, layers))
                stay.vlans.append(vlan)
        self.first_ns = packet["hops"][0]["ts_ns"] if packet["hops"] else 0

    def way(self):
        return [stay.station for stay in self.stays]

    def has_headers(self):
        return any(layers for stay in self.stays for _, layers in stay.layers)

    def last_event(self):
        return self.stays[-1].events[-1] if self.stays else ""

    def links(self, kind=None, role=None):
        return [link for link in self.json.get("links", [])
                if kind in (None, link.get("kind")) and role in (None, link.get("role"))]

    def topology(self):
        names = [s.station[0] for s in self.stays] or [h["netns"] for h in self.json["hops"] if "netns" in h]
        return topology_of(names[0]) if names else None


def read_pieces(path):
    pieces, problems = [], []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        try:
            item = json.loads(line)
            if "packet" in item:  # else counters at the end
                pieces.append(Piece(item))
        except (ValueError, KeyError, TypeError) as error:
            problems.append(f"{path.name} line {number}: {type(error).__name__} {error}")
    return pieces, problems


# ---- matching the two


class Matcher:
    """Finds tcpdump's view of skbtrail's hops. Each view is given away once, the nearest in time first."""

    def __init__(self, truths):
        self.index = defaultdict(list)
        self.places = defaultdict(list)
        for truth in truths.values():
            for seen in truth.seen:
                self.index[seen.netns, seen.dev, seen.out, seen.layers].append((seen, truth))
                self.places[seen.netns, seen.dev].append((seen, truth))
        for seens in self.index.values():
            seens.sort(key=lambda pair: pair[0].time)
        self.taken = set()
        self.offset = 0

    def set_clock(self, pieces):
        """The difference of the two clocks, from headers that were seen just once."""
        distances = []
        for piece in pieces:
            for stay in piece.stays:
                for ts, out, layers in stay.taps:
                    found = self.index.get((*stay.station, out, layers), ())
                    if len(found) == 1 and layers:
                        distances.append(found[0][0].time - ts)
        self.offset = statistics.median(distances) if distances else 0
        return len(distances)

    def take(self, station, out, layers, ts, before):
        """(Seen, Truth) of these headers at that place, or None.

        Of several with the same headers to the bit, one of a truth that was matched before, else the
        nearest in time.
        """
        best = None
        for direction in (out,) if out is not None else (True, False):
            for seen, truth in self.index.get((*station, direction, layers), ()):
                distance = truth not in before, abs(seen.time - ts - self.offset)
                if id(seen) not in self.taken and (best is None or distance < best[0]):
                    best = distance, seen, truth
        if best is None:
            return None
        self.taken.add(id(best[1]))
        return best[1:]

    def nearest(self, station, ts):
        """What tcpdump saw there about that time: to say what is wrong with a hop that matches nothing."""
        there = [pair for pair in self.places.get(station, ()) if id(pair[0]) not in self.taken]
        return min(there, key=lambda pair: abs(pair[0].time - ts - self.offset), default=None)


def match(piece, matcher):
    """Fills piece.matched with (Seen, Truth) in order, piece.problems with what has no match."""
    for at, stay in enumerate(piece.stays):
        before = [truth for _, truth in piece.matched]
        if not stay.taps and set(stay.events) <= BEFORE_TAP and \
                any(later.station == stay.station and later.taps for later in piece.stays[at + 1:]):
            continue  # netfilter on a bridge names its device before the packet is there
        wants = stay.taps or [(None, None, None)]
        for ts, out, layers in wants:
            if ts is not None:
                found = matcher.take(stay.station, out, layers, ts, before)
            else:
                found = None
                for ts, layers in reversed(stay.layers):
                    found = found or matcher.take(stay.station, None, layers, ts, before)
            if found:
                piece.matched.append(found)
            elif stay.taps or not (set(stay.events) <= BEFORE_TAP):
                piece.problems.append(("tuple", explain(piece, stay, ts, layers, matcher)))
            elif at < len(piece.stays) - 1 and not may_be_told_early(piece, at, stay):
                piece.problems.append(("hops", f"was not at {show_station(stay.station)}"))


def may_be_told_early(piece, at, stay):
    """Where the IP layer is entered skb->dev is still that of before; a new packet was not there."""
    return set(stay.events) <= OF_IP_LAYER or at == 0 and piece.links(None, "child")


def explain(piece, stay, ts, layers, matcher):
    where = show_station(stay.station)
    if not layers:
        return f"no headers at {where}"
    near = matcher.nearest(stay.station, ts)
    if not near:
        return f"was not at {where}: {show(layers)}"
    return f"at {where}: {difference(layers, near[0].layers) or 'twice'}"


def show_station(station):
    return ":".join(str(part) for part in station)


def show_way(way):
    return " > ".join(show_station(station) for station in way) or "nowhere"


# ---- one batch


class Report:
    """Counts and problems of one topology."""

    def __init__(self):
        self.counts = Counter()
        self.problems = defaultdict(list)

    def problem(self, kind, text):
        self.counts[kind] += 1
        self.problems[kind].append(text)


def make_json(directory, skbtrail):
    """paths.json of rec.dat, unless it is there and newer than both."""
    recording, out = directory / "rec.dat", directory / "paths.json"
    newest = max(recording.stat().st_mtime, Path(skbtrail).stat().st_mtime if skbtrail else 0)
    if out.exists() and out.stat().st_mtime >= newest:
        return None
    if not skbtrail:
        return "no paths.json, and no --skbtrail to make it"
    with out.open("wb") as file:
        done = subprocess.run([skbtrail, "report", "--json", str(recording)], stdout=file,
                              stderr=subprocess.PIPE, timeout=300, check=False)
    (directory / "report.log").write_bytes(done.stderr)
    return f"skbtrail report: status {done.returncode}" if done.returncode else None


def read_batch(directory):
    captures, problems = [], []
    for path in sorted(directory.glob("*.pcap")):
        netns = path.name[:-len(".pcap")]
        devices = {}
        for line in path.with_suffix(".devices").read_text().splitlines():
            index, name = line.split()
            devices[int(index)] = name
        try:
            captures += read_capture(path.read_bytes(), netns, devices)
        except (Malformed, ValueError) as error:
            problems.append(f"{path.name}: {error}")
    return captures, problems


def check_watched(directory, reports):
    """The run with tcpdump: returns the truths, for the other run to be compared with."""
    captures, problems = read_batch(directory)
    truths = truths_of(captures)
    expect = Expectations(*read_log(directory), missed_probes(directory))
    expect.learn(truths)
    pieces, more = read_pieces(directory / "paths.json")
    matcher = Matcher(truths)
    matcher.set_clock(pieces)
    for piece in sorted(pieces, key=lambda p: p.first_ns):
        match(piece, matcher)
        for _, truth in piece.matched:
            if truth not in piece.truths:
                piece.truths.append(truth)
                truth.pieces.append(piece)
    numbers = {piece.number: piece for piece in pieces}
    window = expect.window(truths.values())
    for report in reports.values():
        for problem in problems + more:
            report.problem("broken", problem)
    for piece in pieces:
        check_piece(piece, reports, numbers)
    bare = [piece for piece in pieces if not piece.has_headers()]
    for truth in truths.values():
        if truth.topology in reports:
            check_truth(truth, reports[truth.topology], expect, numbers, window, matcher.taken,
                        lambda its: without_headers(its, matcher, bare))
    expect.unseen(truths.values(), pieces, reports)
    check_joints(truths.values(), pieces, numbers, expect, reports)
    return truths, expect


def check_joints(truths, pieces, numbers, expect, reports):
    """What was cut up or joined is linked with all of its parts, and with nothing else."""
    for piece in pieces:
        report = reports.get(piece.topology())
        if report:
            for text in (*segments_wrong(piece, numbers), *merge_wrong(piece, numbers)):
                report.problem("links", f"packet {piece.number} ({show(piece.first_layers)}): {text}")
    datagrams, cut = defaultdict(list), Counter()
    for truth in truths:
        if truth.key[0] == "fragment" and truth.topology in reports and truth.flow:
            datagrams[truth.topology, truth.key[1:6]].append(truth)
    for (topology, name), fragments in datagrams.items():
        mine = [piece for truth in fragments for piece in truth.pieces]
        states = sorted(piece.state for piece in mine)
        text = f"fragments of {name}: packets {' '.join(str(p.number) for p in mine)}"
        if states != ["delivered"] + ["merged"] * (len(fragments) - 1):
            reports[topology].problem("end", f"{text} are {' '.join(states)}")
        if mine and not linked(mine, {"fragment", "merge"}):
            reports[topology].problem("links", f"{text} are not linked")
    for piece in pieces:
        cut[piece.topology()] += piece.state == "split"
    for flow in expect.flows.values():
        if flow.topology in reports and "gso" in flow.expect and not cut[flow.topology]:
            reports[flow.topology].problem("links", f"flow {flow.number}: nothing was cut up")


def stretch(piece):
    """(first sequence number, bytes) of TCP data, as tcpdump saw them first."""
    seen = piece.matched[0][0]
    return seen.layers[-1].tcp[1], len(seen.payload)


def one_after_the_other(stretches):
    """The sum of bytes when each begins where another ends, else None."""
    at = first = min(stretches)[0]
    for begin, size in sorted(stretches):
        if begin != at:
            return None
        at += size
    return at - first


def segments_wrong(piece, numbers):
    if piece.state != "split" or not piece.first_layers or not piece.first_layers[-1].tcp:
        return
    linked_to = [numbers[link["packet"]] for link in piece.links("segment", "parent")
                 if link.get("packet") in numbers]
    parts = [part for part in linked_to if part.matched and part.matched[0][0].layers[-1].tcp]
    if not parts and piece.topology() == "wg" and piece.matched:
        # encrypted before tcpdump sees them: only their number is known
        wanted = segments(piece.matched[0][0], WIREGUARD_MTU)
        if len(linked_to) != wanted:
            yield f"was cut up into {len(linked_to)}, not {wanted}"
        return
    if not parts:
        yield "was cut up, but no segment is linked"
        return
    last, example = piece.first_layers[-1], parts[0].matched[0][0]
    headers = example.layers[-1].len - len(example.payload)
    stretches = [stretch(part) for part in parts]
    if min(stretches)[0] != last.tcp[1] or one_after_the_other(stretches) != last.len - headers:
        yield f"was cut up into {sorted(stretches)}"


def merge_wrong(piece, numbers):
    parts = [numbers[link["packet"]] for link in piece.links("merge", "parent") if link.get("packet") in numbers]
    parts = [part for part in parts if part.matched]
    if not parts or not all(part.matched and part.matched[0][0].layers[-1].tcp for part in (piece, *parts)):
        return
    whole = len(piece.matched[-1][0].payload)
    stretches = [stretch(part) for part in (piece, *parts)]
    if one_after_the_other(stretches) != whole:
        yield f"has {whole} bytes, but was joined of {sorted(stretches)}"


def check_piece(piece, reports, numbers):
    report = reports.get(piece.topology())
    if report is None:
        return
    report.counts["pieces"] += 1
    name = f"packet {piece.number} ({show(piece.first_layers)})"
    # nobody can tell packets apart that are the same to the bit: where each was is counted, not which
    twin = any(truth.twin for truth in piece.truths)
    for kind, text in piece.problems:
        if not twin:
            report.problem(kind, f"{name} {text}")
    if len({truth.name() for truth in piece.truths}) > 1 and not may_change(piece, numbers):
        report.problem("merged", f"{name} is {' and '.join(t.name() for t in piece.truths[:3])}")
    if piece.topology() == "vlan":
        for stay in piece.stays:
            want = None if "." in stay.station[1] or stay.station[1] == "lo" else [10]
            if any((vlan or None) != want for vlan in stay.vlans) and piece.first_layers[-1:] and \
                    any(truth.flow for truth in piece.truths):
                report.problem("vlan", f"{name}: vlan {stay.vlans[0]} at {show_station(stay.station)}")
    times = [hop["ts_ns"] for hop in piece.json["hops"]]
    if times != sorted(times):
        report.problem("hops", f"{name}: its hops are not in the order of their times")
    order = [seen.time for seen, _ in piece.matched]
    if order != sorted(order) and not twin:
        report.problem("hops", f"{name}: {show_way(piece.way())} is not the order of tcpdump")


def may_change(piece, numbers):
    """A packet that others were joined to, or that was cut up, is another one for tcpdump."""
    kinds = {truth.key[0] for truth in piece.truths}
    if kinds <= {"tcp"}:
        return bool(piece.links("merge") or piece.links("segment"))
    if kinds == {"wg", "tcp"}:
        return True
    return "fragment" in kinds and kinds <= {"fragment", "udp", "ping"}


def linked(pieces, kinds):
    """Whether links of these kinds join all of the pieces."""
    rest, known = list(pieces[1:]), {pieces[0].number}
    edges = defaultdict(set)
    for piece in pieces:
        for link in piece.links():
            if link.get("kind") in kinds and "packet" in link:
                edges[piece.number].add(link["packet"])
                edges[link["packet"]].add(piece.number)
    grown = True
    while grown and rest:
        grown = False
        for piece in list(rest):
            if edges[piece.number] & known:
                known.add(piece.number)
                rest.remove(piece)
                grown = True
    return not rest


# How far apart the two may see a packet at the same place, where nothing but the time can tell.
BESIDE_NS = 300_000


def without_headers(truth, matcher, bare):
    """Takes the piece that was at just these devices at these times, but of which no probe saw the headers."""
    seens = [(seen.time, seen.dev, seen.out) for seen in truth.seen]
    for piece in bare:
        taps = [(ts + matcher.offset, stay.station[1], out) for stay in piece.stays for ts, out, _ in stay.taps]
        if len(taps) == len(seens) and all(
                tap[1:] == seen[1:] and abs(tap[0] - seen[0]) < BESIDE_NS for tap, seen in zip(taps, seens)):
            bare.remove(piece)
            return True
    return False


def check_truth(truth, report, expect, numbers, window, taken, is_bare):
    """@taken: ids of what tcpdump saw that some packet of skbtrail's was found to be."""
    flow = expect.flow_of(truth)
    if flow is None and not window[0] <= truth.seen[0].time <= window[1]:
        return
    report.counts["packets"] += 1
    report.counts["views"] += len(truth.seen)
    name = truth.name()
    if not truth.pieces and not (truth.twin and all(id(seen) in taken for seen in truth.seen)):
        # where kprobes tell the headers and the kernel missed them all, the devices alone are known
        if expect.missed and is_bare(truth):
            report.counts["no headers"] += 1
        else:
            report.problem("missing", f"{name}: no packet for {show_way(truth.way())}")
        return
    matched = taken if truth.twin else {id(seen) for piece in truth.pieces for seen, its in piece.matched}
    lost = [seen for seen in truth.seen if id(seen) not in matched]
    if lost:
        report.problem("hops", f"{name} (packet {truth.pieces[0].number}): "
                               f"{show_way(truth.pieces[0].way())}, not {show_way(truth.way())}")
    if len(truth.pieces) > 1 and not truth.twin:
        kinds = expect.splitting_links(truth, flow)
        if not kinds:
            report.problem("split", f"{name}: packets {' '.join(str(p.number) for p in truth.pieces[:6])}")
        elif "any" not in kinds and not linked(truth.pieces, kinds):
            report.problem("links", f"{name}: packets "
                                    f"{' '.join(str(p.number) for p in truth.pieces[:6])} are not linked")
    for kind, text in expect.check_end(truth, flow, numbers):
        report.problem(kind, f"{name}: {text}")
    if flow is not None and any(piece.json.get("complete") != "complete" and piece.state not in ("unknown", "open")
                                for piece in truth.pieces):
        report.problem("end", f"{name}: {truth.pieces[0].json.get('complete', 'completeness not said')}")
    if not lost:
        report.counts["right way"] += 1


def check_alone(directory, reports, truths, before):
    """The run without tcpdump: the same traffic must show the same ways."""
    expect = Expectations(*read_log(directory), missed_probes(directory))
    pieces, problems = read_pieces(directory / "paths.json")
    for report in reports.values():
        for problem in problems:
            report.problem("alone", problem)
    ways = defaultdict(set)
    for truth in truths.values():
        name = before.kind_of(truth.seen[0].layers, truth.flow)
        for piece in truth.pieces:
            ways[truth.topology, name].add(tuple(piece.way()))
    expect.check_alone(pieces, ways, reports)


def check(directory, skbtrail, only):
    """{topology: Report}, and {topology: why it was left out}."""
    reports, skipped = {}, {}
    batches = defaultdict(list)
    for line in (directory / "truth" / "topologies").read_text().splitlines():
        name, batch, *why = line.split(" ", 2)
        if only and name not in only:
            continue
        if batch == "-":
            skipped[name] = " ".join(why)
        else:
            batches[batch].append(name)
            reports[name] = Report()
    for batch, names in batches.items():
        mine = {name: reports[name] for name in names}
        where = directory / "truth" / batch
        wrong = [problem for place in (where, where / "alone")
                 for problem in [make_json(place, skbtrail)] if problem]
        for problem in wrong:
            for report in mine.values():
                report.problem("broken", problem)
        if not wrong:
            truths, expect = check_watched(where, mine)
            check_alone(where / "alone", mine, truths, expect)
    return reports, skipped


# ---- results

PROBLEMS = ("broken", "missing", "extra", "merged", "split", "hops", "tuple", "vlan", "links", "end",
            "false drop", "nat", "alone")
COLUMNS = ("packets", "views", "right way", "no headers") + PROBLEMS[1:] + ("alone packets",)


def tell(reports, shown):
    failed = 0
    for name, report in reports.items():
        if not report.counts["packets"]:
            report.problem("broken", "there was no traffic")
        if not report.problems:
            print(f"ok truth_{name}")
            continue
        failed += 1
        parts = []
        for kind in PROBLEMS:
            texts = report.problems.get(kind)
            if texts:
                parts.append(f"{kind} {len(texts)}: {'; '.join(texts[:shown])}")
        print(f"FAIL truth_{name}: {' | '.join(parts)}")
    return failed


def print_counts(reports):
    rows = [("topology",) + COLUMNS]
    rows += [(name, *(str(report.counts[c]) for c in COLUMNS)) for name, report in reports.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip(), file=sys.stderr)


def markdown(directories):
    """The table of doc/truth.md: topologies down, kernels across."""
    kernels, cells = [], defaultdict(dict)
    for directory in directories:
        table = json.loads((directory / "table.json").read_text())
        kernels.append(table["kernel"])
        for name, why in table["skipped"].items():
            cells[name][table["kernel"]] = f"– ({why})"
        for name, counts in table["counts"].items():
            wrong = sum(counts.get(kind, 0) for kind in PROBLEMS)
            cells[name][table["kernel"]] = (
                f"{counts.get('packets', 0)} + {counts.get('alone packets', 0)}"
                + (f", {wrong} wrong" if wrong else ""))
    yield "| topology | " + " | ".join(kernels) + " |"
    yield "|---" * (len(kernels) + 1) + "|"
    for name, row in cells.items():
        yield f"| {name} | " + " | ".join(row.get(kernel, "") for kernel in kernels) + " |"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, nargs="+", help="what guest-truth.sh left in /out")
    parser.add_argument("--skbtrail", help="makes paths.json of the recordings")
    parser.add_argument("--kernel", default="?", help="its name, for the table")
    parser.add_argument("--only", action="append", help="this topology")
    parser.add_argument("--all", action="store_true", help="show every problem")
    parser.add_argument("--table", action="store_true", help="print the table of doc/truth.md")
    options = parser.parse_args(arguments)
    if options.table:
        print("\n".join(markdown(options.directory)))
        return 0
    failed = 0
    for directory in options.directory:
        reports, skipped = check(directory, options.skbtrail, options.only)
        failed += tell(reports, None if options.all else MAX_SHOWN)
        print_counts(reports)
        (directory / "table.json").write_text(json.dumps(
            {"kernel": options.kernel, "skipped": skipped,
             "counts": {name: report.counts for name, report in reports.items()}}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
