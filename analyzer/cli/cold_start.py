"""The first run on a machine: when to do without compiling, and what to say when it is done."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analyzer.cli.environment import Environment

FEW_PACKETS = 1500  # plain Python has analysed them in about two seconds, compiling takes ten times as long
FEW_BYTES = 2_500_000  # a larger file is not looked into: 1500 packets of the usual largest size fit
FEW_COMPRESSED_BYTES = 50_000  # what is compressed by a method that Python does not know is not looked into either

XZ_MEMORY = 64 << 20  # the largest dictionary of the xz program
_LITTLE_PCAP = (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1")  # microseconds, nanoseconds
_BIG_PCAP = (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d")
_PCAPNG = b"\n\r\r\n"


def choose_kernels(captures: Sequence[str]) -> None:
    """Run the kernels as plain Python when compiling them would take longer than the captures: few packets, nothing compiled yet."""
    from analyzer.kernel_cache import is_cache_warm

    if "ANALYZER_KERNELS" in os.environ or "analyzer.kernel" in sys.modules or is_cache_warm():
        return
    if are_few_packets(captures):
        os.environ["ANALYZER_KERNELS"] = "python"


def are_few_packets(captures: Sequence[str]) -> bool:
    """Whether all captures together are small files of at most FEW_PACKETS packets; cheap, and only a guess for damaged ones."""
    left = FEW_PACKETS
    for capture in captures:
        if capture == "-" or "://" in capture:
            return False
        path = Path(capture)
        try:
            total = path.stat().st_size
            if not path.is_file() or total > FEW_BYTES:
                return False
            left -= count_packets(path.read_bytes())
        except (OSError, ValueError):
            continue  # opening it for good will say why
        if left < 0:
            return False
    return True


def count_packets(data: bytes) -> int:
    """Packets of a pcap file, blocks of a pcapng file; of anything else one for every ``FEW_COMPRESSED_BYTES / FEW_PACKETS`` bytes.

    What is compressed is unpacked as far as a small file goes; what goes on then has more than FEW_PACKETS.
    """
    unpacked = unpack_few(data)
    if len(unpacked) > FEW_BYTES:
        return FEW_PACKETS + 1
    data = unpacked or data
    if data[:4] == _PCAPNG:
        return _count_steps(data, at=0, length_at=4, head=0, is_little=data[8:9] == b"\x4d")
    if data[:4] in _LITTLE_PCAP or data[:4] in _BIG_PCAP:
        return _count_steps(data, at=24, length_at=8, head=16, is_little=data[:4] in _LITTLE_PCAP)
    return len(data) * FEW_PACKETS // FEW_COMPRESSED_BYTES


def unpack_few(data: bytes) -> bytes:
    """The first bytes of what is compressed, one more than FEW_BYTES at most; nothing when it is not, or by another method."""
    import bz2
    import lzma
    import zlib

    unpacker: Any = None
    if data.startswith(b"\x1f\x8b"):
        unpacker = zlib.decompressobj(31)
    elif data.startswith(b"BZh"):
        unpacker = bz2.BZ2Decompressor()
    elif data.startswith(b"\xfd7zXZ\0"):
        unpacker = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
    try:
        return bytes(unpacker.decompress(data, FEW_BYTES + 1)) if unpacker is not None else b""
    except (OSError, EOFError, lzma.LZMAError, zlib.error):
        return b""


def _count_steps(data: bytes, *, at: int, length_at: int, head: int, is_little: bool) -> int:
    """How many records there are, each with its length ``length_at`` bytes from its begin, which does not count ``head`` bytes."""
    steps = 0
    while at + length_at + 4 <= len(data):
        length = int.from_bytes(data[at + length_at : at + length_at + 4], "little" if is_little else "big")
        at += head + length if head else max(length, 12)
        steps += 1
    return steps


@contextmanager
def announcing_compilation(environment: Environment) -> Iterator[None]:
    """Say once, when the first kernel is compiled meanwhile, what the user waits for."""
    from analyzer.kernel import Entry

    def announce() -> None:
        Entry.announce = None
        environment.warn("analyzer: first run on this machine: compiling for 20 seconds or so (kept on disk for the next runs)")

    Entry.announce = staticmethod(announce)
    try:
        yield
    finally:
        Entry.announce = None
