"""Connections that are not over: which phase each is in now, since when, and what it waits for. For a live view, not for the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analyzer.tables import Ints, Rows
from analyzer.tables.connections import IS_CLOSED, WAS_RETURNED
from analyzer.tables.tls import STEP_CODES

TCP: Final = 6
UDP: Final = 17
PAUSE_NS: Final = 1_000_000_000  # a direction that was silent for so long does not send at the moment

# phases, the most urgent first: those in which somebody waits for an answer, those in which something moves, the rest
PHASES: Final = (
    "waiting for SYN+ACK",
    "waiting for the ACK of SYN+ACK",
    "waiting for the answer",
    "sending",
    "receiving",
    "closing",
    "connected, nothing sent",
    "idle",
)
(SYN, SYN_ACK, ANSWER, SENDING, RECEIVING, CLOSING, SILENT, IDLE) = range(8)
WAITS: Final = (SYN, SYN_ACK, ANSWER)


@dataclass(frozen=True)
class Flights:
    """(n,) connections that are not over, those that wait longest first: their rows, PHASES codes, and times since when, ns.

    ``total`` is the number of all, ``waiting`` of those in which somebody waits.
    """

    rows: Ints
    phases: Ints
    since_ns: Ints
    total: int
    waiting: int


def find_flights(connections: Rows, endpoints: Rows, used: int, now_ns: int, most: int) -> Flights:
    """Up to ``most`` of the first ``used`` rows of the hot tables; times are those of packets, ``now_ns`` is the present."""
    c = connections[:used]
    is_closed = (c["protocol"] == TCP) & ((c["marks"] & IS_CLOSED != 0) | (c["teardown_end_ts"] != 0))  # only stragglers may follow
    open_rows = np.flatnonzero((c["number"] > 0) & (c["marks"] & WAS_RETURNED == 0) & ~is_closed)
    c = connections[open_rows]
    flipped = c["flipped"].astype(np.int64)
    sent = endpoints["last_payload_ts"][2 * open_rows + flipped]
    received = endpoints["last_payload_ts"][2 * open_rows + 1 - flipped]
    is_tcp = c["protocol"] == TCP
    last = np.maximum(sent, received)
    moves = now_ns - last < PAUSE_NS
    conditions = [
        is_tcp & (c["teardown_ts"] != 0),
        is_tcp & (c["syn_ts"] != 0) & (c["synack_ts"] == 0) & (last == 0),
        is_tcp & (c["synack_ts"] != 0) & (c["ack_ts"] == 0) & (last == 0),
        last == 0,
        (sent > received) & moves & (sent - endpoints["first_payload_ts"][2 * open_rows + flipped] > 0) & (received == 0) & is_tcp,
        (sent > received) & (is_tcp | (c["protocol"] == UDP)),
        moves,
    ]
    phase = np.select(conditions, [CLOSING, SYN, SYN_ACK, SILENT, SENDING, ANSWER, RECEIVING], IDLE)
    times = [c["teardown_ts"], c["syn_ts"], c["synack_ts"], c["first_ts"], sent, sent, received]
    since = np.select(conditions, times, last)
    is_waiting = np.isin(phase, WAITS)
    rank = np.where(is_waiting, 0, np.where(phase == IDLE, 2, 1))
    order = np.lexsort((c["number"], since, rank))[:most]
    return Flights(open_rows[order], phase[order], since[order], len(open_rows), int(is_waiting.sum()))


def tls_phase(handshake: Rows) -> tuple[str, int] | None:
    """What a TLS handshake waits for, and since when (ns); None when it is done, or has not begun."""
    if handshake.seen != 1 or handshake.is_established:
        return None
    told = {name: int(handshake.step_ts[code, 1]) for name, code in STEP_CODES.items()}
    if told["client_finished"] and told["server_finished"]:
        return None
    if not told["server_hello"]:
        return ("waiting for ServerHello", told["client_hello"]) if told["client_hello"] else None
    if not told["server_finished"] and not told["client_finished"]:
        return "TLS handshake, server's flight", told["server_hello"]
    awaited = "client" if told["server_finished"] else "server"
    return f"waiting for Finished of the {awaited}", max(told["server_finished"], told["client_finished"])
