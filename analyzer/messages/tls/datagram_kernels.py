# mypy: allow-untyped-defs
"""DTLS 1.0, 1.2 and 1.3 (RFC 4347 4.1, RFC 6347 4.1, RFC 9147 4): datagrams to TLS_MESSAGE rows, one by one and in the order of capture.

Records do not span datagrams. A handshake message that comes whole is a span in place; one that comes in fragments is put together in a
block of the arena when they come in order (RFC 6347 4.2.3). Records of a later epoch are protected; those of DTLS 1.3 have a header of
their own.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, be16, be24, helper, kernel, u8
from analyzer.memory import arena_take, copy_bytes
from analyzer.messages.tls.row_kernels import drop_message
from analyzer.tables.packets import ANALYSED
from analyzer.tables.services import DTLS
from analyzer.tables.tls import DAMAGED, ERROR_CODES, IN_ARENA, PROTECTED

UDP = 17
RECORD_HEADER, MESSAGE_HEADER = np.int64(13), np.int64(12)
LEAST_SEALED = np.int64(17)  # a tag and a content type: RFC 9147 4.2.3 pads shorter ones
DTLS_12 = np.int64(0xFEFD)
NOT_STORED = np.int64(ERROR_CODES["handshake_not_kept"])


@helper
def add_datagram_row(messages, used, p, content_type, version, length):
    """A row about a record of packet ``p``."""
    m = messages[used]
    m.connection = p.connection
    m.sender = p.sender
    m.content_type = content_type
    m.handshake_type = -1
    m.marks = 0
    m.error = 0
    m.version = version
    m.length = length
    m.alert = 0
    m.position = -1
    m.first_ts = p.ts
    m.first_number = p.number
    m.last_ts = p.ts
    m.last_number = p.number
    m.peer_ts = 0
    m.peer_number = 0
    m.peer_records = 0
    m.first_part = 0
    return used + 1


@helper
def begin_message(data, arena, s, p, kind, length, limit):
    """The first fragment of a handshake message: a block for all of it; whether there is one."""
    drop_message(data, arena, s)
    if length > limit:
        return False
    s.message = arena_take(data, arena, length)
    if s.message < 0:
        return False
    s.message_marks = IN_ARENA
    s.message_type = kind
    s.message_length = length
    s.message_ts = p.ts
    s.message_number = p.number
    return True


@helper
def add_fragment(data, arena, at, messages, used, p, s, version, limit):
    """A fragment at ``at`` whose lengths are good; rows used. Those that come in another order wait to be sent again."""
    kind, length = np.int64(data[at]), be24(data, at + 1, at + MESSAGE_HEADER)
    offset, size = be24(data, at + 6, at + MESSAGE_HEADER), be24(data, at + 9, at + MESSAGE_HEADER)
    if offset == 0 and not begin_message(data, arena, s, p, kind, length, limit):
        used = add_datagram_row(messages, used, p, np.int64(22), version, length)
        messages[used - 1].handshake_type = kind
        messages[used - 1].marks = DAMAGED
        messages[used - 1].error = NOT_STORED
        return used
    filled = np.int64(s.message_filled)
    is_next = offset <= filled < offset + size
    if s.message_marks == 0 or s.message_type != kind or s.message_length != length or not is_next:
        return used
    copy_bytes(data, at + MESSAGE_HEADER + filled - offset, np.int64(s.message) + filled, offset + size - filled)
    s.message_filled = offset + size
    if offset + size < length:
        return used
    used = add_datagram_row(messages, used, p, np.int64(22), version, length)
    m = messages[used - 1]
    m.handshake_type = kind
    m.marks = IN_ARENA
    m.position = s.message
    m.first_ts = s.message_ts
    m.first_number = s.message_number
    s.message_marks = 0  # the block now belongs to the row
    drop_message(data, arena, s)
    return used


@helper
def add_fragments(data, arena, at, end, messages, used, p, s, version, limit):
    """The handshake messages in a record in clear; rows used."""
    while at + MESSAGE_HEADER <= end:
        length, offset, size = be24(data, at + 1, end), be24(data, at + 6, end), be24(data, at + 9, end)
        if offset + size > length or at + MESSAGE_HEADER + size > end:
            return used
        if size == length:
            used = add_datagram_row(messages, used, p, np.int64(22), version, length)
            messages[used - 1].handshake_type = data[at]
            messages[used - 1].position = at + MESSAGE_HEADER
        elif size > 0:
            used = add_fragment(data, arena, at, messages, used, p, s, version, limit)
        at += MESSAGE_HEADER + size
    return used


@helper
def unified_span(data, at, end):
    """Where a record with the header of DTLS 1.3 begins and how long it is (RFC 9147 4): bits 001CSLEE, sequence number, length.

    A length of -1: there is none here. Behind a connection id, whose size only the two ends know, the rest of the datagram is one record.
    """
    bits = u8(data, at, end)
    if bits >> 5 != 1:
        return at, np.int64(-1)
    at += 3 if bits & 8 else 2
    length = end - at
    if bits & 0x10 == 0 and bits & 4:
        length = be16(data, at, end)
        at += 2
    return at, length if LEAST_SEALED <= length <= end - at else np.int64(-1)


@helper
def add_records(data, arena, at, end, messages, used, p, s, limit):
    """The records of a datagram; rows used."""
    while at + RECORD_HEADER <= end:
        kind, version = u8(data, at, end), be16(data, at + 1, end)
        epoch, length = be16(data, at + 3, end), be16(data, at + 11, end)
        sealed, size = unified_span(data, at, end)
        if size >= 0:
            used = add_datagram_row(messages, used, p, np.int64(23), DTLS_12, size)
            messages[used - 1].marks = PROTECTED
            at = sealed + size
            continue
        if kind < 20 or kind > 25 or version >> 8 != 0xFE or at + RECORD_HEADER + length > end:
            return used
        at += RECORD_HEADER
        if epoch == 0 and kind == 22:
            used = add_fragments(data, arena, at, at + length, messages, used, p, s, version, limit)
        else:
            used = add_datagram_row(messages, used, p, kind, version, length)
            if epoch > 0:
                messages[used - 1].marks = PROTECTED
            elif kind == 21 and length == 2:
                messages[used - 1].alert = be16(data, at, end)
        at += length
    return used


@kernel
def frame_datagrams(data, arena, packets, services, i, messages, streams, limit):
    """Frame the DTLS packets from packets[i] on into ``messages`` from row 0; (status, next packet, rows)."""
    used = np.int64(0)
    while i < packets.size:
        p = packets[i]
        if p.protocol == UDP and p.connection >= 0 and p.outcome == ANALYSED and p.payload_size >= RECORD_HEADER:
            if services[p.connection].protocol == DTLS:
                if used + np.int64(p.payload_size) // MESSAGE_HEADER + 1 > messages.shape[0]:
                    return GROW_ROWS, i, used
                at = np.int64(p.offset) + np.int64(p.payload)
                s = streams[2 * np.int64(p.connection) + np.int64(p.sender)]
                used = add_records(data, arena, at, at + np.int64(p.payload_size), messages, used, p, s, limit)
        i += 1
    return DONE, i, used
