"""Columns made from NumPy arrays."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report import text


def test_absent_numbers_are_null() -> None:
    assert text.counts(np.array([0, 3], np.int32)).to_pylist() == [None, 3]
    assert text.codes(np.array([-1, 0], np.int16)).to_pylist() == [None, 0]
    assert text.ints(np.array([7, 8], np.uint8), np.array([False, True])).to_pylist() == [None, 8]
    assert text.booleans(np.array([0, 2, 1]), np.array([True, True, False])).to_pylist() == [False, True, None]


def test_times_and_durations() -> None:
    ns = np.array([0, 1_700_000_000_000_000_001])
    times = text.times(ns)
    assert times.arrow().cast(pa.int64()).to_pylist() == [None, 1_700_000_000_000_000_001]
    assert text.between(np.array([0, 5]), np.array([5, 1_000_006])).to_pylist() == [None, 1.000001]
    assert text.between(np.array([9]), np.array([4])).to_pylist() == [-0.000005]


def test_padded_text_ends_at_its_first_zero() -> None:
    rows = np.array([[65, 66, 67], [68, 0, 0], [0, 0, 0]], np.uint8)
    assert text.padded(rows).to_pylist() == ["ABC", "D", None]
    assert text.padded(np.zeros((0, 3), np.uint8)).to_pylist() == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.integers(-1, 5), st.integers(0, 2**40)), max_size=20))
def test_each_distinct_code_is_named_once(values: list[int]) -> None:
    calls = []

    def name_of(code: int) -> str | None:
        calls.append(code)
        return None if code == 3 else f"<{code}>"

    array = np.array(values, np.int64)
    named = text.named(array, name_of, array >= 0).to_pylist()
    assert named == [None if v < 0 or v == 3 else f"<{v}>" for v in values]
    assert len(calls) == len(set(values))


def test_lists_cut_their_children() -> None:
    children = text.ints(np.array([1, 2, 3]))
    assert text.lists(np.array([2, 0, 1]), children).to_pylist() == [[1, 2], None, [3]]


def test_chosen_and_joined() -> None:
    words = text.chosen(("no", "yes"), np.array([1, 0, 1]), np.array([True, True, False]))
    assert words.to_pylist() == ["yes", "no", None]
    assert words.take(np.array([1, -1, 0])).to_pylist() == ["no", None, "yes"]
    assert text.joined("<", words, ">").to_pylist() == ["<yes>", "<no>", None]


def test_python_strings_are_escaped_like_bytes() -> None:
    assert text.texts(["a\x1b", None, "", "\ud800", "é"]).to_pylist() == ["a\\x1b", None, None, "\\xed\\xa0\\x80", "é"]
    assert text.texts([]).to_pylist() == []


def test_words_and_constants() -> None:
    assert text.words(["a", None, "", "é"]).to_pylist() == ["a", None, "", "é"]
    assert text.words([]).to_pylist() == []
    assert text.constant("x").as_py() == "x"
    assert text.constant(None).as_py() is None
    assert text.number(7).as_py() == 7
