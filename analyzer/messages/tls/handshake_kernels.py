# mypy: allow-untyped-defs
"""TLS_MESSAGE rows to HANDSHAKE rows: one pass in the order of the messages' last bytes."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, GROW_TEXT, helper, kernel
from analyzer.messages.tls.certificate_kernels import cut_chain, keep_staple, leaf_status
from analyzer.messages.tls.data_kernels import MEASURED, STEP, is_protected, mark_step, read_protected, set_step
from analyzer.messages.tls.hello_kernels import FOUND_SIZE, SHARE, find_server_parts, is_retry_random, is_tls13_version
from analyzer.messages.tls.negotiation_kernels import (
    note_error,
    read_client_hello,
    read_encrypted,
    read_key_exchange,
    read_retry,
    read_server_hello,
)
from analyzer.tables.tls import AFTER_GAP, BY_TICKET, DAMAGED, ERROR_CODES, HISTORY_SIZE, STEP_CODES

BAD_ALERT = ERROR_CODES["alert"]

# Zeek's letters of handshake types (its script base/protocols/ssl), lower case
LETTERS = np.full(256, ord("z"), np.uint8)
for _kind, _letter in {
    0: "h", 1: "c", 2: "s", 3: "v", 4: "t", 5: "e", 6: "j", 8: "o", 11: "x", 12: "k", 13: "r", 14: "n", 15: "y",
    16: "g", 20: "f", 21: "w", 22: "u", 23: "a", 24: "p", 254: "m",
}.items():  # fmt: skip
    LETTERS[_kind] = ord(_letter)

# The step that a handshake message of a type is, by who sends it (0 client, 1 server); -1 = none or not so simple
STEP_OF_TYPE = np.full((2, 256), -1, np.int64)
for _side, _kind, _step in (
    (0, 11, "client_certificate"), (0, 15, "certificate_verify"), (0, 16, "client_key_exchange"), (0, 20, "client_finished"),
    (1, 4, "session_ticket"), (1, 8, "encrypted_extensions"), (1, 11, "certificate"), (1, 12, "server_key_exchange"),
    (1, 13, "certificate_request"), (1, 14, "server_hello_done"), (1, 15, "server_certificate_verify"), (1, 20, "server_finished"),
    (1, 22, "certificate_status"),
):  # fmt: skip
    STEP_OF_TYPE[_side, _kind] = STEP_CODES[_step]

CLIENT_HELLO, SERVER_HELLO = STEP["client_hello"], STEP["server_hello"]
RETRY, SECOND_CLIENT_HELLO = STEP["hello_retry_request"], STEP["second_client_hello"]
CLIENT_CCS, SERVER_CCS = STEP["client_change_cipher_spec"], STEP["server_change_cipher_spec"]
ALERT = STEP["alert"]
CLIENT_CLOSE, SERVER_CLOSE = STEP["client_close_notify"], STEP["server_close_notify"]


@helper
def add_letter(h, letter, is_client):
    """Append to the history; upper case for the client."""
    k = np.int64(h.history_size)
    if k < HISTORY_SIZE:
        h.history[k] = letter - 32 if is_client else letter
        h.history_size = k + 1


@helper
def open_handshake(h, m, c):
    """First message of a connection: the row's -1s, and who is the client until a hello says so."""
    h.seen = 1
    h.client = c.flipped
    h.record_version = m.version
    h.cipher_suite = -1
    h.compression = -1
    h.alert_code = -1
    h.last_alert_code = -1
    h.chain = -1
    h.client_chain = -1
    kind = np.int64(m.handshake_type)
    is_hello = 0 <= kind <= 2 or (np.int64(m.content_type) == 21 and m.alert != 0)
    h.is_partial = 0 if is_hello else 1


@helper
def read_alert(h, m, is_client):
    """An alert in clear (RFC 8446 6); the first fatal one stays."""
    level, code = np.int64(m.alert) >> 8, np.int64(m.alert) & 255
    add_letter(h, np.int64(108), is_client)
    h.last_alert_code = code
    if h.alert_level != 2:
        h.alert_level = level
        h.alert_code = code
        h.alert_sender = m.sender
    if code == 0:
        set_step(h, CLIENT_CLOSE if is_client else SERVER_CLOSE, MEASURED, m.first_ts, m.first_number, m.last_ts, m.last_number)
    else:
        mark_step(h, ALERT, m, MEASURED)
    if level < 1 or level > 2:
        note_error(h, m, BAD_ALERT)


@helper
def read_change_cipher_spec(h, p, m, is_client):
    """change_cipher_spec: the sender encrypts from here on (in 1.3 only for the eyes of middleboxes, RFC 8446 D.4)."""
    add_letter(h, np.int64(105), is_client)
    if is_client and p.client_protected and h.version > 0 and not is_tls13_version(np.int64(h.version)):
        h.renegotiations += 1  # RFC 5246 7.1: one in every handshake; its hellos are encrypted
    mark_step(h, CLIENT_CCS if is_client else SERVER_CCS, m, MEASURED)
    if not is_client:
        p.server_protected = 1
        return
    p.client_protected = 1
    if h.version > 0 and not is_tls13_version(np.int64(h.version)):
        if p.has_ticket and p.session_id_size == 0 and p.has_key_exchange == 0:
            h.resumed_by = BY_TICKET
            h.is_resumed = 1  # RFC 5077 3.4: by ticket, without a session id to see it by


