"""The chapters about what the connection was for: HTTP exchanges, or data of another protocol."""

from __future__ import annotations

from typing import Final

from analyzer.story.case import Case, Row
from analyzer.story.chapters import Chapter, Step
from analyzer.story.quic import least_round_trip
from analyzer.story.waterfall import exchange_label
from analyzer.story.words import counted, duration, size

MOST_EXCHANGES: Final = 20
ENCRYPTED: Final = ("https", "tls", "quic", "dtls")
SERVER_THINKS: Final = 2.0  # times the round trip: a wait longer than that is the server's
REASONS: Final = {
    1: "go on",
    2: "done",
    3: "look elsewhere, or use what you have",
    4: "the request was not accepted",
    5: "the server failed",
}


def layer_of(case: Case) -> str:
    """Application layer, and whether others can read it."""
    if case.one("quic"):
        return "application layer, inside QUIC"
    return "application layer, inside TLS" if case.one("tls") else "application layer"


def tell_request(case: Case) -> Chapter | None:
    """The first request."""
    row = case.one("http")
    if not row:
        return _tell_hidden_request(case)
    if not row["method"]:
        return Chapter("request", "HTTP request: not in the capture", layer_of(case), paragraphs=("Only the response is in the capture.",))
    target = row["url"] or row["target"] or "?"
    sent = row["request_send_ms"]
    took = f", sent in {duration(sent)}" if sent else ""
    body = row["request_body_bytes"]
    content = f", with {size(body)} of {row['request_content_type'] or 'content'}" if body else ""
    wait = case.get("request_wait_ms")
    before = f", {duration(wait)} after the connection was ready." if wait is not None and wait >= 0 else "."
    text = f"{row['method']} {target} (HTTP/{row['version']}){content}{took}{before}"
    facts = _facts(row, (("client", "user_agent"), ("from", "referrer"), ("user", "username")))
    plain = (
        () if case.one("tls") else ("Nothing is encrypted: whoever is on the path can read and change it, and nobody proves who they are.",)
    )
    numbers = tuple(number for number in (row["request_first_frame"], row["request_last_frame"]) if number)
    return Chapter("request", "HTTP request", layer_of(case), numbers, (text, *plain), (), facts)


