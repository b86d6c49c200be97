"""The phases of a connection: where its time went, with the frames that bound each phase and how each is known.

A phase lies between two places (time and frame). Either may be unknown (time 0): then the phase is absent. Its basis is the weaker of
the two bases. The definitions:

    dns               first query of the causing lookup -> the last answer the client waited for
    dns_to_connect    that answer -> first SYN
    tcp_connect       first SYN -> the originator's ACK of the SYN+ACK
    tcp_to_tls        that ACK -> first byte of the ClientHello
    tls_handshake     first byte of the ClientHello -> end of the handshake as the client sees it (see handshake_end)
    request_wait      connection ready -> first byte of the first request
    request_send      -> its last byte
    server_wait       -> first byte of the final response (negative when the server answers early)
    response_receive  -> last byte of the response
    keepalive_idle    -> next request, else the first FIN or RST (QUIC: CONNECTION_CLOSE)
    teardown          first FIN or RST -> ACK of the last FIN, or the RST that ended it (QUIC: first to second CONNECTION_CLOSE)

In QUIC the ClientHello is in the first Initial, and without keys the client's Finished and the first exchange are told by types, sizes and
directions of packets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.tables import Bytes, Ints, Rows, new_table
from analyzer.tables.dns import CAUSED
from analyzer.tables.lifecycle import PHASE, PHASES
from analyzer.tables.quic import PLACE_CODES as QUIC_PLACES
from analyzer.tables.tls import ABSENT, BOUNDED, INFERRED, MEASURED, STEP_CODES

TLS_13 = 0x0304
DTLS = 0xFE00


@dataclass(frozen=True)
class Places:
    """(n,) places: time in ns (0 = unknown), frame number, basis."""

    ts: Ints
    number: Ints
    basis: Bytes

    @classmethod
    def of(cls, ts: Ints, number: Ints, basis: int | Bytes = MEASURED) -> Places:
        """Places with one basis for all, absent where the time is unknown."""
        return cls(ts, number, np.where(ts == 0, ABSENT, basis).astype(np.uint8))

    def where(self, condition: np.ndarray[tuple[int], np.dtype[np.bool_]], other: Places) -> Places:
        """These places where the condition holds, the other ones elsewhere."""
        return Places(
            np.where(condition, self.ts, other.ts),
            np.where(condition, self.number, other.number),
            np.where(condition, self.basis, other.basis),
        )

    def otherwise(self, other: Places) -> Places:
        """These places where known, else the other ones."""
        return self.where(self.ts != 0, other)


def step(handshakes: Rows, name: str, end: int) -> Places:
    """Places of a handshake step: ``end`` 0 = first byte, 1 = last byte."""
    code = STEP_CODES[name]
    return Places.of(handshakes["step_ts"][:, code, end], handshakes["step_number"][:, code, end], handshakes["step_basis"][:, code])


def quic_place(quic: Rows, name: str) -> Places:
    """A place of QUIC connections."""
    code = QUIC_PLACES[name]
    return Places.of(quic["place_ts"][:, code], quic["place_number"][:, code], quic["place_basis"][:, code])


def later(a: Places, b: Places) -> Places:
    """The later of two places; absent unless both are known."""
    chosen = a.where(a.ts >= b.ts, b)
    known = (a.ts != 0) & (b.ts != 0)
    return Places(np.where(known, chosen.ts, 0), chosen.number, np.where(known, np.maximum(a.basis, b.basis), ABSENT).astype(np.uint8))


def is_tls13(handshakes: Rows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(n,) TLS 1.3 or a draft of it; the numbers of DTLS versions are larger."""
    return (handshakes["version"] >= TLS_13) & (handshakes["version"] < DTLS)


def handshake_end(handshakes: Rows) -> Places:
    """Where the client takes the handshake for done: its own Finished in TLS 1.3 (RFC 8446 2), before the later one (RFC 5246 7.3)."""
    client = step(handshakes, "client_finished", 1)
    server = step(handshakes, "server_finished", 1)
    return client.where(is_tls13(handshakes), later(client, server))


