"""Chunked bodies: sizes, ends, trailers, and what is no chunk."""

from __future__ import annotations

import pytest

from tests.messages.http.conversation import FIN, answer, cut, exchanges, say

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.parametrize(
    ("chunks", "error"),
    [
        (b"-1\r\nab", 12),
        (b"+1\r\n", 12),
        (b"zz\r\n", 12),
        (b"\r\n", 12),
        (b";ext\r\n", 12),
        (b"0x4\r\nabcd", 12),
        (b"4 \t;x\r\nabcd!", 13),
        (b"8000000000000000\r\n", 12),
        (b"7fffffffffffffff\r\nabc", None),
        (b"ffffffffffffffffffffffff\r\n", 12),
        (b"1\r\na\rb", 13),
        (b"1;" + b"x" * 20_000, 12),
    ],
)
def test_bad_chunks_lose_the_stream(chunks: bytes, error: int | None) -> None:
    told = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    (row,) = exchanges(say(GET), answer(told), answer(OK, marks=FIN))
    assert row.get("error") == error
    assert "response_complete" not in row
    (again,) = exchanges(*cut([say(GET), answer(told), answer(OK, marks=FIN)], 1 if len(told) < 1000 else 97))
    assert again == row
    assert row.get("response_body_bytes", 0) == (len(OK) + 3 if error is None else 4 if error == 13 and b"abcd" in chunks else error == 13)


@pytest.mark.parametrize("trailers", [b"", b"X-Sum: 1\r\n", b"A: b\nX-Sum: 1\r\n fold\r\n"])
def test_trailers_are_kept_with_their_head(trailers: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    asked = (
        GET.replace(b"GET", b"PUT").replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        + b"1\r\na\r\n0\r\n"
        + trailers
        + b"\r\n"
    )
    talk = [say(asked), answer(head + b"2\r\nab\r\n0\r\n" + trailers + b"\r\n"), answer(OK)]
    for pieces in (talk, cut(talk, 1), cut(talk, 3), cut(talk, 7)):
        for batch in (0, 1, 5):
            row = exchanges(*pieces, batch=batch, keep_heads=True)[0]
            assert row["request_head"].rstrip() == asked.partition(b"1\r\na")[0].rstrip() + b"\r\n\r\n" * bool(trailers) + trailers.rstrip()
            assert row["response_head"].rstrip() == head.rstrip() + b"\r\n\r\n" * bool(trailers) + trailers.rstrip()
            assert (row["response_body_bytes"], row["response_complete"], row["request_complete"]) == (2, 1, 1)
    assert "response_head" not in exchanges(*talk)[0]


def test_gap_in_chunks() -> None:
    told = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
    (row,) = exchanges(say(GET), answer(told), answer(b"e\r\n0\r\n\r\n", gap=2))
    assert (row["response_body_bytes"], row["missing_bytes"], row["response_complete"]) == (3, 2, 1)
    (row,) = exchanges(say(GET), answer(told), answer(b"\r\n0\r\n\r\n", gap=3))
    assert (row["missing_bytes"], row["response_complete"]) == (3, 1)
    first, second = exchanges(say(GET + GET), answer(told), answer(b"xx", gap=9), answer(OK))
    assert (first["error"], first["missing_bytes"]) == (15, 3)
    assert "response_complete" not in first
    assert second["status"] == 200