def _facts(row: Row, wanted: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((label, str(row[name])) for label, name in wanted if row.get(name))


def _tell_hidden_request(case: Case) -> Chapter | None:
    """What is encrypted is told by sizes and times."""
    tls, quic = case.one("tls"), case.one("quic")
    if quic:
        if case.get("server_wait_ms") is None:
            return None
        sizes = (
            "The content is encrypted. By the sizes and directions of the packets the first request and its answer can be told, no more."
        )
    elif tls and (tls["client_data_bytes"] or tls["server_data_bytes"]):
        sent, got = (size(tls[f"{end}_data_bytes"] or 0) for end in ("client", "server"))
        sizes = f"The content is encrypted. By the sizes of the records the client sent {sent} and the server {got}."
    else:
        return None
    wait, receive = case.get("server_wait_ms"), case.get("response_receive_ms")
    parts = [sizes]
    if wait is not None:
        parts.append(f"The first answer began {duration(wait)} after the request ended{_thinking(case, wait)}.")
    if receive:
        parts.append(f"Data came for {duration(receive)} until the client spoke again or the connection ended.")
    parts.append("With the keys (--keylog) the requests themselves can be told.")
    numbers = (case.get("request_send_first_frame"), case.get("response_receive_first_frame"), case.get("response_receive_last_frame"))
    found = tuple(number for number in numbers if number)
    return Chapter("hidden", "Request and response, encrypted", layer_of(case), found, (" ".join(parts),))


def _thinking(case: Case, wait: float) -> str:
    """How much of a wait the network explains."""
    trip = case.get("tcp_round_trip_ms") if case.is_tcp else least_round_trip(case.one("quic"))
    if trip is None or trip <= 0 or wait < 0:
        return ""
    if case.get("tcp_vantage") == "responder":
        return " (the capture was taken beside the server: nearly all of it is the server's own time)"
    if wait > SERVER_THINKS * trip:
        return f": {duration(trip)} of that is the way there and back, the rest ({duration(wait - trip)}) the server's own time"
    return f": about one round trip ({duration(trip)}), so the server itself was quick"


def tell_response(case: Case) -> Chapter | None:
    """The first response."""
    row = case.one("http")
    if not row:
        return None
    if row["status"] is None:
        title = "HTTP response: none"
        return Chapter("response", title, layer_of(case), paragraphs=("No response to this request is in the capture.",))
    wait = row["server_wait_ms"]
    begun = ""
    if wait is not None and wait >= 0:
        begun = f" Its first byte came {duration(wait)} after the request's last{_thinking(case, wait)}."
    elif wait is not None:
        begun = " It began before the request was complete."
    reason = row["reason"] or REASONS.get(row["status"] // 100, "")
    body = size(row["response_body_bytes"]) if row["response_body_bytes"] is not None else "no"
    coded = f", {row['content_encoding']} coded" if row["content_encoding"] else ""
    receive = row["response_receive_ms"]
    received = f" All of it had arrived {duration(receive)} later." if receive else ""
    broken = (
        "" if row["response_complete"] in (True, None) else " It is not complete: the connection ended, or bytes are not in the capture."
    )
    text = f"{row['status']} {reason}: {body} of {row['response_content_type'] or 'content'}{coded}.{begun}{received}{broken}"
    numbers = tuple(number for number in (row["response_first_frame"], row["response_last_frame"]) if number)
    upgrade = f" After it the connection speaks another protocol ({row['upgrade'] or 'a tunnel'})." if row["is_upgraded"] else ""
    facts = _facts(row, (("server", "server"), ("look at", "location")))
    return Chapter("response", "HTTP response", layer_of(case), numbers, (text + upgrade,), (), facts)


def tell_further(case: Case) -> Chapter | None:
    """All exchanges, where there is more than one."""
    rows = case.rows("http")
    if len(rows) < 2:
        return None
    asked = {one["exchange"]: one["since_start_ms"] for one in case.rows("milestones") if one["step"] == "request" and one["exchange"]}
    steps = []
    for row in rows[:MOST_EXCHANGES]:
        wait, receive = row["server_wait_ms"], row["response_receive_ms"]
        answer = f"{row['status']} {row['reason'] or ''}".strip() if row["status"] is not None else "no response"
        length = f", {size(row['response_body_bytes'])}" if row["response_body_bytes"] else ""
        time = f"; waited {duration(wait)}" if wait is not None else ""
        time += f", received in {duration(receive)}" if receive else ""
        numbers = tuple(sorted({row["request_first_frame"], row["response_last_frame"]} - {None}))
        steps.append(Step(asked.get(row["index"]), exchange_label(row), f"{answer}{length}{time}", numbers))
    more = f" The first {MOST_EXCHANGES}:" if len(rows) > MOST_EXCHANGES else ""
    saved = ": only the first had to wait for the handshakes" if case.get("tcp_connect_ms") is not None else ""
    text = f"{len(rows):,} exchanges on this connection{saved}.{more}"
    return Chapter("further", "All exchanges", layer_of(case), (), (text,), tuple(steps))


def tell_data(case: Case) -> Chapter | None:
    """Data of a TCP connection that is neither HTTP nor TLS."""
    service = case.get("service")
    sent, got = case.get("originator_bytes") or 0, case.get("responder_bytes") or 0
    if not case.is_tcp or case.rows("http") or case.one("tls") or service == "dns" or "syn" not in case.steps:
        return None
    if not (sent or got):
        if case.get("tcp_close") in ("refused", "unanswered") or "syn_ack" not in case.steps:
            return None
        return Chapter("data", "Data: none", "application layer", paragraphs=("Nothing was sent on this connection.",))
    first = [(case.steps[name]["since_start_ms"], name) for name in ("first_originator_data", "first_responder_data") if name in case.steps]
    who = {"first_originator_data": "client", "first_responder_data": "server"}
    spoke = f" The {who[min(first)[1]]} spoke first, {duration(min(first)[0])} after the SYN." if first else ""
    name = f"It speaks {service}." if service else f"What it speaks is not known to this program (port {case.get('responder_port')})."
    text = f"{name} The client sent {size(sent)}, the server {size(got)}.{spoke}"
    numbers = tuple(sorted({case.steps[step]["first_frame"] for _, step in first}))
    title = f"Data ({service})" if service else "Data"
    return Chapter("data", title, "application layer", numbers, (text, counted_packets(case)))


def counted_packets(case: Case) -> str:
    """Packets each way."""
    there, back = case.get("originator_packets") or 0, case.get("responder_packets") or 0
    return f"{counted(there, 'packet')} went there, {counted(back, 'packet')} came back."
