"""The command ``verify``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from analyzer import verification
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
def test_disagreements_have_both_readings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    right = verification.read_ours

    def wrong(*arguments: Any) -> dict[str, list[dict[str, Any]]]:
        ours = right(*arguments)
        for row in ours["tls"]:
            row["sni"] = "wrong.example"
        return ours

    monkeypatch.setattr(verification, "read_ours", wrong)
    assert run(["verify", str(CAPTURES / "page-load.pcapng"), "-n", "1"]) == 0
    told = capsys.readouterr().out
    assert "tls sni: ours wrong.example, tshark's " in told
    assert "... 4 more" in told


@needs_tshark
def test_nothing_that_both_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(CAPTURES / "fragments.pcapng")]) == 0
    assert capsys.readouterr().out.endswith("Nothing in them is read by both.\n")


@needs_tshark
def test_evidence_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(CAPTURES / "lossy-path.pcap")]) == 0
    told = capsys.readouterr().out
    assert "where evidence speaks against Wireshark's guess by time, the report follows the evidence." in told
    assert told.endswith("No disagreements.\n")


@needs_tshark
@pytest.mark.parametrize(("words", "sentence"), [(["--sample", "-1"], "--sample and --rows are numbers"), (["-n", "-1"], "0 or more")])
def test_refusals(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(CAPTURES / "lossy-path.pcap"), *words]) == 2
    assert sentence in capsys.readouterr().err
