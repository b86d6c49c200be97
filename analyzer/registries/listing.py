"""One way to write a registry whose numbers follow each other: the names in order, as plain words."""

from __future__ import annotations


def numbered(names: str, first: int = 0) -> dict[int, str]:
    """Number the words of `names`, starting with `first`: `numbered("A NS", 1)` is `{1: "A", 2: "NS"}`."""
    return dict(enumerate(names.split(), start=first))
