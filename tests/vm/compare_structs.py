#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compares what "skbtrail structs" said in a guest with the guest's BTF, read here byte by byte.

In:  a directory with structs.text (of --save) and btf/ (the guest's /sys/kernel/btf); with --calibrated one with
     calibrated/*.structs, and for a guest without BTF a file that make-structs made of its DWARF.
Out: a verdict on stdout; the table of what was compared on stderr.

   compare_structs.py DIR
   compare_structs.py --calibrated DIR [FILE]

Shares nothing with skbtrail: no libbpf, and the members to look for are named here again.
"""

import os
import struct
import sys

INT, PTR, ARRAY, STRUCT, UNION, ENUM, FWD, TYPEDEF, VOLATILE, CONST, RESTRICT = range(1, 12)
TYPE_TAG, ENUM64 = 18, 19
# Bytes behind the first 12 of a type: fixed, and for each of its parts.
BEHIND = {INT: (4, 0), ARRAY: (12, 0), STRUCT: (0, 12), UNION: (0, 12), ENUM: (0, 8), 13: (0, 8),
          14: (4, 0), 15: (0, 12), 17: (4, 0), ENUM64: (0, 12)}

# Name as in structs.text, and where else it may be: the newer name, the module.
KERNEL = """sk_buff.dev sk_buff.sk sk_buff._skb_refdst sk_buff.len sk_buff.data_len sk_buff.mark
sk_buff.protocol sk_buff.transport_header sk_buff.network_header sk_buff.mac_header sk_buff.tail
sk_buff.head sk_buff.data sk_buff.skb_iif sk_buff.vlan_tci sk_buff.vlan_proto
sk_buff.vlan_present net_device.name net_device.ifindex
net_device.nd_net net.ns.inum dst_entry.dev sock.__sk_common.skc_family sock.__sk_common.skc_state
sock.__sk_common.skc_daddr sock.__sk_common.skc_rcv_saddr sock.__sk_common.skc_dport
sock.__sk_common.skc_num sock.__sk_common.skc_net sock.__sk_common.skc_v6_daddr
sock.__sk_common.skc_v6_rcv_saddr sock.__sk_common.skc_cookie socket.sk file.private_data
nf_hook_state.hook nf_hook_state.pf nf_hook_state.in nf_hook_state.out nf_hook_state.net
nf_hook_entries.hooks""".split()
MODULES = {"xt_table.name": "x_tables", "nft_pktinfo.skb": "nf_tables", "nft_pktinfo.state": "nf_tables",
           "nft_chain.name": "nf_tables", "nft_chain.table": "nf_tables", "nft_table.name": "nf_tables"}
RENAMED = {"dst_entry.dev": "dst_entry.dev_rcu", "sk_buff.vlan_present": "sk_buff.vlan_all"}
FLAGS = {"sk_buff.vlan_present"}
# What calibration does not look for.
NOT_CALIBRATED = {"sk_buff.skb_iif", "socket.sk", "file.private_data"}


class Btf:
    def __init__(self, path, base=None):
        with open(path, "rb") as file:
            data = file.read()
        magic, _, _, head, type_at, type_len, str_at, str_len = struct.unpack_from("<HBBIIIII", data)
        if magic != 0xeb9f:
            raise ValueError(path + " is no BTF of a little-endian machine")
        self.base_strings = base.strings if base else b""
        self.strings = data[head + str_at:head + str_at + str_len]
        self.types = list(base.types) if base else [None]
        self.own = len(self.types)
        at, end = head + type_at, head + type_at + type_len
        while at < end:
            name, info, size = struct.unpack_from("<III", data, at)
            kind, parts = info >> 24 & 31, info & 0xffff
            fixed, each = BEHIND.get(kind, (0, 0))
            rest = data[at + 12:at + 12 + fixed + each * parts]
            self.types.append((kind, self.text(name), size, info >> 31, rest))
            at += 12 + len(rest)

    def text(self, at):
        strings = self.base_strings
        if at >= len(strings):
            at, strings = at - len(strings), self.strings
        return strings[at:strings.index(b"\0", at)].decode()

    def plain(self, number):
        while self.types[number][0] in (TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG):
            number = self.types[number][2]
        return number

    def size(self, number):
        kind, _, size, _, rest = self.types[self.plain(number)]
        if kind == PTR:
            return 8
        if kind == ARRAY:
            element, _, count = struct.unpack("<III", rest)
            return self.size(element) * (count or 1)
        return size

    def member(self, number, name):
        """(bit offset, bits of a bitfield, type) of a member, also in nameless structures."""
        _, _, _, flag, rest = self.types[number]
        for own, kind, offset in struct.iter_unpack("<III", rest):
            bits = offset >> 24 if flag else 0
            offset = offset & 0xffffff if flag else offset
            own = self.text(own)
            if own == name:
                return offset, bits, kind
            inner = self.plain(kind)
            if not own and self.types[inner][0] in (STRUCT, UNION):
                found = self.member(inner, name)
                if found:
                    return offset + found[0], found[1], found[2]
        return None

    def place(self, name):
        """All different (offset, size) that structures of that name have for the member; (offset, 1, bit)
        of a flag in a bitfield."""
        first, *path = name.split(".")
        found = set()
        for number in range(self.own, len(self.types)):
            if self.types[number][:2] != (STRUCT, first):
                continue
            offset, at = 0, number
            for step in path:
                member = self.member(self.plain(at), step)
                if member and member[1] == 1 and name in FLAGS:
                    member = member[0], 0, None
                if not member or member[1]:
                    break
                offset, at = offset + member[0], member[2]
            else:
                found.add((offset // 8, self.size(at)) if at else (offset // 8, 1, offset % 8))
        return found


def expected_places(folder):
    vmlinux = Btf(os.path.join(folder, "vmlinux"))
    modules = {name: Btf(os.path.join(folder, name), vmlinux)
               for name in set(MODULES.values()) if os.path.exists(os.path.join(folder, name))}
    places = {}
    for name in KERNEL + list(MODULES):
        found = vmlinux.place(name) or vmlinux.place(RENAMED.get(name, name))
        if not found and MODULES.get(name) in modules:
            found = modules[MODULES[name]].place(name)
        if len(found) == 1:
            places[name] = found.pop()
    return places


def said_places(path):
    with open(path, encoding="ascii") as file:
        words = [line.split() for line in file if not line.startswith("#")]
    return {word[0]: tuple(int(number) for number in word[1:]) for word in words if "." in word[0]}


def calibrated(folder, file):
    """Every run has to know all members that are calibrated, and each where the kernel's type data has it."""
    expected = said_places(file) if file else expected_places(os.path.join(folder, "btf"))
    wanted = [name for name in KERNEL + list(MODULES) if name not in NOT_CALIBRATED]
    runs = sorted(entry.path for entry in os.scandir(os.path.join(folder, "calibrated"))
                  if entry.name.endswith(".structs"))
    wrong, compared = [], 0
    for path in runs:
        said = said_places(path)
        for name in sorted(set(wanted) | set(said)):
            if name not in said:
                wrong.append(f"{name} not found")
            elif name in expected:
                compared += 1
                if said[name] != expected[name]:
                    wrong.append(f"{name} {said[name]} is {expected[name]}")
            elif name not in MODULES:
                wrong.append(f"{name} is not in the type data")
    print(f"{len(runs)} runs, {compared} places compared", file=sys.stderr)
    if wrong or not runs or compared < len(runs) * (len(KERNEL) - len(NOT_CALIBRATED)):
        print(f"FAIL calibration_finds_what_the_type_data_say: {len(runs)} runs, {compared} compared: "
              f"{'; '.join(wrong[:5])}")
    else:
        print("ok calibration_finds_what_the_type_data_say")


def main():
    if sys.argv[1] == "--calibrated":
        calibrated(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
        return
    folder = sys.argv[1]
    expected = expected_places(os.path.join(folder, "btf"))
    said = said_places(os.path.join(folder, "structs.text"))
    wrong = []
    for name in KERNEL + list(MODULES):
        print(f"{name:34} BTF {expected.get(name)} skbtrail {said.get(name)}", file=sys.stderr)
        if expected.get(name) != said.get(name):
            wrong.append(name)
    if set(said) - set(KERNEL) - set(MODULES):
        wrong.append("members that are not named here")
    if wrong or len(expected) < len(KERNEL):
        print(f"FAIL structs_are_those_of_btf: {len(expected)} members; wrong: {' '.join(wrong)}")
    else:
        print("ok structs_are_those_of_btf")


if __name__ == "__main__":
    main()
