"""Classic pcap records to PACKET rows (draft-ietf-opsawg-pcap): both byte orders, both resolutions, both header sizes in one kernel."""

from __future__ import annotations

from analyzer.capture.reader_kernels import GARBAGE_LENGTH, NEED_BYTES, ROWS_FULL, add_packet, load32
from analyzer.kernel import kernel


@kernel
def index_pcap(data, reader, packets, interfaces):  # type: ignore[no-untyped-def]
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
        add_packet(r, packets[rows], face, interface, fcs_bytes, ts, at + header, caplen, length)
        rows += 1
        at += header + kept
        r.skip = caplen - kept
    r.position = at
    r.rows = rows
    return status
