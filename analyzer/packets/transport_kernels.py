# mypy: allow-untyped-defs
"""TCP (RFC 9293) with its options, UDP (RFC 768), ICMP (RFC 792) and ICMPv6 (RFC 4443) headers."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper, u8
from analyzer.packets.link_kernels import cut_or
from analyzer.packets.network_kernels import NO_NEXT_HEADER, set_payload
from analyzer.tables.packets import ANALYSED, HAS_SACK_PERMITTED, HAS_TIMESTAMPS, LENGTH_MISMATCH, MALFORMED_TRANSPORT, NO_CONNECTION

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
TCP_BYTES, UDP_BYTES, ICMP_BYTES = 20, 8, 8

# ---- TCP option kinds (IANA)
END_OF_OPTIONS, NO_OPERATION, MAXIMUM_SEGMENT_SIZE, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS = 0, 1, 2, 3, 4, 8
LARGEST_WINDOW_SCALE = 14  # RFC 7323 2.3: larger shift counts are to be used as 14; the row holds what was sent


@helper
def decode_tcp_options(data, p, at, end):
    """Options up to the end of the header, or to the first that lies about its length."""
    while at < end:
        kind = u8(data, at, end)
        if kind == NO_OPERATION:
            at += 1
            continue
        size = u8(data, at + 1, end)
        if kind == END_OF_OPTIONS or size < 2 or at + size > end:
            break
        if kind == MAXIMUM_SEGMENT_SIZE and size == 4:
            p.mss = be16(data, at + 2, end)
        elif kind == WINDOW_SCALE and size == 3:
            p.window_scale = u8(data, at + 2, end)
        elif kind == SACK_PERMITTED and size == 2:
            p.marks = np.int64(p.marks) | HAS_SACK_PERMITTED
        elif kind == TIMESTAMPS and size == 10:
            p.marks = np.int64(p.marks) | HAS_TIMESTAMPS
            p.tsval = be32(data, at + 2, end)
            p.tsecr = be32(data, at + 6, end)
        at += size


@helper
def decode_tcp(data, p, at, start, stop, wire_stop):
    """The TCP header at ``at``; its outcome. Where only options are cut off, what stands before them is enough to go on with."""
    is_cut = stop < wire_stop
    if at + TCP_BYTES > stop:
        return cut_or(is_cut and at + TCP_BYTES <= wire_stop, MALFORMED_TRANSPORT)
    header = (u8(data, at + 12, stop) >> 4) * 4
    p.src_port, p.dst_port = be16(data, at, stop), be16(data, at + 2, stop)
    p.seq, p.ack = be32(data, at + 4, stop), be32(data, at + 8, stop)
    p.tcp_flags = u8(data, at + 13, stop)
    p.window = be16(data, at + 14, stop)
    if header < TCP_BYTES or at + header > wire_stop:
        return MALFORMED_TRANSPORT
    options_end = min(at + header, stop)
    p.tcp_options = at + TCP_BYTES - start
    p.tcp_options_size = options_end - at - TCP_BYTES
    if header > TCP_BYTES:
        decode_tcp_options(data, p, at + TCP_BYTES, options_end)
    set_payload(p, start, at + header, stop, wire_stop)
    return ANALYSED


@helper
def decode_udp(data, p, at, start, stop, wire_stop):
    """The UDP header at ``at``; its outcome. A length of 0 is that of a jumbo datagram (RFC 2675): the IP length counts."""
    if at + UDP_BYTES > stop:
        return cut_or(stop < wire_stop and at + UDP_BYTES <= wire_stop, MALFORMED_TRANSPORT)
    p.src_port, p.dst_port = be16(data, at, stop), be16(data, at + 2, stop)
    length = be16(data, at + 4, stop)
    if 0 < length < UDP_BYTES:
        return MALFORMED_TRANSPORT
    if at + length > wire_stop:
        p.marks = np.int64(p.marks) | LENGTH_MISMATCH
    elif length > 0:
        wire_stop = at + length
    set_payload(p, start, at + UDP_BYTES, min(stop, wire_stop), wire_stop)
    return ANALYSED


@helper
def decode_icmp(data, p, at, start, stop, wire_stop):
    """The ICMP or ICMPv6 header at ``at``; its outcome. Type and code stand where other protocols have ports."""
    if at + ICMP_BYTES > stop:
        return cut_or(stop < wire_stop and at + ICMP_BYTES <= wire_stop, MALFORMED_TRANSPORT)
    p.src_port, p.dst_port = u8(data, at, stop), u8(data, at + 1, stop)
    set_payload(p, start, at + ICMP_BYTES, stop, wire_stop)
    return ANALYSED


@helper
def decode_transport(data, p, at, start, stop, wire_stop):
    """The transport header at ``at`` by p.protocol; its outcome. Protocols without ports of ours are analysed as they are."""
    protocol = np.int64(p.protocol)
    if protocol == TCP:
        return decode_tcp(data, p, at, start, stop, wire_stop)
    if protocol == UDP:
        return decode_udp(data, p, at, start, stop, wire_stop)
    if (protocol == ICMP and p.ip_version == 4) or (protocol == ICMPV6 and p.ip_version == 6):
        return decode_icmp(data, p, at, start, stop, wire_stop)
    return NO_CONNECTION if protocol == NO_NEXT_HEADER and p.ip_version == 6 else ANALYSED
