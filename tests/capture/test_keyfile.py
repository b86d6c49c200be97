"""Key log files that grow, end without a line end, or are not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.capture import CaptureFacts, KeyTexts
from analyzer.capture import keyfile as module
from analyzer.errors import CaptureError


def test_a_growing_file_is_read_by_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"one\ntw")
    texts = KeyTexts([path])
    assert list(texts.fresh([], grows=True)) == [b"one\n"]
    assert list(texts.fresh([], grows=True)) == []
    with path.open("ab") as file:
        file.write(b"o\nthree")
    assert list(texts.fresh([], grows=True)) == [b"two\n"]
    assert list(texts.fresh([], grows=False)) == [b"three"]
    assert list(texts.fresh([], grows=False)) == []


def test_small_pieces_and_endless_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", 10)
    monkeypatch.setattr(module, "LINE_LIMIT", 30)
    path = tmp_path / "keys"
    path.write_bytes(b"a line that is long\nshort\n" + b"x" * 1000 + b"\nlast\n")
    text = b"".join(KeyTexts([path]).fresh([], grows=False))
    assert text.startswith(b"a line that is long\nshort\n")
    assert text.endswith(b"\nlast\n")
    assert len(text) < 100


def test_secrets_of_captures_come_once() -> None:
    texts, facts = KeyTexts([]), CaptureFacts("x", "x")
    facts.secrets.append(b"first")
    assert list(texts.fresh([facts], grows=False)) == [b"first"]
    facts.secrets.append(b"second")
    other = CaptureFacts("y", "y", secrets=[b"third"])
    assert list(texts.fresh([facts, other], grows=False)) == [b"second", b"third"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="the key log cannot be read: No such file"):
        list(KeyTexts([tmp_path / "none"]).fresh([], grows=False))
