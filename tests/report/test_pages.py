"""Pages of a capture: members, bounds, and the critical path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import analyzer
from analyzer.report.pages import MEMBERS, PARTS, Pages, _Groups
from analyzer.thresholds import Thresholds
from tests.builders import MILLISECOND, START_NS, Conversation, Frame, pcap
from tests.report.test_page_groups import asked

CAPTURES = Path(__file__).parents[2] / "captures"


def test_a_page_of_a_browser() -> None:
    report = analyzer.analyze(CAPTURES / "page-load.pcapng", keylog=CAPTURES / "page-load.keylog.txt")
    (page,) = report.pages.itertuples()
    assert (page.url, page.requests, page.connections, page.basis, page.status) == ("https://www.example.org/", 7, 3, "hint", 200)
    first = report.http.iloc[0]
    assert page.first_byte_ms == pytest.approx((first.response_time - page.start_time).total_seconds() * 1000, abs=0.001)
    assert page.critical_path[0] == f"{page.connection}/{page.exchange}"
    spent = sum(getattr(page, f"path_{part}_ms") for part in PARTS if part != "loss")
    assert spent >= page.duration_ms - 0.001
    assert page.waited_for in PARTS


def test_nothing_to_group() -> None:
    sheets = Pages().build()
    assert (sheets["pages"].num_rows, sheets[MEMBERS].num_rows) == (0, 0)
    assert analyzer.analyze(CAPTURES / "https-tls13.pcapng").pages.empty


def redirecting(hops: int) -> bytes:
    """A client that is sent from one host to the next, each on a connection of its own, until a page comes."""
    frames: list[Frame] = []
    for hop in range(hops + 1):
        talk = Conversation(dst=f"192.0.2.{10 + hop}", src_port=50000 + hop, ts=START_NS + hop * 50 * MILLISECOND).handshake()
        talk.send(b"GET /%d HTTP/1.1\r\nHost: h%d.example\r\nUser-Agent: t\r\n\r\n" % (hop, hop))
        if hop < hops:
            talk.reply(b"HTTP/1.1 302 Found\r\nLocation: http://h%d.example/%d\r\nContent-Length: 0\r\n\r\n" % (hop + 1, hop + 1))
        else:
            talk.reply(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
        frames += talk.close().frames
    return pcap(frames)


@pytest.mark.parametrize("hops", [0, 1, 3, 4, 6])
def test_redirects_from_one_connection_to_the_next(tmp_path: Path, hops: int) -> None:
    (tmp_path / "capture.pcap").write_bytes(redirecting(hops))
    report = analyzer.analyze(tmp_path / "capture.pcap")
    (page,) = report.pages.itertuples()
    assert (page.url, page.status, page.redirects, page.connections) == (f"http://h{hops}.example/{hops}", 200, hops, hops + 1)
    path = [] if page.redirect_path is None else list(page.redirect_path)
    assert path == ([f"{hop + 1}/1" for hop in range(hops + 1)] if hops else [])
    found = report.findings[report.findings["rule"] == "http.redirect_chain"]
    if hops <= 3:
        assert found.empty
        return
    (one,) = found.itertuples()
    last = report.http.iloc[hops - 1]
    assert (one.connection, one.severity, one.amount, one.frame) == (hops, "warning", hops, last.response_first_frame)
    assert (one.subject, one.time) == ("http://h0.example/0", last.response_time)
    off = analyzer.analyze(tmp_path / "capture.pcap", thresholds=Thresholds(severities=(("http.redirect_chain", "off"),)))
    assert off.findings[off.findings["rule"] == "http.redirect_chain"].empty


def test_the_critical_path_goes_through_what_ended_last_before() -> None:
    groups = _Groups.__new__(_Groups)
    columns = {"begin": [0, 10, 12, 30], "end": [8, 25, 28, 60], "first_byte": [5, 20, 20, 50]}
    groups._x = {name: np.array(values) for name, values in columns.items()}
    groups._parents = np.array([-1, 0, 0, 1])
    assert groups._path(0, np.arange(4)) == [0, 2, 3]
    assert len(asked({}).start) == 1
