"""The picture is written, says what is in it, and is the same every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.plot.series import Series

pytest.importorskip("matplotlib")

from analyzer.plot.drawing import draw

MS = 1_000_000


def sample() -> Series:
    series = Series()
    series.first_ts = 1
    one = series.directions[0]
    one.segments = [(1 + k * MS, 100 * k, 100 * k + 100, k % 3) for k in range(12)]
    one.flags, one.acks, one.windows = [(1, 0, "SYN"), (20 * MS, 1200, "FIN")], [(1, 0), (9 * MS, 900)], [(1, 2000), (9 * MS, 90_000)]
    one.sacks, one.closed = [(5 * MS, 300, 500)], [7 * MS]
    return series


def test_svg_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw(sample(), "Connection 1", ("10.0.0.1:5", "10.0.0.2:80"), tmp_path / name)
    content = (tmp_path / "a.svg").read_text()
    assert content == (tmp_path / "b.svg").read_text()
    assert content.startswith("<?xml")
    assert "SACK block" in content


def test_png_of_both_directions(tmp_path: Path) -> None:
    series = sample()
    series.directions[1].segments = [(2 * MS, 0, 10, 4)]
    draw(series, "Connection 1", ("10.0.0.1:5", "10.0.0.2:80"), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_only_a_syn(tmp_path: Path) -> None:
    series = Series()
    series.first_ts = 1
    series.directions[0].flags = [(1, 1, "SYN")]
    draw(series, "Connection 1", ("a", "b"), tmp_path / "a.svg")
    assert (tmp_path / "a.svg").exists()
