"""What a body is by its first bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.http.media_kernels import tell_media
from analyzer.tables import new_table
from analyzer.tables.http import EXCHANGE, MEDIA_TYPES


def media(body: bytes) -> str:
    """The media type of a response body."""
    row = new_table(EXCHANGE, 1)
    row.response_start, row.response_start_have = 5, len(body)
    tell_media(np.frombuffer(b"\xff" * 5 + body + b"<html", np.uint8), row)
    assert row.request_media[0] == 0
    return MEDIA_TYPES[row.response_media[0]]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"<!doctype HTML>", "text/html"),
        (b"\xef\xbb\xbf \r\n<!-- a --> <!-- b -->\n<HTML>", "text/html"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC', "text/html"),
        (b'<?xml version="1.0"?>\n<feed>', "application/xml"),
        (b'<?xml version="1.0"', "application/xml"),
        (b"<svg xmlns=", "image/svg+xml"),
        (b'{"a":1}', "text/json"),
        (b"[1, 2]", "text/json"),
        (b" [\n]", "text/json"),
        (b"{body: 1px; }", "text/plain"),
        (b"plain words", "text/plain"),
        (b"<!-- open comment", "text/plain"),
        (b"short", ""),
        (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", ""),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF1234WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        (b"MZ\x90\x00", "application/x-dosexec"),
        (b"\x1f\x8b\x08", "application/x-gzip"),
        (b"", ""),
    ],
)
def test_media(body: bytes, name: str) -> None:
    assert media(body) == name


@settings(max_examples=60)
@given(st.binary(max_size=130))
def test_anything_is_something(body: bytes) -> None:
    assert media(body) in MEDIA_TYPES
