# mypy: allow-untyped-defs
"""Counts over all packets of a batch in one pass: outcomes, sizes, and signs that make numbers unreliable."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, helper, kernel, mix64
from analyzer.tables.packets import (
    ANALYSED,
    BAD_IP_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
    CUT_BY_SNAPLEN,
    FIN,
    INNER,
    LENGTH_FROM_CAPTURE,
    SYN,
)

# ---- what is counted (int64 each)
(BYTES_CAPTURED, BYTES_ON_WIRE, FIRST_TS, LAST_TS, CUT, LENGTHS_FROM_CAPTURE, BAD_CHECKSUMS, DUPLICATES, LARGE_SEGMENTS,
 UNFINISHED_CHECKSUMS) = range(10)  # fmt: skip
COUNTS = 10

TCP, UDP = 6, 17
RECENT = 1 << 12  # slots for the packets of the last millisecond: as many as a link of 40 Gbit/s carries full ones
DUPLICATE_NS = 1_000_000
ETHERNET_BYTES = 1500  # largest IP packet in an Ethernet frame


@helper
def checksum_of(data, p):
    """The checksum field of TCP or UDP as it stands in the packet; -1 when it was not captured, or there is none."""
    at = np.int64(p.offset) + np.int64(p.transport)
    end = np.int64(p.offset) + np.int64(p.caplen)
    if p.protocol == TCP:
        return be16(data, at + 16, end)
    return be16(data, at + 6, end) if p.protocol == UDP else np.int64(-1)


@helper
def add_halves(total, word):
    """Add the two 32-bit halves of a word to a sum for a checksum: a sum of 16-bit words is the same once it is folded."""
    return total + np.int64(word & np.uint64(0xFFFFFFFF)) + np.int64(word >> np.uint64(32))


@helper
def is_unfinished(p, checksum):
    """Whether the checksum is the bare sum of the pseudo-header, as it is handed to a network card that shall complete it.

    Systems leave it so with the length of the whole segment, or with length 0 where the card cuts the segment up.
    """
    total = add_halves(add_halves(np.int64(p.protocol), p.src_hi), p.src_lo)
    total = add_halves(add_halves(total, p.dst_hi), p.dst_lo)
    # sums that are equal but for their carries leave the same remainder; neither is 0
    without_length = (checksum - total) % 0xFFFF
    length = np.int64(p.payload) - np.int64(p.transport) + np.int64(p.payload_length)
    return without_length == 0 or without_length == length % 0xFFFF


@helper
def packet_hash(p, checksum):
    """What two sightings of one packet have in common: all but the link layer and the TTL, the payload by its checksum."""
    ports = np.uint64((np.int64(p.src_port) & 0xFFFF) << 16 | (np.int64(p.dst_port) & 0xFFFF))
    marks = np.uint64((np.int64(p.ip_id) & 0xFFFF) << 16 | (checksum & 0xFFFF))
    sizes = np.uint64(np.int64(p.payload_length) << 16 | np.int64(p.tcp_flags) << 8 | np.int64(p.protocol))
    sequence = np.uint64(p.seq) << np.uint64(32) | np.uint64(p.ack)
    addresses = mix64(p.src_lo ^ p.dst_hi, p.dst_lo ^ (p.src_hi << np.uint64(1)))
    return mix64(np.uint64(mix64(np.uint64(addresses) ^ (sizes << np.uint64(16)), sequence)), ports << np.uint64(32) | marks)


@helper
def is_recent(value, ts, recent):
    """Whether a hash was remembered within DUPLICATE_NS."""
    slot = value & (RECENT - 1)
    return recent[slot, 0] == value and abs(ts - recent[slot, 1]) <= DUPLICATE_NS


@helper
def is_duplicate(p, checksum, recent, follows_unfinished):
    """Whether the same packet was seen within DUPLICATE_NS; it is remembered in its slot of ``recent`` (hash, time).

    Behind the network card it has another checksum: where some are not finished (they come with ``checksum`` 0) those are looked for, too.
    """
    if p.payload_length <= 0 and p.ip_id <= 0 and np.int64(p.tcp_flags) & (SYN | FIN) == 0:
        return False  # ACKs and resets without identification are equal whenever nothing has happened between them
    value = packet_hash(p, checksum)
    slot = value & (RECENT - 1)
    ts = np.int64(p.ts)
    found = is_recent(value, ts, recent)
    if follows_unfinished and not found and p.ip_id > 0:
        found = is_recent(packet_hash(p, np.int64(0)), ts, recent)
    recent[slot, 0] = value
    recent[slot, 1] = ts
    return found


@kernel
def count_packets(data, packets, counts, outcomes, protocols, recent):
    """Add the rows of a decoded batch to ``counts`` (see above), ``outcomes`` and, of what was analysed, ``protocols``.

    ``recent``: (RECENT, 2) int64, what is remembered of the last packets.
    """
    captured, on_wire, first_ts, last_ts = np.int64(0), np.int64(0), counts[FIRST_TS], counts[LAST_TS]
    large, unfinished, duplicates = np.int64(0), np.int64(0), np.int64(0)
    for i in range(packets.shape[0]):
        p = packets[i]
        ts, marks, outcome = np.int64(p.ts), np.int64(p.marks), np.int64(p.outcome)
        if marks & INNER:  # the frame was counted as that of the tunnel's datagram
            continue
        outcomes[outcome] += 1
        captured += np.int64(p.caplen)
        on_wire += np.int64(p.length)
        if ts != 0:
            if first_ts == 0 or ts < first_ts:
                first_ts = ts
            last_ts = max(last_ts, ts)
        if marks != 0:
            counts[CUT] += marks & CUT_BY_SNAPLEN != 0
            counts[LENGTHS_FROM_CAPTURE] += marks & LENGTH_FROM_CAPTURE != 0
            counts[BAD_CHECKSUMS] += marks & (BAD_IP_CHECKSUM | BAD_TRANSPORT_CHECKSUM) != 0
        if outcome != ANALYSED:
            continue
        protocols[p.protocol] += 1
        if p.transport < 0:
            continue
        checksum = checksum_of(data, p)
        large += p.protocol == TCP and p.ip_length > ETHERNET_BYTES
        if checksum > 0 and is_unfinished(p, checksum):
            unfinished += 1
            checksum = np.int64(0)
        duplicates += is_duplicate(p, checksum, recent, unfinished > 0 and checksum > 0)
    counts[BYTES_CAPTURED] += captured
    counts[BYTES_ON_WIRE] += on_wire
    counts[FIRST_TS], counts[LAST_TS] = first_ts, last_ts
    counts[LARGE_SEGMENTS] += large
    counts[UNFINISHED_CHECKSUMS] += unfinished
    counts[DUPLICATES] += duplicates
