"""The command ``verify``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analyzer.cli import run

CAPTURES = Path(__file__).parents[2] / "captures"
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@needs_tshark
def test_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(CAPTURES / "page-load.pcapng"), "--sample", "5"]) == 0
    told = capsys.readouterr().out
    assert "page-load.pcapng beside TShark " in told
    assert "Compared 5 of 14 connections" in told
    assert told.endswith("No disagreements.\n")


@needs_tshark
def test_disagreements_have_both_readings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(CAPTURES / "lossy-path.pcap"), "-n", "1"]) == 0
    told = capsys.readouterr().out
    assert "#2  tcp retransmissions: ours 7, tshark's 8  (frame 108)" in told
    assert "... 1 more" in told


@needs_tshark
@pytest.mark.parametrize(("words", "sentence"), [(["--sample", "-1"], "--sample and --rows are numbers"), (["-n", "-1"], "0 or more")])
def test_refusals(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(CAPTURES / "lossy-path.pcap"), *words]) == 2
    assert sentence in capsys.readouterr().err
