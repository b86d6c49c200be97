"""A kernel compiled by our passes gives what the plain function gives, and its operators are typed as Numba types them."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core import compiler, ir

from analyzer.kernel_compiler import make_kernel, make_piece

ROW = np.dtype([("small", np.uint8), ("wide", np.uint64), ("signed", np.int16), ("steps", np.int64, (3,))])


def stir(row, value):
    """A piece that stores into a record, answers two values, and knows a variable on one way only."""
    least = value >> 1 if value & 1 else -value
    row.small = (np.int64(row.small) + least) & 0xFF
    row.steps[value % 3] += least
    return least, np.int64(row.small) * 3


def walk(data, rows):
    """A kernel with what kernels are made of: loops that end early, records, unsigned words, values out of pieces."""
    total = 0
    last = np.uint64(1)
    for i in range(len(data)):
        value = np.int64(data[i])
        if value == 255:
            break
        row = rows[value % len(rows)]
        least, small = stir(row, value)
        at = 0
        while at < value:
            at += 7
            if at > small:
                continue
            total += at * (1 if least > 0 else -1)
        last = last * np.uint64(31) ^ np.uint64(value)
        row.wide = last
        row.signed = -(total & 0x7FF)
    return total, last


def compiled(function, **pieces):
    """A kernel of the function, which calls the pieces compiled."""
    names = {name: make_piece(piece, is_called=False) for name, piece in pieces.items()}
    return make_kernel(FunctionType(function.__code__, {**globals(), **names}))


@pytest.fixture(scope="module")
def kernel():
    return compiled(walk, stir=stir)


@settings(max_examples=40)
@given(content=st.binary(max_size=40))
def test_compiled_agrees_with_plain(kernel, content):
    data = np.frombuffer(content, np.uint8).copy()
    ours, plain = (np.zeros(4, ROW).view(np.recarray) for _ in range(2))
    with np.errstate(over="ignore"):
        assert tuple(map(int, kernel(data, ours))) == tuple(map(int, walk(data, plain)))
    np.testing.assert_array_equal(ours.view(ROW), plain.view(ROW))


def past_the_end(data):
    return np.int64(data[len(data)])


def test_bounds_are_checked():
    with pytest.raises(IndexError):
        compiled(past_the_end)(np.ones(3, np.uint8))


def test_operators_have_the_types_that_numba_gives_them():
    def mixed(a, b, c):
        return (a + b) * c, a / b, a < c, -c, a << b

    values = (np.int32(7), np.int64(3), np.uint8(200))
    signature = tuple(map(numba.typeof, values))
    theirs = numba.njit(boundscheck=True)(mixed)
    ours = make_kernel(mixed)
    assert ours(*values) == theirs(*values)
    assert ours.overloads[signature].signature.return_type == theirs.overloads[signature].signature.return_type


def test_variables_of_instructions_are_those_that_numba_finds() -> None:
    def listed(value: Any) -> list[Any]:
        """As Numba's own reference describes it: variables in depth, in the order in which they stand."""
        if isinstance(value, ir.Var):
            return [value]
        if isinstance(value, ir.Inst):
            return value.list_vars()
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
        return [variable for part in parts for variable in listed(part)]

    def example(table: Any, at: int, *rest: int) -> Any:
        pair = (at, [table[at], at + 1])
        return max(pair[0], *rest) if table.shape[0] > at else {at: pair}

    body = [instruction for block in compiler.run_frontend(example).blocks.values() for instruction in block.body]
    assert len(body) > 20
    for instruction in body:
        assert [v.name for v in instruction.list_vars()] == [v.name for v in listed(vars(instruction))]
    assert any(len(instruction.list_vars()) > 2 for instruction in body)
