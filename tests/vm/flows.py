#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
flows.py DIR: what guest-flows.sh left in DIR/flows: are the bytes of each socket those that the program counted?

In:  counts (flowload.c: protocol, ports, received, sent, name), rows (skbtrail flows --json), file-rows (of a recording), stream-rows (live, from records; where rows may be sums
     that the kernel made: then rows.hist has its tables);
     blocked (flowblocked.c: sockets of calls that waited before anybody looked); small-counts and small, full-counts and full (with small
     tables of the kernel's);
     ss (ss -E -ti: each TCP socket as it ended); waits (flowwait.c), latencies (skbtrail flows --json -v); with packets- or ss- before or behind: of flows --tap.
Out: verdicts; on stderr a line for each socket that is wrong. Exit status 1 when there is any.

A socket is known by its ports; one of UDP by the local one.
"""
import json
import os
import re
import sys
from collections import defaultdict


blamed = []


def blame(what):
    """What is wrong, and goes into the next verdict: of a failure far away nothing else may be left."""
    blamed.append(what)
    print(what, file=sys.stderr)


def key(protocol, local, remote):
    return (protocol, local, remote if protocol == "tcp" else 0)


def read_counts(path):
    counted, names = defaultdict(lambda: [0, 0]), {}
    for line in open(path):
        if line.startswith("#"):
            print(line[2:].strip(), file=sys.stderr)
            continue
        protocol, local, remote, rx, tx, name = line.split(" ", 5)
        k = key(protocol, int(local), int(remote))
        counted[k][0] += int(rx)
        counted[k][1] += int(tx)
        names[k] = name.strip()
    return counted, names


def read_rows(path):
    seen, sums, addresses = defaultdict(lambda: [0, 0]), {}, {}
    for line in open(path):
        row = json.loads(line)
        k = key(row["protocol"], row["local_port"], row["remote_port"])
        seen[k][0] += row["recent"]["rx"]
        seen[k][1] += row["recent"]["tx"]
        # the running sums of all processes of a socket, at the end, are those of the intervals
        sums[(k, row["socket"], row.get("pid"))] = (row["sum"]["rx"], row["sum"]["tx"])
        addresses.setdefault(k, (row["local"], row["remote"]))
    return seen, sums, addresses


def judge(name, counted, names, rows, err, apart=()):
    """Whether rows have what was counted, exactly, for all sockets; and nothing else, but of those apart."""
    seen, sums, addresses = read_rows(rows)
    for k in apart:
        seen.pop(k, None)
    wrong = 0
    if "not of their bytes" in open(err).read():
        invented = sum(v != [0, 0] for v in seen.values())
        print(f"FAIL {name}_cannot_count: {invented} sockets have bytes" if invented or not seen
              else f"ok {name}_cannot_count")
        return invented or not seen
    moved = {k: v for k, v in counted.items() if v != [0, 0]}
    for k, (rx, tx) in sorted(counted.items()):
        if seen.get(k, [0, 0]) != [rx, tx]:
            wrong += 1
            blame(f"{names[k]} {k}: received {rx} sent {tx}, flows says {seen.get(k)}")
        elif rx + tx and k[0] == "tcp" and "*" in addresses[k]:
            wrong += 1
            blame(f"{names[k]} {k}: no addresses: {addresses[k]}")
    for k, v in sorted(seen.items()):
        if k not in counted and v != [0, 0]:
            wrong += 1
            blame(f"nobody's: {k} {v} {addresses[k]}")
    running = defaultdict(lambda: [0, 0])
    for (k, _, _), (rx, tx) in sums.items():
        running[k][0] += rx
        running[k][1] += tx
    for k, v in seen.items():
        if running[k] != v:
            wrong += 1
            blame(f"{names.get(k)} {k}: running sums {running[k]}, intervals {v}")
    if len(moved) < 100:
        wrong += 1
        blame(f"only {len(moved)} sockets moved bytes: no test")
    return told(name, wrong, f"{len(moved)} sockets with bytes, {sum(v[0] for v in counted.values())} received, "
                             f"{sum(v[1] for v in counted.values())} sent")


def inexact_rows(rows):
    """Keys of sockets by whether a row says that calls may be missing."""
    said = defaultdict(set)
    for line in open(rows):
        row = json.loads(line)
        said[row["inexact"]].add(key(row["protocol"], row["local_port"], row["remote_port"]))
    return said


def read_blocked(path):
    sockets = {}
    for line in open(path):
        protocol, local, remote, rx, tx, waited, name = line.split()
        sockets[key(protocol, int(local), int(remote))] = (int(rx), int(tx), int(waited), name)
    return sockets


def judge_blocked(name, sockets, rows, err):
    """Calls that had waited before: all bytes, or without those of the first call and said to be so; and said of no other socket."""
    if "not of their bytes" in open(err).read():
        print(f"skip {name}: this kernel tells flows of no bytes")
        return 0
    seen, _, _ = read_rows(rows)
    said = inexact_rows(rows)
    wrong = 0
    for k, (rx, tx, waited, what) in sorted(sockets.items()):
        exact = k not in said[True] and seen.get(k) == [rx, tx]
        bound = waited and k not in said[False] and seen.get(k) == [max(rx - waited, 0), tx if rx else tx - waited]
        if not exact and not bound:
            wrong += 1
            blame(f"{what} {k}: {rx} {tx}, {waited} by the call that waited; flows says {seen.get(k)}, "
                  f"inexact {k in said[True]}")
    for k in sorted(said[True] - set(sockets)):
        wrong += 1
        blame(f"{k}: is said to be inexact")
    return told(name, wrong + (len(sockets) != 14), f"{len(sockets)} sockets of calls that waited")


def judge_tables(name, where, others):
    """Whether the kernel's own tables had what the programs counted, in each direction: then the rows are made of these."""
    if not os.path.getsize(where + "rows.hist"):
        if "sock_send_length" in open(where + "sources").read():
            print(f"FAIL {name}: there were no tables")
            return 1
        print(f"skip {name}: this kernel tells socket and bytes apart")
        return 0
    sums, way = {"sent": 0, "received": 0}, None
    for line in open(where + "rows.hist"):
        if line.startswith("==>"):
            way = line.split("/")[-2].rsplit("_", 1)[1]
        elif line.startswith("{"):
            sums[way] += int(re.search(r" ret: +(\d+)", line).group(1))
    counted, names = read_counts(where + "counts")
    received = sum(v[0] for v in counted.values()) + sum(v[0] for v in others.values())
    sent = sum(v[1] for v in counted.values()) + sum(v[1] for v in others.values())
    # what splice() takes from a socket has records
    spliced = sum(v[0] for k, v in counted.items() if names[k].startswith(("files", "tls", "udp-files")))
    wrong = (not received - spliced <= sums["received"] <= received) + (sums["sent"] != sent)
    return told(name, wrong, f"tables {sums}; programs: {sent} sent, {received} received")


def judge_bounds(name, where, rows, must_lack):
    """The kernel's tables lost calls: that is told of all sockets, and nothing is more than it was."""
    counted, names = read_counts(where + rows + "-counts")
    seen, _, _ = read_rows(where + rows)
    lacking = {k for k in counted if seen.get(k, [0, 0]) != counted[k]}
    wrong, said = 0, False
    for line in open(where + rows):
        row = json.loads(line)
        # of one that is told before that, what it had then may have been all
        if said and not row["inexact"]:
            wrong += 1
            blame(f"said to be exact after calls were lost: {line.strip()}")
        said |= row["inexact"]
    if (must_lack or lacking) and not said:
        wrong += 1
        blame("no socket is said to be inexact")
    for k, v in sorted(seen.items()):
        if v[0] > counted[k][0] or v[1] > counted[k][1]:
            wrong += 1
            blame(f"{names.get(k)} {k}: {counted[k]}, flows says {v}: more")
    return told(name, wrong + (must_lack and not lacking), f"{len(counted)} sockets, {len(lacking)} with something missing")


def judge_full(name, where):
    """Tables that are far too small are full."""
    if "were full" not in open(where + "full.err").read():
        blame("not told that tables were full")
        return told(name, 1, "tables")
    return judge_bounds(name, where, "full", True)


def judge_emptied(name, where):
    """Tables that would be full soon, but for being emptied; a guest that was not run for a moment may be too late, and tells."""
    err = open(where + "small.err").read()
    if "emptied too late" in err or "were full" in err:
        return judge_bounds(name, where, "small", False)
    counted, names = read_counts(where + "small-counts")
    return judge(name, counted, names, where + "small", where + "small.err")


def told(name, wrong, said):
    print(f"FAIL {name}: {wrong} wrong of {said}: {'; '.join(blamed[:2])}" if wrong else f"ok {name}", flush=True)
    print(said, file=sys.stderr)
    blamed.clear()
    return wrong


def read_ss(path):
    """What the kernel counted of each TCP socket; FINs and SYNs are in these, too."""
    ended = defaultdict(lambda: dict.fromkeys(["received", "acked", "unread", "unacked", "times"], 0))
    for line in open(path):
        word = line.split()
        if len(word) < 5 or word[4].endswith(":*"):
            continue
        info = dict(w.split(":", 1) for w in word[5:] if re.fullmatch(r"bytes_\w+:\d+", w))
        at = ended[key("tcp", int(word[3].rsplit(":", 1)[1]), int(word[4].rsplit(":", 1)[1]))]
        at["received"] += int(info.get("bytes_received", 0))
        at["acked"] += int(info.get("bytes_acked", 0))
        at["unread"] += int(word[1])
        at["unacked"] += int(word[2])
        at["times"] += 1
    return ended


def judge_kernel(name, counted, names, rows, err, ss):
    """Whether the kernel's own counters say the same, of sockets that began and ended meanwhile."""
    if "not of their bytes" in open(err).read():
        print(f"skip {name}: this kernel tells flows of no bytes")
        return 0
    seen, _, _ = read_rows(rows)
    ended = read_ss(ss)
    wrong = compared = 0
    for k in sorted(counted):
        if k[0] != "tcp" or k not in ended or names[k].startswith(("old", "tls")):
            continue
        end = ended[k]
        rx, tx, times = end["received"] - end["unread"], end["acked"] + end["unacked"], end["times"]
        got = seen.get(k, [0, 0])
        compared += 1
        # a FIN that nobody reads is in the queue or not; a SYN and a FIN are acknowledged as a byte each, or not
        if abs(rx - got[0]) > times or not 0 <= tx - got[1] <= 2 * times:
            wrong += 1
            blame(f"{names[k]} {k}: the kernel says {rx} {tx}, flows says {got}")
    if compared < 100:
        wrong += 1
        blame(f"only {compared} sockets to compare")
    return told(name, wrong, f"{compared} sockets, as the kernel counted them")


def judge_packets(name, where, rows):
    """Whether bytes of packets are those that the kernel's TCP counted; and UDP's, of sockets that were listed, the program."""
    counted, names = read_counts(where + "packets-counts")
    seen, _, _ = read_rows(where + rows)
    wrong = compared = 0
    for line in open(where + rows):
        wrong += json.loads(line).get("bytes_from") != "packets"
    for k, end in sorted(read_ss(where + "ss-packets").items()):
        if k not in counted or names[k].startswith("old"):
            continue
        got = seen.get(k, [0, 0])
        compared += 1
        if not (0 <= end["received"] - got[0] <= end["times"] and 0 <= end["acked"] - got[1] <= 2 * end["times"]):
            wrong += 1
            blame(f"{names[k]} {k}: the kernel says {end}, flows says {got}")
    for k, v in sorted(counted.items()):
        if names[k].startswith("old-udp"):
            compared += 1
            if seen.get(k) != v:
                wrong += 1
                blame(f"{names[k]} {k}: {v}, flows says {seen.get(k)}")
    return told(name, wrong + (compared < 100), f"{compared} sockets, by their packets")


def read_latencies(path):
    """Sums by protocol and ports: {kind: [count, unjoined, sum_ns]}."""
    all_of = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for line in open(path):
        row = json.loads(line)
        k = key(row["protocol"], row["local_port"], row["remote_port"])
        for kind, what in row.get("latency", {}).items():
            at = all_of[k][kind]
            at[0] += what["count"]
            at[1] += what["unjoined"]
            at[2] += what.get("sum_ns", 0)
    return all_of


def judge_latency(name, where):
    """Whether bytes waited as long as their sender and their reader say."""
    err = open(where + "latencies.err").read()
    if "not of their bytes" in err:
        print(f"skip {name}: this kernel tells flows of no calls")
        return 0
    got = read_latencies(where + "latencies")
    wrong, lines = 0, open(where + "waits").read().split("\n")[:-1]
    for line in lines:
        protocol, sender, receiver, times, send_ns, least_ns, most_ns = line.split()
        times, send_ns, least_ns, most_ns = int(times), int(send_ns), int(least_ns), int(most_ns)
        send = got[key(protocol, int(sender), int(receiver))]["send"]
        read = got[key(protocol, int(receiver), int(sender))]["read"]
        queue = got[key(protocol, int(receiver), int(sender))]["queue"]
        good = read[:2] == [times, 0] and least_ns <= read[2] <= most_ns
        if "from a send call" not in err:
            good &= send[:2] == [times, 0] and 0 < send[2] <= send_ns
        if "from a device to a socket" not in err:
            # loopback delivers within the send call
            good &= queue[:2] == [times, 0] and queue[2] <= most_ns
        wrong += not good
        if not good:
            blame(f"{line}: send {send} queue {queue} read {read}")
    return told(name, wrong + (len(lines) != 4), f"{len(lines)} pairs of sockets")


def main():
    where = sys.argv[1] + "/flows/"
    counted, names = read_counts(where + "counts")
    blocked = read_blocked(where + "blocked")
    wrong = 0
    for name, rows, err in [("flows_are_what_each_program_counted", "rows", "rows.err"),
                            ("flows_of_a_file_are_the_same", "file-rows", "record.err"),
                            ("flows_by_records_are_the_same", "stream-rows", "stream.err")]:
        wrong += judge(name, counted, names, where + rows, where + err, blocked)
        wrong += judge_blocked(name + "_after_waiting", blocked, where + rows, where + err)
    wrong += judge_tables("flows_are_summed_by_the_kernel", where, blocked)
    if os.path.exists(where + "small"):
        wrong += judge_emptied("flows_lose_nothing_when_tables_are_emptied", where)
        wrong += judge_full("flows_tells_when_tables_are_full", where)
    wrong += judge_kernel("flows_are_what_the_kernel_counted", counted, names, where + "rows", where + "rows.err", where + "ss")
    wrong += judge_latency("latencies_of_flows_are_those_of_sender_and_reader", where)
    if os.path.exists(where + "packets"):
        wrong += judge_packets("bytes_of_packets_are_what_the_kernel_counted", where, "packets")
        wrong += judge_packets("bytes_of_recorded_packets_are_the_same", where, "file-packets")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
