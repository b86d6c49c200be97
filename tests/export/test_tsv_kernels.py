"""Zeek's tab-separated lines, byte by byte."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.export import row_kernels as rk
from analyzer.export.cells import Lines


def write(kinds: Sequence[int], *columns: pa.Array) -> str:
    names = [f"c{k}" for k in range(len(columns))]
    batch = pa.RecordBatch.from_arrays(list(columns), names)
    return b"".join(bytes(piece) for piece in Lines(names, list(kinds)).tsv(batch)).decode()


def texts(*values: str | None) -> pa.Array:
    return pa.array(values, pa.large_string())


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "-"),
        ("", "(empty)"),
        ("-", "\\x2d"),
        ("--", "--"),
        ("(empty)", "\\x28empty)"),
        ("(empty]", "(empty]"),
        ("a\tb\nc", "a\\x09b\\x0ac"),
        ("\x7f", "\\x7f"),
        ("a,b", "a,b"),
        ("blåbær", "blåbær"),
        ("\\xff", "\\xff"),
    ],
)
def test_texts(value: str | None, told: str) -> None:
    assert write([rk.STRING], texts(value)) == told + "\n"


def test_lists() -> None:
    kind = pa.list_(pa.large_string())
    values = pa.array([["a,b", "-", ""], [], None, ["x"]], kind)
    assert write([rk.STRINGS], values).splitlines() == ["a\\x2cb,\\x2d,(empty)", "(empty)", "-", "x"]
    assert write([rk.REALS], pa.array([[3, 60]], pa.list_(pa.int64()))) == "3.000000,60.000000\n"
    assert write([rk.WHOLES], pa.array([[3, 60]], pa.list_(pa.int64()))) == "3,60\n"


def test_numbers() -> None:
    times = pa.array(np.array([1_700_000_000_123_456_789]), pa.timestamp("ns", tz="UTC"))
    line = write(
        [rk.EPOCH, rk.SECONDS, rk.TRUTH, rk.TRUTH, rk.WHOLE],
        times, pa.array([1.5004]), pa.array([True]), pa.array([False]), pa.array([-7]),
    )  # fmt: skip
    assert line == "1700000000.123457\t0.001500\tT\tF\t-7\n"


@settings(max_examples=50)
@given(st.lists(st.tuples(*[st.one_of(st.none(), st.text(st.characters(codec="utf-8")))] * 2), max_size=6))
def test_every_line_has_its_fields(rows: list[tuple[str | None, str | None]]) -> None:
    told = write([rk.STRING, rk.STRING], texts(*(row[0] for row in rows)), texts(*(row[1] for row in rows)))
    lines = told.split("\n")
    assert lines.pop() == ""
    assert [line.count("\t") for line in lines] == [1] * len(rows)
