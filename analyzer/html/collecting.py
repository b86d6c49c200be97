"""What an HTML report keeps of the tables that go by: the connections that matter most whole, of all others only what sums need.

Memory stays bounded whatever the capture: a list of connections and one of stories that are pruned by relevance, lookups and statistics
up to a limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.html.pages import EXCHANGE_COLUMNS
from analyzer.report.built import is_there, is_true, values_of
from analyzer.report.columns import Sheet
from analyzer.report.pages import MEMBERS as PAGE_MEMBERS
from analyzer.report.summary import SEVERITY_RANK, SHOWN_PHASES, Summary, dicts
from analyzer.report.text import constant, ints
from analyzer.story.case import LOOKUP_COLUMNS, rows_at
from analyzer.tables import Ints
from analyzer.tables.lifecycle import PHASES

MOST_CONNECTIONS: Final = 20_000  # that can be listed, sorted and searched
MOST_STORIES: Final = 1000  # connections whose story is told
MOST_STATISTICS: Final = 200_000  # connections that the distributions and the map are made of: the first ones
MOST_LOOKUPS: Final = 200_000
MOST_EXAMPLES: Final = 50  # places of one rule that are listed
MOST_EXCHANGES: Final = 50_000  # HTTP exchanges that page loads are drawn from
MOST_ROWS: Final = 1000  # rows of any other table
SLACK: Final = 4  # lists are pruned when they have grown by this factor

LISTED: Final = (
    "connection", "start_time", "duration_ms", "transport", "originator_ip", "originator_port", "responder_ip", "responder_port", "service",
    "host", "state", "history", "http_method", "http_url", "http_status", "tls_version", "tls_cipher_suite", "originator_bytes",
    "responder_bytes", "first_frame", "last_frame", "findings",
    *(f"{phase}_{what}" for phase in PHASES for what in ("ms", "basis", "first_frame", "last_frame")),
)  # fmt: skip
"""Columns of a connection in the list."""

COUNTED: Final = (
    "connection", "start_time", "duration_ms", "originator_ip", "responder_ip", "host", "service", "transport", "tls_version",
    "tls_cipher_suite", "originator_bytes", "responder_bytes", *(f"{phase}_ms" for phase in SHOWN_PHASES), "dns_to_connect_ms",
    "tcp_to_tls_ms",
)  # fmt: skip
"""Columns that statistics are made of."""


class Ranked:
    """Rows of one or more tables that belong to the connections that matter most; pruned as it grows."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._scores: list[tuple[Ints, Any]] = []
        self._batches: dict[str, list[pa.RecordBatch]] = {}
        self._held = 0

    def add(self, numbers: Ints, scores: Any, tables: Mapping[str, pa.RecordBatch]) -> None:
        """Rows of connections ``numbers`` with their relevance."""
        self._scores.append((numbers, scores))
        self._held += len(numbers)
        for name, batch in tables.items():
            if batch.num_rows:
                self._batches.setdefault(name, []).append(batch)
        if self._held > SLACK * self._most:
            self._prune()

    def _prune(self) -> None:
        numbers, scores = self._joined()
        kept = best(numbers, scores, self._most)
        self._scores = [(numbers[kept], scores[kept])]
        self._held = len(kept)
        chosen = pa.array(np.sort(numbers[kept]), pa.int64())
        for name, batches in self._batches.items():
            table = pa.Table.from_batches(batches)
            self._batches[name] = table.filter(pc.is_in(table["connection"], value_set=chosen)).combine_chunks().to_batches()

    def _joined(self) -> tuple[Ints, Any]:
        if not self._scores:
            return np.zeros(0, np.int64), np.zeros(0)
        return np.concatenate([one for one, _ in self._scores]), np.concatenate([one for _, one in self._scores])

    @property
    def numbers(self) -> list[int]:
        """The connections kept, the most relevant first."""
        numbers, scores = self._joined()
        found: list[int] = numbers[best(numbers, scores, self._most)].tolist()
        return found

    def tables(self) -> dict[str, pa.Table]:
        """What was kept."""
        self._prune()
        return {name: pa.Table.from_batches(batches) for name, batches in self._batches.items() if batches}


def best(numbers: Ints, scores: Any, most: int) -> Ints:
    """Places of the highest scores, of equal ones the connection that began first."""
    order: Ints = np.lexsort((numbers, -scores))[:most]
    return order


