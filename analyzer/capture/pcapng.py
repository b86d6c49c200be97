"""The rare blocks of pcapng (draft-ietf-opsawg-pcapng): sections, interfaces, names, statistics, secrets. Packets are read by kernels."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

ByteOrder: TypeAlias = Literal["<", ">"]
MAGIC = b"\n\r\r\n"
BYTE_ORDER_MAGIC = 0x1A2B3C4D
SMALLEST_SECTION = 28
TLS_KEY_LOG = 0x544C534B

# exponents of if_tsresol beyond these need more than 64 bits or are nonsense; they are clamped
LARGEST_DECIMAL, LARGEST_BINARY = 27, 63
LARGEST_OFFSET_S = 1 << 32  # if_tsoffset beyond this (year 2106) is nonsense


def find_byteorder(head: bytes) -> ByteOrder | None:
    """Byte order of the section that begins here, None when this is no section header with a byte-order magic."""
    if len(head) < 12 or head[:4] != MAGIC:
        return None
    if int.from_bytes(head[8:12], "little") == BYTE_ORDER_MAGIC:
        return "<"
    return ">" if int.from_bytes(head[8:12], "big") == BYTE_ORDER_MAGIC else None


def parse_options(content: bytes, at: int, byteorder: ByteOrder) -> Iterator[tuple[int, bytes]]:
    """Options from ``at`` to the end of a block body: (code, value); ends at the end marker or at the first that does not fit."""
    while at + 4 <= len(content):
        code, size = struct.unpack_from(byteorder + "HH", content, at)
        at += 4
        if code == 0 or at + size > len(content):
            return
        yield code, content[at : at + size]
        at += (size + 3) & ~3


@dataclass
class Section:
    """A section header: byte order, version and who wrote it."""

    byteorder: ByteOrder
    version: tuple[int, int] = (1, 0)
    hardware: str = ""
    os: str = ""
    application: str = ""
    comments: int = 0


def text_of(value: bytes) -> str:
    """Text of an option; bytes that are not UTF-8 stay visible."""
    return value.rstrip(b"\0").decode("utf-8", "backslashreplace")


def parse_section(body: bytes, byteorder: ByteOrder) -> Section:
    """Body of a section header block (without the block's own type and lengths), at least 16 bytes."""
    section = Section(byteorder, struct.unpack_from(byteorder + "HH", body, 4))
    for code, value in parse_options(body, 16, byteorder):
        if code == 1:
            section.comments += 1
        elif code == 2:
            section.hardware = text_of(value)
        elif code == 3:
            section.os = text_of(value)
        elif code == 4:
            section.application = text_of(value)
    return section


@dataclass
class Interface:
    """An interface description. ``exponent``: its clock ticks in 10**-n or, ``is_binary``, 2**-n seconds."""

    linktype: int
    snaplen: int
    exponent: int = 6
    is_binary: bool = False
    offset_s: int = 0
    fcs_bytes: int = 0
    comments: int = 0
    oddities: tuple[str, ...] = ()

    @property
    def tick_ns(self) -> int:
        """Nanoseconds in one tick; 0 when they are finer, or a power of two."""
        return 10 ** (9 - self.exponent) if not self.is_binary and self.exponent <= 9 else 0

    @property
    def ticks_per_ns(self) -> int:
        """Ticks in one nanosecond; 0 when they are coarser, or a power of two."""
        return 10 ** (self.exponent - 9) if not self.is_binary and self.exponent > 9 else 0


def parse_interface(body: bytes, byteorder: ByteOrder) -> Interface | None:
    """Body of an interface description block; None when it is shorter than its fixed part."""
    if len(body) < 8:
        return None
    linktype, _, snaplen = struct.unpack_from(byteorder + "HHI", body)
    face = Interface(linktype, snaplen)
    for code, value in parse_options(body, 8, byteorder):
        if code == 1:
            face.comments += 1
        elif code == 9 and len(value) == 1:
            face.is_binary = value[0] >= 0x80
            largest = LARGEST_BINARY if face.is_binary else LARGEST_DECIMAL
            face.exponent = min(value[0] & 0x7F, largest)
            if value[0] & 0x7F > largest:
                face.oddities += (f"a clock resolution of {2 if face.is_binary else 10}**-{value[0] & 0x7F} s",)
        elif code == 13 and len(value) == 1:
            # The specification says bits, its example and Wireshark say bytes: 4 is bytes, 32 is bits.
            face.fcs_bytes = value[0] if value[0] <= 8 else value[0] // 8
        elif code == 14 and len(value) == 8:
            offset = struct.unpack(byteorder + "q", value)[0]
            face.offset_s = offset if abs(offset) <= LARGEST_OFFSET_S else 0
            if offset != face.offset_s:
                face.oddities += (f"a clock offset of {offset} s",)
    return face


def parse_statistics(body: bytes, byteorder: ByteOrder) -> tuple[int, int | None, int | None] | None:
    """Body of an interface statistics block: (interface, packets received, packets dropped by interface and operating system)."""
    if len(body) < 12:
        return None
    values = {
        code: struct.unpack(byteorder + "Q", value)[0] & 0x7FFFFFFFFFFFFFFF
        for code, value in parse_options(body, 12, byteorder)
        if len(value) == 8
    }
    drops = [values[code] for code in (5, 7) if code in values]
    dropped = min(sum(drops), 0x7FFFFFFFFFFFFFFF) if drops else None
    return struct.unpack_from(byteorder + "I", body)[0], values.get(4), dropped


def parse_names(body: bytes, byteorder: ByteOrder) -> Iterator[tuple[str, str]]:
    """Body of a name resolution block: (address, name), one pair for each name of an address."""
    at = 0
    while at + 4 <= len(body):
        kind, size = struct.unpack_from(byteorder + "HH", body, at)
        at += 4
        if kind == 0 or at + size > len(body):
            return
        width = {1: 4, 2: 16}.get(kind, 0)
        if 0 < width < size:
            address = str(ipaddress.ip_address(body[at : at + width]))
            for name in body[at + width : at + size].split(b"\0"):
                if name:
                    yield address, text_of(name)
        at += (size + 3) & ~3


def parse_secrets(body: bytes, byteorder: ByteOrder) -> tuple[int, bytes] | None:
    """Body of a decryption secrets block: (type of secrets, content)."""
    if len(body) < 8:
        return None
    kind, size = struct.unpack_from(byteorder + "II", body)
    return kind, body[8 : 8 + size]
