"""Table ``quic``: one row per connection (5-tuple) that speaks QUIC, other paths of a connection among them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow.compute as pc

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.quic_race import find_races
from analyzer.registries.quic import application_error_name, transport_error_name, version_name
from analyzer.report.built import Built, Mask, TextColumn
from analyzer.report.columns import Column, Sheet, empty_sheet, make_sheet
from analyzer.report.identity import IDENTITY, Identity
from analyzer.report.text import between, chosen, counts, ints, milliseconds, named, padded, spans, texts, times
from analyzer.tables import Bytes, Ints, Rows, take_rows
from analyzer.tables.quic import BY_APPLICATION, CLOSE_KINDS, ERRORS, KINDS, NOT_CLOSED, PLACE_CODES, SHORT, WAYS
from analyzer.tables.tls import ABSENT, BASES, STEP_CODES
from analyzer.thresholds import DEFAULTS, Thresholds

ENDS: Final = ("client", "server")
FEW: Final = 3  # changes of the spin bit, from which nothing can be told
SPINS: Final = ("none", "constant", "few", "spinning", "random")
_TIMED: Final = {
    "answer": ("first_server_initial", "client's last first Initial to the server's first: one round trip and the server's thinking"),
    "version_negotiation": ("version_negotiation", "what the version negotiation cost: the first Initial to the next"),
    "retry": ("retry", "what the Retry cost: the first Initial to the next"),
}
_PER_END: Final = (
    ("dcid_changes", "id_changes", "number", "how often the {} changed the connection id it writes to", ""),
    ("idle_timeout_ms", "idle_timeout_ms", "milliseconds", "max_idle_timeout of the {}", "the server's with keys only"),
    ("opened", "opened_packets", "number", "packets of the {} beyond Initials that were opened", "with keys only"),
    ("failed", "failed_packets", "number", "packets of the {} that could not be opened", "with keys only"),
    ("key_updates", "key_updates", "number", "key updates of the {}", "with keys only"),
    ("stream_bytes", "stream_bytes", "number", "stream data of the {}, what came twice counted once", "with keys only"),
    ("repeated_bytes", "repeated_bytes", "number", "stream data of the {} that came again", "with keys only"),
    ("missing_bytes", "missing_bytes", "number", "stream data of the {} that is not in the capture", "with keys only"),
    ("connection_ids", "issued_ids", "number", "connection ids that the {} issued (NEW_CONNECTION_ID)", "with keys only"),
    ("lost", "lost_packets", "number", "packets of the {} not acknowledged while three later ones were (RFC 9002 6.1.1)", "with keys only"),
    ("unseen", "unseen_packets", "number", "packets of the {} that were acknowledged but are not in the capture", "with keys only"),
    ("rtt_least", "ack_ms", "milliseconds", "least time from a packet of the {} to its acknowledgement, as captured", "with keys only"),
)
_KEYED: Final = frozenset(name for name, *_, caveat in _PER_END if caveat == "with keys only")

COLUMNS: Final = (
    *IDENTITY,
    Column(
        "quic_connection", "number", "the connection that this is: another one where this is a path of it", caveat="told by connection id"
    ),
    Column("paths", "number", "other addresses or ports under which the connection went on (migration)"),
    Column("client", "text", "who is the client: originator or responder"),
    Column("version", "text", "version of QUIC"),
    Column("sni", "text", "server name the client asked for"),
    Column("alpn_offered", "text", "application protocols the client offered, joined by commas"),
    Column("first_alpn", "text", "the first of them"),
    Column("first_version", "text", "version of the client's first packet"),
    Column("offered_versions", "text", "versions in the server's version negotiation"),
    Column("first_time", "time", "first packet", "UTC"),
    Column("handshake_ms", "milliseconds", "first Initial to the handshake being confirmed to the client", "ms"),
    Column(
        "handshake_basis", "text", "how that is known: measured (HANDSHAKE_DONE, with keys) or inferred (first data of the server after it)"
    ),
    Column("finished_ms", "milliseconds", "first Initial to the client's Finished", "ms"),
    Column("finished_basis", "text", "how that is known: measured, inferred (by packet types and sizes) or bounded"),
    *(Column(f"{name}_ms", "milliseconds", meaning, "ms") for name, (_, meaning) in _TIMED.items()),
    Column("hello_retry_ms", "milliseconds", "what the HelloRetryRequest cost: ClientHello to the second", "ms"),
    Column("early_data_ms", "milliseconds", "first Initial to the first 0-RTT packet", "ms"),
    Column("first_client_data_ms", "milliseconds", "first Initial to the client's first packet with a short header", "ms"),
    Column("first_server_data_ms", "milliseconds", "first Initial to the server's first packet with a short header", "ms"),
    Column("longest_pause_ms", "milliseconds", "longest time without a datagram", "ms"),
    Column("longest_pause_frame", "number", "frame before it"),
    Column("close_kind", "text", "CONNECTION_CLOSE of the transport or of the application", caveat="of Initials, all with keys"),
    Column("close_sender", "text", "who closed first: client or server"),
    Column("close_error", "text", "its error code by name"),
    Column("close_reason", "text", "its reason phrase"),
    Column("close_time", "time", "its time", "UTC"),
    Column("close_frame", "number", "its frame"),
    Column("spin_bit", "text", "what the spin bits do: " + ", ".join(SPINS), caveat="most clients turn it off"),
    Column("spin_round_trips", "number", "round trips seen by the spin bit"),
    Column("spin_least_ms", "milliseconds", "the shortest of them", "ms"),
    Column("spin_mean_ms", "milliseconds", "their mean", "ms", "the application's pauses are in it"),
    Column(
        "learned_from",
        "text",
        "from where the client knew that the name speaks QUIC: https record (DNS), alt-svc (field of a response), altsvc frame (HTTP/2)",
        caveat="empty: not in the capture, or encrypted",
    ),
    Column("learned_ms", "milliseconds", "how long before the first packet", "ms"),
    Column("learned_frame", "number", "frame that told it"),
    Column("learned_connection", "number", "connection that carried it"),
    Column("race_connection", "number", "TCP connection of the same client to the same name that began within a second"),
    Column("race_winner", "text", "which of the two finished its handshake first: quic or tcp"),
    Column("race_lead_ms", "milliseconds", "time between the ends of their handshakes", "ms"),
    Column("race_loser_bytes", "number", "what the loser cost: its IP packets", "bytes"),
    Column("original_id", "text", "destination connection id of the client's first Initial, hex"),
    *(Column(f"{end}_id", "text", f"connection id that the {end} chose for itself, hex") for end in ENDS),
    *(
        Column(f"{end}_parameters", "text", f"transport parameters of the {end}", caveat="" if end == "client" else "with keys only")
        for end in ENDS
    ),
    *(
        Column(
            f"{end}_{name}",
            kind,
            meaning.format(end),
            "ms" if kind == "milliseconds" else "bytes" if name.endswith("_bytes") else "",
            caveat,
        )
        for _, name, kind, meaning, caveat in _PER_END
        for end in ENDS
    ),
    Column("streams", "number", "streams seen", caveat="with keys only"),
    Column("early_packets", "number", "0-RTT packets opened", caveat="with keys only"),
    *(Column(f"{end}_{kind}_packets", "number", f"{kind} packets of the {end}") for kind in KINDS for end in ENDS),
    *(Column(f"{end}_crypto_frames", "number", f"CRYPTO frames in the Initials of the {end}") for end in ENDS),
    *(Column(f"{end}_one_rtt_bytes", "number", f"bytes of packets with a short header of the {end}", "bytes") for end in ENDS),
    *(
        Column(f"{end}_unvalidated_bytes", "number", f"bytes of UDP of the {end} before the client's address was validated", "bytes")
        for end in ENDS
    ),
    Column("datagrams", "number", "datagrams"),
    Column("coalesced_datagrams", "number", "datagrams with more than one packet"),
    Column("largest_initial_bytes", "number", "largest datagram of the client with an Initial", "bytes"),
    Column("token_bytes", "number", "longest token in an Initial (of a Retry or an earlier connection)", "bytes"),
    Column("not_opened_initials", "number", "Initials with a wrong tag"),
    *(
        Column(f"{name}_frame", "number", f"frame of it: {name.replace('_', ' ')}")
        for name in ("first_initial", "retry", "version_negotiation", "finished", "confirmed", "migration")
    ),
    Column("version_code", "number", "number of the version on the wire"),
    Column("history", "text", "letters of the packets seen, as in Zeek's quic.log (the client's in upper case); V is version negotiation"),
    Column("error", "text", "the first thing that was wrong"),
    Column("error_frame", "number", "frame of that"),
)


def hexadecimal(octets: Bytes, sizes: Bytes) -> TextColumn:
    """Connection ids (n, 20) as hex; null where empty."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    both = np.stack([digits[octets >> 4], digits[octets & 15]], axis=2).reshape(len(octets), 2 * octets.shape[1])
    return padded(np.where(np.arange(both.shape[1]) < 2 * sizes.astype(np.int64)[:, None], both, 0))


