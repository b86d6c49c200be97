# mypy: allow-untyped-defs
"""What protected records tell without keys: Finished, session tickets, the first exchange, close_notify.

TLS 1.2 (RFC 5246 7.4.9): the first protected handshake record of an end is its Finished: measured. TLS 1.3 (RFC 8446 5.2) gives every
protected record the outer type application_data, so only lengths and order are left; what follows from them is `inferred`:

* The client's Finished is its first protected record after the ServerHello if its body has exactly 1 + tag + 4 + hash bytes; else
  the first such record of the same flight (client certificates and early data come before it). A flight lasts until the server sends
  again. Without such a record (padding) the first record of the flight is a bound.
* The server's flight ends with its last record before that.
* Records of the server after Finished that answer nothing are session tickets: no request is complete, or it is younger than half
  a round trip, or the first ones are two or more of the same length as tickets have it, or they are as long as the ticket that the
  client offered would make them.
* A record that holds two bytes is an alert: close_notify when it is the last of its end.

The first exchange: the response begins with the first server record that can be an answer; the request ended with the client's last
record complete before that; the response ended with the server's last record before the client sent again.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.messages.tls.hello_kernels import is_tls13_version
from analyzer.tables import tls as rows
from analyzer.tables.tls import DAMAGED, OPENED, PROTECTED, STEP_CODES

# Constants of type int64: a literal as an argument would compile a helper once more.
STEP = {name: np.int64(code) for name, code in STEP_CODES.items()}
CLIENT_FINISHED, SERVER_FINISHED = STEP["client_finished"], STEP["server_finished"]
FIRST_CLIENT_DATA, FIRST_SERVER_DATA = STEP["first_client_data"], STEP["first_server_data"]
CLIENT_CLOSE, SERVER_CLOSE = STEP["client_close_notify"], STEP["server_close_notify"]
ENCRYPTED_EXTENSIONS, SESSION_TICKET, ALERT = STEP["encrypted_extensions"], STEP["session_ticket"], STEP["alert"]
SERVER_HELLO = STEP["server_hello"]

ABSENT, MEASURED, INFERRED, BOUNDED = (np.int64(basis) for basis in (rows.ABSENT, rows.MEASURED, rows.INFERRED, rows.BOUNDED))
NEVER = np.int64(0)

# Record body of a NewSessionTicket without its ticket: content type, tag, header, lifetime, age, nonce (0 to 32), lengths, early_data
TICKET_FRAME_MIN, TICKET_FRAME_MAX = 1 + 8 + 4 + 8 + 1 + 2 + 2, 1 + 16 + 4 + 8 + 33 + 2 + 2 + 8
TICKET_MIN, TICKET_MAX = 60, 2048  # record bodies that can be a NewSessionTicket (RFC 8446 4.6.1): a key name and keys, or a state


@helper
def set_step(h, step, basis, first_ts, first_number, last_ts, last_number):
    """Say when a step happened."""
    h.step_ts[step, 0] = first_ts
    h.step_ts[step, 1] = last_ts
    h.step_number[step, 0] = first_number
    h.step_number[step, 1] = last_number
    h.step_basis[step] = basis


@helper
def mark_step(h, step, m, basis):
    """The step is the message; only its first time counts."""
    if h.step_basis[step] == ABSENT:
        set_step(h, step, basis, m.first_ts, m.first_number, m.last_ts, m.last_number)


@helper
def clear_step(h, step):
    """It was something else."""
    set_step(h, step, ABSENT, NEVER, NEVER, NEVER, NEVER)


@helper
def finished_length(suite):
    """Body of a record with a TLS 1.3 Finished and nothing else: content type, tag, header and hash (RFC 8446 4.4.4)."""
    if suite == 0x1302:
        return np.int64(69)  # SHA-384
    if suite == 0x1305:
        return np.int64(45)  # CCM_8: a tag of 8 bytes
    if suite == 0x1306:
        return np.int64(85)  # AEGIS-256 with SHA-512
    if suite == 0xC0B4:
        return np.int64(69)  # integrity only: the tag is an HMAC-SHA256
    if suite == 0xC0B5:
        return np.int64(101)
    return np.int64(53)  # SHA-256, SM3


@helper
def is_alert_length(h, length):
    """A TLS 1.3 record with two bytes of content: in all likelihood an alert."""
    suite = np.int64(h.cipher_suite)
    hash_size = 48 if suite == 0x1302 or suite == 0xC0B5 else 64 if suite == 0x1306 else 32
    return length == finished_length(suite) - hash_size - 2


@helper
def half_round_trip(c):
    """Half of the TCP handshake's round trip in ns, 0 when it is not known."""
    if c.syn_ts == 0 or c.ack_ts == 0 or c.ack_ts < c.last_syn_ts:
        return np.int64(0)
    return (np.int64(c.ack_ts) - max(np.int64(c.syn_ts), np.int64(c.last_syn_ts))) // 2


