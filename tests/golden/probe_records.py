# SPDX-License-Identifier: GPL-2.0-or-later
"""What skbtrail's probe events say, read from "trace-cmd report -R" with nothing of src/.

The fields are those that src/capture/probes.h lists. A pointer that is 0 makes stale what was read
through it. Packets are decoded here anew, from the bytes of the window, as far as the fixtures need
it: ARP, IPv4, ICMP, TCP, UDP, and the packet inside of an ICMP error or of VXLAN.
"""
import ipaddress
import re
import struct

WINDOW = re.compile(r" (?P<name>w(?P<before>\d+))=ARRAY\[(?P<bytes>[^]]*)\]")
FIELD = re.compile(r" (\w+)=(\S*)")
FLAGS = "FSRP.UEW"
PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP"}
VERDICTS = ("DROP", "ACCEPT", "STOLEN", "QUEUE", "REPEAT", "STOP")
VXLAN = 4789


def number(text):
    return int(text, 0) if text else 0


class Record:
    """One event of ours. Numbers of fields that are not there are None."""

    def __init__(self, rest):
        found = WINDOW.search(rest)
        self.before, self.window = 0, b""
        if found:
            self.before = int(found["before"])
            self.window = bytes(int(byte, 16) for byte in found["bytes"].split(","))
            rest = rest[:found.start()] + rest[found.end():]
        self.text = dict(FIELD.findall(" " + rest))

    def get(self, name):
        value = self.text.get(name)
        return int(value, 0) if value else None

    def through(self, pointer, name):
        """What was read through a pointer; None when that is 0."""
        return self.text.get(name) if self.get(pointer) else None

    def device(self):
        return self.through("dv", "name")

    def netns(self):
        """(inode number, whose it is), in the order in which they are to be believed."""
        route = self.get("rd") or 0
        for pointer, name, whose in (("nn", "nns", "hook"), ("dv", "ns", "dev"),
                                     ("sk", "sns", "sock")):
            if self.through(pointer, name):
                return int(self.through(pointer, name)), whose
        return None, "route" if route else None

    def packet(self):
        """What is at the network header, or None when there is nothing to be read."""
        nh, data, head, proto = map(self.get, ("nh", "d", "h", "p"))
        if not self.window or nh is None:
            return None
        at = self.before + head + nh - data
        if at < 0 or at >= len(self.window):
            return None
        length = self.get("len") - (head + nh - data)  # from the network header on
        kind = struct.unpack(">H", struct.pack("<H", proto))[0]
        return decode(kind, self.window[at:at + max(length, 0)])


def decode(kind, data):
    if kind == 0x806 and len(data) >= 28:
        op, mac, src, _, dst = struct.unpack(">6xH6s4s6s4s", data[:28])
        return {"arp": op, "src": ip(src), "dst": ip(dst), "mac": mac.hex(":")}
    if kind == 0x800 and len(data) >= 20 and data[0] >> 4 == 4:
        return decode_ipv4(data)
    return None


def ip(packed):
    return str(ipaddress.ip_address(packed))


def decode_ipv4(data):
    length, ident, fragment, ttl, proto = struct.unpack(">2xHHHBB", data[:10])
    packet = {"src": ip(data[12:16]), "dst": ip(data[16:20]), "len": length, "id": ident,
              "ttl": ttl, "proto": PROTOCOLS.get(proto, str(proto))}
    rest = data[4 * (data[0] & 15):]
    if fragment & 0x1fff or fragment & 0x2000:
        packet["fragment"] = fragment
    elif proto == 1 and len(rest) >= 8:
        packet["icmp"] = dict(zip(("type", "code", "id", "seq"),
                                  struct.unpack(">BBxxHH", rest[:8])))
        if packet["icmp"]["type"] in (3, 11, 12):
            packet["about"] = decode(0x800, rest[8:])
    elif proto in (6, 17) and len(rest) >= 8:
        packet["sport"], packet["dport"] = struct.unpack(">HH", rest[:4])
        if proto == 6 and len(rest) >= 16:
            seq, ack, flags, window = struct.unpack(">IIxBH", rest[4:16])
            names = "".join(name for bit, name in enumerate(FLAGS) if flags >> bit & 1)
            packet["tcp"] = {"flags": names, "seq": seq, "ack": ack, "window": window}
        if proto == 17 and packet["dport"] == VXLAN and len(rest) >= 30:
            packet["vni"] = int.from_bytes(rest[12:15], "big")
            packet["inner"] = decode(int.from_bytes(rest[28:30], "big"), rest[30:])
    return packet


def words(packet):
    """The packet as skbtrail's head lines have it; None for what is not decoded here."""
    if packet is None:
        return None
    if "arp" in packet:
        if packet["arp"] == 1:
            return "ARP who-has %(dst)s tell %(src)s" % packet
        return "ARP %(src)s is-at %(mac)s" % packet
    src, dst = packet["src"], packet["dst"]
    if "sport" in packet:
        src, dst = "%s:%d" % (src, packet["sport"]), "%s:%d" % (dst, packet["dport"])
    text = "%s > %s %s" % (src, dst, packet["proto"])
    if "vni" in packet:
        return packet["inner"] and "%s > %s VXLAN id %d { %s }" % (
            packet["src"], packet["dst"], packet["vni"], words(packet["inner"]))
    if "icmp" in packet:
        icmp = packet["icmp"]
        if icmp["type"] in (0, 8):
            text += " echo %s id %d seq %d" % ("request" if icmp["type"] else "reply", icmp["id"],
                                               icmp["seq"])
        elif (icmp["type"], icmp["code"]) == (3, 3):
            text += " port unreachable"
    if "tcp" in packet:
        tcp = packet["tcp"]
        text += " %s seq %d" % (tcp["flags"], tcp["seq"])
        text += " ack %d" % tcp["ack"] if "." in tcp["flags"] else ""
        text += " win %d" % tcp["window"]
    text += " len %d" % packet["len"]
    if packet.get("about"):
        text += " of { %s }" % words(packet["about"])
    return text