def spin_kinds(q: Rows) -> tuple[Ints, Ints]:
    """(place in SPINS, the end whose edges are the round trips) of each connection.

    The server repeats what the client says, so both have as many edges; where they have not, or an edge comes sooner than half the
    round trip of the handshake, an end sends random bits (RFC 9000 17.4).
    """
    edges = q["spin_edges"].astype(np.int64)
    both = (q["packets"][:, :, SHORT] > 0).all(axis=1)
    ts = {name: q["place_ts"][:, code] for name, code in PLACE_CODES.items()}
    first = np.maximum(ts["first_client_initial"], ts["second_initial"])
    trip = np.where(first > 0, ts["first_server_initial"] - first, 0)
    trip = np.where(ts["confirmed"] > 0, np.minimum(trip, ts["confirmed"] - ts["client_finished"]), trip)
    end = np.where(edges[:, 0] <= edges[:, 1], 0, 1)
    least = q["spin_least"][np.arange(len(q)), end]
    is_even = np.abs(edges[:, 0] - edges[:, 1]) <= 1 + edges.min(axis=1) // 4
    spins = both & (edges.min(axis=1) >= 2) & is_even & (2 * least >= trip)
    return np.select([~both, edges.max(axis=1) == 0, spins, edges.max(axis=1) <= FEW], [0, 1, 3, 2], 4).astype(np.int64), end


