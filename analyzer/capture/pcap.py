"""The header of a classic pcap file (draft-ietf-opsawg-pcap): what the index kernel must know of it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
HEADER_BYTES = 24
HAS_FCS_LENGTH = 0x04000000
# systems that wrote larger record headers under a magic that does not say so: bytes more, and who
VARIANTS = ((4, "Nokia's tcpdump or that of SuSE 6.3"), (8, "tcpdump of Red Hat 6.1"))
LARGEST_PACKET = 262_144  # libpcap's own maximum
RECORDS_SEEN = 8  # of a file's first records, to tell by them


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


def tell_variant(header: PcapHeader, records: bytes) -> tuple[int, str]:
    """Bytes of a record header, and who writes such ones ("" = all others): by the first records, of which two at least must be there.

    The size that the magic says is believed as long as the records make sense with it.
    """
    if _count_records(header, records, header.record_bytes) >= 0:
        return header.record_bytes, ""
    for more, who in VARIANTS:
        if _count_records(header, records, header.record_bytes + more) >= 2:
            return header.record_bytes + more, who
    return header.record_bytes, ""


def _count_records(header: PcapHeader, records: bytes, record_bytes: int) -> int:
    """How many of the first records make sense with headers of this size; -1 when one does not."""
    at = count = 0
    while count < RECORDS_SEEN and at + record_bytes <= len(records):
        _, fraction, caplen, length = struct.unpack_from(header.byteorder + "IIII", records, at)
        if fraction * header.tick_ns >= 1_000_000_000 or not 0 < caplen <= LARGEST_PACKET or not 0 < length <= LARGEST_PACKET:
            return -1
        at += record_bytes + caplen
        count += 1
    return count
