#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares skbtrail's paths of pings with what tcpdump saw of the same packets.

In:  a directory from guest-paths.sh: NETNS.DEV.pcap, one for each device, made while paths.json was;
     ping.txt, what ping said; paths2.json with ping2.txt and live.json with ping-live.txt, made with
     no tcpdump running.
Out: a table on stderr, one verdict per line on stdout; exit status 1 when one of them is FAIL.

Shares no code with src/: it must be able to find src/ wrong. At this stage paths carry no ICMP
sequence numbers, so path and packet are matched by their order; the clocks differ by a constant, whose
constancy is checked too.
"""

import argparse
import json
import re
import statistics
import struct
import sys
from collections import Counter, defaultdict, namedtuple
from pathlib import Path

# Where a packet is: a device and the network namespace it is in.
Station = namedtuple("Station", "netns dev")
# One kind of packet: IPv4 or IPv6, request or reply.
Kind = namedtuple("Kind", "version what")

KINDS = [Kind(v, w) for v in (4, 6) for w in ("request", "reply")]
HOST, WEB = "host", "web"
BRIDGE, PORT, ETH0 = Station(HOST, "br0"), Station(HOST, "vethweb"), Station(WEB, "eth0")
# Where a packet of that kind is born; the rest of its way is for tcpdump to tell.
BIRTHPLACE = {"request": BRIDGE, "reply": ETH0}
# Length of ping's default packet, without and with the Ethernet header. Neighbour discovery, router
# solicitation and multicast reports have other ones.
LENGTHS = {4: (84, 98), 6: (104, 118)}
PROTOCOLS = {4: ("ipv4", "ip", "0x0800", "0x800", "2048"), 6: ("ipv6", "0x86dd", "34525")}
MIN_PACKETS = 100
# Events that say "the packet comes to this device". The others (net_dev_xmit, *_exit) are looks back
# from a device that it has left by then.
ARRIVALS = {
    "net_dev_queue", "net_dev_start_xmit", "netif_rx", "netif_rx_entry", "netif_rx_ni_entry",
    "netif_receive_skb", "netif_receive_skb_entry", "netif_receive_skb_list_entry",
    "napi_gro_receive_entry", "napi_gro_frags_entry",
}
# How far one event may be from tcpdump's stamp of the same station, and how many may be farther: a
# virtual CPU can lose its turn between the two.
CLOCK_SLACK_NS = 5_000_000
CLOCK_OUTLIERS = 0.05


class Verdicts:
    """The lines on stdout."""

    def __init__(self):
        self.failed = 0

    def __call__(self, name, problems):
        """A problem is a line; a test without problems is ok."""
        problems = list(problems)
        if not problems:
            print(f"ok {name}")
            return
        self.failed += 1
        more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
        print(f"FAIL {name}: {'; '.join(problems[:3])}{more}")


# ---- what tcpdump saw


def pcap_packets(data):
    """Yields (time in ns, bytes) of each packet of a pcap file."""
    order = "<" if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xd4\xc3\xb2\xa1") else ">"
    units = {0xA1B23C4D: 1, 0xA1B2C3D4: 1000}
    magic = struct.unpack_from(order + "I", data)[0]
    if magic not in units:
        raise ValueError("not a pcap file")
    link = struct.unpack_from(order + "I", data, 20)[0]
    if link != 1:
        raise ValueError(f"link type {link}, wanted Ethernet")
    at = 24
    while at + 16 <= len(data):
        sec, frac, caught, _ = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if at + caught > len(data):
            raise ValueError("cut short")
        yield sec * 1_000_000_000 + frac * units[magic], data[at:at + caught]
        at += caught


def echo_key(frame):
    """(Kind, id, seq) of an ICMP echo, else None."""
    ethertype = struct.unpack_from("!H", frame, 12)[0] if len(frame) >= 14 else 0
    if ethertype == 0x0800 and len(frame) >= 34 and frame[23] == 1:
        version, icmp, types = 4, 14 + (frame[14] & 15) * 4, {8: "request", 0: "reply"}
    elif ethertype == 0x86DD and len(frame) >= 54 and frame[20] == 58:
        version, icmp, types = 6, 54, {128: "request", 129: "reply"}
    else:
        return None
    if len(frame) < icmp + 8 or frame[icmp] not in types:
        return None
    return (Kind(version, types[frame[icmp]]), *struct.unpack_from("!HH", frame, icmp + 4))


def read_captures(directory):
    """{key: [(time, station)] in the order in which the packet passed}, and what is wrong with that.

    The kernel stamps a packet once when it arrives from outside: a bridge hands the same packet with
    the same stamp from port to bridge. Such equal stamps are told apart by that rule.
    """
    seen = defaultdict(list)
    problems = []
    captures = sorted(directory.glob("*.pcap"))
    for path in captures:
        station = Station(*path.name.split(".")[:2])
        try:
            for time, frame in pcap_packets(path.read_bytes()):
                key = echo_key(frame)
                if key:
                    seen[key].append((time, station))
        except (ValueError, struct.error) as error:
            problems.append(f"{path.name}: {error}")
    stations = {Station(*path.name.split(".")[:2]) for path in captures}
    if not stations:
        problems.append("no captures")
    for key, visits in seen.items():
        visits.sort(key=lambda visit: (visit[0], visit[1] == BRIDGE))
        if Counter(station for _, station in visits) != Counter(stations):
            problems.append(f"IPv{key[0].version} {key[0].what} seq {key[2]} was seen at "
                            f"{' '.join(show(s) for _, s in visits)}")
        elif visits[0][1] != BIRTHPLACE[key[0].what]:
            problems.append(f"IPv{key[0].version} {key[0].what} seq {key[2]} seems to come from "
                            f"{show(visits[0][1])}")
    return seen, problems


def truth_by_kind(seen):
    """{kind: [[(time, station)], ...]} in the order of the packets."""
    truth = {kind: [] for kind in KINDS}
    for key, visits in seen.items():
        truth[key[0]].append(visits)
    for packets in truth.values():
        packets.sort()
    return truth


def pings_answered(path):
    """How many requests were answered, by IP version: what ping itself said at its end."""
    text = path.read_text() if path.exists() else ""
    counts = {}
    for target, sent, received in re.findall(
            r"^--- (\S+) ping statistics ---\n(\d+) packets transmitted, (\d+) received", text, re.M):
        if sent == received:
            counts[6 if ":" in target else 4] = int(sent)
    return counts


# ---- what skbtrail saw


def read_paths(path):
    paths, problems = [], []
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        return [], [f"{path.name}: {error.strerror}"]
    for number, line in enumerate(lines, 1):
        try:
            packet = json.loads(line)
            if "summary" in packet:
                continue
            packet["first_ns"], packet["packet"], packet["hops"][0]["ts_ns"]  # are there
            paths.append(packet)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            problems.append(f"{path.name} line {number}: {type(error).__name__} {error}")
    paths.sort(key=lambda packet: packet["first_ns"])
    return paths, problems


def arrivals(packet):
    """[(time, station)]: where the packet came to, each stay once."""
    stays = []
    for hop in packet["hops"]:
        if hop.get("event", "").split(":")[-1] in ARRIVALS and "dev" in hop:
            station = Station(hop.get("netns", "?"), hop["dev"])
            if not stays or stays[-1][1] != station:
                stays.append((hop["ts_ns"], station))
    return stays


def ping_version(packet):
    """4 or 6 when this may be a ping by protocol and length, else None."""
    protocol = str(packet.get("proto", "")).lower()
    lengths = {hop.get("len") for hop in packet["hops"]} | {packet.get("len")}
    for version, names in PROTOCOLS.items():
        if protocol in names and lengths & set(LENGTHS[version]):
            return version
    return None


def sort_out(paths):
    """{kind: [paths]}, and the paths that look like parts of pings."""
    kinds = {kind: [] for kind in KINDS}
    parts = []
    for packet in paths:
        version = ping_version(packet)
        stays = arrivals(packet)
        if not version or not stays:
            continue
        for what, birthplace in BIRTHPLACE.items():
            if stays[0][1] == birthplace:
                kinds[Kind(version, what)].append(packet)
                break
        else:
            parts.append(packet)
    return kinds, parts


# ---- the comparison


def show(station):
    return f"{station.netns}:{station.dev}"


def show_way(stations):
    return " > ".join(show(station) for station in stations)


def name_of(kind, packet):
    return f"IPv{kind.version} {kind.what} (packet {packet['packet']})"


def check_counts(wanted, kinds, parts):
    for kind in KINDS:
        if wanted[kind] < MIN_PACKETS:
            yield f"only {wanted[kind]} IPv{kind.version} {kind.what} packets to compare"
        if len(kinds[kind]) != wanted[kind]:
            yield (f"{len(kinds[kind])} paths for {wanted[kind]} IPv{kind.version} "
                   f"{kind.what} packets")
    for packet in parts:
        yield f"packet {packet['packet']} begins at {show(arrivals(packet)[0][1])}"


def check_order(ways, kinds):
    """ways: {kind: [stations of packet 1, ...]}."""
    for kind in KINDS:
        for packet, way in zip(kinds[kind], ways[kind]):
            mine = [station for _, station in arrivals(packet)]
            if mine != way:
                yield f"{name_of(kind, packet)}: {show_way(mine)}, not {show_way(way)}"
            times = [hop["ts_ns"] for hop in packet["hops"]]
            if times != sorted(times) or times[0] != packet["first_ns"]:
                yield f"{name_of(kind, packet)}: its hops are not in the order of their times"
            # netfilter is called at each of its hooks, and again by a bridge that filters IP
            events = Counter((hop["event"], hop.get("netns"), hop["dev"])
                             for hop in packet["hops"]
                             if "dev" in hop and not hop["event"].endswith(":nf_hook_slow"))
            event, count = events.most_common(1)[0]
            if count > 1:
                yield f"{name_of(kind, packet)}: {event[0]} {event[2]} {count} times"
            for hop in packet["hops"]:
                if "dev" in hop and Station(hop.get("netns", "?"), hop["dev"]) not in way:
                    yield f"{name_of(kind, packet)}: was never at {hop.get('netns')}:{hop['dev']}"


def check_ends(kinds):
    for kind in KINDS:
        for packet in kinds[kind]:
            end = packet.get("end", {})
            if end.get("state") != "delivered":
                why = " ".join(str(end[key]) for key in ("reason", "location") if key in end)
                yield f"{name_of(kind, packet)}: {end.get('state', 'no end')} {why}".rstrip()


def check_complete(kinds):
    for kind in KINDS:
        for packet in kinds[kind]:
            if packet.get("complete") != "complete":
                yield f"{name_of(kind, packet)}: {packet.get('complete', 'not said')}"


def check_clock(truth, kinds):
    """Same packet, same place: the two clocks must differ by one constant all the time."""
    distances = []
    for kind in KINDS:
        for packet, visits in zip(kinds[kind], truth[kind]):
            mine = {station: time for time, station in arrivals(packet)}
            distances += [(time - mine[station], kind, packet)
                          for time, station in visits if station in mine]
    if not distances:
        yield "nothing to compare"
        return
    middle = statistics.median(distance for distance, _, _ in distances)
    far = [d for d in distances if abs(d[0] - middle) > CLOCK_SLACK_NS]
    if len(far) > CLOCK_OUTLIERS * len(distances):
        distance, kind, packet = far[0]
        yield (f"{len(far)} of {len(distances)} events are far from tcpdump's time, first "
               f"{name_of(kind, packet)} by {(distance - middle) / 1e6:.1f} ms")


def compare_all(directory, verdict):
    seen, problems = read_captures(directory)
    truth = truth_by_kind(seen)
    verdict("tcpdump_saw_every_packet_on_every_device", problems)

    ways = {kind: [[station for _, station in visits] for visits in truth[kind]] for kind in KINDS}
    usual = {kind: Counter(map(tuple, ways[kind])).most_common(1)[0][0] if ways[kind] else ()
             for kind in KINDS}
    rows = []
    for source, file, said in (("recorded", "paths.json", "ping.txt"),
                               ("recorded_alone", "paths2.json", "ping2.txt"),
                               ("live", "live.json", "ping-live.txt")):
        answered = pings_answered(directory / said)
        paths, problems = read_paths(directory / file)
        kinds, parts = sort_out(paths)
        wanted = {kind: answered.get(kind.version, 0) for kind in KINDS}
        if source == "recorded":
            its_ways = ways
            problems += [f"ping counts {wanted[kind]} packets, tcpdump {len(ways[kind])}"
                         for kind in KINDS if wanted[kind] != len(ways[kind])]
        else:
            its_ways = {kind: [list(usual[kind])] * len(kinds[kind]) for kind in KINDS}
        problems += check_counts(wanted, kinds, parts)
        verdict(f"{source}_one_path_per_ping_packet", problems)
        verdict(f"{source}_hops_in_order_of_tcpdump", check_order(its_ways, kinds))
        verdict(f"{source}_pings_end_delivered", check_ends(kinds))
        verdict(f"{source}_pings_are_complete", check_complete(kinds))
        if source == "recorded":
            verdict("recorded_paths_belong_to_the_packets_of_tcpdump", check_clock(truth, kinds))
        for kind in KINDS:
            states = Counter(p.get("end", {}).get("state", "-") for p in kinds[kind])
            rows.append((source, f"IPv{kind.version} {kind.what}", len(ways[kind])
                         if source == "recorded" else "-", wanted[kind], len(kinds[kind]),
                         " ".join(f"{n} {s}" for s, n in sorted(states.items())) or "-"))
        rows.append((source, "parts of pings", "-", "-", len(parts), "-"))
        rows.append((source, "other packets", "-", "-",
                     len(paths) - len(parts) - sum(map(len, kinds.values())), "-"))
    return rows


def print_table(rows):
    rows = [("source", "packets", "tcpdump", "ping", "paths", "ends")] + rows
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip(),
              file=sys.stderr)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=Path, help="what guest-paths.sh left in /out")
    options = parser.parse_args(arguments)
    verdict = Verdicts()
    print_table(compare_all(options.directory, verdict))
    return 1 if verdict.failed else 0


if __name__ == "__main__":
    sys.exit(main())
