"""Everything the report says of one connection, gathered while the tables go by."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from ipaddress import ip_address
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.errors import UsageError
from analyzer.report.built import TEXT, is_true, values_of
from analyzer.report.columns import Sheet
from analyzer.report.pages import MEMBERS
from analyzer.report.summary import dicts
from analyzer.report.text import ints
from analyzer.tables import Ints

Row: TypeAlias = dict[str, Any]
Flush: TypeAlias = Mapping[str, Sheet | pa.RecordBatch]

MOST_NAMED: Final = 8  # connections that a message names
LONGEST_NUMBER: Final = 18  # digits: more are no number of a connection
LOOKUP_COLUMNS: Final = (
    "lookup", "connection", "client_ip", "server_ip", "server_port", "transport", "rtt_ms", "queries", "responses", "name", "type",
    "outcome", "rcode", "answers", "answer_types", "answer_ttls_s", "truncated", "query_time", "query_frame", "response_frame",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One connection.

    Attributes:
        connection: its row of ``connections``, times as datetimes in UTC.
        tables: its rows in every other table that has a column ``connection``.
        lookups: rows of ``dns`` that its address came from, in the order of their questions.
        certificates: rows of ``certificates`` that it carried, by SHA-256.
        caused: (connection, host or address) of connections that were made with an answer this one carried.
        paths: numbers of the connections that are other paths of this one (QUIC).
        pages: the page loads that it belongs to: (row of ``pages``, its own rows of ``page_members``).
    """

    connection: Row
    tables: Mapping[str, list[Row]] = field(default_factory=dict)
    lookups: list[Row] = field(default_factory=list)
    certificates: Mapping[str, Row] = field(default_factory=dict)
    caused: list[tuple[int, str]] = field(default_factory=list)
    paths: list[int] = field(default_factory=list)
    pages: list[tuple[Row, list[Row]]] = field(default_factory=list)

    def rows(self, table: str) -> list[Row]:
        """Its rows in one table, none where that table does not exist. Exchanges that were only inferred are told by its milestones."""
        rows = self.tables.get(table, [])
        return [row for row in rows if row["basis"] != "inferred"] if table == "http" else rows

    def one(self, table: str) -> Row:
        """Its first row in a table; empty where it has none."""
        return next(iter(self.rows(table)), {})

    def get(self, column: str) -> Any:
        """A value of its row in ``connections``; None where absent, or where the report has no such column."""
        return self.connection.get(column)

    @cached_property
    def steps(self) -> dict[str, Row]:
        """Its milestones by step; of those that repeat, the first."""
        return {row["step"]: row for row in reversed(self.rows("milestones"))}

    @cached_property
    def times_by_frame(self) -> dict[int, float]:
        """Frame -> ms since its first packet, of the frames that its milestones name."""
        found: dict[int, float] = {}
        for row in self.rows("milestones"):
            since = row["since_start_ms"]
            found.setdefault(row["last_frame"], since + (row["took_ms"] or 0.0))
            found[row["first_frame"]] = min(since, found.get(row["first_frame"], since))
        return found

    @property
    def is_tcp(self) -> bool:
        """Whether it is a TCP connection."""
        return bool(self.get("transport") == "tcp")

    @property
    def is_to_a_group(self) -> bool:
        """Whether it is sent to many hosts at once (multicast, or everybody on the link)."""
        try:
            address = ip_address(str(self.get("responder_ip")))
        except ValueError:
            return False
        return address.is_multicast or str(address) == "255.255.255.255"

    @property
    def is_one_sided(self) -> bool:
        """Whether the originator goes on as if it had been answered, and no answer is in the capture."""
        return not self.get("responder_packets") and (self.get("originator_packets") or 0) > 1 + (self.get("tcp_syn_retries") or 0)

    def end(self, sender: str) -> Row:
        """Its row of ``tcp`` for one end."""
        return next((row for row in self.rows("tcp") if row["sender"] == sender), {})