@helper
def read_handshake(data, m, h, p, text, top, found):
    """A handshake message in clear; the new top of the text."""
    kind = np.int64(m.handshake_type)
    is_kept = m.position >= 0
    if kind == 1 and h.step_basis[CLIENT_HELLO] == 0 and h.step_basis[SERVER_HELLO] == 0:
        h.client = m.sender
    elif kind == 2 and h.step_basis[CLIENT_HELLO] == 0 and h.step_basis[SERVER_HELLO] == 0:
        h.client = 1 - np.int64(m.sender)
    is_client = np.int64(m.sender) == np.int64(h.client)
    is_retry = kind == 6 or (kind == 2 and is_kept and is_retry_random(data, m.position + 2, m.position + m.length))
    add_letter(h, np.int64(106) if is_retry else np.int64(LETTERS[kind]), is_client)
    if is_retry:
        found[2 * SHARE] = 0
        if kind == 2:
            find_server_parts(data, np.int64(m.position), np.int64(m.position) + np.int64(m.length), found)
        read_retry(data, m, h, found)
    elif kind == 1 and is_client:
        is_first = h.step_basis[CLIENT_HELLO] == 0
        mark_step(h, CLIENT_HELLO, m, MEASURED)
        if is_first and is_kept:
            return read_client_hello(data, m, h, p, text, top, found)
        if h.is_retried:
            mark_step(h, SECOND_CLIENT_HELLO, m, MEASURED)
    elif kind == 2 and not is_client:
        is_first = h.step_basis[SERVER_HELLO] == 0
        mark_step(h, SERVER_HELLO, m, MEASURED)
        if is_first and is_kept:
            return read_server_hello(data, m, h, p, text, top, found)
    else:
        step = STEP_OF_TYPE[0 if is_client else 1, kind]
        if step >= 0:
            mark_step(h, step, m, MEASURED)
        if kind == 16 and is_client:
            p.has_key_exchange = 1
        if kind == 12 and is_kept and not is_client:
            read_key_exchange(data, m, h)
        if kind == 22 and is_kept and not is_client:
            top = keep_staple(data, np.int64(m.position), np.int64(m.position) + np.int64(m.length), h, text, top)
        if kind == 11 and is_kept and not is_client and is_tls13_version(np.int64(h.version)):
            status = leaf_status(data, m)
            if status > 0:
                top = keep_staple(data, status, np.int64(m.position) + np.int64(m.length), h, text, top)
        if is_tls13_version(np.int64(h.version)):
            return read_encrypted(data, m, h, p, text, top, found, is_client)
    return top


@helper
def read_certificates(data, m, h, spans, spans_used, first_link, limit):
    """The first chain of either end; rows of ``spans`` used. ``first_link`` is the row of CHAIN_LINK that spans[0] will be."""
    is_client = np.int64(m.sender) == np.int64(h.client)
    if (h.client_chain if is_client else h.chain) >= 0 or m.position < 0:
        return spans_used
    before = spans_used
    spans_used, error = cut_chain(data, m, 1 if is_client else 0, is_tls13_version(np.int64(h.version)), spans, spans_used, limit)
    note_error(h, m, error)
    if spans_used > before and is_client:
        h.client_chain = first_link + before
        h.client_chain_certificates = spans_used - before
    elif spans_used > before:
        h.chain = first_link + before
        h.chain_certificates = spans_used - before
    return spans_used


@kernel
def read_messages(data, messages, i, used, handshakes, progress, connections, text, spans, counts, scratch):
    """Read messages[i:used]; answers (status, next message).

    The state that survives between calls is in ``counts`` (int64): [0] top of text, [1] rows of spans used, [2] row of CHAIN_LINK that
    spans[0] will be, [3] limit of a chain, [8:] messages with each error. ``scratch`` is int64[FOUND_SIZE] or more.
    """
    found, errors = scratch[:FOUND_SIZE], counts[8:]
    while i < used:
        m = messages[i]
        if counts[0] + 8 * np.int64(m.length) + 64 > text.size:  # numbers in decimal take three letters for a byte
            if m.position >= 0:
                return GROW_TEXT, i
        row = np.int64(m.connection)
        h, p, c = handshakes[row], progress[row], connections[row]
        kind = np.int64(m.content_type)
        if kind == 22 and m.handshake_type == 11 and counts[1] + counts[3] > spans.shape[0]:
            return GROW_ROWS, i
        if h.seen == 0:
            open_handshake(h, m, c)
        is_client = np.int64(m.sender) == np.int64(h.client)
        if np.int64(m.marks) & AFTER_GAP:
            h.gaps += 1
        if is_protected(m):
            read_protected(h, p, m, c)
        elif kind == 22 and m.handshake_type >= 0:
            counts[0] = read_handshake(data, m, h, p, text, counts[0], found)
            if m.handshake_type == 11:
                counts[1] = read_certificates(data, m, h, spans, counts[1], counts[2], counts[3])
        elif kind == 20:
            read_change_cipher_spec(h, p, m, is_client)
        elif kind == 21 and np.int64(m.marks) & DAMAGED == 0:
            read_alert(h, m, is_client)
        note_error(h, m, np.int64(m.error))
        errors[np.int64(m.error)] += 1
        i += 1
    return DONE, i
