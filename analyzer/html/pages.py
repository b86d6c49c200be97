"""The waterfall of each page load, as browsers draw it: a line for each exchange, from its lookup to its last byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from analyzer.story.page import PARTS
from analyzer.story.words import counted, duration, frames, printable

MOST_PAGES: Final = 30
MOST_EXCHANGES: Final = 150  # of one page

OPENING: Final = (("dns", "dns_to_connect"), ("tcp_connect", "tcp_to_tls"), ("tls_handshake", ""))
EXCHANGE_PHASES: Final = ("request_send", "server_wait", "response_receive")
EXCHANGE_COLUMNS: Final = (
    "connection", "index", "method", "url", "status", "response_content_type", "response_body_bytes", "request_time", "request_send_ms",
    "server_wait_ms", "response_receive_ms", "request_first_frame", "response_last_frame",
)  # fmt: skip


@dataclass(frozen=True)
class Segment:
    """One phase in a line: per mille of the page's time where it begins and how wide it is, and what it says."""

    phase: str
    left: float
    width: float
    text: str


@dataclass(frozen=True)
class Line:
    """One exchange of a page."""

    connection: int
    label: str
    about: str
    total: str
    segments: list[Segment]


@dataclass(frozen=True)
class PageWaterfall:
    """One page load."""

    number: int
    url: str
    about: str
    waited_for: str
    lines: list[Line]


def _opening(connection: Mapping[str, Any], names: Mapping[str, str]) -> list[tuple[str, Any, float, str]]:
    """Phases before the first exchange of a connection: (phase, begin in ms since the connection's first packet, ms, words)."""
    before = sum(connection[f"{phase}_ms"] or 0.0 for phase in OPENING[0])
    found = []
    at = -before
    for phase, gap in OPENING:
        took = connection[f"{phase}_ms"]
        if took is not None:
            found.append((phase, at, took, f"{names[phase]}: {duration(took)}"))
            at += took
        at += (connection[f"{gap}_ms"] or 0.0) if gap else 0.0
    return found


def draw_page(
    page: Mapping[str, Any], exchanges: list[Mapping[str, Any]], connections: Mapping[int, Mapping[str, Any]], names: Mapping[str, str]
) -> PageWaterfall:
    """The waterfall of one page; ``exchanges``: its rows of ``http``, ``connections``: rows by number, ``names``: of phases."""
    begin, whole = page["start_time"], max(page["duration_ms"] or 0.0, 1e-3)
    lines = []
    for row in sorted(exchanges, key=lambda one: (one["request_time"], one["connection"], one["index"]))[:MOST_EXCHANGES]:
        found: list[tuple[str, Any, float, str]] = []
        opened = connections.get(row["connection"])
        if row["index"] == 1 and opened is not None and opened["start_time"] is not None:
            since = (opened["start_time"] - begin).total_seconds() * 1000
            found += [(phase, since + at, took, text) for phase, at, took, text in _opening(opened, names)]
        at = (row["request_time"] - begin).total_seconds() * 1000
        for phase in EXCHANGE_PHASES:
            took = max(row[f"{phase}_ms"] or 0.0, 0.0)
            found.append((phase, at, took, f"{names[phase]}: {duration(took)}"))
            at += took
        where = frames([row["request_first_frame"], row["response_last_frame"]])
        segments = [Segment(phase, 1000 * start / whole, 1000 * took / whole, f"{text} ({where})") for phase, start, took, text in found]
        first = min(start for _, start, _, _ in found)
        about = " ".join(str(part) for part in (row["status"], row["response_content_type"]) if part)
        lines.append(
            Line(
                row["connection"],
                printable(f"{row['method'] or ''} {row['url'] or ''}".strip()),
                printable(about),
                duration(at - first),
                segments,
            )
        )
    asked, used = counted(page["requests"], "request"), counted(page["connections"], "connection")
    about = f"{asked} on {used}, first byte after {duration(page['first_byte_ms'])}"
    return PageWaterfall(
        page["page"],
        printable(page["url"] or ""),
        f"{about}, complete after {duration(whole)}",
        PARTS.get(page["waited_for"] or "", ""),
        lines,
    )


def draw_pages(
    pages: list[dict[str, Any]],
    members: list[dict[str, Any]],
    exchanges: list[dict[str, Any]],
    connections: Mapping[int, Mapping[str, Any]],
    names: Mapping[str, str],
) -> list[PageWaterfall]:
    """The slowest pages, in the order of their begin.

    Args:
        pages: rows of ``pages``.
        members: which exchange belongs to which page.
        exchanges: rows of ``http`` with EXCHANGE_COLUMNS; those that were not kept are not drawn.
        connections: number -> row with the phases that open a connection.
        names: phase -> its name.
    """
    by_place = {(row["connection"], row["index"]): row for row in exchanges if row["request_time"] is not None}
    of_page: dict[int, list[Mapping[str, Any]]] = {}
    for member in members:
        row = by_place.get((member["connection"], member["index"]))
        if row is not None:
            of_page.setdefault(member["page"], []).append(row)
    drawn = [page for page in pages if page["page"] in of_page and page["start_time"] is not None]
    slowest = sorted(drawn, key=lambda page: (-(page["duration_ms"] or 0.0), page["page"]))[:MOST_PAGES]
    return [draw_page(page, of_page[page["page"]], connections, names) for page in sorted(slowest, key=lambda page: int(page["page"]))]
