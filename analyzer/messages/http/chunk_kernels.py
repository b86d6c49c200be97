# mypy: allow-untyped-defs
"""Pieces of the framing kernel for what stands between the data of a chunked body (RFC 9112 7.1): sizes, line ends, trailers."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.messages.http.head_kernels import MAX_LENGTH
from analyzer.messages.http.message_kernels import CHUNK_DATA, CHUNK_END, CHUNK_SIZE, LOST, TRAILER, count_body, finish_message
from analyzer.messages.http.pairing_kernels import HEAD_LIMIT, note
from analyzer.tables.http import HTTP_ERROR_CODES

BAD_CHUNK_SIZE = HTTP_ERROR_CODES["bad_chunk_size"]
BAD_CHUNK_END = HTTP_ERROR_CODES["bad_chunk_end"]
BARE_LF = HTTP_ERROR_CODES["bare_lf_in_chunks"]
TRAILER_TOO_LARGE = HTTP_ERROR_CODES["trailer_too_large"]
SIZE_LINE_LIMIT = 16_384  # bytes of a chunk-size line: extensions are never that long

# what one byte leads to: the next state, or an error
GO_ON, ENDED = 0, 1
NO_DIGIT, IN_NUMBER, AFTER_NUMBER, AFTER_CR = 0, 1, 2, 3  # HTTP_STREAM.digits


@helper
def read_chunk_framing(data, run, at, stream, exchanges, counts, cursor):
    """Read the run byte by byte until data, the end of the message, an error or the end of the run; the new position in it."""
    error = np.int64(0)
    while at < run.run_size and error == 0:
        byte = np.int64(data[run.position + at])
        at += 1
        if stream.state == CHUNK_SIZE:
            error = chunk_size_byte(stream, byte)
        elif stream.state == CHUNK_END:
            error = chunk_end_byte(stream, byte)
        elif trailer_byte(stream, byte):
            count_body(exchanges, stream, 0, run)
            finish_message(exchanges, stream, 1)
            return at
        elif stream.have > cursor[HEAD_LIMIT]:
            error = np.int64(TRAILER_TOO_LARGE)
        if error == BARE_LF:  # it can be read on
            note(exchanges, np.int64(stream.exchange) - 1, error, run.number, counts)
            error = np.int64(0)
        if stream.state == CHUNK_DATA or (stream.state == TRAILER and stream.have == 0):
            break
    if error:
        note(exchanges, np.int64(stream.exchange) - 1, error, run.number, counts)
        stream.state = LOST
    count_body(exchanges, stream, 0, run)
    if error:  # what follows is no body that anybody framed
        stream.exchange = 0
    return at


@helper
def begin_size_line(stream):
    """A chunk-size line is next."""
    stream.state = CHUNK_SIZE
    stream.digits = NO_DIGIT
    stream.chunk = 0
    stream.have = 0


@helper
def hex_digit(byte):
    """Value of a hexadecimal digit, -1 = none."""
    if 48 <= byte <= 57:
        return byte - 48
    if 65 <= byte <= 70:
        return byte - 55
    return byte - 87 if 97 <= byte <= 102 else np.int64(-1)


@helper
def chunk_size_byte(stream, byte):
    """One byte of ``size [;extensions] CRLF``; an error code or 0."""
    stream.have += 1
    if byte == 10:
        if stream.digits == NO_DIGIT:
            return BAD_CHUNK_SIZE
        stream.remaining = stream.chunk
        stream.have = 0
        stream.line = 0
        stream.state = CHUNK_DATA if stream.remaining > 0 else TRAILER
        return 0 if stream.digits == AFTER_CR else BARE_LF
    if stream.have > SIZE_LINE_LIMIT:
        return BAD_CHUNK_SIZE
    if stream.digits >= AFTER_NUMBER:
        stream.digits = AFTER_CR if byte == 13 else AFTER_NUMBER
        return 0
    digit = hex_digit(byte)
    if digit >= 0:
        if stream.chunk > (MAX_LENGTH >> 4):
            return BAD_CHUNK_SIZE
        stream.chunk = (np.int64(stream.chunk) << 4) | digit
        stream.digits = IN_NUMBER
        return 0
    if stream.digits == NO_DIGIT or not (byte == 13 or byte == 59 or byte == 32 or byte == 9):
        return BAD_CHUNK_SIZE
    stream.digits = AFTER_CR if byte == 13 else AFTER_NUMBER
    return 0


@helper
def chunk_end_byte(stream, byte):
    """One byte of the line end after the data of a chunk; an error code or 0."""
    if byte == 10:
        is_bare = stream.have == 0
        begin_size_line(stream)
        return BARE_LF if is_bare else 0
    if byte == 13 and stream.have == 0:
        stream.have = 1
        return 0
    return BAD_CHUNK_END


@helper
def trailer_byte(stream, byte):
    """One byte of the trailer section; whether it ends it (an empty line)."""
    stream.have += 1
    if byte == 10:
        if stream.line == 0:
            stream.have = 0
            return True
        stream.line = 0
    elif byte != 13 or stream.line > 0:
        stream.line += 1
    return False
