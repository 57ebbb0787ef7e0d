#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Steady traffic of processes with known names, addresses and rates, for the screen of skbtrail flows.

  demo-web  10.77.0.1:443                  100,000 bytes a second to demo-curl, which asks with 1,000
  demo-db   [fd00:77::...]:5432             20,000 bytes a second to demo-app, which asks with 2,000

Both connections are made at once, and stay until standard input ends. Run it in a network namespace of its own,
where the addresses below are on lo: see flows-screen.sh.

Usage: flows_load.py
"""
import os
import signal
import socket
import sys
import time

TICK_S = 0.1
WEB = ("10.77.0.1", 443)
CURL = ("10.77.0.2", 50001)
DB = ("fd00:77:1234:5678:9abc:def0:1122:3344", 5432)
APP = ("fd00:77:1234:5678:9abc:def0:1122:4455", 50002)


def serve(name, listener, ask, answer):
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)
    peer, _ = listener.accept()
    while True:
        got = 0
        while got < ask:
            data = peer.recv(ask - got)
            if not data:
                return
            got += len(data)
        peer.sendall(b"a" * answer)


def use(name, local, remote, ask, answer):
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)
    peer = socket.create_connection(remote, source_address=local)
    then = time.monotonic()
    while True:
        peer.sendall(b"q" * ask)
        got = 0
        while got < answer:
            got += len(peer.recv(answer - got))
        then += TICK_S
        time.sleep(max(0, then - time.monotonic()))


def start(children, function, *args):
    pid = os.fork()
    if not pid:
        try:
            function(*args)
        finally:
            os._exit(0)
    children.append(pid)


def main():
    children = []
    pairs = ((socket.AF_INET, "demo-web", WEB, "demo-curl", CURL, 100, 10000),
             (socket.AF_INET6, "demo-db", DB, "demo-app", APP, 200, 2000))
    for family, server, address, client, local, ask, answer in pairs:
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        start(children, serve, server, listener, ask, answer)
        start(children, use, client, local, address, ask, answer)
        listener.close()
    sys.stdin.read()
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
