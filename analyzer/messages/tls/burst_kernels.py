# mypy: allow-untyped-defs
"""Bursts of encrypted data: what one end sends before the other answers, told by its records (no keys needed).

Small records are left out where they would begin a burst, those of clients always: the alerts of TLS 1.3, and frames that HTTP/2 sends
at any time (SETTINGS acknowledgements, WINDOW_UPDATE, PING).
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, kernel
from analyzer.tables.tls import DAMAGED, PROTECTED

SMALL = 1 + 16 + 2 * 13  # body of a record of TLS 1.3 that holds no more than two WINDOW_UPDATE frames
SMALL_12 = 8 + 16 + 2 * 13  # and of one of TLS 1.2 with its explicit nonce
ALERT = 1 + 16 + 2  # an alert of TLS 1.3
MOST = 4096  # bursts of one connection


@kernel
def find_bursts(messages, first, used, handshakes, last, counts, bursts, top):
    """Add the records of ``messages[first:used]`` to BURST rows; (status, next message, rows in use).

    ``last``: by connection, 1 + the row of its last burst; ``counts``: how many it has.
    """
    for i in range(first, used):
        m = messages[i]
        if m.content_type != 23 or np.int64(m.marks) & PROTECTED == 0 or np.int64(m.marks) & DAMAGED:
            continue
        c = np.int64(m.connection)
        h = handshakes[c]
        small = SMALL if np.int64(h.version) >= 0x0304 or h.version == 0 else SMALL_12
        at = last[c] - 1
        if m.length <= small and (m.sender == h.client or m.length <= ALERT or at < 0 or bursts[at].sender != m.sender):
            continue
        if counts[c] >= MOST:
            continue
        if at < 0 or bursts[at].sender != m.sender:
            if top >= bursts.size:
                return GROW_ROWS, i, top
            at = top
            top += 1
            counts[c] += 1
            last[c] = at + 1
            b = bursts[at]
            b.connection = m.connection
            b.sender = m.sender
            b.records = 0
            b.data_bytes = 0
            b.first_ts = m.first_ts
            b.first_number = m.first_number
        b = bursts[at]
        b.records += 1
        b.data_bytes += m.length
        b.last_ts = m.last_ts
        b.last_number = m.last_number
    return DONE, used, top
