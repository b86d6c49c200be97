"""The command ``slice``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.cli import run

CAPTURES = Path(__file__).parents[2] / "captures"
PAGE = str(CAPTURES / "page-load.pcapng")


@pytest.mark.parametrize("name", ["api.pcapng", "api.pcap"])
def test_wireshark_reads_it(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / name
    assert run(["slice", PAGE, "api.example.net", "-o", str(out)]) == 0
    assert "32 packets of 1 connection and 3 lookups" in capsys.readouterr().out
    if shutil.which("capinfos"):
        told = subprocess.run(["capinfos", "-c", str(out)], capture_output=True, text=True, check=True).stdout
        assert told.split()[-1] == "32"
    assert run(["slice", PAGE, "1", "14", "-o", str(out), "--force", "--without-lookups"]) == 0
    assert "28 packets of 2 connections" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ([PAGE, "1", "-o", "x.txt"], 2, "written as .pcapng or .pcap"),
        ([PAGE, "99", "-o", "x.pcap"], 2, "no connection has the number, the uid or the host 99"),
        ([PAGE, "1", "-o", PAGE], 1, "is there already"),
        ([PAGE, "1", "-o", PAGE, "--force"], 2, "is the capture itself"),
        ([PAGE, "1", "-o", "missing/x.pcap"], 1, "is no folder"),
        (["-", "1", "-o", "x.pcap"], 2, "save it to a file first"),
        ([PAGE, "1"], 2, "Missing option"),
    ],
)
def test_refusals(
    words: list[str], status: int, sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["slice", *words]) == status
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
