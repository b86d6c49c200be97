"""``analyzer live`` and ``analyzer interfaces``: wrong usage, and captures on a cable of our own."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli import run
from analyzer.cli.analyze import Request
from analyzer.cli.environment import Environment
from analyzer.cli.live import LiveRequest, Stopper, live_folder, live_options, run_live
from analyzer.errors import OutputError, UsageError
from analyzer.options import Options
from analyzer.pipeline import Pipeline
from tests.capture.live.lab import cable, frames, send

STOPPED_CLOCK = time.struct_time((2025, 1, 1, 0, 0, 0, 2, 1, 0))


def test_wrong_usage_is_a_sentence(tmp_path: Path) -> None:
    there = tmp_path / "w.pcapng"
    there.write_bytes(b"")
    wrong = {
        "--engine is auto, dumpcap, ring, not best.": {"engine": "best"},
        "--snaplen is a number of bytes from 1 to 262144, not 0.": {"snaplen": 0},
        "--duration is more than 0, not -1.": {"duration": -1.0},
        "--packets is more than 0, not 0.": {"packets": 0},
        "--write-time, --write-files and --rotate are 0 or more.": {"rotate": -1},
        "--write-size, --write-time and --write-files need --write FILE.": {"write_size": "1M"},
        "--write-files needs --write-size or --write-time: when to begin another file.": {"write": "x", "write_files": 2},
        f"{there} is there already. Choose another file with --write, or replace it with --force.": {"write": str(there)},
        "--buffer is from 1M to 1G, not 2G.": {"buffer": "2G"},
        "--write-size is a size as 800M or 2G, not big.": {"write": "x", "write_size": "big"},
    }
    for sentence, fields in wrong.items():
        with pytest.raises(UsageError) as caught:
            live_options(replace(LiveRequest(Request(["lo"])), **fields))
        assert str(caught.value) == sentence


def test_options_as_they_were_typed() -> None:
    request = LiveRequest(Request(["lo", "eth0", "lo"]), "tcp", write="x/y.pcapng", write_size="1M", write_time=60, write_files=3)
    options = live_options(request)
    assert options.interfaces == ("lo", "eth0")
    assert (options.bpf, options.write, options.write_bytes, options.write_s, options.write_files) == (
        "tcp",
        Path("x/y.pcapng"),
        1 << 20,
        60,
        3,
    )


def test_folders_of_their_own() -> None:
    assert live_folder(["eth0"], "there") == Path("there")
    assert live_folder(["eth0", "a/b"], "").name.startswith("eth0_a_b-20")


def test_an_interface_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["live", "no-such-interface"]) == 1
    assert capsys.readouterr().err.startswith("analyzer: no-such-interface: no such interface. Interfaces here: lo, ")


def test_a_format_that_needs_the_whole_capture(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["live", "lo", "-f", "har"]) == 2
    assert "har is made of a whole capture" in capsys.readouterr().err


def test_interfaces_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["interfaces"]) == 0
    out = capsys.readouterr().out
    assert "127.0.0.1/8" in out
    assert "You may capture" in out or "No right to capture. Either: " in out


def test_the_first_signal_stops_and_the_second_ends() -> None:
    pipeline = Pipeline(Options())
    stopper = Stopper(pipeline, Environment(), is_quiet=False)
    with stopper.listening():
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopper.number == signal.SIGTERM
        assert pipeline.is_stopped
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def contents(folder: Path) -> dict[str, list[str]]:
    """All files, without what tells where the packets came from."""
    found = {path.name: path.read_text().splitlines() for path in folder.iterdir() if path.suffix in (".csv", ".log")}
    found["capture.csv"] = [line for line in found["capture.csv"] if line.split(",")[1] not in ("file", "note")]
    return found


def capture(folder: Path, **fields: Any) -> tuple[int, list[str]]:
    """Capture page-load on a cable, with the report in out, and its packets in kept.pcapng."""
    with cable() as (here, there):
        traffic = frames("page-load.pcapng")
        sender = threading.Timer(0.5, send, (here, traffic))
        sender.start()
        analysis = Request([there], str(folder / "out"), **{"formats": ("csv", "zeek-json"), **fields.pop("analysis", {})})
        whole = {"write": str(folder / "kept.pcapng"), "packets": len(traffic), "duration": 60, "user": None, **fields}
        with (folder / "lines").open("w+") as stream:
            status = run_live(LiveRequest(analysis, **whole), Environment(stdout=stream))
        sender.join()
    return status, (folder / "lines").read_text().splitlines()


def test_the_live_report_is_that_of_the_kept_packets(tmp_path: Path) -> None:
    status, lines = capture(tmp_path, engine="ring")
    assert status == 0
    assert run(["analyze", str(tmp_path / "kept.pcapng"), "-o", str(tmp_path / "again"), "-f", "csv", "-f", "zeek-json", "--quiet"]) == 0
    live, again = contents(tmp_path / "out"), contents(tmp_path / "again")
    assert live == again
    assert len(lines) == len(live["connections.csv"])  # each has a heading


def test_objects_and_folders_by_time(tmp_path: Path) -> None:
    status, lines = capture(tmp_path, engine="ring", analysis={"json": True, "quiet": True, "formats": ("csv",)}, rotate=86_400)
    assert status == 0
    (folder,) = (path for path in (tmp_path / "out").iterdir() if path.is_dir())
    assert len(json.loads(lines[0])) > 50
    assert len(lines) + 1 == len((folder / "connections.csv").read_text().splitlines())


def test_another_report_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.gmtime", lambda *_: STOPPED_CLOCK)  # two captures that begin within one second
    capture(tmp_path, engine="ring", packets=3)
    before = contents(tmp_path / "out")
    with pytest.raises(OutputError, match="replace them with --force"):
        capture(tmp_path, engine="ring", packets=3, write="")
    assert contents(tmp_path / "out") == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_the_capture_and_the_report_is_written(tmp_path: Path) -> None:
    status, _ = capture(tmp_path, engine="ring", write="/dev/full", analysis={"force": True})
    assert status == 1
    assert contents(tmp_path / "out")["connections.csv"]
