"""Stories of the captures of this repository, each capture analysed once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pyarrow as pa

from analyzer.options import Options
from analyzer.pipeline import Pipeline
from analyzer.story.case import Case, gather_cases
from analyzer.story.chapters import Chapter, Story
from analyzer.story.telling import tell

CAPTURES = Path(__file__).parents[2] / "captures"


@cache
def cases(name: str, *, with_keys: bool = False) -> dict[int, Case]:
    """All connections of a capture by number."""
    path = next(CAPTURES.glob(f"{name}.pcap*"))
    keys = (CAPTURES / f"{name}.keylog.txt",) if with_keys else ()
    batches: dict[str, list[pa.RecordBatch]] = {}
    for tables in Pipeline(Options(keylog=keys)).run([str(path)]):
        for table, sheet in tables.items():
            batches.setdefault(table, []).append(sheet.arrow())
    found = {table: pa.Table.from_batches(rows) for table, rows in batches.items()}
    return gather_cases(found, found["connections"]["connection"].to_pylist())


def case(name: str, *, with_keys: bool = False, number: int = 0, **wanted: object) -> Case:
    """The first connection of a capture whose columns are as wanted; without wishes the first TCP connection."""
    wishes = wanted or ({} if number else {"transport": "tcp"})
    return next(
        one
        for at, one in cases(name, with_keys=with_keys).items()
        if number in (0, at) and all(one.get(key) == value for key, value in wishes.items())
    )


def story(name: str, *, with_keys: bool = False, number: int = 0, **wanted: object) -> Story:
    return tell(case(name, with_keys=with_keys, number=number, **wanted))


def chapter(told: Story, topic: str) -> Chapter:
    return next(one for one in told.chapters if one.topic == topic)


def text(one: Chapter) -> str:
    """All words of a chapter."""
    steps = [f"{step.name} {step.text}" for step in one.steps]
    return "\n".join([one.title, *one.paragraphs, *steps, *(f"{name}: {value}" for name, value in one.facts)])
