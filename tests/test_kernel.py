"""Loads never read past the end they are given; sequence arithmetic agrees with plain integers; the mixer never overflows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer import kernel

LOADS = (
    (kernel.u8, 1, "big"),
    (kernel.be16, 2, "big"),
    (kernel.be24, 3, "big"),
    (kernel.be32, 4, "big"),
    (kernel.le16, 2, "little"),
    (kernel.le32, 4, "little"),
)


@pytest.mark.parametrize(("load", "width", "order"), LOADS)
@given(content=st.binary(min_size=1, max_size=12), at=st.integers(-2, 14), end=st.integers(0, 12))
def test_loads_agree_with_int_from_bytes_and_stop_at_the_end(load, width, order, content, at, end):
    data = np.frombuffer(content, np.uint8).copy()
    end = min(end, len(content))
    fits = at >= 0 and at + width <= end
    assert load(data, at, end) == (int.from_bytes(content[at : at + width], order) if fits else -1)


@given(content=st.binary(min_size=8, max_size=9))
def test_be64_is_unsigned(content):
    data = np.frombuffer(content, np.uint8).copy()
    assert int(kernel.be64(data, 0, len(content))) == int.from_bytes(content[:8], "big")
    assert int(kernel.be64(data, 2, 9)) == 0


@given(a=st.integers(0, 2**32 - 1), b=st.integers(0, 2**32 - 1))
def test_sequence_distance_is_the_shortest_way_round(a, b):
    distance = kernel.seq_diff(a, b)
    assert (b + distance) % 2**32 == a
    assert -(2**31) <= distance < 2**31


@given(a=st.integers(0, 2**64 - 1), b=st.integers(0, 2**64 - 1))
def test_mixer_agrees_with_plain_integers(a, b):
    low = (a ^ b >> 31) & 0x7FFFFFFF
    high = (b ^ a >> 31 ^ a >> 62) & 0x7FFFFFFF
    x = low * 0x9E3779B1
    y = (high ^ x >> 32) * 0x85EBCA77
    x = ((x ^ y >> 31) & 0x7FFFFFFF) * 0xC2B2AE3D
    assert max(low, high) * 0xFFFFFFFF < 2**63
    assert kernel.mix64(np.uint64(a), np.uint64(b)) == (x >> 16 ^ y) & (2**62 - 1)
