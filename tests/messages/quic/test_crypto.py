"""CRYPTO frames in any order give the same messages; what lies or is too much is counted."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.quic.crypto import CryptoStream
from tests.messages.quic.builders import handshake

LIMIT = 1 << 14
CONTENT = handshake(1, bytes(range(256)) * 4) + handshake(2, b"") + handshake(8, b"z" * 700)


@given(st.lists(st.integers(0, len(CONTENT)), max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_any_order(edges: list[int], random: object) -> None:
    cuts = sorted({0, len(CONTENT), *edges})
    pieces = [(a, CONTENT[a:b]) for a, b in pairwise(cuts)]
    pieces += [(a, CONTENT[a : a + 50]) for a in edges if a < len(CONTENT)]  # some of it again
    random.shuffle(pieces)  # type: ignore[attr-defined]
    stream, found = CryptoStream(LIMIT), []
    for number, (offset, content) in enumerate(pieces, 1):
        stream.add(offset, content, (1000 + number, number))
        found += stream.messages((1000 + number, number))
    assert [(one.kind, one.body) for one in found] == [(1, bytes(range(256)) * 4), (2, b""), (8, b"z" * 700)]
    assert all(one.first <= one.last for one in found)
    assert not stream.is_waiting
    assert (stream.beyond, stream.conflicts) == (0, 0)


def test_places() -> None:
    stream = CryptoStream(LIMIT)
    stream.add(20, CONTENT[20:1100], (5, 2))
    assert stream.messages((5, 2)) == []
    assert stream.is_waiting
    stream.add(0, CONTENT[:20], (9, 3))
    first, second = stream.messages((9, 3))
    assert (first.first, first.last) == ((5, 2), (9, 3))
    assert second.first == (5, 2)


def test_what_is_beyond_or_contradicts_is_counted() -> None:
    stream = CryptoStream(64)
    stream.add(1 << 62, b"x", (1, 1))
    stream.add(60, b"12345", (1, 1))
    assert stream.beyond == 2
    stream.add(0, b"abc", (1, 1))
    stream.add(1, b"xx", (2, 2))
    assert stream.conflicts == 1
    for k in range(400):
        stream.add(4 + k % 50, bytes(1 + k % 9), (3, 3))
    assert stream.beyond > 2
