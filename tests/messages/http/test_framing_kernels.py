"""Framing: whatever the cut, the same messages; the rules of RFC 9112 6.3 one by one; gaps and garbage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.memory import LIVE_BYTES
from tests.messages.http.conversation import FIN, OPEN, RST, Piece, answer, cut, exchanges, facts, numbered, read, say

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

TALK = [
    say(
        b"\r\nPOST /form?a=b HTTP/1.1\r\nHost: example.org:8080\r\nUSER-AGENT:  probe/1.0 \r\nExpect: 100-continue\r\n"
        b"Authorization: Basic dXNlcjpzZWNyZXQ=\r\nVia: 1.1 one\r\nReferer: http://a/\r\n\tb\r\nX-Forwarded-For: 10.0.0.9\r\n"
        b"Transfer-Encoding: gzip, Chunked\r\n\r\n"
    ),
    answer(b"HTTP/1.1 100 Continue\r\n\r\n"),
    say(
        b'4;name="a b"\r\nWiki\r\n00a \r\n0123456789\r\n0\r\nTrailer: x\r\nMore: y\r\n\r\nHEAD /h HTTP/1.0\nHost: b\n\n'
        b"GET /e HTTP/1.1\r\n\r\n"
    ),
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
    assert "response_body_bytes" not in head
    assert head["response_complete"] == 1
    assert (cached["status"], cached["response_complete"]) == (304, 1)
    assert "response_body_bytes" not in cached
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


def test_gap_between_answers_gives_the_next_to_the_newest_request() -> None:
    http, _ = read([say(GET), say(GET.replace(b"/", b"/2", 1)), answer(OK, gap=60)])
    first, second = facts(http)
    assert "status" not in first
    assert (second["status"], second["error"]) == (200, 16)


def test_unkept_bytes_are_a_body_or_a_gap() -> None:
    (row,) = exchanges(say(GET), answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", unseen=10))
    assert (row["response_body_bytes"], row["response_complete"]) == (10, 1)
    assert "missing_bytes" not in row
    first, second = exchanges(say(GET), answer(OK, unseen=50), say(GET), answer(OK))
    assert (first["status"], second["status"]) == (200, 200)
    (row,) = exchanges(say(b"GET / HTTP/1.1\r\nHost: a\r\nX", unseen=20))
    assert (row["error"], row["host"]) == (2, b"a")


def test_wishes_name_the_end_of_a_body() -> None:
    http, _ = read([say(GET), answer(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + bytes(200))])
    assert list(http.streams.skip_until[:2]) == [0, len(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n") + 900]


def test_the_start_of_a_body_and_coded_bodies_are_wanted() -> None:
    http, _ = read([say(GET), answer(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nabc")])
    assert http.streams.skip_until[1] == 0
    http, _ = read([say(GET), answer(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 900\r\n\r\n" + bytes(200))])
    assert http.streams.skip_until[1] == 0


PARTS = st.sampled_from(
    [
        GET,
        OK,
        *(piece.content for piece in TALK),
        b"\r\n",
        b"\n",
        b"0\r\n\r\n",
        b"\0",
        b"HTTP/1.1 100 C\r\n\r\n",
        b"CONNECT a HTTP/1.1\r\n\r\n",
    ]
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
        assert facts(parts, starts=True) == facts(whole, starts=True)
        assert same == tunnels
    else:
        parts, same = read(talk, batch=batch)
        assert facts(parts, starts=True) == facts(whole, starts=True)
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
