# mypy: allow-untyped-defs
"""Link layers of serial lines and of packets handed over by the system: PPP (RFC 1661, RFC 1662), Cisco HDLC, PPPoE (RFC 2516), NFLOG."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, helper, le16, u8
from analyzer.packets.link_kernels import IPV4, IPV6, UNKNOWN, too_short

LINK_PPP, LINK_PPP_SERIAL, LINK_PPP_ETHER, LINK_CHDLC, LINK_NFLOG = 9, 50, 51, 104, 239
MPLS, MPLS_MULTICAST, PPPOE_SESSION = 0x8847, 0x8848, 0x8864
NFLOG_PAYLOAD = 9
MAX_TLVS = 64


@helper
def find_in_hdlc(data, at, end, is_cut):
    """Cisco HDLC: address, control, EtherType."""
    ethertype = be16(data, at + 2, end)
    if ethertype < 0:
        return np.int64(too_short(is_cut)), at
    return ethertype, at + 4


@helper
def find_in_ppp(data, at, end, is_cut):
    """The PPP frame at ``at``, with or without address and control field, protocol field compressed or not: (EtherType, position)."""
    first = u8(data, at, end)
    if first == 0xFF:
        at += 2
    elif first in (0x0F, 0x8F):  # what calls itself PPP and is Cisco HDLC
        return find_in_hdlc(data, at, end, is_cut)
    protocol = u8(data, at, end)
    if protocol & 1 == 0:
        protocol = be16(data, at, end)
        at += 1
    at += 1
    if protocol < 0:
        return np.int64(too_short(is_cut)), at
    if protocol == 0x0021:
        return np.int64(IPV4), at
    if protocol == 0x0057:
        return np.int64(IPV6), at
    if protocol in (0x0281, 0x0283):
        return np.int64(MPLS), at
    return np.int64(UNKNOWN), at


@helper
def find_in_pppoe(data, at, end, is_cut):
    """The PPPoE session header at ``at``; discovery (code other than 0) is not IP."""
    code = u8(data, at + 1, end)
    if at + 6 > end:
        return np.int64(too_short(is_cut)), at
    if code != 0:
        return np.int64(UNKNOWN), at
    return find_in_ppp(data, at + 6, end, is_cut)


@helper
def find_in_nflog(data, at, end, is_cut):
    """The payload among the records of an NFLOG packet, whose numbers are in the byte order of the recording machine: the one that fits."""
    family = u8(data, at, end)
    at += 4
    for _ in range(MAX_TLVS):
        size, kind = le16(data, at, end), le16(data, at + 2, end)
        if at + size > end and not is_cut:
            size, kind = be16(data, at, end), be16(data, at + 2, end)
        if kind < 0 or size < 4:
            return np.int64(too_short(is_cut and kind < 0)), at
        if kind & 0x7FFF == NFLOG_PAYLOAD:
            if family not in (2, 10):
                return np.int64(UNKNOWN), at
            return np.int64(IPV4 if family == 2 else IPV6), at + 4
        at += (size + 3) & ~3
    return np.int64(UNKNOWN), at