@helper
def clear_response(h):
    """What looked like the response was a ticket."""
    clear_step(h, FIRST_SERVER_DATA)
    h.first_response_ts = 0
    h.first_response_number = 0
    h.last_request_ts = 0
    h.last_request_number = 0
    h.last_response_ts = 0
    h.last_response_number = 0


@helper
def add_ticket(h, first_ts, first_number, m):
    """Let the session tickets reach to message ``m``."""
    if h.step_basis[SESSION_TICKET] == ABSENT:
        set_step(h, SESSION_TICKET, INFERRED, first_ts, first_number, m.last_ts, m.last_number)
    elif h.step_basis[SESSION_TICKET] == INFERRED:
        h.step_ts[SESSION_TICKET, 1] = m.last_ts
        h.step_number[SESSION_TICKET, 1] = m.last_number


@helper
def start_response(h, m, basis):
    """``m`` is the first record of the first response."""
    mark_step(h, FIRST_SERVER_DATA, m, basis)
    h.first_response_ts = m.first_ts
    h.first_response_number = m.first_number
    h.last_request_ts = m.peer_ts
    h.last_request_number = m.peer_number
    h.last_response_ts = m.last_ts
    h.last_response_number = m.last_number


@helper
def can_be_answer(p, m, c):
    """A request was complete at least half a round trip before the server's record began."""
    is_asked = np.int64(m.peer_records) > np.int64(p.finished_records)
    return is_asked and np.int64(m.first_ts) - np.int64(m.peer_ts) >= half_round_trip(c)


@helper
def read_server_data(h, p, m, c):
    """An application record of the server up to TLS 1.2: all of it is data."""
    mark_step(h, FIRST_SERVER_DATA, m, MEASURED)
    if h.first_response_number == 0:
        if can_be_answer(p, m, c):
            start_response(h, m, MEASURED)
    elif p.exchange_is_over == 0:
        h.last_response_ts = m.last_ts
        h.last_response_number = m.last_number


@helper
def read_server_record(h, p, m, c):
    """A protected record of the server in TLS 1.3."""
    mark_step(h, ENCRYPTED_EXTENSIONS, m, INFERRED)
    if np.int64(m.peer_records) < np.int64(p.finished_records) or p.in_flight == 0:
        return  # its handshake flight, and data it may send before the client's Finished
    length = np.int64(m.length)
    if is_alert_length(h, length):
        set_step(h, SERVER_CLOSE, INFERRED, m.first_ts, m.first_number, m.last_ts, m.last_number)
        return
    clear_step(h, SERVER_CLOSE)
    seen = np.int64(p.after_finished)
    p.after_finished = min(seen + 1, 1 << 30)
    if seen == 0:
        p.ticket_length = length
        p.only_tickets = 1 if TICKET_MIN <= length <= TICKET_MAX else 0
    elif length != np.int64(p.ticket_length):
        p.only_tickets = 0
    if p.only_tickets and seen > 0 and p.exchange_is_over == 0:
        first_ts, first_number = np.int64(m.first_ts), np.int64(m.first_number)
        if h.first_response_number > 0:
            first_ts, first_number = np.int64(h.first_response_ts), np.int64(h.first_response_number)
            clear_response(h)
        add_ticket(h, first_ts, first_number, m)
    elif h.first_response_number == 0:
        frame = length - np.int64(p.identity_length)
        is_like_offered = p.identity_length > 0 and TICKET_FRAME_MIN <= frame <= TICKET_FRAME_MAX
        if can_be_answer(p, m, c) and not is_like_offered:
            start_response(h, m, INFERRED)
        else:
            add_ticket(h, m.first_ts, m.first_number, m)
    elif p.exchange_is_over == 0:
        h.last_response_ts = m.last_ts
        h.last_response_number = m.last_number


@helper
def read_client_data(h, p, m, basis):
    """An application record of the client that holds data."""
    mark_step(h, FIRST_CLIENT_DATA, m, basis)
    if h.first_response_number > 0 and np.int64(m.first_number) > np.int64(h.first_response_number):
        p.exchange_is_over = 1


