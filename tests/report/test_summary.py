"""The few numbers a person sees first, against all rows at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.build import TABLES
from analyzer.report.capture import CaptureFact, build_capture
from analyzer.report.columns import schema_of
from analyzer.report.summary import EXACT_DURATIONS, EXAMPLES, SEVERITY_RANK, SHOWN_PHASES, Durations, Summary

RULES = {"tcp.refused": "error", "dns.slow": "warning", "dns.nxdomain": "note"}


def table(name: str, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    schema = schema_of(TABLES[name])
    return pa.RecordBatch.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema=schema)


def flush(connections: list[dict[str, Any]], findings: list[dict[str, Any]] | None = None, **more: int) -> dict[str, pa.RecordBatch]:
    return {
        "connections": table("connections", connections),
        "findings": table("findings", findings or []),
        "http": table("http", [{"request_body_bytes": 0}] * more.get("http", 0)),
        "dns": table("dns", [{}] * more.get("dns", 0)),
    }


@given(st.lists(st.floats(0.0, 1e7), min_size=1, max_size=60), st.sampled_from([0.0, 0.5, 0.95, 1.0]))
def test_quantiles_of_a_few_are_exact(values: list[float], share: float) -> None:
    durations = Durations()
    for value in values:
        durations.add(np.array([value]))
    assert durations.count == len(values)
    assert durations.quantile(share) == sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def test_quantiles_of_many_are_near() -> None:
    values = np.geomspace(0.001, 50_000.0, 3 * EXACT_DURATIONS)
    durations = Durations()
    for part in np.array_split(values, 7):
        durations.add(part)
    assert durations.count == len(values)
    for share in (0.01, 0.5, 0.95):
        assert durations.quantile(share) == pytest.approx(float(np.quantile(values, share)), rel=0.03)


def test_no_durations_have_no_quantile() -> None:
    assert math.isnan(Durations().quantile(0.5))


connection_rows = st.lists(
    st.fixed_dictionaries(
        {
            "transport": st.sampled_from(["tcp", "udp"]),
            "service": st.sampled_from([None, "dns", "http"]),
            "state": st.sampled_from(["SF", "S0"]),
            "host": st.sampled_from([None, "a", "b"]),
            "originator_bytes": st.none() | st.integers(0, 1000),
            "responder_bytes": st.none() | st.integers(0, 1000),
            **{f"{name}_ms": st.none() | st.integers(0, 100).map(float) for name in SHOWN_PHASES},
        }
    ),
    max_size=12,
)
found_rules = st.lists(st.tuples(st.integers(0, 11), st.sampled_from(sorted(RULES))), max_size=12)


@settings(max_examples=60, deadline=None)
@given(connection_rows, found_rules, st.integers(0, 12), st.integers(0, 5))
def test_flush_by_flush_is_all_at_once(rows: list[dict[str, Any]], found: list[tuple[int, str]], cut: int, shown: int) -> None:
    rows = [{"connection": k + 1, **row} for k, row in enumerate(rows)]
    findings = [{"connection": at + 1, "rule": rule, "severity": RULES[rule]} for at, rule in sorted(found) if at < len(rows)]
    summary = Summary(shown)
    for part in (rows[:cut], rows[cut:]):
        numbers = {row["connection"] for row in part}
        summary.add(flush(part, [finding for finding in findings if finding["connection"] in numbers], http=1, dns=2))
    assert summary.connections == len(rows)
    assert summary.transports.total() == len(rows)
    assert +summary.transports == {name: count for name in ("tcp", "udp") if (count := sum(row["transport"] == name for row in rows))}
    assert summary.hosts == {row["host"] for row in rows} - {None}
    assert summary.responder_bytes == sum(row["responder_bytes"] or 0 for row in rows)
    assert (summary.exchanges, summary.lookups) == (2, 4)
    assert summary.findings.total() == len(findings)
    for name in SHOWN_PHASES:
        known = [(-row[f"{name}_ms"], row["connection"]) for row in rows if row[f"{name}_ms"] is not None]
        assert summary.phases[name].count == len(known)
        assert (summary.slowest[name]["connection"] if known else None) == (min(known)[1] if known else None)
    worst = {
        number: max((SEVERITY_RANK[f["severity"]] for f in findings if f["connection"] == number), default=0) for number in range(1, 13)
    }

    def weight(row: dict[str, Any]) -> tuple[int, float, int]:
        rank = worst[row["connection"]]
        total = sum(row[f"{name}_ms"] or 0.0 for name in SHOWN_PHASES)
        return (1 if rank == 0 and row["service"] == "dns" else -rank, -total, row["connection"])

    best = sorted(sorted(rows, key=weight)[:shown], key=lambda row: int(row["connection"]))
    assert [row["connection"] for row in summary.shown] == [row["connection"] for row in best]


def test_examples_are_the_first_of_each_rule() -> None:
    summary = Summary(1)
    for number in range(1, 6):
        summary.add(flush([{"connection": number}], [{"connection": number, "rule": "dns.slow", "severity": "warning", "frame": number}]))
    assert [example["frame"] for example in summary.examples["dns.slow"]] == list(range(1, EXAMPLES + 1))
    assert summary.findings["warning", "dns.slow"] == 5


def test_what_could_not_be_read_comes_from_the_capture_table() -> None:
    summary = Summary(1)
    facts = [CaptureFact("dns", "messages", "9", ""), CaptureFact("dns", "malformed", "2", ""), CaptureFact("outcome", "cut", "1", "")]
    summary.add({**flush([]), "capture": build_capture(facts)})
    assert summary.unread == {"dns": {"malformed": 2}}
