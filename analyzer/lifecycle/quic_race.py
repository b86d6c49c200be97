"""QUIC and TCP side by side: a client that tries both for the same name at about the same time, as browsers do (RFC 8305 in spirit).

Who was first to finish its handshake has won; what the loser cost is its bytes. TCP connections that left before and those that are
still open count, too (``Side``): of them only what happened until ``LATEST_NS`` after the last packet of QUIC, so that it does not matter
how the capture was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Mask
from analyzer.tables import Bytes, Ints, Rows
from analyzer.tables.quic import PLACE_CODES
from analyzer.tables.tls import STEP_CODES
from analyzer.thresholds import DEFAULTS, Thresholds

Address: TypeAlias = tuple[int, int, int]
LATEST_NS: Final = 30_000_000_000  # less than UDP is idle before it is over
TCP: Final = 6


class Side(NamedTuple):
    """A TLS connection over TCP as far as races go. ``ended_ts``: of its handshake; ``ip_bytes`` -1 = it was open when QUIC was over."""

    number: int
    client: Address
    server: Address
    name: bytes
    first_ts: int
    ended_ts: int
    ip_bytes: int


@dataclass(frozen=True)
class Races:
    """QUIC connections beside TCP ones.

    Attributes:
        quic: (r,) their output positions.
        tcp: (r,) number of the TCP connection beside each.
        first_ts: (r,) its first packet, ns.
        is_race: (r,) they began within ``Thresholds.quic_race_ms``, and neither was ready when the other began.
        quic_won: (r,) QUIC finished its handshake first.
        lead: (r,) time between the ends of their handshakes, ns; 0 where one has not finished its own.
        loser_bytes: (r,) bytes of the loser's IP packets; -1 = it went on.
    """

    quic: Ints
    tcp: Ints
    first_ts: Ints
    is_race: Mask
    quic_won: Mask
    lead: Ints
    loser_bytes: Ints


def find_races(finished: Finished, at: Ints, limits: Thresholds = DEFAULTS) -> Races:
    """What stands beside the QUIC connections at these output positions."""
    found = _pair(finished, at)
    quic = np.array([k for k, _ in found], np.int64)
    sides = [side for _, side in found]
    tcp, first, theirs, cost = (
        np.array([getattr(side, name) for side in sides], np.int64) for name in ("number", "first_ts", "ended_ts", "ip_bytes")
    )
    mine = quic_ends(finished.quic, finished.handshakes, quic)
    theirs = np.where(theirs <= finished.quic["last_ts"][quic] + LATEST_NS, theirs, 0)
    won = (mine > 0) & ((theirs == 0) | (mine <= theirs))
    both = (mine > 0) & (theirs > 0)
    own = finished.endpoints_a["ip_bytes"][quic].astype(np.int64) + finished.endpoints_b["ip_bytes"][quic].astype(np.int64)
    begun = finished.connections["first_ts"][quic]
    is_race = (np.abs(first - begun) <= limits.ns("quic_race_ms")) & ((mine > 0) | (theirs > 0))
    is_race &= (theirs == 0) | (begun < theirs)  # who was ready before the other began did not race with it
    is_race &= (mine == 0) | (first < mine)
    return Races(quic, tcp, first, is_race, won, np.where(both, np.abs(theirs - mine), 0), np.where(won, cost, own))


def ends_of(connections: Rows, at: Ints, *, client: bool) -> list[Address]:
    """Address and port of the clients (else servers) of these connections."""
    is_b = (connections["flipped"][at] == 1) == client
    columns = (np.where(is_b, connections[f"b_{part}"][at], connections[f"a_{part}"][at]).tolist() for part in ("hi", "lo", "port"))
    return list(zip(*columns, strict=True))


def names_asked(handshakes: Rows, text: Bytes, at: Ints) -> list[bytes]:
    """The server name that each connection asked for, in lower case; empty where none."""
    return [
        text[position : position + size].tobytes().lower()
        for position, size in zip(handshakes["server_name"][at].tolist(), handshakes["server_name_size"][at].tolist(), strict=True)
    ]


def sides(connections: Rows, handshakes: Rows, text: Bytes, at: Ints, ip_bytes: Ints) -> Iterator[Side]:
    """The TLS connections over TCP at places ``at`` of tables with a row per connection; ``ip_bytes``: (len(at),)."""
    yield from map(
        Side,
        connections["number"][at].tolist(),
        ends_of(connections, at, client=True),
        ends_of(connections, at, client=False),
        names_asked(handshakes, text, at),
        connections["first_ts"][at].tolist(),
        handshakes["step_ts"][at, STEP_CODES["client_finished"], 1].tolist(),
        ip_bytes.tolist(),
    )


def sides_of(finished: Finished) -> Iterator[Side]:
    """The TLS connections over TCP of a flush."""
    at = np.flatnonzero((finished.connections["protocol"] == TCP) & (finished.handshakes["seen"] == 1))
    cost = finished.endpoints_a["ip_bytes"][at].astype(np.int64) + finished.endpoints_b["ip_bytes"][at].astype(np.int64)
    return sides(finished.connections, finished.handshakes, finished.texts.tls, at, cost)


def _pair(finished: Finished, at: Ints) -> list[tuple[int, Side]]:
    """(output position, TLS connection over TCP of the same client to the same name (else server) that began next to it)."""
    if len(at) == 0:
        return []
    clients: dict[tuple[int, ...], list[Side]] = {}
    for side in (*sides_of(finished), *finished.beside):
        clients.setdefault(side.client[:2], []).append(side)
    c = finished.connections
    names = names_asked(finished.handshakes, finished.texts.tls, at)
    found = []
    for k, name, client, server, first in zip(
        at.tolist(), names, ends_of(c, at, client=True), ends_of(c, at, client=False), c["first_ts"][at].tolist(), strict=True
    ):
        fits = [
            side
            for side in clients.get(client[:2], [])
            if (name and side.name == name) or (not (name and side.name) and side.server == server)
        ]
        if fits:
            found.append((k, min(fits, key=lambda side, first=first: (abs(side.first_ts - first), side.number))))  # type: ignore[misc]
    return found


def quic_ends(quic: Rows, handshakes: Rows, at: Ints) -> Ints:
    """When the client's handshake was finished on each of these connections of QUIC, ns; 0 = never."""
    told: Ints = handshakes["step_ts"][at, STEP_CODES["client_finished"], 1]
    inferred: Ints = quic["place_ts"][at, PLACE_CODES["client_finished"]]
    return np.where(told > 0, told, inferred)
