# mypy: allow-untyped-defs
"""What the index kernels of both file formats share: loads in either byte order, clock ticks to nanoseconds, one PACKET row."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper, le16, le32
from analyzer.tables.packets import CUT_BY_SNAPLEN, WITHOUT_TIME

# ---- why an index kernel returned
NEED_BYTES = 0  # what stands at reader.position is not whole yet
ROWS_FULL = 1  # no row is left for the packet at reader.position
GARBAGE_LENGTH = 2  # the record at reader.position claims reader.detail bytes
LENGTHS_DISAGREE = 3  # the block at reader.position ends with another length, reader.detail
RARE_BLOCK = 4  # the whole block at reader.position is for Python, reader.detail bytes
LARGE_BLOCK = 5  # the same, but it is larger than block_bytes and need not be whole
FOUND = 6  # a search ended: what was looked for is at reader.position

LATEST_NS = 1 << 62  # times beyond the year 2116 are not believed: timers add to times, and nothing may overflow
LONGEST = 0x7FFFFFFF  # PACKET.length is 32 bits wide


@helper
def load16(data, at, end, big):
    """Two bytes in the byte order of the file; -1 past ``end``."""
    if big:
        return be16(data, at, end)
    return le16(data, at, end)


@helper
def load32(data, at, end, big):
    """Four bytes in the byte order of the file; -1 past ``end``."""
    if big:
        return be32(data, at, end)
    return le32(data, at, end)


@helper
def decimal_ns(face, high, low):
    """Ticks of a decimal clock (the halves of 64 unsigned bits) as ns, rounded down; -1 when they are beyond LATEST_NS."""
    if face.tick_ns == 0:  # ticks_per_ns is even, so one bit can go first: the rest fits into 63
        ns = (np.int64(high) << 31 | np.int64(low) >> 1) // (face.ticks_per_ns // 2)
        return ns if ns <= LATEST_NS else np.int64(-1)
    if high >= 0x80000000:
        return np.int64(-1)
    ticks = np.int64(high) << 32 | np.int64(low)
    return ticks * face.tick_ns if ticks <= LATEST_NS // face.tick_ns else np.int64(-1)


@helper
def binary_ns(high, low, exponent):
    """Ticks of 2**-exponent seconds (0 <= exponent <= 63) as ns, rounded down exactly; -1 when they are beyond LATEST_NS."""
    if exponent <= 32:
        if high >> exponent > 1:  # more than 2**33 seconds
            return np.int64(-1)
        seconds = np.int64(high) << (32 - exponent) | np.int64(low) >> exponent
        part = np.int64(low) & ((1 << exponent) - 1)
    else:
        seconds = np.int64(high) >> (exponent - 32)
        part = (np.int64(high) & ((1 << (exponent - 32)) - 1)) << 32 | np.int64(low)
    if seconds > LATEST_NS // 1_000_000_000 - 1:
        return np.int64(-1)
    if exponent <= 32:
        return seconds * 1_000_000_000 + (part * 1_000_000_000 >> exponent)
    # part * 10**9 has up to 93 bits: multiply its two halves, each product below 2**62
    upper = (part >> 31) * 1_000_000_000 + ((part & 0x7FFFFFFF) * 1_000_000_000 >> 31)
    return seconds * 1_000_000_000 + (upper >> (exponent - 31))


@helper
def count_time(r, face, ts):
    """Keep the earliest and latest time of the file and every step back of the interface's clock."""
    if r.first_ts == 0 or ts < r.first_ts:
        r.first_ts = ts
    r.last_ts = max(r.last_ts, ts)
    step = face.previous_ts - ts
    if step > 0:
        face.steps_back += 1
        face.largest_step_back_ns = max(face.largest_step_back_ns, step)
    face.previous_ts = ts


@helper
def add_packet(r, p, face, fcs_bytes, ts, offset, caplen, length):
    """Fill one PACKET row, its interface aside, and count it; ``ts`` below 0: no time.

    A frame check sequence at the end of the frame is left out.
    """
    kept = caplen
    if caplen > length:
        r.longer_than_wire += 1
    if fcs_bytes > 0:
        # the check sequence is the end of the frame: a frame that was cut may hold a part of it, or nothing
        kept = min(caplen, max(length - fcs_bytes, 0)) if caplen <= length else max(caplen - fcs_bytes, 0)
        length = max(length - fcs_bytes, 0)
    if kept > r.keep_bytes:
        kept = r.keep_bytes
        r.too_large += 1
    r.number += 1
    r.packets += 1
    r.bytes_captured += caplen
    face.packets += 1
    face.bytes_captured += caplen
    p.number = r.number
    p.offset = offset
    p.caplen = kept
    p.length = min(length, LONGEST)
    p.linktype = face.linktype
    marks = CUT_BY_SNAPLEN if kept < length else 0
    if ts < 0:
        marks |= WITHOUT_TIME
        ts = np.int64(0)
        r.without_time += 1
    else:
        count_time(r, face, ts)
    p.ts = ts
    p.marks = marks
    p.connection = -1
