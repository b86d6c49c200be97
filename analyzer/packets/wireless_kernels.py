# mypy: allow-untyped-defs
"""IEEE 802.11 frames, bare or behind radiotap, PRISM or AVS headers: the network layer of data frames whose body is not encrypted."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be24, be32, helper, le16, le32, u8
from analyzer.packets.link_kernels import LINK_MALFORMED, LINK_PROTECTED, SMALLEST_ETHERTYPE, UNKNOWN, too_short

LINK_80211, LINK_PRISM, LINK_RADIOTAP, LINK_AVS = 105, 119, 127, 163
PRISM_BYTES = 144
AVS_MAGIC = 0x80211001
DATA_FRAME = 2
TO_AND_FROM, ORDERED, PROTECTED_BODY = 0x0300, 0x8000, 0x4000
MAX_PRESENT_WORDS = 32


@helper
def has_padding(data, at, end):
    """Whether the radiotap header at ``at`` says that the 802.11 header is padded to a multiple of 4 bytes (flags, bit 5)."""
    present, fields = le32(data, at + 4, end), at + 8
    word = present
    for _ in range(MAX_PRESENT_WORDS):
        if word < 0 or word & 0x80000000 == 0:
            break
        word = le32(data, fields, end)
        fields += 4
    if present & 2 == 0:
        return False
    if present & 1:  # the time stamp before it: 8 bytes, aligned to 8
        fields = at + ((fields - at + 7) & ~7) + 8
    return u8(data, fields, end) & 0x20 != 0 and u8(data, fields, end) >= 0


@helper
def find_in_llc(data, at, end, is_cut):
    """The 802.2 header at ``at`` with SNAP of RFC 1042 or of a bridge (802.1H): (EtherType, position after it)."""
    llc, organisation, ethertype = be24(data, at, end), be24(data, at + 3, end), be16(data, at + 6, end)
    if at + 8 > end:
        return np.int64(too_short(True)) if is_cut else np.int64(UNKNOWN), at
    if llc == 0xAAAA03 and organisation in (0, 0x0000F8) and ethertype >= SMALLEST_ETHERTYPE:
        return ethertype, at + 8
    return np.int64(UNKNOWN), at


@helper
def find_in_80211(data, at, end, is_cut, is_padded):
    """The 802.11 frame at ``at`` (9.2, 9.3.2): (EtherType or LINK_*, position of the network layer). Of an A-MSDU it is the first part."""
    control = le16(data, at, end)
    if control < 0:
        return np.int64(too_short(is_cut)), at
    subtype = control >> 4 & 15
    if control >> 2 & 3 != DATA_FRAME or subtype & 4:  # subtypes 4-7 and 12-15 have no body
        return np.int64(UNKNOWN), at
    size = 30 if control & TO_AND_FROM == TO_AND_FROM else 24
    is_aggregate = False
    if subtype & 8:
        is_aggregate = u8(data, at + size, end) & 0x80 != 0
        size += 6 if control & ORDERED else 2
    if is_padded:
        size = (size + 3) & ~3
    if control & PROTECTED_BODY:
        return np.int64(LINK_PROTECTED), at
    if at + size > end:
        return np.int64(too_short(is_cut)), at
    return find_in_llc(data, at + size + (14 if is_aggregate else 0), end, is_cut)


@helper
def find_in_wireless(data, link, at, end, is_cut):
    """802.11 of any of its link types: (EtherType or LINK_*, position of the network layer)."""
    if link == LINK_RADIOTAP:
        size = le16(data, at + 2, end)
        if size < 0 or at + size > end:
            return np.int64(too_short(is_cut)), at
        if size < 8:
            return np.int64(LINK_MALFORMED), at
        return find_in_80211(data, at + size, end, is_cut, has_padding(data, at, at + size))
    if link == LINK_AVS or (link == LINK_PRISM and be32(data, at, end) == AVS_MAGIC):
        size = be32(data, at + 4, end)
        if size < 8 and size >= 0:
            return np.int64(LINK_MALFORMED), at
        if size < 0 or at + size > end:
            return np.int64(too_short(is_cut)), at
        at += size
    elif link == LINK_PRISM:
        at += PRISM_BYTES
    return find_in_80211(data, at, end, is_cut, False)
