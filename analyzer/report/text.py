"""Rows and spans as columns of the report, without a Python object per row; see ``built`` for what a column is.

Arrow only through buffers: ``pa.array`` and ``to_numpy`` import pandas, which takes longer than a small capture.

Text is ``large_string`` everywhere (64-bit offsets): no column can pass a limit, and pandas takes it without a copy. A row is null
where its value is absent; what absent means (size 0, time 0, a mask) stands with each function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.built import MILLISECONDS, TIME, TRUTH, Built, ListColumn, Mask, NumberColumn, Numbers, TextColumn, Texts, as_arrow
from analyzer.report.text_kernels import ADDRESS_WIDTH, measure_text, write_addresses, write_text
from analyzer.tables import Bytes, Ints

DENSE = 1 << 17  # codes within this range are named through a table of that size, others are sorted


def ints(values: Numbers, valid: Mask | None = None) -> NumberColumn:
    """Whole numbers of any width as int64."""
    return NumberColumn(pa.int64(), values, valid)


def counts(values: Numbers) -> NumberColumn:
    """Whole numbers as int64, null where 0."""
    return ints(values, values != 0)


def codes(values: Numbers) -> NumberColumn:
    """Whole numbers as int64, null where negative."""
    return ints(values, values >= 0)


def times(ns: Ints) -> NumberColumn:
    """Times in ns since 1970, null where 0."""
    return NumberColumn(TIME, ns, ns != 0)


def moments(ns: Ints) -> NumberColumn:
    """Times in ns since 1970, all of them known: 0 is 1970."""
    return NumberColumn(TIME, ns)


def milliseconds(ns: Ints, valid: Mask | None = None) -> NumberColumn:
    """Durations in ns as float64 milliseconds."""
    return NumberColumn(MILLISECONDS, ns, valid)


def between(first: Ints, last: Ints) -> NumberColumn:
    """Milliseconds from one time to another, null where either is 0."""
    return milliseconds(last - first, (first != 0) & (last != 0))


def booleans(values: Numbers, valid: Mask | None = None) -> NumberColumn:
    """Truth values of anything that is 0 or not."""
    return NumberColumn(TRUTH, values, valid)


def text_column(ends: Ints, content: Bytes, valid: Mask) -> TextColumn:
    """UTF-8 bytes cut at ``ends`` (n + 1), null where not valid."""
    return TextColumn(Texts(ends, content), np.where(valid, np.arange(len(valid)), -1))


def spans(data: Bytes, positions: Numbers, sizes: Numbers) -> TextColumn:
    """Spans of bytes from the network as text, escaped as ``text_kernels`` says; null where the size is 0."""
    at = np.ascontiguousarray(positions, np.int64)
    size = np.ascontiguousarray(sizes, np.int64)
    ends = np.zeros(len(at) + 1, np.int64)
    measure_text(data, at, size, ends)
    content = np.empty(int(ends[-1]), np.uint8)
    write_text(data, at, size, ends, content)
    return text_column(ends, content, size > 0)


def addresses(hi: Numbers, lo: Numbers, versions: Numbers) -> TextColumn:
    """IP addresses as text; null where the version is neither 4 nor 6."""
    high, low = np.ascontiguousarray(hi, np.uint64), np.ascontiguousarray(lo, np.uint64)
    version = np.ascontiguousarray(versions, np.int64)
    ends = np.zeros(len(high) + 1, np.int64)
    content = np.empty(ADDRESS_WIDTH * len(high), np.uint8)
    top = write_addresses(high, low, version, ends, content)
    return text_column(ends, content[:top], (version == 4) | (version == 6))


def padded(rows: Bytes) -> TextColumn:
    """ASCII text of (n, width) bytes, filled up with zeros; null where there is none."""
    there = rows != 0
    ends = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(there.sum(axis=1), out=ends[1:])
    return text_column(ends, rows[there], ends[1:] > ends[:-1])


def distinct(values: Numbers) -> tuple[list[int], Ints]:
    """The distinct values, ascending, and for each row its place among them."""
    whole = values.astype(np.int64)
    if len(whole) == 0:
        return [], whole
    low, high = int(whole.min()), int(whole.max())
    if high - low >= DENSE:
        found, index = np.unique(whole, return_inverse=True)
        return found.tolist(), index
    present = np.zeros(high - low + 1, np.bool_)
    present[whole - low] = True
    found = np.flatnonzero(present)
    place = np.zeros(high - low + 1, np.int64)
    place[found] = np.arange(len(found))
    return (found + low).tolist(), place[whole - low]


@cache
def _fixed(values: tuple[str | None, ...]) -> TextColumn:
    """Names of ours, made once for the whole run."""
    encoded = [(value or "").encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    valid = np.array([value is not None for value in values], np.bool_)
    return text_column(ends, np.frombuffer(b"".join(encoded), np.uint8), valid)


def words(values: Sequence[str | None]) -> TextColumn:
    """Strings of ours (names, not what the network says) as text; null where None."""
    return _fixed.__wrapped__(tuple(values))


def constant(word: str | None) -> pa.Scalar:
    """One word for all rows."""
    return words([word]).arrow()[0]


def number(value: int) -> pa.Scalar:
    """One whole number for all rows."""
    return ints(np.array([value])).arrow()[0]


def truths_or_none(values: Sequence[bool | None]) -> NumberColumn:
    """Truth values of Python (rare things only); null where None."""
    return booleans(np.array([value is True for value in values], np.bool_), np.array([value is not None for value in values], np.bool_))


def places(index: Numbers, valid: Mask | None = None) -> Ints:
    """Places to take rows at: -1 where not valid."""
    whole: Ints = index.astype(np.int64)
    return whole if valid is None else np.where(valid, whole, -1)


def named(values: Numbers, name_of: Callable[[int], Any], valid: Mask | None = None) -> TextColumn:
    """The name of each code (``name_of`` is called once per distinct code), null where not valid or where it says None."""
    found, index = distinct(values)
    return words([name_of(code) for code in found]).take(places(index, valid))


def chosen(names: Sequence[str | None], index: Numbers, valid: Mask | None = None) -> TextColumn:
    """Names by their place; null where not valid."""
    return _fixed(tuple(names)).take(places(index, valid))


def lists(lengths: Numbers, children: NumberColumn | TextColumn) -> ListColumn:
    """Consecutive children as lists of the given lengths; null where the length is 0."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ListColumn(children, ends, np.where(lengths > 0, np.arange(len(lengths)), -1))


def texts(values: Sequence[str | None]) -> TextColumn:
    """Strings of Python (rare things only) as text, escaped like any bytes from the network; null where None or empty."""
    encoded = [(value or "").encode("utf-8", "surrogatepass") for value in values]
    sizes = np.array([len(one) for one in encoded], np.int64)
    return spans(np.frombuffer(b"".join(encoded), np.uint8), np.cumsum(sizes) - sizes, sizes)


def joined(*parts: pa.Array | Built | str) -> pa.Array:
    """Texts one after the other, row by row; null where one of them is null."""
    return pc.binary_join_element_wise(*(constant(part) if isinstance(part, str) else as_arrow(part) for part in (*parts, "")))
