"""Columns as they are built: numbers where they stand in the rows of a stage, texts by their place among the bytes that hold them.

Most columns go to a writer that wants neither Arrow's validity bits nor a copy, so they become Arrow only where somebody asks. A text
that stands in many rows or tables is there once: ``take`` moves places, not bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analyzer.tables import Bytes, Ints

Mask: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[Any]

TEXT = pa.large_string()
TIME = pa.timestamp("ns", tz="UTC")
TRUTH = pa.bool_()
MILLISECONDS = pa.float64()


def bitmap(valid: Mask | None) -> pa.Buffer | None:
    """Arrow's validity bits of a mask; None when every row is valid."""
    if valid is None or bool(valid.all()):
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


class _Column:
    """What all columns can do."""

    def arrow(self) -> pa.Array:
        """The column as Arrow has it."""
        raise NotImplementedError

    def to_pylist(self) -> list[Any]:
        """Its values as Python has them."""
        values: list[Any] = self.arrow().to_pylist()
        return values


@dataclass(frozen=True, eq=False)
class NumberColumn(_Column):
    """Numbers, times, durations or truths.

    Attributes:
        type: of the Arrow column.
        values: (n,) of any integer type, perhaps a field of a table; durations in ns (MILLISECONDS says so), a truth is what is not 0.
        valid: (n,) False where absent; None: nowhere.
    """

    type: pa.DataType
    values: Numbers
    valid: Mask | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, places: Ints) -> NumberColumn:
        """The rows at these places, absent where the place is -1."""
        there = places >= 0
        if len(self.values) == 0:
            return NumberColumn(self.type, np.zeros(len(places), np.int64), there)
        at = np.maximum(places, 0)
        return NumberColumn(self.type, self.values[at], there if self.valid is None else there & self.valid[at])

    def slice(self, at: int, rows: int) -> NumberColumn:
        """Some rows."""
        return NumberColumn(self.type, self.values[at : at + rows], None if self.valid is None else self.valid[at : at + rows])

    def is_there(self) -> Mask:
        """Which rows are not absent."""
        return np.ones(len(self), np.bool_) if self.valid is None else self.valid

    def arrow(self) -> pa.Array:
        """The column as Arrow has it; milliseconds are the floats nearest to ns / 1e6."""
        if self.type == TRUTH:
            content: Numbers = np.packbits(self.values != 0, bitorder="little")
        elif self.type == MILLISECONDS:
            content = self.values / 1e6
        else:
            content = np.ascontiguousarray(self.values, np.int64)
        return pa.Array.from_buffers(self.type, len(self), [bitmap(self.valid), pa.py_buffer(content)])


@dataclass(frozen=True, eq=False)
class Texts:
    """UTF-8 bytes cut at ``ends`` (m + 1): what the places of text columns point to."""

    ends: Ints
    content: Bytes

    @cached_property
    def has_marks(self) -> bool:
        """Whether a byte is in it for which CSV wants quotation marks."""
        content = self.content.tobytes()
        return any(mark in content for mark in (b",", b'"', b"\r", b"\n"))

    @cached_property
    def has_no_empty(self) -> bool:
        """Whether each of them has at least one byte."""
        return bool((self.ends[1:] > self.ends[:-1]).all())

    @cached_property
    def arrow(self) -> pa.Array:
        """All of them as Arrow has them."""
        buffers = [None, pa.py_buffer(np.ascontiguousarray(self.ends)), pa.py_buffer(self.content)]
        return pa.Array.from_buffers(TEXT, len(self.ends) - 1, buffers)


@dataclass(frozen=True, eq=False)
class TextColumn(_Column):
    """Texts by their ``places`` (n,), -1 where absent."""

    texts: Texts
    places: Ints
    type = TEXT

    def __len__(self) -> int:
        return len(self.places)

    def take(self, places: Ints) -> TextColumn:
        """The rows at these places, absent where the place is -1."""
        return TextColumn(self.texts, _places_at(self.places, places))

    def slice(self, at: int, rows: int) -> TextColumn:
        """Some rows."""
        return TextColumn(self.texts, self.places[at : at + rows])

    def is_there(self) -> Mask:
        """Which rows are not absent."""
        return self.places >= 0

    def in_order(self) -> Texts:
        """Texts of which the k-th is that of row k; empty where absent."""
        is_so = len(self.texts.ends) == len(self.places) + 1 and bool((self.places == np.arange(len(self.places))).all())
        return self.texts if is_so else texts_of(self.arrow())

    def arrow(self) -> pa.Array:
        """The column as Arrow has it."""
        return self.texts.arrow.take(NumberColumn(pa.int64(), self.places, self.is_there()).arrow())


