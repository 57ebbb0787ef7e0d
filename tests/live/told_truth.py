#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Addresses that tracepoints tell, held against those of real connections.
#
#   told_truth.py talk           TCP over IPv4, IPv6, and IPv4 on an IPv6 socket, and a datagram that
#                                nobody wants, all on lo; prints what getsockname(2) says of each
#   told_truth.py judge OUT SAID what "trace --json" printed, and what "talk" did
import json
import socket
import sys
import threading

ROUNDS = 3


def serve(listener):
    sock = listener.accept()[0]
    while sock.recv(100):
        sock.sendall(b"answer")
    sock.close()


def connect(family, host):
    listener = socket.socket(family)
    listener.bind((host, 0))
    listener.listen()
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    sock = socket.socket(family)
    sock.connect(listener.getsockname())
    for _ in range(ROUNDS):
        sock.sendall(b"question of another length")
        sock.recv(100)
    print("TCP", *sock.getsockname()[:2], *sock.getpeername()[:2], flush=True)
    sock.close()
    thread.join()
    listener.close()


def talk():
    connect(socket.AF_INET, "127.0.0.1")
    connect(socket.AF_INET6, "::1")
    connect(socket.AF_INET6, "::ffff:127.0.0.1")
    unused = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    unused.bind(("127.0.0.1", 0))
    nobody = unused.getsockname()
    unused.close()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.sendto(b"for nobody", nobody)
    print("UDP", *sock.getsockname(), *nobody, flush=True)


# A question is sent by the client and an answer by the server: their lengths tell which is which.
def is_forwards(packet):
    link_and_network = 14 + (40 if packet["tuple"]["version"] == 6 else 20)
    payload = packet["len"] - link_and_network - 32  # TCP with time stamps
    return {len("question of another length"): True, len("answer"): False}.get(payload)


def judge(out, said):
    truth = []
    for line in open(said):
        words = line.split()
        if words and words[0] in ("TCP", "UDP"):
            truth.append([word.replace("::ffff:", "") for word in words])
    assert len(truth) == 4, truth
    packets = [json.loads(line) for line in open(out) if line.startswith('{"packet"')]
    seen = {tuple(words): [0, 0] for words in truth}
    for packet in packets:
        if "tuple" not in packet:
            continue
        told = packet["tuple"]
        ends = [told["src"], str(told["sport"]), told["dst"], str(told["dport"])]
        forwards = tuple([told["proto"]] + ends)
        backwards = tuple([told["proto"]] + ends[2:] + ends[:2])
        if forwards not in seen and backwards not in seen:
            continue  # somebody else's
        event = "tcp_probe" if told["proto"] == "TCP" else "icmp_send"
        assert packet["headers_from"] == event, packet
        assert not {"ttl", "id", "len", "transport"} & set(told) and "tcp" not in packet, packet
        hops = [hop for hop in packet["hops"] if "headers_from" in hop]
        assert [hop["headers_from"] for hop in hops] == [event], packet
        if event == "icmp_send":
            assert forwards in seen, packet
            seen[forwards][0] += 1
        elif is_forwards(packet) is not None:
            assert (forwards in seen) == is_forwards(packet), packet
            seen[forwards if forwards in seen else backwards][forwards not in seen] += 1
    for words, count in seen.items():
        wanted = [ROUNDS, ROUNDS] if words[0] == "TCP" else [1, 0]
        assert count == wanted, (words, count)


if sys.argv[1] == "talk":
    talk()
else:
    judge(*sys.argv[2:])
