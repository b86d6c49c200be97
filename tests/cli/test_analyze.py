"""The main command from the arguments to the files."""

import io
import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analyzer.cli import run
from analyzer.cli.analyze import Request, run_analyze, stopping
from analyzer.cli.environment import Environment
from analyzer.cli.output_folder import MARK
from analyzer.errors import CaptureError
from analyzer.options import LEAST_CONNECTIONS
from analyzer.report.build import TABLES
from tests.builders import pcap, udp_packet

CAPTURES = Path(__file__).parents[2] / "captures"
CAPTURE = str(CAPTURES / "https-tls13.pcapng")
CSV = {f"{name}.csv" for name in TABLES}
ZEEK = {"conn.log", "dns.log", "ssl.log", "x509.log", "http.log", "quic.log"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def names(folder: str) -> set[str]:
    return {path.name for path in Path(folder).iterdir()} - {MARK}


def test_the_default_is_csv_below_reports(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", CAPTURE]) == 0
    assert names("reports/https-tls13") == CSV
    assert "Written to reports/https-tls13: " in capsys.readouterr().out


def test_formats_and_what_an_earlier_run_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", CAPTURE, "-o", "out", "-f", "csv", "-f", "zeek-json", "-f", "csv", "--quiet"]) == 0
    assert names("out") == CSV | ZEEK
    assert run(["analyze", CAPTURE, "-o", "out", "-f", "zeek-json", "--quiet"]) == 0
    assert names("out") == ZEEK
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_the_files_are_the_same_for_any_number_of_threads(capsys: pytest.CaptureFixture[str]) -> None:
    captures = [str(CAPTURES / name) for name in ("page-load.pcapng", "failures.pcapng", "dns-variety.pcapng")]
    shown = set()
    for jobs in ("1", "2", "3"):
        assert run(["analyze", *captures, "-o", f"out{jobs}", "-f", "csv", "-f", "zeek-json", "--jobs", jobs]) == 0
        shown.add(capsys.readouterr().out.replace(f"out{jobs}", "out"))
    assert len(shown) == 1
    for name in CSV | ZEEK:
        assert Path("out1", name).read_bytes() == Path("out2", name).read_bytes() == Path("out3", name).read_bytes()
    assert run(["analyze", CAPTURE, "--jobs", "0"]) == 2


def test_foreign_files_stay(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    assert run(["analyze", CAPTURE, "-o", "out"]) == 1
    assert names("out") == {"mine.txt"}
    assert "--force" in capsys.readouterr().err
    assert run(["analyze", CAPTURE, "-o", "out", "--force", "--quiet"]) == 0
    assert names("out") == CSV | {"mine.txt"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "analyzer: it.pcap: no such file."),
        (b"", "analyzer: it.pcap is empty: nothing was ever written to it. Record it again."),
        (b"date,host\n", 'analyzer: it.pcap is not a packet capture (it begins with "date,host" - text). Known: pcap, pcapng,'),
        (pcap([])[:10], "analyzer: it.pcap ends in the middle of its pcap file header"),
    ],
)
def test_what_cannot_be_read_is_one_sentence_and_writes_nothing(
    content: bytes | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        Path("it.pcap").write_bytes(content)
    assert run(["analyze", "it.pcap"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(sentence)
    assert captured.err.count("\n") == 1
    assert not Path("reports").exists()


def test_folders(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert run(["analyze", "empty"]) == 1
    assert "folder without packet captures" in capsys.readouterr().err
    Path("empty/a.pcap").write_bytes(pcap([udp_packet(b"x")]))
    Path("empty/notes.txt").write_text("no capture")
    assert run(["analyze", "empty"]) == 0
    assert "empty/a.pcap  pcap, 1 packet, " in capsys.readouterr().out
    assert names("reports/empty") == CSV


def test_one_of_two_that_cannot_be_read_is_told_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", CAPTURE, "missing.pcap", "-o", "out"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "analyzer: missing.pcap: no such file.\n"
    assert "1 HTTP" not in captured.out
    assert "32 packets" in captured.out
    assert names("out") == CSV


def test_no_packets_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    Path("it.pcap").write_bytes(pcap([]))
    assert run(["analyze", "it.pcap"]) == 1
    captured = capsys.readouterr()
    assert "Capture quality: empty" in captured.out
    assert captured.err == "analyzer: it.pcap holds no packets, so nothing was analysed.\n"


def test_why_there_are_no_packets_is_one_sentence_a_capture(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cut.pcap").write_bytes(pcap([udp_packet(b"x")])[:50])
    Path("old.pcap").write_bytes(pcap([], version=(9, 9)))
    assert run(["analyze", "cut.pcap", "old.pcap", "gone.pcap", "--quiet"]) == 1
    why = "analyzer: cut.pcap holds no packets that could be analysed: it"
    assert capsys.readouterr().err.splitlines() == [
        f"{why} ends in the middle of packet 1, 26 bytes into it (disk full, or still being written?). No packet is whole.",
        "analyzer: old.pcap holds no packets that could be analysed: it has version 9.9 of the pcap format: read as 2.4.",
        "analyzer: gone.pcap: no such file.",
    ]


def test_a_cut_capture_is_analysed_up_to_the_cut(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cut.pcapng").write_bytes(Path(CAPTURE).read_bytes()[:5000])
    assert run(["analyze", "cut.pcapng"]) == 0
    captured = capsys.readouterr()
    assert "cut.pcapng ends in the middle of packet" in captured.err
    assert "Slowest phases" in captured.out


def test_standard_input() -> None:
    with Path(CAPTURE).open("rb") as file:
        saved = os.dup(0)
        os.dup2(file.fileno(), 0)
        try:
            assert run(["analyze", "-", "--quiet"]) == 0
        finally:
            os.dup2(saved, 0)
            os.close(saved)
    assert names("reports/stdin") == CSV


def test_rows_limit_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(CAPTURES / "failures.pcapng"), "-n", "2", "-o", "out"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith(" #  "))
    assert lines[at + 3] == " ... 27 more in out/connections.csv"


def test_ctrl_c_writes_what_was_read_and_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from analyzer.pipeline import Pipeline

    push = Pipeline._push

    def interrupted(self: Pipeline, batch: Any) -> None:
        push(self, batch)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Pipeline, "_push", interrupted)
    before = signal.getsignal(signal.SIGINT)
    assert run(["analyze", CAPTURE, "-o", "out"]) == 130
    captured = capsys.readouterr()
    assert captured.err == "analyzer: stopping; what was read so far is written. Ctrl-C again to end at once.\n"
    assert "32 packets" in captured.out
    assert names("out") == CSV
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_ends_at_once() -> None:
    pipeline: Any = SimpleNamespace(stop=lambda: None)

    def press_twice() -> None:
        with stopping(pipeline, Environment(io.StringIO(), io.StringIO(), variables={})):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_twice()


def test_requests_are_plain_values() -> None:
    out = io.StringIO()
    assert run_analyze(Request([CAPTURE], output="out", rows=1), Environment(out, io.StringIO(), 80, {})) == 0
    assert out.getvalue().startswith(CAPTURE)
    with pytest.raises(CaptureError):
        run_analyze(Request(["missing"]), Environment(io.StringIO(), io.StringIO(), 80, {}))


def test_tail_reads_on_until_interrupted() -> None:
    whole = pcap([udp_packet(b"first"), udp_packet(b"second")])
    file = Path("growing.pcap")
    file.write_bytes(whole[:-20])

    def grow_then_interrupt() -> None:
        time.sleep(1)
        with file.open("ab") as end:
            end.write(whole[-20:])
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)

    writer = threading.Thread(target=grow_then_interrupt)
    writer.start()
    status = run(["analyze", str(file), "--tail", "-o", "out", "--quiet"])
    writer.join()
    assert status == 130
    assert "packets,read,2," in Path("out/capture.csv").read_text()


def test_what_is_no_size_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", CAPTURE, "--limit-memory", "much"]) == 2
    assert capsys.readouterr().err == "analyzer: --limit-memory is a size as 800M or 2G, not much.\n"


def test_what_was_ended_for_memory_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    packets = [udp_packet(b"x", src_port=1024 + k, dst_port=4000) for k in range(LEAST_CONNECTIONS + 10)]
    Path("flood.pcap").write_bytes(pcap(packets))
    assert run(["analyze", "flood.pcap", "-o", "out", "--quiet", "--limit-memory", "1M"]) == 0
    ended = 10 + LEAST_CONNECTIONS // 8
    assert f"analyzer: {ended:,} connections that were idle longest were ended early" in capsys.readouterr().err
    assert f"connections,ended_for_memory,{ended}," in Path("out/capture.csv").read_text()
    assert len(Path("out/connections.csv").read_text().splitlines()) == 1 + len(packets)
