# mypy: allow-untyped-defs
"""What is a body? Told by its first bytes (EXCHANGE.request_start, .response_start), never by its Content-Type: index into MEDIA_TYPES.

Signatures of binary formats first (bytes at a place), then markup after blanks and comments, then text: printable first bytes.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel
from analyzer.tables.http import MEDIA_TYPES

TEXT_PLAIN, TEXT_HTML, TEXT_JSON, XML = (MEDIA_TYPES.index(name) for name in ("text/plain", "text/html", "text/json", "application/xml"))
PLAIN_BYTES = 10  # first bytes that must be printable

# (media type, place, bytes; "?" is any byte): of equal places the first that fits
_SIGNATURES = (
    ("image/jpeg", 0, b"\xff\xd8\xff"), ("image/png", 0, b"\x89PNG\r\n\x1a\n"), ("image/gif", 0, b"GIF8"), ("image/tiff", 0, b"II*\0"),
    ("image/tiff", 0, b"MM\0*"), ("image/webp", 0, b"RIFF????WEBP"), ("audio/x-wav", 0, b"RIFF????WAVE"),
    ("video/x-msvideo", 0, b"RIFF????AVI "), ("image/x-icon", 0, b"\0\0\1\0"), ("application/pdf", 0, b"%PDF-"),
    ("application/postscript", 0, b"%!PS"), ("application/zip", 0, b"PK\3\4"), ("application/zip", 0, b"PK\5\6"),
    ("application/x-gzip", 0, b"\x1f\x8b"), ("application/x-bzip2", 0, b"BZh"), ("application/x-xz", 0, b"\xfd7zXZ\0"),
    ("application/x-lzma", 0, b"\x5d\0\0"), ("application/x-7z-compressed", 0, b"7z\xbc\xaf\x27\x1c"), ("application/x-rar", 0, b"Rar!"),
    ("application/zstd", 0, b"\x28\xb5\x2f\xfd"), ("application/vnd.ms-cab-compressed", 0, b"MSCF\0\0\0\0"),
    ("application/x-dosexec", 0, b"MZ"), ("application/x-elf", 0, b"\x7fELF"), ("application/x-java-applet", 0, b"\xca\xfe\xba\xbe"),
    ("application/msword", 0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), ("application/x-shockwave-flash", 0, b"FWS"),
    ("application/x-shockwave-flash", 0, b"CWS"), ("application/wasm", 0, b"\0asm"), ("video/quicktime", 4, b"ftypqt"),
    ("video/mp4", 4, b"ftyp"), ("video/quicktime", 4, b"moov"), ("video/webm", 0, b"\x1aE\xdf\xa3????????????????????????webm"),
    ("video/x-matroska", 0, b"\x1aE\xdf\xa3"), ("video/x-flv", 0, b"FLV\1"), ("video/mpeg", 0, b"\0\0\1\xba"),
    ("video/mpeg", 0, b"\0\0\1\xb3"), ("audio/mpeg", 0, b"ID3"), ("audio/mpeg", 0, b"\xff\xfb"), ("audio/ogg", 0, b"OggS"),
    ("audio/x-flac", 0, b"fLaC"), ("font/woff", 0, b"wOFF"), ("font/woff2", 0, b"wOF2"), ("image/x-ms-bmp", 0, b"BM????\0\0\0\0"),
    ("text/rtf", 0, b"{\\rtf"), ("text/x-shellscript", 0, b"#!/bin/sh"), ("text/x-shellscript", 0, b"#!/bin/bash"),
    # OCSP in DER (RFC 6960 4): a request is lists down to a hash algorithm, a response begins with a status of one byte
    ("application/ocsp-request", 0, b"0?0?0?0?0?0?\x06\x05+\x0e\x03\x02\x1a"), ("application/ocsp-response", 0, b"0\x03\x0a\x01"),
    ("application/ocsp-response", 0, b"0\x82??\x0a\x01"), ("application/ocsp-response", 0, b"0\x81?\x0a\x01"),
)  # fmt: skip
# words that begin markup or scripts, in lower case, after blanks (and comments for markup)
_WORDS = (
    ("text/html", b"<!doctype html"), ("text/html", b"<html"), ("text/html", b"<head"), ("text/html", b"<title"), ("text/html", b"<body"),
    ("text/html", b"<meta"), ("text/html", b"<h1"), ("text/html", b"<a href"), ("text/html", b"<table"),
    ("text/html", b"<script"), ("image/svg+xml", b"<svg"),
    ("image/svg+xml", b"<!doctype svg"), ("application/soap+xml", b"<soap"),
)  # fmt: skip


def _packed(entries: tuple[tuple[str, int, bytes], ...]) -> tuple[np.ndarray, ...]:
    """Media types, places, bytes one after the other, and where each begins (one more than entries)."""
    content = b"".join(pattern for _, _, pattern in entries)
    ends = np.cumsum([0] + [len(pattern) for _, _, pattern in entries])
    kinds = np.array([MEDIA_TYPES.index(name) for name, _, _ in entries], np.int64)
    return kinds, np.array([place for _, place, _ in entries], np.int64), np.frombuffer(content, np.uint8), ends.astype(np.int64)


_KINDS, _PLACES, _BYTES, _STARTS = _packed(_SIGNATURES)
_WORD_KINDS, _, _WORD_BYTES, _WORD_STARTS = _packed(tuple((name, 0, word) for name, word in _WORDS))


@helper
def is_pattern(text, at, end, k):
    """Whether signature ``k`` fits."""
    at += _PLACES[k]
    if at + _STARTS[k + 1] - _STARTS[k] > end:
        return False
    for i in range(_STARTS[k], _STARTS[k + 1]):
        if _BYTES[i] != 63 and text[at] != _BYTES[i]:
            return False
        at += 1
    return True


@helper
def is_markup(text, at, end, k):
    """Whether word ``k`` of markup stands here, in any case."""
    if at + _WORD_STARTS[k + 1] - _WORD_STARTS[k] > end:
        return False
    for i in range(_WORD_STARTS[k], _WORD_STARTS[k + 1]):
        byte = np.int64(text[at])
        if 65 <= byte <= 90:
            byte += 32
        if byte != _WORD_BYTES[i]:
            return False
        at += 1
    return True


@helper
def skip_space(text, at, end):
    """First position that is not white space."""
    while at < end and (text[at] == 32 or 9 <= text[at] <= 13):
        at += 1
    return at


@helper
def skip_comments(text, at, end):
    """Behind ``<!-- ... -->``, an XML declaration and the blanks around them; ``end`` when a comment does not end."""
    if at + 2 <= end and text[at + 1] == 63:
        start = at
        while at < end and text[at] != 62:
            at += 1
        at = skip_space(text, at + 1, end)
        if at >= end or text[at] != 60:
            return start
    while at + 4 <= end and text[at] == 60 and text[at + 1] == 33 and text[at + 2] == 45 and text[at + 3] == 45:
        at += 4
        while at + 3 <= end and not (text[at] == 45 and text[at + 1] == 45 and text[at + 2] == 62):
            at += 1
        at = skip_space(text, at + 3, end)
    return min(at, end)


@helper
def is_json(text, at, end):
    """``{`` or ``[`` and then what can follow in JSON (RFC 8259 2): a string, a number, a literal, a list or its end."""
    first = text[at]
    if first != 123 and first != 91:
        return False
    at = skip_space(text, at + 1, end)
    if at == end:
        return False
    byte = np.int64(text[at])
    if first == 123:
        return byte == 34 or byte == 125
    return byte in (34, 45, 91, 93, 123, 102, 110, 116) or 48 <= byte <= 57


@helper
def tell_text(text, at, end):
    """Markup, JSON or plain text by the first bytes, 0 = none."""
    if at + 3 <= end and text[at] == 0xEF and text[at + 1] == 0xBB and text[at + 2] == 0xBF:
        at += 3
    first = skip_space(text, at, end)
    if first < end:
        if text[first] == 60:
            word = skip_comments(text, first, end)
            for k in range(_WORD_KINDS.size):
                if is_markup(text, word, end, k):
                    return _WORD_KINDS[k]
            if text[first + 1 if first + 1 < end else first] == 63:
                return np.int64(XML)
        elif is_json(text, first, end):
            return np.int64(TEXT_JSON)
    if end - at < PLAIN_BYTES:
        return np.int64(0)
    for k in range(at, at + PLAIN_BYTES):
        if not (32 <= text[k] <= 126 or 9 <= text[k] <= 13):
            return np.int64(0)
    return np.int64(TEXT_PLAIN)


@helper
def tell(text, at, end):
    """Index into MEDIA_TYPES, 0 = unknown."""
    if at == end:
        return np.int64(0)
    for k in range(_KINDS.size):
        if is_pattern(text, at, end, k):
            return _KINDS[k]
    return tell_text(text, at, end)


@kernel
def tell_media(text, exchanges):
    """Set request_media and response_media of EXCHANGE rows."""
    for i in range(exchanges.size):
        row = exchanges[i]
        if row.request_start_have > 0:
            row.request_media = tell(text, np.int64(row.request_start), np.int64(row.request_start) + np.int64(row.request_start_have))
        if row.response_start_have > 0:
            row.response_media = tell(text, np.int64(row.response_start), np.int64(row.response_start) + np.int64(row.response_start_have))
