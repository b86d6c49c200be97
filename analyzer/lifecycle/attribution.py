"""Name attribution by DNS: which lookup told the client the address it connects to.

Every answer with addresses is remembered per client: address, name asked for, time, TTL. A connection is explained by the newest answer
to its originator that has the responder's address, came before the first packet, and had not outlived its TTL by more than 60 s; of
answers within 50 ms by the oldest that was not used yet, for programs connect in the order in which answers come. The lookup *caused* the
connection when it is the first of this client to this address since the answer and came within 10 s; else the answer was *cached*. When
answers to different names fit they are counted (``candidates``), and some are kept.

A host with two address families asks over one of them and connects over the other. When no answer to the originator itself fits, one
to a client of the other family does, provided that all that fit went to the same client.

One resolution is often several lookups (A, AAAA, HTTPS of one name at a time, names with search domains before it): its time runs from
the first query of the resolution to the last answer before the connection. An address that only an HTTPS record hints at is taken, too.

A client that has several addresses tries one after the other (RFC 8305, Happy Eyeballs): a connection that begins within 2 s after
another one to the same name and port, but another address, which was not established yet, is an attempt of the same *race*.

What can no longer explain anything is dropped as capture time passes; beyond ``ANSWERS`` rows the oldest lookups go and are counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE, GROW_TEXT
from analyzer.lifecycle import attribution_kernels as kernels
from analyzer.memory import Text
from analyzer.messages.dns import Dns
from analyzer.options import Options
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table
from analyzer.tables.dns import ATTRIBUTION, CANDIDATES, KNOWN_ADDRESS, KNOWN_NAME, RACE

ANSWERS = 1 << 21  # names and addresses remembered: 250 MB, and more than clients ask within any TTL that matters


class Attribution:
    """``table`` has one ATTRIBUTION row per connection row; its names are in ``text``. ``forgotten`` counts lookups dropped early."""

    def __init__(self, options: Options, answers: int = ANSWERS) -> None:
        self._options = options
        self._most = answers
        self._names = new_table(KNOWN_NAME, 1)
        self._addresses = new_table(KNOWN_ADDRESS, 1)
        self._name_heads = np.zeros(2, np.int32)
        self._address_heads = np.zeros(2, np.int32)
        self._any_heads = np.zeros(2, np.int32)
        self._state: Ints = np.zeros(4, np.int64)
        self._races = new_table(RACE, kernels.RACES)
        self._seen: Ints = np.zeros(kernels.STEPS, np.int64)
        self._swept = 0
        self.table = new_table(ATTRIBUTION, 1)
        self.text = Text()
        self.forgotten = 0

    def learn(self, dns: Dns) -> None:
        """Remember the answers that came in this batch."""
        at, answers = 0, np.ascontiguousarray(dns.answers)
        if len(answers) == 0:
            return
        tried = (-1, -1, -1, -1)
        while True:
            self._state[kernels.TEXT] = self.text.top
            status, at = kernels.learn(
                dns.lookups,
                answers,
                at,
                dns.records,
                dns.text.data,
                self._names,
                self._name_heads,
                self._addresses,
                self._address_heads,
                self._any_heads,
                self.text.data,
                self._state,
            )
            self.text.top = int(self._state[kernels.TEXT])
            if status == DONE:
                break
            now = (at, len(self._names), len(self._addresses), self.text.data.size)
            if now == tried:
                raise RuntimeError("the attribution makes no progress")
            tried = now
            if status == GROW_TEXT:
                self.text.make_room(2 * self.text.data.size - self.text.top)
            else:
                self._grow(int(self._state[kernels.NEEDED]))

    def _grow(self, more: int) -> None:
        names, addresses = int(self._state[kernels.NAMES]), int(self._state[kernels.ADDRESSES])
        if names >= len(self._names):
            self._names = grow_table(self._names, 4 * len(self._names))
        if addresses + more > len(self._addresses):
            self._addresses = grow_table(self._addresses, max(4 * len(self._addresses), addresses + more))
        self._relink()

    def _relink(self) -> None:
        self._name_heads = np.zeros(1 << len(self._names).bit_length(), np.int32)
        self._address_heads = np.zeros(1 << len(self._addresses).bit_length(), np.int32)
        self._any_heads = np.zeros_like(self._address_heads)
        kernels.relink(self._names, self._name_heads, self._addresses, self._address_heads, self._any_heads, self._state)

    def attribute(self, batch: Batch, connections: Rows) -> None:
        """Find the lookup behind every connection that began in this batch, then drop answers whose time is over."""
        self.table = grow_table(self.table, len(connections))
        if self._state[kernels.ADDRESSES]:
            kernels.attribute(
                batch.packets,
                connections,
                self._names,
                self._name_heads,
                self._addresses,
                self._address_heads,
                self._any_heads,
                self.table,
                self._seen,
                self._races,
            )
        used = int(self._state[kernels.NAMES] + self._state[kernels.ADDRESSES])
        if used > max(2 * self._swept, 1024):
            self._sweep(batch.now_ns)

    def _sweep(self, now_ns: int) -> None:
        """Drop what can explain nothing any more."""
        names = self._names[: self._state[kernels.NAMES]]
        addresses = self._addresses[: self._state[kernels.ADDRESSES]]
        is_kept = names["expires_ts"] >= now_ns
        rows = is_kept * (1 + np.bincount(addresses["known_name"], minlength=len(names)))
        newer = np.cumsum(rows[::-1])[::-1]  # rows that would remain if everything older were dropped
        if len(rows) and newer[0] > self._most:
            self.forgotten += int(np.count_nonzero(is_kept & (newer > self._most // 2)))
            is_kept &= newer <= self._most // 2
        place = np.cumsum(is_kept) - 1
        addresses = addresses[(addresses["expires_ts"] >= now_ns) & is_kept[addresses["known_name"]]]
        addresses["known_name"] = place[addresses["known_name"]]
        names = names[is_kept]
        self._names[: len(names)] = names
        self._addresses[: len(addresses)] = addresses
        self._state[kernels.NAMES], self._state[kernels.ADDRESSES] = len(names), len(addresses)
        self._swept = len(names) + len(addresses)
        self._compact_text()
        self._relink()

    def _compact_text(self) -> None:
        """Keep the names of remembered lookups and of open connections."""
        rows = np.flatnonzero(self.table["name_size"])
        known = np.arange(self._state[kernels.NAMES])
        places: list[tuple[Rows, Ints, str, tuple[int, ...]]] = [(self._names, known, "name", ()), (self._names, known, "cnames", ())]
        places += [(self.table, rows, "name", ()), (self.table, rows, "cnames", ())]
        places += [(self.table, rows, "other", (k,)) for k in range(CANDIDATES)]
        spans = [(_column(t, at, field, k), _column(t, at, field + "_size", k)) for t, at, field, k in places]
        self.text.compact(spans)
        for (table, at, field, k), (positions, _) in zip(places, spans, strict=True):
            index: Any = (at, *k)
            table[field][index] = positions

    def release(self, rows: Ints) -> None:
        """Forget flushed connections."""
        clear_rows(self.table, rows[rows < len(self.table)])


def _column(table: Rows, rows: Ints, field: str, place: tuple[int, ...]) -> Ints:
    """Some rows of a field, or of one place of a field with several, as int64."""
    values: Ints = table[field][(rows, *place)].astype(np.int64)
    return values