@dataclass(frozen=True, eq=False)
class ListColumn(_Column):
    """Lists by their ``places`` (n,), -1 where absent: list k holds the children ``ends[k]`` to ``ends[k + 1]``."""

    children: NumberColumn | TextColumn
    ends: Ints
    places: Ints

    @property
    def type(self) -> pa.DataType:
        """Of the Arrow column."""
        return pa.list_(self.children.type)

    def __len__(self) -> int:
        return len(self.places)

    def take(self, places: Ints) -> ListColumn:
        """The rows at these places, absent where the place is -1."""
        return ListColumn(self.children, self.ends, _places_at(self.places, places))

    def slice(self, at: int, rows: int) -> ListColumn:
        """Some rows."""
        return ListColumn(self.children, self.ends, self.places[at : at + rows])

    def is_there(self) -> Mask:
        """Which rows are not absent."""
        return self.places >= 0

    def lengths(self) -> Ints:
        """How many elements each row has; 0 where absent."""
        sizes = np.append(np.diff(self.ends), 0)  # place -1 finds the 0
        return sizes[self.places]

    def only(self) -> NumberColumn | TextColumn:
        """The elements of the lists that have exactly one, absent where a list has not."""
        return self.children.take(np.where(self.lengths() == 1, self.firsts(), -1))

    def firsts(self) -> Ints:
        """Where among the children each row begins; 0 where absent."""
        return np.where(self.places >= 0, self.ends[np.maximum(self.places, 0)], 0)

    def arrow(self) -> pa.Array:
        """The column as Arrow has it."""
        ends = self.ends.astype(np.int32)
        whole = pa.Array.from_buffers(self.type, len(ends) - 1, [None, pa.py_buffer(ends)], children=[self.children.arrow()])
        return whole.take(NumberColumn(pa.int64(), self.places, self.is_there()).arrow())


Built: TypeAlias = NumberColumn | TextColumn | ListColumn


def _places_at(found: Ints, places: Ints) -> Ints:
    """The place found at each place; -1 stays -1."""
    if len(found) == 0:
        return np.full(len(places), -1, np.int64)
    return np.where(places >= 0, found[np.maximum(places, 0)], -1)


def _unpack(bits: pa.Buffer, array: pa.Array) -> Mask:
    """One bit per row of an array, as truth values."""
    flat = np.frombuffer(bits, np.uint8)
    return np.unpackbits(flat, count=array.offset + len(array), bitorder="little")[array.offset :].view(np.bool_)


def is_there(array: pa.Array | Built) -> Mask:
    """Which rows are not null."""
    if not isinstance(array, pa.Array):
        return array.is_there()
    bits = array.buffers()[0]
    return np.ones(len(array), np.bool_) if bits is None or len(array) == 0 else _unpack(bits, array)


def is_true(array: pa.Array) -> Mask:
    """Which rows of truth values are true; null is not."""
    return _unpack(array.buffers()[1], array) & is_there(array) if len(array) else np.zeros(0, np.bool_)


def values_of(array: pa.Array, kind: npt.DTypeLike) -> Numbers:
    """The values of a column of numbers without a copy; what stands behind a null is anything."""
    dtype = np.dtype(kind)
    return np.frombuffer(array.buffers()[1], dtype, len(array), dtype.itemsize * array.offset) if len(array) else np.zeros(0, dtype)


def texts_of(array: pa.Array) -> Texts:
    """The texts of an Arrow column; empty where it is null."""
    if len(array) == 0:
        return Texts(np.zeros(1, np.int64), np.zeros(0, np.uint8))
    ends = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, 8 * array.offset)
    content = array.buffers()[2]
    return Texts(ends, np.zeros(0, np.uint8) if content is None else np.frombuffer(content, np.uint8))


def simple_from_arrow(array: pa.Array) -> NumberColumn | TextColumn:
    """A column of numbers or texts that was computed by Arrow."""
    valid = is_there(array)
    if array.type == TEXT:
        return TextColumn(texts_of(array), np.where(valid, np.arange(len(array)), -1))
    if array.type == TRUTH:
        truths = _unpack(array.buffers()[1], array) if len(array) else np.zeros(0, np.bool_)
        return NumberColumn(TRUTH, truths, valid)
    if array.type == MILLISECONDS:
        with np.errstate(all="ignore"):  # what stands behind a null is anything
            return NumberColumn(MILLISECONDS, np.rint(values_of(array, np.float64) * 1e6).astype(np.int64), valid)
    return NumberColumn(array.type, values_of(array, np.int64), valid)


def from_arrow(array: pa.Array) -> Built:
    """A column that was computed by Arrow."""
    if not pa.types.is_list(array.type):
        return simple_from_arrow(array)
    offsets = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, 4 * array.offset) if len(array) else np.zeros(1, np.int32)
    places = np.where(is_there(array), np.arange(len(array)), -1)
    return ListColumn(simple_from_arrow(array.values), offsets.astype(np.int64), places)


def as_arrow(column: pa.Array | Built) -> pa.Array:
    """A column as Arrow has it, whoever made it."""
    return column if isinstance(column, pa.Array) else column.arrow()
