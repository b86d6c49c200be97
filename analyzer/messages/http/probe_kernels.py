# mypy: allow-untyped-defs
"""Is this HTTP? Answered from the first bytes of one direction, strictly enough not to claim SMTP, FTP, SSH, RTSP or SIP."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper

METHOD_LIMIT = 24  # letters; the longest registered method is UPDATEREDIRECTREF (IANA HTTP methods)
LINE_LIMIT = 8192  # bytes of a request line that are looked at; RFC 9112 3 recommends that 8000 be supported

_RESPONSE = np.frombuffer(b"HTTP/", np.uint8)
_ICY = np.frombuffer(b"ICY ", np.uint8)  # SHOUTcast's status line
_PREFACE = np.frombuffer(b"PRI * HTTP/2.0\r\n", np.uint8)  # RFC 9113 3.4
_GET = np.frombuffer(b"GET ", np.uint8)


@helper
def begins_with(data, at, end, word):
    """1: the bytes begin with ``word``; 0: they do not; -1: they end inside it."""
    for k in range(word.size):
        if at + k >= end:
            return -1
        if data[at + k] != word[k]:
            return 0
    return 1


@helper
def looks_like_http(data, at, end):
    """1: HTTP/0.9 or 1.x in either direction; 2: what an end of HTTP/2 begins with; 0: neither; -1: too few bytes to say."""
    for _ in range(4):  # empty lines before a request (RFC 9112 2.2)
        if at < end and (data[at] == 13 or data[at] == 10):
            at += 1
    preface = begins_with(data, at, end, _PREFACE)
    settings = begins_with_settings(data, at, end)
    if preface == 1 or settings == 1:
        return 2
    response = looks_like_response(data, at, end)
    if response == 1:
        return 1
    request = looks_like_request(data, at, end)
    if request == 1 or (request == 0 and response == 0):
        return request if preface == 0 and settings == 0 else -1
    return -1


@helper
def begins_with_settings(data, at, end):
    """1: the SETTINGS frame that a server of HTTP/2 begins with (RFC 9113 3.4), first setting known; 0: no; -1: too few bytes."""
    if at < end and data[at] != 0:
        return 0
    for k in range(9):
        if at + k >= end:
            return -1 if k > 0 else 0
        if k != 2 and data[at + k] != (4 if k == 3 else 0):
            return 0
    length = np.int64(data[at + 2])
    if length % 6 or length > 120:
        return 0
    if length == 0:
        return 1
    if at + 11 > end:
        return -1
    return 1 if data[at + 9] == 0 and 1 <= data[at + 10] <= 9 else 0


@helper
def looks_like_response(data, at, end):
    """1: ``HTTP/1.`` or ``HTTP/0.`` (or ``ICY ddd``); 0: no; -1: too few bytes to say."""
    found = begins_with(data, at, end, _RESPONSE)
    if found == 1:
        if at + 7 > end:
            return -1
        return 1 if (data[at + 5] == 48 or data[at + 5] == 49) and data[at + 6] == 46 else 0
    if found == 0:
        found = begins_with(data, at, end, _ICY)
        if found == 1:
            if at + 5 > end:
                return -1
            return 1 if 49 <= data[at + 4] <= 53 else 0
    return found


@helper
def looks_like_request(data, at, end):
    """1: ``METHOD target HTTP/0.`` or ``HTTP/1.``, or the ``GET /target`` of HTTP/0.9; 0: no; -1: too few bytes to say."""
    start = at
    while at < end and at - start <= METHOD_LIMIT and (65 <= data[at] <= 90 or data[at] == 45 or data[at] == 95):
        at += 1
    if at == end and at - start <= METHOD_LIMIT:
        return -1
    if at in (start, end) or data[at] != 32:
        return 0
    stop = min(end, start + LINE_LIMIT)
    target = at + 1
    word = target  # where the last word of the line begins
    at = target
    while at < stop and data[at] != 10:
        byte = np.int64(data[at])
        if byte == 32:
            word = at + 1
        elif byte < 32 and byte != 13 and byte != 9:
            return 0
        at += 1
    version = begins_with(data, word, at, _RESPONSE) if word > target else 0
    if version == 1 and word + 6 <= at:
        return 1 if data[word + 5] == 48 or data[word + 5] == 49 else 0
    if at == stop and stop == end and end - start < LINE_LIMIT:
        return -1  # the line goes on
    is_get = begins_with(data, start, end, _GET) == 1 and target < stop and data[target] == 47
    if at == stop:
        return 1 if is_get else 0
    return 1 if is_get and word == target else 0
