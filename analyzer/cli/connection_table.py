"""The table of connections in the summary: a line each, fitted to the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabulate import tabulate

from analyzer.cli.layout import clip, endpoint, milliseconds
from analyzer.report.summary import SHOWN_PHASES
from analyzer.story.telling import finding_words

PHASE_LABELS = {"dns": "dns", "tcp_connect": "tcp", "tls_handshake": "tls", "server_wait": "wait", "response_receive": "recv"}
GAP = 2  # blanks between columns
HOST = (12, 24, 48)  # columns of a host: at the very least, where it decides what else is shown, at the most
REMARK = 24  # what stands out is shown where at least so much of it fits
DOMINANT_SHARE = 0.5  # a phase that takes more of the time than this ...
DOMINANT_MS = 50  # ... of a connection that takes longer than this is worth a remark


def remark_on(row: dict[str, Any]) -> str:
    """The worst finding of a connection, else its slowest phase where one takes most of the time."""
    if row["finding"]:
        return finding_words(row["finding"])
    slowest = max(SHOWN_PHASES, key=lambda name: row[f"{name}_ms"] or 0.0)
    share = (row[f"{slowest}_ms"] or 0.0) / row["total_ms"] if row["total_ms"] else 0.0
    return f"{PHASE_LABELS[slowest]}: {share:.0%} of the time" if share > DOMINANT_SHARE and row["total_ms"] > DOMINANT_MS else ""


def name_of(row: dict[str, Any]) -> str:
    """What a connection is about: the name asked for, the host, or the responder's address and port (ICMP has no ports)."""
    if row["service"] == "dns" and row.get("finding") and row["finding"]["subject"]:
        return str(row["finding"]["subject"])
    return str(row["host"] or endpoint(row["responder_ip"], row["responder_port"] if row["transport"] in ("tcp", "udp") else None))


def fit_columns(columns: dict[str, list[str]], width: int) -> dict[str, list[str]]:
    """Leave out or cut what does not fit: the start goes first, then what stands out; hosts are cut last."""
    widths = {name: max(map(len, cells)) for name, cells in columns.items()}
    needed = {**widths, "host": min(widths["host"], HOST[1]), "stands out": min(widths["stands out"], REMARK)}
    kept, room = list(columns), -1
    wishes: Sequence[tuple[str, ...]] = ((), ("start",), ("stands out",), ("start", "stands out"))
    for left_out in wishes:
        kept = [name for name in columns if name not in left_out]
        room = width + GAP - sum(needed[name] + GAP for name in kept)
        if room >= 0:
            break
    host = max(HOST[0], min(needed["host"] + room, widths["host"], HOST[2]))
    room -= max(0, host - needed["host"])
    fitted = {name: columns[name] for name in kept}
    fitted["host"] = [clip(cell, host) for cell in columns["host"]]
    if "stands out" in kept:
        fitted["stands out"] = [clip(cell, needed["stands out"] + room) for cell in columns["stands out"]]
    return fitted


def connection_table(rows: Sequence[dict[str, Any]], width: int) -> str:
    """One line per connection: phases and their total in milliseconds, '.' = absent."""
    columns: dict[str, list[str]] = {
        "#": [str(row["connection"]) for row in rows],
        "start": [row["start_time"].strftime("%H:%M:%S") if row["start_time"] is not None else "." for row in rows],
        "host": [name_of(row) for row in rows],
        "service": [row["service"] or row["transport"] for row in rows],
        "state": [row["state"] or "." for row in rows],
    }
    for name in SHOWN_PHASES:
        columns[PHASE_LABELS[name]] = [milliseconds(row[f"{name}_ms"]) for row in rows]
    columns["total"] = [milliseconds(row["total_ms"] or None) for row in rows]
    columns["stands out"] = [remark_on(row) for row in rows]
    columns = fit_columns({name: [name, *cells] for name, cells in columns.items()}, width)
    align = ["left" if name in ("start", "host", "service", "state", "stands out") else "right" for name in columns]
    lines = list(zip(*columns.values(), strict=True))  # headers as an ordinary row: tabulate would pad them
    text = tabulate(lines, tablefmt="plain", disable_numparse=True, colalign=align)
    return "\n".join(clip(line.rstrip(), width) for line in text.splitlines())