def exchange_places(finished: Finished, field: str) -> Places:
    """A place of each connection's first exchange, absent where it has none."""
    at = finished.first_exchange
    if len(finished.exchanges) == 0:
        nothing = np.zeros(len(at), np.int64)
        return Places.of(nothing, nothing)
    rows = finished.first_exchanges
    return Places.of(np.where(at >= 0, rows[f"{field}_ts"], 0), rows[f"{field}_number"])


def next_request(finished: Finished) -> Places:
    """First byte of each connection's second request, absent where there is none."""
    counts, at = finished.exchange_counts, finished.first_exchange
    if len(finished.exchanges) == 0:
        nothing = np.zeros(len(at), np.int64)
        return Places.of(nothing, nothing)
    second = np.where(counts > 1, at + 1, 0)
    ts, number = finished.exchanges["request_first_ts"][second], finished.exchanges["request_first_number"][second]
    return Places.of(np.where(counts > 1, ts, 0), number)


def build_phases(finished: Finished) -> Rows:
    """PHASE rows of shape (n, len(PHASES))."""
    c, h, a = finished.connections, finished.handshakes, finished.attributions
    caused = a["basis"] == CAUSED
    query = Places.of(np.where(caused, a["query_ts"], 0), a["query_number"])
    answer = Places.of(np.where(caused, a["response_ts"], 0), a["response_number"])
    syn = Places.of(c["syn_ts"], c["syn_number"])
    first = syn.otherwise(Places.of(np.where(c["protocol"] == 6, 0, c["first_ts"]), c["first_number"]))
    ack = Places.of(np.where(c["synack_ts"] != 0, c["ack_ts"], 0), c["ack_number"])
    hello = step(h, "client_hello", 0)
    end = handshake_end(h)
    closing = Places.of(c["teardown_ts"], c["teardown_number"])
    closed = Places.of(c["teardown_end_ts"], c["teardown_end_number"])
    if len(finished.quic):
        end = end.otherwise(quic_place(finished.quic, "client_finished"))
        closing = closing.otherwise(quic_place(finished.quic, "close"))
        closed = closed.otherwise(quic_place(finished.quic, "second_close"))
    is_tls = h["seen"] == 1
    inferred = np.where(is_tls13(h), INFERRED, MEASURED).astype(np.uint8)

    def places(field: str, tls: Places) -> Places:
        return exchange_places(finished, field).otherwise(tls)

    request = places("request_first", step(h, "first_client_data", 0))
    sent = places("request_last", Places.of(h["last_request_ts"], h["last_request_number"], BOUNDED))
    response = places("response_first", Places.of(h["first_response_ts"], h["first_response_number"], inferred))
    received = places("response_last", Places.of(h["last_response_ts"], h["last_response_number"], BOUNDED))
    following = next_request(finished)
    if len(finished.quic):
        request, sent = (one.otherwise(quic_place(finished.quic, name)) for one, name in ((request, "request"), (sent, "request_end")))
        response = response.otherwise(quic_place(finished.quic, "response"))
        received = received.otherwise(quic_place(finished.quic, "response_end"))
        following = following.otherwise(quic_place(finished.quic, "next_request"))
    idle_end = following.otherwise(closing)
    bounds = (
        (query, answer),
        (answer, first),
        (syn, ack),
        (ack.where(is_tls, Places.of(np.zeros_like(ack.ts), ack.number)), hello),
        (hello, end),
        (end.where(is_tls, ack), request),
        (request, sent),
        (sent, response),
        (response, received),
        (received, idle_end.where(idle_end.ts >= received.ts, Places.of(np.zeros_like(ack.ts), ack.number))),
        (closing, closed),
    )
    table = new_table(PHASE, len(c) * len(PHASES)).reshape(len(c), len(PHASES))
    for code, (begin, finish) in enumerate(bounds):
        known = (begin.basis != ABSENT) & (finish.basis != ABSENT)
        column = table[:, code]
        column["duration"] = np.where(known, finish.ts - begin.ts, 0)
        column["first_ts"] = np.where(known, begin.ts, 0)
        column["first_number"] = np.where(known, begin.number, 0)
        column["last_number"] = np.where(known, finish.number, 0)
        column["basis"] = np.where(known, np.maximum(begin.basis, finish.basis), ABSENT)
    return table.view(np.recarray)
