"""One word for the trust in a capture."""

from __future__ import annotations

import pytest

from analyzer.report.verdict import Trust


@pytest.mark.parametrize(
    ("trust", "word"),
    [
        (Trust(0), "empty"),
        (Trust(1000), "good"),
        (Trust(1000, unread=11), "fair"),
        (Trust(1000, unread=101), "poor"),
        (Trust(1000, cut=500), "poor"),
        (Trust(1000, dropped=200), "poor"),
        (Trust(1000, duplicates=51), "fair"),
        (Trust(1000, steps_back=2), "fair"),
        (Trust(1000, tcp=10, one_sided=1), "fair"),
        (Trust(1000, tcp=100, midstream=1), "good"),
    ],
)
def test_verdicts(trust: Trust, word: str) -> None:
    assert trust.verdict == word
