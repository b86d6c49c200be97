# mypy: allow-untyped-defs
"""The number by which a tunnel tells apart what it carries: VNI, TEID, key, session, label, path or service id."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper
from analyzer.packets.carrier_kernels import BOTTOM_OF_STACK, ERSPAN_2, ERSPAN_3, MAX_LABELS, NSH, PBB
from analyzer.packets.serial_kernels import MPLS, MPLS_MULTICAST, PPPOE_SESSION
from analyzer.tables.packets import IN_GENEVE, IN_GTP, IN_VXLAN, IN_VXLAN_GPE


@helper
def note_id(p, number):
    """Keep the number of this layer, if it has one: an inner one replaces that outside of it."""
    if number >= 0:
        p.tunnel_id = number


@helper
def bottom_label(data, at, end):
    """The last label of the stack at ``at`` (RFC 3032 2.1): those above it change from hop to hop."""
    for _ in range(MAX_LABELS):
        entry = be32(data, at, end)
        if entry < 0 or entry & BOTTOM_OF_STACK:
            return entry >> 12
        at += 4
    return np.int64(-1)


@helper
def carrier_id(data, kind, at, end):
    """The number in the carrier of this kind at ``at``, -1 = none."""
    if kind in (MPLS, MPLS_MULTICAST):
        return bottom_label(data, at, end)
    if kind == PPPOE_SESSION:  # RFC 2516 4
        return be16(data, at + 2, end)
    if kind == NSH:  # service path identifier, RFC 8300 2.3
        return be32(data, at + 4, end) >> 8
    if kind == PBB:  # I-SID, IEEE 802.1Q 9.7
        word = be32(data, at, end)
        return word & 0xFFFFFF if word >= 0 else word
    if kind in (ERSPAN_2, ERSPAN_3):  # session
        word = be16(data, at + 2, end)
        return word & 0x3FF if word >= 0 else word
    return np.int64(-1)


@helper
def gre_id(data, at, end):
    """The key of the GRE header at ``at`` (RFC 2890 2), of version 1 its call id (RFC 2637 4.1); -1 = none."""
    bits = be16(data, at, end)
    if bits < 0 or bits & 0x2000 == 0:
        return np.int64(-1)
    if bits & 7 == 1:
        return be16(data, at + 6, end)
    return be32(data, at + (8 if bits & 0x8000 else 4), end)


@helper
def datagram_id(data, code, at, end):
    """The number in the tunnel datagram at ``at``: VNI (RFC 7348 5, RFC 8926 3.4) or TEID (TS 29.281 5.1); -1 = none."""
    if code == IN_GTP:
        return be32(data, at + 4, end)
    if code in (IN_VXLAN, IN_VXLAN_GPE, IN_GENEVE):
        return be32(data, at + 4, end) >> 8
    return np.int64(-1)
