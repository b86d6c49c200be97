"""Framing: whatever the cut, the same messages; the rules of RFC 9112 6.3 one by one; gaps and garbage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import LIVE_BYTES
from analyzer.options import Limits
from tests.messages.http.conversation import CLIENT, FIN, OPEN, RST, SERVER, Piece, answer, cut, exchanges, facts, numbered, read, say

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

TALK = [
    say(
        b"\r\nPOST /form?a=b HTTP/1.1\r\nHost: example.org:8080\r\nUSER-AGENT:  probe/1.0 \r\nExpect: 100-continue\r\n"
        b"Authorization: Basic dXNlcjpzZWNyZXQ=\r\nVia: 1.1 one\r\nReferer: http://a/\r\n\tb\r\nX-Forwarded-For: 10.0.0.9\r\n"
        b"Transfer-Encoding: gzip, Chunked\r\n\r\n"
    ),
    answer(b"HTTP/1.1 100 Continue\r\n\r\n"),
    say(b"4;name=\"a b\"\r\nWiki\r\n00a \r\n0123456789\r\n0\r\nTrailer: x\r\nMore: y\r\n\r\nHEAD /h HTTP/1.0\nHost: b\n\nGET /e HTTP/1.1\r\n\r\n"),
    answer(b"HTTP/1.1 200 Fine by me\r\nServer: s\r\nContent-Type: text/html\r\ncontent-length: 5, 5\r\n\r\nhello"),
    answer(b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
    say(b"GET /last HTTP/1.1\r\nOrigin: o\r\n\r\n"),
    answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nLocation: /x\r\n\r\nuntil the close", marks=FIN),
    say(b"", marks=FIN),
]


def test_conversation() -> None:
    first, head, cached, last = exchanges(*TALK)
    assert first == {
        "index": 1,
        "has_request": 1,
        "has_response": 1,
        "request_complete": 1,
        "response_complete": 1,
        "status": 200,
        "info_status": 100,
        "request_first_ts": 10,
        "request_first_number": 1,
        "request_last_ts": 30,
        "request_last_number": 3,
        "info_ts": 20,
        "info_number": 2,
        "response_first_ts": 40,
        "response_first_number": 4,
        "response_last_ts": 40,
        "response_last_number": 4,
        "request_head_bytes": len(TALK[0].content) - 2,
        "request_body_bytes": 14,
        "response_head_bytes": len(TALK[3].content) - 5,
        "response_body_bytes": 5,
        "request_framing": 2,
        "response_framing": 1,
        "method": b"POST",
        "target": b"/form?a=b",
        "version": 11,
        "response_version": 11,
        "host": b"example.org:8080",
        "user_agent": b"probe/1.0",
        "referrer": b"http://a/ b",
        "username": b"user",
        "proxied": b"VIA -> 1.1 one\nX-FORWARDED-FOR -> 10.0.0.9",
        "reason": b"Fine by me",
        "info_reason": b"Continue",
        "server": b"s",
        "response_type": b"text/html",
    }
    assert (head["method"], head["kind"], head["version"], head["status"], head["response_version"]) == (b"HEAD", 1, 10, 200, 10)
    assert "response_body_bytes" not in head and head["response_complete"] == 1
    assert (cached["status"], cached["response_complete"]) == (304, 1) and "response_body_bytes" not in cached
    assert (last["response_body_bytes"], last["response_framing"], last["response_complete"]) == (15, 3, 1)
    assert (last["origin"], last["content_encoding"], last["location"]) == (b"o", b"br", b"/x")


def test_every_cut_gives_the_same_rows() -> None:
    whole = exchanges(*TALK)
    for step in (1, 2, 3, 5, 17):
        assert exchanges(*cut(TALK, step)) == whole
    for first in range(1, max(len(piece.content) for piece in TALK)):
        assert exchanges(*cut(TALK, 1 << 20, first)) == whole


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_batches_do_not_matter(batch: int) -> None:
    whole = exchanges(*TALK)
    http, _ = read(cut(TALK, 11), batch=batch)
    assert facts(http) == whole
    assert http.memory.arenas[0][LIVE_BYTES] == 0


def test_pipelining_pairs_by_order() -> None:
    asked = b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % k for k in range(5))
    told = b"".join(b"HTTP/1.1 20%d OK\r\nContent-Length: %d\r\n\r\n%s" % (k, k, b"x" * k) for k in range(4))
    rows = exchanges(say(asked), answer(told))
    assert [(row["index"], row["target"], row.get("status"), row.get("response_body_bytes", 0)) for row in rows] == [
        (1, b"/0", 200, 0),
        (2, b"/1", 201, 1),
        (3, b"/2", 202, 2),
        (4, b"/3", 203, 3),
        (5, b"/4", None, 0),
    ]


@pytest.mark.parametrize(("marks", "complete"), [(FIN, 1), (RST, None), (OPEN, None)])
def test_body_to_the_close(marks: int, complete: int | None) -> None:
    (row,) = exchanges(say(GET), answer(b"HTTP/1.0 200 OK\r\n\r\nabc"), answer(b"de", marks=marks))
    assert (row["response_body_bytes"], row.get("response_complete"), row["response_last_number"]) == (5, complete, 3)


def test_bare_204_and_interim_chain() -> None:
    told = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n"
    (row,) = exchanges(say(GET), answer(told))
    assert (row["info_status"], row["info_reason"], row["status"], row["response_complete"]) == (103, b"Early Hints", 204, 1)


def test_connect_opens_a_tunnel() -> None:
    request = b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n"
    reply = b"HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n"
    http, tunnels = read([say(request), answer(reply + b"\x16\x03"), say(b"\x16\x03\x01\x00"), answer(b"\x01")])
    (row,) = facts(http)
    assert (row["is_upgraded"], row["kind"], row["tunnel_request_bytes"], row["tunnel_response_bytes"]) == (1, 2, 4, 3)
    assert row["proxied"] == b"PROXY-CONNECTION -> keep-alive"
    assert tunnels == [(0, SERVER, 1, len(reply), 1), (0, CLIENT, 1, len(request), 1)]


def test_bytes_sent_ahead_into_a_tunnel() -> None:
    request = b"CONNECT a:443 HTTP/1.1\r\n\r\n"
    for ahead in (b"\x16\x03\x01", b"abc", b"a"):
        http, tunnels = read([say(request), say(ahead), answer(b"HTTP/1.1 200 OK\r\n\r\n"), say(b"more")])
        assert tunnels[1] == (0, CLIENT, 1, len(request), 1)
        (row,) = facts(http)
        assert row["tunnel_request_bytes"] == len(ahead) + 4


def test_refused_connect_goes_on() -> None:
    again = b"CONNECT a:443 HTTP/1.1\r\nProxy-Authorization: basic dTpw\r\n\r\n"
    denied = b"HTTP/1.1 407 Denied\r\nContent-Length: 2\r\n\r\nno"
    rows = exchanges(say(b"CONNECT a:443 HTTP/1.1\r\n\r\n"), answer(denied), say(again), answer(b"HTTP/1.1 200 OK\r\n\r\n"))
    assert [(row["status"], row.get("is_upgraded"), row.get("username")) for row in rows] == [(407, None, None), (200, 1, b"u")]


def test_upgrade_is_final() -> None:
    asked = b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
    http, tunnels = read([say(asked), answer(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x00"), say(b"\x81\x80")])
    (row,) = facts(http)
    assert (row["status"], row["upgrade"], row["is_upgraded"], row["response_complete"]) == (101, b"websocket", 1, 1)
    assert [tunnel[1:3] for tunnel in tunnels] == [(SERVER, 0), (CLIENT, 0)]


@pytest.mark.parametrize(
    ("fields", "body", "error", "framing"),
    [
        (b"Content-Length: 3\r\nContent-Length: 4", b"abcd", 8, 3),
        (b"Content-Length: 3, 4", b"abcd", 8, 3),
        (b"Content-Length: 4\r\nContent-Length: 04", b"abcd", None, 1),
        (b"Content-Length: abc", b"abcd", 9, 3),
        (b"Content-Length: -4", b"abcd", 9, 3),
        (b"Content-Length: +4", b"abcd", 9, 3),
        (b"Content-Length:", b"abcd", 9, 3),
        (b"Content-Length: 9223372036854775808", b"abcd", 9, 3),
        (b"Content-Length: 9223372036854775807", b"abcd", None, 1),
        (b"Content-Length: 9\r\nTransfer-Encoding: chunked", b"4\r\nabcd\r\n0\r\n\r\n", 10, 2),
        (b"Transfer-Encoding: chunked, gzip", b"abcd", None, 3),
        (b"Transfer-Encoding: identity\r\nContent-Length: 4", b"abcd", None, 1),
        (b"Transfer-Encoding:\r\n chunked", b"4\r\nabcd\r\n0\r\n\r\n", None, 2),
        (b"Transfer-Encoding : chunked", b"4\nabcd\n0\n\n", None, 2),
    ],
)
def test_response_framing(fields: bytes, body: bytes, error: int | None, framing: int) -> None:
    (row,) = exchanges(say(GET), answer(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n" + body))
    assert (row.get("error"), row["response_framing"], row["response_body_bytes"]) == (error, framing, 4)


@pytest.mark.parametrize(
    ("chunks", "error", "counted"),
    [
        (b"-1\r\nab", 12, 2),
        (b"+1\r\n", 12, 2),
        (b"zz\r\n", 12, 3),
        (b"\r\n", 12, 1),
        (b";ext\r\n", 12, 5),
        (b"0x4\r\nabcd", 12, 7),
        (b"4 \t;x\r\nabcd!", 13, 4),
        (b"8000000000000000\r\n", 12, 2),
        (b"7fffffffffffffff\r\nabc", None, 3),
        (b"ffffffffffffffffffffffff\r\n", 12, 10),
        (b"1\r\na\rb", 13, 1),
        (b"1;" + b"x" * 20_000, 12, 1 + 20_002 - 16_385),
    ],
)
def test_bad_chunks_lose_the_stream(chunks: bytes, error: int | None, counted: int) -> None:
    told = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    (row,) = exchanges(say(GET), answer(told), answer(OK, marks=FIN))
    assert row.get("error") == error
    assert "response_complete" not in row
    (again,) = exchanges(*cut([say(GET), answer(told), answer(OK, marks=FIN)], 1 if len(told) < 1000 else 97))
    assert again == row
    assert row["response_body_bytes"] >= len(OK)


def test_request_with_another_coding_is_lost() -> None:
    http, _ = read([say(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n" + GET)])
    (row,) = facts(http)
    assert (row["error"], row["request_body_bytes"], http.anomalies) == (11, len(GET), {"bad_transfer_coding": 1})


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
            assert rows == [] and http.anomalies == {"bad_start_line": 1}


def test_too_many_fields() -> None:
    http, _ = read([say(b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % k for k in range(10_000)) + b"Host: late\r\n\r\n" + GET)])
    first, second = facts(http)
    assert first["error"] == 4 and "host" not in first and second["host"] == b"a"
    head = b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 4 + b"Host: x\r\n\r\n"
    assert exchanges(say(head), limits=Limits(head_fields=5))[0].get("error") is None
    assert exchanges(say(head), limits=Limits(head_fields=4))[0]["error"] == 4


def test_zeros_and_bytes_that_are_no_text_stay() -> None:
    (row,) = exchanges(say(b"GET /\xff\x00 HTTP/1.1\r\nHost: \x00\xfe\r\nno colon\r\n\r\n"))
    assert (row["target"], row["host"], row["error"]) == (b"/\xff\x00", b"\x00\xfe", 7)


def test_gap_in_a_body() -> None:
    told = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"
    rows = exchanges(say(GET + GET), answer(told), answer(b"cd" + OK, gap=6))
    assert [(row["response_body_bytes"], row.get("missing_bytes"), row["response_complete"]) for row in rows] == [(4, 6, 1), (2, None, 1)]
    rows = exchanges(say(GET + GET), answer(told), answer(OK, gap=8))
    assert [(row["response_body_bytes"], row.get("missing_bytes")) for row in rows] == [(2, 8), (2, None)]


def test_gap_beyond_a_body_finds_the_next_head() -> None:
    told = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"
    first, second = exchanges(say(GET), answer(told), answer(b"garbage", gap=100), say(GET), answer(OK))
    assert (first["missing_bytes"], first["response_complete"]) == (8, 1)
    assert (second["status"], second["response_complete"]) == (200, 1)


def test_gap_in_chunks() -> None:
    told = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
    (row,) = exchanges(say(GET), answer(told), answer(b"e\r\n0\r\n\r\n", gap=2))
    assert (row["response_body_bytes"], row["missing_bytes"], row["response_complete"]) == (3, 2, 1)
    (row,) = exchanges(say(GET), answer(told), answer(b"\r\n0\r\n\r\n", gap=3))
    assert (row["missing_bytes"], row["response_complete"]) == (3, 1)
    first, second = exchanges(say(GET + GET), answer(told), answer(b"xx", gap=9), answer(OK))
    assert (first["error"], first["missing_bytes"]) == (15, 3) and "response_complete" not in first
    assert second["status"] == 200


def test_gap_in_a_head() -> None:
    http, _ = read([say(b"GET /cut HTTP/1.1\r\nHost: a\r\nUser-A"), say(b"st of it\r\n\r\n", gap=7), say(GET), answer(OK)])
    first, second = facts(http)
    assert (first["error"], first["target"], first["host"]) == (2, b"/cut", b"a") and "request_complete" not in first
    # the answer after a gap in the requests goes to the oldest that waits: nothing of the answers is missing
    assert first["status"] == 200 and "status" not in second


def test_gap_between_answers_gives_the_next_to_the_newest_request() -> None:
    http, _ = read([say(GET), say(GET.replace(b"/", b"/2", 1)), answer(OK, gap=60)])
    first, second = facts(http)
    assert "status" not in first and (second["status"], second["error"]) == (200, 16)


def test_unkept_bytes_are_a_body_or_a_gap() -> None:
    (row,) = exchanges(say(GET), answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", unseen=10))
    assert (row["response_body_bytes"], row["response_complete"]) == (10, 1) and "missing_bytes" not in row
    first, second = exchanges(say(GET), answer(OK, unseen=50), say(GET), answer(OK))
    assert (first["status"], second["status"]) == (200, 200)
    (row,) = exchanges(say(b"GET / HTTP/1.1\r\nHost: a\r\nX", unseen=20))
    assert (row["error"], row["host"]) == (2, b"a")


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


def test_request_line_without_version() -> None:
    for line in (b"BREW pot", b"GET a b", b"BREW"):
        (row,) = exchanges(say(line + b"\r\nHost: a\r\n\r\n")) or [{}]
        if b" " in line:
            assert (row["error"], row["host"]) == (5, b"a") and "version" not in row
        else:
            assert row == {}


def test_garbage_is_counted_once() -> None:
    http, _ = read([say(b"\x16\x03\x01 nothing of ours"), say(b"more"), answer(b"@220 mail ESMTP\r\n")])
    assert facts(http) == [] and http.anomalies == {"bad_start_line": 2}
    http, _ = read([say(GET), answer(OK + b"extra\r\n")])
    assert facts(http)[0]["error"] == 5 and facts(http)[0]["response_complete"] == 1


@pytest.mark.parametrize(
    ("line", "status", "version", "reason", "error"),
    [
        (b"ICY 200 OK", 200, None, b"OK", None),
        (b"HTTP/1.1 200", 200, 11, None, None),
        (b"HTTP/1.1  404   Not  Found ", 404, 11, b"Not  Found", None),
        (b"HTTP/1.1 2xx OK", None, 11, b"OK", 6),
        (b"HTTP/1.1", None, 11, None, 6),
        (b"HTTP/2.0 200 OK", 200, 20, b"OK", None),
        (b"HTTP/x 200 OK", 200, None, b"OK", None),
        (b"HTTP/1.1 2000 OK", None, 11, b"OK", 6),
    ],
)
def test_status_lines(line: bytes, status: int | None, version: int | None, reason: bytes | None, error: int | None) -> None:
    (row,) = exchanges(say(GET), answer(line + b"\r\nServer: x\r\n\r\n"))
    assert (row.get("status"), row.get("response_version"), row.get("reason"), row.get("error")) == (status, version, reason, error)


def test_full_arena_sheds_the_stream() -> None:
    http, _ = read(cut([say(GET + b"X"), answer(OK), say(b"more " * 100)], 30), arena=64 * 2)
    assert http.anomalies == {"no_memory": 1} and len(facts(http)) == 1


def test_wishes_name_the_end_of_a_body() -> None:
    http, _ = read([say(GET), answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")])
    assert list(http.streams.skip_until[:2]) == [0, len(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n") + 100]


PARTS = st.sampled_from(
    [GET, OK, *(piece.content for piece in TALK), b"\r\n", b"\n", b"0\r\n\r\n", b"\0", b"HTTP/1.1 100 C\r\n\r\n", b"CONNECT a HTTP/1.1\r\n\r\n"]
)
BYTES = st.lists(st.one_of(PARTS, st.binary(max_size=8)), min_size=1, max_size=4).map(b"".join)
PIECES = st.lists(
    st.builds(
        Piece,
        st.integers(0, 1),
        BYTES,
        st.sampled_from([0, 0, 0, 1, 5, 1000]),
        st.sampled_from([0, 0, 0, FIN, RST]),
        unseen=st.sampled_from([0, 0, 0, 3]),
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(PIECES, st.integers(1, 40), st.integers(0, 5))
def test_any_bytes_any_cut_any_batch(pieces: list[Piece], step: int, batch: int) -> None:
    ended: set[int] = set()
    talk = []
    for piece in numbered(pieces):
        if piece.sender not in ended:
            talk.append(piece)
            if piece.marks:
                ended.add(piece.sender)
    whole, tunnels = read(talk)
    if not any(piece.gap or piece.unseen for piece in talk):  # after a gap, heads are looked for where runs begin
        parts, same = read(cut(talk, step), batch=batch)
        assert facts(parts) == facts(whole)
        assert same == tunnels
    else:
        parts, same = read(talk, batch=batch)
        assert facts(parts) == facts(whole)
        assert same == tunnels
    http, _ = read([*talk, *(replace(say(b"", marks=OPEN), sender=s) for s in (0, 1) if s not in ended)])
    assert http.memory.arenas[0][LIVE_BYTES] == 0
    for row in facts(http):
        assert row.get("missing_bytes", 0) <= sum(piece.gap for piece in talk)
        assert row.get("response_body_bytes", 0) <= sum(len(piece.content) + piece.unseen for piece in talk)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_conversation(data: st.DataObject) -> None:
    pieces = []
    for piece in TALK:
        content = bytearray(piece.content)
        for _ in range(data.draw(st.integers(0, 3))):
            if content:
                content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        pieces.append(replace(piece, content=bytes(content)))
    whole = exchanges(*pieces)
    assert exchanges(*cut(pieces, data.draw(st.integers(1, 60)))) == whole
    assert np.all([row["index"] == k + 1 for k, row in enumerate(whole)])
