"""The summary on the terminal: quality first, then the answer, then the detail."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from analyzer.cli.environment import Environment
from analyzer.report.summary import SHOWN_PHASES, Summary
from analyzer.tables.packets import ANALYSED, OUTCOMES

if TYPE_CHECKING:
    from analyzer.cli.analyze import Request
    from analyzer.lifecycle.quality import Quality
    from analyzer.pipeline import Pipeline

PHASE_LABELS = {"dns": "dns", "tcp_connect": "tcp", "tls_handshake": "tls", "server_wait": "wait", "response_receive": "recv"}
FINDINGS_SHOWN = 12
COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m", "note": "\x1b[36m"}


def milliseconds(value: float | None) -> str:
    """A duration in milliseconds for a narrow column; '.' = absent."""
    if value is None or math.isnan(value):
        return "."
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}"


def size(count: int) -> str:
    """Bytes for people."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def clock(ns: int) -> str:
    """A capture time as UTC to the millisecond."""
    from datetime import UTC

    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S") + f".{ns // 1_000_000 % 1000:03d}"


def span(ns: int) -> str:
    """A length of time for people."""
    seconds = ns / 1e9
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours, days = seconds / 60, seconds / 3600, seconds / 86400
    if days >= 2:
        return f"{days:.0f} days"
    return f"{int(hours)} h {int(minutes % 60)} min" if hours >= 1 else f"{int(minutes)} min {seconds % 60:.1f} s"


def heading(pipeline: Pipeline) -> list[str]:
    """What was read, and how good it is."""
    quality = pipeline.quality
    files = pipeline.source.facts if pipeline.source else []
    name = files[0].path if len(files) == 1 else f"{len(files)} captures"
    parts = [f"{name}  {quality.packets:,} packets, {size(quality.bytes_captured)}"]
    if quality.last_ts:
        parts.append(f"{clock(quality.first_ts)} to {clock(quality.last_ts)} UTC ({span(quality.last_ts - quality.first_ts)})")
    left_out = [
        f"{label.replace('_', ' ')} {count:,}" for (label, _), count in zip(OUTCOMES, quality.outcomes.tolist(), strict=True) if count
    ][1:]
    analysed = int(quality.outcomes[ANALYSED])
    if not analysed:
        left_out = [
            f"{label.replace('_', ' ')} {count:,}" for (label, _), count in zip(OUTCOMES, quality.outcomes.tolist(), strict=True) if count
        ]
    lines = [", ".join(parts), f"Capture quality: {verdict(quality)}   " + "   ".join([f"analysed {analysed:,}", *left_out])]
    return lines + [f"  ! {warning}" for warning in warnings_of(quality)]


def warnings_of(quality: Quality) -> list[str]:
    """Signs that make numbers unreliable, each in a sentence."""
    signs = (
        (quality.midstream, "{:,} TCP connections start in the middle of their life: their dns, tcp and tls phases are unknown"),
        (quality.one_sided, "{:,} TCP connections show packets of one end only: their waits are unknown"),
        (quality.cut, "{:,} packets were cut by the snapshot length: messages may be incomplete"),
        (quality.steps_back, "{:,} packets are older than the one before them: the clock stepped back or captures were joined"),
        (quality.offloaded, "{:,} packets say IP length 0, as segmentation offload does: their captured length was used"),
        (quality.bad_checksums, "{:,} packets have a wrong checksum"),
    )
    return [text.format(count) for count, text in signs if count]


def verdict(quality: Quality) -> str:
    """One word: how far to trust the numbers."""
    if quality.packets == 0:
        return "empty"
    lost = quality.packets - int(quality.outcomes[ANALYSED]) - int(quality.outcomes[1])
    share = max(lost, quality.cut) / quality.packets
    if share > 0.1:
        return "poor"
    return "fair" if share > 0.01 or quality.one_sided or quality.steps_back else "good"


def totals(summary: Summary) -> str:
    """Connections by transport and what was found in them."""
    counts = "   ".join(f"{name} {count:,}" for name, count in sorted(summary.transports.items(), key=lambda item: (-item[1], item[0])))
    return (
        f"{summary.connections:,} connections   {counts}   hosts {len(summary.hosts):,}   lookups {summary.lookups:,}"
        f"   http exchanges {summary.exchanges:,}   {size(summary.responder_bytes)} down   {size(summary.originator_bytes)} up"
    )


def phase_line(summary: Summary) -> str:
    """Median and 95th percentile of each phase that occurs."""
    cells = [
        f"{PHASE_LABELS[name]} {milliseconds(d.quantile(0.5))} / {milliseconds(d.quantile(0.95))}"
        for name, d in summary.phases.items()
        if d.count
    ]
    return "Where the time went (median / p95 ms)   " + "   ".join(cells) if cells else ""


def describe(finding: dict[str, Any]) -> str:
    """A finding in a few words, with what was measured."""
    amount, unit = finding["amount"], finding["amount_unit"]
    if unit == "code":
        measured = finding["detail"]
    elif unit == "ns":
        measured = span(amount)
    else:
        measured = f"{amount:,} {unit}" if unit == "bytes" else "" if unit is None else f"{amount:,} times"
    return f"{finding['meaning']}: {measured}" if measured else str(finding["meaning"])


def stands_out(row: dict[str, Any]) -> str:
    """The worst finding of a connection, else its slowest phase where one takes most of the time."""
    if row["finding"]:
        return describe(row["finding"])
    slowest = max(SHOWN_PHASES, key=lambda name: row[f"{name}_ms"] or 0.0)
    share = (row[f"{slowest}_ms"] or 0.0) / row["total_ms"] if row["total_ms"] else 0.0
    return f"{PHASE_LABELS[slowest]}: {share:.0%} of the time" if share > 0.5 and row["total_ms"] > 50 else ""


def connection_table(summary: Summary, width: int) -> str:
    """The connections worth looking at, one a line, fitted to the terminal."""
    rows = []
    for row in summary.shown:
        host = row["host"] or f"{row['responder_ip']}:{row['responder_port']}"
        start = row["start_time"].strftime("%H:%M:%S") if row["start_time"] is not None else "."
        cells = [milliseconds(row[f"{name}_ms"]) for name in SHOWN_PHASES]
        rows.append(
            [
                str(row["connection"]),
                start,
                host,
                row["service"] or row["transport"],
                row["state"],
                *cells,
                milliseconds(row["total_ms"]),
                stands_out(row),
            ]
        )
    headers = ["#", "start", "host", "service", "state", *(PHASE_LABELS[name] for name in SHOWN_PHASES), "total", "what stands out"]
    hosts = 34 if width >= 120 else 22
    for cells in rows:
        cells[2] = cells[2] if len(cells[2]) <= hosts else cells[2][: hosts - 1] + "…"
    align = ["right", "left", "left", "left", "left", *["right"] * (len(SHOWN_PHASES) + 1), "left"]
    # headers as an ordinary row: tabulate would pad them
    text = tabulate([headers, *rows], tablefmt="plain", disable_numparse=True, colalign=align)
    return "\n".join(line if len(line) <= width else line[: width - 1] + "…" for line in text.splitlines())


def finding_lines(summary: Summary, environment: Environment) -> list[str]:
    """Findings grouped by rule, the worst first."""
    by_severity = {name: sum(n for (severity, _), n in summary.findings.items() if severity == name) for name in COLOURS}
    if not summary.findings:
        return ["Findings   none"]
    lines = ["Findings   " + "   ".join(f"{count:,} {name}{'s' if count != 1 else ''}" for name, count in by_severity.items() if count)]
    ranked = sorted(summary.findings.items(), key=lambda item: (list(COLOURS).index(item[0][0]), -item[1], item[0][1]))
    for (severity, rule), count in ranked[:FINDINGS_SHOWN]:
        example = summary.examples[rule][0]
        label = f"{COLOURS[severity]}{severity:7}\x1b[0m" if environment.has_colour else f"{severity:7}"
        more = f" (and {count - 1:,} more)" if count > 1 else ""
        about = f"{example['subject']}: " if example["subject"] else ""
        plain = f"  {severity:7} {example['connection']:>5}  {rule:26} {about}{describe(example)} (frame {example['frame']}){more}"
        lines.append(plain[: environment.width].replace(f"{severity:7}", label, 1))
    if len(ranked) > FINDINGS_SHOWN:
        lines.append(f"  ... {len(ranked) - FINDINGS_SHOWN} more kinds: findings table")
    return lines


def as_json(summary: Summary, pipeline: Pipeline, folder: Path) -> str:
    """The summary as one JSON object."""
    quality = pipeline.quality
    phases = {
        name: {"count": d.count, "median_ms": round(d.quantile(0.5), 3), "p95_ms": round(d.quantile(0.95), 3)}
        for name, d in summary.phases.items()
        if d.count
    }
    content = {
        "captures": [fact.path for fact in pipeline.source.facts] if pipeline.source else [],
        "quality": verdict(quality),
        "packets": quality.packets,
        "outcomes": {name: int(count) for (name, _), count in zip(OUTCOMES, quality.outcomes, strict=True) if count},
        "warnings": warnings_of(quality),
        "notes": pipeline.notes,
        "connections": summary.connections,
        "transports": dict(summary.transports),
        "services": dict(summary.services),
        "states": dict(summary.states),
        "phases": phases,
        "findings": {rule: count for (_, rule), count in sorted(summary.findings.items())},
        "output": str(folder),
    }
    return json.dumps(content, ensure_ascii=False)


def print_summary(summary: Summary, pipeline: Pipeline, folder: Path, request: Request, environment: Environment) -> None:
    """Print the summary as asked."""
    if request.json:
        environment.say(as_json(summary, pipeline, folder))
        return
    lines = [*heading(pipeline), "", totals(summary), "", phase_line(summary), "", connection_table(summary, environment.width)]
    hidden = summary.connections - len(summary.shown)
    if hidden > 0:
        lines.append(f" ... {hidden:,} more in {folder}")
    lines += [
        "",
        *finding_lines(summary, environment),
        "",
        f"Written to {folder}: {' '.join(sorted(p.name for p in folder.iterdir() if not p.name.startswith('.')))}",
    ]
    environment.say("\n".join(lines))
