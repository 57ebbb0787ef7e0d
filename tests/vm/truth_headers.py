# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers of packets, from two witnesses, in one form: tcpdump's files, and skbtrail's JSON.

A packet's headers are a tuple of layers, outermost first; a layer is a Layer. What one witness cannot
know is None in the other, too. Shares no code with src/: it must be able to find src/ wrong.
"""

import ipaddress
import struct
from collections import namedtuple

Layer = namedtuple("Layer", "version src dst proto sport dport id len offset more icmp tcp arp tunnel")
Layer.__new__.__defaults__ = (None,) * len(Layer._fields)
# One packet at one device, as tcpdump saw it.
Seen = namedtuple("Seen", "time netns dev out layers payload quoted ttl")

MAGIC = b"SKBTRUTH"
PROTOCOLS = {1: "ICMP", 2: "IGMP", 6: "TCP", 17: "UDP", 47: "GRE", 50: "ESP", 58: "ICMPv6", 132: "SCTP"}
# Protocols whose name says no more than that there is something inside.
CARRIERS = {4, 41}
EXTENSIONS = {0, 43, 60}
TCP_FLAGS = "FSRP.UEW"
LINUX_SLL2, ETHERNET = 276, 1
OUTGOING = 4


class Payload(bytes):
    """What TCP carries, and its options before that."""

    options = b""


class Malformed(Exception):
    """What tcpdump's file should not contain."""


# ---- pcap files


def pcap_records(data):
    """Yields (time in ns, link type, bytes); what was not captured is filled up with zeros."""
    if len(data) < 24:
        raise Malformed("not a pcap file")
    order = "<" if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xd4\xc3\xb2\xa1") else ">"
    units = {0xA1B23C4D: 1, 0xA1B2C3D4: 1000}
    magic, link = struct.unpack_from(order + "I", data)[0], struct.unpack_from(order + "I", data, 20)[0]
    if magic not in units:
        raise Malformed("not a pcap file")
    at = 24
    while at + 16 <= len(data):
        sec, frac, caught, whole = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if at + caught > len(data):
            raise Malformed("cut short")
        yield sec * 1_000_000_000 + frac * units[magic], link & 0xFFFF, data[at:at + caught].ljust(whole, b"\0")
        at += caught


def read_capture(data, netns, devices):
    """[Seen] of a file of tcpdump -i any; devices: {ifindex: name}."""
    seen = []
    for time, link, frame in pcap_records(data):
        if link != LINUX_SLL2 or len(frame) < 20:
            raise Malformed(f"link type {link}")
        protocol, _, ifindex, _, kind = struct.unpack_from("!HHIHB", frame)
        layers, payload, quoted, ttl = parse(protocol, frame[20:])
        seen.append(Seen(time, netns, devices.get(ifindex, f"#{ifindex}"), kind == OUTGOING, layers,
                         payload, quoted, ttl))
    return seen


# ---- bytes


def parse(ethertype, data):
    """(layers, innermost payload, layers that an ICMP error quotes, outermost TTL)."""
    layers, quoted, ttl = [], None, None
    while True:
        layer, rest, inner, its_ttl = parse_layer(ethertype, data)
        if layer is None:
            return tuple(layers), data, quoted, ttl
        if not layers:
            ttl = its_ttl
        if inner is None:
            layers.append(layer)
            if layer.icmp and is_error(layer) and len(rest) >= 20:
                quoted = parse(0x86DD if layer.version == 6 else 0x0800, rest)[:2]
            return tuple(layers), rest, quoted, ttl
        ethertype, data, tunnel = inner
        layers.append(layer._replace(tunnel=tunnel))


def is_error(layer):
    if layer.proto == "ICMP":
        return layer.icmp[0] in (3, 4, 5, 11, 12)
    return layer.icmp[0] < 128


def parse_layer(ethertype, data):
    """(Layer, what it carries, (ethertype, bytes, tunnel) of a packet inside or None, TTL)."""
    if ethertype == 0x0806 and len(data) >= 28:
        op = struct.unpack_from("!H", data, 6)[0]
        arp = ({1: "request", 2: "reply"}.get(op, op), str(ipaddress.ip_address(data[14:18])),
               str(ipaddress.ip_address(data[24:28])))
        return Layer(proto="ARP", arp=arp), b"", None, None
    if ethertype == 0x0800 and len(data) >= 20:
        ihl, total, ident, frag = (data[0] & 15) * 4, *struct.unpack_from("!HHH", data, 2)
        layer = Layer(4, str(ipaddress.ip_address(data[12:16])), str(ipaddress.ip_address(data[16:20])),
                      id=ident, len=total)
        if frag & 0x3FFF:
            layer = layer._replace(offset=(frag & 0x1FFF) * 8, more=bool(frag & 0x2000))
        return parse_transport(layer, data[9], data[ihl:total or None], data[8])
    if ethertype == 0x86DD and len(data) >= 40:
        length = struct.unpack_from("!H", data, 4)[0]
        layer = Layer(6, str(ipaddress.ip_address(data[8:24])), str(ipaddress.ip_address(data[24:40])),
                      len=length + 40)
        proto, rest, ttl = data[6], data[40:40 + length or None], data[7]
        while proto in EXTENSIONS and len(rest) >= 8:
            proto, rest = rest[0], rest[8 + rest[1] * 8:]
        if proto == 44 and len(rest) >= 8:
            frag, ident = struct.unpack_from("!HI", rest, 2)
            layer = layer._replace(offset=frag & 0xFFF8, more=bool(frag & 1), id=ident)
            proto, rest = rest[0], rest[8:]
        return parse_transport(layer, proto, rest, ttl)
    return None, None, None, None


