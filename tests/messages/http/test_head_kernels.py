"""Start lines and lines of a head as they come on the wire."""

from __future__ import annotations

import pytest

from analyzer.options import Limits
from tests.messages.http.conversation import answer, exchanges, facts, read, say

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


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


def test_too_many_fields() -> None:
    http, _ = read([say(b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % k for k in range(10_000)) + b"Host: late\r\n\r\n" + GET)])
    first, second = facts(http)
    assert first["error"] == 4
    assert "host" not in first
    assert second["host"] == b"a"
    head = b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 4 + b"Host: x\r\n\r\n"
    assert exchanges(say(head), limits=Limits(head_fields=5))[0].get("error") is None
    assert exchanges(say(head), limits=Limits(head_fields=4))[0]["error"] == 4


def test_zeros_and_bytes_that_are_no_text_stay() -> None:
    (row,) = exchanges(say(b"GET /\xff\x00 HTTP/1.1\r\nHost: \x00\xfe\r\nno colon\r\n\r\n"))
    assert (row["target"], row["host"], row["error"]) == (b"/\xff\x00", b"\x00\xfe", 27)
