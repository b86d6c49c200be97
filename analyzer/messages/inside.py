"""What TLS carries, once it is decrypted: its runs are sorted and read as if they had come in clear.

Connections keep their numbers, but what a stream carries has tables of its own: the outer stream may have spoken HTTP before (a
proxy's CONNECT). When connections leave, the exchanges from inside follow those from outside.
"""

from __future__ import annotations

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.http.bodies import Bodies
from analyzer.messages.joined import Part, join_exchanges
from analyzer.messages.services import Services, Sorted
from analyzer.messages.web import PROTOCOLS, Taken, Web
from analyzer.options import Options
from analyzer.tables import Ints, Rows, join_tables, take_rows
from analyzer.tables.services import DNS


class Inside:
    """Child streams of decrypted TLS."""

    def __init__(self, memory: Memory, options: Options, *, decode: bool = False, bodies: Bodies | None = None) -> None:
        self._services = Services(memory, (*PROTOCOLS, DNS))
        self._web = Web(memory, options, rows=1, decode=decode, bodies=bodies if options.include_secrets else None)
        self._keeps_credentials = options.include_secrets

    def process_runs(self, batch: Batch, runs: Rows, connections: Rows) -> Sorted | None:
        """Read the HTTP in RUN rows of child streams; the rows by what they speak, for the dissectors that serve outside and inside."""
        if len(runs) == 0:
            return None
        found = self._services.sort(runs, connections)
        self._web.process_runs(batch, found, connections)
        return found

    def advertised(self) -> list[Part]:
        """As Web.advertised."""
        return self._web.advertised()

    @property
    def anomalies(self) -> dict[str, int]:
        """What could not be read, as Http.anomalies."""
        return self._web.anomalies

    def add_to(self, rows: Ints, services: Rows, outside: Taken) -> Taken:
        """What leaves with connections ``rows``, from outside and inside.

        Args:
            rows: (n,) rows of the connections.
            services: (n,) copies of their SERVICE rows; ``inner`` is filled.
            outside: as Web.take gives it.
        """
        services["inner"] = take_rows(self._services.table, rows)["protocol"]
        inside = self._web.take(rows)
        if not self._keeps_credentials:
            inside.exchanges[0]["username_size"] = 0
        inside.links["is_inside"] = 1
        inside.sockets["is_inside"] = 1
        return Taken(
            join_exchanges(rows, [outside.exchanges, inside.exchanges]),
            join_tables([outside.links, inside.links]),
            join_tables([outside.sockets, inside.sockets]),
            join_tables([outside.socket_ends, inside.socket_ends]),
        )

    def release(self, rows: Ints) -> None:
        """Forget connections."""
        self._services.release(rows[rows < len(self._services.table)])
        self._web.release(rows)