def parse_transport(layer, proto, data, ttl):
    layer = layer._replace(proto=None if proto in CARRIERS else PROTOCOLS.get(proto, str(proto)))
    if layer.offset:
        return layer, data, None, ttl
    if proto == 6 and len(data) >= 20:
        sport, dport, seq, ack, flags, window = struct.unpack_from("!HHIIxBH", data)
        text = "".join(c for i, c in enumerate(TCP_FLAGS) if flags & 1 << i)
        layer = layer._replace(sport=sport, dport=dport, tcp=(text, seq, ack, window))
        payload = Payload(data[(data[12] >> 4) * 4:])
        payload.options = data[20:(data[12] >> 4) * 4]
        return layer, payload, None, ttl
    if proto == 17 and len(data) >= 8:
        sport, dport = struct.unpack_from("!HH", data)
        layer, rest = layer._replace(sport=sport, dport=dport), data[8:]
        if dport == 4789 and len(rest) >= 22:
            inner = struct.unpack_from("!H", rest, 20)[0], rest[22:]
            return layer, rest, (*inner, ("vxlan", int.from_bytes(rest[4:7], "big"))), ttl
        return layer, rest, None, ttl
    if proto in (1, 58) and len(data) >= 8:
        kind, code, _, ident, seq = struct.unpack_from("!BBHHH", data)
        echo = kind in ((0, 8) if proto == 1 else (128, 129))
        layer = layer._replace(icmp=(kind, code, ident if echo else None, seq if echo else None))
        return layer, data[8:], None, ttl
    if proto == 47 and len(data) >= 4:
        flags, inner = struct.unpack_from("!HH", data)
        at, key = 4 + (4 if flags & 0x8000 else 0), None
        if flags & 0x2000 and len(data) >= at + 4:
            key = struct.unpack_from("!I", data, at)[0]
            at += 4
        at += 4 if flags & 0x1000 else 0
        return layer, data[at:], (inner, data[at:], ("gre", key)), ttl
    if proto in CARRIERS:
        return layer, data, (0x0800 if proto == 4 else 0x86DD, data, ("ipip", None)), ttl
    return layer, data, None, ttl


def payload_id(payload):
    """(flow, number, direction) of a datagram of traffic.c, else None."""
    if len(payload) >= 16 and payload[:8] == MAGIC:
        flow, direction, number = struct.unpack_from("!HHI", payload, 8)
        return flow, number, direction
    return None


# ---- JSON


def json_layers(where, names=PROTOCOLS.values()):
    """Layers of a packet, hop or "inner" object; () when it has no headers."""
    if "tuple" not in where:
        if "arp" not in where:
            return ()
        arp = where["arp"]
        return (Layer(proto="ARP", arp=(arp.get("op"), arp.get("sender_ip"), arp.get("target_ip"))),)
    t = where["tuple"]
    proto = t.get("proto") if t.get("proto") in names else None
    fragment = t.get("fragment", {})
    icmp, tcp, tunnel = where.get("icmp"), where.get("tcp"), where.get("tunnel")
    layer = Layer(
        t.get("version"), address(t.get("src")), address(t.get("dst")), proto, t.get("sport"),
        t.get("dport"), t.get("id"), t.get("len"), fragment.get("offset", 0 if fragment else None),
        bool(fragment.get("more")) if fragment else None,
        (icmp.get("type"), icmp.get("code"), icmp.get("id"), icmp.get("seq")) if icmp else None,
        ("".join(sorted(tcp.get("flags", ""), key=TCP_FLAGS.find)), tcp.get("seq"), tcp.get("ack"),
         tcp.get("window")) if tcp else None)
    if not tunnel:
        return (layer,)
    return (layer._replace(tunnel=(tunnel.get("kind"), tunnel.get("id"))),
            *json_layers(tunnel.get("inner", {})))


def address(text):
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


# ---- for people


def show(layers):
    return " { ".join(show_layer(layer) for layer in layers) or "no headers"


def show_layer(layer):
    if layer.arp:
        return f"ARP {layer.arp[0]} {layer.arp[1]} > {layer.arp[2]}"
    ports = "" if layer.sport is None else f" {layer.sport} > {layer.dport}"
    more = [str(layer.proto or (layer.tunnel or "?")[0]) + ports]
    more += [f"{name} {value}" for name, value in zip(layer._fields, layer)
             if name in ("id", "len", "offset", "icmp", "tcp") and value is not None]
    return f"{layer.src} > {layer.dst} {' '.join(more)}"


def difference(ours, theirs):
    """What is different between the two, in words: "" when they are the same."""
    if len(ours) != len(theirs):
        return f"{len(ours)} headers, not {len(theirs)}: {show(ours)}, not {show(theirs)}"
    for a, b in zip(ours, theirs):
        for name, mine, truth in zip(Layer._fields, a, b):
            if mine != truth:
                return f"{name} {mine}, not {truth}, in {show(theirs)}"
    return ""