def gather_cases(tables: Mapping[str, pa.Table], numbers: Collection[int]) -> dict[int, Case]:
    """The cases of some connections out of Arrow tables: ``connections`` and every other table that has a column ``connection``."""
    chosen = pa.array(sorted(numbers), pa.int64())
    rows: dict[str, dict[int, list[Row]]] = {}
    for name, table in tables.items():
        if "connection" in table.schema.names and name != "pages" and not name.startswith("zeek"):
            found = rows[name] = {}
            for row in _dicts(table.filter(pc.is_in(table["connection"], value_set=chosen))):
                found.setdefault(row["connection"], []).append(row)
    connections = rows.pop("connections", {})
    lookups = _Lookups(tables, [group[0] for group in connections.values()])
    certificates = {row["sha256"]: row for row in _dicts(tables["certificates"])} if "certificates" in tables else {}
    caused = _caused(tables["connections"], {one["lookup"] for group in rows.get("dns", {}).values() for one in group})
    paths = _paths(tables["quic"]) if "quic" in rows else {}
    of_pages = _Pages(tables)
    cases = {}
    for number in sorted(connections):
        row = connections[number][0]
        mine = {name: found[number] for name, found in rows.items() if number in found}
        shown = {link["sha256"] for link in mine.get("connection_certificates", [])}
        made = sorted(pair for one in mine.get("dns", []) for pair in caused.get(one["lookup"], []))
        certified = {sha256: certificates[sha256] for sha256 in sorted(shown) if sha256 in certificates}
        pages = [(page, [one for one in mine[MEMBERS] if one["page"] == page["page"]]) for page in of_pages(mine)]
        cases[number] = Case(row, mine, lookups.of(row), certified, made, paths.get(number, []), pages)
    return cases


def _dicts(table: pa.Table) -> list[Row]:
    return [row for batch in table.to_batches() for row in dicts(batch)]


def _caused(connections: pa.Table, lookups: set[int]) -> dict[int, list[tuple[int, str]]]:
    """Lookup -> (connection, host or address) of the connections that it caused."""
    found: dict[int, list[tuple[int, str]]] = {}
    if lookups:
        is_one = pc.is_in(connections["dns_lookup"], value_set=pa.array(sorted(lookups), pa.int64()))
        is_cause = pc.equal(connections["dns_source"], pa.scalar("caused", TEXT))
        names = ["connection", "dns_lookup", "host", "responder_ip"]
        for row in connections.select(names).filter(pc.and_kleene(is_one, is_cause)).to_pylist():
            found.setdefault(row["dns_lookup"], []).append((row["connection"], row["host"] or row["responder_ip"]))
    return found


def _paths(quic: pa.Table) -> dict[int, list[int]]:
    """Connection of QUIC -> the connections that are other paths of it."""
    found: dict[int, list[int]] = {}
    for row in quic.select(["connection", "quic_connection"]).filter(pc.not_equal(quic["connection"], quic["quic_connection"])).to_pylist():
        found.setdefault(row["quic_connection"], []).append(row["connection"])
    return found


class _Pages:
    """The page loads of a report by number."""

    def __init__(self, tables: Mapping[str, pa.Table]) -> None:
        self._pages = {row["page"]: row for row in _dicts(tables["pages"])} if {"pages", MEMBERS} <= set(tables) else {}

    def __call__(self, mine: Mapping[str, list[Row]]) -> list[Row]:
        """Those that a connection with these rows belongs to."""
        numbers = sorted({one["page"] for one in mine.get(MEMBERS, [])})
        return [self._pages[number] for number in numbers if number in self._pages]


class _Lookups:
    """The lookups that some connections got their addresses from."""

    def __init__(self, tables: Mapping[str, pa.Table], connections: list[Row]) -> None:
        self._by_number: dict[int, Row] = {}
        self._by_question: dict[tuple[str, str], list[Row]] = {}
        if "dns" not in tables:
            return
        numbers = sorted({row["dns_lookup"] for row in connections if row["dns_lookup"] is not None})
        names = sorted({row["dns_name"] for row in connections if row["dns_name"] is not None and row["dns_first_frame"] is not None})
        table = tables["dns"].select(list(LOOKUP_COLUMNS))
        is_one = pc.is_in(table["lookup"], value_set=pa.array(numbers, pa.int64()))
        is_same = pc.is_in(table["name"], value_set=pa.array(names, TEXT))
        for row in _dicts(table.filter(pc.or_(is_one, is_same))):
            self._by_number[row["lookup"]] = row
            self._by_question.setdefault((row["client_ip"], row["name"]), []).append(row)

    def of(self, row: Row) -> list[Row]:
        """The lookup that gave its address, and those for the same name that the client waited for as well."""
        own = self._by_number.get(row["dns_lookup"])
        found = [] if own is None else [own]
        if row["dns_first_frame"] is not None:
            begin, end = row["dns_first_frame"], row["dns_last_frame"]
            same = self._by_question.get((row["originator_ip"], row["dns_name"]), [])
            found += [one for one in same if one is not own and begin <= (one["query_frame"] or 0) <= end]
        return sorted(found, key=lambda one: (one["query_frame"] or one["response_frame"] or 0, one["lookup"]))


