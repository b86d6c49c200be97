"""The whole pipeline on our own recordings: what may never change the report, and what the recordings must show."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from analyzer.kernel import IS_COMPILED
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report import Report
from analyzer.report.build import TABLES, ZEEK_DNS
from analyzer.report.columns import Sheet

ROOT = Path(__file__).parents[1]
CAPTURES = ROOT / "captures"
ALL = sorted(path.name for path in CAPTURES.iterdir() if path.suffix in (".pcap", ".pcapng"))
VARIED = [
    "page-load.pcapng",
    "failures.pcapng",
    "http-plain.pcapng",
    "dns-tcp.pcap",
    "dns-variety.pcapng",
    "lossy-path.pcap",
    "ipv6.pcapng",
]
SMALL_ARENA = 4 << 20
CUTS = {
    "one packet at a time": {"packets_per_batch": 1},
    "seven packets at a time": {"packets_per_batch": 7},
    "tiny chunks": {"chunk_bytes": 16_384, "packet_bytes": 4096},
    "odd chunks": {"chunk_bytes": 70_001, "packet_bytes": 16_384, "packets_per_batch": 101},
    "a small arena": {"arena_bytes": SMALL_ARENA},
}
NOTES: dict[str, list[str]] = {}  # capture -> words of each complaint that is expected


def analyse(names: list[str], limits: Limits | None = None, *, jobs: int = 1, **keywords: Any) -> tuple[Pipeline, list[dict[str, Sheet]]]:
    options = Options(limits=limits or Limits(arena_bytes=SMALL_ARENA), jobs=jobs)
    pipeline = Pipeline(options, with_zeek=True, **keywords)
    return pipeline, list(pipeline.run([str(CAPTURES / name) for name in names]))


def tables_of(flushes: list[dict[str, Sheet]]) -> dict[str, pa.Table]:
    """Whole tables; they begin with what the flushes cut."""
    names = [*TABLES, ZEEK_DNS]
    return {name: pa.Table.from_batches([flush[name].arrow() for flush in flushes if name in flush]).combine_chunks() for name in names}


def contents(flushes: list[dict[str, Sheet]]) -> dict[str, list[dict[str, Any]]]:
    return {name: table.to_pylist() for name, table in tables_of(flushes).items()}


@cache
def reference(name: str) -> tuple[Pipeline, list[dict[str, Sheet]]]:
    return analyse([name])


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("name", VARIED)
def test_how_packets_are_cut_into_batches_does_not_matter(name: str, cut: str) -> None:
    _, flushes = analyse([name], Limits(**{"arena_bytes": SMALL_ARENA, **CUTS[cut]}))
    assert contents(flushes) == contents(reference(name)[1])


@pytest.mark.parametrize("name", VARIED)
def test_flushing_often_changes_only_the_order_of_flushes(name: str) -> None:
    """The same rows in the same order: connections leave by (deadline, number) however often the pipeline looks."""
    _, flushes = analyse([name], Limits(arena_bytes=SMALL_ARENA, packets_per_batch=3), flush_rows=1)
    assert contents(flushes) == contents(reference(name)[1])


def test_many_captures_in_one_run_flush_often_and_rarely() -> None:
    """Two minutes of traffic of 33 captures: connections are over, flushed, and their rows used again."""
    names = sorted(ALL, key=lambda name: reference(name)[0].quality.first_ts)
    _, whole = analyse(names)
    _, often = analyse(names, Limits(arena_bytes=SMALL_ARENA, packets_per_batch=64), flush_rows=4)
    assert len(often) > 5
    assert contents(often) == contents(whole)


@pytest.mark.parametrize("jobs", [2, 3, 8])
def test_how_many_threads_work_does_not_matter(jobs: int) -> None:
    """Many flushes are under way while packets of others go on changing the tables they were taken from."""
    names = sorted(ALL, key=lambda name: reference(name)[0].quality.first_ts)
    limits = Limits(arena_bytes=SMALL_ARENA, packets_per_batch=64, chunk_bytes=70_001, packet_bytes=16_384)
    _, alone = analyse(names, limits, flush_rows=4)
    _, together = analyse(names, limits, flush_rows=4, jobs=jobs)
    assert len(together) == len(alone) > 5
    assert contents(together) == contents(alone)


@pytest.mark.parametrize("name", ALL)
def test_every_packet_has_an_outcome(name: str) -> None:
    pipeline, flushes = reference(name)
    assert pipeline.source is not None
    assert pipeline.quality.packets == int(pipeline.quality.outcomes.sum()) == sum(facts.packets for facts in pipeline.source.facts)
    facts = {
        (row["group"], row["name"]): row["value"] for row in flushes[-1]["capture"].to_pylist() if row["group"] in ("outcome", "packets")
    }
    assert int(facts.pop(("packets", "read"))) == sum(map(int, facts.values()))


@pytest.mark.parametrize("name", ALL)
def test_recordings_are_read_without_complaint(name: str) -> None:
    pipeline, _ = reference(name)
    expected = NOTES.get(name, [])
    assert len(pipeline.notes) == len(expected)
    for note, words in zip(pipeline.notes, expected, strict=True):
        assert words in note


def described() -> dict[str, tuple[int, int, int]]:
    """Packets, TCP connections and DNS questions of each capture, as captures/README.md has them from Wireshark."""
    lines = re.findall(r"^\| \[[^]]+\]\(([^)]+)\) \|(.*)\|$", (CAPTURES / "README.md").read_text(), re.MULTILINE)
    cells = {name: rest.split(" | ") for name, rest in lines}
    return {name: (int(row[3]), int(row[4]), int(row[5])) for name, row in cells.items()}


@pytest.mark.parametrize("name", ALL)
def test_recordings_hold_what_their_description_says(name: str) -> None:
    pipeline, flushes = reference(name)
    packets, tcp, questions = described()[name]
    tables = contents(flushes)
    assert pipeline.quality.packets == packets
    assert sum(row["transport"] == "tcp" for row in tables["connections"]) == tcp
    asked = sum(row["queries"] or 0 for row in tables["dns"])
    assert asked == questions


def test_every_step_of_an_https_request_is_there_with_its_frames() -> None:
    """https-tls13: DNS one round trip of 30 ms, TCP one, TLS one, wait one and 80 ms of work, about 60 ms to receive."""
    tables = contents(reference("https-tls13.pcapng")[1])
    (row,) = [row for row in tables["connections"] if row["service"] == "https"]
    expected = {"dns": 31, "tcp_connect": 30, "tls_handshake": 33, "server_wait": 112, "response_receive": 61}
    for phase, milliseconds in expected.items():
        assert row[f"{phase}_ms"] == pytest.approx(milliseconds, abs=2)
        assert row[f"{phase}_basis"] in ("measured", "inferred", "bounded")
        assert 0 < row[f"{phase}_first_frame"] < row[f"{phase}_last_frame"] <= 32
    assert row["tcp_connect_basis"] == row["dns_basis"] == "measured"
    assert row["tls_handshake_basis"] == "inferred"  # its Finished messages are encrypted
    assert row["host"] == "www.example.org"
    assert row["teardown_basis"] == "measured"
    steps = {step["step"]: step for step in tables["milestones"] if step["connection"] == row["connection"]}
    assert {"dns_query", "dns_answer", "syn", "syn_ack", "handshake_ack", "client_hello", "server_hello", "client_finished"} <= set(steps)


def digests() -> dict[str, str]:
    """Of every table of every capture in VARIED: the same in both modes."""
    return {
        name: hashlib.sha256(json.dumps(contents(reference(name)[1]), default=str, sort_keys=True).encode()).hexdigest() for name in VARIED
    }


def test_compiled_and_plain_kernels_give_the_same_report() -> None:
    command = "import json, sys; sys.path.insert(0, '.'); from tests.test_pipeline import digests; print(json.dumps(digests()))"
    environment = {**os.environ, "ANALYZER_KERNELS": "python" if IS_COMPILED else "compiled"}
    result = subprocess.run([sys.executable, "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == digests()


@pytest.mark.parametrize("words", [["-c", "import analyzer"], ["-m", "analyzer", "--help"], ["-c", "import analyzer.cli.main"]])
def test_imports_stay_light(words: list[str]) -> None:
    result = subprocess.run([sys.executable, "-X", "importtime", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in result.stderr.splitlines() if "|" in line}
    assert "analyzer" in imported
    assert imported.isdisjoint({"numpy", "pandas", "numba", "pyarrow", "cryptography", "dpkt", "rich", "tabulate"})


def test_a_report_collects_all_flushes() -> None:
    report = Report.collect(reference("page-load.pcapng")[1])
    assert report.table("connections").num_rows == 14