@helper
def begin_client_flight(h, p, m):
    """The client's first protected record after the ServerHello: its Finished, or a bound of it."""
    is_exact = np.int64(m.length) == finished_length(np.int64(h.cipher_suite))
    basis = INFERRED if is_exact else BOUNDED
    p.in_flight = 1
    p.is_finished = 1 if is_exact else 0
    p.flight_peer_records = m.peer_records
    p.finished_records = h.client_records
    mark_step(h, CLIENT_FINISHED, m, basis)
    if m.peer_records > 0:
        if h.early_records > 0:
            basis = BOUNDED  # the server may have answered the early data before
        set_step(h, SERVER_FINISHED, basis, m.peer_ts, m.peer_number, m.peer_ts, m.peer_number)


@helper
def read_client_record(h, p, m):
    """A protected record of the client in TLS 1.3, or one before the ServerHello (early data)."""
    if h.step_basis[SERVER_HELLO] == ABSENT:
        h.early_records += 1
        mark_step(h, FIRST_CLIENT_DATA, m, INFERRED)
        return
    length = np.int64(m.length)
    if is_alert_length(h, length):
        step = CLIENT_CLOSE if p.in_flight else ALERT
        set_step(h, step, INFERRED, m.first_ts, m.first_number, m.last_ts, m.last_number)
        return
    clear_step(h, CLIENT_CLOSE)
    if p.in_flight == 0:
        begin_client_flight(h, p, m)
        return
    if p.is_finished == 0:
        if np.int64(m.peer_records) != np.int64(p.flight_peer_records):
            p.is_finished = 1  # the flight is over: the bound stays
        elif length == finished_length(np.int64(h.cipher_suite)):
            p.is_finished = 1
            p.finished_records = h.client_records
            set_step(h, CLIENT_FINISHED, INFERRED, m.first_ts, m.first_number, m.last_ts, m.last_number)
            if h.step_basis[SERVER_FINISHED] == BOUNDED and h.early_records == 0:
                h.step_basis[SERVER_FINISHED] = INFERRED
            if h.early_records == 0:
                clear_step(h, FIRST_CLIENT_DATA)
            return
    read_client_data(h, p, m, np.int64(h.step_basis[CLIENT_FINISHED]))


@helper
def finish_client(h, p):
    """The client's Finished of TLS 1.3 was read: what follows of it is data."""
    p.in_flight = 1
    p.is_finished = 1
    p.finished_records = h.client_records


@helper
def read_opened(h, p, m, c, is_client):
    """A record that was decrypted: rows of their own tell of what is inside, but for application data."""
    if m.alert != 23:
        return
    if not is_client:
        read_server_data(h, p, m, c)
        return
    if h.step_basis[SERVER_HELLO] == ABSENT or (is_tls13_version(np.int64(h.version)) and p.is_finished == 0):
        h.early_records += 1
    read_client_data(h, p, m, MEASURED)


@helper
def read_protected(h, p, m, c):
    """One protected record: of outer type application_data, or an encrypted alert or handshake message of TLS 1.2 and before."""
    is_client = np.int64(m.sender) == np.int64(h.client)
    kind = np.int64(m.content_type)
    is_tls13 = is_tls13_version(np.int64(h.version))
    if kind == 23:
        if is_client:
            h.client_records += 1
            h.client_data_bytes += m.length
        else:
            h.server_records += 1
            h.server_data_bytes += m.length
        if is_tls13:
            if is_client:
                p.client_protected = 1
            else:
                p.server_protected = 1
    if p.client_protected and p.server_protected:
        h.is_established = 1
    if np.int64(m.marks) & OPENED:
        if not is_tls13 and is_client and p.server_protected == 0 and m.alert == 23:
            h.is_false_start = 1
        read_opened(h, p, m, c, is_client)
    elif kind == 22:
        mark_step(h, CLIENT_FINISHED if is_client else SERVER_FINISHED, m, MEASURED)
    elif kind == 21:
        if np.int64(m.marks) & DAMAGED == 0:
            mark_step(h, CLIENT_CLOSE if is_client else SERVER_CLOSE, m, INFERRED)
    elif kind == 23 and is_client:
        if is_tls13 or h.version == 0:
            read_client_record(h, p, m)
        else:
            if p.server_protected == 0 and p.client_protected and h.step_basis[FIRST_CLIENT_DATA] == ABSENT:
                h.is_false_start = 1
            read_client_data(h, p, m, MEASURED)
    elif kind == 23:
        if is_tls13:
            read_server_record(h, p, m, c)
        else:
            read_server_data(h, p, m, c)


@helper
def is_protected(m):
    """The row is about a record whose content cannot be read."""
    return np.int64(m.content_type) >= 21 and np.int64(m.marks) & PROTECTED != 0
