# mypy: allow-untyped-defs
"""Pieces of the framing kernel that write what a head says into its EXCHANGE row and the text."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.messages.http.content_kernels import find_filename, read_content_coding
from analyzer.messages.http.head_kernels import (
    ALT_SVC,
    AUTHORIZATION,
    BAD_FIELDS,
    CONTENT_CODING,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    DISPOSITION,
    FETCH,
    FOLDS,
    HOST,
    HOSTS,
    LINES,
    LOCATION,
    ODD_NAMES,
    ORIGIN,
    PROXIED,
    PROXY,
    REFERER,
    SERVER,
    TRANSFER_ENCODING,
    UPGRADE,
    USER_AGENT,
    copy_user,
    copy_value,
    is_word,
    name_kind,
    read_coding,
    read_length,
    trim,
)

DOCUMENT = np.frombuffer(b"document", np.uint8)


@helper
def line_count(lines, facts):
    """Lines of the head whose starts are known (a head of too many lines has more)."""
    return min(facts[LINES], lines.size - 1)


@helper
def field_end(data, lines, i, n):
    """The line after the field of line ``i``: lines that begin with a blank are folds of it (RFC 9112 5.2)."""
    i += 1
    while i < n and (data[lines[i]] == 32 or data[lines[i]] == 9):
        i += 1
    return i


@helper
def find_colon(data, at, end):
    """Position of the first colon of a field, else ``end``; it may stand on a fold, as evasions have it."""
    while at < end and data[at] != 58:
        at += 1
    return at


@helper
def value_start(data, at, end):
    """Where a value begins: blanks and folds before it are left out."""
    while at < end and (data[at] == 32 or data[at] == 9 or data[at] == 13 or data[at] == 10):
        at += 1
    return at


@helper
def read_fields(data, lines, facts, row, is_response, text, top):
    """Every field of the head: framing to ``facts``, kept values to the text and the row (the last of a repeated field); the new top."""
    n = line_count(lines, facts)
    i = 1
    while i < n:
        at, first = lines[i], i
        i = field_end(data, lines, i, n)
        end = trim(data, at, lines[i])
        colon = find_colon(data, at, end)
        if colon == end or (first == 1 and (data[at] == 32 or data[at] == 9)):
            if end > at and data[end - 1] != 58:
                facts[BAD_FIELDS] += 1
            continue
        name_stop = trim(data, at, colon)
        if name_stop != colon:
            facts[ODD_NAMES] += 1
        kind = name_kind(data, at, name_stop)
        if kind == 0:
            continue
        if kind == HOST:
            facts[HOSTS] += 1
        at = value_start(data, colon + 1, end)
        if kind == CONTENT_ENCODING:
            facts[CONTENT_CODING] = read_content_coding(data, at, end, facts[CONTENT_CODING])
        elif kind == DISPOSITION:
            at, end = find_filename(data, at, end)
        if kind in (CONTENT_LENGTH, TRANSFER_ENCODING):
            facts[FOLDS] += i - first - 1
        if kind == CONTENT_LENGTH:
            read_length(data, at, end, facts)
        elif kind == TRANSFER_ENCODING:
            read_coding(data, at, end, facts)
        elif kind == PROXY:
            facts[PROXIED] += 1
        elif kind == FETCH:
            row.fetch = 1 if is_word(data, at, end, DOCUMENT) else 2
        elif kind == AUTHORIZATION:
            if not is_response:
                stop = copy_user(data, at, end, text, top)
                row.username = top
                row.username_size = stop - top
                top = stop
        elif at < end:
            stop = copy_value(data, at, end, text, top)
            if is_response:
                keep_response_field(row, kind, top, stop - top)
            else:
                keep_request_field(row, kind, top, stop - top)
            top = stop
    return top


@helper
def keep_request_field(row, kind, at, n):
    """Set the span of a request's field."""
    if kind == HOST:
        row.host = at
        row.host_size = n
    elif kind == REFERER:
        row.referrer = at
        row.referrer_size = n
    elif kind == USER_AGENT:
        row.user_agent = at
        row.user_agent_size = n
    elif kind == ORIGIN:
        row.origin = at
        row.origin_size = n
    elif kind == CONTENT_TYPE:
        row.request_type = at
        row.request_type_size = n
    elif kind == DISPOSITION:
        row.request_filename = at
        row.request_filename_size = n


@helper
def keep_response_field(row, kind, at, n):
    """Set the span of a response's field."""
    if kind == CONTENT_TYPE:
        row.response_type = at
        row.response_type_size = n
    elif kind == DISPOSITION:
        row.response_filename = at
        row.response_filename_size = n
    elif kind == CONTENT_ENCODING:
        row.content_encoding = at
        row.content_encoding_size = n
    elif kind == SERVER:
        row.server = at
        row.server_size = n
    elif kind == LOCATION:
        row.location = at
        row.location_size = n
    elif kind == ALT_SVC:
        row.alt_svc = at
        row.alt_svc_size = n
    elif kind == UPGRADE:
        row.upgrade = at
        row.upgrade_size = n


@helper
def copy_proxied(data, lines, facts, text, top):
    """Append ``NAME -> value`` of every field that proxies add, joined by newlines, as Zeek writes them; the new top."""
    n = line_count(lines, facts)
    start = top
    i = 1
    while i < n:
        at = lines[i]
        i = field_end(data, lines, i, n)
        end = trim(data, at, lines[i])
        colon = find_colon(data, at, end)
        stop = trim(data, at, colon)
        if colon == end or name_kind(data, at, stop) != PROXY:
            continue
        if top > start:
            text[top] = 10
            top += 1
        for k in range(at, stop):
            byte = np.int64(data[k])
            text[top] = byte - 32 if 97 <= byte <= 122 else byte
            top += 1
        text[top] = 32
        text[top + 1] = 45
        text[top + 2] = 62
        text[top + 3] = 32
        top = copy_value(data, value_start(data, colon + 1, end), end, text, top + 4)
    return top
