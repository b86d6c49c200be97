"""Clock ticks to nanoseconds: the same as exact integers of any size."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.capture.reader_kernels import LATEST_NS, binary_ns, decimal_ns
from analyzer.tables import new_table
from analyzer.tables.packets import INTERFACE

TICKS = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 2**40), st.sampled_from([0, 2**32, 2**63 - 1, 2**63, 2**64 - 1]))


def halves(ticks):
    return np.int64(ticks >> 32), np.int64(ticks & 0xFFFFFFFF)


@given(TICKS, st.integers(0, 27))
def test_decimal_clocks(ticks, exponent):
    tick_ns = 10 ** (9 - exponent) if exponent <= 9 else 0
    ticks_per_ns = 10 ** (exponent - 9) if exponent > 9 else 0
    exact = ticks * 10**9 // 10**exponent
    face = new_table(INTERFACE, 1)[0]
    face.tick_ns, face.ticks_per_ns = tick_ns, ticks_per_ns
    assert decimal_ns(face, *halves(ticks)) == (exact if exact <= LATEST_NS else -1)


@given(TICKS, st.integers(0, 63))
@example(1_700_000_000 << 33, 33)
def test_binary_clocks(ticks, exponent):
    seconds = ticks >> exponent
    exact = ticks * 10**9 >> exponent
    believed = seconds < LATEST_NS // 10**9
    assert binary_ns(*halves(ticks), np.int64(exponent)) == (exact if believed else -1)
