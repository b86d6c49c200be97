"""Bodies that are kept come whole, however the stream was cut, and a bomb is cut where it is given up."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest

from analyzer.messages.http.bodies import Body
from analyzer.messages.http.decoders import FREE, Decoders
from analyzer.options import Limits
from analyzer.tables import new_table
from analyzer.tables.http import BROTLI, EXCHANGE, GZIP, HTTP_ERRORS, NO_CODING, OTHER_CODING


class Shelf:
    """Keeps bodies in memory."""

    def __init__(self) -> None:
        self.content: list[bytes] = []
        self.wire: list[int] = []
        self.cuts: dict[int, str] = {}

    def begin(self) -> int:
        self.content.append(b"")
        self.wire.append(0)
        return len(self.content)

    def add(self, number: int, content: bytes | memoryview) -> None:
        self.content[number - 1] += content

    def count(self, number: int, size: int) -> None:
        self.wire[number - 1] += size

    def cut(self, number: int, why: str) -> None:
        self.cuts.setdefault(number, why)

    def close(self, number: int, name: str) -> Body:
        return Body(len(self.content[number - 1]), self.wire[number - 1], name, self.cuts.get(number, ""))


def decode(coded: bytes, coding: int, step: int) -> Shelf:
    shelf, x = Shelf(), new_table(EXCHANGE, 1).view(np.ndarray)[0]
    x["response_coding"] = coding
    decoders, counts = Decoders(Limits(), shelf), np.zeros(len(HTTP_ERRORS), np.int64)
    for at in range(0, len(coded), step):
        decoders.take(x, 1, coded[at : at + step], np.zeros(1, np.uint8), counts)
    assert x["response_object"] == 1
    assert x["request_object"] == 0
    return shelf


@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
@pytest.mark.parametrize("coding", [NO_CODING, GZIP, OTHER_CODING])
def test_whole_however_it_came(coding: int, step: int) -> None:
    body = bytes(range(256)) * 8
    coded = gzip.compress(body) if coding == GZIP else body
    shelf = decode(coded, coding, step)
    assert (shelf.content, shelf.wire, shelf.cuts) == ([body], [len(coded)], {})


def test_a_bomb_is_cut() -> None:
    shelf = decode(zlib.compress(bytes(50_000_000), 9), GZIP, 1 << 20)
    assert FREE < len(shelf.content[0]) < 8_000_000
    assert shelf.cuts == {1: "decoded_too_large"}


def test_garbage_is_cut() -> None:
    assert decode(b"\x1f\x8b" + b"no gzip" * 9, GZIP, 5).cuts == {1: "bad_content_coding"}


def test_a_coding_without_its_library_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.messages.http.decoders.make_taker", lambda *_: None)
    shelf = decode(b"coded bytes", BROTLI, 4)
    assert (shelf.content, shelf.cuts) == ([b"coded bytes"], {})
