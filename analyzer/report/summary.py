"""The few numbers a person sees first, added up batch by batch in memory that does not grow with the capture."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.built import TIME, is_there, is_true, values_of
from analyzer.report.columns import Sheet
from analyzer.report.text import constant, ints
from analyzer.tables import Ints

SHOWN_PHASES: Final = ("dns", "tcp_connect", "tls_handshake", "server_wait", "response_receive")
SEVERITY_RANK: Final = {"error": 3, "warning": 2, "note": 1}
EXAMPLES = 3  # findings of one rule that are shown
DNS_SHOWN = 3  # servers and names that lookups are summed up for
COUNTED: Final = ("originator_bytes", "responder_bytes")
DISSECTORS: Final = ("dns", "tls", "http")
HOSTS_COUNTED = 200_000  # distinct hosts that are told apart
EXACT_DURATIONS = 2000  # so many durations are kept as they are: the median of a few is one of them

_BINS_PER_DOUBLING = 32  # a bin is 2.2 % wide: quantiles are exact to about one per cent
_BINS = 64 * _BINS_PER_DOUBLING
_MICROSECONDS = pa.timestamp("us")


class Durations:
    """Quantiles of durations: exact for EXACT_DURATIONS, of more in a fixed table of logarithmic bins."""

    def __init__(self) -> None:
        self._bins = np.zeros(_BINS, np.int64)
        self._few: npt.NDArray[np.float64] = np.zeros(0)

    def add(self, milliseconds: npt.NDArray[np.float64]) -> None:
        """Count durations; those below 1 ns count as 1 ns."""
        if len(self._few) < EXACT_DURATIONS:
            self._few = np.concatenate([self._few, milliseconds[: EXACT_DURATIONS - len(self._few)]])
        ns = np.maximum(milliseconds * 1e6, 1.0)
        at = np.minimum((np.log2(ns) * _BINS_PER_DOUBLING).astype(np.int64), _BINS - 1)
        self._bins += np.bincount(at, minlength=_BINS)

    @property
    def count(self) -> int:
        """Durations counted."""
        return int(self._bins.sum())

    def quantile(self, share: float) -> float:
        """Milliseconds below which this share of the durations lies; NaN when there are none."""
        if self.count == 0:
            return float("nan")
        if self.count == len(self._few):
            return float(np.sort(self._few)[max(0, math.ceil(share * self.count) - 1)])
        at = int(np.searchsorted(np.cumsum(self._bins), share * self.count))
        return float(2.0 ** ((at + 0.5) / _BINS_PER_DOUBLING) / 1e6)


def dicts(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows as dicts, times as datetimes in UTC cut to microseconds: a zone or nanoseconds would import pandas."""
    kinds = [_MICROSECONDS if kind == TIME else kind for kind in batch.schema.types]
    arrays = [array.cast(kind, safe=False) for array, kind in zip(batch.columns, kinds, strict=True)]
    rows: list[dict[str, Any]] = pa.RecordBatch.from_arrays(arrays, batch.schema.names).to_pylist()
    return rows


@dataclass(frozen=True)
class Worst:
    """The worst finding of each connection of one flush: sorted connection ``numbers``, how bad, and the row of ``batch``."""

    batch: pa.RecordBatch
    numbers: Ints
    ranks: Ints
    rows: Ints

    def ranks_of(self, numbers: Ints) -> Ints:
        """How bad the worst finding of each of these connections is; 0 = none."""
        if len(self.numbers) == 0:
            return np.zeros(len(numbers), np.int64)
        at = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return np.where(self.numbers[at] == numbers, self.ranks[at], 0)

    def finding_of(self, number: int) -> dict[str, Any] | None:
        """The worst finding of one connection as a dict of its columns."""
        at = int(np.searchsorted(self.numbers, number))
        if at == len(self.numbers) or self.numbers[at] != number:
            return None
        return dicts(self.batch.slice(int(self.rows[at]), 1))[0]


