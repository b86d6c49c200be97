# mypy: allow-untyped-defs
"""Classic pcap records to PACKET rows (draft-ietf-opsawg-pcap): both byte orders, both resolutions, both header sizes in one kernel."""

from __future__ import annotations

from analyzer.capture.reader_kernels import FOUND, GARBAGE_LENGTH, NEED_BYTES, ROWS_FULL, add_packet, load32
from analyzer.kernel import helper, kernel

DAY_NS = 86_400 * 1_000_000_000


@kernel
def index_pcap(data, reader, packets, interfaces):
    """Fill rows of ``packets`` from ``reader[0].rows`` on with the records at ``reader[0].position``; why it stopped.

    NEED_BYTES, ROWS_FULL or GARBAGE_LENGTH, always with ``position`` at the record that was not taken.
    """
    r = reader[0]
    at, end, header, rows = r.position, r.end, r.header_bytes, r.rows
    big = r.is_big_endian == 1
    interface = r.first_interface
    face = interfaces[interface]
    tick_ns, fcs_bytes = face.tick_ns, face.fcs_bytes
    status = NEED_BYTES
    while True:
        if r.skip > 0:
            step = min(r.skip, end - at)
            at += step
            r.skip -= step
        if r.skip > 0 or at + header > end:
            break
        if rows == packets.shape[0]:
            status = ROWS_FULL
            break
        caplen = load32(data, at + 8, end, big)
        if caplen > r.record_bytes:
            r.detail = caplen
            status = GARBAGE_LENGTH
            break
        kept = min(caplen, r.keep_bytes)
        if at + header + kept > end:
            break
        ts = load32(data, at, end, big) * 1_000_000_000 + load32(data, at + 4, end, big) * tick_ns
        length = load32(data, at + 12, end, big)
        p = packets[rows]
        p.interface = interface
        add_packet(r, p, face, fcs_bytes, ts, at + header, caplen, length)
        rows += 1
        at += header + kept
        r.skip = caplen - kept
    r.position = at
    r.rows = rows
    return status


@helper
def is_record(data, at, end, r, face):
    """Whether the bytes at ``at`` look like a record header: a fraction below a second, lengths of a packet, a time near the last one."""
    big = r.is_big_endian == 1
    fraction = load32(data, at + 4, end, big) * face.tick_ns
    caplen, length = load32(data, at + 8, end, big), load32(data, at + 12, end, big)
    if caplen < 1 or caplen > r.keep_bytes or length < caplen or length > r.record_bytes or fraction >= 1_000_000_000:
        return False
    return r.packets == 0 or abs(load32(data, at, end, big) * 1_000_000_000 - face.previous_ts) < DAY_NS


@kernel
def find_record(data, reader, interfaces):
    """Move ``reader[0].position`` over garbage to where two records follow each other: FOUND, or NEED_BYTES when none is here."""
    r = reader[0]
    at, end, header = r.position, r.end, r.header_bytes
    face = interfaces[r.first_interface]
    status = NEED_BYTES
    while at + header <= end:
        if is_record(data, at, end, r, face):
            following = at + header + load32(data, at + 8, end, r.is_big_endian == 1)
            if following + header > end:
                break
            if is_record(data, following, end, r, face):
                status = FOUND
                break
        at += 1
    r.position = at
    return status
