"""The chapters about QUIC: how the connection was opened, what happened on the way, and how it ended."""

from __future__ import annotations

from typing import Final

from analyzer.story.case import Case, Row
from analyzer.story.chapters import Chapter, Step
from analyzer.story.words import counted, duration, frames, joined, size, times

LAYER: Final = "transport layer, over UDP"
LONG_PAUSE_MS: Final = 1000
NO_ERRORS: Final = ("NO_ERROR", "H3_NO_ERROR", "0x0")

STEP_NAMES: Final = {
    "quic_first_client_initial": "Initial (client)",
    "quic_first_zero_rtt": "0-RTT (client)",
    "quic_version_negotiation": "Version Negotiation",
    "quic_retry": "Retry",
    "quic_second_initial": "Initial again",
    "quic_first_server_initial": "Initial (server)",
    "quic_first_server_handshake": "Handshake (server)",
    "quic_first_client_handshake": "Handshake (client)",
    "quic_client_finished": "Finished (client)",
    "quic_confirmed": "confirmed",
    "quic_first_client_data": "1-RTT (client)",
    "quic_first_server_data": "1-RTT (server)",
}
"""Steps of the handshake by milestone, in the order in which those of the same time are told."""

PARAMETERS: Final = (
    ("initial_max_data", "{} of data under way"),
    ("initial_max_streams_bidi", "{} streams at a time"),
    ("max_udp_payload_size", "datagrams up to {} bytes"),
    ("max_idle_timeout", "silence up to {}"),
    ("max_datagram_frame_size", "datagrams beside streams"),
    ("disable_active_migration", "no moving to other addresses"),
)
"""Transport parameters that matter to a reader (RFC 9000 18.2)."""


def tell_quic(case: Case) -> Chapter:
    """How a connection of QUIC came to be."""
    row = case.one("quic")
    if row["quic_connection"] != row["connection"]:
        return _tell_path(case, row)
    steps = _steps(case, row)
    if row["first_initial_frame"] is None:
        text = "The Initial that opened this connection is not in the capture: it was open before. Its name cannot be known."
        return Chapter("quic", "QUIC: already under way", LAYER, _ends(case), (text,), steps, _agreed(row))
    told = (_opening(case, row), _learned(row), _detours(row), _early(case, row), _doubts(row), _race(row))
    numbers = tuple(number for step in steps for number in step.frames)
    return Chapter("quic", _title(case, row), LAYER, numbers, tuple(text for text in told if text), steps, _agreed(row))


def _ends(case: Case) -> tuple[int, ...]:
    return tuple(sorted({case.get("first_frame"), case.get("last_frame")} - {None}))


def _is_answered(row: Row) -> bool:
    return any(row[f"server_{kind}_packets"] for kind in ("initial", "handshake", "retry", "version_negotiation", "one_rtt"))


def _title(case: Case, row: Row) -> str:
    if row["finished_frame"] or "quic_first_client_data" in case.steps:
        return "QUIC handshake"
    return "QUIC handshake: not completed" if _is_answered(row) else "QUIC handshake: no answer"


def _tell_path(case: Case, row: Row) -> Chapter:
    text = (
        f"These packets belong to connection {row['quic_connection']}: QUIC names a connection by an id and not by addresses and ports,"
        f" so it can go on from another address. There the handshake is told; here {counted(row['datagrams'], 'datagram')} went both ways."
    )
    return Chapter("quic_course", f"QUIC: a path of connection {row['quic_connection']}", LAYER, _ends(case), (text,))


def _steps(case: Case, row: Row) -> tuple[Step, ...]:
    """The packets that bring the handshake forward, timed from the first Initial (else from the first of them)."""
    rows = [case.steps[name] for name in STEP_NAMES if name in case.steps]
    begin = min((one["since_start_ms"] for one in rows), default=0.0)
    steps = []
    for one in sorted(rows, key=lambda one: one["since_start_ms"]):
        name = one["step"]
        basis = row["finished_basis"] if name == "quic_client_finished" else one["basis"]
        steps.append(Step(one["since_start_ms"] - begin, STEP_NAMES[name], _step_text(name, case, row), (one["first_frame"],), basis))
    return tuple(steps)


