# mypy: allow-untyped-defs
"""Headers between the link layer and IP: MPLS, PPPoE, NSH, VNTag, bridges, and what stands in GRE.

A *kind* is an EtherType, or one of the numbers above 0xFFFF below for what has none.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper, u8
from analyzer.packets.link_kernels import IPV4, IPV6, SERVICE_VLAN, UNKNOWN, VLAN, too_short, walk_tags
from analyzer.packets.serial_kernels import MPLS, MPLS_MULTICAST, PPPOE_SESSION, find_in_ppp, find_in_pppoe
from analyzer.tables.packets import IN_ERSPAN, IN_ETHERIP, IN_FABRICPATH, IN_MPLS, IN_NSH, IN_PBB, IN_PPPOE, IN_VNTAG

NSH, VNTAG, PBB, FABRICPATH, ARP = 0x894F, 0x8926, 0x88E7, 0x8903, 0x0806
BRIDGED, PPP, ERSPAN_2, ERSPAN_3 = 0x6558, 0x880B, 0x88BE, 0x22EB
ERSPAN_1, ETHERIP, ANY_IP = 0x10001, 0x10002, 0x10003
BOTTOM_OF_STACK = 0x100
MAX_LABELS = 16


@helper
def is_carrier(kind):
    """Whether a header of this EtherType carries network packets."""
    return (
        kind in (MPLS, MPLS_MULTICAST, PPPOE_SESSION, NSH)
        or kind in (VNTAG, PBB, FABRICPATH, BRIDGED)
        or kind in (PPP, ERSPAN_1, ERSPAN_2, ERSPAN_3)
        or kind in (ETHERIP, ANY_IP)
    )


@helper
def carrier_code(kind):
    """Index into TUNNELS of a carrier; 0 for what only frames another layer (Ethernet or PPP in GRE, IP of either version in GTP-U)."""
    if kind in (MPLS, MPLS_MULTICAST):
        return IN_MPLS
    if kind == PPPOE_SESSION:
        return IN_PPPOE
    if kind == NSH:
        return IN_NSH
    if kind == VNTAG:
        return IN_VNTAG
    if kind == PBB:
        return IN_PBB
    if kind == FABRICPATH:
        return IN_FABRICPATH
    if kind == ETHERIP:
        return IN_ETHERIP
    if kind in (ERSPAN_1, ERSPAN_2, ERSPAN_3):
        return IN_ERSPAN
    return 0


@helper
def find_in_ethernet(data, p, at, end, is_cut):
    """The Ethernet frame at ``at``; its VLAN ids, if it has some, replace those outside."""
    ethertype = be16(data, at + 12, end)
    if ethertype < 0:
        return np.int64(too_short(is_cut)), at
    if ethertype in (VLAN, SERVICE_VLAN):
        p.inner_vlan = -1
    return walk_tags(data, p, ethertype, at + 14, end, is_cut)


@helper
def find_any_ip(data, at, end, is_cut):
    """IP of the version its first nibble says."""
    if at >= end:
        return np.int64(too_short(is_cut)), at
    version = u8(data, at, end) >> 4
    if version == 4:
        return np.int64(IPV4), at
    if version == 6:
        return np.int64(IPV6), at
    return np.int64(UNKNOWN), at


@helper
def find_in_mpls(data, p, at, end, is_cut):
    """The label stack at ``at`` (RFC 3032).

    It does not say what it carries: IP by its version nibble; a pseudo-wire (RFC 4448) where a common EtherType stands in the place that an
    Ethernet frame has for it, behind a control word of zero (RFC 4385) or not.
    """
    for _ in range(MAX_LABELS):
        label = be32(data, at, end)
        if label < 0:
            return np.int64(too_short(is_cut)), at
        at += 4
        if label & BOTTOM_OF_STACK:
            break
    version = u8(data, at, end) >> 4
    if version == 4 or version == 6 or version < 0:
        return find_any_ip(data, at, end, is_cut)
    if version == 0 and be16(data, at, end) == 0 and be16(data, at + 16, end) in (IPV4, IPV6, VLAN, SERVICE_VLAN, ARP):
        return find_in_ethernet(data, p, at + 4, end, is_cut)
    if be16(data, at + 12, end) in (IPV4, IPV6, VLAN, SERVICE_VLAN, ARP):
        return find_in_ethernet(data, p, at, end, is_cut)
    return np.int64(UNKNOWN), at


@helper
def find_in_nsh(data, at, end, is_cut):
    """The network service header at ``at`` (RFC 8300 2.2)."""
    size, following = (be16(data, at, end) & 63) * 4, u8(data, at + 3, end)
    if following < 0 or at + size > end:
        return np.int64(too_short(is_cut)), at
    at += size
    if size >= 8 and following == 1:
        return np.int64(IPV4), at
    if size >= 8 and following == 2:
        return np.int64(IPV6), at
    if size >= 8 and following == 3:
        return np.int64(BRIDGED), at
    if size >= 8 and following == 5:
        return np.int64(MPLS), at
    return np.int64(UNKNOWN), at


@helper
def find_in_erspan_3(data, p, at, end, is_cut):
    """The ERSPAN III header at ``at``: 12 bytes, 8 more when the O bit says so; frame type 0 is Ethernet, 2 is IP."""
    last = be16(data, at + 10, end)
    if last < 0:
        return np.int64(too_short(is_cut)), at
    at += 20 if last & 1 else 12
    if last >> 10 & 31 == 2:
        return find_any_ip(data, at, end, is_cut)
    return find_in_ethernet(data, p, at, end, is_cut)


@helper
def open_carrier(data, p, kind, at, end, is_cut):
    """What the carrier of this kind at ``at`` carries: (kind or LINK_*, position)."""
    if kind == ANY_IP:
        return find_any_ip(data, at, end, is_cut)
    if kind in (MPLS, MPLS_MULTICAST):
        return find_in_mpls(data, p, at, end, is_cut)
    if kind == PPPOE_SESSION:
        return find_in_pppoe(data, at, end, is_cut)
    if kind == PPP:
        return find_in_ppp(data, at, end, is_cut)
    if kind == NSH:
        return find_in_nsh(data, at, end, is_cut)
    if kind == VNTAG:  # 4 bytes, then the EtherType
        return walk_tags(data, p, be16(data, at + 4, end), at + 6, end, is_cut)
    if kind == ERSPAN_3:
        return find_in_erspan_3(data, p, at, end, is_cut)
    skipped = 0
    if kind == PBB:
        skipped = 4
    elif kind == ERSPAN_2:
        skipped = 8
    elif kind in (FABRICPATH, ETHERIP):
        skipped = 2
    return find_in_ethernet(data, p, at + skipped, end, is_cut)
