"""Explanations are those of rules that exist, and of all that this program began with."""

from __future__ import annotations

from analyzer.lifecycle.explanations import EXPLANATIONS
from analyzer.lifecycle.findings import SEVERITY_OF


def test_each_explains_a_rule() -> None:
    assert set(EXPLANATIONS) <= set(SEVERITY_OF)
    assert len(EXPLANATIONS) > 50


def test_they_are_sentences() -> None:
    assert all(text.endswith(".") and text[0].isupper() for text in EXPLANATIONS.values())
