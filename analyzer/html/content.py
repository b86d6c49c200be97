"""What the page says, ready for its template: quality first, then the numbers, findings, lists and pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.html import charts
from analyzer.html.collecting import MOST_ROWS, MOST_STATISTICS, Collector
from analyzer.html.listing import FIELDS, SEVERITIES, list_connections, tell_stories
from analyzer.html.pages import OPENING, PageWaterfall, draw_pages
from analyzer.lifecycle.explanations import EXPLANATIONS
from analyzer.report.build import TABLES
from analyzer.report.columns import schema_of
from analyzer.report.pages import MEMBER_COLUMNS, MEMBERS
from analyzer.report.summary import SHOWN_PHASES, dicts
from analyzer.report.verdict import Trust
from analyzer.story.background import TEACHING
from analyzer.story.telling import finding_words
from analyzer.story.words import CONTROL, counted, milliseconds, printable, size
from analyzer.tables.lifecycle import PHASES

PHASE_NAMES: Final = {
    "dns": "DNS lookup",
    "dns_to_connect": "before connecting",
    "tcp_connect": "TCP handshake",
    "tcp_to_tls": "before TLS",
    "tls_handshake": "TLS handshake",
    "request_wait": "before the request",
    "request_send": "sending the request",
    "server_wait": "waiting for the response",
    "response_receive": "receiving the response",
    "keepalive_idle": "idle",
    "teardown": "closing",
}

COLUMNS_SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "pages": (),
    "http2": (),
    "http": ("connection", "method", "url", "status", "server_wait_ms", "response_receive_ms", "response_content_type",
             "response_body_bytes", "request_first_frame", "response_last_frame"),
    "dns": ("lookup", "connection", "client_ip", "server_ip", "type", "name", "outcome", "answers", "rtt_ms", "queries", "query_frame",
            "response_frame"),
    "tls": ("connection", "sni", "version", "cipher_suite", "group", "alpn", "resumed", "handshake_ms", "handshake_basis", "alert", "ja4"),
    "quic": (),
    "certificates": ("subject", "issuer", "names", "not_before", "not_after", "key_type", "key_bits", "signature_algorithm",
                     "is_self_signed", "first_frame", "sha256"),
    "waits": ("connection", "kind", "data_of", "wait_ms", "phase", "cause_frame", "end_frame"),
}  # fmt: skip
"""Tables that the page lists, with the columns it shows; () = the first ones. A table that does not exist is left out."""

SHOWN_ELSEWHERE: Final = ("connections", "milestones", "tcp", "connection_certificates", "findings", "capture", "dns_servers")
FEW_CAPTURES: Final = 2
FIRST_COLUMNS: Final = 12
TITLES: Final = {"http": "HTTP exchanges", "dns": "DNS lookups", "tls": "TLS", "certificates": "Certificates", "waits": "TCP waits",
                 "pages": "Pages", "quic": "QUIC", "http2": "HTTP/2 connections", "dns_names": "DNS names"}  # fmt: skip
MOST_SHOWN: Final = 500  # rows of a table on the page
LONGEST_CELL: Final = 300  # characters


@dataclass(frozen=True)
class Listed:
    """A table on the page: its rows as text, and how many there are in all."""

    name: str
    title: str
    columns: list[tuple[str, str]]
    rows: list[list[str]]
    total: int


def cell(value: Any) -> str:
    """A value of a report table as text; absent is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return milliseconds(value)
    if isinstance(value, list):
        text = ", ".join(map(str, value))
    elif hasattr(value, "strftime"):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
    else:
        text = str(value)
    text = printable(text)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def listed_tables(collector: Collector) -> list[Listed]:
    """The tables that the page lists; columns by their declarations."""
    found = []
    for name in [*COLUMNS_SHOWN, *(table for table in TABLES if table not in COLUMNS_SHOWN and table not in SHOWN_ELSEWHERE)]:
        if name not in TABLES or not collector.rows[name]:
            continue
        wanted = COLUMNS_SHOWN.get(name, ())
        declared = {column.name: column for column in TABLES[name]}
        names = [column for column in wanted if column in declared] or list(declared)[:FIRST_COLUMNS]
        table = pa.Table.from_batches(collector.others[name]).select(names).slice(0, MOST_SHOWN)
        rows = [[cell(value) for value in row.values()] for batch in table.to_batches() for row in dicts(batch)]
        columns = [(column.removesuffix("_ms") + (" (ms)" if column.endswith("_ms") else ""), declared[column].meaning) for column in names]
        found.append(Listed(name, TITLES.get(name, name), columns, rows, collector.rows[name]))
    return found


