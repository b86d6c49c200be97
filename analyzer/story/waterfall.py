"""The waterfall of one connection: when each phase began and how long it took, from its milestones."""

from __future__ import annotations

from typing import Final

from analyzer.story.case import Case, Row
from analyzer.story.chapters import Bar

LABELS: Final = {
    "dns": "DNS lookup",
    "dns_to_connect": "before connecting",
    "tcp_connect": "TCP handshake",
    "tcp_to_tls": "before TLS",
    "tls_handshake": "TLS handshake",
    "request_wait": "before the request",
    "request_send": "request",
    "server_wait": "server",
    "response_receive": "response",
}
"""Phases that are drawn, in the order of a request; being idle and closing would press the others flat."""

THINKING: Final = ("dns_to_connect", "tcp_to_tls", "request_wait")
THINKING_SHARE: Final = 0.03  # of the whole: shorter gaps between phases are not drawn
MOST_EXCHANGES: Final = 12  # exchanges after the first that are drawn
DOMINANT: Final = 0.5


def _phase_bars(case: Case) -> list[Bar]:
    """The phases of the connection and its first exchange; one without a known begin starts where the last one ended."""
    bars: list[Bar] = []
    place = -(case.get("dns_ms") or 0.0) - (case.get("dns_to_connect_ms") or 0.0)
    labels = LABELS | ({"tls_handshake": "QUIC handshake"} if case.one("quic") else {})
    for phase, label in labels.items():
        took = case.get(f"{phase}_ms")
        if took is None:
            continue
        first, last = case.get(f"{phase}_first_frame"), case.get(f"{phase}_last_frame")
        start = place
        if first in case.times_by_frame:
            start = case.times_by_frame[first]
        elif last in case.times_by_frame:
            start = case.times_by_frame[last] - took
        if took >= 0 or phase == "server_wait":
            bars.append(Bar(phase, label, start, max(took, 0.0), case.get(f"{phase}_basis"), (first, last), phase in THINKING))
        place = start + took
    return bars


def _exchange_bars(case: Case) -> list[Bar]:
    """Exchanges after the first: from the first byte of the request to the last byte of the response."""
    asked = {row["exchange"]: row for row in case.rows("milestones") if row["step"] == "request" and row["exchange"]}
    answered = {row["exchange"]: row for row in case.rows("milestones") if row["step"] == "response" and row["exchange"]}
    bars = []
    for row in case.rows("http")[1:]:
        begin, end = asked.get(row["index"]), answered.get(row["index"])
        if begin is None or end is None:
            continue
        took = end["since_start_ms"] + (end["took_ms"] or 0.0) - begin["since_start_ms"]
        frames = (begin["first_frame"], end["last_frame"])
        bars.append(Bar("exchange", exchange_label(row), begin["since_start_ms"], max(took, 0.0), "measured", frames))
    return bars[:MOST_EXCHANGES]


def exchange_label(row: Row) -> str:
    """An exchange in a few words."""
    return f"{row['method'] or '?'} {row['target'] or row['url'] or ''}".strip()


def _data_bar(case: Case) -> list[Bar]:
    """Data of a protocol without phases of its own, or a handshake that came to nothing: from its first byte to the close."""
    starts = [case.steps[name]["since_start_ms"] for name in ("first_originator_data", "first_responder_data") if name in case.steps]
    if not starts:
        return []
    close = case.steps.get("teardown_start")
    end = close["since_start_ms"] if close else case.get("duration_ms") or 0.0
    first = min(starts)
    frames = tuple(case.steps[name]["first_frame"] for name in ("first_originator_data", "first_responder_data") if name in case.steps)
    tls = case.one("tls")
    failed = bool(tls) and "client_hello" in case.steps and case.get("tls_handshake_ms") is None
    phase, label = ("tls_handshake", "TLS: not completed") if failed else ("data", "data")
    return [Bar(phase, label, first, max(end - first, 0.0), "measured", frames)]


def _failed_bar(case: Case) -> list[Bar]:
    """A handshake that led to nothing: from the first SYN to the refusal, or to the last attempt."""
    syn, end = case.steps.get("syn"), case.steps.get("teardown_start")
    if syn is None or "syn_ack" in case.steps or case.is_one_sided or case.get("tcp_connect_ms") is not None:
        return []
    is_refused = case.get("tcp_close") == "refused" and end is not None
    took = end["since_start_ms"] if is_refused and end else case.get("duration_ms") or 0.0
    label = "TCP: refused" if is_refused else "TCP: no answer"
    return [Bar("tcp_connect", label, 0.0, took, "measured", (syn["first_frame"], case.get("last_frame")))]


def _vain_bar(case: Case) -> list[Bar]:
    """A request that was not answered: from it to the close, or to the last packet."""
    first, asked, close = case.one("http"), case.steps.get("request"), case.steps.get("teardown_start")
    if not first or first["status"] is not None or asked is None:
        return []
    end = close["since_start_ms"] if close else case.get("duration_ms") or 0.0
    begin = asked["since_start_ms"]
    return [Bar("server_wait", "waiting in vain", begin, max(end - begin, 0.0), "measured", (asked["first_frame"], case.get("last_frame")))]


def _lookup_bars(case: Case) -> list[Bar]:
    """The questions that a DNS connection carried."""
    bars = []
    for row in case.rows("dns")[:MOST_EXCHANGES]:
        begin, start = row.get("query_time"), case.get("start_time")
        if begin is None or start is None or row["rtt_ms"] is None:
            continue
        label = f"{row['type'] or '?'} {row['name'] or '.'}"
        since = (begin - start).total_seconds() * 1000
        bars.append(Bar("dns", label, since, row["rtt_ms"], "measured", (row["query_frame"], row["response_frame"])))
    return bars


def draw_bars(case: Case) -> tuple[Bar, ...]:
    """The bars of a connection in the order in which a request lives; thinking between them only where it lasts."""
    bars = _phase_bars(case)
    bars += _failed_bar(case) + _vain_bar(case) + _lookup_bars(case)
    if not any(bar.phase in ("server_wait", "response_receive", "request_send") for bar in bars) and not case.rows("dns"):
        bars += _data_bar(case)
    bars += _exchange_bars(case)
    whole = whole_ms(bars)
    if whole <= 0:
        return ()
    return tuple(bar for bar in bars if not bar.is_gap or bar.took_ms >= THINKING_SHARE * whole)


def whole_ms(bars: list[Bar] | tuple[Bar, ...]) -> float:
    """From the begin of the first bar to the end of the last."""
    return max(bar.start_ms + bar.took_ms for bar in bars) - min(bar.start_ms for bar in bars) if bars else 0.0


def dominant(bars: tuple[Bar, ...]) -> Bar | None:
    """The bar that takes most of the time, if one takes more than half."""
    whole = whole_ms(bars)
    slowest = max(bars, key=lambda bar: bar.took_ms, default=None)
    return slowest if slowest is not None and len(bars) > 1 and whole > 0 and slowest.took_ms > DOMINANT * whole else None
