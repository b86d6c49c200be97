# mypy: allow-untyped-defs
"""DTLS 1.0 and 1.2 (RFC 4347 4.1, RFC 6347 4.1): datagrams to TLS_MESSAGE rows, one by one and in the order of capture.

Records do not span datagrams, so there is nothing to remember. A handshake message that comes whole is a span in place; one that comes in
fragments has a row for its first fragment, without a body. Records of a later epoch are protected.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, be16, be24, helper, kernel, u8
from analyzer.tables.packets import ANALYSED
from analyzer.tables.services import DTLS
from analyzer.tables.tls import DAMAGED, ERROR_CODES, PROTECTED

UDP = 17
RECORD_HEADER, MESSAGE_HEADER = np.int64(13), np.int64(12)
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
def add_fragments(data, at, end, messages, used, p, version):
    """The handshake messages in a record in clear; rows used."""
    while at + MESSAGE_HEADER <= end:
        length, offset, size = be24(data, at + 1, end), be24(data, at + 6, end), be24(data, at + 9, end)
        if offset + size > length or at + MESSAGE_HEADER + size > end:
            return used
        if offset == 0:
            used = add_datagram_row(messages, used, p, np.int64(22), version, length)
            m = messages[used - 1]
            m.handshake_type = data[at]
            if size == length:
                m.position = at + MESSAGE_HEADER
            else:
                m.marks = DAMAGED
                m.error = NOT_STORED
        at += MESSAGE_HEADER + size
    return used


@helper
def add_records(data, at, end, messages, used, p):
    """The records of a datagram; rows used."""
    while at + RECORD_HEADER <= end:
        kind, version = u8(data, at, end), be16(data, at + 1, end)
        epoch, length = be16(data, at + 3, end), be16(data, at + 11, end)
        if kind < 20 or kind > 25 or version >> 8 != 0xFE or at + RECORD_HEADER + length > end:
            return used
        at += RECORD_HEADER
        if epoch == 0 and kind == 22:
            used = add_fragments(data, at, at + length, messages, used, p, version)
        else:
            used = add_datagram_row(messages, used, p, kind, version, length)
            if epoch > 0:
                messages[used - 1].marks = PROTECTED
            elif kind == 21 and length == 2:
                messages[used - 1].alert = be16(data, at, end)
        at += length
    return used


@kernel
def frame_datagrams(data, packets, services, i, messages):
    """Frame the DTLS packets from packets[i] on into ``messages`` from row 0; (status, next packet, rows)."""
    used = np.int64(0)
    while i < packets.size:
        p = packets[i]
        if p.protocol == UDP and p.connection >= 0 and p.outcome == ANALYSED and p.payload_size >= RECORD_HEADER:
            if services[p.connection].protocol == DTLS:
                if used + np.int64(p.payload_size) // MESSAGE_HEADER + 1 > messages.shape[0]:
                    return GROW_ROWS, i, used
                at = np.int64(p.offset) + np.int64(p.payload)
                used = add_records(data, at, at + np.int64(p.payload_size), messages, used, p)
        i += 1
    return DONE, i, used