def _by_end(q: Rows, name: str, end: int) -> Ints:
    """A field that has a value for each sender, of the client (0) or the server (1)."""
    values: Ints = q[name].astype(np.int64)[np.arange(len(q)), q["client"].astype(np.int64) ^ end]
    return values


def _close_error(q: Rows) -> TextColumn:
    names: list[str | None] = []
    for kind, code in zip(q["close_kind"].tolist(), q["close_code"].tolist(), strict=True):  # rare: read from Initials, or with keys
        is_application = kind == BY_APPLICATION
        names.append(None if kind == NOT_CLOSED else application_error_name(code) if is_application else transport_error_name(code))
    return texts(names)


def _places(q: Rows, name: str) -> tuple[Ints, Ints]:
    code = PLACE_CODES[name]
    return q["place_ts"][:, code], q["place_number"][:, code]


def _phases(q: Rows, h: Rows) -> dict[str, Built]:
    """The columns that are times from one place to another."""
    ts = {name: _places(q, name)[0] for name in PLACE_CODES}
    start = ts["first_client_initial"]
    asked = np.maximum(start, ts["second_initial"])
    again = ts["second_initial"]
    zero = np.zeros_like(start)
    basis = {name: q["place_basis"][:, PLACE_CODES[name]] for name in ("confirmed", "client_finished")}
    finish_ts = np.where(
        h["step_ts"][:, STEP_CODES["client_finished"], 1] > 0, h["step_ts"][:, STEP_CODES["client_finished"], 1], ts["client_finished"]
    )
    measured = h["step_basis"][:, STEP_CODES["client_finished"]]
    finished_basis = np.where(measured != ABSENT, measured, basis["client_finished"])
    hello, second = (h["step_ts"][:, STEP_CODES[name], 0] for name in ("client_hello", "second_client_hello"))
    return {
        "first_time": times(np.where(start > 0, start, q["place_ts"].max(axis=1, initial=0))),
        "handshake_ms": between(start, ts["confirmed"]),
        "handshake_basis": chosen(BASES, np.where(start > 0, basis["confirmed"], ABSENT)),
        "finished_ms": between(start, finish_ts),
        "finished_basis": chosen(BASES, np.where(start > 0, finished_basis, ABSENT)),
        "answer_ms": between(asked, ts["first_server_initial"]),
        "version_negotiation_ms": between(np.where(ts["version_negotiation"] > 0, start, zero), again),
        "retry_ms": between(np.where(ts["retry"] > 0, start, zero), again),
        "hello_retry_ms": between(hello, second),
        "early_data_ms": between(start, ts["first_zero_rtt"]),
        "first_client_data_ms": between(start, ts["first_client_data"]),
        "first_server_data_ms": between(start, ts["first_server_data"]),
    }


