"""Slices of batches, with offsets and nulls where Arrow puts them."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.export import cells
from analyzer.export.cells import Lines, kind_of
from analyzer.report.columns import Sheet
from analyzer.report.text import chosen, lists

TEXT = pa.large_string()


def lines_of(batch: Sheet | pa.RecordBatch, form: str) -> bytes:
    lines = Lines(batch.schema.names, [kind_of(kind) for kind in batch.schema.types])
    return b"".join(bytes(piece) for piece in getattr(lines, form)(batch))


def make_batch(rows: int) -> pa.RecordBatch:
    numbers = range(rows)
    return pa.RecordBatch.from_arrays(
        [
            pa.array([None if n % 3 == 0 else n for n in numbers], pa.int64()),
            pa.array([None if n % 5 == 0 else f"text {n}" + "," * (n % 4 == 0) for n in numbers], TEXT),
            pa.array([None if n % 7 == 0 else [f"a{n}", "b"][: n % 3] for n in numbers], pa.list_(TEXT)),
            pa.array([None if n % 2 == 0 else list(numbers[: n % 4]) for n in numbers], pa.list_(pa.int64())),
            pa.array([None if n % 4 == 0 else n % 3 == 0 for n in numbers], pa.bool_()),
            pa.array([None if n % 6 == 0 else n / 64 for n in numbers], pa.float64()),
        ],
        ["n", "text", "texts", "numbers", "truth", "ms"],
    )


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_the_slice_does_not_matter(monkeypatch: pytest.MonkeyPatch, form: str, size: int) -> None:
    batch = make_batch(45)
    whole = lines_of(batch, form)
    monkeypatch.setattr(cells, "SLICE", size)
    assert lines_of(batch, form) == whole
    assert whole.count(b"\n") == 45


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 20), st.integers(0, 20))
def test_a_slice_of_a_batch_is_written_as_its_rows(at: int, rows: int) -> None:
    batch = make_batch(20)
    all_lines = lines_of(batch, "csv").split(b"\r\n")[:-1]
    assert lines_of(batch.slice(at, rows), "csv").split(b"\r\n")[:-1] == all_lines[at : at + rows]


def test_lists_of_names_are_written_in_their_order() -> None:
    column = lists(np.array([2, 0, 1]), chosen(("a", None, "c"), np.array([2, 0, 2])))
    assert lines_of(Sheet(pa.schema([("x", column.type)]), [column], 3), "csv") == b"c;a\r\n\r\nc\r\n"


def test_no_rows_no_lines() -> None:
    assert lines_of(make_batch(0), "csv") == b""


def test_the_widest_cells_fit() -> None:
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array(['"' * 50, "\x1f" * 50, "=" * 50], TEXT),
            pa.array([-(2**63) + 1] * 3, pa.int64()),
            pa.array([[""] * 40] * 3, pa.list_(TEXT)),
        ],
        ["name" * 10, "n", '"' * 20],
    )
    assert lines_of(batch, "csv").count(b"\r\n") == 3
    assert lines_of(batch, "json").count(b"\n") == 3
