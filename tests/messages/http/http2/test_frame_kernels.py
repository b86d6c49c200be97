"""Frames: what looks like one, empty ones, unknown ones, and payloads in pieces (the conversations are in test_dissector)."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.messages.http.http2.frame_kernels import looks_like_frame
from tests.messages.http.http2.talk import CLIENT, PREFACE, SERVER, Sender, data, exchanges, frame, read, settings


@pytest.mark.parametrize(
    ("header", "is_one"),
    [
        (frame(0, 1, 3), True),
        (frame(1, 37, 1, bytes(20)), True),
        (frame(4, 0, 0, bytes(12)), True),
        (frame(4, 0, 0, bytes(11)), False),
        (frame(4, 0, 1), False),
        (frame(6, 0, 0, bytes(8)), True),
        (frame(8, 0, 0, bytes(5)), False),
        (frame(8, 0, 77, bytes(4)), True),
        (frame(0, 2, 3), False),
        (frame(0, 1, 0), False),
        (frame(10, 0, 0), False),
        (b"HTTP/1.1 ", False),
        (b"\x00\x00\x00\x00\x00\x80\x00\x00\x01", False),
    ],
)
def test_what_looks_like_a_frame(header: bytes, *, is_one: bool) -> None:
    assert looks_like_frame(np.frombuffer(header, np.uint8), 0) == is_one


@pytest.mark.parametrize("cut", [0, 1, 4, 9, 10])
def test_unknown_and_empty_frames_are_passed(cut: int) -> None:
    c, s = Sender(), Sender()
    odd = frame(254, 0, 0) + frame(255, 9, 1, b"abc") + frame(0x21, 0, 0, bytes(300)) + frame(0, 0, 1)
    pieces = [
        (CLIENT, PREFACE + settings() + odd + c.get(1, end=False) + odd + data(1, b"ab", pad=0) + data(1, b"", end=True)),
        (SERVER, settings() + odd + s.status(1) + data(1, b"", pad=200) + data(1, b"xyz", end=True, pad=3)),
    ]
    (x,) = exchanges(*pieces, cut=cut)
    assert (x["request_body_bytes"], x["response_body_bytes"], x["request_complete"], x["response_complete"]) == (2, 3, 1, 1)
    assert x["error"] == "none"


def test_a_preface_that_goes_wrong_is_read_no_further() -> None:
    assert exchanges((CLIENT, PREFACE[:20] + b"nonsense" * 20)) == []


def test_no_memory_for_a_header_block_loses_only_it() -> None:
    c = Sender()
    h2 = read([(CLIENT, PREFACE + settings()), (CLIENT, c.get(1, "/a" * 500)), (CLIENT, c.get(3))], cut=50)
    assert h2.take(np.array([0]))[0]["stream"].tolist() == [2, 4]
    assert h2._memory.arenas[0][2] == 0
