"""Arrow columns as the arrays that the row kernels read, a slice of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analyzer.export import row_kernels as rk
from analyzer.export.row_kernels import write_csv, write_json
from analyzer.report.text import Mask, is_there, unpack, words
from analyzer.tables import Bytes, Ints

SLICE: Final = 16_000  # rows written at a time

_KINDS: Final = {
    pa.int64(): rk.WHOLE,
    pa.float64(): rk.MILLIONTHS,
    pa.timestamp("ns", tz="UTC"): rk.ISO_TIME,
    pa.bool_(): rk.TRUTH,
    pa.large_string(): rk.STRING,
    pa.list_(pa.large_string()): rk.STRINGS,
    pa.list_(pa.int64()): rk.WHOLES,
}
_LISTS: Final = (rk.STRINGS, rk.WHOLES, rk.REALS)
_TEXTS: Final = (rk.STRING, rk.STRINGS)
_ESCAPED: Final = 6  # bytes that one byte of text can become: \u001f


def kind_of(data_type: pa.DataType) -> int:
    """How a column of this Arrow type is written."""
    return _KINDS[data_type]


def numbers_of(array: pa.Array) -> Ints:
    """Values of a column of eight-byte numbers or truths as int64 (milliseconds: as the nanoseconds they came from); nulls undefined."""
    if len(array) == 0:
        return np.zeros(0, np.int64)
    if array.type == pa.bool_():
        return unpack(array.buffers()[1], array).astype(np.int64)
    if array.type == pa.float64():
        floats = np.frombuffer(array.buffers()[1], np.float64, len(array), 8 * array.offset)
        with np.errstate(all="ignore"):  # what stands behind a null is anything
            return np.rint(floats * 1e6).astype(np.int64)
    return np.frombuffer(array.buffers()[1], np.int64, len(array), 8 * array.offset)


def nulls_of(array: pa.Array) -> Mask | None:
    """Which rows are null; None when none is."""
    if array.null_count == 0:
        return None
    return np.logical_not(is_there(array))


def text_of(array: pa.Array) -> tuple[Ints, Bytes]:
    """Offsets (n + 1) into the bytes of a large_string array, and those bytes."""
    if len(array) == 0:
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    ends = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, 8 * array.offset)
    content = array.buffers()[2]
    return ends, np.zeros(0, np.uint8) if content is None else np.frombuffer(content, np.uint8)


@dataclass
class Cells:
    """What the kernels take: see ``row_kernels``. ``first_name`` is the element of the first column's name."""

    kinds: Ints
    values: npt.NDArray[np.int64]
    lengths: Ints
    ends: Ints
    content: Bytes
    numbers: Ints
    first_name: int

    def bound(self) -> int:
        """No more bytes than this can come out: every cell at its widest, every byte of text escaped."""
        rows = int(self.values.shape[1])
        cells = rows * len(self.kinds)
        names = int(self.ends[self.first_name + len(self.kinds)] - self.ends[self.first_name])
        elements = len(self.ends) + len(self.numbers)
        return _ESCAPED * (len(self.content) + rows * names) + (rk.WIDEST + 8) * (cells + elements) + 4 * rows + 64


class _Collector:
    """Gathers the text and numbers of all columns of a slice."""

    def __init__(self) -> None:
        self.ends: list[Ints] = []
        self.pieces: list[Bytes] = []
        self.numbers: list[Ints] = []
        self.top = self.elements = self.count = 0

    def add_text(self, array: pa.Array) -> int:
        """Place of the first element of a text array."""
        ends, content = text_of(array)
        first = self.elements
        self.ends.append(ends + (self.top - int(ends[0])))
        self.pieces.append(content[int(ends[0]) : int(ends[-1])])
        self.top += int(ends[-1] - ends[0])
        self.elements += len(ends)  # the last end of one array is the first place of nothing: places stay apart
        return first

    def add_numbers(self, array: pa.Array) -> int:
        """Place of the first number."""
        first = self.count
        self.numbers.append(numbers_of(array))
        self.count += len(array)
        return first


