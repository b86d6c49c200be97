"""MD5 and SHA-256 against hashlib; the table of distinct bytes against a dict."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.tls.digest_kernels import SHA256_ROUNDS, SHA256_START, add_distinct, find_distinct, hash_bytes, md5, sha256_12
from analyzer.tables import new_table
from analyzer.tables.tls import DISTINCT

WORK = np.zeros(72, np.int64)


def digest(function: object, content: bytes, width: int) -> str:
    text, target = np.frombuffer(b"??" + content, np.uint8), np.zeros(width, np.uint8)
    function(text, 2, len(content), target, 0, WORK)  # type: ignore[operator]
    return target.tobytes().decode()


@pytest.mark.parametrize("size", [0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 200])
def test_every_padding(size: int) -> None:
    content = bytes(i * 31 & 255 for i in range(size))
    assert digest(md5, content, 32) == hashlib.md5(content).hexdigest()
    assert digest(sha256_12, content, 12) == hashlib.sha256(content).hexdigest()[:12]


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=150))
def test_any_bytes(content: bytes) -> None:
    assert digest(md5, content, 32) == hashlib.md5(content).hexdigest()
    assert digest(sha256_12, content, 12) == hashlib.sha256(content).hexdigest()[:12]


def test_constants() -> None:
    assert (SHA256_START[0], SHA256_ROUNDS[0], SHA256_ROUNDS[63]) == (0x6A09E667, 0x428A2F98, 0xC67178F2)  # FIPS 180-4


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=4)), max_size=40))
def test_distinct_bytes(things: list[tuple[int, bytes]]) -> None:
    table, slots, store = new_table(DISTINCT, 64), np.full(128, -1, np.int64), np.zeros(512, np.uint8)
    state, known = np.zeros(2, np.int64), {}
    for kind, content in things:
        text = np.frombuffer(content + b"!", np.uint8)
        args = (np.int64(kind), hash_bytes(text, 0, len(content), np.int64(kind)))
        row = find_distinct(table, slots, store, text, 0, len(content), *args)
        assert (row >= 0) == ((kind, content) in known)
        if row < 0:
            row = add_distinct(table, slots, store, state, text, 0, len(content), *args, -1 - row)
        assert known.setdefault((kind, content), row) == row
        assert store[table[row].position :][: table[row].length].tobytes() == content
