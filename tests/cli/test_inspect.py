"""The command ``inspect``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analyzer.cli import run

CAPTURES = Path(__file__).parents[2] / "captures"
DNS = str(CAPTURES / "dns-tcp.pcap")
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@needs_tshark
def test_fields_of_its_packets(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", DNS, "1", "--packets", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Frame ")
    assert "  Layer UDP" in lines
    assert any("Destination Port: 53" in line for line in lines)
    assert "more packet" in lines[-1]
    assert not any("\x1b" in line for line in lines)


@needs_tshark
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([DNS, "99"], "no connection has the number"),
        ([DNS, "1", "--packets", "-1"], "--packets is a number"),
        ([str(CAPTURES / "page-load.pcapng"), "www.example.org"], "TCP connections have the host www.example.org"),
        (["-", "1"], "save it to a file first"),
    ],
)
def test_refusals(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", *words]) == 2
    assert sentence in capsys.readouterr().err
