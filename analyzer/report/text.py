"""NumPy columns and spans as Arrow arrays and back, without a Python object per row.

Only through buffers: ``pa.array`` and ``to_numpy`` import pandas, which takes longer than a small capture.

Text is ``large_string`` everywhere (64-bit offsets): no column can pass a limit, and pandas takes it without a copy. A row is null
where its value is absent; what absent means (size 0, time 0, a mask) stands with each function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.text_kernels import ADDRESS_WIDTH, measure_text, write_addresses, write_text
from analyzer.tables import Bytes, Ints

Mask: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[Any]

TEXT = pa.large_string()
TIME = pa.timestamp("ns", tz="UTC")
DENSE = 1 << 17  # codes within this range are named through a table of that size, others are sorted


def bitmap(valid: Mask | None) -> pa.Buffer | None:
    """Arrow's validity bits of a mask; None when every row is valid."""
    if valid is None or bool(valid.all()):
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def plain(kind: pa.DataType, values: Numbers, valid: Mask | None = None) -> pa.Array:
    """Values of eight bytes as an Arrow array of that type, null where not valid."""
    return pa.Array.from_buffers(kind, len(values), [bitmap(valid), pa.py_buffer(np.ascontiguousarray(values))])


def ints(values: Numbers, valid: Mask | None = None) -> pa.Array:
    """Whole numbers of any width as int64."""
    return plain(pa.int64(), values.astype(np.int64, copy=False), valid)


def counts(values: Numbers) -> pa.Array:
    """Whole numbers as int64, null where 0."""
    return ints(values, values != 0)


def codes(values: Numbers) -> pa.Array:
    """Whole numbers as int64, null where negative."""
    return ints(values, values >= 0)


def times(ns: Ints) -> pa.Array:
    """Times in ns since 1970, null where 0."""
    return plain(TIME, ns.astype(np.int64, copy=False), ns != 0)


def milliseconds(ns: Ints, valid: Mask | None = None) -> pa.Array:
    """Durations in ns as float64 milliseconds: the float nearest to ns / 1e6."""
    return plain(pa.float64(), ns / 1e6, valid)


def between(first: Ints, last: Ints) -> pa.Array:
    """Milliseconds from one time to another, null where either is 0."""
    return milliseconds(last - first, (first != 0) & (last != 0))


