"""What TLS carries, once it is decrypted: its runs are sorted and read as if they had come in clear.

Connections keep their numbers, but what a stream carries has tables of its own: the outer stream may have spoken HTTP before (a
proxy's CONNECT). When connections leave, the exchanges from inside follow those from outside.
"""

from __future__ import annotations

import numpy as np

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.http import Http
from analyzer.messages.services import Services, Sorted
from analyzer.options import Options
from analyzer.tables import Bytes, Ints, Rows, join_tables, take_rows
from analyzer.tables.http import EXCHANGE
from analyzer.tables.services import DNS, HTTP, HTTP2

_SPANS = tuple(name.removesuffix("_size") for name in EXCHANGE.names or () if name.endswith("_size"))


class Inside:
    """Child streams of decrypted TLS. ``http2`` counts the connections that speak HTTP/2 there, which is only recognised."""

    def __init__(self, memory: Memory, options: Options, *, decode: bool = False) -> None:
        self._services = Services(memory, (HTTP, DNS))
        self._http = Http(memory, options, rows=1, decode=decode)
        self._keeps_credentials = options.include_secrets
        self.http2 = 0

    def process_runs(self, batch: Batch, runs: Rows, connections: Rows) -> Sorted | None:
        """Read the HTTP in RUN rows of child streams; the rows by what they speak, for the dissectors that serve outside and inside."""
        if len(runs) == 0:
            return None
        found = self._services.sort(runs, connections)
        self._http.process_runs(batch, found.runs, found.wanted[HTTP], connections)
        return found

    @property
    def anomalies(self) -> dict[str, int]:
        """What could not be read, as Http.anomalies."""
        return self._http.anomalies

    def add_to(self, rows: Ints, services: Rows, exchanges: Rows, text: Bytes) -> tuple[Rows, Bytes]:
        """What leaves with connections ``rows``: the exchanges of outside and inside, and the text that all their spans are in.

        Args:
            rows: (n,) rows of the connections.
            services: (n,) copies of their SERVICE rows; ``inner`` is filled.
            exchanges: EXCHANGE rows from outside, ordered by (place in ``rows``, index), with spans in ``text``.
            text: of these.
        """
        services["inner"] = take_rows(self._services.table, rows)["protocol"]
        self.http2 += int((services["inner"] == HTTP2).sum())
        inner = self._http.take(rows)
        if len(inner) == 0:
            return exchanges, text
        for name in _SPANS:
            inner[name] += len(text)
        if not self._keeps_credentials:
            inner["username_size"] = 0
        ranks = np.zeros(int(rows.max()) + 1, np.int64)
        ranks[rows] = np.arange(len(rows))
        outside = np.bincount(ranks[exchanges["connection"]], minlength=len(rows)) if len(exchanges) else np.zeros(len(rows), np.int64)
        inner["index"] += outside[ranks[inner["connection"]]]
        both = join_tables([exchanges, inner])
        both = take_rows(both, np.lexsort((both["index"], ranks[both["connection"]])))
        return both, np.concatenate([text, self._http.text.data[: self._http.text.top]])

    def release(self, rows: Ints) -> None:
        """Forget connections."""
        self._services.release(rows[rows < len(self._services.table)])
        self._http.release(rows)
