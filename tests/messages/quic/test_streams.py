"""Stream data that waits above a hole."""

from __future__ import annotations

from analyzer.messages.quic.streams import WAITING_BYTES, WAITING_PIECES, Stream


def test_order() -> None:
    stream = Stream()
    assert not stream.hold(10, b"klmno", 2, 200)
    assert not stream.hold(5, b"fghijkl", 3, 300)
    assert not stream.hold(10, b"kl", 4, 400)
    assert stream.ready() == []
    stream.next = 5
    assert stream.ready() == [(b"fghijkl", 3, 300), (b"mno", 2, 200)]
    assert (stream.next, stream.waiting_bytes) == (15, 0)


def test_a_hole_is_given_up() -> None:
    stream = Stream()
    assert stream.hold(100, bytes(WAITING_BYTES + 1), 1, 1)
    assert stream.give_up() == 100
    assert len(stream.ready()[0][0]) == WAITING_BYTES + 1
    other = Stream()
    assert [other.hold(1 + 2 * k, b"x", 1, 1) for k in range(WAITING_PIECES + 1)][-1]
