"""Where bytes come from: files, pipes, and compressed forms of both, all read into a buffer that the caller owns.

What a file is, its first bytes say; its name is never looked at. Compression is undone while reading, so memory does not follow the
size of the content.
"""

from __future__ import annotations

import bz2
import lzma
import os
import stat
import zlib
from collections.abc import Callable
from typing import Any, Protocol

from analyzer.capture.remote import RemoteFile, is_remote
from analyzer.options import Limits

PIECE = 1 << 18  # compressed bytes read at a time
BOUNDED_PIECE = 4 << 20  # unpacked bytes between two looks at the ratio
XZ_MEMORY = 512 << 20  # the largest dictionary of the xz program is 64 MiB; a header may claim 4 GiB


class DamagedError(Exception):
    """A compressed stream does not go on; the text says why."""


class ByteSource(Protocol):
    """A stream of bytes. ``readinto`` fills a part of the view and answers how many bytes, 0 at the end."""

    compression: str

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; how many bytes, 0 at the end."""

    def close(self) -> None:
        """Close the file below."""

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file itself, for progress."""


class PlainBytes:
    """The bytes of a file or pipe as they are; the bytes that were looked at first are given again."""

    compression = ""

    def __init__(self, file: Any, head: bytes) -> None:
        self.file = file
        self.head = head
        self.bytes_read = len(head)

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; how many bytes, 0 at the end."""
        if self.head:
            size = min(len(self.head), len(view))
            view[:size] = self.head[:size]
            self.head = self.head[size:]
            return size
        got = self.file.readinto(view) or 0
        self.bytes_read += got
        return int(got)

    def close(self) -> None:
        """Close the file below."""
        self.file.close()


class Deflated:
    """gzip members behind the interface that bz2 and lzma decompressors have."""

    def __init__(self) -> None:
        self.inner = zlib.decompressobj(wbits=31)

    def decompress(self, content: bytes, limit: int) -> bytes:
        """Content of at most ``limit`` bytes."""
        return self.inner.decompress(self.inner.unconsumed_tail + content, limit)

    @property
    def needs_input(self) -> bool:
        """Whether nothing more can come without further bytes."""
        return not self.inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        """Whether the member is over."""
        return self.inner.eof

    @property
    def unused_data(self) -> bytes:
        """What follows the member."""
        return self.inner.unused_data


class InflatedBytes:
    """Content of a gz, bz2 or xz stream, one or several members in a row."""

    def __init__(self, raw: PlainBytes, compression: str, start: Callable[[], Any]) -> None:
        self.raw = raw
        self.compression = compression
        self.start = start
        self.decoder = start()
        self.pending = b""
        self.is_over = False

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file itself."""
        return self.raw.bytes_read

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; how many bytes, 0 at the end."""
        if not len(view):
            return 0
        while not self.is_over:
            try:
                content = self._more(len(view))
            except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
                self.is_over = True
                raise DamagedError(f"its {self.compression} data is damaged: {error}") from error
            if content:
                view[: len(content)] = content
                return len(content)
        return 0

    def _more(self, limit: int) -> bytes:
        if self.decoder.eof:  # another member may follow; padding and other bytes end the stream, as gzip and xz do
            rest = self.decoder.unused_data or self._read()
            rest = rest.lstrip(b"\0")
            if not rest:
                self.is_over = True
                return b""
            self.decoder, self.pending = self.start(), rest
        content, self.pending = self.pending, b""
        if not content and self.decoder.needs_input:
            content = self._read()
            if not content:
                raise EOFError("it ends too early")
        return bytes(self.decoder.decompress(content, limit))

    def _read(self) -> bytes:
        piece = bytearray(PIECE)
        return bytes(piece[: self.raw.readinto(memoryview(piece))])

    def close(self) -> None:
        """Close the file below."""
        self.raw.close()


class ArrowBytes:
    """Content of a zst or lz4 stream, by the codecs of pyarrow (imported only here)."""

    def __init__(self, raw: PlainBytes, compression: str, codec: str) -> None:
        import pyarrow as pa  # noqa: PLC0415 (a slow import that few captures need)

        self.raw = raw
        self.compression = compression
        self.stream = pa.CompressedInputStream(pa.PythonFile(RawFile(raw), mode="r"), codec)

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file itself."""
        return self.raw.bytes_read

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; how many bytes, 0 at the end."""
        try:
            content = self.stream.read(min(len(view), 1 << 16))
        except (OSError, ValueError) as error:
            raise DamagedError(f"its {self.compression} data is damaged: {error}") from error
        view[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close the file below."""
        self.raw.close()


