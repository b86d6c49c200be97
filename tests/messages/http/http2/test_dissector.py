"""HTTP/2 conversations to exchanges: every shape, in any cut and any batches."""

from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.options import Limits
from analyzer.tables.http import MEDIA_TYPES
from tests.messages.http.http2.talk import (
    CLIENT,
    END_HEADERS,
    PADDED,
    PREFACE,
    PRIORITY,
    SERVER,
    Sender,
    data,
    exchanges,
    facts,
    frame,
    read,
)
from tests.messages.http.http2.talk import settings as told


def conversation() -> list[Any]:
    """Two requests at once, a body each way, padding, priority, CONTINUATION, 103, trailers, a push, a reset, a GOAWAY."""
    c, s = Sender(), Sender()
    long = c.block(
        (":method", "POST"), (":path", "/a.B/Do"), (":authority", "h"), ("content-type", "application/grpc+proto"), ("te", "trailers")
    )
    push = s.block((":method", "GET"), (":path", "/style.css"), (":authority", "h"))
    return [
        (SERVER, told((3, 100), (4, 1000))),
        (CLIENT, PREFACE + told((2, 1), (4, 65535))),
        (SERVER, told(ack=True)),
        (CLIENT, c.get(1, "/one", ("cookie", "a=1"), ("cookie", "b=2"), ("user-agent", "ua"))),
        (CLIENT, frame(1, PADDED | PRIORITY, 3, b"\x02" + bytes(5) + long[:7] + b"\0\0")),
        (CLIENT, frame(9, 0, 3, long[7:9]) + frame(9, END_HEADERS, 3, long[9:])),
        (CLIENT, data(3, b"x" * 600, pad=9)),
        (CLIENT, data(3, b"y" * 390)),  # 1000 bytes with padding and its length: the window of the stream is used up
        (SERVER, frame(5, END_HEADERS, 1, (2).to_bytes(4, "big") + push)),
        (SERVER, s.status(1, 103, ("link", "</style.css>")) + s.status(1, 200, ("content-type", "text/html"), ("server", "s"))),
        (SERVER, data(1, b"<html>") + s.status(2, 200, end=True)),
        (SERVER, frame(8, 0, 3, (500).to_bytes(4, "big"))),
        (CLIENT, data(3, b"z" * 10, end=True)),
        (SERVER, data(1, b"</html>", end=True)),
        (SERVER, s.status(3, 200, ("content-type", "application/grpc+proto")) + data(3, b"reply")),
        (SERVER, s.headers(3, ("grpc-status", "13"), ("grpc-message", "no"), end=True)),
        (CLIENT, c.get(5, "/two")),
        (SERVER, frame(6, 0, 0, bytes(8))),
        (SERVER, frame(3, 0, 5, (7).to_bytes(4, "big"))),
        (SERVER, frame(7, 0, 0, (5).to_bytes(4, "big") + (11).to_bytes(4, "big") + b"calm")),
    ]


def test_one_conversation() -> None:
    h2 = read(conversation(), heads=True)
    one, three, pushed, five = facts(h2)
    assert (one["stream"], one["method"], one["target"], one["host"], one["user_agent"]) == (2, b"GET", b"/one", b"h.example", b"ua")
    assert (one["status"], one["info_status"], one["response_body_bytes"], one["version"]) == (200, 103, 13, 20)
    assert (one["request_complete"], one["response_complete"], one["index"]) == (1, 1, 1)
    assert (one["request_first_number"], one["response_first_number"], one["response_last_number"]) == (4, 10, 14)
    assert one["request_head"].endswith(b":path: /one\r\ncookie: a=1; b=2\r\nuser-agent: ua\r\n")
    assert (three["method"], three["target"], three["request_body_bytes"], three["grpc_status"]) == (b"POST", b"/a.B/Do", 1000, 14)
    assert (three["request_first_number"], three["request_last_number"], three["response_last_number"]) == (5, 13, 16)
    assert three["stall_ns"] == 40  # from frame 8 to frame 12
    assert three["response_head"] == (b":status: 200\r\ncontent-type: application/grpc+proto\r\ngrpc-status: 13\r\ngrpc-message: no\r\n")
    assert (pushed["is_pushed"], pushed["target"], pushed["status"], pushed["stream"]) == (1, b"/style.css", 200, 3)
    assert (five["reset_by"], five["reset_code"], five["stream"], "has_response" in five) == (2, 7, 6, False)
    (link,) = h2.take(np.array([0]))[1]
    assert (link.client, link.is_partial, link.streams, link.pushes, link.resets, link.pings) == (CLIENT, 0, 4, 1, 1, 1)
    assert link.settings[SERVER].tolist() == [0, 0, 0, 101, 1001, 0, 0, 0, 0, 0]
    assert (link.goaway_code[SERVER], link.goaway_stream[SERVER], link.goaway_number[SERVER]) == (12, 5, 20)
    assert link.stall_ns.tolist() == [0, 0]


@settings(max_examples=20)
@given(st.integers(1, 60), st.integers(0, 7))
def test_cuts_and_batches_change_nothing(cut: int, batch: int) -> None:
    assert exchanges(*conversation(), cut=cut, batch=batch) == exchanges(*conversation())


