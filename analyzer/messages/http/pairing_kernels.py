# mypy: allow-untyped-defs
"""Pieces of the framing kernel that make EXCHANGE rows and find the one an answer belongs to (RFC 9112 9.3.2: by order)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.tables.http import HTTP_ERROR_CODES

BAD_CONTENT_CODING, DECODED_TOO_LARGE = HTTP_ERROR_CODES["bad_content_coding"], HTTP_ERROR_CODES["decoded_too_large"]

# ---- the kernel's cursor (int64): where it stands, what is in use, the limits, and the lengths of the tables and the text
RUN_AT, BYTE_AT, USED, TUNNELS, TEXT_TOP, NEED, HEAD_LIMIT, WAIT_LIMIT, ROW_ROOM, TUNNEL_ROOM, TEXT_ROOM = range(11)
PIECES, PIECE_ROOM, CODED_TOP, CODED_ROOM, CODED_NEED, DECODES, KEEPS_HEADS = range(11, 18)
CURSOR = 18

GAP_BEFORE_RESPONSE = HTTP_ERROR_CODES["gap_before_response"]
TOO_MANY_PENDING = HTTP_ERROR_CODES["too_many_pending"]


@helper
def note(exchanges, x, code, number, counts):
    """Count an anomaly; the first one stays on its exchange (row ``x``, -1 = it has none).

    Those of the decoders, which come after this kernel has read a batch, stand behind all others, however the batches are cut.
    """
    counts[code] += 1
    if x >= 0:
        row = exchanges[x]
        if row.error == 0 or row.error == BAD_CONTENT_CODING or row.error == DECODED_TOO_LARGE:
            row.error = code
            row.error_number = number


@helper
def new_exchange(exchanges, pairing, connection, client, cursor):
    """The next row, which the caller has seen to be there; its index."""
    x = cursor[USED]
    cursor[USED] += 1
    pairing.exchanges += 1
    pairing.client = client + 1
    pairing.last = x + 1
    row = exchanges[x]
    row.connection = connection
    row.index = pairing.exchanges
    row.client = client
    return x


@helper
def wait(exchanges, pairing, x, number, counts, cursor):
    """Let an exchange wait for its answer; over the limit nothing is paired any more, so that no pair is ever wrong."""
    if pairing.is_unpaired:
        return
    if pairing.waiting >= cursor[WAIT_LIMIT]:
        pairing.is_unpaired = 1
        note(exchanges, x, TOO_MANY_PENDING, number, counts)
        return
    if pairing.waiting == 0:
        pairing.first_waiting = x + 1
    else:
        exchanges[pairing.last_waiting - 1].following = x + 1
    pairing.last_waiting = x + 1
    pairing.waiting += 1


@helper
def answered(exchanges, pairing):
    """The oldest exchange has its final answer and waits no more."""
    row = exchanges[pairing.first_waiting - 1]
    pairing.first_waiting = row.following
    row.following = 0
    pairing.waiting -= 1
    if pairing.waiting == 0:
        pairing.last_waiting = 0


@helper
def find_waiting(exchanges, pairing, is_after_gap, number, counts):
    """Row of the exchange that the next answer belongs to, -1 = none waits.

    After a gap in which heads may have been lost it is the newest: without pipelining a client asks again only after its answer.
    """
    if is_after_gap and pairing.waiting > 1:
        while pairing.waiting > 1:
            answered(exchanges, pairing)
        note(exchanges, pairing.first_waiting - 1, GAP_BEFORE_RESPONSE, number, counts)
    return np.int64(pairing.first_waiting) - 1
