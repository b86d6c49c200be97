"""Decoders: any cut gives the same, bombs and garbage end, and the number of open bodies is limited."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.http.decoders import BAD_CODING, TOO_LARGE, Decoder, Decoders, choose_format
from analyzer.options import Limits
from analyzer.tables import new_table
from analyzer.tables.http import BROTLI, CODED_PIECE, EXCHANGE, GZIP, HTTP_ERRORS, ZSTD


def decode(coded: bytes, cuts: list[int], ratio: int = 200, coding: int = GZIP) -> tuple[int, int, bytes]:
    """Decoded bytes, error and first bytes of a body that comes in pieces."""
    decoder, start, at = Decoder(1, ratio, coding), b"", 0
    for size in [*cuts, len(coded)]:
        start += decoder.feed(memoryview(coded[at : at + size]), 50 - len(start))
        at += size
    return decoder.decoded, decoder.error, start


@settings(max_examples=40)
@given(
    st.binary(max_size=400),
    st.sampled_from([gzip.compress, zlib.compress, lambda body: zlib.compress(body)[2:-4]]),
    st.lists(st.integers(0, 30)),
)
def test_any_cut_decodes(body: bytes, coder: object, cuts: list[int]) -> None:
    assert decode(coder(body), cuts) == (len(body), 0, body[:50])  # type: ignore[operator]


@settings(max_examples=40)
@given(st.binary(min_size=2, max_size=60), st.lists(st.integers(1, 9)))
def test_garbage_ends_at_the_same_place(coded: bytes, cuts: list[int]) -> None:
    assert decode(coded, cuts)[1] == decode(coded, [])[1]


def test_a_bomb_is_given_up_wherever_it_is_cut() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    size, error, _ = decode(bomb, [])
    assert error == TOO_LARGE
    assert size < 5_000_000
    assert decode(bomb, [1, 5000, 3]) == (size, error, bytes(50))


@pytest.mark.parametrize(("coding", "coder"), [(BROTLI, brotli.compress), (ZSTD, zstandard.compress)])
@settings(max_examples=20)
@given(st.binary(max_size=400), st.lists(st.integers(0, 30), max_size=5))
def test_brotli_and_zstandard(coding: int, coder: Callable[[bytes], bytes], body: bytes, cuts: list[int]) -> None:
    assert decode(coder(body), cuts, coding=coding) == (len(body), 0, body[:50])
    assert decode(b"garbage" * 9, cuts, coding=coding)[1] == BAD_CODING


@pytest.mark.parametrize(("coding", "coder"), [(BROTLI, brotli.compress), (ZSTD, zstandard.compress)])
def test_their_bombs(coding: int, coder: Callable[[bytes], bytes]) -> None:
    bomb = coder(bytes(80_000_000))
    size, error, start = decode(bomb, [], coding=coding)
    assert (error, start) == (TOO_LARGE, bytes(50))
    assert size < 6_000_000
    assert decode(bomb, [3, 1, 77], coding=coding) == (size, error, start)


@pytest.mark.parametrize(("head", "wbits"), [(b"\x1f\x8b", 31), (b"\x78\x9c", 15), (b"\x4b\x4c", -15)])
def test_formats(head: bytes, wbits: int) -> None:
    assert choose_format(head) == wbits


def test_too_many_open_bodies() -> None:
    coded = gzip.compress(bytes(range(256)) * 9)
    exchanges, pieces = new_table(EXCHANGE, 4), new_table(CODED_PIECE, 6)
    text, counts = np.zeros(1000, np.uint8), np.zeros(len(HTTP_ERRORS), np.int64)
    for x in range(3):
        exchanges[x].connection, exchanges[x].index = x, 1
        exchanges[x].response_coding = GZIP
        exchanges[x].response_start, exchanges[x].response_start_size = 200 * x, 128
    for k, (x, at, size) in enumerate(
        [(0, 0, 20), (1, 0, 20), (2, 0, 20), (0, 20, 900), (1, 20, len(coded) - 20), (2, 20, len(coded) - 20)]
    ):
        pieces[k].exchange, pieces[k].is_response, pieces[k].position, pieces[k].piece_bytes = x, 1, at, size
    decoders = Decoders(Limits(decoders=2))
    decoders.decode(pieces, np.frombuffer(coded, np.uint8), exchanges, text, counts)
    assert list(exchanges.response_decoded_bytes[1:3]) == [2304, 2304]
    assert exchanges[0].error == TOO_LARGE
    assert counts[TOO_LARGE] == 1
    assert counts[BAD_CODING] == 0
    decoders.release(np.array([0, 1, 2, 3]))
    assert not decoders._bodies
    assert not decoders._open
