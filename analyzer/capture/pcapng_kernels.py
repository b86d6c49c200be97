# mypy: allow-untyped-defs
"""pcapng blocks to PACKET rows (draft-ietf-opsawg-pcapng): the packet blocks here, the rare blocks are handed to Python."""

from __future__ import annotations

import numpy as np

from analyzer.capture.reader_kernels import (
    FOUND,
    GARBAGE_LENGTH,
    LARGE_BLOCK,
    LATEST_NS,
    LENGTHS_DISAGREE,
    NEED_BYTES,
    RARE_BLOCK,
    ROWS_FULL,
    add_packet,
    binary_ns,
    decimal_ns,
    load16,
    load32,
)
from analyzer.kernel import be32, helper, kernel, le32
from analyzer.tables.packets import INBOUND, OUTBOUND

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
OLD_PACKET = 2
SIMPLE_PACKET = 3
NAME_RESOLUTION = 4
INTERFACE_STATISTICS = 5
ENHANCED_PACKET = 6
DECRYPTION_SECRETS = 10
BYTE_ORDER_MAGIC = 0x1A2B3C4D
SMALLEST_BLOCK = 12

# packet options that are read here
COMMENT, PACKET_FLAGS, DROP_COUNT = 1, 2, 4
INBOUND_BITS, OUTBOUND_BITS = 1, 2


@helper
def is_rare(kind):
    """Whether Python parses blocks of this type."""
    return kind in (SECTION_HEADER, INTERFACE_DESCRIPTION, NAME_RESOLUTION, INTERFACE_STATISTICS, DECRYPTION_SECRETS)


@helper
def packet_head(kind):
    """Bytes from the start of a packet block to its packet."""
    return 12 if kind == SIMPLE_PACKET else 28


@helper
def read_time(face, high, low):
    """Time of a packet on this interface in ns, -1 when it is before 1970 or beyond LATEST_NS."""
    ts = binary_ns(high, low, np.int64(face.resolution_exponent)) if face.is_binary == 1 else decimal_ns(face, high, low)
    if ts < 0:
        return ts
    ts += face.offset_s * 1_000_000_000
    return ts if 0 <= ts <= LATEST_NS else np.int64(-1)


@helper
def read_options(data, at, end, big, kind, r, face):
    """Options of a packet block: (marks, bytes of frame check sequence or -1). Comments and drops are counted; stops at the first lie."""
    marks, fcs_bytes = 0, np.int64(-1)
    while at + 4 <= end:
        code, size = load16(data, at, end, big), load16(data, at + 2, end, big)
        at += 4
        if code == 0 or at + size > end:
            break
        if code == COMMENT:
            r.comments += 1
        elif code == PACKET_FLAGS and size == 4:
            word = load32(data, at, end, big)
            if word & 3 == INBOUND_BITS:
                marks |= INBOUND
            elif word & 3 == OUTBOUND_BITS:
                marks |= OUTBOUND
            if word >> 5 & 15 > 0:
                fcs_bytes = word >> 5 & 15
        elif code == DROP_COUNT and size == 8 and kind == ENHANCED_PACKET:
            half = load32(data, at, end, big) if big else load32(data, at + 4, end, big)
            if half == 0:  # more than 2**32 drops between two packets are not believed
                face.dropped_between += load32(data, at + 4, end, big) if big else load32(data, at, end, big)
        at += (size + 3) & ~3
    return marks, fcs_bytes


@helper
def packet_interface(data, at, end, kind, big):
    """Interface id of the packet block at ``at``."""
    if kind == ENHANCED_PACKET:
        return load32(data, at + 8, end, big)
    return load16(data, at + 8, end, big) if kind == OLD_PACKET else np.int64(0)


@helper
def read_packet(data, at, size, kind, r, p, face):
    """The packet block of ``size`` bytes at ``at`` (head and the bytes to keep are there) to row ``p``; the number of rows, 1 or 0."""
    big, end = r.is_big_endian == 1, r.end
    first = at + packet_head(kind)
    room = size - packet_head(kind) - 4
    ts = np.int64(-1)
    if kind == SIMPLE_PACKET:
        length = load32(data, at + 8, end, big)
        caplen = min(length, face.snaplen) if face.snaplen > 0 else length
        caplen = min(caplen, room)
    else:
        caplen, length = load32(data, at + 20, end, big), load32(data, at + 24, end, big)
        high, low = load32(data, at + 12, end, big), load32(data, at + 16, end, big)
        ticks = (high & 0x7FFFFFFF) << 32 | low
        # a product for nearly all clocks: calling read_time costs more than that
        ts = ticks * face.tick_ns if high < 0x80000000 and ticks <= face.most_ticks else read_time(face, high, low)
    if caplen > room:
        r.malformed_blocks += 1
        return 0
    marks, fcs_bytes = 0, np.int64(face.fcs_bytes)
    options = (caplen + 3) & ~3
    if kind != SIMPLE_PACKET and options + 4 <= room and size <= r.block_bytes:
        marks, said = read_options(data, first + options, at + size - 4, big, kind, r, face)
        if said >= 0:
            fcs_bytes = said
    if kind == OLD_PACKET:
        drops = load16(data, at + 10, end, big)
        face.dropped_between += drops if drops != 0xFFFF else 0
    add_packet(r, p, face, fcs_bytes, ts, first, caplen, length)
    p.marks = np.int64(p.marks) | marks
    return 1