def take_cells(batch: pa.RecordBatch, names: Sequence[str], kinds: Sequence[int]) -> Cells:
    """The columns of a (slice of a) batch, at least one row, for the kernels."""
    rows = batch.num_rows
    values = np.empty((len(kinds), rows), np.int64)
    lengths = np.zeros((len(kinds), rows), np.int64)
    collector = _Collector()
    first_name = collector.add_text(words(names))
    for place, (array, kind) in enumerate(zip(batch.columns, kinds, strict=True)):
        row = values[place]
        if kind in _LISTS:
            offsets = np.frombuffer(array.buffers()[1], np.int32, rows + 1, 4 * array.offset).astype(np.int64)
            inside = array.values.slice(int(offsets[0]), int(offsets[-1] - offsets[0]))
            first = collector.add_text(inside) if kind in _TEXTS else collector.add_numbers(inside)
            np.add(offsets[:-1], first - int(offsets[0]), out=row)
            lengths[place] = np.diff(offsets)
        elif kind == rk.STRING:
            first = collector.add_text(array)
            row[:] = np.arange(first, first + rows)
        else:
            row[:] = numbers_of(array)
        absent = nulls_of(array)
        if absent is not None:
            row[absent] = rk.NULL
    return Cells(
        np.array(kinds, np.int64),
        values,
        lengths,
        np.concatenate(collector.ends),
        np.concatenate(collector.pieces),
        np.concatenate([np.zeros(0, np.int64), *collector.numbers]),
        first_name,
    )


def mark_plain(cells: Cells) -> None:
    """Find text columns of a slice that have nothing to quote: the kernel copies them as they are."""
    for place in np.flatnonzero(cells.kinds == rk.STRING):
        row = cells.values[place]
        there = row[row != rk.NULL]
        if len(there) == 0:
            continue
        begin, end = cells.ends[there[0]], cells.ends[there[-1] + 1]
        content = cells.content[begin:end].tobytes()
        is_quoted = any(mark in content for mark in (b",", b'"', b"\r", b"\n"))
        if not is_quoted and (cells.ends[there + 1] > cells.ends[there]).all():
            cells.kinds[place] = rk.PLAIN


class Lines:
    """Turns batches of one table into bytes: CSV records or JSON objects. Keeps one output buffer for all slices."""

    def __init__(self, names: Sequence[str], kinds: Sequence[int]) -> None:
        self._names = list(names)
        self._kinds = list(kinds)
        self._out: Bytes = np.empty(1 << 16, np.uint8)
        self._second: Ints = np.zeros(2, np.int64)

    def _slices(self, batch: pa.RecordBatch) -> Iterator[Cells]:
        for at in range(0, batch.num_rows, SLICE):
            cells = take_cells(batch.slice(at, SLICE), self._names, self._kinds)
            if cells.bound() > self._out.size:
                self._out = np.empty(2 * cells.bound(), np.uint8)
            yield cells

    def _last(self) -> Ints:
        """No second was written yet."""
        self._second[:] = rk.NULL
        return self._second

    def csv(self, batch: pa.RecordBatch) -> Iterator[memoryview]:
        """Records of CSV; each piece is valid until the next is asked for."""
        for c in self._slices(batch):
            mark_plain(c)
            size = write_csv(c.kinds, c.values, c.lengths, c.ends, c.content, c.numbers, self._last(), self._out)
            yield self._out[:size].data

    def json(self, batch: pa.RecordBatch) -> Iterator[memoryview]:
        """JSON objects, one a line; each piece is valid until the next is asked for."""
        for c in self._slices(batch):
            size = write_json(c.first_name, c.kinds, c.values, c.lengths, c.ends, c.content, c.numbers, self._last(), self._out)
            yield self._out[:size].data
