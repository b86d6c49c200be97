"""Frames of handshake packets: each kind, and lengths that lie."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.quic.frames import Close, read_frames
from tests.messages.quic.builders import crypto, varint

ACK = b"\x02" + varint(9) + varint(0) + varint(1) + varint(2) + varint(0) + varint(3)
CLOSE = b"\x1c" + varint(0x128) + varint(6) + varint(3) + b"why"


def test_all_kinds() -> None:
    read = read_frames(b"\x01" + ACK + crypto(b"abc", 7) + bytes(20) + b"\x03" + ACK[1:] + bytes(3) + crypto(b"de", 300) + CLOSE + bytes(9))
    assert read.crypto == [(7, b"abc"), (300, b"de")]
    assert read.close == Close(False, 0x128, 6, b"why")
    assert read.is_good
    assert read_frames(b"\x1d" + varint(0x100) + varint(0)).close == Close(True, 0x100, 0, b"")


@pytest.mark.parametrize(
    "content",
    [
        b"\x06",
        b"\x06\x00",
        b"\x06\x00\x05abc",
        b"\x02\x00\x00",
        b"\x02\x00\x00\x7f\xff\x00",  # more ranges than there can be
        b"\x02\x00\x00\x05\x00\x01",
        b"\x1c\x00\x00\x09abc",
        b"\x1c\x00",
        b"\x08\x00abc",  # STREAM, which no handshake packet may hold
        b"\xff",
    ],
)
def test_what_was_read_before_stays(content: bytes) -> None:
    read = read_frames(crypto(b"x") + content)
    assert not read.is_good
    assert read.crypto == [(0, b"x")]


@given(st.binary(max_size=60))
@settings(max_examples=200)
def test_any_bytes(content: bytes) -> None:
    read = read_frames(content)
    assert all(piece in content for _, piece in read.crypto)
