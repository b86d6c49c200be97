"""Bodies: Content-Encoding and Content-Disposition values, first bytes, and coded bodies in any cut."""

from __future__ import annotations

import gzip
import zlib

import numpy as np
import pytest

from analyzer.messages.http import content_kernels as kernels
from analyzer.tables.http import BROTLI, DEFLATE, GZIP, MEDIA_TYPES, NO_CODING, OTHER_CODING, START, ZSTD
from tests.messages.http.conversation import FIN, Piece, answer, cut, exchanges, facts, read, say

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
PAGE = b"<!DOCTYPE html><html>" + b"words and words " * 200


@pytest.mark.parametrize(
    ("value", "coding"),
    [
        (b"gzip", GZIP),
        (b"X-GZIP", GZIP),
        (b"deflate ", DEFLATE),
        (b"identity", NO_CODING),
        (b"", NO_CODING),
        (b"identity, gzip", GZIP),
        (b"gzip, br", BROTLI),
        (b"zstd", ZSTD),
        (b"gzip, compress", OTHER_CODING),
        (b"gzip,\r\n deflate", DEFLATE),
        (b"gzipped", OTHER_CODING),
    ],
)
def test_content_coding(value: bytes, coding: int) -> None:
    data = np.frombuffer(value + b"!", np.uint8)
    assert kernels.read_content_coding(data, 0, len(value), 0) == coding


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"attachment; filename=a.txt", b"a.txt"),
        (b'attachment; FileName = "a b;c.txt" ; x=y', b"a b;c.txt"),
        (b"attachment; size=3; filename=a ; z", b"a"),
        (b"attachment; filename*=UTF-8''a%20b", b"a%20b"),
        (b"filename=a", b""),
        (b"attachment; xfilename=a", b""),
        (b"attachment; filename", b""),
        (b'attachment; filename="open', b"open"),
        (b"attachment;", b""),
        (b"", b""),
    ],
)
def test_filename(value: bytes, name: bytes) -> None:
    data = np.frombuffer(value + b"!", np.uint8)
    start, stop = kernels.find_filename(data, 0, len(value))
    assert value[start:stop] == name


def reply(body: bytes, *fields: bytes, chunk: int = 0) -> Piece:
    """A response whose body ends with its length, or comes in chunks."""
    framing = b"Transfer-Encoding: chunked" if chunk else b"Content-Length: %d" % len(body)
    head = b"\r\n".join([b"HTTP/1.1 200 OK", framing, *fields, b"", b""])
    if chunk:
        parts = [body[k : k + chunk] for k in range(0, len(body), chunk)] + [b""]
        body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return answer(head + body)


def test_first_bytes_are_kept() -> None:
    (row,) = facts(read([say(GET), reply(PAGE, b'Content-Disposition: inline; filename="x"')])[0], starts=True)
    assert row["response_start"] == PAGE[:START]
    assert row["response_media"] == "text/html"
    assert row["response_filename"] == b"x"
    assert "response_coding" not in row


@pytest.mark.parametrize("chunk", [0, 1, 97])
@pytest.mark.parametrize("coded", [gzip.compress(PAGE, mtime=0), zlib.compress(PAGE), zlib.compress(PAGE)[2:-4]])
def test_coded_bodies_are_decoded_in_any_cut(coded: bytes, chunk: int) -> None:
    talk = [say(GET), reply(coded, b"Content-Encoding: " + (b"gzip" if coded[:1] == b"\x1f" else b"deflate"), chunk=chunk)]
    whole = facts(read(talk)[0], starts=True)
    assert whole[0]["response_decoded_bytes"] == len(PAGE)
    assert whole[0]["response_body_bytes"] == len(coded)
    assert whole[0]["response_start"] == PAGE[:START]
    assert whole[0]["response_media"] == "text/html"
    for step, batch in ((1, 7), (11, 1), (50, 3)):
        assert facts(read(cut(talk, step), batch=batch)[0], starts=True) == whole


def test_bodies_of_many_connections_are_not_mixed() -> None:
    pages = [PAGE * (k + 1) for k in range(3)]
    talks = [cut([reply(gzip.compress(page), b"Content-Encoding: gzip")], 20) for page in pages]
    pieces = [
        Piece(1, part.content, connection=k)
        for parts in zip(*(talk[:5] + talk[5:] for talk in talks), strict=False)
        for k, part in enumerate(parts)
    ]
    rest = [Piece(1, part.content, connection=k) for k, talk in enumerate(talks) for part in talk[min(map(len, talks)) :]]
    http, _ = read(pieces + rest, connections=3, batch=4)
    assert [row["response_decoded_bytes"] for row in facts(http, [0, 1, 2])] == [len(page) for page in pages]


def test_what_is_not_coded_as_named_is_noted() -> None:
    (row,) = exchanges(say(GET), reply(b"no gzip at all", b"Content-Encoding: gzip"))
    assert row["error"] == 19
    assert "response_decoded_bytes" not in row
    (row,) = exchanges(say(GET), reply(b"whatever", b"Content-Encoding: compress"))
    assert "error" not in row


def test_nothing_is_decoded_after_a_gap() -> None:
    coded = gzip.compress(PAGE, mtime=0)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
    (row,) = facts(read([say(GET), answer(head + coded[:40]), answer(coded[50:], gap=10, marks=FIN)])[0], starts=True)
    assert row["missing_bytes"] == 10
    assert row["response_decoded_bytes"] < len(PAGE)


def test_request_bodies_likewise() -> None:
    coded = gzip.compress(b'{"a": 1}')
    head = b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(coded)
    (row,) = facts(read([say(head + coded)])[0], starts=True)
    assert (row["request_decoded_bytes"], row["request_media"], row["request_start"]) == (8, "text/json", b'{"a": 1}')
    assert MEDIA_TYPES[0] == ""
