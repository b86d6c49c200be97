# mypy: allow-untyped-defs
"""Checksums (RFC 1071) of IPv4 headers, TCP, UDP, ICMP and ICMPv6, where all the bytes they cover were captured."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, helper, kernel, u8
from analyzer.packets.network_kernels import ROUTING, extension_bytes
from analyzer.packets.transport_kernels import ICMP, ICMPV6, TCP, UDP
from analyzer.tables.packets import (
    ANALYSED,
    BAD_CHECKSUM,
    BAD_IP_CHECKSUM,
    BAD_TRANSPORT_CHECKSUM,
    FRAGMENT,
    FROM_FRAGMENTS,
    LENGTH_FROM_CAPTURE,
    NO_TIME_PACKET,
)


@helper
def sum_words(data, at, end):
    """Sum of the 16-bit words of [at, end), the last byte of an odd number padded with zero."""
    total = np.int64(0)
    while at + 2 <= end:
        total += np.int64(data[at]) << 8 | np.int64(data[at + 1])
        at += 2
    if at < end:
        total += np.int64(data[at]) << 8
    return total


@helper
def sum_address(high, low):
    """Sum of the 16-bit words of an IPv6 address."""
    total, mask = np.int64(0), np.uint64(0xFFFF)
    for k in range(4):
        shift = np.uint64(16 * k)
        total += np.int64(high >> shift & mask) + np.int64(low >> shift & mask)
    return total


@helper
def is_right(total):
    """Whether a sum that includes the checksum itself is that of undamaged bytes."""
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


@helper
def is_source_routed(data, at, transport):
    """Whether the IPv6 packet at ``at`` has a routing header, with segments left, of a type whose last stop is not in the row."""
    kind, at = u8(data, at + 6, transport), at + 40
    while at < transport:
        size = extension_bytes(data, kind, at, transport)
        if size <= 0:
            break
        if kind == ROUTING and u8(data, at + 3, transport) > 0 and u8(data, at + 2, transport) not in (0, 2):
            return True
        kind, at = u8(data, at, transport), at + size
    return False


@helper
def is_transport_right(data, p):
    """False when the transport checksum is there, can be verified and is wrong."""
    start = np.int64(p.offset)
    network, transport = start + np.int64(p.network), start + np.int64(p.transport)
    protocol = np.int64(p.protocol)
    # payload and payload_length say where the segment ends: IP length, cut to the UDP length
    end = start + np.int64(p.payload) + np.int64(p.payload_length)
    marks = np.int64(p.marks)
    is_outside = end > start + np.int64(p.caplen) and marks & FROM_FRAGMENTS == 0
    if p.payload_size < p.payload_length or is_outside or marks & LENGTH_FROM_CAPTURE != 0:
        return True
    if protocol == UDP and be16(data, transport + 6, end) == 0:
        return True
    if protocol not in (TCP, UDP, ICMP, ICMPV6) or (protocol == ICMP and p.ip_version == 6) or (protocol == ICMPV6 and p.ip_version == 4):
        return True
    total = sum_words(data, transport, end)
    if protocol == ICMP:
        return is_right(total)
    if p.ip_version == 4:
        total += sum_words(data, network + 12, network + 20)
    else:
        if is_source_routed(data, network, transport):
            return True
        total += sum_address(p.src_hi, p.src_lo) + sum_address(p.dst_hi, p.dst_lo)
    return is_right(total + protocol + end - transport)


@helper
def is_header_right(data, p):
    """Whether the IPv4 header of the row has the right checksum."""
    network = np.int64(p.offset) + np.int64(p.network)
    return is_right(sum_words(data, network, network + (np.int64(data[network]) & 15) * 4))


@kernel
def verify_packets(data, packets):
    """Set the marks of wrong checksums on decoded rows; a wrong IPv4 header checksum makes the outcome BAD_CHECKSUM."""
    for i in range(packets.shape[0]):
        p = packets[i]
        if p.outcome not in (ANALYSED, FRAGMENT, NO_TIME_PACKET) or p.network < 0 or p.transport < 0:
            continue
        if p.ip_version == 4 and not is_header_right(data, p):
            p.marks = np.int64(p.marks) | BAD_IP_CHECKSUM
            p.outcome = BAD_CHECKSUM
            continue
        if p.outcome != FRAGMENT and not is_transport_right(data, p):
            p.marks = np.int64(p.marks) | BAD_TRANSPORT_CHECKSUM