def booleans(values: Numbers, valid: Mask | None = None) -> pa.Array:
    """Truth values of anything that is 0 or not."""
    bits = pa.py_buffer(np.packbits(values != 0, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [bitmap(valid), bits])


def text_array(ends: Ints, content: Bytes, valid: Mask | None = None) -> pa.Array:
    """UTF-8 bytes cut at ``ends`` (n + 1)."""
    return pa.Array.from_buffers(TEXT, len(ends) - 1, [bitmap(valid), pa.py_buffer(ends), pa.py_buffer(content)])


def spans(data: Bytes, positions: Numbers, sizes: Numbers) -> pa.Array:
    """Spans of bytes from the network as text, escaped as ``text_kernels`` says; null where the size is 0."""
    at = np.ascontiguousarray(positions, np.int64)
    size = np.ascontiguousarray(sizes, np.int64)
    ends = np.zeros(len(at) + 1, np.int64)
    measure_text(data, at, size, ends)
    content = np.empty(int(ends[-1]), np.uint8)
    write_text(data, at, size, ends, content)
    return text_array(ends, content, size > 0)


def addresses(hi: Numbers, lo: Numbers, versions: Numbers) -> pa.Array:
    """IP addresses as text; null where the version is neither 4 nor 6."""
    high, low = np.ascontiguousarray(hi, np.uint64), np.ascontiguousarray(lo, np.uint64)
    version = np.ascontiguousarray(versions, np.int64)
    ends = np.zeros(len(high) + 1, np.int64)
    content = np.empty(ADDRESS_WIDTH * len(high), np.uint8)
    top = write_addresses(high, low, version, ends, content)
    return text_array(ends, content[:top], (version == 4) | (version == 6))


def padded(rows: Bytes) -> pa.Array:
    """ASCII text of (n, width) bytes, filled up with zeros; null where there is none."""
    there = rows != 0
    ends = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(there.sum(axis=1), out=ends[1:])
    return text_array(ends, rows[there], ends[1:] > ends[:-1])


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


def words(values: Sequence[str | None]) -> pa.Array:
    """Strings of ours (names, not what the network says) as text; null where None."""
    encoded = [(value or "").encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return text_array(ends, np.frombuffer(b"".join(encoded), np.uint8), np.array([value is not None for value in values], np.bool_))


def constant(word: str | None) -> pa.Scalar:
    """One word for all rows."""
    return words([word])[0]


def number(value: int) -> pa.Scalar:
    """One whole number for all rows."""
    return ints(np.array([value]))[0]


def truths_or_none(values: Sequence[bool | None]) -> pa.Array:
    """Truth values of Python (rare things only); null where None."""
    return booleans(np.array([value is True for value in values], np.bool_), np.array([value is not None for value in values], np.bool_))


def unpack(bits: pa.Buffer, array: pa.Array) -> Mask:
    """One bit per row of an array, as truth values."""
    flat = np.frombuffer(bits, np.uint8)
    return np.unpackbits(flat, count=array.offset + len(array), bitorder="little")[array.offset :].view(np.bool_)


def is_there(array: pa.Array) -> Mask:
    """Which rows are not null."""
    bits = array.buffers()[0]
    return np.ones(len(array), np.bool_) if bits is None or len(array) == 0 else unpack(bits, array)


def is_true(array: pa.Array) -> Mask:
    """Which rows of truth values are true; null is not."""
    return unpack(array.buffers()[1], array) & is_there(array) if len(array) else np.zeros(0, np.bool_)


def values_of(array: pa.Array, kind: npt.DTypeLike) -> Numbers:
    """The values of a column of numbers without a copy; what stands behind a null is anything."""
    dtype = np.dtype(kind)
    return np.frombuffer(array.buffers()[1], dtype, len(array), dtype.itemsize * array.offset) if len(array) else np.zeros(0, dtype)


def named(values: Numbers, name_of: Callable[[int], Any], valid: Mask | None = None) -> pa.Array:
    """The name of each code (``name_of`` is called once per distinct code), null where not valid or where it says None."""
    found, index = distinct(values)
    return words([name_of(code) for code in found]).take(ints(index, valid))


def chosen(names: Sequence[str | None], index: Numbers, valid: Mask | None = None) -> pa.Array:
    """Names by their place; null where not valid."""
    return words(names).take(ints(index, valid))


def lists(lengths: Numbers, children: pa.Array) -> pa.Array:
    """Consecutive children as lists of the given lengths; null where the length is 0."""
    ends = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    kind = pa.list_(children.type)
    return pa.Array.from_buffers(kind, len(lengths), [bitmap(lengths > 0), pa.py_buffer(ends)], children=[children])


def spread(array: pa.Array, places: Ints) -> pa.Array:
    """Rows of an array at these places; null where the place is -1."""
    return array.take(codes(places))


def texts(values: Sequence[str | None]) -> pa.Array:
    """Strings of Python (rare things only) as text, escaped like any bytes from the network; null where None or empty."""
    encoded = [(value or "").encode("utf-8", "surrogatepass") for value in values]
    sizes = np.array([len(one) for one in encoded], np.int64)
    return spans(np.frombuffer(b"".join(encoded), np.uint8), np.cumsum(sizes) - sizes, sizes)


def joined(*parts: pa.Array | str) -> pa.Array:
    """Texts one after the other, row by row; null where one of them is null."""
    return pc.binary_join_element_wise(*(constant(part) if isinstance(part, str) else part for part in (*parts, "")))
