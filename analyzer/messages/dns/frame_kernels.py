# mypy: allow-untyped-defs
"""Framing: where messages begin and end, in datagrams and in streams.

UDP: a datagram is a message. Ports 53, 5353 (mDNS), 5355 (LLMNR) and 137 (NetBIOS names) are taken for DNS when the header is
plausible; on any other port the exact shape of an ordinary query makes its connection DNS. TCP: each message has a prefix of two bytes
(RFC 1035 4.2.2), several a segment or one over several, down to single bytes. After a gap nothing tells where the next message
begins: a direction goes on with the first run that is exactly one message.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, be16, helper, kernel, u8
from analyzer.memory import arena_give, arena_take, copy_bytes
from analyzer.tables.packets import ANALYSED, BAD_TRANSPORT_CHECKSUM
from analyzer.tables.streams import NOT_KEPT, STREAM_ENDED

# places in the counters
NOT_DNS, GAPS, NO_ROOM, INCOMPLETE, MALFORMED, MESSAGES, ORPHANS, SHED = 0, 1, 2, 3, 4, 5, 6, 7
COUNTERS = 8

UDP, TCP = 17, 6
OFF, LOST = 1, 2  # DNS_STREAM.is_off
QUESTIONS = 25  # more than that in one message is other traffic on the port (Zeek's dns_max_queries)


@helper
def is_plausible(data, at, end):
    """Whether twelve bytes can be a header: a known opcode, few questions, and something asked or answered."""
    if end - at < 12:
        return False
    bits, questions = be16(data, at + 2, end), be16(data, at + 4, end)
    opcode = (bits >> 11) & 15
    if opcode > 9 or questions > QUESTIONS:  # above 6: NetBIOS release, WACK, refresh (RFC 1002 4.2.1.1)
        return False
    return bits & 0x8000 != 0 or questions > 0 or opcode != 0 or be16(data, at + 6, end) > 0


@helper
def is_query(data, at, end):
    """Whether a datagram is exactly an ordinary query: one question of host name letters in class IN, and OPT at most."""
    if end - at < 19 or be16(data, at + 2, end) & 0xFECF != 0 or be16(data, at + 4, end) != 1:
        return False
    extra = be16(data, at + 10, end)
    if be16(data, at + 6, end) != 0 or be16(data, at + 8, end) != 0 or extra > 1:
        return False
    at += 12
    labels = 0
    while u8(data, at, end) > 0:
        size = np.int64(data[at])
        if size > 63 or at + 1 + size > end:
            return False
        for k in range(at + 1, at + 1 + size):
            byte = np.int64(data[k])
            if not (97 <= (byte | 32) <= 122 or 48 <= byte <= 57 or byte == 45 or byte == 95):
                return False
        at += size + 1
        labels += 1
    qtype = be16(data, at + 1, end)
    if labels < 2 or be16(data, at + 3, end) != 1 or not 1 <= qtype <= 260:
        return False
    at += 5
    return at == end if extra == 0 else (u8(data, at, end) == 0 and be16(data, at + 1, end) == 41)


@helper
def is_service(port):
    """Whether a port belongs to DNS, mDNS, LLMNR or the NetBIOS name service."""
    return port == 53 or port == 5353 or port == 5355 or port == 137


@helper
def is_multicast(version, high, low):
    """224.0.0.0/4 or ff00::/8."""
    if version == 4:
        return low >> np.uint64(28) == np.uint64(14)
    return high >> np.uint64(56) == np.uint64(255)


@kernel
def select_datagrams(data, packets, at, streams, messages, top, counters):
    """PACKET rows from ``at`` on to DNS_MESSAGE rows; (status, next packet, new top of messages)."""
    for i in range(at, packets.size):
        p = packets[i]
        if p.protocol != UDP or p.outcome != ANALYSED or p.connection < 0 or p.payload_size < 12:
            continue
        if np.int64(p.marks) & BAD_TRANSPORT_CHECKSUM:
            continue
        start = np.int64(p.offset) + np.int64(p.payload)
        end = start + np.int64(p.payload_size)
        stream = streams[2 * np.int64(p.connection)]
        if not is_service(p.src_port) and not is_service(p.dst_port) and stream.is_dns == 0:
            if not is_query(data, start, end):
                continue
            stream.is_dns = 1
        if not is_plausible(data, start, end):
            counters[NOT_DNS] += 1
            continue
        if top >= messages.size:
            return GROW_ROWS, i, top
        m = messages[top]
        m.position = start
        m.message_size = p.payload_size
        m.is_cut = 1 if p.payload_length > p.payload_size else 0
        m.block_size = 0
        m.order = p.number
        m.number = p.number
        m.ts = p.ts
        m.connection = p.connection
        m.sender = p.sender
        m.transport = UDP
        m.ip_version = p.ip_version
        m.is_multicast = 1 if is_multicast(p.ip_version, p.dst_hi, p.dst_lo) else 0
        m.is_netbios = 1 if p.src_port == 137 or p.dst_port == 137 else 0
        m.src_hi = p.src_hi
        m.src_lo = p.src_lo
        m.dst_hi = p.dst_hi
        m.dst_lo = p.dst_lo
        m.src_port = p.src_port
        m.dst_port = p.dst_port
        top += 1
    return DONE, packets.size, top


@helper
def add_message(m, run, order, c, position, size, block_size):
    """A DNS_MESSAGE row for a message of a stream; addresses come from its connection."""
    m.position = position
    m.message_size = size
    m.is_cut = 0
    m.block_size = block_size
    m.order = order
    m.number = run.number
    m.ts = run.ts
    m.connection = run.connection
    m.sender = run.sender
    m.transport = TCP
    m.ip_version = c.ip_version
    m.is_multicast = 0
    m.is_netbios = 0
    is_b = run.sender == 1
    m.src_hi = c.b_hi if is_b else c.a_hi
    m.src_lo = c.b_lo if is_b else c.a_lo
    m.dst_hi = c.a_hi if is_b else c.b_hi
    m.dst_lo = c.a_lo if is_b else c.b_lo
    m.src_port = c.b_port if is_b else c.a_port
    m.dst_port = c.a_port if is_b else c.b_port


@helper
def close_stream(data, arena, s):
    """Drop what is held of a message; whether anything was."""
    was_open = s.prefix_bytes > 0
    if s.prefix_bytes == 2 and s.have > 0:
        arena_give(data, arena, np.int64(s.block), np.int64(s.wanted))
    s.prefix_bytes = 0
    s.have = 0
    return was_open


@helper
def shut_off(data, arena, s, counters, counter):
    """Read nothing more of this direction."""
    close_stream(data, arena, s)
    s.is_off = LOST if counter == GAPS else OFF
    counters[counter] += 1


@helper
def is_found_again(data, run, s):
    """Whether a run of a direction that lost its place is exactly one message: then the next one begins after it, too."""
    at, end = np.int64(run.position), np.int64(run.position) + np.int64(run.run_size)
    if s.is_off != LOST or run.marks & NOT_KEPT or be16(data, at, end) != end - at - 2:
        return False
    return is_plausible(data, at + 2, end)


@helper
def read_prefix(data, s, at, end):
    """Take bytes of the length prefix, one or two; the position after them."""
    while at < end and s.prefix_bytes < 2:
        s.wanted = (np.int64(s.wanted) << 8 if s.prefix_bytes else 0) | np.int64(data[at])
        s.prefix_bytes += 1
        at += 1
    return at


@helper
def frame_run(data, arena, run, s, order, c, messages, top, counters):
    """Messages that end in this run; the new top. The caller has made sure of the rows."""
    at = np.int64(run.position)
    end = at + np.int64(run.run_size)
    while at < end and s.is_off == 0:
        at = read_prefix(data, s, at, end)
        if s.prefix_bytes < 2:
            break
        size = np.int64(s.wanted)
        if size < 12:
            shut_off(data, arena, s, counters, NOT_DNS)
            break
        if s.have == 0 and end - at >= size:
            position, block_size = at, np.int64(0)
            at += size
        else:
            if s.have == 0:
                if at == end:
                    break
                s.block = arena_take(data, arena, size)
                if s.block < 0:
                    shut_off(data, arena, s, counters, NO_ROOM)
                    break
            part = min(size - np.int64(s.have), end - at)
            copy_bytes(data, at, np.int64(s.block) + np.int64(s.have), part)
            s.have += part
            at += part
            if s.have < size:
                break
            position, block_size = np.int64(s.block), size
        s.prefix_bytes = 0
        s.have = 0
        if not is_plausible(data, position, position + size):
            if block_size > 0:
                arena_give(data, arena, position, block_size)
            shut_off(data, arena, s, counters, NOT_DNS)
            break
        add_message(messages[top], run, order, c, position, size, block_size)
        top += 1
    return top


@kernel
def frame_runs(data, arena, runs, wanted, at, connections, streams, messages, top, counters):
    """RUN rows ``wanted[at:]`` to DNS_MESSAGE rows; (status, next index of wanted, new top of messages)."""
    for i in range(at, wanted.size):
        run = runs[wanted[i]]
        row = np.int64(run.connection)
        s, both = streams[2 * row + np.int64(run.sender)], streams[2 * row]
        if s.is_off and not is_found_again(data, run, s):
            continue
        if messages.size - top < np.int64(run.run_size) // 14 + 2:  # a message takes fourteen bytes at least
            return GROW_ROWS, i, top
        if s.is_off == 0 and (run.gap > 0 or (run.marks & NOT_KEPT and run.run_size > 0)):
            shut_off(data, arena, s, counters, GAPS)
            if not is_found_again(data, run, s):
                continue
        s.is_off = 0
        both.order = max(np.int64(both.order), np.int64(run.number))
        top = frame_run(data, arena, run, s, both.order, connections[row], messages, top, counters)
        if run.marks & STREAM_ENDED and s.is_off == 0:
            counters[INCOMPLETE] += 1 if close_stream(data, arena, s) else 0
    return DONE, wanted.size, top


@kernel
def give_blocks(data, arena, messages, first, top, counters):
    """Give back the arena blocks of ``messages[first:top]``, which have been read, and count the malformed."""
    for i in range(first, top):
        m = messages[i]
        if m.error != 0:
            counters[MALFORMED] += 1
        if m.block_size > 0:
            arena_give(data, arena, np.int64(m.position), np.int64(m.block_size))
    counters[MESSAGES] += top - first


@kernel
def release_streams(data, arena, streams, rows, counters):
    """Give back what is held for connections that are flushed."""
    for i in range(rows.size):
        for end in range(2):
            s = streams[2 * rows[i] + end]
            if s.is_off == 0:
                counters[INCOMPLETE] += 1 if close_stream(data, arena, s) else 0