def _step_text(name: str, case: Case, row: Row) -> str:
    began_otherwise = row["first_version"] and row["first_version"] != row["version"]
    texts = {
        "quic_first_client_initial": f"in version {row['first_version']}" if began_otherwise else "brings the ClientHello of TLS along",
        "quic_first_zero_rtt": f"{counted(row['client_zero_rtt_packets'] or 0, 'packet')} of data before the server has said anything",
        "quic_version_negotiation": f"the server does not speak that version, it knows {_versions(row)}",
        "quic_retry": "the server wants the client's address proven first",
        "quic_second_initial": "with the token of the Retry" if row["retry_frame"] else f"in version {row['version']}",
        "quic_first_server_initial": "the server answers: with its ServerHello both have keys",
        "quic_first_server_handshake": "certificate and Finished" if not (case.one("tls") or {}).get("resumed") else "Finished",
        "quic_first_client_handshake": "confirms them, and so proves the client's address",
        "quic_client_finished": "a check over the whole handshake: for the client it is over",
        "quic_confirmed": "the client knows that the server has its Finished"
        + (" (HANDSHAKE_DONE)" if row["handshake_basis"] == "measured" else ""),
        "quic_first_client_data": "first packet with a short header: data",
        "quic_first_server_data": "first packet with a short header: data",
    }
    return texts[name]


def _versions(row: Row) -> str:
    return joined([version for version in (row["offered_versions"] or "").split(",") if version]) or "others"


def detours(row: Row) -> int:
    """Round trips that a handshake of QUIC took beyond the one that it needs."""
    return sum(row[name] is not None for name in ("version_negotiation_ms", "retry_ms", "hello_retry_ms"))


def _opening(case: Case, row: Row) -> str:
    near, far = case.get("originator_ip"), case.get("responder_ip")
    if row["client"] == "responder":
        near, far = far, near
    port = case.get("responder_port" if row["client"] == "originator" else "originator_port")
    tried = (row["client_initial_packets"] or 0) + (row["client_unfamiliar_packets"] or 0)
    begun = f"{near} opened a QUIC connection (version {row['version']}) to port {port} of {far}"
    if not _is_answered(row):
        within = f" within {duration(case.get('duration_ms'))}" if tried > 1 else ""
        return (
            f"{begun}: {counted(tried, 'Initial packet')}{within}, and nothing ever came back. No server there, or a firewall that lets no"
            f" UDP through to port {port}: browsers then take TCP instead."
        )
    text = f"{begun}. QUIC does at once what TCP and TLS do one after the other: its first packet brings the ClientHello along."
    if row["finished_ms"] is None:
        return f"{text} The server answered{_after(row['answer_ms'])}, but the handshake was not completed in the capture."
    trips = 1 + detours(row)
    how = {"inferred": ", as types and sizes of packets tell", "bounded": " at most"}.get(row["finished_basis"], "")
    text += f" For the client it was over after {counted(trips, 'round trip')} ({duration(row['finished_ms'])}{how})"
    if row["handshake_ms"] is None:
        return f"{text}."
    seen = "" if row["handshake_basis"] == "measured" else ", as the server's next packet shows"
    return f"{text}, confirmed by the server after {duration(row['handshake_ms'])}{seen}."


def _after(took: float | None) -> str:
    return f" after {duration(took)}" if took is not None else ""


def _learned(row: Row) -> str:
    """From where the client knew that it may take QUIC."""
    words = {
        "https record": "the HTTPS record of the name in the DNS offers HTTP/3",
        "alt-svc": "an earlier response over TCP offered HTTP/3 (Alt-Svc)",
        "altsvc frame": "the server offered HTTP/3 on a connection over TCP (ALTSVC frame)",
    }.get(row["learned_from"] or "")
    if words is None:
        return ""
    where = frames([row["learned_frame"]])
    carrier = f", connection {row['learned_connection']}" if row["learned_connection"] else ""
    return f"The client could know that QUIC is spoken here: {words} ({where}{carrier}), {duration(row['learned_ms'])} before."


def _detours(row: Row) -> str:
    told = []
    if row["version_negotiation_ms"] is not None:
        again = f"The server did not know version {row['first_version']}: beginning again with version {row['version']}"
        told.append(f"{again} cost {duration(row['version_negotiation_ms'])}")
    if row["retry_ms"] is not None:
        token = f" (a token of {row['token_bytes']:,} bytes)" if row["token_bytes"] else ""
        told.append(
            f"The server answered with a Retry: it wanted proof{token} that the client is where it says, as servers under load do."
            f" That cost {duration(row['retry_ms'])}"
        )
    if row["hello_retry_ms"] is not None:
        told.append(f"A HelloRetryRequest (the server wanted another key share) cost {duration(row['hello_retry_ms'])}")
    return " ".join(f"{text}." for text in told)