def test_a_late_start_leaves_unknown_fields_unknown() -> None:
    c, s = Sender(), Sender()
    first = [(CLIENT, c.get(1, "/first", ("x-token", "abc"))), (SERVER, s.status(1, 200, ("server", "s1"), end=True))]
    assert first  # never seen: the tables have their entries
    found = exchanges(
        (CLIENT, c.get(3, "/second", ("x-token", "abc"), ("x-new", "n"))),
        (SERVER, s.status(3, 404, ("server", "s1"), end=True)),
        heads=True,
    )
    (x,) = found
    assert (x["method"], x["target"], x["status"]) == (b"GET", b"/second", 404)
    assert b":unknown-index-64: \r\n:path: /second\r\n:unknown-index-63: \r\n" in x["request_head"]
    assert b"x-new: n\r\n" in x["request_head"]
    assert "server" not in x
    assert x["error"] == "none"


def test_bytes_missing_in_a_body_are_counted_and_elsewhere_the_next_frame_is_found() -> None:
    c, s = Sender(), Sender()
    pieces = [
        (CLIENT, PREFACE + told()),
        (CLIENT, c.get(1, "/a")),
        (SERVER, told() + s.status(1, 200) + data(1, bytes(50))[:19]),
        (SERVER, bytes(10), 30),  # the rest of the body
        (CLIENT, c.get(3, "/b")),
        (SERVER, s.status(3, 200, end=True), 5),  # its frame begins a run
        (SERVER, data(1, b"", end=True)),
    ]
    a, b = exchanges(*pieces)
    assert (a["response_body_bytes"], a["missing_bytes"], a["response_complete"]) == (20, 30, 1)
    assert (b["status"], b["response_complete"]) == (200, 1)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (frame(1, END_HEADERS | 1, 3, b"\x82\xff\xff\xff\xff\xff\xff"), "bad_field_block"),
        (frame(1, END_HEADERS | 1, 3, b"\x82\x00\x05ab"), "bad_field_block"),
        (frame(1, END_HEADERS | 1, 3, b"\x82\x00\x02TE\x01a"), "forbidden_field"),
        (frame(1, END_HEADERS | 1, 3, b"\x82\x00\x02ab\x03x\r\n"), "forbidden_field"),
        (frame(1, END_HEADERS | 1, 3, b"\x82\x00\x11transfer-encoding\x07chunked"), "forbidden_field"),
    ],
)
def test_bad_header_blocks(wrong: bytes, error: str) -> None:
    x = exchanges((CLIENT, PREFACE + told() + wrong))[0]
    assert (x["method"], x["error"]) == (b"GET", error)


def test_bad_frames_are_counted() -> None:
    wrong = [
        frame(4, 0, 0, bytes(5)),
        frame(7, 0, 0, bytes(3)),
        frame(9, 4, 1, b"x"),
        frame(1, PADDED, 1, b"\x50abc"),
        frame(3, 0, 1, b"x"),
    ]
    h2 = read([(CLIENT, PREFACE + told() + b"".join(wrong))])
    assert h2.anomalies == {"bad_frame": 5}
    assert h2.take(np.array([0]))[1]["error_number"].tolist() == [1]


def test_a_header_block_over_the_limit_is_not_read_and_the_stream_goes_on() -> None:
    c, s = Sender(), Sender()
    many = [(f"x-{k}", "v" * 50) for k in range(40)]
    limits = Limits(head_bytes=600)
    pieces = [
        (CLIENT, PREFACE + told() + c.get(1, "/a", *many)),
        (CLIENT, frame(1, 1, 3, c.block((":method", "GET"))) + frame(9, 0, 3, bytes(500)) + frame(9, END_HEADERS, 3, bytes(500))),
        (SERVER, told() + s.status(1, 200, end=True)),
    ]
    a, b = exchanges(*pieces, limits=limits)
    assert (a["error"], a["status"]) == ("head_too_large", 200)
    assert b["error"] == "head_too_large"


def test_streams_beyond_the_limit_push_the_oldest_out() -> None:
    c = Sender()
    h2 = read([(CLIENT, PREFACE + told() + c.get(1) + c.get(3) + c.get(5))], limits=Limits(http2_streams=2))
    assert [x["error"] for x in facts(h2)] == ["too_many_streams", "none", "none"]


def test_bodies_are_decoded() -> None:
    c, s = Sender(), Sender()
    page = b"<html>" + bytes(5000)
    coded = gzip.compress(page)
    pieces = [
        (CLIENT, PREFACE + told() + c.get(1, end=False, method="POST") + data(1, b'{"a": 1}', end=True)),
        (SERVER, told() + s.status(1, 200, ("content-encoding", "gzip")) + data(1, coded[:30]) + data(1, coded[30:], end=True)),
    ]
    for batch in (0, 1):
        (x,) = exchanges(*pieces, batch=batch, decode=True)
        assert (x["response_decoded_bytes"], x["response_body_bytes"]) == (len(page), len(coded))
        assert (MEDIA_TYPES[x["response_media"]], MEDIA_TYPES[x["request_media"]]) == ("text/html", "text/json")


def test_what_leaves_is_forgotten() -> None:
    h2 = read(conversation())
    h2.release(np.array([0]))
    assert facts(h2) == []
    assert h2._used == 0
    assert not h2._directions.view(np.uint8).any()


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=60), st.sampled_from([0, 0, 3])), max_size=8),
    st.integers(0, 400),
    st.binary(max_size=9),
)
def test_any_bytes_end(pieces: list[tuple[int, bytes, int]], at: int, other: bytes) -> None:
    whole = b"".join(piece[1] for piece in conversation() if piece[0] == CLIENT)
    mutated = whole[:at] + other + whole[at + len(other) :]
    exchanges((CLIENT, mutated), *pieces, cut=7)
