"""The header of a classic pcap file (draft-ietf-opsawg-pcap): what the index kernel must know of it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
HEADER_BYTES = 24
HAS_FCS_LENGTH = 0x04000000


@dataclass(frozen=True)
class PcapHeader:
    """What a file header says; ``record_bytes`` is the size of a record header, ``tick_ns`` the unit of its fractions."""

    byteorder: Literal["<", ">"]
    tick_ns: int
    record_bytes: int
    version: tuple[int, int]
    snaplen: int
    linktype: int
    fcs_bytes: int


def find_byteorder(head: bytes) -> Literal["<", ">"] | None:
    """Byte order of a classic pcap file by its magic, None when it is none."""
    magics = (MICROSECONDS, NANOSECONDS, MODIFIED)
    if len(head) < 4:
        return None
    if int.from_bytes(head[:4], "little") in magics:
        return "<"
    return ">" if int.from_bytes(head[:4], "big") in magics else None


def parse_header(head: bytes) -> PcapHeader | None:
    """Parse the first HEADER_BYTES bytes of a file; None when they are not those of a classic pcap file.

    The upper bits of the link type hold the length of the frame check sequence in 16-bit words where HAS_FCS_LENGTH is set.
    """
    byteorder = find_byteorder(head)
    if byteorder is None or len(head) < HEADER_BYTES:
        return None
    magic, major, minor, _, _, snaplen, link = struct.unpack_from(byteorder + "IHHiIII", head)
    return PcapHeader(
        byteorder=byteorder,
        tick_ns=1 if magic == NANOSECONDS else 1000,
        record_bytes=24 if magic == MODIFIED else 16,
        version=(major, minor),
        snaplen=snaplen,
        linktype=link & 0xFFFF,
        fcs_bytes=2 * (link >> 28) if link & HAS_FCS_LENGTH else 0,
    )
