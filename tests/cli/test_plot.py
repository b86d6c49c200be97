"""The command: what it writes, and what it refuses in a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.cli import plot, run

CAPTURES = Path(__file__).parents[2] / "captures"
LOSSY = str(CAPTURES / "lossy-path.pcap")


def test_a_picture_of_a_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "loss.svg"
    assert run(["plot", LOSSY, "www.example.org", "-o", str(out)]) == 0
    assert "260 packets" in capsys.readouterr().out
    content = out.read_text()
    assert "retransmission (7)" in content
    assert "198.51.100.10:80 to 192.0.2.10:58476" in content


def test_a_picture_is_not_replaced_unasked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    out = tmp_path / "loss.svg"
    out.write_text("mine")
    assert run(["plot", LOSSY, "2", "-o", str(out)]) == 1
    assert out.read_text() == "mine"
    assert "is there already" in capsys.readouterr().err
    assert run(["plot", LOSSY, "2", "-o", str(out), "--force", "--overlap", "last", "--limit-memory", "500M"]) == 0
    assert out.read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["2", "-o", "x.pdf"], 2, "x.pdf: a picture is written as .svg or .png."),
        (["2", "--checksums", "maybe"], 2, "--checksums is ignore or verify"),
        (["1"], 2, "connection 1 is not TCP"),
        (["99"], 2, "has no connection 99"),
        (["nobody"], 2, "no connection has the uid or the host nobody"),
    ],
)
def test_refusals(words: list[str], status: int, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert run(["plot", LOSSY, *words]) == status
    assert sentence in capsys.readouterr().err


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda _: None)
    assert run(["plot", LOSSY, "2"]) == 1
    assert "pip install 'connection-lifecycle-analyzer[plot]'" in capsys.readouterr().err
