"""Frames to a pcap or pcapng file, as they were captured: bytes (without a frame check sequence), lengths, nanoseconds, link types."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from analyzer.errors import OutputError, UsageError

SUFFIXES: Final = (".pcapng", ".pcap")
_NANOSECOND_PCAP: Final = 0xA1B23C4D  # pcap with times in ns
_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER: Final = 0x1A2B3C4D
_IF_TSRESOL = 9
_WIDEST: Final = 262_144  # a snapshot length that no frame here exceeds


class FrameFile(Protocol):
    """A capture that is being written."""

    def write(self, frame: bytes, ts: int, length: int, linktype: int) -> None:
        """Append a frame: captured bytes, time in ns, bytes on the wire, LINKTYPE of its interface."""

    def close(self) -> None:
        """Finish the file."""


class PcapFile:
    """Pcap of version 2.4; all frames have the same link type."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._linktype = -1

    def write(self, frame: bytes, ts: int, length: int, linktype: int) -> None:
        """Append a frame. Raises UsageError when its link type is another."""
        if self._linktype < 0:
            self._linktype = linktype
            self._file.write(struct.pack("<IHHiIII", _NANOSECOND_PCAP, 2, 4, 0, 0, _WIDEST, self._linktype))
        if linktype != self._linktype:
            raise UsageError("these packets have different link types, which pcap cannot hold: write .pcapng.")
        seconds, ns = divmod(ts, 1_000_000_000)
        self._file.write(struct.pack("<IIII", seconds & 0xFFFFFFFF, ns, len(frame), length) + frame)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class PcapngFile:
    """Pcapng with an interface for each link type."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._interfaces: dict[int, int] = {}
        self._block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1))

    def _block(self, kind: int, body: bytes) -> None:
        body += b"\0" * (-len(body) % 4)
        total = struct.pack("<I", len(body) + 12)
        self._file.write(struct.pack("<I", kind) + total + body + total)

    def write(self, frame: bytes, ts: int, length: int, linktype: int) -> None:
        """Append a frame."""
        if linktype not in self._interfaces:
            self._interfaces[linktype] = len(self._interfaces)
            self._block(_INTERFACE, struct.pack("<HHI", linktype, 0, 0) + struct.pack("<HHB3x", _IF_TSRESOL, 1, 9) + bytes(4))
        head = struct.pack("<IIIII", self._interfaces[linktype], (ts >> 32) & 0xFFFFFFFF, ts & 0xFFFFFFFF, len(frame), length)
        self._block(_PACKET, head + frame)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def check_suffix(path: Path) -> None:
    """Raises UsageError when the name does not say pcap or pcapng."""
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path}: packets are written as .pcapng or .pcap.")


def create_file(path: Path) -> FrameFile:
    """A new capture; its suffix says the format. Raises OutputError."""
    try:
        file = path.open("wb")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error
    return PcapFile(file) if path.suffix == ".pcap" else PcapngFile(file)
