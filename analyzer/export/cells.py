"""Columns of the report as the arrays that the row kernels read, a slice of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analyzer.export import row_kernels as rk
from analyzer.export.row_kernels import write_csv, write_json
from analyzer.report.built import Built, ListColumn, NumberColumn, TextColumn, Texts
from analyzer.report.columns import Sheet
from analyzer.report.text import words
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
_ESCAPED: Final = 6  # bytes that one byte of text can become: \u001f


def kind_of(data_type: pa.DataType) -> int:
    """How a column of this Arrow type is written."""
    return _KINDS[data_type]


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
    """Gathers the texts and the numbers in lists of all columns of a slice; a text that stands in several columns is there once."""

    def __init__(self) -> None:
        self.ends: list[Ints] = []
        self.pieces: list[Bytes] = []
        self.numbers: list[Ints] = []
        self._places: dict[Texts, int] = {}
        self._top = self._elements = self._count = 0

    def add_texts(self, texts: Texts) -> int:
        """Place of the first of them."""
        first = self._places.get(texts)
        if first is not None:
            return first
        ends = texts.ends
        first = self._places[texts] = self._elements
        self.ends.append(ends + (self._top - int(ends[0])))
        self.pieces.append(texts.content[int(ends[0]) : int(ends[-1])])
        self._top += int(ends[-1] - ends[0])
        self._elements += len(ends)  # the last end of one is the first place of nothing: places stay apart
        return first

    def add_numbers(self, column: NumberColumn) -> int:
        """Place of the first number."""
        first = self._count
        self.numbers.append(column.values.astype(np.int64))
        self._count += len(column)
        return first


def is_plain(column: TextColumn) -> bool:
    """Whether a text column has nothing that CSV quotes: the kernel copies its texts as they are."""
    ends = column.texts.ends
    if column.texts.has_marks:
        return False
    return column.texts.has_no_empty or bool((np.diff(ends)[column.places[column.places >= 0]] > 0).all())


def _fill(row: Ints, column: Built, collector: _Collector) -> None:
    """The values of one column; see ``row_kernels``."""
    if isinstance(column, NumberColumn):
        row[:] = column.values
        if column.valid is not None:
            row[~column.valid] = rk.NULL
        return
    if isinstance(column, TextColumn):
        np.add(column.places, collector.add_texts(column.texts), out=row)
    else:
        children = column.children
        first = collector.add_texts(children.in_order()) if isinstance(children, TextColumn) else collector.add_numbers(children)
        np.add(column.firsts(), first, out=row)
    row[column.places < 0] = rk.NULL


def take_cells(sheet: Sheet, names: Sequence[str], kinds: Sequence[int]) -> Cells:
    """The columns of (a slice of) a sheet, at least one row, for the kernels."""
    rows = sheet.num_rows
    values = np.empty((len(kinds), rows), np.int64)
    lengths = np.zeros((len(kinds), rows), np.int64)
    collector = _Collector()
    told = words(names).texts
    first_name = collector.add_texts(told)
    for place, column in enumerate(sheet.columns):
        _fill(values[place], column, collector)
        if isinstance(column, ListColumn):
            lengths[place] = column.lengths()
    return Cells(
        np.array(kinds, np.int64),
        values,
        lengths,
        np.concatenate(collector.ends),
        np.concatenate(collector.pieces),
        np.concatenate([np.zeros(0, np.int64), *collector.numbers]),
        first_name,
    )


class Lines:
    """Turns batches of one table into bytes: CSV records or JSON objects. Keeps one output buffer for all slices."""

    def __init__(self, names: Sequence[str], kinds: Sequence[int]) -> None:
        self._names = list(names)
        self._kinds = list(kinds)
        self._out: Bytes = np.empty(1 << 16, np.uint8)
        self._second: Ints = np.zeros(2, np.int64)

    def _slices(self, table: Sheet | pa.RecordBatch, kinds: Sequence[int]) -> Iterator[Cells]:
        sheet = Sheet.of(table)
        for at in range(0, sheet.num_rows, SLICE):
            cells = take_cells(sheet.slice(at, SLICE) if sheet.num_rows > SLICE else sheet, self._names, kinds)
            if cells.bound() > self._out.size:
                self._out = np.empty(2 * cells.bound(), np.uint8)
            yield cells

    def _last(self) -> Ints:
        """No second was written yet."""
        self._second[:] = rk.NULL
        return self._second

    def csv(self, table: Sheet | pa.RecordBatch) -> Iterator[memoryview]:
        """Records of CSV; each piece is valid until the next is asked for."""
        table = Sheet.of(table)
        kinds = [
            rk.PLAIN if isinstance(column, TextColumn) and is_plain(column) else kind
            for column, kind in zip(table.columns, self._kinds, strict=True)
        ]
        for c in self._slices(table, kinds):
            size = write_csv(c.kinds, c.values, c.lengths, c.ends, c.content, c.numbers, self._last(), self._out)
            yield self._out[:size].data

    def tsv(self, table: Sheet | pa.RecordBatch) -> Iterator[memoryview]:
        """Lines of Zeek's tab-separated logs; each piece is valid until the next is asked for."""
        from analyzer.export.tsv_kernels import write_tsv  # noqa: PLC0415 - compiled only for those who ask

        for c in self._slices(table, self._kinds):
            size = write_tsv(c.kinds, c.values, c.lengths, c.ends, c.content, c.numbers, self._out)
            yield self._out[:size].data

    def json(self, table: Sheet | pa.RecordBatch) -> Iterator[memoryview]:
        """JSON objects, one a line; each piece is valid until the next is asked for."""
        for c in self._slices(table, self._kinds):
            size = write_json(c.first_name, c.kinds, c.values, c.lengths, c.ends, c.content, c.numbers, self._last(), self._out)
            yield self._out[:size].data