def quality_of(facts: list[dict[str, Any]], tcp: int) -> dict[str, Any]:
    """What the table ``capture`` says about how far to trust the numbers; ``tcp``: TCP connections."""

    def total(group: str, name: str) -> int:
        return sum(int(fact["value"]) for fact in facts if fact["group"] == group and fact["name"] == name)

    outcomes = [fact for fact in facts if fact["group"] == "outcome" and fact["value"] != "0"]
    signs = [
        (int(fact["value"]), fact["meaning"], fact["affects"] or "")
        for fact in facts
        if fact["group"] == "quality" and fact["value"] != "0" and not fact["name"].endswith("_ns")
    ]
    packets, dropped = total("packets", "read"), total("file", "dropped")
    verdict = Trust(
        packets=packets,
        unread=packets - total("outcome", "analysed") - total("outcome", "not_ip"),
        cut=total("quality", "cut_by_snaplen"),
        dropped=dropped,
        duplicates=total("quality", "duplicates"),
        steps_back=total("quality", "clock_steps_back"),
        tcp=tcp,
        one_sided=total("quality", "one_sided_connections"),
        midstream=total("quality", "midstream_connections"),
    ).verdict
    return {
        "verdict": verdict,
        "outcomes": [(fact["name"].replace("_", " "), int(fact["value"]), fact["meaning"]) for fact in outcomes],
        "dropped": dropped,
        "signs": signs,
        "notes": [printable(fact["value"]) for fact in facts if fact["group"] == "note"],
        "files": file_rows(facts),
    }


