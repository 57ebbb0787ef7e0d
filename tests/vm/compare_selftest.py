#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows that compare.py accepts what is right and finds each kind of wrong path.

Makes captures and paths of pings that went as they should, breaks one thing at a time, and wants the
verdict named for that to be FAIL. A check that cannot fail is worth nothing.
"""

import contextlib
import copy
import io
import json
import struct
import sys
import tempfile
import unittest
from pathlib import Path

import compare

REAL_MINUS_MONO = 1_700_000_000_000_000_000
COUNT = 120
WAYS = {"request": [("host", "br0"), ("host", "vethweb"), ("web", "eth0")],
        "reply": [("web", "eth0"), ("host", "vethweb"), ("host", "br0")]}


def frame(kind, seq):
    if kind.version == 4:
        icmp = bytes([8 if kind.what == "request" else 0, 0, 0, 0]) + struct.pack("!HH", 77, seq)
        ip = bytes([0x45, 0, 0, 84]) + bytes(4) + bytes([64, 1]) + bytes(10)
        return bytes(12) + b"\x08\x00" + ip + icmp + bytes(56)
    icmp = bytes([128 if kind.what == "request" else 129, 0, 0, 0]) + struct.pack("!HH", 78, seq)
    ip = bytes([0x60, 0, 0, 0, 0, 64, 58, 64]) + bytes(32)
    return bytes(12) + b"\x86\xdd" + ip + icmp + bytes(56)


def hop(ns, event, station, skb, length):
    return {"ts_ns": ns, "cpu": 0, "event": f"net:{event}", "netns": station[0], "dev": station[1],
            "skb": f"0x{skb:x}", "len": length}


def good():
    """(captures {station: [(time, frame)]}, paths)."""
    captures = {station: [] for station in WAYS["request"]}
    paths = []
    for version in (4, 6):
        for seq in range(1, COUNT + 1):
            for what in ("request", "reply"):
                kind = compare.Kind(version, what)
                start = ((version * COUNT + seq) * 10_000_000) + (500_000 if what == "reply" else 0)
                small, full = compare.LENGTHS[version]
                hops = []
                for i, station in enumerate(WAYS[what]):
                    at = start + i * 100_000
                    if i == 0 or (what == "request" and i == 1):
                        hops.append(hop(at, "net_dev_queue", station, seq, full))
                        hops.append(hop(at + 9_000, "net_dev_start_xmit", station, seq, full))
                    else:
                        hops.append(hop(at, "netif_rx", station, seq, small))
                        hops.append(hop(at + 1_000, "netif_receive_skb", station, seq, small))
                    # a bridge hands up what its port got, with the stamp from there
                    stamp = start + 100_000 if what == "reply" and i == 2 else at
                    captures[station].append((stamp + 5_000 + REAL_MINUS_MONO, frame(kind, seq)))
                hops.append(hop(start + 290_000, "net_dev_xmit", WAYS[what][0], seq, full))
                hops.append({"ts_ns": start + 300_000, "cpu": 0, "event": "skb:consume_skb",
                             "skb": f"0x{seq:x}"})
                paths.append({"packet": len(paths) + 1, "first_ns": start, "proto": f"IPv{version}",
                              "len": full, "hops": hops, "complete": "complete",
                              "end": {"state": "delivered", "ts_ns": start + 300_000}})
    paths.append({"packet": len(paths) + 1, "first_ns": 5, "proto": "ARP", "len": 42,
                  "hops": [hop(5, "net_dev_queue", ("host", "br0"), 1, 42)],
                  "end": {"state": "delivered"}, "complete": "complete"})
    return captures, paths


def write(directory, captures, paths, others=None, ping=None):
    for station, packets in captures.items():
        with open(directory / f"{station[0]}.{station[1]}.pcap", "wb") as out:
            out.write(struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
            for time, data in packets:
                out.write(struct.pack("<IIII", time // 10**9, time % 10**9, len(data), len(data)))
                out.write(data)
    for name in ("paths.json", "paths2.json", "live.json"):
        lines = paths if name == "paths.json" or others is None else others
        (directory / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    for name in ("ping.txt", "ping2.txt", "ping-live.txt"):
        (directory / name).write_text(ping or "".join(
            f"--- {to} ping statistics ---\n{COUNT} packets transmitted, {COUNT} received, 0% loss\n"
            for to in ("10.0.2.2", "fd00:2::2")))


def verdicts(captures, paths, **more):
    """{name: line} of compare.py's verdicts, and its exit status."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), captures, paths, **more)
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            status = compare.main([name])
    lines = out.getvalue().splitlines()
    return {line.split()[1].rstrip(":"): line for line in lines}, status


