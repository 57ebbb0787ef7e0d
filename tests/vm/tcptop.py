#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
tcptop.py DIR: what guest-tcptop.sh left in DIR/tcptop: skbtrail flows beside bcc's tcptop, on the same load.

Out: verdicts; on stderr a table of all sockets, by what was done with them: what the program counted, what flows says,
     what tcptop says; and what calls cost. Exit status 1 when there is any FAIL.

Judged is flows: right everywhere, so wherever tcptop is. Where tcptop is wrong the table says so; no verdict needs it
to be.
"""
import statistics
import sys
from collections import defaultdict

from flows import judge, key, read_counts, read_rows, told

# Why tcptop 0.31 says something else than what the calls returned, on 6.12. It adds up what tcp_sendmsg() returns, and
# the second argument of tcp_cleanup_rbuf().
WHY = {
    ("peek-server", 0): "counts MSG_PEEK, and no urgent byte",
    ("waitall-server", 0): "while a call waits for more, what it has is counted again each time",
    ("reset-client", 0): "read after the connection was over: under port 0",
    ("duplex-client", 0): "read after the connection was over: under port 0",
    ("duplex-server", 0): "read after the connection was over: under port 0",
    ("tls-client", 1): "encrypted by the kernel: not sent by tcp_sendmsg()",
    ("tls-server", 0): "encrypted by the kernel: the records, 29 bytes more each",
}

# Times what tcptop adds to a call that sends. What was measured is below 1.
LIMITS = {"aggregated": 1.5, "streaming": 2.5}


def read_theirs(path):
    """Bytes by the ports of sockets, of all processes together."""
    seen = defaultdict(lambda: [0, 0])
    for line in open(path):
        word = line.split()
        if len(word) < 6 or not word[0].isdigit():
            continue
        local, remote, rx, tx = word[-4:]
        at = seen[key("tcp", int(local.rsplit(":", 1)[1]), int(remote.rsplit(":", 1)[1]))]
        at[0] += int(rx)
        at[1] += int(tx)
    return seen


def compare(counted, names, ours, theirs):
    """The table; Return: where tcptop is right and flows is not, and how often tcptop is right."""
    worse = right = 0
    rows = {}
    for k, truth in counted.items():
        for way in (0, 1):
            we, they, is_ = ours.get(k, [0, 0])[way], theirs.get(k, [0, 0])[way], truth[way]
            right += they == is_ != 0
            worse += they == is_ != we
            row = rows.setdefault((names[k], way), [0] * 6)
            for i, n in enumerate((1, is_, we, they, we != is_, they != is_)):
                row[i] += n
    print(f"{'sockets':>7} {'':20} {'':8} {'counted':>9} {'flows':>9} {'tcptop':>9}  tcptop", file=sys.stderr)
    for (name, way), (n, is_, we, they, we_miss, they_miss) in rows.items():
        if not is_ and not we and not they:
            continue
        note = "right"
        if they_miss:
            note = f"wrong of {they_miss}: " if n > 1 else "wrong: "
            note += "it is of TCP only" if name.startswith(("udp", "old-udp", "errqueue")) else \
                WHY.get((name, way), "?")
        print(f"{n:7} {name:20} {('received', 'sent')[way]:8} {is_:9} {we:9} {they:9}  {note}"
              + (f"; flows is wrong of {we_miss}" if we_miss else ""), file=sys.stderr)
    return worse, right


def judge_cost(path):
    """What is added to a call that sends, and to one that receives; the first of them is held to the limits."""
    took = defaultdict(list)
    for line in open(path):
        name, *ns = line.split()
        took[name].append([int(n) for n in ns])
    wrong = 0
    best = {name: [min(column) for column in zip(*rows)] for name, rows in took.items()}
    middle = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in took.items()}
    print("ns a call: fifth percentile of batches, least of all rounds; (median of medians)", file=sys.stderr)
    for name in ("none", "aggregated", "streaming", "tcptop"):
        text = f"{name:12}"
        for what, at in (("send", 0), ("recv", 2)):
            added, theirs = best[name][at] - best["none"][at], best["tcptop"][at] - best["none"][at]
            text += f" {what} {best[name][at]} ({middle[name][at + 1]:.0f})"
            if name != "none":
                text += f" +{added}, {added / theirs:.2f} x tcptop;"
        print(text, file=sys.stderr)
    theirs = best["tcptop"][0] - best["none"][0]
    for name, limit in LIMITS.items():
        added = best[name][0] - best["none"][0]
        bad = not 0 < added <= limit * theirs
        wrong += bad
        print(f"FAIL flows_{name}_costs_little_beside_tcptop: {added} ns a send, tcptop {theirs}" if bad
              else f"ok flows_{name}_costs_little_beside_tcptop")
    return wrong


def main():
    where = sys.argv[1] + "/tcptop/"
    counted, names = read_counts(where + "counts")
    ours, _, _ = read_rows(where + "rows")
    worse, right = compare(counted, names, ours, read_theirs(where + "theirs"))
    wrong = judge("flows_beside_tcptop_are_what_each_program_counted", counted, names, where + "rows",
                  where + "rows.err")
    if right < 100:
        print(f"tcptop is right {right} times only: no test", file=sys.stderr)
        worse += 1
    wrong += told("flows_are_right_where_tcptop_is", worse, f"{right} sums that tcptop has right")
    wrong += judge_cost(where + "cost")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
