"""The door: a case becomes a story, chapter by chapter, in the order in which a request lives."""

from __future__ import annotations

from typing import Any, Final

from analyzer.story.case import Case, Row
from analyzer.story.chapters import Bar, Story, Teller
from analyzer.story.ending import outcome_words, tell_ending
from analyzer.story.exchanges import tell_data, tell_further, tell_request, tell_response
from analyzer.story.lookup import tell_lookup, tell_questions
from analyzer.story.page import tell_page
from analyzer.story.security import tell_security
from analyzer.story.transport import icmp_kind, tell_opening, tell_repairs
from analyzer.story.waterfall import dominant, draw_bars, whole_ms
from analyzer.story.wireshark import display_filter
from analyzer.story.words import duration, endpoint, sentence, size, span

TELLERS: Final[tuple[Teller, ...]] = (
    tell_lookup,
    tell_opening,
    tell_security,
    tell_questions,
    tell_request,
    tell_response,
    tell_further,
    tell_page,
    tell_data,
    tell_repairs,
    tell_ending,
)
"""Every chapter there can be, in their order; a protocol adds its own here."""

SEVERITIES: Final = ("error", "warning", "note")


def measured(finding: Row) -> str:
    """What a finding measured, in words; empty where it measured nothing."""
    amount, unit = finding["amount"], finding["amount_unit"]
    if unit == "code":
        return str(finding["detail"])
    if unit == "ns":
        return span(amount)
    if unit == "bytes":
        return f"{amount:,} byte{'' if amount == 1 else 's'}"
    if unit is None:
        return ""
    return "once" if amount == 1 else f"{amount:,} times"


def finding_words(finding: Row) -> str:
    """A finding in a few words, with what was measured."""
    told = measured(finding)
    return f"{finding['meaning']}: {told}" if told else str(finding["meaning"])


def _ends(case: Case) -> str:
    has_ports = case.get("transport") in ("tcp", "udp")
    ends: Any = [endpoint(case.get(f"{end}_ip"), case.get(f"{end}_port") if has_ports else None) for end in ("originator", "responder")]
    return f"{ends[0]} -> {ends[1]}"


def _subject(case: Case) -> str:
    if case.get("http_url"):
        return str(case.get("http_url"))
    service, host = case.get("service"), case.get("host")
    names = {row["name"] for row in case.rows("dns") if row["name"]}
    if service == "dns" and names:
        return f"dns: {min(names)}{f' and {len(names) - 1:,} more' if len(names) > 1 else ''}"
    if case.get("transport") == "icmp":
        return f"icmp: {icmp_kind(case)}"
    if service == "https" and host:
        return f"https://{host}/ (paths are encrypted)"
    return " ".join(part for part in (service or case.get("transport"), host) if part)


def _gist(case: Case, bars: tuple[Bar, ...]) -> str:
    slowest = None if case.rows("dns") else dominant(bars)
    parts = []
    if slowest is not None:
        share = slowest.took_ms / whole_ms(bars)
        parts.append(f"Most of the time ({share:.0%}) went into: {slowest.label} ({duration(slowest.took_ms)}).")
    serious = [row for row in _findings(case) if row["severity"] != "note"]
    if serious:
        more = f" (and {len(serious) - 1} more below)" if len(serious) > 1 else ""
        parts.append(sentence(f"What stands out: {finding_words(serious[0])}{more}"))
    if not parts:
        sent, got = case.get("originator_bytes") or 0, case.get("responder_bytes") or 0
        parts.append(f"Nothing stands out. {size(sent)} went there, {size(got)} came back.")
    return " ".join(parts)


def _findings(case: Case) -> tuple[Row, ...]:
    rows = case.rows("findings")
    return tuple(sorted(rows, key=lambda row: (SEVERITIES.index(row["severity"]), row["frame"] or 0, row["rule"])))


def tell(case: Case) -> Story:
    """The story of a connection."""
    bars = draw_bars(case)
    whole = whole_ms(bars) or case.get("duration_ms")
    long = case.get("duration_ms") or 0.0
    kept = f", open for {duration(long)}" if bars and long > 2 * (whole or 0.0) and long > 1000 else ""
    told = (teller(case) for teller in TELLERS)
    return Story(
        number=case.get("connection"),
        ends=_ends(case),
        subject=_subject(case),
        outcome=f"{duration(whole)}{kept}, {outcome_words(case)}" if whole else outcome_words(case),
        gist=_gist(case, bars),
        bars=bars,
        chapters=tuple(chapter for chapter in told if chapter is not None),
        findings=_findings(case),
        display_filter=display_filter(case),
    )
