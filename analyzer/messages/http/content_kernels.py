# mypy: allow-untyped-defs
"""Pieces of the framing kernel that look at bodies: their first bytes are kept, those in a coding that is taken off are collected.

Only what is wanted is touched: ``HTTP_STREAM.wants`` bytes of a body, START of an ordinary one. A coded body is copied
to the coded bytes of the batch, and ``decoders`` reads them there.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT, helper
from analyzer.messages.http.head_kernels import CONTENT_CODING, find_token, is_word, skip_blank, trim
from analyzer.messages.http.pairing_kernels import CODED_NEED, CODED_ROOM, CODED_TOP, DECODES, NEED, PIECE_ROOM, PIECES, TEXT_TOP
from analyzer.tables.http import BROTLI, BY_LENGTH, DEFLATE, GZIP, NO_CODING, OTHER_CODING, START, ZSTD

ALL = np.int64(1) << 61  # more than any body has
SERVER = 2  # HTTP_STREAM.role

_GZIP = np.frombuffer(b"gzip", np.uint8)
_X_GZIP = np.frombuffer(b"x-gzip", np.uint8)
_DEFLATE = np.frombuffer(b"deflate", np.uint8)
_BROTLI = np.frombuffer(b"br", np.uint8)
_ZSTD = np.frombuffer(b"zstd", np.uint8)
_IDENTITY = np.frombuffer(b"identity", np.uint8)
_FILENAME = np.frombuffer(b"filename", np.uint8)


@helper
def read_content_coding(data, at, end, coding):
    """The coding after one Content-Encoding value (RFC 9110 8.4): its last word other than identity, else what it was before."""
    while at < end:
        stop = at
        while stop < end and data[stop] != 44:
            stop += 1
        word, last = find_token(data, at, stop)
        if is_word(data, word, last, _GZIP) or is_word(data, word, last, _X_GZIP):
            coding = np.int64(GZIP)
        elif is_word(data, word, last, _DEFLATE):
            coding = np.int64(DEFLATE)
        elif is_word(data, word, last, _BROTLI):
            coding = np.int64(BROTLI)
        elif is_word(data, word, last, _ZSTD):
            coding = np.int64(ZSTD)
        elif word < last and not is_word(data, word, last, _IDENTITY):
            coding = np.int64(OTHER_CODING)
        at = stop + 1
    return coding


@helper
def find_filename(data, at, end):
    """(start, end) of the file name in a Content-Disposition value (RFC 6266 4.3), empty where there is none."""
    n = _FILENAME.size
    while at < end and data[at] != 59:  # the disposition type
        at += 1
    while at < end:
        at += 1
        while at < end and data[at] <= 32:
            at += 1
        stop = at
        while stop < end and data[stop] != 61 and data[stop] != 59:
            stop += 1
        name = trim(data, at, stop)
        is_named = stop < end and data[stop] == 61
        is_extended = is_named and name == at + n + 1 and data[name - 1] == 42
        is_named = is_named and is_word(data, at, name - 1 if is_extended else name, _FILENAME)
        at = skip_blank(data, stop + 1, end) if stop < end and data[stop] == 61 else stop
        first = at
        if at < end and data[at] == 34:
            first = at = at + 1
            while at < end and data[at] != 34:
                at += 1
            last = at
        else:
            last = at
        while at < end and data[at] != 59:
            at += 1
        if first == last:
            last = trim(data, first, at)
        if is_named:
            return (after_quotes(data, first, last) if is_extended else first), last
    return end, end


@helper
def after_quotes(data, at, end):
    """Where the text of ``charset'language'text`` begins (RFC 8187 3.2)."""
    quotes = 0
    for k in range(at, end):
        if data[k] == 39:
            quotes += 1
            if quotes == 2:
                return k + 1
    return at


@helper
def begin_start(row, stream, is_response, facts, cursor):
    """Make room for the first bytes of the body that follows; a head that fits has START bytes to spare."""
    coding = facts[CONTENT_CODING]
    is_decoded = cursor[DECODES] != 0 and coding not in (NO_CODING, OTHER_CODING)
    is_kept = cursor[DECODES] > 1
    size = np.int64(START)
    framing = np.int64(row.response_framing if is_response else row.request_framing)
    if framing == BY_LENGTH and coding == NO_CODING:
        size = min(size, np.int64(stream.remaining))
    if is_response:
        row.response_coding = coding
        row.response_is_decoded = 1 if is_decoded else 0
        row.response_start = cursor[TEXT_TOP]
        row.response_start_size = size
    else:
        row.request_coding = coding
        row.request_is_decoded = 1 if is_decoded else 0
        row.request_start = cursor[TEXT_TOP]
        row.request_start_size = size
    cursor[TEXT_TOP] += size
    if coding == NO_CODING and not is_kept:
        stream.wants = size
    else:
        stream.wants = ALL if is_decoded or is_kept else np.int64(0)


@helper
def look_at_body(data, run, at, n, stream, exchanges, pieces, text, coded, cursor):
    """Look at ``n`` body bytes from byte ``at`` of a run on: DONE, or GROW_ROWS or GROW_TEXT with nothing done."""
    x = np.int64(stream.exchange) - 1
    if x < 0 or run.position < 0:
        stream.wants = 0
        return DONE
    row, is_response = exchanges[x], stream.role == SERVER
    if stream.wants < ALL >> 1:
        n = min(n, np.int64(stream.wants))
        have = np.int64(row.response_start_have if is_response else row.request_start_have)
        start = np.int64(row.response_start if is_response else row.request_start) + have
        for k in range(n):
            text[start + k] = data[run.position + at + k]
        if is_response:
            row.response_start_have = have + n
        else:
            row.request_start_have = have + n
        stream.wants -= n
        return DONE
    status = room_for_piece(n, cursor)
    if status == DONE:
        add_piece(data, run.position + at, n, x, 1 if is_response else 0, pieces, coded, cursor)
    return status


@helper
def room_for_piece(n, cursor):
    """DONE when ``n`` more bytes can be noted, GROW_ROWS or GROW_TEXT."""
    if cursor[PIECES] >= cursor[PIECE_ROOM]:
        return GROW_ROWS
    if cursor[CODED_TOP] + n > cursor[CODED_ROOM]:
        cursor[NEED] = 0
        cursor[CODED_NEED] = n
        return GROW_TEXT
    return DONE


@helper
def add_piece(data, at, n, x, kind, pieces, coded, cursor):
    """Note ``n`` bytes of a message (CODED_PIECE.is_response is ``kind``): a new row, or more of the last one."""
    top = cursor[CODED_TOP]
    for k in range(n):
        coded[top + k] = data[at + k]
    cursor[CODED_TOP] = top + n
    last = cursor[PIECES] - 1
    if last >= 0 and pieces[last].exchange == x and pieces[last].is_response == kind:
        pieces[last].piece_bytes += n
        return
    piece = pieces[last + 1]
    cursor[PIECES] += 1
    piece.exchange = x
    piece.is_response = kind
    piece.position = top
    piece.piece_bytes = n
