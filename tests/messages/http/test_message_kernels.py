"""What a head means for what follows it: bodies, tunnels, interim answers."""

from __future__ import annotations

import pytest

from tests.messages.http.conversation import CLIENT, SERVER, answer, exchanges, facts, read, say

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


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
        (b"Transfer-Encoding:\r\n chunked", b"4\r\nabcd\r\n0\r\n\r\n", 28, 2),
        (b"Content-Length:\r\n 4", b"abcd", 28, 1),
        (b"Content-Length: 4\r\n ", b"abcd", 28, 1),
        (b"X: a\rb\r\nContent-Length: 4", b"abcd", 27, 1),
        (b"X: a\r\r\nContent-Length: 4", b"abcd", 27, 1),
        (b"X: a\r\n b\r\nContent-Length: 4", b"abcd", None, 1),
        (b"Transfer-Encoding: chunked", b"4\nabcd\r\n0\r\n\r\n", 30, 2),
        (b"Transfer-Encoding: chunked", b"4\r\nabcd\n0\r\n\r\n", 30, 2),
        (b"Transfer-Encoding: chunked", b"4;x=\rb\nabcd\r\n0\r\n\r\n", 30, 2),
        (b"Transfer-Encoding: chunked;", b"4\r\nabcd\r\n0\r\n\r\n", 28, 2),
        (b"Transfer-Encoding: \xef\xbb\xbfchunked", b"4\r\nabcd\r\n0\r\n\r\n", 28, 2),
        (b"Transfer-Encoding: gzip, chunked", b"4\r\nabcd\r\n0\r\n\r\n", None, 2),
        (b"Transfer-Encoding: chunked", b"4 ;x\r\nabcd\r\n0\r\nX: y\n\n", None, 2),
        (b"Transfer-Encoding : chunked", b"4\nabcd\n0\n\n", 25, 2),
    ],
)
def test_response_framing(fields: bytes, body: bytes, error: int | None, framing: int) -> None:
    (row,) = exchanges(say(GET), answer(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n" + body))
    assert (row.get("error"), row["response_framing"], row["response_body_bytes"]) == (error, framing, 4)


def test_a_coding_in_http_1_0() -> None:
    (row,) = exchanges(say(GET), answer(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"))
    assert (row["error"], row["response_framing"], row["response_body_bytes"]) == (29, 3, 14)
    (row,) = exchanges(say(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"))
    assert (row["error"], row["request_body_bytes"], row["request_complete"]) == (29, 5, 1)


def test_request_with_another_coding_is_lost() -> None:
    http, _ = read([say(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n" + GET)])
    (row,) = facts(http)
    assert (row["error"], row["request_body_bytes"], http.anomalies) == (11, len(GET), {"bad_transfer_coding": 1})


def test_request_line_without_version() -> None:
    for line in (b"BREW pot", b"GET a b", b"BREW"):
        (row,) = exchanges(say(line + b"\r\nHost: a\r\n\r\n")) or [{}]
        if b" " in line:
            assert (row["error"], row["host"]) == (5, b"a")
            assert "version" not in row
        else:
            assert row == {}
