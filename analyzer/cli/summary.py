"""The summary on the terminal: quality first, then the connections, their slowest phases, and what stands out."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabulate import tabulate

from analyzer.cli.connection_table import connection_table, name_of
from analyzer.cli.environment import Environment
from analyzer.cli.layout import clip, counted, flow, milliseconds, period, printable, size
from analyzer.report.summary import Summary
from analyzer.report.verdict import Trust
from analyzer.story.telling import finding_words
from analyzer.tables.packets import ANALYSED, NOT_IP, OUTCOMES

if TYPE_CHECKING:
    from analyzer.capture import CaptureFacts
    from analyzer.lifecycle.quality import Quality

PHASES = {
    "dns": "DNS lookup",
    "tcp_connect": "TCP handshake",
    "tls_handshake": "TLS handshake",
    "server_wait": "waiting for the response",
    "response_receive": "receiving the response",
}
FINDINGS_SHOWN = 12
ALIKE_SHOWN = 5  # connections where none has a phase or a finding
RULES_FROM = 110  # columns from which the name of the rule has its place
COLOURS = {"error": "\x1b[31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
VERDICT_COLOURS = {"good": "\x1b[32m", "fair": "\x1b[33m", "poor": "\x1b[31m", "empty": "\x1b[31m"}
PLAIN = "\x1b[0m"


def server_name(row: dict[str, Any]) -> str:
    """Address and port of a DNS server; the port where it is not the usual one."""
    port = row["server_port"]
    usual = {"dns": 53, "dot": 853}.get(row["protocol"]) == port
    address = f"[{row['server_ip']}]" if ":" in row["server_ip"] and not usual else row["server_ip"]
    return f"{address}{'' if usual else f':{port}'}{'' if row['protocol'] == 'dns' else ' ' + row['protocol']}"


def _dns_cells(row: dict[str, Any]) -> list[str]:
    """What is told of a server or a name: lookups, failures, response times."""
    times = ["." if row[name] is None else milliseconds(row[name]) for name in ("median_ms", "p95_ms", "max_ms")]
    return [f"{row['lookups']:,}", f"{row['failed'] + row['unanswered']:,}", *times]


@dataclass(frozen=True)
class Overview:
    """Everything the summary speaks of."""

    summary: Summary
    quality: Quality
    files: Sequence[CaptureFacts]
    folder: Path

    @property
    def dropped(self) -> int | None:
        """Packets that the recording programs say they dropped; None = they do not say."""
        known = [facts.dropped for facts in self.files if facts.dropped is not None]
        return sum(known) if known else None

    @property
    def verdict(self) -> str:
        """One word: how far to trust the numbers."""
        q = self.quality
        return Trust(
            packets=q.packets,
            unread=q.packets - int(q.outcomes[ANALYSED]) - int(q.outcomes[NOT_IP]),
            cut=q.cut,
            dropped=self.dropped or 0,
            duplicates=q.duplicates,
            steps_back=q.steps_back,
            tcp=self.summary.transports["tcp"],
            one_sided=q.one_sided,
            midstream=q.midstream,
        ).verdict

    def outcomes(self) -> dict[str, int]:
        """How many packets ended how, by label; those that did not happen are left out."""
        pairs = zip(OUTCOMES, self.quality.outcomes.tolist(), strict=True)
        labels = {name.replace("_", " ").replace(" ip", " IP"): count for (name, _), count in pairs if count}
        return labels if self.dropped is None else {**labels, "dropped by capture": self.dropped}

    def warnings(self) -> list[str]:
        """Signs that make numbers unreliable, each in a sentence."""
        q = self.quality
        begin = "starts in the middle of its life" if q.midstream == 1 else "start in the middle of their life"
        signs = (
            (q.midstream, f"{counted(q.midstream, 'TCP connection')} {begin}: the dns, tcp and tls phases are unknown"),
            (q.one_sided, f"{counted(q.one_sided, 'TCP connection')} with packets of one end only: waits are unknown"),
            (q.cut, f"{counted(q.cut, 'packet')} cut by the snapshot length: messages may be incomplete"),
            (q.steps_back, f"{counted(q.steps_back, 'packet')} older than the one before: the clock stepped back, or captures were joined"),
            (
                q.offloaded,
                f"{counted(q.offloaded, 'packet')} with IP length 0, as segmentation offload leaves it: the captured length was used",
            ),
            (q.duplicates, f"{counted(q.duplicates, 'packet')} seen twice within a millisecond, as on a mirror port: counts are too high"),
            (q.large_segments, f"{counted(q.large_segments, 'segment')} larger than a frame: the network card cuts or joins them"),
            (q.unfinished_checksums, f"{counted(q.unfinished_checksums, 'packet')} with a checksum left to the network card"),
            (q.bad_checksums, f"{counted(q.bad_checksums, 'packet')} with a wrong checksum"),
        )
        links: Counter[int] = Counter()
        for link, count in q.unknown_links.values():
            links[link] += count
        unknown = [f"{counted(count, 'packet')} of LINKTYPE {link}, which is not known: not read" for link, count in sorted(links.items())]
        return [*unknown, *(text for count, text in signs if count)] + [
            f"{protocol.upper()} that could not be read: {', '.join(f'{name} {count:,}' for name, count in problems.items())}"
            for protocol, problems in self.summary.unread.items()
        ]

    def lines(self, environment: Environment) -> list[str]:
        """The summary as text, fitted to the terminal."""
        blocks = (
            self._heading(environment),
            self._totals(environment.width),
            self._connections(environment.width),
            self._slowest(environment.width),
            self._dns(environment.width),
            self._findings(environment),
            self._written(environment.width),
        )
        return [line for block in blocks if block for line in ["", *block]][1:]

    def _heading(self, environment: Environment) -> list[str]:
        """What was read, and how good it is."""
        quality, width = self.quality, environment.width
        read = [facts for facts in self.files if facts.format]
        formats = " and ".join(sorted({facts.format for facts in read}))
        name = printable(read[0].name) if len(read) == 1 else counted(len(read), "capture")
        parts = [f"{name}  {formats}", counted(quality.packets, "packet"), size(quality.bytes_captured)]
        if quality.last_ts:
            parts.append(period(quality.first_ts, quality.last_ts))
        lines = flow(parts, width, gap=", ")
        outcomes = [f"{label} {count:,}" for label, count in self.outcomes().items()]
        counts = flow([f"Capture quality: {self.verdict}", *outcomes], width, indent=17)
        if environment.has_colour:
            counts[0] = counts[0].replace(self.verdict, VERDICT_COLOURS[self.verdict] + self.verdict + PLAIN, 1)
        for warning in self.warnings():
            counts += textwrap.wrap(warning, width, initial_indent="  ! ", subsequent_indent="    ")
        return lines + counts

    def _totals(self, width: int) -> list[str]:
        """Connections by transport and what was found in them."""
        s = self.summary
        transports = sorted(s.transports.items(), key=lambda item: (-item[1], item[0]))
        counts = ((len(s.hosts), "host", ""), (s.lookups, "lookup", ""), (s.exchanges, "HTTP exchange", ""))
        cells = [
            counted(s.connections, "connection"),
            *(f"{name} {count:,}" for name, count in transports),
            *(counted(*one) for one in counts if one[0]),
            f"{size(s.responder_bytes)} down",
            f"{size(s.originator_bytes)} up",
        ]
        return flow(cells, width)

    def _connections(self, width: int) -> list[str]:
        """The connections worth looking at."""
        shown = self.summary.shown
        worthy = [row for row in shown if row["finding"] or row["total_ms"] or row["transport"] == "tcp"] or shown[:ALIKE_SHOWN]
        hidden = self.summary.connections - len(worthy)
        lines = connection_table(worthy, width).splitlines() if worthy else []
        if hidden > 0:
            lines.append(f" ... {f'{hidden:,} more' if worthy else counted(hidden, 'connection')} in {self._place('connections')}")
        return lines

    def _slowest(self, width: int) -> list[str]:
        """Median and 95th percentile of each phase that occurs, and the connection where it took longest."""
        rows = []
        for name, durations in self.summary.phases.items():
            if durations.count:
                row = self.summary.slowest[name]
                times = (durations.quantile(0.5), durations.quantile(0.95), row[f"{name}_ms"])
                rows.append([PHASES[name], f"{durations.count:,}", *map(milliseconds, times), f"#{row['connection']} {name_of(row)}"])
        if not rows:
            return []
        table = [["Slowest phases (ms)", "count", "median", "p95", "slowest", "connection"], *rows]
        align = ("left", "right", "right", "right", "right", "left")
        return [clip(line, width) for line in tabulate(table, tablefmt="plain", disable_numparse=True, colalign=align).splitlines()]

    def _dns(self, width: int) -> list[str]:
        """The servers and the names that were asked most: how often, how long it took, how often it failed."""
        s = self.summary
        if not s.dns_servers:
            return []
        rows = [[server_name(row), *_dns_cells(row)] for row in s.dns_servers] + [["names", "", "", "", "", ""]]
        rows += [[printable(row["name"] or "."), *_dns_cells(row)] for row in s.dns_names]
        table = [["DNS servers (ms)", "lookups", "failed", "median", "p95", "slowest"], *rows]
        align = ("left", *["right"] * 5)
        return [clip(line, width) for line in tabulate(table, tablefmt="plain", disable_numparse=True, colalign=align).splitlines()]

    def _findings(self, environment: Environment) -> list[str]:
        """Findings by rule, the worst first, each with its first example."""
        found = self.summary.findings
        if not found:
            return ["Findings   none"]
        by_severity = {name: sum(n for (severity, _), n in found.items() if severity == name) for name in COLOURS}
        lines = ["   ".join(["Findings", *(counted(count, name) for name, count in by_severity.items() if count)])]
        ranked = sorted(found.items(), key=lambda item: (list(COLOURS).index(item[0][0]), -item[1], item[0][1]))
        digits = max(len(str(self.summary.examples[rule][0]["connection"])) for (_, rule), _ in ranked)
        for (severity, rule), count in ranked[:FINDINGS_SHOWN]:
            example = self.summary.examples[rule][0]
            about = f"{example['subject']}: " if example["subject"] else ""
            more = f"; {count - 1:,} more" if count > 1 else ""
            head = f"  {severity:8} {'#' + str(example['connection']):>{digits + 1}}  "
            if environment.width >= RULES_FROM:
                head += f"{rule:26} "
            text = f"{about}{finding_words(example)} (frame {example['frame']}{more})"
            entry = textwrap.wrap(text, environment.width, initial_indent=head, subsequent_indent=" " * len(head))
            if environment.has_colour:
                entry[0] = entry[0].replace(severity, COLOURS[severity] + severity + PLAIN, 1)
            lines += entry
        if len(ranked) > FINDINGS_SHOWN:
            lines.append(f"  ... {counted(len(ranked) - FINDINGS_SHOWN, 'more kind')} in {self._place('findings')}")
        return lines

    def _place(self, table: str) -> str:
        """Where the whole table can be read."""
        file = self.folder / f"{table}.csv"
        return printable(str(file if file.exists() else self.folder))

    def _written(self, width: int) -> list[str]:
        names = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        return flow([printable(f"Written to {self.folder}:"), *names], width, gap=" ")

    def as_json(self) -> str:
        """The summary as one JSON object."""
        s = self.summary
        phases = {
            name: {
                "count": durations.count,
                "median_ms": round(durations.quantile(0.5), 6),
                "p95_ms": round(durations.quantile(0.95), 6),
                "slowest_ms": round(s.slowest[name][f"{name}_ms"], 6),
                "slowest_connection": s.slowest[name]["connection"],
            }
            for name, durations in s.phases.items()
            if durations.count
        }
        outcomes = {name: int(count) for (name, _), count in zip(OUTCOMES, self.quality.outcomes, strict=True) if count}
        content = {
            "captures": [printable(facts.name) for facts in self.files],
            "quality": self.verdict,
            "packets": self.quality.packets,
            "outcomes": outcomes,
            "dropped_by_capture": self.dropped,
            "unread": s.unread,
            "warnings": self.warnings(),
            "notes": [printable(note) for facts in self.files for note in facts.notes],
            "connections": s.connections,
            "transports": dict(s.transports),
            "services": {name: count for name, count in s.services.items() if name},
            "states": {name: count for name, count in s.states.items() if name},
            "hosts": len(s.hosts),
            "lookups": s.lookups,
            "dns_servers": s.dns_servers,
            "dns_names": s.dns_names,
            "http_exchanges": s.exchanges,
            "phases": phases,
            "findings": {rule: count for (_, rule), count in sorted(s.findings.items())},
            "output": str(self.folder),
        }
        return json.dumps(content, ensure_ascii=False)
