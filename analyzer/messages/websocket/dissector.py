"""WebSockets of many connections at once."""

from __future__ import annotations

import numpy as np

from analyzer.batch import Batch
from analyzer.messages.websocket.frame_kernels import read_frames
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table, take_rows
from analyzer.tables.websocket import WEBSOCKET, WEBSOCKET_END


class WebSockets:
    """Counts by connection and end until connections leave."""

    def __init__(self) -> None:
        self._ends: Rows = new_table(WEBSOCKET_END, 2)
        self._clients: Ints = np.zeros(1, np.int64)  # by connection: 1 + sender of the client
        self._indices: Ints = np.zeros(1, np.int64)  # index of the exchange that opened it

    def begin(self, row: int, client: int, index: int) -> None:
        """Connection ``row`` goes on as a WebSocket."""
        if row >= len(self._clients):
            more = np.zeros(2 * row + 1 - len(self._clients), np.int64)
            self._clients, self._indices = np.concatenate((self._clients, more)), np.concatenate((self._indices, more))
        self._ends = grow_table(self._ends, 2 * len(self._clients))
        self._clients[row], self._indices[row] = 1 + client, index

    def process_runs(self, batch: Batch, runs: Rows, wanted: Ints) -> None:
        """Read runs that begin after the upgrade, in capture order."""
        read_frames(batch.memory.data, runs, wanted, self._ends, self._clients)

    def take(self, rows: Ints) -> tuple[Rows, Rows]:
        """WEBSOCKET rows of these connections, and two WEBSOCKET_END rows for each: the client's and the server's."""
        known = rows[rows < len(self._clients)]
        here = known[self._clients[known] > 0]
        sockets = new_table(WEBSOCKET, len(here))
        sockets["connection"], sockets["client"] = here, self._clients[here] - 1
        sockets["exchange_index"] = self._indices[here]
        places = (2 * here + sockets["client"])[:, None] ^ np.array([0, 1])
        return sockets, take_rows(self._ends, places.ravel().astype(np.int64))

    def release(self, rows: Ints) -> None:
        """Forget connections."""
        gone = rows[rows < len(self._clients)]
        self._clients[gone] = self._indices[gone] = 0
        clear_rows(self._ends, np.concatenate((2 * gone, 2 * gone + 1)))
