"""Certificates compressed in every coding, and what lies about its size."""

from __future__ import annotations

import zlib

import brotli
import pytest
import zstandard

from analyzer.messages.tls.certificate_compression import decompress
from tests.messages.tls import builders as b

CERTIFICATE = b"\0\0\0\x09" + b"certificate" * 30
CODED = {1: zlib.compress(CERTIFICATE), 2: brotli.compress(CERTIFICATE), 3: zstandard.compress(CERTIFICATE)}


def compressed(algorithm: int, content: bytes, size: int = len(CERTIFICATE)) -> bytes:
    return b.u16s([algorithm]) + size.to_bytes(3, "big") + b.vector(3, content)


@pytest.mark.parametrize("algorithm", [1, 2, 3])
def test_codings(algorithm: int) -> None:
    body = compressed(algorithm, CODED[algorithm])
    assert decompress(body, 1 << 17) == CERTIFICATE
    assert decompress(body, 100) is None
    assert decompress(body[:-1], 1 << 17) is None
    assert decompress(body[:7], 1 << 17) is None
    assert decompress(compressed(algorithm, CODED[algorithm], 10), 1 << 17) is None
    assert decompress(compressed(algorithm, CODED[algorithm], 1000), 1 << 17) is None
    assert decompress(compressed(algorithm, b"nonsense"), 1 << 17) is None


def test_bombs_stop_at_the_size_they_claim() -> None:
    zeros = bytes(50 << 20)
    for algorithm, content in ((1, zlib.compress(zeros, 1)), (2, brotli.compress(zeros, quality=1)), (3, zstandard.compress(zeros))):
        assert decompress(compressed(algorithm, content, 1000), 1 << 17) is None


def test_unknown_coding() -> None:
    assert decompress(compressed(9, CERTIFICATE), 1 << 17) is None
