"""What the web speaks on a stream of bytes: HTTP/1, HTTP/2, and what follows an Upgrade. The same for streams in clear and decrypted ones.

After ``101 Switching Protocols`` the HTTP/1 dissector goes on counting bytes; where the new protocol is known, its dissector gets the
same runs, cut to what comes after the switch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.http import Http
from analyzer.messages.joined import Part, fold_upgrades, join_exchanges
from analyzer.messages.services import Sorted
from analyzer.options import Options
from analyzer.tables import Ints, Rows, new_table, take_rows
from analyzer.tables.http2 import HTTP2_LINK
from analyzer.tables.services import HTTP, HTTP2
from analyzer.tables.websocket import WEBSOCKET, WEBSOCKET_END

if TYPE_CHECKING:
    from analyzer.messages.http.bodies import Bodies
    from analyzer.messages.http.http2 import Http2
    from analyzer.messages.websocket import WebSockets

PROTOCOLS: Final = (HTTP, HTTP2)
NO_UPGRADE, TO_HTTP2, TO_WEBSOCKET = 0, 1, 2
UPGRADES: Final = {b"h2c": TO_HTTP2, b"websocket": TO_WEBSOCKET}


class Taken(NamedTuple):
    """What leaves with connections: exchanges and their text, HTTP2_LINK, WEBSOCKET, and two WEBSOCKET_END for each of these."""

    exchanges: Part
    links: Rows
    sockets: Rows
    socket_ends: Rows


class Web:
    """The dissectors of one kind of stream. ``http`` is that of HTTP/1; the others are made when they are needed."""

    def __init__(
        self, memory: Memory, options: Options, rows: int = 1 << 10, *, decode: bool = False, bodies: Bodies | None = None
    ) -> None:
        self._memory = memory
        self._options = options
        self._decode = decode
        self._bodies = bodies
        self.http = Http(memory, options, rows, decode=decode, bodies=bodies)
        self._http2: Http2 | None = None
        self._sockets: WebSockets | None = None
        self._upgrades: Ints = np.zeros(0, np.int64)  # by connection row, see the constants
        self._begins: Ints = np.zeros(0, np.int64)  # by stream: where the new protocol begins

    def process_runs(self, batch: Batch, found: Sorted, connections: Rows, wishes: Rows | None = None) -> Rows:
        """Read the runs of ``PROTOCOLS``; the HTTP_TUNNEL rows of this batch."""
        tunnels = self.http.process_runs(batch, found.runs, found.wanted[HTTP], connections, wishes)
        if len(tunnels):
            self._upgrade(tunnels, connections)
        if len(self._upgrades) and len(found.wanted[HTTP]):
            self._follow_upgrades(batch, found.runs, found.wanted[HTTP], connections)
        if len(found.wanted[HTTP2]):
            self._open_http2().process_runs(batch, found.runs, found.wanted[HTTP2], connections)
        return tunnels

    def advertised(self) -> list[Part]:
        """EXCHANGE rows with Alt-Svc of connections that have not left, and their text."""
        http = self.http
        live = http.exchanges[: http.used]
        parts = [(take_rows(http.exchanges, np.flatnonzero((live["connection"] >= 0) & (live["alt_svc_size"] > 0))), http.text.data)]
        return parts if self._http2 is None else [*parts, (self._http2.advertised(), self._http2.text.data)]

    def _open_http2(self) -> Http2:
        if self._http2 is None:
            from analyzer.messages.http.http2 import Http2

            self._http2 = Http2(self._memory, self._options, decode=self._decode, bodies=self._bodies)
        return self._http2

    def _open_sockets(self) -> WebSockets:
        if self._sockets is None:
            from analyzer.messages.websocket import WebSockets

            self._sockets = WebSockets()
        return self._sockets

    def _upgrade(self, tunnels: Rows, connections: Rows) -> None:
        """Remember which connections go on in a protocol that is known."""
        for tunnel in tunnels[tunnels["is_connect"] == 0]:  # rare
            x = self.http.exchanges[int(tunnel["exchange"]) - 1]
            at, size = int(x["upgrade"]), int(x["upgrade_size"])
            protocol = UPGRADES.get(self.http.text.data[at : at + size].tobytes().strip().lower(), NO_UPGRADE)
            if protocol == NO_UPGRADE:
                continue
            if len(self._upgrades) < len(connections):
                upgrades, begins = np.zeros(len(connections), np.int64), np.zeros(2 * len(connections), np.int64)
                upgrades[: len(self._upgrades)], begins[: len(self._begins)] = self._upgrades, self._begins
                self._upgrades, self._begins = upgrades, begins
            row = int(tunnel["connection"])
            self._begins[2 * row + int(tunnel["sender"])] = tunnel["offset"]
            if self._upgrades[row] == NO_UPGRADE:
                self._upgrades[row] = protocol
                if protocol == TO_HTTP2:
                    self._open_http2().begin_upgraded(row, int(x["client"]))
                else:
                    self._open_sockets().begin(row, int(x["client"]), int(tunnel["exchange_index"]))

    def _follow_upgrades(self, batch: Batch, runs: Rows, wanted: Ints, connections: Rows) -> None:
        """Hand on what comes after a switch."""
        rows = runs["connection"][wanted]
        rows = np.where(rows < len(self._upgrades), rows, -1)
        kinds = np.where(rows >= 0, self._upgrades[rows], NO_UPGRADE)
        if not kinds.any():
            return
        inside = take_rows(runs, wanted[kinds != NO_UPGRADE])
        skipped = np.maximum(self._begins[2 * inside["connection"].astype(np.int64) + inside["sender"]] - inside["offset"], 0)
        is_inside = (skipped < inside["run_size"]) | ((skipped == inside["run_size"]) & (inside["marks"] != 0))
        kinds, skipped = kinds[kinds != NO_UPGRADE][is_inside], skipped[is_inside]
        inside = take_rows(inside, np.flatnonzero(is_inside))
        inside["gap"][skipped > 0] = 0
        inside["offset"] += skipped
        inside["run_size"] -= skipped
        inside["position"] += np.where(inside["position"] >= 0, skipped, 0)
        if (kinds == TO_HTTP2).any():
            self._open_http2().process_runs(batch, inside, np.flatnonzero(kinds == TO_HTTP2), connections)
        if (kinds == TO_WEBSOCKET).any():
            self._open_sockets().process_runs(batch, inside, np.flatnonzero(kinds == TO_WEBSOCKET))

    @property
    def anomalies(self) -> dict[str, int]:
        """What could not be read, as Http.anomalies."""
        counts = dict(self.http.anomalies)
        for name, count in (self._http2.anomalies if self._http2 is not None else {}).items():
            counts[name] = counts.get(name, 0) + count
        return counts

    def take(self, rows: Ints) -> Taken:
        """What is known of connections ``rows``."""
        part, links = self._take_exchanges(rows)
        if self._sockets is None:
            return Taken(part, links, new_table(WEBSOCKET, 0), new_table(WEBSOCKET_END, 0))
        return Taken(part, links, *self._sockets.take(rows))

    def _take_exchanges(self, rows: Ints) -> tuple[Part, Rows]:
        part = self.http.take(rows), self.http.text.data[: self.http.text.top]
        if self._http2 is None:
            return part, new_table(HTTP2_LINK, 0)
        exchanges, links = self._http2.take(rows)
        both, text = join_exchanges(rows, [part, (exchanges, self._http2.text.data[: self._http2.text.top])])
        return (fold_upgrades(both), text), links

    def release(self, rows: Ints) -> None:
        """Forget connections."""
        self.http.release(rows)
        if self._http2 is not None:
            self._http2.release(rows)
        if self._sockets is not None:
            self._sockets.release(rows)
        if len(self._upgrades):
            gone = rows[rows < len(self._upgrades)]
            self._upgrades[gone] = NO_UPGRADE
            self._begins[2 * gone] = self._begins[2 * gone + 1] = 0
