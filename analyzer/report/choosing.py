"""A part of a report: the connections that were asked for, and what the other tables say of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa

from analyzer.report.built import Mask, values_of
from analyzer.report.columns import Sheet
from analyzer.report.heads import HEADS
from analyzer.report.pages import MEMBERS
from analyzer.tables import Ints

HELD_LOOKUPS: Final = 500_000  # rows of ``dns`` that wait for a connection that came of them; beyond it the oldest are let go

Wanted: TypeAlias = Callable[[Sheet], Mask]
"""Which rows of the table ``connections`` are wanted."""


def take_rows_of(sheet: Sheet, mask: Mask) -> Sheet:
    """The rows of a sheet where the mask is set."""
    if mask.all():
        return sheet
    rows: Ints = np.flatnonzero(mask)
    return Sheet(sheet.schema, [column.take(rows) for column in sheet.columns], len(rows))


def numbers_of(sheet: Sheet, column: str) -> Ints:
    """A column of numbers; -1 where it is absent."""
    array = sheet.column(column)
    return np.asarray(values_of(array.fill_null(-1) if array.null_count else array, np.int64))


@dataclass
class Choice:
    """Keeps the wanted connections of a report, flush by flush.

    Other tables keep the rows of these connections; ``dns`` also the lookups that they came of, ``certificates`` those that they were
    shown; ``capture``, ``dns_servers`` and ``dns_names`` speak of everything. A row of ``dns`` or ``certificates`` may come before the
    connection that makes it wanted is over: such rows wait.
    """

    wanted: Wanted
    _numbers: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    _lookups: deque[tuple[Ints, Sheet]] = field(default_factory=deque)
    _held: int = 0
    _missing: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    _certificates: dict[str, Sheet] = field(default_factory=dict)
    _asked: set[str] = field(default_factory=set)

    def apply(self, tables: Mapping[str, Sheet]) -> dict[str, Sheet]:
        """What is wanted of one flush."""
        connections = Sheet.of(tables["connections"])
        mask = self.wanted(connections)
        numbers = numbers_of(connections, "connection")[mask]
        self._numbers = np.union1d(self._numbers, numbers)
        kept: dict[str, Sheet] = {}
        for name, table in tables.items():
            sheet = Sheet.of(table)
            if name == "connections":
                kept[name] = take_rows_of(sheet, mask)
            elif name in ("pages", MEMBERS, "findings"):  # they come when the page is over, or may
                kept[name] = take_rows_of(sheet, np.isin(numbers_of(sheet, "connection"), self._numbers))
            elif name == HEADS:  # row by row beside those of ``http``
                kept[name] = take_rows_of(sheet, np.isin(numbers_of(Sheet.of(tables["http"]), "connection"), numbers))
            elif "connection" in sheet.schema.names:
                kept[name] = take_rows_of(sheet, np.isin(numbers_of(sheet, "connection"), numbers))
            else:
                kept[name] = sheet
        if "dns" in tables:
            kept["dns"] = self._choose_lookups(Sheet.of(tables["dns"]), numbers, numbers_of(kept["connections"], "dns_lookup"))
        if "certificates" in tables:
            kept["certificates"] = self._choose_certificates(Sheet.of(tables["certificates"]), kept["connection_certificates"])
        return kept

    def _choose_lookups(self, fresh: Sheet, numbers: Ints, caused: Ints) -> Sheet:
        """Lookups carried by wanted connections, and those that wanted connections came of, now or in an earlier flush."""
        wanted = np.union1d(self._missing, caused[caused >= 0])
        is_carried = np.isin(numbers_of(fresh, "connection"), numbers)
        lookups = numbers_of(fresh, "lookup")
        is_wanted = is_carried | np.isin(lookups, wanted)
        found = [take_rows_of(fresh, is_wanted)]
        seen = [lookups[is_wanted]]
        for held, sheet in self._lookups:
            at = np.isin(held, wanted)
            if at.any():
                found.append(take_rows_of(sheet, at))
                seen.append(held[at])
                held[at] = -1  # once is enough
        self._missing = np.setdiff1d(wanted, np.concatenate(seen))
        self._hold(lookups[~is_wanted], take_rows_of(fresh, ~is_wanted))
        return joined_sheets(found)

    def _hold(self, lookups: Ints, sheet: Sheet) -> None:
        if len(lookups):
            self._lookups.append((lookups, Sheet.of(sheet.arrow())))  # a copy: the flush's bytes are not kept for a few of its rows
            self._held += len(lookups)
        while self._held > HELD_LOOKUPS:
            self._held -= len(self._lookups.popleft()[0])

    def _choose_certificates(self, fresh: Sheet, links: Sheet) -> Sheet:
        """Certificates that wanted connections were shown, each once; there are few of them, so they wait as long as it takes."""
        for at, name in enumerate(fresh.column("sha256").to_pylist()):
            self._certificates[name] = Sheet.of(fresh.slice(at, 1).arrow())
        self._asked.update(links.column("sha256").to_pylist())
        known = [name for name in self._certificates if name in self._asked]
        found = [self._certificates.pop(name) for name in known]
        self._asked.difference_update(known)
        return joined_sheets(found) if found else fresh.slice(0, 0)


def joined_sheets(sheets: list[Sheet]) -> Sheet:
    """Sheets of the same columns, one below the other."""
    filled = [sheet for sheet in sheets if sheet.num_rows]
    if len(filled) < 2:
        return filled[0] if filled else sheets[0]
    batch = pa.Table.from_batches([sheet.arrow() for sheet in filled]).combine_chunks().to_batches()[0]
    return Sheet.of(batch)