def _pairs(q: Rows) -> dict[str, Built]:
    """The columns that both ends have."""
    columns: dict[str, Built] = {}
    keyed: Mask = q["is_keyed"] == 1
    for field, name, kind, _, _ in _PER_END:
        for end, told in enumerate(ENDS):
            values = _by_end(q, field, end)
            if kind == "milliseconds":
                columns[f"{told}_{name}"] = milliseconds(values * (1_000_000 if field == "idle_timeout_ms" else 1), values > 0)
            else:
                columns[f"{told}_{name}"] = ints(values, keyed if field in _KEYED else None)
    rows = np.arange(len(q))
    for end, told in enumerate(ENDS):
        sender = q["client"].astype(np.int64) ^ end
        columns |= {f"{told}_{kind}_packets": ints(q["packets"][rows, sender, code]) for code, kind in enumerate(KINDS)}
        columns[f"{told}_crypto_frames"] = ints(_by_end(q, "crypto_frames", end))
        columns[f"{told}_one_rtt_bytes"] = ints(_by_end(q, "short_bytes", end))
        columns[f"{told}_unvalidated_bytes"] = ints(_by_end(q, "unvalidated_bytes", end))
        sizes = np.where(q["is_path"] == 1, 0, q["scid_size"][rows, sender])  # of a path only the length of the ids is known
        columns[f"{told}_id"] = hexadecimal(q["scid"][rows, sender], sizes)
    return columns


def _race(finished: Finished, at: Ints, limits: Thresholds) -> dict[str, Built]:
    """The columns about the TCP connection beside each one."""
    races = find_races(finished, at, limits)
    place = np.full(len(finished.rows) + 1, -1, np.int64)
    place[races.quic[races.is_race]] = np.flatnonzero(races.is_race)
    where = place[at]
    lead = milliseconds(races.lead, races.lead > 0)
    return {
        "race_connection": ints(races.tcp).take(where),
        "race_winner": chosen(("tcp", "quic"), races.quic_won.astype(np.int64)).take(where),
        "race_lead_ms": lead.take(where),
        "race_loser_bytes": ints(races.loser_bytes, races.loser_bytes >= 0).take(where),
    }


def _learned(finished: Finished, at: Ints) -> dict[str, Built]:
    """The columns that say from where the client knew that the name speaks QUIC."""
    told = take_rows(finished.learned, at)
    known: Mask = told["how"] > 0
    return {
        "learned_from": chosen(WAYS, told["how"], known),
        "learned_ms": milliseconds(finished.connections["first_ts"][at] - told["ts"], known),
        "learned_frame": counts(told["number"]),
        "learned_connection": counts(told["connection"]),
    }


