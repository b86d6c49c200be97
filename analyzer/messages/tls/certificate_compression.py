"""CompressedCertificate (RFC 8879): back to the Certificate message it stands for."""

from __future__ import annotations

import importlib
import zlib
from typing import Any, Final

MESSAGE: Final = 25
ZLIB, BROTLI, ZSTD = 1, 2, 3


def _inflate(content: bytes, size: int) -> bytes:
    return zlib.decompressobj().decompress(content, size + 1)


def _unbrotli(content: bytes, size: int) -> bytes:
    brotli: Any = importlib.import_module("brotli")
    return bytes(brotli.Decompressor().process(content, output_buffer_limit=size + 1))


def _unzstd(content: bytes, size: int) -> bytes:
    zstandard: Any = importlib.import_module("zstandard")
    return bytes(zstandard.ZstdDecompressor(max_window_size=1 << 20).stream_reader(content).read(size + 1))


def decompress(body: bytes, limit: int) -> bytes | None:
    """Body of the Certificate message, None = malformed, longer than ``limit``, or in a coding whose library is not installed."""
    if len(body) < 8:
        return None
    algorithm, size = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:5], "big")
    length, content = int.from_bytes(body[5:8], "big"), body[8:]
    take = {ZLIB: _inflate, BROTLI: _unbrotli, ZSTD: _unzstd}.get(algorithm)
    if take is None or length != len(content) or size > limit:
        return None
    try:
        certificate = take(content, size)
    except Exception:  # noqa: BLE001 - each library has its own errors for hostile bytes
        return None
    return certificate if len(certificate) == size else None
