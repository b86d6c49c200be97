"""Columns as they are built against the lists they stand for, and against Arrow."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.built import TEXT, TIME, NumberColumn, as_arrow, from_arrow, is_there, is_true, values_of
from analyzer.report.text import booleans, ints, lists, milliseconds, texts, truths_or_none, words

TRUTHS = st.lists(st.sampled_from([True, False, None]), max_size=8)
PLACES = st.lists(st.integers(-1, 7), max_size=9)
ARRAYS = st.one_of(
    st.lists(st.none() | st.integers(-(2**62), 2**62), max_size=8).map(lambda values: pa.array(values, pa.int64())),
    st.lists(st.none() | st.text(max_size=4), max_size=8).map(lambda values: pa.array(values, TEXT)),
    TRUTHS.map(lambda values: pa.array(values, pa.bool_())),
    st.lists(st.none() | st.integers(0, 2**40).map(lambda ns: ns / 1e6), max_size=8).map(lambda values: pa.array(values, pa.float64())),
    st.lists(st.none() | st.lists(st.text(max_size=2), max_size=3), max_size=8).map(lambda values: pa.array(values, pa.list_(TEXT))),
    st.lists(st.none() | st.lists(st.integers(0, 9), max_size=3), max_size=8).map(lambda values: pa.array(values, pa.list_(pa.int64()))),
)


@settings(max_examples=150, deadline=None)
@given(ARRAYS, PLACES, st.integers(0, 9), st.integers(0, 9))
def test_columns_are_taken_and_sliced_like_lists(array: pa.Array, places: list[int], at: int, rows: int) -> None:
    values, column = array.to_pylist(), from_arrow(array)
    assert column.type == array.type
    assert column.arrow().equals(array)
    places = [place for place in places if place < len(values)]
    assert column.take(np.array(places, np.int64)).to_pylist() == [None if place < 0 else values[place] for place in places]
    assert column.slice(at, rows).to_pylist() == values[at : at + rows]
    assert from_arrow(array.slice(at, rows)).to_pylist() == values[at : at + rows]
    assert column.is_there().tolist() == [value is not None for value in values]


@given(TRUTHS, st.integers(0, 9))
def test_truths_come_back(values: list[bool | None], skipped: int) -> None:
    array = truths_or_none(values).arrow().slice(skipped)
    assert array.to_pylist() == values[skipped:]
    assert is_true(array).tolist() == [value is True for value in values[skipped:]]
    assert is_there(array).tolist() == [value is not None for value in values[skipped:]]


@given(st.lists(st.integers(-9, 9)), st.integers(0, 5))
def test_numbers_come_back_without_a_copy(values: list[int], skipped: int) -> None:
    array = ints(np.array(values, np.int64)).arrow().slice(skipped)
    assert values_of(array, np.int64).tolist() == values[skipped:]


def test_fields_of_a_table_are_columns() -> None:
    rows = np.array([(1, 2), (3, 4)], [("a", "u1"), ("b", "i4")])
    assert ints(rows["b"]).to_pylist() == [2, 4]
    assert booleans(rows["a"] > 1).to_pylist() == [False, True]
    assert milliseconds(rows["a"], np.array([True, False])).to_pylist() == [1e-06, None]
    assert as_arrow(NumberColumn(TIME, rows["b"])).cast(pa.int64()).to_pylist() == [2, 4]


def test_a_list_of_one_is_its_element() -> None:
    column = lists(np.array([2, 0, 1]), words(["a", "b", "c"]))
    assert column.only().to_pylist() == [None, None, "c"]
    assert column.lengths().tolist() == [2, 0, 1]


def test_texts_know_whether_csv_quotes_them() -> None:
    assert not texts(["a", "b"]).texts.has_marks
    assert texts(["a", "b,c"]).texts.has_marks
    assert words(["a", ""]).texts.has_no_empty is False
