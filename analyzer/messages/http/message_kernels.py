# mypy: allow-untyped-defs
"""Pieces of the framing kernel that turn one whole head into its EXCHANGE row and say how its body ends (RFC 9112 6.3)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT, helper
from analyzer.messages.http.content_kernels import begin_start
from analyzer.messages.http.field_kernels import copy_proxied, read_fields
from analyzer.messages.http.head_kernels import (
    BAD_BYTES,
    BAD_FIELDS,
    BAD_LENGTH,
    CHUNKED,
    CODING,
    FIRST,
    FIRST_SIZE,
    FOLDS,
    HEAD_AT,
    HEAD_CODE,
    HEAD_STOP,
    HOSTS,
    LENGTH,
    LENGTH_CONFLICT,
    LENGTH_STATE,
    LINES,
    NO_LENGTH,
    ODD_NAMES,
    ONE_LENGTH,
    PROXIED,
    SECOND,
    SECOND_SIZE,
    STATUS,
    UNCODED,
    VERSION,
    copy_value,
    read_request_line,
    read_status_line,
)
from analyzer.messages.http.pairing_kernels import (
    CODED_NEED,
    KEEPS_HEADS,
    NEED,
    ROW_ROOM,
    TEXT_ROOM,
    TEXT_TOP,
    TUNNEL_ROOM,
    TUNNELS,
    USED,
    answered,
    find_waiting,
    new_exchange,
    note,
    wait,
)
from analyzer.messages.http.probe_kernels import begins_with
from analyzer.tables.http import BY_CHUNKS, BY_CLOSE, BY_LENGTH, HTTP_ERROR_CODES, NO_BODY, START

# ---- HTTP_STREAM.state: what comes next
HEAD = 0  # the head of a message, or nothing
BODY = 1  # `remaining` bytes of a body
CHUNK_SIZE, CHUNK_DATA, CHUNK_END, TRAILER = 2, 3, 4, 5  # the parts of a chunked body
TO_CLOSE = 6  # a body that ends with its stream
TUNNEL = 7  # another protocol
LOST = 8  # framing is lost: bytes are counted for the message that broke it, nothing more is read
RESYNC = 9  # after a gap: the next run that begins like a head

CLIENT, SERVER = 1, 2  # HTTP_STREAM.role
IS_HEAD, IS_CONNECT = 1, 2  # EXCHANGE.kind

GAP_IN_HEAD = HTTP_ERROR_CODES["gap_in_head"]
BAD_START_LINE = HTTP_ERROR_CODES["bad_start_line"]
BAD_STATUS = HTTP_ERROR_CODES["bad_status"]
BAD_FIELD = HTTP_ERROR_CODES["bad_field"]
TOO_MANY_FIELDS = HTTP_ERROR_CODES["too_many_fields"]
CONFLICT = HTTP_ERROR_CODES["length_conflict"]
NO_NUMBER = HTTP_ERROR_CODES["bad_length"]
LENGTH_AND_CHUNKED = HTTP_ERROR_CODES["length_and_chunked"]
BAD_CODING = HTTP_ERROR_CODES["bad_transfer_coding"]
BLANK_BEFORE_COLON = HTTP_ERROR_CODES["blank_before_colon"]
HOST_REPEATED = HTTP_ERROR_CODES["host_repeated"]
FORBIDDEN_BYTE = HTTP_ERROR_CODES["forbidden_byte"]
ODD_FRAMING = HTTP_ERROR_CODES["odd_framing"]
CODING_IN_HTTP10 = HTTP_ERROR_CODES["coding_in_http10"]
HTTP_10 = 10  # EXCHANGE.version

_HEAD = np.frombuffer(b"HEAD", np.uint8)
_CONNECT = np.frombuffer(b"CONNECT", np.uint8)


@helper
def count_body(exchanges, stream, n, run):
    """Count ``n`` bytes of body (or of what follows an upgrade); the message reaches to this run."""
    x = np.int64(stream.exchange) - 1
    if x < 0:
        return
    row = exchanges[x]
    if stream.state == TUNNEL:
        if stream.role == SERVER:
            row.tunnel_response_bytes += n
        else:
            row.tunnel_request_bytes += n
    elif stream.role == SERVER:
        row.response_body_bytes += n
        row.response_last_ts = run.ts
        row.response_last_number = run.number
    else:
        row.request_body_bytes += n
        row.request_last_ts = run.ts
        row.request_last_number = run.number


@helper
def finish_message(exchanges, stream, complete):
    """The message is over; a head is next."""
    x = np.int64(stream.exchange) - 1
    if x >= 0:
        if stream.role == SERVER:
            exchanges[x].response_complete = complete
        else:
            exchanges[x].request_complete = complete
    stream.exchange = 0
    stream.wants = 0
    stream.have = 0
    stream.line = 0
    stream.state = HEAD


@helper
def room_for_head(head_size, cursor):
    """DONE when whatever a head of ``head_size`` bytes says fits: proxied fields are written longer than they came."""
    if cursor[USED] >= cursor[ROW_ROOM] or cursor[TUNNELS] + 2 > cursor[TUNNEL_ROOM]:
        return GROW_ROWS
    cursor[NEED] = 3 * head_size + 64 + START
    cursor[CODED_NEED] = 0
    return DONE if cursor[TEXT_TOP] + cursor[NEED] <= cursor[TEXT_ROOM] else GROW_TEXT


@helper
def read_head(data, run, stream, pairing, streams, exchanges, tunnels, text, lines, facts, counts, cursor):
    """Read the head that was found (facts[HEAD_AT:HEAD_STOP], whose lines are known) and set what comes next."""
    for k in range(STATUS, HEAD_AT):
        facts[k] = 0
    is_response = stream.role == SERVER
    if is_response:
        x = open_response(data, run, stream, pairing, exchanges, lines, facts, counts, cursor)
    else:
        x = open_request(data, run, stream, pairing, exchanges, lines, facts, counts, cursor)
    row, code = exchanges[x], facts[HEAD_CODE]
    is_interim = is_interim_status(facts[STATUS])
    if not is_interim:
        write_start_line(data, facts, row, is_response, text, cursor)
        cursor[TEXT_TOP] = read_fields(data, lines, facts, row, is_response, text, cursor[TEXT_TOP])
        if facts[PROXIED] and not is_response:
            row.proxied = cursor[TEXT_TOP]
            cursor[TEXT_TOP] = copy_proxied(data, lines, facts, text, cursor[TEXT_TOP])
            row.proxied_size = cursor[TEXT_TOP] - row.proxied
        if cursor[KEEPS_HEADS]:
            keep_head(data, facts, row, is_response, text, cursor)
    else:
        row.info_reason = cursor[TEXT_TOP]
        row.info_reason_size = facts[FIRST_SIZE]
        cursor[TEXT_TOP] = copy_value(data, facts[FIRST], facts[FIRST] + facts[FIRST_SIZE], text, cursor[TEXT_TOP])
    stream.is_after_gap = 0
    stream.exchange = 0 if is_interim or code else x + 1
    if facts[LINES] >= lines.size:
        note(exchanges, x, TOO_MANY_FIELDS, run.number, counts)
    note_shapes(exchanges, x, run, is_response, facts, counts)
    if code:
        note(exchanges, x, code, run.number, counts)
        stream.state = RESYNC if code == GAP_IN_HEAD else LOST
    elif is_interim:
        finish_message(exchanges, stream, 1)
    else:
        begin_body(exchanges, x, run, stream, streams, tunnels, facts, counts, cursor)


@helper
def note_shapes(exchanges, x, run, is_response, facts, counts):
    """What another reader may read otherwise."""
    if facts[BAD_BYTES]:
        note(exchanges, x, FORBIDDEN_BYTE, run.number, counts)
    if facts[FOLDS]:
        note(exchanges, x, ODD_FRAMING, run.number, counts)
    if facts[CODING] != UNCODED and facts[VERSION] == HTTP_10:
        note(exchanges, x, CODING_IN_HTTP10, run.number, counts)
    if facts[BAD_FIELDS]:
        note(exchanges, x, BAD_FIELD, run.number, counts)
    if facts[ODD_NAMES]:
        note(exchanges, x, BLANK_BEFORE_COLON, run.number, counts)
    if facts[HOSTS] > 1 and not is_response:
        note(exchanges, x, HOST_REPEATED, run.number, counts)


@helper
def keep_head(data, facts, row, is_response, text, cursor):
    """The head as it came."""
    top, n = cursor[TEXT_TOP], facts[HEAD_STOP] - facts[HEAD_AT]
    for k in range(n):
        text[top + k] = data[facts[HEAD_AT] + k]
    cursor[TEXT_TOP] = top + n
    if is_response:
        row.response_head = top
        row.response_head_size = n
    else:
        row.request_head = top
        row.request_head_size = n


@helper
def write_start_line(data, facts, row, is_response, text, cursor):
    """Method and target, or the reason phrase."""
    top = cursor[TEXT_TOP]
    stop = copy_value(data, facts[FIRST], facts[FIRST] + facts[FIRST_SIZE], text, top)
    if is_response:
        row.reason = top
        row.reason_size = stop - top
    else:
        row.method = top
        row.method_size = stop - top
        row.target = stop
        top = stop
        stop = copy_value(data, facts[SECOND], facts[SECOND] + facts[SECOND_SIZE], text, top)
        row.target_size = stop - top
    cursor[TEXT_TOP] = stop


@helper
def is_interim_status(status):
    """1xx other than 101, which is the last answer of HTTP on its connection (RFC 9110 15.2)."""
    return 100 <= status < 200 and status != 101


@helper
def open_request(data, run, stream, pairing, exchanges, lines, facts, counts, cursor):
    """A request head: a new exchange that waits for its answer; its row."""
    read_request_line(data, lines[0], lines[1], facts)
    x = new_exchange(exchanges, pairing, run.connection, np.int64(run.sender), cursor)
    row = exchanges[x]
    row.has_request = 1
    row.version = facts[VERSION]
    row.request_head_bytes = facts[HEAD_STOP] - facts[HEAD_AT]
    row.request_first_ts = stream.first_ts
    row.request_first_number = stream.first_number
    row.request_last_ts = run.ts
    row.request_last_number = run.number
    if facts[VERSION] == 9 and facts[LINES] > 1:  # HTTP/0.9 has no fields
        row.version = 0
        note(exchanges, x, BAD_START_LINE, run.number, counts)
    at, n = facts[FIRST], facts[FIRST_SIZE]
    if n == 4 and begins_with(data, at, at + n, _HEAD) == 1:
        row.kind = IS_HEAD
    elif n == 7 and begins_with(data, at, at + n, _CONNECT) == 1:
        row.kind = IS_CONNECT
    wait(exchanges, pairing, x, run.number, counts, cursor)
    return x


@helper
def open_response(data, run, stream, pairing, exchanges, lines, facts, counts, cursor):
    """A response head: it belongs to the oldest exchange that waits, or to a new one without request; its row."""
    read_status_line(data, lines[0], lines[1], facts)
    status, number = facts[STATUS], run.number
    is_interim = is_interim_status(status)
    x = find_waiting(exchanges, pairing, stream.is_after_gap, number, counts)
    if x < 0:
        x = new_exchange(exchanges, pairing, run.connection, 1 - np.int64(run.sender), cursor)
        if is_interim:
            wait(exchanges, pairing, x, number, counts, cursor)
    elif not is_interim:
        answered(exchanges, pairing)
    row = exchanges[x]
    if is_interim:
        if row.info_ts == 0:
            row.info_ts = stream.first_ts
            row.info_number = stream.first_number
        row.info_status = status
        return x
    row.has_response = 1
    row.status = max(status, 0)
    if status < 0:
        note(exchanges, x, BAD_STATUS, number, counts)
    row.response_version = facts[VERSION]
    row.response_head_bytes = facts[HEAD_STOP] - facts[HEAD_AT]
    row.response_first_ts = stream.first_ts
    row.response_first_number = stream.first_number
    row.response_last_ts = run.ts
    row.response_last_number = number
    return x


@helper
def begin_body(exchanges, x, run, stream, streams, tunnels, facts, counts, cursor):
    """What follows a whole head, in the order of RFC 9112 6.3."""
    row = exchanges[x]
    is_response = stream.role == SERVER
    status, length_state = np.int64(row.status), facts[LENGTH_STATE]
    framing = np.int64(NO_BODY)
    if is_response and (status == 101 or (row.kind == IS_CONNECT and 200 <= status < 300)):
        open_tunnel(row, run, stream, streams, tunnels, cursor)
        return
    if is_response and (row.kind == IS_HEAD or status == 204 or status == 304):
        finish_message(exchanges, stream, 1)
    elif facts[CODING] != UNCODED and facts[VERSION] != HTTP_10:
        if length_state != NO_LENGTH:
            note(exchanges, x, LENGTH_AND_CHUNKED, run.number, counts)
        framing = np.int64(BY_CHUNKS if facts[CODING] == CHUNKED else BY_CLOSE)
        stream.state = CHUNK_SIZE if facts[CODING] == CHUNKED else TO_CLOSE
        stream.digits = 0
        stream.chunk = 0
        stream.have = 0
        if facts[CODING] != CHUNKED and not is_response:
            note(exchanges, x, BAD_CODING, run.number, counts)
            stream.state = LOST
    elif length_state in (BAD_LENGTH, LENGTH_CONFLICT):
        note(exchanges, x, CONFLICT if length_state == LENGTH_CONFLICT else NO_NUMBER, run.number, counts)
        framing = np.int64(BY_CLOSE)
        stream.state = LOST
    elif length_state == ONE_LENGTH:
        framing = np.int64(BY_LENGTH)
        stream.state = BODY
        stream.remaining = facts[LENGTH]
        if facts[LENGTH] == 0:
            finish_message(exchanges, stream, 1)
    elif is_response:
        framing = np.int64(BY_CLOSE)
        stream.state = TO_CLOSE
    else:
        finish_message(exchanges, stream, 1)
    if is_response:
        row.response_framing = framing
    else:
        row.request_framing = framing
    if stream.state in (BODY, CHUNK_SIZE, TO_CLOSE):
        begin_start(row, stream, is_response, facts, cursor)


@helper
def open_tunnel(row, run, stream, streams, tunnels, cursor):
    """Both streams leave HTTP: the server's after this head, the client's where its next head would have begun."""
    row.is_upgraded = 1
    row.response_complete = 1
    client = streams[2 * np.int64(run.connection) + 1 - np.int64(run.sender)]
    if client.state != TUNNEL:
        client.first_offset = client.first_offset if client.state == HEAD and client.have > 0 else client.next_offset
        row.tunnel_request_bytes += client.next_offset - client.first_offset
    client.exchange = stream.exchange
    client.state = TUNNEL
    client.role = CLIENT
    stream.state = TUNNEL
    for k in range(2):
        tunnel = tunnels[cursor[TUNNELS]]
        cursor[TUNNELS] += 1
        tunnel.connection = run.connection
        tunnel.sender = np.int64(run.sender) ^ k
        tunnel.is_connect = 1 if row.kind == IS_CONNECT else 0
        tunnel.offset = stream.next_offset if k == 0 else client.first_offset
        tunnel.exchange_index = row.index
        tunnel.exchange = stream.exchange
