"""What TLS carries, once it is decrypted: its runs are sorted and read as if they had come in clear.

Connections keep their numbers, but what a stream carries has tables of its own: the outer stream may have spoken HTTP before (a
proxy's CONNECT). When connections leave, the exchanges from inside follow those from outside.
"""

from __future__ import annotations

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.joined import Part, join_exchanges
from analyzer.messages.services import Services, Sorted
from analyzer.messages.web import PROTOCOLS, Web
from analyzer.options import Options
from analyzer.tables import Ints, Rows, join_tables, take_rows
from analyzer.tables.services import DNS


class Inside:
    """Child streams of decrypted TLS."""

    def __init__(self, memory: Memory, options: Options, *, decode: bool = False) -> None:
        self._services = Services(memory, (*PROTOCOLS, DNS))
        self._web = Web(memory, options, rows=1, decode=decode)
        self._keeps_credentials = options.include_secrets

    def process_runs(self, batch: Batch, runs: Rows, connections: Rows) -> Sorted | None:
        """Read the HTTP in RUN rows of child streams; the rows by what they speak, for the dissectors that serve outside and inside."""
        if len(runs) == 0:
            return None
        found = self._services.sort(runs, connections)
        self._web.process_runs(batch, found, connections)
        return found

    @property
    def anomalies(self) -> dict[str, int]:
        """What could not be read, as Http.anomalies."""
        return self._web.anomalies

    def add_to(self, rows: Ints, services: Rows, outside: tuple[Part, Rows]) -> tuple[Part, Rows]:
        """What leaves with connections ``rows``: exchanges, HTTP/2 connections and text of outside and inside.

        Args:
            rows: (n,) rows of the connections.
            services: (n,) copies of their SERVICE rows; ``inner`` is filled.
            outside: as Web.take gives it.
        """
        services["inner"] = take_rows(self._services.table, rows)["protocol"]
        (inner, text), inner_links = self._web.take(rows)
        if not self._keeps_credentials:
            inner["username_size"] = 0
        inner_links["is_inside"] = 1
        part, links = outside
        return join_exchanges(rows, [part, (inner, text)]), join_tables([links, inner_links])

    def release(self, rows: Ints) -> None:
        """Forget connections."""
        self._services.release(rows[rows < len(self._services.table)])
        self._web.release(rows)
