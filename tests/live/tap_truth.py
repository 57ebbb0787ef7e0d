#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hold the headers that --tap joined with packets against what the tracepoints alone tell.

Usage: tap_truth.py JSON PINGS < /dev/null

JSON is what `skbtrail trace --json --tap` wrote while two `ping` processes sent through the same
devices packets of the same length. Which process sent a packet is told by the event of its being queued
(its pid), and a process numbers its requests in the order in which it sends them, all of them itself as
long as none waits for its neighbour's address. So the n-th request of a process must have the sequence number n; and a reply that a CPU sends while it has a request in
hand must have that one's. Neither depends on packet sockets, or on times that were compared.
"""
import collections
import json
import sys


def load(path):
    packets, tap = [], None
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            if not line.startswith('{'):
                continue
            item = json.loads(line)
            if 'packet' in item:
                packets.append(item)
            tap = item.get('summary', {}).get('tap', tap)
    packets.sort(key=lambda packet: packet['first_ns'])
    return packets, tap


def is_sent_by_ping(packet):
    first = packet['hops'][0]
    return first['event'] == 'net:net_dev_queue' and first.get('comm') == 'ping' and packet.get('proto') != 'ARP'


def check_requests(packets, wrong):
    """The n-th request of a process has its number; the first that is known tells the identifier."""
    count = collections.Counter()
    ident = {}
    known = 0
    for packet in packets:
        pid = packet['hops'][0]['pid']
        count[pid] += 1
        icmp = packet.get('icmp')
        if not icmp:
            continue
        known += 1
        if icmp['type'] != 8 or icmp.get('seq') != count[pid] & 0xffff:
            wrong.append(f"packet {packet['packet']}: number {count[pid]} of ping {pid} "
                         f"taken for {icmp}")
        if ident.setdefault(pid, icmp.get('id')) != icmp.get('id'):
            wrong.append(f"packet {packet['packet']}: ping {pid} has two identifiers")
    if len(set(ident.values())) != len(ident):
        wrong.append(f'processes share an identifier: {ident}')
    return count, known


def find_in_hand(requests, by_cpu):
    """By CPU: when which request was received and freed."""
    for packet in requests:
        receive = [hop for hop in packet['hops'] if hop['event'] == 'net:netif_receive_skb']
        end = packet['end'].get('ts_ns')
        if receive and end:
            by_cpu[receive[-1]['cpu']].append((receive[-1]['ts_ns'], end, packet))


def check_replies(packets, requests, wrong):
    by_cpu = collections.defaultdict(list)
    find_in_hand(requests, by_cpu)
    judged = 0
    for packet in packets:
        first, icmp = packet['hops'][0], packet.get('icmp')
        if first['event'] != 'net:net_dev_queue' or 'pid' in first or not icmp:
            continue
        if icmp['type'] != 0:
            continue
        for start, end, request in by_cpu[first['cpu']]:
            if not start < packet['first_ns'] < end or 'icmp' not in request:
                continue
            judged += 1
            if (icmp.get('id'), icmp.get('seq')) != (request['icmp'].get('id'),
                                                     request['icmp'].get('seq')):
                wrong.append(f"packet {packet['packet']}: {icmp} answers {request['icmp']}")
    return judged


def count_hops(packets):
    hops = tapped = 0
    for packet in packets:
        if 'icmp' not in packet:
            continue
        for hop in packet['hops']:
            if hop['event'].split(':')[1] in ('net_dev_start_xmit', 'netif_receive_skb'):
                hops += 1
                tapped += hop.get('headers_from') == 'tap'
    return hops, tapped


def main():
    packets, tap = load(sys.argv[1])
    pings = int(sys.argv[2])
    wrong = []
    requests = [packet for packet in packets if is_sent_by_ping(packet)]
    count, known = check_requests(requests, wrong)
    judged = check_replies(packets, requests, wrong)
    hops, tapped = count_hops(packets)
    wrong += [f"packet {packet['packet']}: {what}" for packet in packets
              for what in ('changes', 'headers_contradict') if what in packet]
    print(f'{sum(count.values())} requests of {len(count)} processes, {known} with headers; '
          f'{judged} replies held against their request; {tapped} of {hops} hops with a frame of '
          f'their own; {len(wrong)} wrong; tap {tap}')
    for line in wrong[:20]:
        print(line)
    if len(count) != 2 or min(count.values()) < pings:
        sys.exit(f'not two processes with {pings} pings each, but {dict(count)}')
    if not tap or tap['frames'] < 4 * pings:
        sys.exit('hardly any frame was tapped')
    if known < 0.9 * sum(count.values()) or judged < 0.8 * sum(count.values()):
        sys.exit('fewer than nine of ten packets have headers')
    sys.exit(1 if wrong else 0)


if __name__ == '__main__':
    main()