def _early(case: Case, row: Row) -> str:
    if not row["client_zero_rtt_packets"]:
        return ""
    taken = (case.one("tls") or {}).get("early_data_accepted")
    outcome = {
        True: " The server took them.",
        False: " The server did not take them: they had to be sent again.",
        None: " Whether the server took them only the keys can tell.",
    }[taken]
    return (
        f"{counted(row['client_zero_rtt_packets'], 'packet')} of data came with the ClientHello (0-RTT), encrypted with a key of an earlier"
        f" connection: such a request does not wait for the handshake.{outcome}"
    )


def _doubts(row: Row) -> str:
    told = []
    if row["not_opened_initials"]:
        told.append(
            f"{counted(row['not_opened_initials'], 'Initial')} could not be opened: damaged, forged, or no QUIC of the version it names."
        )
    if row["error"] and not row["not_opened_initials"]:
        told.append(f"Not everything could be read ({row['error']}, {frames([row['error_frame']])}).")
    largest = row["largest_initial_bytes"]
    if largest and largest < 1200:
        told.append(f"The client's largest Initial has {largest:,} bytes; servers have to ignore those below 1200.")
    return " ".join(told)


def _race(row: Row) -> str:
    other = row["race_connection"]
    if other is None:
        return ""
    lead = f" by {duration(row['race_lead_ms'])}" if row["race_lead_ms"] is not None else ""
    cost = f" What was sent for the other cost {size(row['race_loser_bytes'])}." if row["race_loser_bytes"] else ""
    winner = {"quic": "QUIC", "tcp": "TCP"}.get(row["race_winner"] or "", "neither")
    return f"The client tried TCP at the same time (connection {other}): {winner} was ready first{lead}.{cost}"


def _agreed(row: Row) -> tuple[tuple[str, str], ...]:
    facts = [("version", str(row["version"]))] if row["version"] else []
    facts += [(f"id of the {end}", str(row[f"{end}_id"])) for end in ("client", "server") if row[f"{end}_id"]]
    for end in ("client", "server"):
        allowed = parameter_words(row[f"{end}_parameters"] or "")
        if allowed:
            facts.append((f"{end} allows", allowed))
    return tuple(facts)


def parameter_words(parameters: str) -> str:
    """What transport parameters allow, in words; empty where they are not known (or masked)."""
    given = dict(pair.partition("=")[::2] for pair in parameters.split(","))
    told = []
    for name, words in PARAMETERS:
        value = given.get(name)
        if value is None or (value and not value.isdecimal()):
            continue
        amount = value
        if name == "initial_max_data":
            amount = size(int(value))
        elif name == "max_idle_timeout":
            if int(value or 0) == 0:
                continue
            amount = duration(int(value))
        told.append(words.format(amount))
    return ", ".join(told)


def tell_course(case: Case) -> Chapter | None:
    """What happened after the handshake: data by its packets, round trips, losses, moves."""
    row = case.one("quic")
    if not row or row["quic_connection"] != row["connection"] or not _is_answered(row):
        return None
    there, back = row["client_one_rtt_packets"] or 0, row["server_one_rtt_packets"] or 0
    if not (there or back):
        return None
    sent, got = (size(row[f"{end}_one_rtt_bytes"] or 0) for end in ("client", "server"))
    text = f"After the handshake the client sent {counted(there, 'packet')} ({sent}), the server {back:,} ({got})."
    told = (text, _round_trips(row), _losses(row), _moves(case, row), _updates(row), _pause(row))
    numbers = tuple(number for number in (row["migration_frame"], row["longest_pause_frame"] if _pause(row) else None) if number)
    return Chapter("quic_course", "QUIC on the way", LAYER, numbers, tuple(text for text in told if text))


def least_round_trip(row: Row) -> float | None:
    """The shortest round trip that is known, as captured: of the handshake, by acknowledgements, by the spin bit."""
    acknowledged = [row.get(f"{end}_ack_ms") for end in ("client", "server")]
    both = sum(trip for trip in acknowledged if trip is not None) if None not in acknowledged else None
    return min((trip for trip in (row.get("answer_ms"), row.get("spin_least_ms"), both) if trip is not None), default=None)