def build_quic(finished: Finished, identity: Identity, limits: Thresholds = DEFAULTS) -> Sheet:
    """QUIC rows of the connections that speak it, in output order."""
    at = np.flatnonzero(finished.quic["seen"] == 1)
    if len(at) == 0:
        return empty_sheet(COLUMNS)
    q, h, c = take_rows(finished.quic, at), take_rows(finished.handshakes, at), take_rows(finished.connections, at)
    text = {f: spans(finished.texts.quic, q[f], q[f"{f}_size"]) for f in ("client_parameters", "server_parameters", "offered_versions")}
    close_ts, close_number = _places(q, "close")
    spin, end = spin_kinds(q)
    spins: Mask = spin == SPINS.index("spinning")
    trips = q["spin_edges"].astype(np.int64)[np.arange(len(q)), end] - 1
    keyed: Mask = q["is_keyed"] == 1
    offered = spans(finished.texts.tls, h["alpn_offered"], h["alpn_offered_size"])
    return make_sheet(
        COLUMNS,
        {
            **identity.at(at),
            "quic_connection": ints(np.where(q["home"] > 0, q["home"], identity.numbers[at])),
            "paths": ints(q["paths"]),
            "client": chosen(("originator", "responder"), (q["client"] != c["flipped"]).astype(np.int64)),
            "version": named(q["version"], version_name, q["version"] > 0),
            "sni": spans(finished.texts.tls, h["server_name"], h["server_name_size"]),
            "alpn_offered": offered,
            "first_alpn": pc.replace_substring_regex(offered.arrow(), ",.*$", ""),
            "version_code": counts(q["version"]),
            "first_version": named(q["first_version"], version_name, q["first_version"] > 0),
            **text,
            **_phases(q, h),
            "longest_pause_ms": milliseconds(q["pause_ns"], q["pause_ns"] > 0),
            "longest_pause_frame": counts(q["pause_number"]),
            "close_kind": chosen(CLOSE_KINDS, q["close_kind"], q["close_kind"] > 0),
            "close_sender": chosen(ENDS, q["close_sender"] ^ q["client"], q["close_kind"] > 0),
            "close_error": _close_error(q),
            "close_reason": spans(finished.texts.quic, q["reason"], q["reason_size"]),
            "close_time": times(close_ts),
            "close_frame": counts(close_number),
            "spin_bit": chosen(SPINS, spin),
            "spin_round_trips": ints(trips, spins),
            "spin_least_ms": milliseconds(q["spin_least"][np.arange(len(q)), end], spins),
            "spin_mean_ms": milliseconds(q["spin_sum"][np.arange(len(q)), end] // np.maximum(trips, 1), spins),
            "original_id": hexadecimal(q["odcid"], q["odcid_size"]),
            **_pairs(q),
            **_race(finished, at, limits),
            **_learned(finished, at),
            "streams": ints(q["streams"], keyed),
            "early_packets": ints(q["early_packets"], keyed),
            "datagrams": ints(q["datagrams"]),
            "coalesced_datagrams": ints(q["coalesced"]),
            "largest_initial_bytes": counts(q["largest_client_initial"]),
            "token_bytes": counts(q["token_bytes"]),
            "not_opened_initials": ints(q["not_opened"]),
            "first_initial_frame": counts(_places(q, "first_client_initial")[1]),
            "retry_frame": counts(_places(q, "retry")[1]),
            "version_negotiation_frame": counts(_places(q, "version_negotiation")[1]),
            "finished_frame": counts(_places(q, "client_finished")[1]),
            "confirmed_frame": counts(_places(q, "confirmed")[1]),
            "migration_frame": counts(_places(q, "migration")[1]),
            "history": padded(np.where(np.arange(q["history"].shape[1]) < q["history_size"][:, None], q["history"], 0)),
            "error": chosen(ERRORS, q["error"], q["error"] > 0),
            "error_frame": counts(q["error_number"]),
        },
    )
