"""Fields of heads to EXCHANGE rows."""

from __future__ import annotations

import base64

import pytest

from analyzer.memory import Text
from analyzer.messages.http.http2.fields import head_of, is_forbidden, keep_request, keep_response, status_of
from analyzer.tables import new_table
from analyzer.tables.http import BROTLI, EXCHANGE, OTHER_CODING


def test_request_and_response() -> None:
    row, text = new_table(EXCHANGE, 1)[0], Text()
    text.top = 1
    user = base64.b64encode(b"user:secret")
    keep_request(
        row,
        text,
        [
            (b":method", b"PUT"),
            (b"host", b"h"),
            (b"authorization", b"Basic " + user),
            (b"via", b"a"),
            (b"via", b"b\nc"),
            (b"content-encoding", b"x"),
        ],
    )
    keep_response(
        row, text, [(b"content-encoding", b"gzip, br"), (b"content-disposition", b'attachment; filename="a b"'), (b"grpc-status", b"5")]
    )

    def word(name: str) -> bytes:
        return text.data[row[name] : row[name] + row[f"{name}_size"]].tobytes()

    assert [word(name) for name in ("method", "host", "username", "proxied")] == [b"PUT", b"h", b"user", b"VIA -> a\nVIA -> b\\x0ac"]
    assert [word(name) for name in ("content_encoding", "response_filename")] == [b"gzip, br", b"a b"]
    assert (row["request_coding"], row["response_coding"], row["grpc_status"]) == (OTHER_CODING, BROTLI, 6)
    assert b"secret" not in text.data.tobytes()


@pytest.mark.parametrize(("value", "status"), [(b"200", 200), (b"20", -1), (b"abc", -1), (b"", -1)])
def test_status(value: bytes, status: int) -> None:
    assert status_of([(b"x", b"1"), (b":status", value)]) == status
    assert status_of([(b"x", b"1")]) == 0


def test_heads_are_lines_and_cookies_are_one() -> None:
    assert (
        head_of([(b":path", b"/"), (b"cookie", b"a"), (b"x", b"1\r\n2\0"), (b"cookie", b"b")])
        == b":path: /\r\ncookie: a; b\r\nx: 1\\x0d\\x0a2\\x00\r\n"
    )


def test_forbidden_fields() -> None:
    assert not is_forbidden([(b":path", b"/"), (b"te", b"trailers")])
    assert all(is_forbidden([field]) for field in ((b"connection", b""), (b"Te", b""), (b"a", b"b\r"), (b"a\n", b"")))
