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

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = np.recarray[Any, np.dtype[Any]]
Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]

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
    bigger[: table.shape[0]] = table
    return bigger


def take_rows(table: Rows, rows: Ints) -> Rows:
    """A copy of the given rows."""
    return table[rows].view(np.recarray)
