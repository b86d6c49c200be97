"""Commands, failures and exit statuses."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli import main, run
from analyzer.cli.environment import Environment

ROOT = Path(__file__).parents[2]
CAPTURE = str(ROOT / "captures" / "https-tls13.pcapng")


def test_no_words_print_help_and_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Usage: analyzer" in capsys.readouterr().out


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert run(["analyze", "-h"]) == 0
    assert run(["--version"]) == 0
    out = capsys.readouterr().out
    assert "analyzer 0." in out
    assert "numba" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["colums"], "analyzer: No such command 'colums'. Did you mean 'columns'? See: analyzer --help"),
        (["analyze"], "analyzer: Missing argument 'CAPTURE'. See: analyzer analyze --help"),
        (["analyze", "--bogus", "x"], "analyzer: No such option: --bogus"),
        (["analyze", "x", "-n", "many"], "analyzer: Invalid value for '-n' / '--rows'"),
        (["analyze", "x", "-n", "-1"], "analyzer: --rows is a number of connections, 0 or more, not -1."),
        (["analyze", "x", "--checksums", "maybe"], "analyzer: --checksums is ignore or verify, not maybe."),
        (["analyze", "x", "--overlap", "mine"], "analyzer: --overlap is one of first, last, linux, windows, bsd, solaris, not mine."),
        (["analyze", CAPTURE, "-f", "xlsx"], "analyzer: xlsx: no such format. Formats: csv, jsonl, "),
        (["columns", "nope"], "analyzer: no table is called nope."),
    ],
)
def test_wrong_usage_is_one_sentence_and_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(sentence)
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ValueError("odd"), 1, "a mistake of the program (ValueError: odd)"),
        (MemoryError(), 1, "out of memory"),
        (OSError(28, "No space left on device"), 1, "no space left"),
    ],
)
def test_what_nobody_expected_is_a_sentence(error: Exception, status: int, words: str) -> None:
    err = io.StringIO()
    assert main.explain_failure(error, Environment(io.StringIO(), err, variables={})) == status
    assert words in err.getvalue()
    assert err.getvalue().count("\n") == 1


def break_down(*_: Any) -> None:
    raise ValueError("odd")


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("analyzer.cli.analyze.run_analyze", break_down)
    assert run(["analyze", CAPTURE]) == 1
    assert "--debug" in capsys.readouterr().err
    with pytest.raises(ValueError, match="odd"):
        run(["analyze", CAPTURE, "--debug"])


def test_a_reader_that_goes_away_is_no_failure() -> None:
    command = f'"{sys.executable}" -m analyzer columns | head -1; echo "${{PIPESTATUS[0]}}"'
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True, env=plain_environment())
    first, status = result.stdout.splitlines()
    assert first.startswith("connections: ")
    assert status == "0"
    assert result.stderr == ""


def test_output_that_finds_no_room_fails() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "analyzer", "columns", "dns"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=plain_environment(),
        )
    assert result.returncode == 1
    assert result.stderr == "analyzer: no space left to write to. Make room, or choose another folder with -o.\n"


def plain_environment() -> dict[str, str]:
    return {**os.environ, "ANALYZER_KERNELS": "python"}
