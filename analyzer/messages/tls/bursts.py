"""BURST rows of connections until these leave."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE
from analyzer.messages.tls.burst_kernels import find_bursts
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table, take_rows
from analyzer.tables.tls import BURST


class Bursts:
    """``take`` gives the rows of connections, ``release`` forgets them."""

    def __init__(self, rows: int = 256) -> None:
        self._rows: Rows = new_table(BURST, rows)
        self._top = 0
        self._dead = 0
        self._last: Ints = np.zeros(1, np.int64)
        self._counts: Ints = np.zeros(1, np.int64)
        self._ranks: Ints = np.full(1, -1, np.int64)

    def read(self, messages: Rows, used: int, handshakes: Rows) -> None:
        """Take the records among the first ``used`` TLS_MESSAGE rows."""
        if len(self._last) < len(handshakes):
            more = np.zeros(len(handshakes) - len(self._last), np.int64)
            self._last, self._counts = np.concatenate((self._last, more)), np.concatenate((self._counts, more))
            self._ranks = np.full(len(handshakes), -1, np.int64)
        status, at = -1, 0
        while status != DONE:
            before = at, self._top
            status, at, self._top = find_bursts(messages, at, used, handshakes, self._last, self._counts, self._rows, self._top)
            if status != DONE:
                if (at, self._top) == before and self._top < len(self._rows):
                    raise RuntimeError("bursts asked for room that they had")
                self._rows = grow_table(self._rows, self._top + 1)

    def take(self, rows: Ints) -> Rows:
        """Copies of the BURST rows of these connection rows, ordered by (place in ``rows``, time)."""
        here = rows < len(self._counts)
        if not self._top or not self._counts[rows[here]].any():
            return new_table(BURST, 0)
        live = self._rows[: self._top]
        self._ranks[rows[here]] = np.flatnonzero(here)
        ranks = np.where(live["connection"] >= 0, self._ranks[live["connection"]], -1)
        self._ranks[rows[here]] = -1
        found = np.flatnonzero(ranks >= 0)
        return take_rows(self._rows, found[np.argsort(ranks[found], kind="stable")])

    def release(self, rows: Ints) -> None:
        """Forget these connection rows; the table is swept when half of it is dead."""
        gone = rows[rows < len(self._counts)]
        dead = int(self._counts[gone].sum())
        if dead:
            live = self._rows[: self._top]
            self._ranks[gone] = 0
            live["connection"][(live["connection"] >= 0) & (self._ranks[live["connection"]] == 0)] = -1
            self._ranks[gone] = -1
        self._last[gone] = self._counts[gone] = 0
        self._dead += dead
        if 2 * self._dead > self._top:
            kept = np.flatnonzero(self._rows["connection"][: self._top] >= 0)
            self._rows[: len(kept)] = take_rows(self._rows, kept)
            clear_rows(self._rows, np.arange(len(kept), self._top))
            self._top, self._dead = len(kept), 0
            self._last[self._rows["connection"][: self._top]] = np.arange(1, self._top + 1)  # the last one of each stays