class Summary:
    """Totals over all batches, and the rows worth showing.

    ``shown`` are the ``rows`` connections with the worst findings, then the longest, as dicts of their columns;
    ``examples`` the first findings of each rule; ``slowest`` the connection of the longest duration of each phase;
    ``unread`` how often each dissector met what it could not read, by its own names; ``dns_servers`` and ``dns_names`` the rows of
    those asked most.
    """

    COLUMNS: Final = ("connection", "start_time", "transport", "host", "responder_ip", "responder_port", "service", "state", "duration_ms")

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self.connections = 0
        self.transports: Counter[str] = Counter()
        self.services: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.exchanges = 0
        self.lookups = 0
        self.originator_bytes = 0
        self.responder_bytes = 0
        self.hosts: set[str] = set()
        self.phases = {name: Durations() for name in SHOWN_PHASES}
        self.findings: Counter[tuple[str, str]] = Counter()
        self.examples: dict[str, list[dict[str, Any]]] = {}
        self.unread: dict[str, dict[str, int]] = {}
        self.dns_servers: list[dict[str, Any]] = []
        self.dns_names: list[dict[str, Any]] = []
        self.slowest: dict[str, dict[str, Any]] = {}
        self._candidates: list[tuple[tuple[int, float], dict[str, Any]]] = []

    def add(self, tables: Mapping[str, Sheet | pa.RecordBatch]) -> None:
        """Count one flush."""
        worst = self._add_findings(Sheet.of(tables["findings"]))
        self._add_connections(Sheet.of(tables["connections"]), worst)
        self.exchanges += int(is_there(tables["http"].column("request_body_bytes")).sum())  # those that were read, not inferred
        self.lookups += tables["dns"].num_rows
        if "capture" in tables:
            self._add_unread(tables["capture"])
        if "dns_servers" in tables:
            self.dns_servers = dicts(Sheet.of(tables["dns_servers"]).slice(0, DNS_SHOWN).arrow())
            self.dns_names = dicts(Sheet.of(tables["dns_names"]).slice(0, DNS_SHOWN).arrow())

    def _add_unread(self, batch: Sheet | pa.RecordBatch) -> None:
        """What the dissectors could not read, of the table that says what became of everything."""
        for fact in batch.select(["group", "name", "value"]).to_pylist():
            if fact["group"] in DISSECTORS and fact["name"] != "messages":
                self.unread.setdefault(fact["group"], {})[fact["name"]] = int(fact["value"])

    def _add_findings(self, sheet: Sheet) -> Worst:
        """Count findings and keep the first examples of each rule; the worst finding of each connection of this flush."""
        batch = sheet.arrow()
        rules = batch["rule"].dictionary_encode()
        codes = values_of(rules.indices, np.int32)
        severities = np.zeros(len(rules.dictionary), np.int64)
        for code, rule in enumerate(rules.dictionary.to_pylist()):
            rows = np.flatnonzero(codes == code)
            severity = batch["severity"][rows[0]].as_py()
            severities[code] = SEVERITY_RANK[severity]
            self.findings[severity, rule] += len(rows)
            known = self.examples.setdefault(rule, [])
            if len(known) < EXAMPLES:
                known += dicts(batch.take(ints(rows[: EXAMPLES - len(known)]).arrow()))
        numbers = values_of(batch["connection"], np.int64)
        rank = severities[codes] if len(codes) else np.zeros(0, np.int64)
        order = np.lexsort((np.arange(len(rank)), -rank, numbers))
        first = order[np.flatnonzero(np.diff(numbers[order], prepend=-1))] if len(order) else order
        return Worst(batch, numbers[first], rank[first], first)

    def _add_connections(self, sheet: Sheet, worst: Worst) -> None:
        batch = sheet.select([*self.COLUMNS, *COUNTED, *(f"{name}_ms" for name in SHOWN_PHASES)])
        self.connections += batch.num_rows
        for counter, column in ((self.transports, "transport"), (self.services, "service"), (self.states, "state")):
            for pair in pc.value_counts(batch[column]).to_pylist():
                counter[pair["values"] or ""] += pair["counts"]
        self.originator_bytes += pc.sum(batch["originator_bytes"]).as_py() or 0
        self.responder_bytes += pc.sum(batch["responder_bytes"]).as_py() or 0
        if len(self.hosts) < HOSTS_COUNTED:
            self.hosts.update(host for host in pc.unique(batch["host"]).to_pylist() if host)
        for name, durations in self.phases.items():
            durations.add(values_of(pc.drop_null(batch[f"{name}_ms"]), np.float64))
            self._find_slowest(name, batch)
        self._pick(batch, worst)

    def _find_slowest(self, name: str, batch: pa.RecordBatch) -> None:
        """Keep the connection whose phase ``name`` took longest, the first of several."""
        known = batch[f"{name}_ms"]
        if known.null_count == len(known):
            return
        at = int(np.argmax(np.where(is_there(known), values_of(known, np.float64), -1.0)))
        row = dicts(batch.select([*self.COLUMNS, f"{name}_ms"]).slice(at, 1))[0]
        before = self.slowest.get(name)
        if before is None or (-row[f"{name}_ms"], row["connection"]) < (-before[f"{name}_ms"], before["connection"]):
            self.slowest[name] = row

    def _pick(self, batch: pa.RecordBatch, worst: Worst) -> None:
        """Keep the rows that matter most of what was kept and this batch."""
        numbers = values_of(batch["connection"], np.int64)
        total = np.zeros(len(numbers))
        for name in SHOWN_PHASES:
            column = batch[f"{name}_ms"]
            total += np.where(is_there(column), values_of(column, np.float64), 0.0)
        rank = worst.ranks_of(numbers)
        is_lookup = is_true(pc.equal(batch["service"], constant("dns")))
        rank = np.where(is_lookup & (rank == 0), -1, rank)  # lookups show as a phase of what they caused
        best = np.lexsort((numbers, -total, -rank))[: self._rows]
        names = [*self.COLUMNS, *(f"{name}_ms" for name in SHOWN_PHASES)]
        chosen = batch.select(names).take(ints(best).arrow())
        for at, row in zip(best.tolist(), dicts(chosen), strict=True):
            row["finding"] = worst.finding_of(row["connection"])
            row["total_ms"] = float(total[at])
            self._candidates.append(((int(rank[at]), float(total[at])), row))
        self._candidates.sort(key=lambda candidate: (-candidate[0][0], -candidate[0][1], candidate[1]["connection"]))
        del self._candidates[self._rows :]

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The rows worth showing, by connection number."""
        return sorted((row for _, row in self._candidates), key=lambda row: int(row["connection"]))
