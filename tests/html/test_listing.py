"""Connections and stories as the page's script reads them."""

from __future__ import annotations

import pytest

from analyzer.html import listing
from analyzer.html.content import story_tables
from analyzer.report.summary import dicts
from analyzer.story.telling import tell
from analyzer.tables.lifecycle import PHASES
from tests.html.pages import collected
from tests.story.stories import case


def test_a_connection_as_a_list() -> None:
    collector = collected("page-load")
    table = collector.listed.tables()["connections"]
    begin = dicts(table.combine_chunks().to_batches()[0])[0]["start_time"]
    order = collector.listed.numbers
    rows = listing.list_connections(table, order, {}, begin)
    assert [row[0] for row in rows] == order
    assert all(len(row) == len(listing.FIELDS) for row in rows)
    one = next(row for row in rows if row[2] == "www.example.org")
    names = [PHASES[code] for code in one[listing.FIELDS.index("phases")][::5]]
    assert names[:3] == ["dns", "dns_to_connect", "tcp_connect"]
    times = dict(zip(names, one[listing.FIELDS.index("phases")][1::5], strict=True))
    assert one[listing.FIELDS.index("total")] == pytest.approx(sum(times.values()) - times["keepalive_idle"] - times["teardown"], abs=0.01)


def test_both_lists_end_at_their_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = collected("page-load")
    monkeypatch.setattr(listing, "LIST_BYTES", 1500)
    monkeypatch.setattr(listing, "STORY_BYTES", 9000)
    rows = listing.list_connections(collector.listed.tables()["connections"], collector.listed.numbers, {}, None)
    assert 0 < len(rows) < collector.summary.connections
    stories = listing.tell_stories(story_tables(collector), collector.told.numbers)
    assert 0 < len(stories) < collector.summary.connections


def test_a_story_is_that_of_explain() -> None:
    told = tell(case("https-tls13", with_keys=True))
    data = listing.story_data(told)
    assert [chapter["title"] for chapter in data["chapters"]] == [chapter.title for chapter in told.chapters]
    assert data["filter"] == told.display_filter
    assert len(data["bars"]) == len(told.bars)


def test_numbers_are_short() -> None:
    assert [listing.rounded(value) for value in (None, 1.0, 1.23456, -0.0004)] == [None, 1, 1.235, 0]
