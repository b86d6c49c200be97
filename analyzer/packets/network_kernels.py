# mypy: allow-untyped-defs
"""IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200): addresses, lengths, and where the transport layer begins."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, be64, helper, u8
from analyzer.packets.link_kernels import cut_or
from analyzer.tables.packets import ANALYSED, FRAGMENT, LENGTH_FROM_CAPTURE, MALFORMED_IP, TUNNEL_TOO_DEEP

# ---- IPv6 extension headers that are walked (IANA); all others end the chain
HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, AUTHENTICATION = 0, 43, 44, 51
DESTINATION, MOBILITY, HIP, SHIM6 = 60, 135, 139, 140
NO_NEXT_HEADER = 59
HOME_ADDRESS = 201
IPV4_BYTES, IPV6_BYTES = 20, 40
SHORTEST_FRAME = 64


@helper
def set_payload(p, start, at, stop, wire_stop):
    """The payload begins at ``at``; captured up to ``stop``, on the wire up to ``wire_stop``."""
    p.payload = at - start
    p.payload_size = max(stop - at, 0)
    p.payload_length = max(wire_stop - at, 0)


@helper
def decode_ipv4(data, p, at, start, end, wire_end):
    """The IPv4 header at ``at``: (outcome, position after it, end on the wire by the total length).

    A total length of 0 is that of a segment still to be cut up by the network card: the wire length counts (LENGTH_FROM_CAPTURE).
    """
    is_cut = end < wire_end
    if at + IPV4_BYTES > end:
        return cut_or(is_cut, MALFORMED_IP), at, at
    first = u8(data, at, end)
    header = (first & 15) * 4
    total = be16(data, at + 2, end)
    if first >> 4 != 4:
        return MALFORMED_IP, at, at
    p.network = at - start
    p.ip_version = 4
    p.ttl = u8(data, at + 8, end)
    p.protocol = u8(data, at + 9, end)
    p.ip_id = be16(data, at + 4, end)
    p.src_lo = np.uint64(be32(data, at + 12, end))
    p.dst_lo = np.uint64(be32(data, at + 16, end))
    if total == 0:
        total = wire_end - at
        p.marks = np.int64(p.marks) | LENGTH_FROM_CAPTURE
    p.ip_length = total
    wire_stop = at + total
    if header < IPV4_BYTES or header > total or wire_stop > wire_end:
        return MALFORMED_IP, at, at
    if at + header > end:
        return cut_or(is_cut, MALFORMED_IP), at, at
    p.transport = at + header - start
    set_payload(p, start, at + header, min(end, wire_stop), wire_stop)
    # more fragments to come, or not the first: the header of the transport layer is not for us (RFC 791 3.1)
    if be16(data, at + 6, end) & 0x3FFF != 0:
        return FRAGMENT, at + header, wire_stop
    return ANALYSED, at + header, wire_stop


@helper
def extension_bytes(data, kind, at, end):
    """Size of the extension header of this type at ``at``; 0 when the type is none that is walked, -1 past the captured bytes."""
    if kind == FRAGMENT_HEADER:
        return np.int64(8)
    if kind not in (HOP_BY_HOP, ROUTING, AUTHENTICATION, DESTINATION, MOBILITY, HIP, SHIM6):
        return np.int64(0)
    units = u8(data, at + 1, end)
    if units < 0:
        return np.int64(-1)
    return (units + 2) * 4 if kind == AUTHENTICATION else (units + 1) * 8


@helper
def note_addresses(data, p, kind, at, end):
    """The addresses between which the packet really goes; checksums are computed over these.

    The last stop of a source route (type 0 of RFC 2460, type 2 of RFC 6275 6.4), and the home address of a mobile node (RFC 6275 6.3).
    """
    if kind == ROUTING:
        route, left, addresses = u8(data, at + 2, end), u8(data, at + 3, end), u8(data, at + 1, end) >> 1
        if left > 0 and addresses > 0 and (route == 0 or (route == 2 and addresses == 1)):
            last = at + 8 + 16 * (addresses - 1)
            p.dst_hi, p.dst_lo = be64(data, last, end), be64(data, last + 8, end)
        return
    at += 2
    while at < end:
        option, size = u8(data, at, end), u8(data, at + 1, end)
        if option == 0:  # Pad1
            at += 1
            continue
        if size < 0 or at + 2 + size > end:
            return
        if option == HOME_ADDRESS and size == 16:
            p.src_hi, p.src_lo = be64(data, at + 2, end), be64(data, at + 10, end)
        at += 2 + size


@helper
def walk_extensions(data, p, at, stop, wire_stop, max_headers):
    """Extension headers from ``at`` on: (outcome, position after them); p.protocol becomes the number of what follows."""
    is_cut = stop < wire_stop
    for walked in range(max_headers + 1):
        kind = np.int64(p.protocol)
        size = extension_bytes(data, kind, at, stop)
        if size == 0:
            break
        if walked == max_headers:
            return TUNNEL_TOO_DEEP, at
        if size > 0 and at + size > wire_stop:
            return MALFORMED_IP, at
        if size < 0 or at + size > stop:
            return cut_or(is_cut, MALFORMED_IP), at
        p.protocol = u8(data, at, stop)
        # offset and M flag; a fragment that is the whole datagram ("atomic", RFC 6946) is none
        is_fragment = kind == FRAGMENT_HEADER and be16(data, at + 2, stop) & 0xFFF9 != 0
        if kind in (ROUTING, DESTINATION):
            note_addresses(data, p, kind, at, at + size)
        at += size
        if is_fragment:
            return FRAGMENT, at
    return ANALYSED, at


@helper
def decode_ipv6(data, p, at, start, end, wire_end, max_headers):
    """The IPv6 header at ``at`` and its extension headers: (outcome, position after them, end on the wire by the payload length).

    A payload length of 0 is that of a jumbo payload (RFC 2675) or of a segment still to be cut up: the wire length counts.
    """
    is_cut = end < wire_end
    if at + IPV6_BYTES > end:
        return cut_or(is_cut, MALFORMED_IP), at, at
    if u8(data, at, end) >> 4 != 6:
        return MALFORMED_IP, at, at
    p.network = at - start
    p.ip_version = 6
    p.ttl = u8(data, at + 7, end)
    p.protocol = u8(data, at + 6, end)
    p.src_hi, p.src_lo = be64(data, at + 8, end), be64(data, at + 16, end)
    p.dst_hi, p.dst_lo = be64(data, at + 24, end), be64(data, at + 32, end)
    wire_stop = at + IPV6_BYTES + be16(data, at + 4, end)
    # what fills a shortest Ethernet frame is padding, not payload
    if wire_stop == at + IPV6_BYTES and p.protocol != NO_NEXT_HEADER and wire_end - start > SHORTEST_FRAME:
        wire_stop = wire_end
        p.marks = np.int64(p.marks) | LENGTH_FROM_CAPTURE
    p.ip_length = wire_stop - at
    if wire_stop > wire_end:
        return MALFORMED_IP, at, at
    stop = min(end, wire_stop)
    outcome, at = walk_extensions(data, p, at + IPV6_BYTES, stop, wire_stop, max_headers)
    if outcome in (ANALYSED, FRAGMENT):
        p.transport = at - start
        set_payload(p, start, at, stop, wire_stop)
    return outcome, at, wire_stop
