"""Every chapter there can be has its lesson."""

from __future__ import annotations

from analyzer.story.background import TEACHING
from tests.story.stories import CAPTURES, cases, tell


def test_every_topic_is_taught() -> None:
    told = set()
    for path in sorted(CAPTURES.glob("*.pcap*")):
        for one in cases(path.stem).values():
            told |= {chapter.topic for chapter in tell(one).chapters}
    assert told <= set(TEACHING)
    assert set(TEACHING) - told <= {"other"}


def test_lessons_name_their_sources() -> None:
    for topic, lesson in TEACHING.items():
        assert lesson.purpose.endswith("."), topic
        assert "RFC" in lesson.sources or "IANA" in lesson.sources, topic
