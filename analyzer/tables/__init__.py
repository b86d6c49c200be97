"""Every row of the pipeline: the map of the house.

One module a stage, in the order of the data path. A field is declared once as (name, type, meaning with unit); ``row_type`` makes
the aligned NumPy dtype that kernels see. Conventions, true everywhere:

* times are ``ts`` or ``*_ts``: int64 nanoseconds since 1970-01-01 UTC, 0 = absent (NO_TIME), never a float;
* frame numbers are ``number`` or ``*_number``: int64, counted from 1 as Wireshark does, 0 = absent;
* a span is ``x`` and ``x_size``: position and length in the memory or text that the table's docstring names; size 0 = absent;
* ``connection`` is a row of the connection tables (int32, -1 = none); rows are reused, ``number`` of a CONNECTION is for people;
* ``sender`` is 0 for the end that sent the connection's first packet and 1 for the other: it never changes, whichever end turns
  out to be the originator (see CONNECTION.flipped);
* no field has a name that ndarray has (flags, size, data, base, shape, T, ...), so that record arrays work as plain Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from analyzer.tables.clear_kernels import clear_words

Rows: TypeAlias = np.recarray[Any, np.dtype[Any]]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]

PIECE_BYTES = 1 << 18  # of a table, looked at when it grows
NO_TIME = 0
NONE = -1


MEANINGS: dict[str, dict[str, str]] = {}
"""Table name -> field name -> what the field means, filled by row_type."""


def row_type(table: str, *fields: tuple[str, Any, str]) -> np.dtype[Any]:
    """Aligned structured dtype of one table from (name, type, meaning) triples; the meanings go to MEANINGS."""
    MEANINGS[table] = {name: meaning for name, _, meaning in fields}
    return np.dtype([(name, kind) for name, kind, _ in fields], align=True)


def new_table(row: np.dtype[Any], rows: int) -> Rows:
    """A table of zeroed rows; untouched pages of a large one cost no memory."""
    return np.zeros(rows, row).view(np.recarray)


def grow_table(table: Rows, rows: int) -> Rows:
    """A table with at least ``rows`` rows that begins with those of ``table`` (at least doubled, the rest zeroed)."""
    if rows <= table.shape[0]:
        return table
    bigger = new_table(table.dtype, max(rows, 2 * table.shape[0]))
    old, new = _whole(table), _whole(bigger)
    step = max(1, PIECE_BYTES // table.dtype.itemsize)
    for at in range(0, table.shape[0], step):
        piece = old[at : at + step]
        if piece.view(np.uint8).any():  # what was never written stays memory that is not there
            new[at : at + len(piece)] = piece
    return bigger


def plain_rows(table: Rows) -> Rows:
    """The same rows, fields only by ``["name"]``: in a tenth of the time that a record array takes to find out what it is.

    For Python code that looks at many fields. Kernels want ``table.view(np.recarray)`` again; ``take_rows`` and ``join_tables`` keep
    plain rows plain.
    """
    return cast("Rows", table.view(np.ndarray).view(np.dtype((np.void, table.dtype))))


def _whole(table: Rows) -> npt.NDArray[np.void]:
    """The rows as bytes without fields: NumPy copies them twenty times faster than field by field."""
    return table.view(np.ndarray).view(np.dtype((np.void, table.dtype.itemsize)))


def take_rows(table: Rows, rows: Ints) -> Rows:
    """A copy of the given rows of a contiguous table; those beyond its end are zero, as if it had grown."""
    if len(rows) == 0 or int(rows.max()) < table.shape[0]:
        return _like(table, np.take(_whole(table), rows))
    taken = np.zeros(len(rows), table.dtype)
    inside = np.flatnonzero(rows < table.shape[0])
    taken.view(np.dtype((np.void, table.dtype.itemsize)))[inside] = _whole(table)[rows[inside]]
    return _like(table, taken)


def clear_rows(table: Rows, rows: Ints) -> None:
    """Zero the given rows (int64) of a contiguous table; those beyond its end are zero anyway."""
    words, rest = divmod(table.dtype.itemsize, 8)
    if rest == 0:
        clear_words(table.view(np.ndarray).view(np.int64).reshape(-1, words), rows)
        return
    whole = _whole(table)
    whole[rows[rows < table.shape[0]]] = np.zeros((), whole.dtype)


def join_tables(tables: Sequence[Rows]) -> Rows:
    """The rows of tables of one type, one after the other."""
    return _like(tables[0], np.concatenate([_whole(table) for table in tables]))


def _like(table: Rows, rows: npt.NDArray[np.void]) -> Rows:
    """Rows as bytes with the fields of a table, and attributes if it has them."""
    return rows.view(table.dtype).view(type(table))
