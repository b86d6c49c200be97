"""Who talks to whom: the columns that name a connection, in every table that speaks of one."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from analyzer.connections.identity import community_ids, uids
from analyzer.lifecycle.finished import Finished
from analyzer.report.built import Built, TextColumn
from analyzer.report.columns import Column
from analyzer.report.text import addresses, ints, padded
from analyzer.tables import Ints

IDENTITY = (
    Column("connection", "number", "number of the connection: its rank by first packet, before any filter"),
    Column("uid", "text", "unique id of the connection, the same in every run over the same capture"),
    Column("originator_ip", "text", "address of the end that began the connection"),
    Column("originator_port", "number", "its port", caveat="ICMP: the type"),
    Column("responder_ip", "text", "address of the other end"),
    Column("responder_port", "number", "its port", caveat="ICMP: the code or the type of the answer"),
)


class Identity:
    """Columns that name the connections of one flush, made once and spread over all tables."""

    def __init__(self, finished: Finished, seed: int) -> None:
        self._finished = finished
        self._seed = seed
        c = finished.connections
        self._is_flipped = c["flipped"] == 1
        self.numbers: Ints = c["number"].astype(np.int64)

    @cached_property
    def arrays(self) -> dict[str, Built]:
        """The columns of IDENTITY, one row per connection in output order."""
        c, flipped = self._finished.connections, self._is_flipped
        version = c["ip_version"]
        a = addresses(np.where(flipped, c["b_hi"], c["a_hi"]), np.where(flipped, c["b_lo"], c["a_lo"]), version)
        b = addresses(np.where(flipped, c["a_hi"], c["b_hi"]), np.where(flipped, c["a_lo"], c["b_lo"]), version)
        return {
            "connection": ints(self.numbers),
            "uid": padded(uids(c, np.arange(len(c)), self._seed)),
            "originator_ip": a,
            "originator_port": ints(np.where(flipped, c["b_port"], c["a_port"])),
            "responder_ip": b,
            "responder_port": ints(np.where(flipped, c["a_port"], c["b_port"])),
        }

    def community_ids(self) -> TextColumn:
        """Community ID v1 of each connection."""
        return padded(community_ids(self._finished.connections, np.arange(len(self.numbers))))

    def at(self, order: Ints) -> dict[str, Built]:
        """The columns of IDENTITY for rows that belong to the connections at these output positions (-1 = none)."""
        return {name: array.take(order) for name, array in self.arrays.items()}
