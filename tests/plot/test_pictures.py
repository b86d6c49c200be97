"""Pictures of a report: what is drawn, not how it looks."""

from __future__ import annotations

import numpy as np
import pytest

from tests.story.stories import story

pytest.importorskip("matplotlib")

from analyzer.plot.pictures import draw_phases, draw_waterfall


def test_a_bar_for_every_phase() -> None:
    told = story("https-tls13")
    (panel,) = draw_waterfall(told).axes
    assert [label.get_text() for label in panel.get_yticklabels()] == [bar.label for bar in told.bars]
    assert len(panel.patches) == len(told.bars)


def test_a_connection_without_phases() -> None:
    (panel,) = draw_waterfall(story("failures", number=4)).axes
    assert len(panel.patches) == 0


def test_a_line_for_every_phase_that_happened() -> None:
    (panel,) = draw_phases({"dns": np.array([3.0, 1.0]), "tls_handshake": np.zeros(0)}).axes
    assert [line.get_label() for line in panel.lines] == ["DNS lookup (2, median 2.0 ms)"]
    assert draw_phases({}).axes[0].get_legend() is None
