# mypy: allow-untyped-defs
"""ICMP errors belong to the connection whose packet they quote (RFC 792, 1191, 4443).

An error carries the IP header of the packet that caused it and at least eight bytes of what follows: addresses, protocol and ports, which
is the key of its connection. The quoted packet is filled into a PACKET row of its own, and the connection is found as for any packet.
"""

from __future__ import annotations

import numpy as np

from analyzer.connections.key_kernels import ICMP, ICMP6, TCP, UDP
from analyzer.kernel import be16, be32, be64, helper, u8

UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 11, 12  # RFC 792; source quench and redirect are no errors
FRAGMENTATION_NEEDED = 4  # code of UNREACHABLE
LARGEST_ERROR_6, TOO_BIG_6 = 4, 2  # RFC 4443: types 1 to 4 are errors
HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS = 0, 43, 60
EXTENSIONS = 8  # IPv6 extension headers that are passed over


@helper
def is_error(p):
    """Whether an ICMP packet is an error, which quotes the packet that caused it."""
    kind = np.int64(p.src_port)
    if np.int64(p.protocol) == ICMP:
        return kind in (UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM)
    return 1 <= kind <= LARGEST_ERROR_6


@helper
def path_mtu(data, p):
    """The MTU of the next link that an error tells, 0 = it tells none."""
    end = np.int64(p.offset) + np.int64(p.payload)
    kind, code = np.int64(p.src_port), np.int64(p.dst_port)
    if np.int64(p.protocol) == ICMP and kind == UNREACHABLE and code == FRAGMENTATION_NEEDED:
        return be16(data, end - 2, end)
    if np.int64(p.protocol) == ICMP6 and kind == TOO_BIG_6:
        return min(be32(data, end - 4, end), 0x7FFFFFFF)
    return np.int64(0)


@helper
def read_transport(data, quoted, at, end):
    """Ports of a quoted packet, or its ICMP type and code; whether they are there."""
    protocol = np.int64(quoted.protocol)
    if protocol in (TCP, UDP):
        quoted.src_port = max(be16(data, at, end), 0)
        quoted.dst_port = max(be16(data, at + 2, end), 0)
        return at + 4 <= end
    if protocol in (ICMP, ICMP6):
        quoted.src_port = max(u8(data, at, end), 0)
        quoted.dst_port = max(u8(data, at + 1, end), 0)
        return at + 2 <= end
    return True


@helper
def read_quoted(data, p, quoted):
    """Fill ``quoted`` with the key of the packet that an ICMP error quotes; whether that could be read."""
    at = np.int64(p.offset) + np.int64(p.payload)
    end = at + np.int64(p.payload_size)
    version = max(u8(data, at, end), 0) >> 4
    quoted.ip_version = version
    if version == 4:
        header = (u8(data, at, end) & 15) * 4
        if header < 20 or at + header > end or be16(data, at + 6, end) & 0x1FFF != 0:
            return False
        quoted.protocol = u8(data, at + 9, end)
        quoted.src_hi, quoted.dst_hi = np.uint64(0), np.uint64(0)
        quoted.src_lo, quoted.dst_lo = np.uint64(be32(data, at + 12, end)), np.uint64(be32(data, at + 16, end))
        return read_transport(data, quoted, at + header, end)
    if version != 6 or at + 40 > end:
        return False
    quoted.src_hi, quoted.src_lo = be64(data, at + 8, end), be64(data, at + 16, end)
    quoted.dst_hi, quoted.dst_lo = be64(data, at + 24, end), be64(data, at + 32, end)
    following, at = u8(data, at + 6, end), at + 40
    for _ in range(EXTENSIONS):
        if following not in (HOP_BY_HOP, ROUTING, DESTINATION_OPTIONS) or at + 8 > end:
            break
        following, at = u8(data, at, end), at + 8 * (u8(data, at + 1, end) + 1)
    quoted.protocol = following
    return read_transport(data, quoted, at, end)


@helper
def note_error(data, c, p):
    """An ICMP error quotes a packet of connection ``c``."""
    c.icmp_errors = np.int64(c.icmp_errors) + 1
    if np.int64(c.icmp_errors) == 1:
        c.icmp_error_type = p.src_port
        c.icmp_error_code = p.dst_port
        c.icmp_error_ts = p.ts
        c.icmp_error_number = p.number
    mtu = path_mtu(data, p)
    if mtu > 0 and (c.icmp_error_mtu == 0 or mtu < np.int64(c.icmp_error_mtu)):
        c.icmp_error_mtu = mtu
