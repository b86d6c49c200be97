"""A capture as a whole, on a cable of our own: what is reported live is what the kept packets give."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import analyzer
from analyzer.capture.live import LiveOptions, open_session, session
from analyzer.capture.live.engine import EngineName
from analyzer.errors import CaptureError, UsageError
from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report.build import TABLES
from tests.capture.live.lab import cable, frames, send

ENGINES = ["ring", pytest.param("dumpcap", marks=pytest.mark.skipif(shutil.which("dumpcap") is None, reason="needs dumpcap"))]


def contents(flushes: list[dict[str, pa.RecordBatch]]) -> dict[str, list[dict[str, Any]]]:
    found = {name: pa.Table.from_batches([flush[name] for flush in flushes if name in flush]).to_pylist() for name in TABLES}
    found["capture"] = [row for row in found["capture"] if row["group"] not in ("file", "note")]
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_the_live_report_is_that_of_the_kept_packets(engine: EngineName, tmp_path: Path) -> None:
    path = tmp_path / "kept.pcapng"
    traffic = frames("page-load.pcapng") + frames("failures.pcapng")
    pipeline = Pipeline(Options())
    with cable() as (here, there), open_session(LiveOptions((there,), engine=engine, write=path)) as running:
        sender = threading.Thread(target=send, args=(here, traffic))
        sender.start()
        with running.source(pipeline.memory, Limits()) as source:
            flushes = []
            for tables in pipeline.read(source):
                flushes += [{name: sheet.arrow() for name, sheet in tables.items()}] if tables else []
                if pipeline.quality.packets == len(traffic):
                    pipeline.stop()
        sender.join()
        assert running.engine.trouble == running.feed.trouble == ""
    assert pipeline.quality.packets == len(traffic)
    assert contents(flushes) == contents(list(analyzer.stream(path)))


def test_from_python(tmp_path: Path) -> None:
    with cable() as (here, there):
        sender = threading.Timer(0.5, send, (here, frames("http-plain.pcapng")))
        sender.start()
        flushes = list(analyzer.live(there, engine="ring", packets=20, duration=20, write=tmp_path / "w.pcapng"))
        sender.join()
    assert sum(flush["connections"].num_rows for flush in flushes) > 0
    assert contents(flushes) == contents(list(analyzer.stream(tmp_path / "w.pcapng")))


def test_the_engine_is_told_by_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "find_dumpcap", lambda: None)
    monkeypatch.setattr(session, "has_capability", lambda _: False)
    with pytest.raises(CaptureError, match="not installed"):
        open_session(LiveOptions(("lo",), engine="dumpcap"))
    with pytest.raises(CaptureError, match=r"^no right to capture on lo\. Either: "):
        open_session(LiveOptions(("lo",)))


def test_mistakes_are_told_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no such interface"):
        open_session(LiveOptions(("no-such-interface",)))
    with cable() as (_, there), pytest.raises(UsageError, match="no capture filter"):
        open_session(LiveOptions((there,), bpf="port nonsense", write=tmp_path / "w"))
    assert list(tmp_path.iterdir()) == []