class RawFile:
    """The least a file must be for pyarrow to read from it."""

    def __init__(self, raw: PlainBytes) -> None:
        self.raw = raw
        self.closed = False

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes."""
        piece = bytearray(min(size, PIECE))
        return bytes(piece[: self.raw.readinto(memoryview(piece))])

    def readable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """Close the file below."""
        self.closed = True


class BoundedBytes:
    """Content of a compressed stream as long as it does not grow beyond reason."""

    def __init__(self, source: ByteSource, limits: Limits) -> None:
        self.source = source
        self.compression = source.compression
        self.ratio, self.free = limits.inflate_ratio, limits.inflate_free_bytes
        self.made = 0

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file itself."""
        return self.source.bytes_read

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; how many bytes, 0 at the end. Raises DamagedError for what looks like an attack."""
        if self.made > self.free and self.made > self.ratio * self.bytes_read:
            raise DamagedError(f"it unpacks to more than {self.ratio} times its size, as a decompression bomb does; the rest was left out")
        got = self.source.readinto(view[:BOUNDED_PIECE])
        self.made += got
        return got

    def close(self) -> None:
        """Close the file below."""
        self.source.close()


# compression magic -> how to read it; captures may be packed twice by accident, but only one layer is undone
COMPRESSIONS: tuple[tuple[bytes, str, Callable[[PlainBytes], ByteSource]], ...] = (
    (b"\x1f\x8b", "gz", lambda raw: InflatedBytes(raw, "gz", Deflated)),
    (b"BZh", "bz2", lambda raw: InflatedBytes(raw, "bz2", bz2.BZ2Decompressor)),
    (b"\xfd7zXZ\0", "xz", lambda raw: InflatedBytes(raw, "xz", lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY))),
    (b"\x28\xb5\x2f\xfd", "zst", lambda raw: ArrowBytes(raw, "zst", "zstd")),
    (b"\x04\x22\x4d\x18", "lz4", lambda raw: ArrowBytes(raw, "lz4", "lz4")),
)
HEAD_BYTES = 6


def open_bytes(path: str, limits: Limits) -> tuple[ByteSource, int | None]:
    """Open a path or URL, or standard input for "-": the source and the size of the file (None for pipes).

    Raises:
        OSError: it cannot be opened.
        CaptureError: it is remote, and fsspec is not installed.
    """
    file: Any
    total: int | None
    if is_remote(path):
        file = RemoteFile(path)
        total = file.size
    else:
        # closed by the source, hence no context manager; a duplicate, so that standard input itself stays open
        file = open(os.dup(0) if path == "-" else path, "rb", buffering=0)  # noqa: SIM115, PTH123
        status = os.fstat(file.fileno())
        total = status.st_size if stat.S_ISREG(status.st_mode) else None
    head = b""
    try:
        while len(head) < HEAD_BYTES:
            piece = file.read(HEAD_BYTES - len(head))
            if not piece:
                break
            head += piece
    except BaseException:
        file.close()
        raise
    raw = PlainBytes(file, head)
    for magic, _, wrap in COMPRESSIONS:
        if head.startswith(magic):
            return BoundedBytes(wrap(raw), limits), total
    return raw, total


def fill(source: ByteSource, view: memoryview) -> int:
    """Read until the view is full or the source ends; how many bytes. Raises PartialReadError, which says how many came before."""
    got = 0
    while got < len(view):
        try:
            more = source.readinto(view[got:])
        except (OSError, DamagedError) as error:
            raise PartialReadError(got, str(error)) from error
        if more == 0:
            break
        got += more
    return got


class PartialReadError(Exception):
    """Reading failed after ``got`` bytes were read."""

    def __init__(self, got: int, reason: str) -> None:
        super().__init__(reason)
        self.got = got
        self.reason = reason
