"""Frames of a stream: any cut gives the same; bodies are counted; what is missing is passed over where that can be done."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.http.http3.frames import DATA, GOAWAY, HEADERS, Framer, read_settings
from tests.messages.quic.builders import varint

LIMIT = 1 << 14


def frame(kind: int, content: bytes) -> bytes:
    return varint(kind) + varint(len(content)) + content


CONTENT = (
    frame(HEADERS, b"h" * 70)
    + frame(DATA, b"d" * 500)
    + frame(0x21, b"grease")
    + frame(DATA, b"")
    + frame(HEADERS, b"")
    + frame(GOAWAY, b"\4")
)


@given(st.lists(st.integers(0, len(CONTENT)), max_size=10))
@settings(max_examples=50)
def test_any_cut(edges: list[int]) -> None:
    cuts = sorted({0, len(CONTENT), *edges})
    framer, found = Framer(LIMIT), []
    for number, (a, b) in enumerate(itertools.pairwise(cuts), 1):
        found += framer.read(CONTENT[a:b], 0, (number, number))
    whole = [(one.kind, one.content) for one in found if one.kind != DATA]
    assert whole == [(HEADERS, b"h" * 70), (0x21, b""), (HEADERS, b""), (GOAWAY, b"\4")]
    assert sum(one.size for one in found if one.kind == DATA) == 500
    assert found[0].first == (1, 1)


def test_gaps() -> None:
    framer = Framer(LIMIT)
    framer.read(frame(DATA, bytes(100))[:10], 0, (1, 1))
    assert [one.size for one in framer.read(bytes(49), 43, (2, 2))] == [49]
    assert not framer.is_lost
    framer.read(b"\x01", 0, (3, 3))
    assert framer.read(b"abc", 5, (4, 4)) == []
    assert framer.is_lost
    assert framer.read(CONTENT, 0, (5, 5)) == []


def test_what_is_too_large_is_passed_over() -> None:
    framer = Framer(64)
    found = framer.read(frame(HEADERS, bytes(65)) + frame(GOAWAY, b"\1"), 0, (1, 1))
    assert [(one.kind, one.content) for one in found] == [(HEADERS, b""), (GOAWAY, b"\1")]
    endless = Framer(64)
    assert endless.read(varint(HEADERS) + varint((1 << 62) - 1) + bytes(500), 0, (1, 1)) == []


def test_settings() -> None:
    assert read_settings(varint(1) + varint(4096) + varint(7) + varint(100)) == {1: 4096, 7: 100}
    assert read_settings(varint(1) + b"\xc0") == {}
    assert read_settings(b"") == {}


@given(st.binary(max_size=100))
def test_any_bytes(content: bytes) -> None:
    Framer(LIMIT).read(content, 0, (1, 1))
    read_settings(content)