@helper
def bytes_needed(data, at, end, size, kind, r):
    """How many bytes of the block at ``at`` must be there before it can be taken."""
    if size <= r.block_bytes:
        return size
    if kind in (ENHANCED_PACKET, OLD_PACKET):
        caplen = load32(data, at + 20, end, r.is_big_endian == 1)
        return np.int64(28) + min(max(caplen, 0), r.keep_bytes)
    if kind == SIMPLE_PACKET:
        return np.int64(12) + r.keep_bytes
    return np.int64(SMALLEST_BLOCK)


@kernel
def index_pcapng(data, reader, packets, interfaces):
    """Fill rows of ``packets`` from ``reader[0].rows`` on with the packet blocks at ``reader[0].position``; why it stopped.

    Any status of reader_kernels, always with ``position`` at the block that was not taken. Blocks of types that are not known are
    passed over by their length.
    """
    r = reader[0]
    at, end, rows = r.position, r.end, r.rows
    big, block_bytes, skip = r.is_big_endian == 1, r.block_bytes, r.skip
    status = NEED_BYTES
    while True:
        if skip > 0:
            step = min(skip, end - at)
            at += step
            skip -= step
        if skip > 0 or at + SMALLEST_BLOCK > end:
            break
        if rows == packets.shape[0]:
            status = ROWS_FULL
            break
        kind, size = load32(data, at, end, big), load32(data, at + 4, end, big)
        if kind == SECTION_HEADER:  # its length is in a byte order that is not known yet
            status = RARE_BLOCK
            break
        if size < SMALLEST_BLOCK or size & 3 != 0 or size > r.record_bytes:
            r.detail = size
            status = GARBAGE_LENGTH
            break
        is_whole = at + size <= end
        if not is_whole and at + bytes_needed(data, at, end, size, kind, r) > end:
            break
        if size <= block_bytes and load32(data, at + size - 4, end, big) != size:
            r.detail = load32(data, at + size - 4, end, big)
            status = LENGTHS_DISAGREE
            break
        if kind in (ENHANCED_PACKET, SIMPLE_PACKET, OLD_PACKET):
            interface = packet_interface(data, at, end, kind, big)
            if size < packet_head(kind) + 4:
                r.malformed_blocks += 1
            elif interface >= r.interface_count:
                r.unknown_interface += 1
            else:
                p, row = packets[rows], r.first_interface + interface
                p.interface = row
                rows += read_packet(data, at, size, kind, r, p, interfaces[row])
        elif is_rare(kind):
            r.rare_blocks += kind != INTERFACE_DESCRIPTION
            if kind == INTERFACE_DESCRIPTION or r.rare_blocks <= r.most_rare_blocks:
                r.detail = size
                status = RARE_BLOCK if size <= block_bytes else LARGE_BLOCK
                break
        if is_whole:
            at += size
        else:
            skip = size - (end - at)
            at = end
    r.position = at
    r.rows = rows
    r.skip = skip
    return status


@kernel
def find_section(data, reader):
    """Move ``reader[0].position`` to the next section header: FOUND, or NEED_BYTES when none begins in the bytes that are here."""
    r = reader[0]
    at, end = r.position, r.end
    status = NEED_BYTES
    while at + SMALLEST_BLOCK <= end:
        if data[at] == 0x0A and be32(data, at, end) == SECTION_HEADER:
            if be32(data, at + 8, end) == BYTE_ORDER_MAGIC or le32(data, at + 8, end) == BYTE_ORDER_MAGIC:
                status = FOUND
                break
        at += 1
    r.position = at
    return status


@kernel
def find_secrets(data, state):
    """Walk over blocks from ``state`` (int64: position, end, big-endian) on to the next decryption secrets block.

    FOUND with its position; NEED_BYTES with the position of the next block, perhaps beyond the end; GARBAGE_LENGTH where none begins.
    """
    at, end, big = state[0], state[1], state[2] == 1
    status = NEED_BYTES
    while at + SMALLEST_BLOCK <= end:
        if be32(data, at, end) == SECTION_HEADER:
            big = be32(data, at + 8, end) == BYTE_ORDER_MAGIC
        kind, size = load32(data, at, end, big), load32(data, at + 4, end, big)
        if size < SMALLEST_BLOCK or size & 3 != 0:
            status = GARBAGE_LENGTH
            break
        if kind == DECRYPTION_SECRETS:
            status = FOUND
            break
        at += size
    state[0] = at
    state[2] = 1 if big else 0
    return status
