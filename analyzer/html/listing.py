"""The list of connections and their stories as plain data for the page's script: lists instead of objects, numbers short."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from analyzer.html.collecting import MOST_STORIES
from analyzer.report.summary import dicts
from analyzer.story.case import Case, Row, gather_cases
from analyzer.story.chapters import Bar, Chapter, Story
from analyzer.story.telling import finding_words, tell
from analyzer.story.words import printable
from analyzer.tables.lifecycle import PHASES

BASES: Final = ("absent", "measured", "inferred", "bounded")
LIST_BYTES: Final = 8_000_000  # of all connections in the list
STORY_BYTES: Final = 5_000_000  # of all stories
SEVERITIES: Final = ("", "note", "warning", "error")

FIELDS: Final = (
    "number", "start", "host", "service", "state", "total", "worst", "phases", "originator", "responder", "transport", "duration",
    "bytes_up", "bytes_down", "first_frame", "last_frame", "findings", "about",
)  # fmt: skip
"""What each list of a connection holds, in this order; ``phases``: [phase, ms, first frame, last frame, basis] one after the other."""


def rounded(value: float | None) -> float | None:
    """Milliseconds to the microsecond, whole numbers without a point."""
    if value is None:
        return None
    short = round(value, 3)
    return int(short) if short == int(short) else short


def end_of(row: Row, end: str) -> str:
    """Address and port in one word."""
    port = row[f"{end}_port"]
    address = str(row[f"{end}_ip"])
    if row["transport"] not in ("tcp", "udp") or port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def listed_phases(row: Row) -> list[Any]:
    """The phases that happened, flat."""
    found: list[Any] = []
    for code, phase in enumerate(PHASES):
        took = row[f"{phase}_ms"]
        if took is not None:
            basis = BASES.index(row[f"{phase}_basis"])
            found += [code, rounded(took), row[f"{phase}_first_frame"], row[f"{phase}_last_frame"], basis]
    return found


def about(row: Row) -> str:
    """What the connection was for, in a few words."""
    if row["http_url"]:
        return printable(f"{row['http_method'] or ''} {row['http_url']} {row['http_status'] or ''}".strip())
    return printable(" ".join(part for part in (row["tls_version"], row["tls_cipher_suite"]) if part))


def list_connections(table: pa.Table, order: Sequence[int], severities: dict[str, str], begin: Any) -> list[list[Any]]:
    """The connections in ``order`` as lists of FIELDS; as many as fit into LIST_BYTES.

    Args:
        table: with the columns ``collecting.LISTED``.
        order: numbers, the most relevant first.
        severities: rule -> severity.
        begin: when the capture begins; starts are seconds after it.
    """
    rows = {row["connection"]: row for batch in table.to_batches() for row in dicts(batch)}
    found, spent = [], 0
    idle = ("keepalive_idle", "teardown")
    for number in order:
        row = rows[number]
        phases = listed_phases(row)
        rules = row["findings"] or []
        worst = max((SEVERITIES.index(severities.get(rule, "note")) for rule in rules), default=0)
        total = sum(ms for code, ms in zip(phases[::5], phases[1::5], strict=True) if PHASES[code] not in idle)
        start = (row["start_time"] - begin).total_seconds() if begin and row["start_time"] else 0.0
        one = [
            number, round(start, 6), printable(row["host"] or ""), row["service"] or row["transport"], row["state"] or "",
            rounded(total), worst, phases, end_of(row, "originator"), end_of(row, "responder"), row["transport"],
            rounded(row["duration_ms"]), row["originator_bytes"] or 0, row["responder_bytes"] or 0, row["first_frame"],
            row["last_frame"], sorted(set(rules)), about(row),
        ]  # fmt: skip
        spent += len(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode())
        if spent > LIST_BYTES:
            break
        found.append(one)
    return found


def _bar(bar: Bar) -> list[Any]:
    return [bar.phase, printable(bar.label), rounded(bar.start_ms), rounded(bar.took_ms), bar.basis, list(bar.frames), int(bar.is_gap)]


def _chapter(chapter: Chapter) -> dict[str, Any]:
    steps = [[rounded(step.at_ms), printable(step.name), printable(step.text), list(step.frames), step.basis] for step in chapter.steps]
    return {
        "topic": chapter.topic,
        "title": printable(chapter.title),
        "layer": printable(chapter.layer),
        "frames": sorted(set(chapter.frames)),
        "paragraphs": [printable(text) for text in chapter.paragraphs],
        "steps": steps,
        "facts": [[printable(name), printable(value)] for name, value in chapter.facts],
    }


def story_data(story: Story) -> dict[str, Any]:
    """A story as the page's script shows it."""
    findings = [
        [row["severity"], row["rule"], printable(row["subject"] or ""), printable(finding_words(row)), row["frames"] or [row["frame"]]]
        for row in story.findings
    ]
    return {
        "ends": printable(story.ends),
        "subject": printable(story.subject),
        "outcome": printable(story.outcome),
        "gist": printable(story.gist),
        "bars": [_bar(bar) for bar in story.bars],
        "chapters": [_chapter(chapter) for chapter in story.chapters],
        "findings": findings,
        "filter": printable(story.display_filter),
    }


def tell_stories(tables: dict[str, pa.Table], order: Sequence[int]) -> dict[str, Any]:
    """Number -> story of the connections that matter most, as many as fit into STORY_BYTES."""
    if "connections" not in tables:
        return {}
    cases: dict[int, Case] = gather_cases(tables, order[:MOST_STORIES])
    told: dict[str, Any] = {}
    spent = 0
    for number in order[:MOST_STORIES]:
        if number not in cases:
            continue
        one = story_data(tell(cases[number]))
        spent += len(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode())
        if spent > STORY_BYTES:
            break
        told[str(number)] = one
    return told