def file_rows(facts: list[dict[str, Any]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each capture file with what is known of it."""
    files: dict[str, list[tuple[str, str]]] = {}
    for fact in facts:
        if fact["group"] == "file":
            value = printable(f"{fact['value']} {fact['unit'] or ''}".strip())
            files.setdefault(printable(fact["file"] or ""), []).append((fact["name"].replace("_", " "), value))
    return list(files.items())


def title_of(facts: list[dict[str, Any]]) -> str:
    """The names of a few captures, the number of many."""
    names = [name.rsplit("/", 1)[-1] for name, _ in file_rows(facts)]
    return (", ".join(names) if len(names) <= FEW_CAPTURES else f"{len(names):,} captures") or "capture"


def finding_groups(collector: Collector) -> list[dict[str, Any]]:
    """Findings by rule, the worst first, each with its first places."""
    groups = []
    for rule, count in collector.rules.items():
        rows = collector.examples[rule]
        groups.append(
            {
                "rule": rule,
                "severity": rows[0]["severity"],
                "count": count,
                "meaning": rows[0]["meaning"],
                "why": EXPLANATIONS.get(rule, rows[0]["explanation"]),
                "advice": rows[0]["advice"],
                "places": [
                    {
                        "connection": row["connection"],
                        "subject": printable(row["subject"] or ""),
                        "words": printable(finding_words(row)),
                        "frames": row["frames"] or [row["frame"]],
                    }
                    for row in rows
                ],
            }
        )
    return sorted(groups, key=lambda group: (-SEVERITIES.index(group["severity"]), -group["count"], group["rule"]))


def bars_of(counts: dict[str, int]) -> list[tuple[str, int, float]]:
    """Counts as bars: name, count and share of the largest in per cent."""
    most = max(counts.values(), default=1)
    return [(printable(name), count, 100 * count / most) for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def value_counts(table: pa.Table, name: str) -> dict[str, int]:
    """How often each value of a column of texts stands there, absent left out."""
    return {pair["values"]: pair["counts"] for pair in table[name].value_counts().to_pylist() if pair["values"] is not None}


def totals_of(collector: Collector) -> list[tuple[str, str]]:
    """The headline numbers."""
    s = collector.summary
    cells = [("connections", f"{s.connections:,}")]
    cells += [(name, f"{count:,}") for name, count in sorted(s.transports.items(), key=lambda item: (-item[1], item[0]))]
    cells += [("hosts", f"{len(s.hosts):,}"), ("DNS lookups", f"{s.lookups:,}"), ("HTTP exchanges", f"{s.exchanges:,}")]
    return [*cells, ("down", size(s.responder_bytes)), ("up", size(s.originator_bytes))]


def build_content(collector: Collector) -> dict[str, Any]:
    """Everything the template needs."""
    listed = collector.listed.tables().get("connections")
    severities = {rule: rows[0]["severity"] for rule, rows in collector.examples.items() if rows}
    flat = [batch for batch in collector.statistics if batch.num_rows]
    statistics = pa.Table.from_batches(flat) if flat else None
    begin = min((row["start_time"] for batch in flat for row in dicts(batch.select(["start_time"])) if row["start_time"]), default=None)
    connections = list_connections(listed, collector.listed.numbers, severities, begin) if listed is not None else []
    stories = tell_stories(story_tables(collector), collector.told.numbers)
    findings = finding_groups(collector)
    counts = {severity: sum(group["count"] for group in findings if group["severity"] == severity) for severity in SEVERITIES[:0:-1]}
    lookups = [row for batch in collector.lookups for row in batch.to_pylist()]
    return {
        "title": title_of(collector.facts),
        "begin": f"{begin:%Y-%m-%d %H:%M:%S} UTC" if begin else "",
        "quality": quality_of(collector.facts, collector.summary.transports["tcp"]),
        "totals": totals_of(collector),
        "findings": findings,
        "counts": [(severity, count, counted(count, severity)) for severity, count in counts.items() if count],
        "distributions": charts.distributions(statistics) if statistics else [],
        "edges": charts.EDGES_MS,
        "traffic": charts.traffic(statistics) if statistics else charts.Traffic(1.0, [], [], [], []),
        "host_phases": charts.host_phases(statistics) if statistics else [],
        "map": charts.host_map(statistics) if statistics else charts.HostMap(),
        "sampled": collector.summary.connections > MOST_STATISTICS,
        "sample": MOST_STATISTICS,
        "tls_versions": bars_of(value_counts(statistics, "tls_version")) if statistics else [],
        "suites": bars_of(value_counts(statistics, "tls_cipher_suite")) if statistics else [],
        "dns_servers": charts.dns_servers(lookups),
        "tables": listed_tables(collector),
        "most_rows": MOST_ROWS,
        "phases": SHOWN_PHASES,
        "phase_names": PHASE_NAMES,
        "all_connections": collector.summary.connections,
        "listed_connections": len(connections),
        "first_rows": connections[:100],
        "fields": {name: at for at, name in enumerate(FIELDS)},
        "pages": page_waterfalls(collector),
        "data": page_data(connections, stories, collector),
    }


def page_waterfalls(collector: Collector) -> list[PageWaterfall]:
    """The waterfalls of the page loads."""
    pages, members = collector.pages["pages"], collector.pages[MEMBERS]
    wanted = {member["connection"] for member in members}
    if not pages or not wanted:
        return []
    columns = ["connection", "start_time", *(f"{phase}_ms" for pair in OPENING for phase in pair if phase)]
    chosen = pa.array(sorted(wanted), pa.int64())
    batches = [batch.select(columns).filter(pc.is_in(batch["connection"], value_set=chosen)) for batch in collector.statistics]
    connections = {row["connection"]: row for batch in batches for row in dicts(batch)}
    exchanges = [row for batch in collector.exchanges for row in dicts(batch.filter(pc.is_in(batch["connection"], value_set=chosen)))]
    return draw_pages(pages, members, exchanges, connections, PHASE_NAMES)


def story_tables(collector: Collector) -> dict[str, pa.Table]:
    """What the stories are told from."""
    tables = collector.told.tables()
    if collector.lookups:
        tables["dns"] = pa.Table.from_batches(collector.lookups)
    for name, columns in (("pages", TABLES["pages"]), (MEMBERS, MEMBER_COLUMNS)):
        tables[name] = pa.Table.from_pylist(collector.pages[name], schema_of(columns))
    empty = pa.Table.from_batches([], schema_of(TABLES["certificates"]))
    tables["certificates"] = pa.Table.from_batches(collector.others["certificates"]) if "certificates" in collector.others else empty
    return tables


def page_data(connections: list[list[Any]], stories: dict[str, Any], collector: Collector) -> dict[str, Any]:
    """What the page's script reads: lists, names of phases, lessons."""
    return {
        "fields": FIELDS,
        "phases": [[phase, PHASE_NAMES[phase]] for phase in PHASES],
        "connections": connections,
        "all": collector.summary.connections,
        "stories": stories,
        "severities": {rule: rows[0]["severity"] for rule, rows in collector.examples.items() if rows},
        "lessons": {topic: [lesson.purpose, lesson.background, lesson.sources] for topic, lesson in TEACHING.items()},
    }


def data_as_text(data: dict[str, Any]) -> str:
    """JSON that can stand inside a script element: nothing in it can end the element, begin a comment, or turn text round."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    text = CONTROL.sub(lambda match: f"\\\\x{ord(match[0]):02x}", text)  # shown as printable() shows them
    for mark, escaped in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029")):
        text = text.replace(mark, escaped)
    return text
