#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows that truth.py accepts what is right and finds each kind of wrong packet.

The captures are made here, byte by byte: a routed and NATed chain a - r - b, a bridge that floods, a
dropping rule, a closed port, fragments, GSO. The right JSON comes from truth_ideal.py; each test
spoils one thing.
"""

import contextlib
import io
import ipaddress
import json
import os
import struct
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import truth  # noqa: E402
import truth_headers  # noqa: E402
import truth_ideal  # noqa: E402

A, R1, R2, B = "10.1.0.2", "10.1.0.1", "192.168.9.1", "192.168.9.2"
DEVICES = {"snat-a": ["eth0"], "snat-r": ["left", "right"], "snat-b": ["eth0"],
           "nftdrop-a": ["eth0"], "nftdrop-r": ["left", "right"], "nftdrop-b": ["eth0"],
           "closed-a": ["eth0"], "closed-r": ["left", "right"], "closed-b": ["eth0"],
           "frag-a": ["eth0"], "frag-r": ["left", "right"], "frag-b": ["eth0"],
           "tcpgso-a": ["eth0"], "tcpgso-b": ["eth0"],
           "loss-a": ["eth0"], "loss-r": ["left", "right"], "loss-b": ["eth0"],
           "vxlan-a": ["eth0", "vx0"], "vxlan-b": ["eth0", "vx0"],
           "flood-h": ["br0", "porta", "portb", "portc"], "flood-a": ["eth0"], "flood-b": ["eth0"],
           "flood-c": ["eth0"]}


# ---- bytes, made without truth_headers


def ipv4(src, dst, proto, payload, ident=1, frag=0):
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, frag, 64, proto, 0,
                       ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed) + payload


def ipv6(src, dst, proto, payload):
    return struct.pack("!IHBB16s16s", 0x60000000, len(payload), proto, 64,
                       ipaddress.ip_address(src).packed, ipaddress.ip_address(dst).packed) + payload


def udp(sport, dport, payload):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def tcp(sport, dport, seq, ack, flags, payload=b""):
    return struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 512, 0, 0) + payload


def message(flow, number, direction=0, size=64):
    return (b"SKBTRUTH" + struct.pack("!HHI", flow, direction, number)).ljust(size, b"\0")


class Network:
    """Captures and logs being made; time goes on by itself."""

    def __init__(self):
        self.now, self.frames, self.log, self.served = 1_700_000_000_000_000_000, {}, [], []
        for netns in DEVICES:
            self.frames[netns] = []

    def at(self, netns, dev, out, packet, ethertype=0x0800):
        self.now += 10_000
        head = struct.pack("!HHIHBB8s", ethertype, 0, 1 + DEVICES[netns].index(dev), 1, 4 if out else 0, 6,
                           bytes(8))
        self.frames[netns].append((self.now, head + packet))

    def along(self, way, packets):
        """way: "netns:dev> " for out, "netns:dev<" for in; one packet or one for each."""
        for i, place in enumerate(way.split()):
            netns, dev = place[:-1].split(":")
            self.at(netns, dev, place[-1] == ">", packets if isinstance(packets, bytes) else packets[i])

    def write(self, directory):
        for where in (directory / "truth" / "1", directory / "truth" / "1" / "alone"):
            where.mkdir(parents=True, exist_ok=True)
            (where / "traffic.log").write_text("\n".join(self.log) + "\n")
            (where / "served.log").write_text("\n".join(self.served) + "\n")
        where = directory / "truth" / "1"
        for netns, frames in self.frames.items():
            (where / f"{netns}.devices").write_text(
                "".join(f"{i} {dev}\n" for i, dev in enumerate(DEVICES[netns], 1)))
            data = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 276)
            for time, frame in frames:
                data += struct.pack("<IIII", time // 10**9, time % 10**9, len(frame), len(frame)) + frame
            (where / f"{netns}.pcap").write_bytes(data)
        topologies = sorted({netns.rsplit("-", 1)[0] for netns in DEVICES})
        (directory / "truth" / "topologies").write_text(
            "".join(f"{name} 1\n" for name in topologies) + "wg - this kernel has no wireguard devices\n")


def chain_way(name):
    return f"{name}-a:eth0> {name}-r:left< {name}-r:right> {name}-b:eth0<"


def chain_back(name):
    return f"{name}-b:eth0> {name}-r:right< {name}-r:left> {name}-a:eth0<"


def make_network():
    net = Network()
    log, served = net.log, net.served

    # SNAT: the router writes its own address
    log.append(f"flow 1 snat udp4 udp 4 snat-a {B} -")
    for n in range(5):
        sport = 20100 + n
        log.append(f"sent 1 {n} 0 {A} {sport} {B} 7000 64")
        inside = ipv4(A, B, 17, udp(sport, 7000, message(1, n)), 100 + n)
        outside = ipv4(R2, B, 17, udp(sport, 7000, message(1, n)), 100 + n)
        net.along(chain_way("snat"), [inside, inside, outside, outside])
        served += [f"snat-b received 1 {n} 0 {R2} {sport} {B} 7000 64",
                   f"snat-b sent 1 {n} 1 {B} 7000 {R2} {sport} 64"]
        outside = ipv4(B, R2, 17, udp(7000, sport, message(1, n, 1)), 200 + n)
        inside = ipv4(B, A, 17, udp(7000, sport, message(1, n, 1)), 200 + n)
        net.along(chain_back("snat"), [outside, outside, inside, inside])
        log.append(f"received 1 {n} 1 {B} 7000 {A} {sport} 64")
    # pings over IPv6
    log += ["flow 2 snat ping6 ping 6 snat-a fd00::2 -", "ping 2 3 3"]
    for n in range(1, 4):
        for kind, way, ends in ((128, chain_way, ("fd00::1", "fd00::2")), (129, chain_back, ("fd00::2", "fd00::1"))):
            packet = ipv6(*ends, 58, struct.pack("!BBHHH", kind, 0, 0, 2, n) + bytes(56))
            for place in way("snat").split():
                netns, dev = place[:-1].split(":")
                net.at(netns, dev, place[-1] == ">", packet, 0x86DD)
    # dropped by a rule
    log.append(f"flow 3 nftdrop udp4 udp 4 nftdrop-a {B} drop=FORWARD@r")
    for n in range(3):
        log.append(f"sent 3 {n} 0 {A} {20300 + n} {B} 7900 64")
        net.along("nftdrop-a:eth0> nftdrop-r:left<", ipv4(A, B, 17, udp(20300 + n, 7900, message(3, n)), 300 + n))
    # closed: an ICMP error, a reset
    log += [f"flow 4 closed udp4 udp 4 closed-a {B} closed", f"flow 5 closed tcp4 tcp 4 closed-a {B} closed",
            "tcp 5 0 0 refused"]
    for n in range(2):
        log.append(f"sent 4 {n} 0 {A} {20400 + n} {B} 7999 64")
        cause = ipv4(A, B, 17, udp(20400 + n, 7999, message(4, n)), 400 + n)
        net.along(chain_way("closed"), cause)
        net.along(chain_back("closed"), ipv4(B, A, 1, struct.pack("!BBHI", 3, 3, 0, 0) + cause, 450 + n))
    net.along(chain_way("closed"), ipv4(A, B, 6, tcp(50005, 7999, 1000, 0, 0x02), 460))
    net.along(chain_back("closed"), ipv4(B, A, 6, tcp(7999, 50005, 0, 1001, 0x14), 0))
    # fragments
    log += [f"flow 6 frag udp4 udp 4 frag-a {B} frag", f"sent 6 0 0 {A} 20600 {B} 7000 2000"]
    whole = udp(20600, 7000, message(6, 0, 0, 2000))
    for offset, more in ((0, 0x2000), (1480, 0)):
        net.along(chain_way("frag"), ipv4(A, B, 17, whole[offset:offset + 1480], 600, more | offset // 8))
    served.append(f"frag-b received 6 0 0 {A} 20600 {B} 7000 2000")
    # TCP
    log += [f"flow 7 tcpgso tcp4 tcp 4 tcpgso-a {B} gso", "tcp 7 0 3000 ok"]
    net.along("tcpgso-a:eth0> tcpgso-b:eth0<", ipv4(A, B, 6, tcp(50007, 7000, 1, 0, 0x02), 700))
    for n in range(3):
        net.along("tcpgso-a:eth0> tcpgso-b:eth0<",
                  ipv4(A, B, 6, tcp(50007, 7000, 2 + n * 1000, 9, 0x10, bytes(1000)), 701 + n))
    # two acknowledgements that are the same to the bit
    for _ in range(2):
        net.along("tcpgso-b:eth0> tcpgso-a:eth0<", ipv4(B, A, 6, tcp(7000, 50007, 9, 3002, 0x10), 0))
    # lost in a qdisc, before and behind the first view
    log.append(f"flow 8 loss udp4 udp 4 loss-a {B} loss=a.eth0,r.right")
    log += [f"sent 8 {n} 0 {A} {20800 + n} {B} 7000 64" for n in range(2)]
    net.along("loss-a:eth0> loss-r:left<", ipv4(A, B, 17, udp(20800, 7000, message(8, 0)), 800))
    # a tunnel
    log += ["flow 9 vxlan udp4 udp 4 vxlan-a 10.20.0.2 -", "sent 9 0 0 10.20.0.1 20900 10.20.0.2 7000 64"]
    served.append("vxlan-b received 9 0 0 10.20.0.1 20900 10.20.0.2 7000 64")
    inner = ipv4("10.20.0.1", "10.20.0.2", 17, udp(20900, 7000, message(9, 0)), 900)
    outer = ipv4(R2, B, 17, udp(44444, 4789, struct.pack("!II", 0x08000000, 7 << 8) + bytes(12) + b"\x08\0" + inner), 901)
    net.along("vxlan-a:vx0> vxlan-a:eth0> vxlan-b:eth0< vxlan-b:vx0<", [inner, outer, outer, inner])
    # a bridge that floods
    log += [f"flow 10 flood udp4 udp 4 flood-a {B} flood", f"sent 10 0 0 {A} 21000 {B} 7000 64"]
    served.append(f"flood-c received 10 0 0 {A} 21000 {B} 7000 64")
    net.along("flood-a:eth0> flood-h:porta< flood-h:portb> flood-b:eth0< flood-h:portc> flood-c:eth0<",
              ipv4(A, B, 17, udp(21000, 7000, message(10, 0)), 1000))
    return net


class TruthTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.directory = Path(cls.temporary.name)
        make_network().write(cls.directory)
        cls.batch = cls.directory / "truth" / "1"
        truth_ideal.write_ideal(cls.batch)
        cls.right = (cls.batch / "paths.json").read_text()
        for where in (cls.batch, cls.batch / "alone"):
            (where / "rec.dat").write_text("")
            os.utime(where / "rec.dat", (0, 0))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def setUp(self):
        self.packets = [json.loads(line) for line in self.right.splitlines()]

    def verdicts(self, alone=None):
        text = "".join((p if isinstance(p, str) else json.dumps(p)) + "\n" for p in self.packets)
        (self.batch / "paths.json").write_text(text)
        (self.batch / "alone" / "paths.json").write_text(self.right if alone is None else alone)
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            status = truth.main([str(self.directory), "--all", "--kernel", "6.1"])
        lines = out.getvalue().splitlines()
        self.assertEqual(status == 0, not any(line.startswith("FAIL") for line in lines))
        return lines

    def wants(self, topology, kind, alone=None):
        """That topology fails with that kind of problem, and no other topology fails."""
        lines = self.verdicts(alone)
        mine = [line for line in lines if line.startswith(f"FAIL truth_{topology}:")]
        self.assertTrue(mine, lines)
        self.assertRegex(mine[0], rf"[:|] {kind} \d+: ")
        self.assertEqual([line for line in lines if line.startswith("FAIL") and line not in mine], [])
        return mine[0]

    def find(self, topology, n=0, **fields):
        """The n-th packet of a topology whose first tuple has these values."""
        found = [p for p in self.packets if p["hops"][0]["netns"].startswith(topology + "-")
                 and all(p.get("tuple", {}).get(k) == v for k, v in fields.items())]
        return found[n]

    def number(self):
        return max(p["packet"] for p in self.packets) + 1

    # ---- right

    def test_right_packets(self):
        lines = self.verdicts()
        self.assertEqual([line for line in lines if not line.startswith("ok ")], [])
        self.assertGreater(len(lines), 6)

    def test_table(self):
        self.verdicts()
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            truth.main([str(self.directory), "--table"])
        self.assertIn("| snat | 16 + 16 |", out.getvalue())
        self.assertIn("no wireguard devices", out.getvalue())

    # ---- wrong

    def test_missing(self):
        self.packets.remove(self.find("snat", 1))
        self.wants("snat", "missing")

    def strip(self, missed):
        """A packet is at its devices, but no probe told what it is; the kernel counted so many misses."""
        packet = self.find("snat", 1)
        for where in (packet, *packet["hops"]):
            for name in ("tuple", "netns"):
                where.pop(name, None)
        log = self.batch / "record.log"
        log.write_text(f"skbtrail: {missed} calls of probed functions were not recorded: ...\n" if missed else "")
        self.addCleanup(log.unlink)
        return packet

    def test_without_headers_that_were_missed(self):
        self.strip(22)
        self.assertEqual([line for line in self.verdicts() if not line.startswith("ok ")], [])

    def test_without_headers_though_nothing_was_missed(self):
        self.strip(0)
        self.wants("snat", "missing")

    def test_without_headers_at_another_time(self):
        for hop in self.strip(22)["hops"]:
            hop["ts_ns"] += 10 * truth.BESIDE_NS
        self.wants("snat", "missing")

    def test_without_headers_elsewhere(self):
        self.strip(22)["hops"][-1]["dev"] = "other"
        self.wants("snat", "missing")

    def test_missing_of_those_that_tcpdump_cannot_see(self):
        self.packets.remove(self.find("loss", sport=20801))
        self.wants("loss", "missing")

    def test_invented(self):
        copy = json.loads(json.dumps(self.find("snat", 1)))
        copy["packet"] = self.number()
        self.packets.append(copy)
        self.wants("snat", "extra")

    def test_split(self):
        packet = self.find("snat")
        rest = json.loads(json.dumps(packet))
        rest["packet"] = self.number()
        rest.update(packet["hops"][2])
        packet["hops"], rest["hops"] = packet["hops"][:2], rest["hops"][2:]
        self.packets.append(rest)
        self.wants("snat", "split")

    def test_split_unlinked_flood(self):
        for packet in self.packets:
            if packet["hops"][0]["netns"].startswith("flood"):
                packet["links"] = []
        self.wants("flood", "links")

    def test_merged(self):
        one, other = self.find("snat"), self.find("snat", 1)
        one["hops"] += other["hops"]
        self.packets.remove(other)
        self.wants("snat", "merged")

    def test_tails_exchanged(self):
        one, other = self.find("snat", sport=20100), self.find("snat", sport=20101)
        one["hops"][2:], other["hops"][2:] = other["hops"][2:], one["hops"][2:]
        self.wants("snat", "merged")

    def test_hop_missing(self):
        del self.find("snat")["hops"][1]
        self.wants("snat", "hops")

    def test_hop_doubled(self):
        packet = self.find("snat")
        packet["hops"].insert(1, dict(packet["hops"][0]))
        self.wants("snat", "tuple")

    def test_hops_exchanged(self):
        hops = self.find("snat")["hops"]
        for key in ("netns", "dev", "event"):
            hops[0][key], hops[1][key] = hops[1][key], hops[0][key]
        self.wants("snat", "hops")

    def test_wrong_netns(self):
        self.find("snat")["hops"][3]["netns"] = "snat-a"
        self.wants("snat", "hops")

    def test_no_netns(self):
        del self.find("snat")["hops"][3]["netns"]
        self.wants("snat", "hops")

    def test_wrong_device(self):
        self.find("snat")["hops"][2]["dev"] = "left"
        self.wants("snat", "hops")

    def test_device_never_there(self):
        packet = self.find("snat")
        packet["hops"].insert(2, {**packet["hops"][1], "dev": "lo", "event": "skbtrail:ip_rcv"})
        self.wants("snat", "tuple")

    def test_stale_tuple(self):
        del self.find("snat")["hops"][2]["tuple"]
        self.wants("snat", "tuple")

    def test_each_field_of_the_tuple(self):
        for field in ("src", "dst", "sport", "dport", "id", "len", "proto", "version"):
            with self.subTest(field):
                self.setUp()
                where = self.find("snat")["hops"][2]["tuple"]
                where[field] = {"src": "1.2.3.4", "dst": "1.2.3.4", "proto": "TCP"}.get(field, 5)
                self.wants("snat", "tuple")

    def test_wrong_sequence_numbers(self):
        for field, value in (("seq", 5), ("flags", "F"), ("ack", 6), ("window", 7)):
            with self.subTest(field):
                self.setUp()
                self.find("tcpgso", 1)["hops"][0]["tcp"][field] = value
                self.wants("tcpgso", "tuple")

    def test_wrong_icmp(self):
        packet = next(p for p in self.packets if p.get("icmp", {}).get("seq") == 2)
        packet["hops"][0]["icmp"]["seq"] = 3
        self.wants("snat", "tuple")

    def test_inner_headers_missing(self):
        packet = self.find("vxlan")
        del packet["hops"][1]["tunnel"]["inner"]
        self.wants("vxlan", "tuple")

    def test_wrong_tunnel_id(self):
        self.find("vxlan")["hops"][1]["tunnel"]["id"] = 8
        self.wants("vxlan", "tuple")

    def test_fragment_offset(self):
        packet = next(p for p in self.packets if p.get("tuple", {}).get("fragment", {}).get("offset"))
        packet["hops"][0]["tuple"]["fragment"]["offset"] = 1472
        self.wants("frag", "tuple")

    def test_false_drop(self):
        self.find("snat")["end"] = {"state": "dropped", "reason": "NO_SOCKET", "location": "raw_local_deliver"}
        self.wants("snat", "false drop")

    def test_no_end(self):
        del self.find("snat")["end"]
        self.wants("snat", "end")

    def test_incomplete(self):
        self.find("snat")["complete"] = "gap"
        self.wants("snat", "end")

    def test_drop_not_told(self):
        self.find("nftdrop")["end"]["state"] = "delivered"
        self.wants("nftdrop", "end")

    def test_wrong_reason(self):
        self.find("nftdrop")["end"]["reason"] = "NO_SOCKET"
        self.wants("nftdrop", "end")

    def test_no_verdict(self):
        self.find("nftdrop")["verdicts"] = []
        self.wants("nftdrop", "end")

    def test_verdict_of_another_hook(self):
        self.find("nftdrop")["verdicts"][0]["hook"] = "INPUT"
        self.wants("nftdrop", "end")

    def test_loss_not_told(self):
        self.find("loss", sport=20800)["end"] = {"state": "delivered"}
        self.wants("loss", "end")

    def test_error_not_linked(self):
        packet = next(p for p in self.packets if p.get("icmp", {}).get("type") == 3)
        packet["links"] = []
        self.wants("closed", "links")

    def test_error_linked_to_another(self):
        packet = next(p for p in self.packets if p.get("icmp", {}).get("type") == 3)
        packet["links"][0]["packet"] += 2
        self.wants("closed", "links")

    def test_reset_not_linked(self):
        next(p for p in self.packets if "R" in p.get("tcp", {}).get("flags", ""))["links"] = []
        self.wants("closed", "links")

    def test_nat_not_told(self):
        self.find("snat")["changes"] = []
        self.wants("snat", "nat")

    def test_wrong_nat(self):
        self.find("snat")["changes"][0]["to"] = "192.168.9.9:20100"
        self.wants("snat", "nat")

    def test_decap_not_told(self):
        changes = self.find("vxlan")["changes"]
        del changes[-1]
        self.wants("vxlan", "nat")

    def test_not_json(self):
        self.packets.append("text")
        lines = self.verdicts()
        self.assertTrue(all(line.startswith("FAIL") for line in lines), lines)

    def test_no_packets(self):
        self.packets = []
        lines = self.verdicts()
        self.assertTrue(all(line.startswith("FAIL") for line in lines), lines)

    def split_parent(self):
        return next(p for p in self.packets if p["end"]["state"] == "split")

    def test_segment_not_linked(self):
        self.split_parent()["links"].pop()
        self.wants("tcpgso", "links")

    def test_another_segment_linked(self):
        other = next(p for p in self.packets if p.get("tcp", {}).get("seq") == 2002)
        self.split_parent()["links"][1]["packet"] = other["packet"]
        self.wants("tcpgso", "links")

    def test_nothing_cut_up(self):
        self.packets.remove(self.split_parent())
        self.wants("tcpgso", "links")

    def test_fragment_not_linked(self):
        for packet in self.packets:
            if packet["hops"][0]["netns"].startswith("frag-"):
                packet["links"] = []
        self.wants("frag", "links")

    def test_two_fragments_delivered(self):
        packet = next(p for p in self.packets if p["end"]["state"] == "merged")
        packet["end"]["state"] = "delivered"
        self.wants("frag", "end")

    # ---- without tcpdump

    def alone(self, change):
        packets = [json.loads(line) for line in self.right.splitlines()]
        mine, self.packets = self.packets, packets
        change()
        text = "".join(json.dumps(p) + "\n" for p in self.packets)
        self.packets = mine
        return text

    def test_alone_missing(self):
        self.wants("snat", "alone", self.alone(lambda: self.packets.remove(self.find("snat"))))

    def test_alone_other_way(self):
        def change():
            self.find("snat")["hops"][1]["dev"] = "right"
        self.wants("snat", "alone", self.alone(change))

    def test_alone_false_drop(self):
        def change():
            self.find("snat")["end"] = {"state": "dropped", "location": "ip_rcv"}
        self.wants("snat", "alone", self.alone(change))

    def test_alone_split(self):
        def change():
            packet = self.find("snat")
            self.packets.append({**packet, "packet": 9999})
        self.wants("snat", "alone", self.alone(change))

    # ---- the captures

    def test_capture_cut_short(self):
        path = self.batch / "snat-a.pcap"
        whole = path.read_bytes()
        try:
            path.write_bytes(whole[:-5])
            lines = self.verdicts()
        finally:
            path.write_bytes(whole)
        self.assertTrue(any("broken" in line for line in lines), lines)

    def test_not_a_capture(self):
        for data in (b"", b"text" * 20):
            with self.assertRaises(truth_headers.Malformed):
                list(truth_headers.pcap_records(data))


if __name__ == "__main__":
    unittest.main()