class Collector:
    """Takes flush after flush; afterwards its attributes are what the report shows."""

    def __init__(self) -> None:
        self.summary = Summary(0)
        self.listed = Ranked(MOST_CONNECTIONS)
        self.told = Ranked(MOST_STORIES)
        self.facts: list[dict[str, Any]] = []
        self.statistics: list[pa.RecordBatch] = []
        self.lookups: list[pa.RecordBatch] = []
        self.others: dict[str, list[pa.RecordBatch]] = {}
        self.examples: dict[str, list[dict[str, Any]]] = {}
        self.rules: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()
        self.exchanges: list[pa.RecordBatch] = []
        self.pages: dict[str, list[dict[str, Any]]] = {"pages": [], PAGE_MEMBERS: []}
        self._statistics = self._lookups = self._exchanges = 0

    def add(self, tables: Mapping[str, Sheet]) -> None:
        """One flush."""
        self.summary.add(tables)
        connections = tables["connections"]
        numbers = values_of(connections.column("connection"), np.int64)
        scores = self._scores(connections, tables["findings"], numbers)
        self._add_listed(connections, numbers, scores)
        self._add_told(tables, numbers, scores)
        self._add_findings(tables["findings"])
        if self._statistics < MOST_STATISTICS:
            batch = connections.select(list(COUNTED)).slice(0, MOST_STATISTICS - self._statistics)
            self.statistics.append(batch)
            self._statistics += batch.num_rows
        if self._lookups < MOST_LOOKUPS:
            batch = tables["dns"].select([*LOOKUP_COLUMNS]).slice(0, MOST_LOOKUPS - self._lookups)
            self.lookups.append(batch)
            self._lookups += batch.num_rows
        self._add_pages(tables)
        for name, sheet in tables.items():
            if name == "capture":
                self.facts += sheet.to_pylist()
            else:
                self._add_other(name, sheet)

    def _add_pages(self, tables: Mapping[str, Sheet]) -> None:
        """Page loads, and the exchanges they may be made of."""
        if self._exchanges < MOST_EXCHANGES and tables["http"].num_rows:
            batch = tables["http"].select(list(EXCHANGE_COLUMNS)).slice(0, MOST_EXCHANGES - self._exchanges)
            self.exchanges.append(batch)
            self._exchanges += batch.num_rows
        for name, rows in self.pages.items():
            if name in tables and len(rows) < MOST_EXCHANGES:
                self.pages[name] += dicts(tables[name].arrow())

    def _add_other(self, name: str, sheet: Sheet) -> None:
        """The first rows of every table."""
        room = MOST_ROWS - self.rows[name]
        self.rows[name] += sheet.num_rows
        if room > 0 and sheet.num_rows:
            self.others.setdefault(name, []).append(sheet.slice(0, room).arrow())

    @staticmethod
    def _scores(connections: Sheet, findings: Sheet, numbers: Ints) -> Any:
        """How relevant each connection is: the worst finding counts most, then how long its phases took; lookups without one come last."""
        total = np.zeros(len(numbers))
        for name in SHOWN_PHASES:
            column = connections.column(f"{name}_ms")
            total += np.where(is_there(column), values_of(column, np.float64), 0.0)
        worst: dict[int, int] = {}
        if findings.num_rows:
            ranks = [SEVERITY_RANK[severity] for severity in findings.column("severity").to_pylist()]
            owners = values_of(findings.column("connection"), np.int64)
            for at in np.argsort(ranks, kind="stable").tolist():
                worst[int(owners[at])] = ranks[at]
        rank = np.array([worst.get(number, 0) for number in numbers.tolist()], np.float64) if worst else np.zeros(len(numbers))
        lookup = is_true(pc.equal(connections.column("service"), constant("dns")))
        rank = np.where(lookup & (rank == 0), -1.0, rank)
        return rank * 1e12 + np.minimum(np.maximum(total, 0.0), 1e11)

    def _add_listed(self, connections: Sheet, numbers: Ints, scores: Any) -> None:
        at = np.sort(best(numbers, scores, MOST_CONNECTIONS))
        batch = connections.select(list(LISTED)).take(ints(at).arrow())
        self.listed.add(numbers[at], scores[at], {"connections": batch})

    def _add_told(self, tables: Mapping[str, Sheet], numbers: Ints, scores: Any) -> None:
        at = np.sort(best(numbers, scores, MOST_STORIES))
        chosen = numbers[at]
        kept = {}
        for name, sheet in tables.items():
            if "connection" in sheet.schema.names and name not in ("dns", *self.pages) and not name.startswith("zeek"):
                owners = values_of(sheet.column("connection"), np.int64)
                kept[name] = rows_at(sheet, np.flatnonzero(np.isin(owners, chosen)))
        self.told.add(chosen, scores[at], kept)

    def _add_findings(self, findings: Sheet) -> None:
        """How often each rule fired, and its first places."""
        rules = findings.column("rule").to_pylist()
        self.rules.update(rules)
        wanted = []
        for at, rule in enumerate(rules):
            places = self.examples.setdefault(rule, [])
            if len(places) < MOST_EXAMPLES:
                places.append({})
                wanted.append((at, rule, len(places) - 1))
        if wanted:
            rows = dicts(rows_at(findings, np.array([at for at, _, _ in wanted])))
            for (_, rule, place), row in zip(wanted, rows, strict=True):
                self.examples[rule][place] = row
