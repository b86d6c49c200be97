"""The chapter about the page load that a connection belongs to."""

from __future__ import annotations

import analyzer
from analyzer.story.page import tell_page
from analyzer.views import explain
from tests.story.stories import CAPTURES, case, cases, text


def test_a_connection_knows_its_place() -> None:
    one = tell_page(case("page-load", with_keys=True, number=9))
    assert one is not None
    words = text(one)
    assert "Page 1: https://www.example.org/ took" in words
    assert "with 7 requests on 3 connections" in words
    assert "It carried 2 of the 7 requests." in words
    assert "request 5 of 7 https://static.example.net/radar.png: had to wait for https://www.example.org/ (connection 4)" in words
    assert "It is on the critical path" in words
    assert one.frames


def test_the_root_begins_the_page() -> None:
    one = tell_page(case("page-load", with_keys=True, number=4))
    assert one is not None
    assert "It began with this connection." in text(one)
    assert "the page begins with it" in text(one)


def test_without_keys_there_is_no_page() -> None:
    assert all(tell_page(one) is None for one in cases("page-load").values())


def test_every_request_has_its_rank_once() -> None:
    ranks = [member["rank"] for one in cases("page-load", with_keys=True).values() for _, members in one.pages for member in members]
    assert sorted(ranks) == list(range(1, 8))


def test_the_report_in_python_tells_it_too() -> None:
    report = analyzer.analyze(str(CAPTURES / "page-load.pcapng"), keylog=str(CAPTURES / "page-load.keylog.txt"))
    assert "Part of a page load" in explain(report, 9)
