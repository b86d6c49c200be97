"""Whether a datagram is QUIC, and variable-length integers beside their twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.messages.quic.parameters import read_varint
from analyzer.messages.quic.probe_kernels import kind_of, looks_like_quic, varint, varint_size
from analyzer.tables.quic import HANDSHAKE, INITIAL, RETRY, UNFAMILIAR, ZERO_RTT
from tests.messages.quic.builders import V2, handshake_packet, initial, negotiation, retry, short_packet


def probe(content: bytes, port: int = 443) -> bool:
    data = np.frombuffer(b"?" + content + b"?", np.uint8).copy()
    return bool(looks_like_quic(data, 1, 1 + len(content), 50000, port))


@pytest.mark.parametrize(
    "content",
    [
        initial(b"\x01"),
        initial(b"\x01", version=V2, token=b"t" * 300),
        initial(b"\x01", sender="server", pad=20),
        handshake_packet(),
        retry(),
        negotiation(),
        b"\xc0\x1a\x2a\x3a\x4a\x08" + bytes(1200),  # a reserved version
        b"\xc3Q046\x50" + bytes(1300),  # Google's, with a long header
        b"\x0d" + bytes(8) + b"Q039" + bytes(1300),
    ],
)
def test_yes(content: bytes) -> None:
    assert probe(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xc0\0\0\0\1",
        short_packet(),
        initial(b"\x01")[:18],
        b"\xc0\0\0\0\1\x15" + bytes(1200),  # a connection id of 21 bytes
        b"\xc0\0\0\0\1\0\0\0\x01" + bytes(30),  # a packet too short to hold a tag
        b"\x80\0\0\0\0\x04abcd\x04efgh" + b"\1\2\3\4" * 3,  # a list of versions nobody knows
        b"\xc0\xde\xad\xbe\xef\x04abcd" + bytes(1300),
        b"\x0d" + bytes(8) + b"Qxyz" + bytes(1300),
        bytes(1300),
        b"\xff" * 1300,
    ],
)
def test_no(content: bytes) -> None:
    assert not probe(content)


def test_kinds() -> None:
    assert [kind_of(0xC0 | bits << 4, 1) for bits in range(4)] == [INITIAL, ZERO_RTT, HANDSHAKE, RETRY]
    assert [kind_of(0xC0 | bits << 4, V2) for bits in range(4)] == [RETRY, INITIAL, ZERO_RTT, HANDSHAKE]
    assert kind_of(0xC0, 0x51303436) == UNFAMILIAR


@given(st.binary(min_size=1, max_size=9))
def test_varint_beside_its_twin(content: bytes) -> None:
    data = np.frombuffer(content, np.uint8).copy()
    value, after = read_varint(content, 0)
    assert varint(data, 0, len(content)) == value
    assert varint_size(data, 0, len(content)) == after


@given(st.binary(max_size=80))
def test_any_bytes(content: bytes) -> None:
    probe(content)
    probe(b"\xc0\0\0\0\1" + content)
