"""The chapter about the end: who closed the connection, and how."""

from __future__ import annotations

from typing import Final

from analyzer.story.case import Case
from analyzer.story.chapters import Chapter
from analyzer.story.quic import has_failed, tell_quic_ending
from analyzer.story.words import duration

CLOSES: Final = {
    "open": "not closed within the capture",
    "unanswered": "never answered",
    "refused": "refused",
    "fin": "closed normally",
    "half-close": "closed one direction after the other",
    "one-sided fin": "closed by one end only",
    "reset after fin": "closed, then reset",
    "reset": "reset",
}
STATES: Final = {
    "S0": "never answered",
    "S1": "not closed within the capture",
    "SF": "answered",
    "OTH": "seen in part",
}


def outcome_words(case: Case) -> str:
    """How it ended in a few words, with Zeek's state and history."""
    words = CLOSES.get(case.get("tcp_close") or "") if case.is_tcp else STATES.get(case.get("state") or "")
    if case.get("transport") == "icmp":
        words = "both ways" if case.get("responder_packets") else "one way"
    if words in ("reset", "closed, then reset") and case.get("tcp_closed_by") and case.get("tcp_closed_by_reset"):
        words = f"reset by the {'client' if case.get('tcp_closed_by') == 'originator' else 'server'}"
    if words == STATES["S0"] and case.is_to_a_group:
        words = "sent to a group"
    quic = case.one("quic")
    if quic and quic["close_kind"]:
        words = f"closed by the {quic['close_sender']}{' with an error' if has_failed(quic) else ''}"
    if case.is_tcp and not {"syn", "syn_ack"} & set(case.steps):
        words = f"under way before the capture{f', {words}' if words else ''}"
    codes = ", ".join(code for code in (case.get("state"), case.get("history")) if code)
    return f"{words or 'seen in part'}{f' ({codes})' if codes else ''}"


def _end_name(case: Case, which: str | None) -> str:
    return f"the client ({case.get('originator_ip')})" if which == "originator" else f"the server ({case.get('responder_ip')})"


def tell_ending(case: Case) -> Chapter | None:
    """How a connection of TCP or QUIC ended; others just fall silent."""
    if case.one("quic"):
        return tell_quic_ending(case)
    close, by = case.get("tcp_close"), case.get("tcp_closed_by")
    if not case.is_tcp or close in (None, "refused", "unanswered"):
        return None
    who = _end_name(case, by)
    first = case.steps.get("teardown_start")
    numbers = tuple(sorted({case.get("teardown_first_frame"), case.get("teardown_last_frame"), first and first["first_frame"]} - {None}))
    took = case.get("teardown_ms")
    lasted = f" It took {duration(took)}." if took is not None else ""
    idle = case.get("keepalive_idle_ms")
    quiet = f" Before that nothing happened for {duration(idle)}." if idle is not None and idle > 1000 else ""
    texts = {
        "open": "Neither end closed the connection before the capture ended: it may have gone on.",
        "fin": f"{who} said first that it had nothing more to send (FIN), the other end followed: a normal end.{lasted}",
        "half-close": f"{who} closed its direction (FIN) and went on listening; later the other end closed as well.{lasted}",
        "one-sided fin": f"{who} closed its direction (FIN); the other end did not within the capture.",
        "reset after fin": f"One end closed (FIN), then a RST ended it: often a program that closes without reading everything.{lasted}",
        "reset": f"{who} broke the connection off with RST: data under way was thrown away.",
    }
    text = texts.get(close, f"The connection ended: {close}.")
    differs = case.get("tcp_reset_differs")
    if differs:
        text += f" The RST does not fit the end that it claims to come from ({differs}): perhaps another box sent it."
    return Chapter("ending", "The end", "transport layer", numbers, (text[:1].upper() + text[1:] + quiet,))
