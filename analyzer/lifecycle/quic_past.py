"""What was before and beside the QUIC connections of a flush, in other flushes or not over yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.quic_hints import Hints, learned
from analyzer.lifecycle.quic_race import TCP, Side, ends_of, names_asked, sides, sides_of
from analyzer.messages.dns import Dns
from analyzer.tables import Bytes, Ints, Rows
from analyzer.tables.connections import WAS_RETURNED

MOST_SIDES: Final = 1 << 16  # TLS connections over TCP that are remembered after they have left


class QuicPast:
    """Remembers what was told about QUIC, and once there is QUIC the TLS connections over TCP that may have raced with it."""

    def __init__(self, most: int = MOST_SIDES) -> None:
        self._hints = Hints()
        self._sides: deque[Side] = deque(maxlen=most)

    def learn(self, dns: Dns, connections: Rows) -> None:
        """The HTTPS records that came in this batch."""
        self._hints.learn_lookups(dns, connections)

    def add_to(
        self, finished: Finished, connections: Rows, handshakes: tuple[Rows, Bytes], responses: Iterable[tuple[Rows, Bytes]]
    ) -> Finished:
        """The flush with what was before and beside its QUIC connections.

        Args:
            finished: the flush.
            connections: the hot table of connections, those of the flush among them.
            handshakes: the hot table of handshakes and its text.
            responses: EXCHANGE rows of connections that are open, and their text.
        """
        self._hints.learn_responses(finished.exchanges, finished.texts.http, finished.connections, finished.exchange_order)
        if len(finished.quic) == 0:
            return finished
        at = np.flatnonzero((finished.quic["seen"] == 1) & (finished.quic["is_path"] == 0))
        beside: list[Side] = []
        if len(at):
            for rows, text in responses:
                self._hints.learn_responses(rows, text, connections, rows["connection"].astype(np.int64))
            clients = {client[:2] for client in ends_of(finished.connections, at, client=True)}
            beside += [side for side in self._sides if side.client[:2] in clients]
            beside += [side for side in self._open(connections, *handshakes) if side.client[:2] in clients]
        names = names_asked(finished.handshakes, finished.texts.tls, at)
        told = replace(finished, beside=tuple(beside), learned=learned(finished, names, at, self._hints))
        self._sides.extend(sides_of(finished))
        return told

    @staticmethod
    def _open(connections: Rows, handshakes: Rows, text: Bytes) -> Iterable[Side]:
        """The TLS connections over TCP that are not over."""
        n = min(len(connections), len(handshakes))
        c = connections[:n]
        is_open = (c["number"] > 0) & (c["protocol"] == TCP) & (c["marks"] & WAS_RETURNED == 0) & (handshakes["seen"][:n] == 1)
        at: Ints = np.flatnonzero(is_open)
        return sides(connections, handshakes, text, at, np.full(len(at), -1))