def _is_opened(row: Row) -> bool:
    return row["client_opened_packets"] is not None


def _round_trips(row: Row) -> str:
    if row["spin_round_trips"]:
        return (
            f"The spin bit shows {counted(row['spin_round_trips'], 'round trip')}, the shortest of {duration(row['spin_least_ms'])},"
            f" {duration(row['spin_mean_ms'])} on average (pauses of the programs are in it)."
        )
    if row["spin_bit"] in ("constant", "random"):
        return "The client does not let the spin bit show round trips: after the handshake they cannot be seen from outside."
    return ""


def _losses(row: Row) -> str:
    if not _is_opened(row):
        return "What was lost and sent again cannot be seen: QUIC encrypts packet numbers and acknowledgements, too."
    told = [
        f"{counted(row[f'{end}_lost_packets'], 'packet')} of the {end} {'was' if row[f'{end}_lost_packets'] == 1 else 'were'} lost"
        for end in ("client", "server")
        if row[f"{end}_lost_packets"]
    ]
    again = {end: row[f"{end}_repeated_bytes"] for end in ("client", "server")}
    told += [f"{size(count)} of the {end}'s data came again" for end, count in again.items() if count]
    trips = [f"{duration(row[f'{end}_ack_ms'])} for those of the {end}" for end in ("client", "server") if row[f"{end}_ack_ms"] is not None]
    least = f" From a packet to its acknowledgement it took at least {joined(trips)}." if trips else ""
    text = f"{joined(told)}." if told else "No packet had to be taken for lost."
    return text[:1].upper() + text[1:] + least


def _moves(case: Case, row: Row) -> str:
    if not row["paths"]:
        return ""
    where = f" as connection {joined([str(number) for number in case.paths])}" if case.paths else ""
    others = counted(row["paths"], "other address or port", "other addresses or ports")
    return (
        f"The connection went on under {others}{where}: a NAT that forgot it, or a client that moved to another network. A TCP"
        " connection would have broken."
    )


def _updates(row: Row) -> str:
    count = max(row["client_key_updates"] or 0, row["server_key_updates"] or 0)
    return f"The keys were renewed {times(count)}." if count else ""


def _pause(row: Row) -> str:
    pause = row["longest_pause_ms"]
    if pause is None or pause < LONG_PAUSE_MS:
        return ""
    return f"The longest time without a packet was {duration(pause)} (after {frames([row['longest_pause_frame']])})."


def has_failed(row: Row) -> bool:
    """Whether QUIC was closed with an error."""
    return row["close_kind"] is not None and row["close_error"] not in NO_ERRORS


def tell_quic_ending(case: Case) -> Chapter | None:
    """How a connection of QUIC ended, as far as that can be read."""
    row = case.one("quic")
    if not row or row["quic_connection"] != row["connection"] or not _is_answered(row):
        return None
    if row["close_kind"] is None:
        return _tell_silence(case, row)
    if row["close_kind"] == "stateless reset":
        text = "The server no longer knew the connection and ended it with a stateless reset."
    else:
        why = "the program above it" if row["close_kind"] == "application" else "QUIC itself"
        reason = f", reason: {row['close_reason']}" if row["close_reason"] else ""
        code = "without an error" if not has_failed(row) else f"with the error {row['close_error']}"
        text = f"The {row['close_sender']} closed the connection (CONNECTION_CLOSE of {why}) {code}{reason}."
    second = case.steps.get("quic_second_close")
    numbers = tuple(number for number in (row["close_frame"], second and second["first_frame"]) if number)
    return Chapter("quic_ending", "The end", LAYER, numbers, (text,))


def _tell_silence(case: Case, row: Row) -> Chapter:
    limits = [row[f"{end}_idle_timeout_ms"] for end in ("client", "server") if row[f"{end}_idle_timeout_ms"]]
    timeout = f" After {duration(min(limits))} of silence both ends forget the connection." if limits else ""
    if _is_opened(row):
        text = "Neither end closed the connection within the capture: it may have gone on, or fell silent."
    else:
        text = "QUIC encrypts its close like everything else: without the keys (--keylog) the last packets may be a close or data."
    return Chapter("quic_ending", "The end: not to be seen", LAYER, (case.get("last_frame"),), (text + timeout,))
