"""How runs of names are written."""

from analyzer.registries.listing import numbered


def test_numbers_words_from_first() -> None:
    assert numbered("A NS\nMD", first=1) == {1: "A", 2: "NS", 3: "MD"}


def test_starts_with_zero_and_may_be_empty() -> None:
    assert numbered("x") == {0: "x"}
    assert numbered("") == {}
