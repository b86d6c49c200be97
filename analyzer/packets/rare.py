"""Link types that are met once in a long while: one packet at a time, in plain Python.

Each reader gets the first bytes of a packet and answers (EtherType of what is inside, how many bytes stand before it); -1 when
that is nothing of ours. Bytes that are not there raise IndexError.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analyzer.tables import Bytes, Ints, Rows

HEAD_BYTES = 96  # of a packet that a reader sees: more than any of these headers has
IPV4, IPV6, ETHERNET_FRAME, PPP_FRAME, NOTHING = 0x0800, 0x86DD, 0x6558, 0x880B, -1
CUT, MALFORMED = -3, -4  # as in link_kernels
Reader = Callable[[bytes], tuple[int, int]]


def _word(head: bytes, at: int) -> int:
    return head[at] << 8 | head[at + 1]


def _any_ip(head: bytes, at: int) -> tuple[int, int]:
    return {4: IPV4, 6: IPV6}.get(head[at] >> 4, NOTHING), at


def _snap(head: bytes, at: int) -> tuple[int, int]:
    """802.2 with SNAP (RFC 1042)."""
    ethertype = _word(head, at + 6)
    return (ethertype, at + 8) if head[at : at + 6] == b"\xaa\xaa\3\0\0\0" else (NOTHING, at)


def _family(family: int, at: int) -> tuple[int, int]:
    """A BSD address family before the packet."""
    return IPV4 if family == 2 else IPV6 if family in {10, 24, 28, 30} else NOTHING, at


def _token_ring(head: bytes) -> tuple[int, int]:
    """Access and frame control, addresses, a route when the source address says so (802.5 3.3)."""
    return _snap(head, 14 + (head[14] & 31 if head[8] & 0x80 else 0))


def _frame_relay(head: bytes) -> tuple[int, int]:
    """Q.922 address, control, NLPID (RFC 2427)."""
    at = 0
    while not head[at] & 1:
        at += 1
    if at > 3 or head[at + 1] != 3:
        return NOTHING, at
    at += 2
    if head[at] == 0:  # padding
        at += 1
    if head[at] == 0x80:
        ethertype = _word(head, at + 4)
        return (ethertype, at + 6) if head[at + 1 : at + 4] == b"\0\0\0" else (NOTHING, at)
    return {0xCC: IPV4, 0x8E: IPV6}.get(head[at], NOTHING), at + 1


def _sun_atm(head: bytes) -> tuple[int, int]:
    """A header of 4 bytes; type 2 is 802.2 (RFC 2684)."""
    return _snap(head, 4) if head[0] & 15 == 2 else (NOTHING, 0)


def _switch_tag(size: int) -> Reader:
    """A tag of Marvell's switches between addresses and EtherType."""
    return lambda head: (_word(head, 12 + size), 14 + size)


def _packet_filter(head: bytes) -> tuple[int, int]:
    """OpenBSD's pflog: length of the header, address family; padded to 4 bytes."""
    return _family(head[1], (head[0] + 3) & ~3)


def _enc(head: bytes) -> tuple[int, int]:
    """OpenBSD's enc: address family in the byte order of the machine, 12 bytes."""
    return _family(head[0] | head[3], 12)


ERF_ETHERNET, ERF_HDLC, ERF_CHANNELS, ERF_IP = {2, 11, 16, 20}, {1, 10, 15, 19}, {5, 17}, {22, 23}


def _erf(head: bytes) -> tuple[int, int]:
    """Endace's record header of 16 bytes and its extensions of 8: Ethernet (after 2 bytes), HDLC or PPP, bare IP."""
    kind, at, more = head[8] & 0x7F, 16, head[8]
    while more & 0x80:
        more = head[at]
        at += 8
    if kind in ERF_ETHERNET:
        return ETHERNET_FRAME, at + 2
    if kind in ERF_HDLC:
        return PPP_FRAME, at
    if kind in ERF_CHANNELS:
        return PPP_FRAME, at + 4
    return _any_ip(head, at) if kind in ERF_IP else (NOTHING, at)


READERS: dict[int, Reader] = {
    6: _token_ring,
    8: lambda head: _any_ip(head, 16),  # SLIP: direction, type, compressed header
    10: lambda head: _snap(head, 13),  # FDDI
    107: _frame_relay,
    109: _enc,
    117: _packet_filter,
    123: _sun_atm,
    138: lambda head: (_word(head, 16), 18),  # IP over IEEE 1394
    197: _erf,
    242: lambda head: (_word(head, 40), 44),  # IP over InfiniBand: global route header, EtherType
    274: lambda _: (ETHERNET_FRAME, 8),  # Ethernet with its preamble
    284: _switch_tag(4),
    285: _switch_tag(8),
}
RARE_TYPES = tuple(READERS)


def find_rare(data: Bytes, packets: Rows, todo: Ints) -> tuple[Ints, Ints]:
    """What the frames of these link types among the rows ``todo`` carry: two int64 arrays of the size of ``todo``.

    The EtherType (or a LINK_ answer of link_kernels; 0 = another link type), and the position of what it names.
    """
    kinds, places = np.zeros(todo.size, np.int64), np.zeros(todo.size, np.int64)
    for j in np.flatnonzero(np.isin(packets["linktype"][todo], RARE_TYPES)).tolist():
        p = packets[todo[j]]
        start, size = int(p.offset), int(p.caplen)
        try:
            kind, skipped = READERS[int(p.linktype)](data[start : start + min(size, HEAD_BYTES)].tobytes())
        except IndexError:
            kind, skipped = (CUT if size < int(p.length) else MALFORMED), 0
        kinds[j], places[j] = kind, start + skipped
    return kinds, places
