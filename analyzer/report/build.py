"""Rows of one flush -> the report's tables: one call, vectorised, the same for a file and a live capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.messages.http.bodies import Bodies
from analyzer.messages.tls.certificates import Certificate
from analyzer.report import (
    capture,
    certificates,
    connections,
    dns,
    dns_totals,
    findings,
    heads,
    http,
    http2,
    milestones,
    objects,
    pages,
    quic,
    tcp,
    tls,
    waits,
    websockets,
    zeek_dns,
)
from analyzer.report.built import values_of
from analyzer.report.choosing import joined_sheets
from analyzer.report.columns import Column, Sheet
from analyzer.report.identity import Identity
from analyzer.tables import Ints, Rows
from analyzer.thresholds import DEFAULTS, Thresholds

TABLES: dict[str, tuple[Column, ...]] = {
    "connections": connections.COLUMNS,
    "milestones": milestones.COLUMNS,
    "tcp": tcp.COLUMNS,
    "waits": waits.COLUMNS,
    "dns": dns.COLUMNS,
    "dns_servers": dns_totals.SERVER_COLUMNS,
    "dns_names": dns_totals.NAME_COLUMNS,
    "tls": tls.COLUMNS,
    "quic": quic.COLUMNS,
    "certificates": certificates.COLUMNS,
    "connection_certificates": certificates.LINK_COLUMNS,
    "http": http.COLUMNS,
    "http2": http2.COLUMNS,
    "websockets": websockets.COLUMNS,
    "pages": pages.COLUMNS,
    "findings": findings.COLUMNS,
    "capture": capture.COLUMNS,
}
"""The report: its tables and their columns, in the order they are shown and written."""

AT_END = ("dns_servers", "dns_names", "pages", "capture")
"""Tables that are known only at the end of the captures."""

OBJECTS = "objects"
"""The table of bodies that are kept as files: in the report where they are wanted (``Context.bodies``)."""

ZEEK_DNS = "zeek_dns"
"""A table beside the report that only the Zeek exporters read."""


@dataclass
class Context:
    """What outlives a flush.

    Attributes:
        seed: of the unique ids; the same for the whole capture.
        certificates: all distinct certificates so far; CHAIN_LINK.certificate is a place in it.
        with_zeek: build the table that only the Zeek exporters read.
        with_heads: build the table of HTTP heads, which some exporters read.
        masks: leave out what is secret in heads and URLs.
        pages: groups exchanges to page loads.
        thresholds: say which findings have another severity than their rule's own.
        reported_certificates: numbers of those that the table ``certificates`` has had; ``build_tables`` adds to it.
        dns: what lookups came to; ``build_tables`` adds to it.
        bodies: what keeps bodies of HTTP, where they are wanted.
    """

    seed: int
    certificates: Sequence[Certificate] = ()
    with_zeek: bool = False
    with_heads: bool = False
    masks: bool = True
    thresholds: Thresholds = DEFAULTS
    reported_certificates: set[int] = field(default_factory=set)
    dns: dns_totals.DnsTotals = field(default_factory=dns_totals.DnsTotals)
    bodies: Bodies | None = None
    pages: pages.Pages = field(init=False)

    def __post_init__(self) -> None:
        self.pages = pages.Pages(self.thresholds)


@dataclass(frozen=True)
class Lifecycle:
    """What stage 6 says of the connections of a flush.

    Attributes:
        phases: (n, phases) PHASE, from lifecycle.build_phases and build_delays.
        steps: MILESTONE rows, from lifecycle.build_milestones.
        delays: DELAY rows, from lifecycle.build_delays.
        found: FINDING rows, from lifecycle.build_findings.
    """

    phases: Rows
    steps: Rows
    delays: Rows
    found: Rows


def dictionary() -> dict[str, tuple[Column, ...]]:
    """The data dictionary: every column of every table of the report."""
    return {**TABLES, OBJECTS: objects.COLUMNS}


def build_tables(finished: Finished, told: Lifecycle, context: Context) -> dict[str, Sheet]:
    """All tables of one flush but those of AT_END (``capture.build_capture``, ``build_totals``).

    Args:
        finished: the rows of the connections that leave.
        told: what stage 6 says of them.
        context: what outlives a flush.
    """
    phases, found = told.phases, told.found
    context.dns.add(finished)
    identity = Identity(finished, context.seed)
    chains = certificates.Chains(finished, context.certificates)
    names = dns.lookup_names(finished)
    tls_batch = tls.build_tls(finished, phases, identity, chains)
    http_batch = http.build_http(finished, identity, masks=context.masks)
    parts = connections.Parts(phases, tls_batch, http_batch, findings.rule_names(found, len(finished.rows)))
    connections_batch = connections.build_connections(finished, identity, parts)
    sorting = _in_order(http_batch, finished)
    subjects = (names, http_batch.built("url"), connections_batch.built("host"))
    batches = {
        "connections": connections_batch,
        "milestones": milestones.build_milestones_table(told.steps, identity, finished.connections["first_ts"]),
        "tcp": tcp.build_tcp(finished, identity),
        "waits": waits.build_waits(told.delays, identity),
        "dns": dns.build_dns(finished, identity, names),
        "tls": tls_batch,
        "quic": quic.build_quic(finished, identity, context.thresholds),
        "certificates": certificates.build_certificates(chains, context.reported_certificates),
        "connection_certificates": certificates.build_connection_certificates(chains, identity),
        "http": http_batch.take(sorting),
        "http2": http2.build_http2(finished, identity),
        "websockets": websockets.build_websockets(finished, identity),
        "findings": findings.build_findings_table(found, identity, subjects, context.thresholds),
    }
    if context.with_zeek:
        batches[ZEEK_DNS] = zeek_dns.build_zeek_dns(finished, identity)
    if context.with_heads:
        told_heads = heads.build_heads(finished, masks=context.masks)
        batches[heads.HEADS] = told_heads.take(np.where(sorting < told_heads.num_rows, sorting, -1))
    if context.bodies is not None:
        batches[OBJECTS] = objects.build_objects(finished, http_batch, identity, context.bodies)
    if len(finished.exchanges):
        fetch = finished.exchanges["fetch"].astype(np.int64)
        batches = _with_pages(batches, context.pages.add(http_batch, connections_batch, fetch, finished.exchange_order))
    return batches


def _in_order(http_batch: Sheet, finished: Finished) -> Ints:
    """Places of the rows of ``http`` in the order of the connections: those that were only inferred stand behind the others in it."""
    numbers = finished.connections["number"].astype(np.int64)
    sorter = np.argsort(numbers)
    of_rows = values_of(http_batch.column("connection"), np.int64)
    return np.argsort(sorter[np.searchsorted(numbers, of_rows, sorter=sorter)], kind="stable")


def _with_pages(tables: dict[str, Sheet], told: dict[str, Sheet]) -> dict[str, Sheet]:
    """Tables with those of pages; findings on pages stand behind the others."""
    late = told.pop("findings", None)
    found = {} if late is None else {"findings": joined_sheets([tables["findings"], late])}
    return {**tables, **told, **found}


def build_totals(context: Context, tables: dict[str, Sheet]) -> dict[str, Sheet]:
    """The tables of the last flush with those over all flushes."""
    return _with_pages({**tables, "dns_servers": context.dns.servers(), "dns_names": context.dns.names()}, context.pages.build())
