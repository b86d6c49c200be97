"""What is known of the connections that leave in one flush, gathered so that every table has a row per connection in one order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from analyzer.tables import Bytes, Ints, Rows, join_tables, new_table, take_rows
from analyzer.tables.quic import LEARNED

if TYPE_CHECKING:
    from analyzer.lifecycle.quic_race import Side


@dataclass(frozen=True)
class Texts:
    """The text that spans of each owner's rows point into; valid until its owner's ``release``."""

    tls: Bytes
    http: Bytes
    dns: Bytes
    attribution: Bytes
    quic: Bytes


@dataclass(frozen=True)
class Finished:
    """Rows of one flush. Tables with one row per connection are aligned with ``rows``; the others name their connection's row.

    Attributes:
        rows: (n,) int64 rows in the hot tables, in output order (deadline, number).
        originator_flows, responder_flows: (n,) copies of FLOW of both ends, zero where the connection has none.
        originator_streams, responder_streams: (n,) copies of STREAM of both ends.
        waits: (w,) WAIT of these connections.
        connections, endpoints_a, endpoints_b, handshakes, attributions, services: (n,) copies of the hot rows.
        quic: (n,) copies of QUIC; no rows where nobody speaks it.
        exchanges: (x,) EXCHANGE ordered by (output order, index).
        http2_links: (h,) HTTP2_LINK of those that speak it.
        websockets, websocket_ends: (w,) WEBSOCKET and their (2w,) WEBSOCKET_END, the client's first.
        bursts: (b,) BURST, those of a connection one after the other.
        chain_links: (c,) CHAIN_LINK of these connections.
        lookups, records: LOOKUP (l,) and their RESOURCE_RECORD (r,).
        texts: what spans point into.
        beside: TLS connections over TCP of the same clients as those of QUIC that have left before or are not over.
        learned: (n,) LEARNED; no rows where nobody speaks QUIC.
    """

    rows: Ints
    connections: Rows
    endpoints_a: Rows
    endpoints_b: Rows
    originator_flows: Rows
    responder_flows: Rows
    originator_streams: Rows
    responder_streams: Rows
    waits: Rows
    handshakes: Rows
    attributions: Rows
    services: Rows
    quic: Rows
    exchanges: Rows
    http2_links: Rows
    websockets: Rows
    websocket_ends: Rows
    bursts: Rows
    chain_links: Rows
    lookups: Rows
    records: Rows
    texts: Texts
    beside: tuple[Side, ...] = ()
    learned: Rows = field(default_factory=lambda: new_table(LEARNED, 0))

    @cached_property
    def originators(self) -> Rows:
        """(n,) ENDPOINT of the originator."""
        return self._ends(np.equal(self.connections["flipped"], 1))

    @cached_property
    def responders(self) -> Rows:
        """(n,) ENDPOINT of the responder."""
        return self._ends(np.not_equal(self.connections["flipped"], 1))

    def _ends(self, is_b: npt.NDArray[np.bool_]) -> Rows:
        """(n,) ENDPOINT b where marked, else a."""
        both, n = join_tables([self.endpoints_a, self.endpoints_b]), len(self.rows)
        return take_rows(both, np.arange(n) + n * is_b)

    def order_of(self, connection_rows: Ints) -> Ints:
        """Output position (0 .. n-1) of rows of the hot tables; every one must be in this flush."""
        sorter = np.argsort(self.rows, kind="stable")
        return sorter[np.searchsorted(self.rows, connection_rows, sorter=sorter)]

    @cached_property
    def exchange_order(self) -> Ints:
        """(x,) output position of the connection of each exchange."""
        return self.order_of(self.exchanges["connection"].astype(np.int64))

    @cached_property
    def exchange_counts(self) -> Ints:
        """(n,) exchanges per connection."""
        return np.bincount(self.exchange_order, minlength=len(self.rows)).astype(np.int64)

    @cached_property
    def first_exchange(self) -> Ints:
        """(n,) index into ``exchanges`` of each connection's first, -1 = none."""
        starts = np.cumsum(self.exchange_counts) - self.exchange_counts
        return np.where(self.exchange_counts > 0, starts, -1)

    @cached_property
    def first_exchanges(self) -> Rows:
        """(n,) EXCHANGE: each connection's first; any row where it has none. There must be exchanges."""
        return take_rows(self.exchanges, np.maximum(self.first_exchange, 0))
