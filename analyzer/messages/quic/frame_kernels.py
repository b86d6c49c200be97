# mypy: allow-untyped-defs
"""Frames of opened 0-RTT and 1-RTT packets (RFC 9000 19, RFC 9221, RFC 9114 does not matter here), and what acknowledgements tell.

A packet is lost when it is not acknowledged while one three later is (RFC 9002 6.1.1); the round trip is that from the capture to who
acknowledges, and back.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, helper, kernel
from analyzer.messages.quic.probe_kernels import varint, varint_size
from analyzer.tables.quic import RING

FRAMES = 0  # place in ``state``
PER_PACKET = 640  # frames of one packet that are read
ACK_RANGES = 64  # of one frame that are looked at
SENT, ACKED, LOST = 0, 1, 2
MALFORMED = 255
STREAM, CRYPTO, RESET, STOP, NEW_ID, CLOSE, APPLICATION_CLOSE, DONE_FRAME = 8, 6, 4, 5, 0x18, 0x1C, 0x1D, 0x1E
PATH_CHALLENGE, NEW_TOKEN = 0x1A, 7
# how many variable-length integers a frame that nobody wants is made of
_PASSED = np.full(64, -1, np.int64)
for _kind, _count in {0x10: 1, 0x11: 2, 0x12: 1, 0x13: 1, 0x14: 1, 0x15: 2, 0x16: 1, 0x17: 1, 0x19: 1}.items():
    _PASSED[_kind] = _count


@helper
def add_frame(frames, state, p, kind, stream, offset, code, position, size):
    """A frame for those who want it."""
    f = frames[state[FRAMES]]
    state[FRAMES] += 1
    f.connection = p.connection
    f.role = p.role
    f.kind = kind
    f.is_last = 0
    f.stream = stream
    f.offset = offset
    f.code = code
    f.position = position
    f.frame_size = size
    f.number = p.number
    f.ts = p.ts


@helper
def note_sent(p, q, s):
    """A packet of an end."""
    role, slot = np.int64(p.role), np.int64(p.pn) % RING
    if s.pn[role, slot] == p.pn + 1:
        if s.ts[role, slot] == 0:  # it was acknowledged before it came by: captured late
            s.ts[role, slot] = p.ts
            q.unseen[role] -= 1
            q.sent[role] += 1
        return
    if s.pn[role, slot] < p.pn + 1:
        s.pn[role, slot] = p.pn + 1
        s.ts[role, slot] = p.ts
        s.state[role, slot] = SENT
    q.sent[role] += 1
    q.largest_pn[role] = max(np.int64(q.largest_pn[role]), np.int64(p.pn) + 1)


@helper
def note_range(q, s, role, low, high, ts, is_first):
    """Packets low .. high of an end were acknowledged at ``ts``."""
    pn = max(low, high - RING + 1)
    while pn <= high:
        slot = pn % RING
        if s.pn[role, slot] < pn + 1:
            s.pn[role, slot] = pn + 1
            s.ts[role, slot] = 0
            s.state[role, slot] = ACKED
            q.unseen[role] += 1
        elif s.pn[role, slot] == pn + 1 and s.state[role, slot] != ACKED:
            if s.state[role, slot] == LOST:
                q.lost[role] -= 1
            elif is_first and pn == high:
                wait = np.int64(ts) - np.int64(s.ts[role, slot])
                q.rtt_samples[role] += 1
                q.rtt_sum[role] += wait
                if q.rtt_least[role] == 0 or wait < q.rtt_least[role]:
                    q.rtt_least[role] = wait
            s.state[role, slot] = ACKED
            q.acked[role] += 1
        pn += 1


@helper
def judge_lost(q, s, role, largest):
    """What is three packets behind an acknowledged one."""
    pn = max(np.int64(s.floor[role]), largest - RING)
    while pn <= largest - 3:
        slot = pn % RING
        if s.pn[role, slot] == pn + 1 and s.state[role, slot] == SENT:
            s.state[role, slot] = LOST
            q.lost[role] += 1
        pn += 1
    s.floor[role] = max(np.int64(s.floor[role]), largest - 2)


@helper
def read_ack(data, at, end, has_ecn, p, q, s):
    """An ACK frame from after its type; the position after it, -1 = malformed."""
    role = 1 - np.int64(p.role)
    largest = varint(data, at, end)
    at += varint_size(data, at, end)
    delay = varint(data, at, end)
    at += varint_size(data, at, end)
    ranges = varint(data, at, end)
    at += varint_size(data, at, end)
    first = varint(data, at, end)
    at += varint_size(data, at, end)
    if largest < 0 or delay < 0 or ranges < 0 or first < 0 or first > largest or ranges > end - at:
        return np.int64(-1)
    is_real = largest < np.int64(q.largest_pn[role]) + (1 << 20)  # an end may claim anything, but not for long
    if is_real:
        note_range(q, s, role, largest - first, largest, p.ts, True)
    low = largest - first
    for k in range(ranges):
        gap = varint(data, at, end)
        at += varint_size(data, at, end)
        more = varint(data, at, end)
        at += varint_size(data, at, end)
        high = low - gap - 2
        if gap < 0 or more < 0 or high < 0 or more > high:
            return np.int64(-1)
        low = high - more
        if is_real and k < ACK_RANGES:
            note_range(q, s, role, low, high, p.ts, False)
    if is_real:
        judge_lost(q, s, role, largest)
    if has_ecn:
        for _k in range(3):
            wide = varint_size(data, at, end)
            if wide == 0:
                return np.int64(-1)
            at += wide
    return at


@helper
def read_stream(data, at, end, kind, p, frames, state):
    """STREAM (RFC 9000 19.8) from after its type; the position after it, -1 = malformed."""
    stream = varint(data, at, end)
    at += varint_size(data, at, end)
    offset = np.int64(0)
    if kind & 4:
        offset = varint(data, at, end)
        at += varint_size(data, at, end)
    size = end - at
    if kind & 2:
        size = varint(data, at, end)
        at += varint_size(data, at, end)
    if stream < 0 or offset < 0 or size < 0 or at + size > end:
        return np.int64(-1)
    add_frame(frames, state, p, STREAM, stream, offset, np.int64(0), at, size)
    frames[state[FRAMES] - 1].is_last = kind & 1
    return at + size


@helper
def read_crypto(data, at, end, p, frames, state):
    """CRYPTO from after its type; the position after it, -1 = malformed."""
    offset = varint(data, at, end)
    at += varint_size(data, at, end)
    size = varint(data, at, end)
    at += varint_size(data, at, end)
    if offset < 0 or size < 0 or at + size > end:
        return np.int64(-1)
    add_frame(frames, state, p, CRYPTO, np.int64(0), offset, np.int64(0), at, size)
    return at + size


@helper
def read_reset(data, at, end, kind, p, frames, state):
    """RESET_STREAM or STOP_SENDING from after its type; the position after it, -1 = malformed."""
    stream = varint(data, at, end)
    at += varint_size(data, at, end)
    code = varint(data, at, end)
    at += varint_size(data, at, end)
    final = np.int64(0)
    if kind == RESET:
        final = varint(data, at, end)
        at += varint_size(data, at, end)
    if stream < 0 or code < 0 or final < 0:
        return np.int64(-1)
    add_frame(frames, state, p, kind, stream, final, code, at, np.int64(0))
    return at


@helper
def read_close(data, at, end, kind, p, frames, state):
    """CONNECTION_CLOSE from after its type; the position after it, -1 = malformed."""
    code = varint(data, at, end)
    at += varint_size(data, at, end)
    about = np.int64(0)
    if kind == CLOSE:
        about = varint(data, at, end)
        at += varint_size(data, at, end)
    size = varint(data, at, end)
    at += varint_size(data, at, end)
    if code < 0 or about < 0 or size < 0 or at + size > end:
        return np.int64(-1)
    add_frame(frames, state, p, kind, about, np.int64(0), code, at, size)
    return at + size


@helper
def read_new_id(data, at, end, p, frames, state):
    """NEW_CONNECTION_ID from after its type; the position after it, -1 = malformed."""
    sequence = varint(data, at, end)
    at += varint_size(data, at, end)
    retired = varint(data, at, end)
    at += varint_size(data, at, end)
    if sequence < 0 or retired < 0 or at + 1 > end:
        return np.int64(-1)
    size = np.int64(data[at])
    if size < 1 or size > 20 or at + 17 + size > end:
        return np.int64(-1)
    add_frame(frames, state, p, NEW_ID, sequence, np.int64(0), np.int64(0), at + 1, size)
    return at + 17 + size


@helper
def read_frame(data, at, end, p, q, s, frames, state):
    """The frame at ``at``; the position after it, -1 = malformed."""
    kind = varint(data, at, end)
    at += varint_size(data, at, end)
    if kind >= STREAM and kind <= 15:
        return read_stream(data, at, end, kind, p, frames, state)
    if kind == 2 or kind == 3:
        return read_ack(data, at, end, kind == 3, p, q, s)
    if kind == CRYPTO:
        return read_crypto(data, at, end, p, frames, state)
    if kind in (RESET, STOP):
        return read_reset(data, at, end, kind, p, frames, state)
    if kind == NEW_ID:
        return read_new_id(data, at, end, p, frames, state)
    if kind in (CLOSE, APPLICATION_CLOSE):
        return read_close(data, at, end, kind, p, frames, state)
    if kind == DONE_FRAME:
        add_frame(frames, state, p, DONE_FRAME, np.int64(0), np.int64(0), np.int64(0), at, np.int64(0))
        return at
    if kind == 1:
        return at
    if kind == NEW_TOKEN or kind == 0x31:  # DATAGRAM with its length (RFC 9221 4)
        size = varint(data, at, end)
        at += varint_size(data, at, end)
        return at + size if size >= 0 and at + size <= end else np.int64(-1)
    if kind == 0x1A or kind == 0x1B:
        return at + 8 if at + 8 <= end else np.int64(-1)
    if kind == 0x30:
        return end
    count = _PASSED[kind] if 0 <= kind < 64 else np.int64(-1)
    if kind == 0xAF:  # ACK_FREQUENCY, a draft
        count = np.int64(4)
    if count < 0:
        return np.int64(-1)
    for _k in range(count):
        wide = varint_size(data, at, end)
        if wide == 0:
            return np.int64(-1)
        at += wide
    return at


@kernel
def read_frames(data, plains, count, i, rows, sent, frames, state):
    """The frames of plains[i:count] into ``frames``; (status, next packet). ``state``: [0] rows of ``frames``."""
    while i < count:
        p = plains[i]
        q, s = rows[p.connection], sent[p.slot]
        if state[FRAMES] + PER_PACKET + 1 > frames.size:
            return GROW_ROWS, i
        note_sent(p, q, s)
        at, end = np.int64(p.position), np.int64(p.position) + np.int64(p.plain_size)
        read = 0
        while at < end and read < PER_PACKET:
            if data[at] == 0:  # PADDING
                at += 1
                continue
            at = read_frame(data, at, end, p, q, s, frames, state)
            read += 1
            if at < 0:
                add_frame(frames, state, p, MALFORMED, np.int64(0), np.int64(0), np.int64(0), end, np.int64(0))
                break
        i += 1
    return DONE, i
