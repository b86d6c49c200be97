#!/usr/bin/python3
"""A length of wire with distance in it: forwards frames between two interfaces.

    path.py LEFT RIGHT [--delay MS] [--jitter MS] [--loss PERCENT] [--reorder PERCENT]
                       [--duplicate PERCENT] [--rate MBIT] [--seed N] [--vlan ID ...]

Every frame waits `--delay` (one way). IPv4 and IPv6 frames may be lost, held back behind those that
follow, or sent twice, by a random generator whose seed is given, so that a recording can be made
again in much the same shape. `--rate` is the bottleneck of either direction. With `--vlan` the right
side is a trunk: frames leave it tagged, the first ID outermost, and lose their tags on the way back
(the outer one has been taken off by the kernel already).

It stands in for netem, which not every kernel has. Needs root; stops on SIGTERM.
"""

import argparse
import heapq
import random
import select
import signal
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
IPV4, IPV6 = 0x0800, 0x86DD
CUSTOMER_TAG, SERVICE_TAG = 0x8100, 0x88A8  # 802.1Q, and the outer one of two by 802.1ad
ICMPV6_NEIGHBOUR = range(133, 138)


def open_interface(name):
    """A raw socket that sees the frames arriving on an interface, and not those it sends itself."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    raw.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    raw.bind((name, ETH_P_ALL))
    raw.setblocking(False)
    return raw


def is_impaired(frame):
    """Loss and reordering touch IP only, and of IPv6 not the neighbour discovery."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == IPV6:
        return not (frame[20] == socket.IPPROTO_ICMPV6 and frame[54] in ICMPV6_NEIGHBOUR)
    return kind == IPV4


def tagged(frame, vlans):
    kinds = [SERVICE_TAG] * (len(vlans) - 1) + [CUSTOMER_TAG]
    tags = b"".join(struct.pack("!HH", kind, vlan) for kind, vlan in zip(kinds, vlans, strict=True))
    return frame[:12] + tags + frame[12:]


def untagged(frame):
    while struct.unpack_from("!H", frame, 12)[0] in (CUSTOMER_TAG, SERVICE_TAG):
        frame = frame[:12] + frame[16:]
    return frame


class Direction:
    """One way along the wire: when does a frame come out at the far end?"""

    def __init__(self, options, random_source):
        self.options, self.random = options, random_source
        self.free_at = 0.0  # when the bottleneck has sent what was given to it
        self.newest = 0.0  # due time of the last frame that kept its place

    def chance(self, percent):
        return percent > 0 and self.random.random() * 100 < percent

    def due_times(self, frame, now):
        wish = self.options
        if wish.rate:
            self.free_at = max(self.free_at, now) + len(frame) * 8 / (wish.rate * 1e6)
            now = self.free_at
        due = now + (wish.delay + wish.jitter * self.random.random()) / 1000
        if is_impaired(frame):
            if self.chance(wish.loss):
                return []
            if self.chance(wish.reorder):
                return [due + self.random.uniform(0.002, 0.006)]
            if self.chance(wish.duplicate):
                self.newest = max(due, self.newest)
                return [self.newest, self.newest + 0.0002]
        self.newest = max(due, self.newest)
        return [self.newest]


def forward(left, right, options):
    source = random.Random(options.seed)
    ways = {left: (right, Direction(options, source)), right: (left, Direction(options, source))}
    waiting, count = [], 0
    while True:
        timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for arrived in select.select([left, right], [], [], timeout)[0]:
            out, direction = ways[arrived]
            frame = arrived.recv(65535)
            if options.vlan:
                frame = tagged(frame, options.vlan) if arrived is left else untagged(frame)
            for due in direction.due_times(frame, time.monotonic()):
                count += 1  # frames due at the same moment keep their order
                heapq.heappush(waiting, (due, count, out, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, out, frame = heapq.heappop(waiting)
            out.send(frame)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("left")
    parser.add_argument("right")
    for name in ("delay", "jitter", "loss", "reorder", "duplicate", "rate"):
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vlan", type=int, nargs="*", default=[])
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    forward(open_interface(options.left), open_interface(options.right), options)


if __name__ == "__main__":
    main()
