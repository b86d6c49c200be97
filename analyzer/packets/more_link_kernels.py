# mypy: allow-untyped-defs
"""Which link types beyond Ethernet, raw IP and their like are known, and what is inside."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.packets.link_kernels import LINK_NOT_KNOWN
from analyzer.packets.rare import RARE_TYPES
from analyzer.packets.serial_kernels import (
    LINK_CHDLC,
    LINK_NFLOG,
    LINK_PPP,
    LINK_PPP_ETHER,
    LINK_PPP_SERIAL,
    find_in_hdlc,
    find_in_nflog,
    find_in_ppp,
    find_in_pppoe,
)
from analyzer.packets.wireless_kernels import LINK_80211, LINK_AVS, LINK_PRISM, LINK_RADIOTAP, find_in_wireless


@helper
def is_more_link(link):
    """Whether find_in_link or rare.py knows this link type."""
    return (
        link in (LINK_PPP, LINK_PPP_SERIAL, LINK_PPP_ETHER)
        or link in (LINK_CHDLC, LINK_NFLOG, LINK_80211)
        or link in (LINK_RADIOTAP, LINK_PRISM, LINK_AVS)
        or link in RARE_TYPES
    )


@helper
def find_in_link(data, link, at, end, is_cut):
    """What a frame of this link type carries: (EtherType or LINK_*, position)."""
    if link in (LINK_80211, LINK_RADIOTAP, LINK_PRISM, LINK_AVS):
        return find_in_wireless(data, link, at, end, is_cut)
    if link in (LINK_PPP, LINK_PPP_SERIAL):
        return find_in_ppp(data, at, end, is_cut)
    if link == LINK_PPP_ETHER:
        return find_in_pppoe(data, at, end, is_cut)
    if link == LINK_CHDLC:
        return find_in_hdlc(data, at, end, is_cut)
    if link == LINK_NFLOG:
        return find_in_nflog(data, at, end, is_cut)
    return np.int64(LINK_NOT_KNOWN), at
