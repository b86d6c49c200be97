"""QUIC and TCP side by side: a client that tries both for the same name at about the same time, as browsers do (RFC 8305 in spirit).

The connections of one flush are looked at together. Who was first to finish its handshake has won; what the loser cost is its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Mask
from analyzer.tables import Ints
from analyzer.tables.quic import PLACE_CODES
from analyzer.tables.tls import STEP_CODES

RACE_NS: Final = 1_000_000_000  # both began within this


@dataclass(frozen=True)
class Races:
    """QUIC connections beside TCP ones, by output position.

    Attributes:
        quic, tcp: (r,) the two.
        is_race: (r,) they began within RACE_NS.
        quic_won: (r,) QUIC finished its handshake first.
        lead: (r,) time between the ends of their handshakes, ns; 0 where one has not finished its own.
        loser_bytes: (r,) bytes of the loser's IP packets.
    """

    quic: Ints
    tcp: Ints
    is_race: Mask
    quic_won: Mask
    lead: Ints
    loser_bytes: Ints


def find_races(finished: Finished, at: Ints) -> Races:
    """What stands beside the QUIC connections at these output positions."""
    partners = pair_with_tcp(finished, at)
    quic, tcp = at[partners >= 0], partners[partners >= 0]
    first = finished.connections["first_ts"]
    mine, theirs = handshake_ends(finished, quic), handshake_ends(finished, tcp)
    won = (mine > 0) & ((theirs == 0) | (mine <= theirs))
    both = (mine > 0) & (theirs > 0)
    loser = np.where(won, tcp, quic)
    cost = finished.endpoints_a["ip_bytes"][loser] + finished.endpoints_b["ip_bytes"][loser]
    is_race = (np.abs(first[tcp] - first[quic]) <= RACE_NS) & ((mine > 0) | (theirs > 0))
    return Races(quic, tcp, is_race, won, np.where(both, np.abs(theirs - mine), 0), cost.astype(np.int64))


def addresses(finished: Finished, at: Ints, *, client: bool) -> list[tuple[int, int, int]]:
    """Address and port of the clients (else servers) of these connections."""
    c = finished.connections
    is_b = (c["flipped"][at] == 1) == client
    columns = (np.where(is_b, c[f"b_{part}"][at], c[f"a_{part}"][at]).tolist() for part in ("hi", "lo", "port"))
    return list(zip(*columns, strict=True))


def names_asked(finished: Finished, at: Ints) -> list[bytes]:
    """The server name that each connection asked for; empty where none."""
    h, text = finished.handshakes, finished.texts.tls
    return [
        text[position : position + size].tobytes()
        for position, size in zip(h["server_name"][at].tolist(), h["server_name_size"][at].tolist(), strict=True)
    ]


def pair_with_tcp(finished: Finished, at: Ints) -> Ints:
    """For each QUIC connection the TCP connection of the same client to the same name (else server) that began next to it; -1 = none."""
    found = np.full(len(at), -1, np.int64)
    if len(at) == 0:
        return found
    c = finished.connections
    tcp = np.flatnonzero((c["protocol"] == 6) & (finished.handshakes["seen"] == 1))
    clients: dict[tuple[int, ...], list[tuple[int, bytes, tuple[int, ...]]]] = {}
    told = zip(
        tcp.tolist(), names_asked(finished, tcp), addresses(finished, tcp, client=True), addresses(finished, tcp, client=False), strict=True
    )
    for k, name, client, server in told:
        clients.setdefault(client[:2], []).append((k, name, server))
    first = c["first_ts"].tolist()
    mine = zip(
        at.tolist(), names_asked(finished, at), addresses(finished, at, client=True), addresses(finished, at, client=False), strict=True
    )
    for place, (k, name, client, server) in enumerate(mine):
        others = clients.get(client[:2], [])
        fits = [other for other, asked, where in others if (name and asked == name) or (not (name and asked) and where == server)]
        if fits:
            found[place] = min(fits, key=lambda other: abs(first[other] - first[k]))
    return found


def handshake_ends(finished: Finished, rows: Ints) -> Ints:
    """When the client's handshake was finished on each of these connections, ns; 0 = never."""
    h = finished.handshakes
    told: Ints = h["step_ts"][rows, STEP_CODES["client_finished"], 1]
    inferred: Ints = finished.quic["place_ts"][rows, PLACE_CODES["client_finished"]]
    return np.where(told > 0, told, inferred)