class Compare(unittest.TestCase):
    def setUp(self):
        self.captures, self.paths = good()

    def wants_failure(self, test, **more):
        lines, status = verdicts(self.captures, self.paths, **more)
        self.assertTrue(lines[test].startswith("FAIL "), lines[test])
        self.assertEqual(status, 1)
        return lines[test]

    def test_right_paths_are_accepted(self):
        lines, status = verdicts(self.captures, self.paths)
        self.assertEqual([line for line in lines.values() if not line.startswith("ok ")], [])
        self.assertEqual(status, 0)
        self.assertEqual(len(lines), 14)

    def test_protocol_as_a_number_is_accepted(self):
        for path in self.paths:
            path["proto"] = {"IPv4": "0x0800", "IPv6": 34525}.get(path["proto"], path["proto"])
        self.assertEqual(verdicts(self.captures, self.paths)[1], 0)

    def test_dropped_hop(self):
        path = self.paths[100]
        path["hops"] = [h for h in path["hops"] if h.get("dev") != "vethweb"]
        self.wants_failure("recorded_hops_in_order_of_tcpdump")

    def test_dropped_first_hop(self):
        path = self.paths[100]
        path["hops"] = [h for h in path["hops"] if h.get("dev") != path["hops"][0]["dev"]]
        path["first_ns"] = path["hops"][0]["ts_ns"]
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_swapped_stations(self):
        for h in self.paths[100]["hops"]:
            if "dev" in h:
                other = {"br0": "vethweb", "vethweb": "br0"}
                h["dev"] = other.get(h["dev"], h["dev"])
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_swapped_stations_of_a_reply(self):
        for h in self.paths[101]["hops"]:
            if "dev" in h:
                other = {"br0": "vethweb", "vethweb": "br0"}
                h["dev"] = other.get(h["dev"], h["dev"])
        self.wants_failure("recorded_hops_in_order_of_tcpdump")

    def test_swapped_hops(self):
        hops = self.paths[100]["hops"]
        hops[1], hops[2] = hops[2], hops[1]
        self.wants_failure("recorded_hops_in_order_of_tcpdump")

    def test_missing_packet(self):
        del self.paths[100]
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_invented_packet(self):
        self.paths.append(copy.deepcopy(self.paths[100]))
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_one_missing_and_another_invented(self):
        twin = copy.deepcopy(self.paths[200])
        for h in [twin, twin["end"], *twin["hops"]]:
            for key in ("ts_ns", "first_ns"):
                if key in h:
                    h[key] += 1
        self.paths.append(twin)
        del self.paths[20]
        self.wants_failure("recorded_paths_belong_to_the_packets_of_tcpdump")

    def test_split_path(self):
        path = self.paths[100]
        rest = copy.deepcopy(path)
        rest["hops"] = [h for h in path["hops"] if h.get("dev") == "eth0"]
        rest["packet"] = 9999
        rest["first_ns"] = rest["hops"][0]["ts_ns"]
        path["hops"] = [h for h in path["hops"] if h.get("dev") != "eth0"]
        self.paths.append(rest)
        self.wants_failure("recorded_hops_in_order_of_tcpdump")
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_split_in_the_middle(self):
        path = self.paths[101]
        rest = copy.deepcopy(path)
        rest["hops"] = [h for h in path["hops"] if h.get("dev") in ("vethweb", "br0")]
        rest["first_ns"] = rest["hops"][0]["ts_ns"]
        self.paths.append(rest)
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_two_packets_in_one_path(self):
        self.paths[100]["hops"] += self.paths[101]["hops"]
        self.wants_failure("recorded_hops_in_order_of_tcpdump")

    def test_two_packets_of_a_kind_in_one_path(self):
        self.paths[100]["hops"] += self.paths[102]["hops"]
        del self.paths[102]
        self.wants_failure("recorded_hops_in_order_of_tcpdump")
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_wrong_netns(self):
        self.paths[100]["hops"][-3]["netns"] = "host"
        self.wants_failure("recorded_hops_in_order_of_tcpdump")

    def test_missing_netns(self):
        for h in self.paths[100]["hops"]:
            if h.get("dev") == "eth0":
                del h["netns"]
        self.wants_failure("recorded_hops_in_order_of_tcpdump")

    def test_look_back_from_a_place_never_visited(self):
        self.paths[100]["hops"][-2]["dev"] = "br7"
        self.wants_failure("recorded_hops_in_order_of_tcpdump")

    def test_false_drop(self):
        self.paths[101]["end"] = {"state": "dropped", "reason": "NO_SOCKET", "location": "ping_rcv"}
        line = self.wants_failure("recorded_pings_end_delivered")
        self.assertIn("dropped NO_SOCKET ping_rcv", line)

    def test_no_end(self):
        del self.paths[101]["end"]
        self.wants_failure("recorded_pings_end_delivered")

    def test_open_path(self):
        self.paths[101]["complete"] = "open"
        self.wants_failure("recorded_pings_are_complete")

    def test_wrong_without_tcpdump(self):
        others = copy.deepcopy(self.paths)
        others[100]["end"]["state"] = "unknown"
        others[102]["hops"] = others[102]["hops"][:4]
        del others[103]
        for source in ("recorded_alone", "live"):
            self.wants_failure(f"{source}_pings_end_delivered", others=others)
            self.wants_failure(f"{source}_hops_in_order_of_tcpdump", others=others)
            self.wants_failure(f"{source}_one_path_per_ping_packet", others=others)

    def test_not_json(self):
        self.paths.append("text")
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_no_paths(self):
        self.paths = []
        self.wants_failure("recorded_one_path_per_ping_packet")

    def test_tcpdump_missed_a_packet(self):
        del self.captures[("host", "vethweb")][7]
        self.wants_failure("tcpdump_saw_every_packet_on_every_device")

    def test_tcpdump_was_cut_short(self):
        del self.captures[("web", "eth0")][300:]
        self.wants_failure("tcpdump_saw_every_packet_on_every_device")

    def test_ping_lost_an_answer(self):
        self.wants_failure("recorded_one_path_per_ping_packet", ping=(
            "--- 10.0.2.2 ping statistics ---\n120 packets transmitted, 119 received, 1% loss\n"
            "--- fd00:2::2 ping statistics ---\n120 packets transmitted, 120 received, 0% loss\n"))

    def test_too_few_pings(self):
        self.captures, self.paths = ({}, [])
        self.wants_failure("tcpdump_saw_every_packet_on_every_device")
        self.wants_failure("recorded_one_path_per_ping_packet")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
