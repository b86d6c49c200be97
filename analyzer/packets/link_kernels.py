# mypy: allow-untyped-defs
"""Link layers: from the first captured byte to the network layer.

Each helper finds the EtherType of what is inside and where it begins; an EtherType below 1536 means 802.2 LLC that is not IP.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be24, be32, helper, le32, u8
from analyzer.tables.packets import CUT, MALFORMED_LINK, PROTECTED_FRAME

# ---- LINKTYPE numbers (tcpdump.org); 12 and 14 are what BSDs call raw IP
LINK_NULL, LINK_ETHERNET, LINK_RAW_BSD, LINK_RAW_OPENBSD = 0, 1, 12, 14
LINK_RAW, LINK_LOOP, LINK_SLL, LINK_IPV4, LINK_IPV6, LINK_SLL2 = 101, 108, 113, 228, 229, 276

# ---- EtherTypes (IEEE)
IPV4, IPV6, VLAN, SERVICE_VLAN, OLD_SERVICE_VLAN = 0x0800, 0x86DD, 0x8100, 0x88A8, 0x9100
SMALLEST_ETHERTYPE = 1536  # below: the length of an 802.3 frame (IEEE 802.3 3.2.6)
UNKNOWN = -1

# What find_network answers instead of an EtherType
LINK_NOT_KNOWN, LINK_CUT, LINK_MALFORMED, LINK_TOO_DEEP, LINK_PROTECTED = -2, -3, -4, -5, -6
MAX_TAGS = 8
ARPHRD_NETLINK = 824  # Linux cooked captures of netlink: the protocol field is no EtherType


@helper
def too_short(is_cut):
    """A header ends beyond the captured bytes: because they were cut, or because the packet lies."""
    return LINK_CUT if is_cut else LINK_MALFORMED


@helper
def find_snap(data, length, at, end, is_cut):
    """The 802.2 header at ``at``: (EtherType, position after it) when it is a SNAP header of RFC 1042, else the length it came with."""
    llc, organisation, snap = be24(data, at, end), be24(data, at + 3, end), be16(data, at + 6, end)
    if is_cut and llc in (-1, 0xAAAA03) and organisation in (-1, 0) and snap < 0:
        return np.int64(LINK_CUT), at
    if llc == 0xAAAA03 and organisation == 0 and snap >= SMALLEST_ETHERTYPE:
        return snap, at + 8
    return length, at


@helper
def walk_tags(data, p, ethertype, at, end, is_cut):
    """VLAN tags (802.1Q, 802.1ad) and 802.2 SNAP (RFC 1042): (EtherType, where its payload begins). The first two VLAN ids are kept."""
    for depth in range(MAX_TAGS + 1):
        if ethertype not in (VLAN, SERVICE_VLAN, OLD_SERVICE_VLAN):
            break
        if depth == MAX_TAGS:
            return np.int64(LINK_TOO_DEEP), at
        control, ethertype = be16(data, at, end), be16(data, at + 2, end)
        if ethertype < 0:
            return np.int64(too_short(is_cut)), at
        if depth == 0:
            p.vlan = control & 0xFFF
        elif depth == 1:
            p.inner_vlan = control & 0xFFF
        at += 4
    if ethertype < SMALLEST_ETHERTYPE:
        return find_snap(data, ethertype, at, end, is_cut)
    return ethertype, at


@helper
def family_ethertype(family):
    """EtherType of a BSD address family: AF_INET is 2 everywhere, AF_INET6 is 10, 23, 24, 28 or 30."""
    if family == 2:
        return np.int64(IPV4)
    if family in (10, 23, 24, 28, 30):
        return np.int64(IPV6)
    return np.int64(UNKNOWN)


@helper
def raw_ethertype(data, at, end):
    """EtherType of bare IP by its version nibble, whatever the link type says, IPv4 when it is neither: its header is found malformed."""
    return np.int64(IPV6) if u8(data, at, end) >> 4 == 6 else np.int64(IPV4)


@helper
def find_network(data, p, at, end, is_cut):
    """(EtherType or one of LINK_*, position of the network layer) of the packet at ``at``.

    NULL has its family in the byte order of the recording machine: a family is small, so the order that makes it so is taken.
    """
    link = np.int64(p.linktype)
    if link == LINK_ETHERNET:
        ethertype = be16(data, at + 12, end)
        if ethertype < 0:
            return np.int64(too_short(is_cut)), at
        return walk_tags(data, p, ethertype, at + 14, end, is_cut)
    if link in (LINK_RAW, LINK_RAW_BSD, LINK_RAW_OPENBSD) or link in (LINK_IPV4, LINK_IPV6):
        return raw_ethertype(data, at, end), at
    if link in (LINK_NULL, LINK_LOOP):
        family = be32(data, at, end)
        if family < 0:
            return np.int64(too_short(is_cut)), at
        if family > 0xFFFF and link == LINK_NULL:
            family = le32(data, at, end)
        return family_ethertype(family), at + 4
    if link in (LINK_SLL, LINK_SLL2):
        head, kind, hardware = (at + 16, at + 14, at + 2) if link == LINK_SLL else (at + 20, at, at + 8)
        if head > end:
            return np.int64(too_short(is_cut)), at
        if be16(data, hardware, end) == ARPHRD_NETLINK:
            return np.int64(UNKNOWN), head
        return walk_tags(data, p, be16(data, kind, end), head, end, is_cut)
    return np.int64(LINK_NOT_KNOWN), at


@helper
def cut_or(is_cut, outcome):
    """Outcome of a header that ends beyond the captured bytes."""
    return CUT if is_cut else outcome


@helper
def link_outcome(ethertype, known, not_ip, unknown, too_deep):
    """Outcome of what find_network answered; ``known`` for IP."""
    if ethertype in (IPV4, IPV6):
        return known
    if ethertype == LINK_NOT_KNOWN:
        return unknown
    if ethertype == LINK_CUT:
        return CUT
    if ethertype == LINK_MALFORMED:
        return MALFORMED_LINK
    if ethertype == LINK_PROTECTED:
        return PROTECTED_FRAME
    return too_deep if ethertype == LINK_TOO_DEEP else not_ip
