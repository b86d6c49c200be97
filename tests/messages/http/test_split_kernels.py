"""Heads that come in pieces, never end, are cut, or are none."""

from __future__ import annotations

import pytest

from analyzer.memory import LIVE_BYTES
from analyzer.options import Limits
from tests.messages.http.conversation import CLIENT, FIN, RST, answer, cut, exchanges, facts, read, say

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_bytes_sent_ahead_into_a_tunnel() -> None:
    request = b"CONNECT a:443 HTTP/1.1\r\n\r\n"
    for ahead in (b"\x16\x03\x01", b"abc", b"a"):
        http, tunnels = read([say(request), say(ahead), answer(b"HTTP/1.1 200 OK\r\n\r\n"), say(b"more")])
        assert tunnels[1] == (0, CLIENT, 1, len(request), 1)
        (row,) = facts(http)
        assert row["tunnel_request_bytes"] == len(ahead) + 4


@pytest.mark.parametrize("step", [1, 100, 4096])
def test_endless_head(step: int) -> None:
    limits = Limits(head_bytes=1000)
    for body in (b"a: " + b"x" * 5000, b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 900, b"GET /" + b"x" * 5000):
        http, _ = read(cut([say(body, marks=FIN)], step), limits=limits)
        rows = facts(http)
        assert http.memory.arenas[0][LIVE_BYTES] == 0
        if body.startswith(b"GET"):
            assert [(row["error"], row["request_head_bytes"]) for row in rows] == [(3, 1000)]
        else:
            assert rows == []
            assert http.anomalies == {"bad_start_line": 1}


def test_cut_head_at_the_end() -> None:
    (row,) = exchanges(say(b"GET /x HTTP/1.1\r\nHost: a\r\nUse", marks=RST), answer(b"HTTP/1.1 200", marks=RST))
    assert (row["error"], row["host"], row["has_request"]) == (1, b"a", 1)
    assert "has_response" not in row


def test_simple_request() -> None:
    rows = [("GET /old\r\n", "<html>"), ("GET /old\n", "\x00"), ("GET /old\r\n\r\n", "HTTPlike")]
    for asked, told in rows:
        talk = [say(asked.encode()), answer(told.encode(), marks=FIN)]
        (row,) = exchanges(*talk)
        assert (row["version"], row["target"], row["response_version"]) == (9, b"/old", 9)
        assert (row["response_body_bytes"], row["response_complete"], row["response_framing"]) == (len(told), 1, 3)
        assert exchanges(*cut(talk, 1)) == [row]


def test_garbage_is_counted_once() -> None:
    http, _ = read([say(b"\x16\x03\x01 nothing of ours"), say(b"more"), answer(b"@220 mail ESMTP\r\n")])
    assert facts(http) == []
    assert http.anomalies == {"bad_start_line": 2}
    http, _ = read([say(GET), answer(OK + b"extra\r\n")])
    assert facts(http)[0]["error"] == 5
    assert facts(http)[0]["response_complete"] == 1


def test_full_arena_sheds_the_stream() -> None:
    http, _ = read(cut([say(GET + b"X"), answer(OK), say(b"more " * 100)], 30), arena=64 * 2)
    assert http.anomalies == {"no_memory": 1}
    assert len(facts(http)) == 1


def test_gap_in_a_head() -> None:
    http, _ = read([say(b"GET /cut HTTP/1.1\r\nHost: a\r\nUser-A"), say(b"st of it\r\n\r\n", gap=7), say(GET), answer(OK)])
    first, second = facts(http)
    assert (first["error"], first["target"], first["host"]) == (2, b"/cut", b"a")
    assert "request_complete" not in first
    # the answer after a gap in the requests goes to the oldest that waits: nothing of the answers is missing
    assert first["status"] == 200
    assert "status" not in second
