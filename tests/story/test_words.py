"""Numbers as people write them."""

from __future__ import annotations

import pytest

from analyzer.story import words


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "an unknown time"), (0.0, "0.0 ms"), (0.04, "0.04 ms"), (0.0032, "0.0032 ms"), (48.0, "48.0 ms"), (-3.25, "-3.2 ms"),
        (1158.6, "1.16 s"), (75_000.0, "1 min 15.0 s"), (-75_000.0, "-1 min 15.0 s"),
    ],
)  # fmt: skip
def test_durations(ms: float | None, text: str) -> None:
    assert words.duration(ms) == text


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""), ([None, 0], ""), ([7], "frame 7"), ([9, 7, 7], "frames 7, 9"), ([7, 8, 9, 12], "frames 7-9, 12"),
        ([1, 3, 5, 7, 9], "frames 1 to 9"),
    ],
)  # fmt: skip
def test_frames(numbers: list[int | None], text: str) -> None:
    assert words.frames(numbers) == text


def test_lists() -> None:
    assert words.joined([]) == ""
    assert words.joined(["A"]) == "A"
    assert words.joined(["A", "B", "C"], "or") == "A, B or C"
    assert words.joined([str(n) for n in range(20)]).endswith("11 and 8 more")


def test_sentences_and_counts() -> None:
    assert words.sentence("it works") == "It works."
    assert words.sentence("Why?") == "Why?"
    assert words.sentence(" ") == ""
    assert (words.times(1), words.times(2), words.times(3000)) == ("once", "twice", "3,000 times")
    assert words.counted(1, "question has", "questions have") == "1 question has"
    assert words.size(1999) == "2.0 kB"
