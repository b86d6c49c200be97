"""What stands out in QUIC: blocked and fallen back to TCP, more round trips, Initials with wrong tags, floods, closes with an error."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.quic_race import ends_of, find_races
from analyzer.lifecycle.rules import Hits, Mask, Rule
from analyzer.tables import Ints, Rows
from analyzer.tables.quic import BY_APPLICATION, BY_TRANSPORT, INITIAL, PLACE_CODES, UNFAMILIAR
from analyzer.thresholds import DEFAULTS, Thresholds

NO_ERRORS: Final = (0, 0x0100)  # NO_ERROR, H3_NO_ERROR

QUIC_RULES: Final = (
    Rule("quic.unanswered", "warning", "the QUIC client was never answered", "See whether UDP 443 is blocked on the way.", "count"),
    Rule("quic.fell_back", "warning", "QUIC was not answered, TCP took its place", "Let UDP 443 through, or turn QUIC off.", "ns"),
    Rule("quic.race", "note", "QUIC and TCP raced for the same name: time between them", "The loser's packets were sent in vain.", "ns"),
    Rule(
        "quic.version_negotiation", "note", "version negotiation: one more round trip", "Begin with a version that the server knows.", "ns"
    ),
    Rule("quic.retry", "note", "Retry: one more round trip", "The server wanted the address proven: is it under load?", "ns"),
    Rule("quic.retry_always", "warning", "the server sends a Retry on every connection", "Turn it on under load only.", "count"),
    Rule("quic.not_opened", "warning", "Initial packets with a wrong tag", "Damaged, forged, or not the QUIC they say they are.", "count"),
    Rule("quic.malformed", "note", "packets that are not well-formed", "See the column error of the table quic.", "code"),
    Rule("quic.amplification", "note", "the server sent more than three times what it got", "It may be used in an attack.", "bytes"),
    Rule("quic.small_initial", "note", "the client's Initials are smaller than 1200 bytes", "Servers must ignore them.", "bytes"),
    Rule("quic.transport_error", "error", "closed with an error of the transport", "See the columns close_error and close_reason.", "code"),
    Rule(
        "quic.application_error", "note", "closed with an error of the application", "See the columns close_error and close_reason.", "code"
    ),
    Rule(
        "quic.migration", "note", "the connection went on under another address or port", "A NAT that forgets, or another network.", "count"
    ),
)


def _place(q: Rows, name: str) -> tuple[Ints, Ints]:
    code = PLACE_CODES[name]
    return q["place_number"][:, code], q["place_ts"][:, code]


def _by_role(q: Rows, name: str, role: int) -> Ints:
    values: Ints = q[name].astype(np.int64)[np.arange(len(q)), q["client"].astype(np.int64) ^ role]
    return values


def quic_hits(finished: Finished, limits: Thresholds = DEFAULTS) -> list[Hits]:
    """Where QUIC_RULES fire."""
    q = finished.quic
    if len(q) == 0:
        return []
    first_number, first_ts = _place(q, "first_client_initial")
    begun: Mask = (q["seen"] == 1) & (first_ts != 0)
    negotiated_number, negotiated_ts = _place(q, "version_negotiation")
    retry_number, retry_ts = _place(q, "retry")
    again_ts = _place(q, "second_initial")[1]
    close_number, close_ts = _place(q, "close")
    migrated_number, migrated_ts = _place(q, "migration")
    cost = np.where(again_ts > 0, again_ts - first_ts, 0)
    theirs = np.arange(len(q)), 1 - q["client"].astype(np.int64)
    silent = begun & (q["packets"][theirs].sum(axis=1) == 0)
    tried = q["packets"].sum(axis=1)[:, [INITIAL, UNFAMILIAR]].sum(axis=1).astype(np.int64)
    sent, got = _by_role(q, "unvalidated_bytes", 1), _by_role(q, "unvalidated_bytes", 0)
    failed = (q["close_kind"] > 0) & ~np.isin(q["close_code"], NO_ERRORS)
    largest = q["largest_client_initial"].astype(np.int64)
    rules: tuple[tuple[str, Mask, Ints, Ints, Ints], ...] = (
        ("quic.unanswered", silent, first_number, first_ts, tried),
        ("quic.version_negotiation", negotiated_ts != 0, negotiated_number, negotiated_ts, cost),
        ("quic.retry", retry_ts != 0, retry_number, retry_ts, cost),
        (
            "quic.not_opened",
            q["not_opened"] > 0,
            np.where(q["error_number"] > 0, q["error_number"], first_number),
            first_ts,
            q["not_opened"],
        ),
        ("quic.malformed", (q["error"] > 0) & (q["not_opened"] == 0), q["error_number"], q["last_ts"], q["error"]),
        ("quic.amplification", begun & (sent > limits.quic_amplification * got) & (got > 0), first_number, first_ts, sent),
        (
            "quic.small_initial",
            begun & (largest > 0) & (largest < limits.quic_initial_bytes) & (q["odcid_size"] > 0),
            first_number,
            first_ts,
            largest,
        ),
        ("quic.transport_error", failed & (q["close_kind"] == BY_TRANSPORT), close_number, close_ts, q["close_code"]),
        ("quic.application_error", failed & (q["close_kind"] == BY_APPLICATION), close_number, close_ts, q["close_code"]),
        ("quic.migration", migrated_ts != 0, migrated_number, migrated_ts, q["paths"]),
    )
    hits = [
        Hits(name, at, number[at].astype(np.int64), ts[at].astype(np.int64), amount[at].astype(np.int64))
        for name, at, number, ts, amount in ((rule[0], np.flatnonzero(rule[1]), *rule[2:]) for rule in rules)
        if len(at)
    ]
    hits += _always_retried(finished, begun, retry_ts != 0, limits.quic_retries)
    return hits + _races(finished, np.flatnonzero(begun), silent, limits)


def _always_retried(finished: Finished, begun: Mask, retried: Mask, least: float) -> list[Hits]:
    """Servers that sent a Retry on all of their connections: told of the first of these."""
    at = np.flatnonzero(begun)
    if not retried[at].any():
        return []
    whose = ends_of(finished.connections, at, client=False)
    servers: dict[tuple[int, int, int], list[int]] = {}
    for server, k in zip(whose, at.tolist(), strict=True):
        if retried[k]:
            servers.setdefault(server, []).append(k)
    totals = Counter(whose)
    hits = []
    for server, rows in servers.items():
        total = totals[server]
        if len(rows) >= least and len(rows) == total:
            number, ts = _place(finished.quic, "retry")
            first = np.array(rows[:1])
            hits.append(Hits("quic.retry_always", first, number[first], ts[first], np.array([total])))
    return hits


def _races(finished: Finished, at: Ints, silent: Mask, limits: Thresholds) -> list[Hits]:
    """QUIC beside TCP for the same name: a race, or TCP in place of QUIC that nobody answered."""
    races = find_races(finished, at, limits)
    if len(races.quic) == 0:
        return []
    number, ts = _place(finished.quic, "first_client_initial")
    later = races.first_ts - ts[races.quic]
    hits = []
    fell = silent[races.quic] & (later >= 0) & (later <= limits.ns("quic_fallback_ms"))
    if fell.any():
        rows = races.quic[fell]
        hits.append(Hits("quic.fell_back", rows, number[rows], ts[rows], later[fell]))
    if races.is_race.any():
        rows = races.quic[races.is_race]
        hits.append(Hits("quic.race", rows, number[rows], ts[rows], races.lead[races.is_race]))
    return hits
