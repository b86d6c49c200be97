"""The public door: names, laziness, DataFrames and bounded memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import analyzer
from analyzer.report.build import TABLES

ROOT = Path(__file__).parents[1]
CAPTURES = ROOT / "captures"
CAPTURE = CAPTURES / "https-tls13.pcapng"


def test_public_names_exist() -> None:
    for name in analyzer.__all__:
        assert getattr(analyzer, name) is not None
    assert set(dir(analyzer)) == {*analyzer.__all__, "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        analyzer.nonsense  # noqa: B018


def test_a_report_is_dataframes() -> None:
    report = analyzer.analyze(CAPTURE)
    assert isinstance(report, analyzer.Report)
    frame = report.connections
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["connection"]) == [1, 2]
    assert len(frame.query("tls_handshake_ms > 30")) == 1
    assert frame.attrs["columns"]["tls_handshake_ms"]["unit"] == "ms"
    for name in TABLES:
        assert list(getattr(report, name).columns) == [column.name for column in TABLES[name]]
    assert str(frame["start_time"].dtype) == "datetime64[ns, UTC]"


def test_paths_texts_lists_and_folders_are_captures(tmp_path: Path) -> None:
    copy = tmp_path / "copy.pcapng"
    copy.write_bytes(CAPTURE.read_bytes())
    one = analyzer.analyze(str(CAPTURE)).connections
    for captures in (CAPTURE, [CAPTURE], (str(CAPTURE),), tmp_path):
        pd.testing.assert_frame_equal(analyzer.analyze(captures).connections, one)
    assert len(analyzer.analyze([CAPTURE, CAPTURES / "keep-alive.pcap"]).connections) == 3


def test_a_stream_is_arrow_batches_of_finished_connections() -> None:
    numbers: list[int] = []
    last: dict[str, pa.RecordBatch] = {}
    for last in analyzer.stream(CAPTURES / "page-load.pcapng", limits=analyzer.Limits(packets_per_batch=16)):
        numbers += last["connections"]["connection"].to_pylist()
    assert sorted(numbers) == list(range(1, 15))
    assert last["capture"].num_rows > 0


def test_options_reach_the_pipeline(tmp_path: Path) -> None:
    content = bytearray((CAPTURES / "http-plain.pcapng").read_bytes())
    at = content.index(b"GET / HTTP/1.1")
    content[at : at + 3] = b"PUT"
    damaged = tmp_path / "damaged.pcapng"
    damaged.write_bytes(content)
    assert "PUT" in set(analyzer.analyze(damaged).http["method"])
    assert "PUT" not in set(analyzer.analyze(damaged, checksums="verify").http["method"])


def test_what_cannot_be_read_is_a_capture_error(tmp_path: Path) -> None:
    with pytest.raises(analyzer.CaptureError, match="no such file"):
        analyzer.analyze(tmp_path / "missing")
    assert issubclass(analyzer.CaptureError, analyzer.AnalyzerError)


def test_any_thread_will_do() -> None:
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(len(analyzer.analyze(CAPTURE).connections))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [2, 2, 2]


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = "import sys, analyzer; analyzer.Limits; print(*sys.modules)"
    words = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "numba", "pandas", "pyarrow", "typer"} & set(words)