class Gatherer:
    """Takes the tables of one flush after the other and keeps what belongs to the connection that a user means.

    ``word`` is its number, its uid, or its host when that has only one connection. Of the others only their lookups and certificates
    are kept, and which lookup caused them.
    """

    def __init__(self, word: str) -> None:
        self._word = word
        self._number = int(word) if word.isdecimal() and len(word) < LONGEST_NUMBER else None
        self._batches: dict[str, list[pa.RecordBatch]] = {}
        self._causes: list[pa.RecordBatch] = []
        self._quic: list[pa.RecordBatch] = []
        self._found: list[int] = []
        self.connections = 0

    def add(self, tables: Flush) -> None:
        """One flush."""
        connections = tables["connections"]
        self.connections += connections.num_rows
        wanted = self._matches(connections)
        self._found += wanted.tolist()
        for name, table in tables.items():
            if name == "certificates":
                kept = table.arrow() if isinstance(table, Sheet) else table
            elif name == "dns":
                kept = table.select(list(LOOKUP_COLUMNS))
            elif name == "pages":
                kept = table.arrow() if isinstance(table, Sheet) else table
            elif name == MEMBERS:
                owners = values_of(table.column("connection"), np.int64)
                kept = rows_at(table, np.flatnonzero(np.isin(owners, self._found)))
            elif "connection" in table.schema.names and len(wanted) and len(self._found) <= MOST_NAMED:
                owners = values_of(table.column("connection"), np.int64)
                kept = rows_at(table, np.flatnonzero(np.isin(owners, wanted)))
            else:
                continue
            self._batches.setdefault(name, []).append(kept)
        causes = connections.select(["connection", "dns_lookup", "dns_source", "host", "responder_ip"])
        self._causes.append(causes.filter(pc.equal(causes["dns_source"], pa.scalar("caused", TEXT))))
        if "quic" in tables and tables["quic"].num_rows:
            self._quic.append(tables["quic"].select(["connection", "quic_connection"]))

    def _matches(self, connections: Sheet | pa.RecordBatch) -> Ints:
        """Numbers of the connections that are meant; those that carry lookups are meant by their number or uid only."""
        numbers: Ints = values_of(connections.column("connection"), np.int64)
        if self._number is not None:
            wanted: Ints = numbers[numbers == self._number]
            return wanted
        word = pa.scalar(self._word, TEXT)
        is_lookup = is_true(pc.equal(connections.column("service"), pa.scalar("dns", TEXT)))
        is_host = is_true(pc.equal(connections.column("host"), word)) & ~is_lookup
        return numbers[is_host | is_true(pc.equal(connections.column("uid"), word))]

    def case(self) -> Case:
        """What was gathered.

        Raises:
            UsageError: no connection is meant, or more than one.
        """
        if not self._found:
            kind = "connection" if self._number is not None else "connection with the uid or the host"
            raise UsageError(
                f"there is no {kind} {self._word} among the {self.connections:,} of this capture. Numbers are the first column of what"
                " analyze prints."
            )
        if len(self._found) > 1:
            numbers = sorted(self._found)
            names = ", ".join(map(str, numbers[:MOST_NAMED])) + (", ..." if len(numbers) > MOST_NAMED else "")
            raise UsageError(f"{len(numbers)} connections have the host {self._word}: {names}. Give the number of one.")
        tables = {name: pa.Table.from_batches(batches) for name, batches in self._batches.items()}
        case = gather_cases(tables, self._found)[self._found[0]]
        caused = _caused(pa.Table.from_batches(self._causes), {one["lookup"] for one in case.rows("dns")})
        paths = _paths(pa.Table.from_batches(self._quic)).get(self._found[0], []) if self._quic else []
        return replace(case, caused=sorted(pair for pairs in caused.values() for pair in pairs), paths=paths)


def rows_at(table: Sheet | pa.RecordBatch, at: Ints) -> pa.RecordBatch:
    """Some rows of a table."""
    if isinstance(table, Sheet):
        return pa.RecordBatch.from_arrays([column.take(at).arrow() for column in table.columns], schema=table.schema)
    return table.take(ints(at).arrow())
