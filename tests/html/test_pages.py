"""Page loads as lines of segments."""

from __future__ import annotations

import datetime as dt

import pytest

from analyzer.html.content import PHASE_NAMES, page_waterfalls
from analyzer.html.pages import MOST_PAGES, draw_pages
from tests.html.pages import collected

START = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)


def test_a_page_of_a_browser() -> None:
    (page,) = page_waterfalls(collected("page-load"))
    assert page.url == "https://www.example.org/"
    assert len(page.lines) == 7
    assert [segment.phase for segment in page.lines[0].segments][:3] == ["dns", "tcp_connect", "tls_handshake"]
    assert page.lines[0].segments[0].left == pytest.approx(0, abs=0.01)
    ends = [segment.left + segment.width for line in page.lines for segment in line.segments]
    assert max(ends) == pytest.approx(1000, abs=1)


def test_redirects_belong_to_the_page_they_lead_to() -> None:
    pages = page_waterfalls(collected("http-plain"))
    about = next(page for page in pages if page.url.endswith("/about.html"))
    assert about.lines[0].label.endswith("/old")
    assert "http://" in about.url


def test_the_slowest_are_drawn_and_the_rest_left_out() -> None:
    exchange = {"method": "GET", "url": "u", "status": 200, "response_content_type": None, "request_time": START,
                "request_send_ms": None, "server_wait_ms": 5.0, "response_receive_ms": 1.0, "request_first_frame": 1,
                "response_last_frame": 2, "index": 2}  # fmt: skip
    page = {"url": "u", "start_time": START, "first_byte_ms": 5.0, "requests": 1, "connections": 1, "waited_for": None}
    count = MOST_PAGES + 5
    drawn = draw_pages(
        [{**page, "page": at, "duration_ms": float(at)} for at in range(count)],
        [{"page": at, "connection": at, "index": 2} for at in range(count)],
        [{**exchange, "connection": at} for at in range(count)],
        {},
        PHASE_NAMES,
    )
    assert [one.number for one in drawn] == list(range(5, count))
    assert draw_pages([], [], [], {}, PHASE_NAMES) == []


def test_no_exchanges_no_pages() -> None:
    assert page_waterfalls(collected("failures", "lossy-path")) is not None
    assert page_waterfalls(collected("half-close")) == []
