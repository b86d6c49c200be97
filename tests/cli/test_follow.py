"""The command ``follow``."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.cli import run

CAPTURES = Path(__file__).parents[2] / "captures"
HTTP = str(CAPTURES / "http-plain.pcapng")
TLS = str(CAPTURES / "https-tls13.pcapng")


def test_text_of_both_ends(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["follow", HTTP, "2"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("--- originator, frame ")
    assert lines[1] == "GET / HTTP/1.1"
    assert any(line.startswith("--- responder, frame ") for line in lines)


def test_one_end_as_it_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.bin"
    assert run(["follow", HTTP, "2", "--as", "raw", "--direction", "responder", "-o", str(out)]) == 0
    assert out.read_bytes().startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"GET /" not in out.read_bytes().partition(b"\r\n\r\n")[0]
    assert run(["follow", HTTP, "2", "-o", str(out)]) == 1
    assert "is there already" in capfd.readouterr().err


def test_hex(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["follow", HTTP, "2", "--as", "hex"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[1] == "00000000  47 45 54 20 2f 20 48 54  54 50 2f 31 2e 31 0d 0a  GET / HTTP/1.1.."
    assert any(line.startswith("    00000000  48 54 54 50") for line in lines)


def test_with_keys_what_is_inside(capfd: pytest.CaptureFixture[str]) -> None:
    keys = ["--keylog", str(CAPTURES / "https-tls13.keylog.txt")]
    assert run(["follow", TLS, "2", *keys]) == 0
    captured = capfd.readouterr()
    assert "GET /report HTTP/1.1" in captured.out
    assert "as decrypted" in captured.err
    assert run(["follow", TLS, "2", *keys, "--encrypted"]) == 0
    assert "GET /report" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([HTTP, "99"], "has no connection 99"),
        ([HTTP, "nobody.example"], "no connection has the uid or the host"),
        ([HTTP, "2", "--as", "poem"], "--as is one of text, hex, raw, not poem"),
        ([HTTP, "2", "--direction", "up"], "--direction is one of"),
        (["-", "2"], "save it to a file first"),
    ],
)
def test_refusals(words: list[str], sentence: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["follow", *words]) == 2
    captured = capfd.readouterr()
    assert sentence in captured.err
    assert captured.out == ""
