"""Bursts: which records count, and when a new one begins."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS
from analyzer.messages.tls.burst_kernels import MOST, SMALL, find_bursts
from analyzer.tables import new_table
from analyzer.tables.tls import BURST, DAMAGED, HANDSHAKE, PROTECTED, TLS_MESSAGE


def test_records_make_bursts() -> None:
    rows = [(0, 500, PROTECTED, 23), (0, SMALL, PROTECTED, 23), (0, 90, PROTECTED, 23), (1, 30, PROTECTED, 23), (0, 44, PROTECTED, 23),
            (1, 900, PROTECTED | DAMAGED, 23), (1, 900, PROTECTED, 22), (1, 900, PROTECTED, 23)]  # fmt: skip
    messages = new_table(TLS_MESSAGE, len(rows))
    for k, (message, (sender, length, marks, kind)) in enumerate(zip(messages, rows, strict=True)):
        message.sender, message.length, message.marks, message.content_type = sender, length, marks, kind
        message.first_ts = message.first_number = 10 * k + 1
        message.last_ts = message.last_number = 10 * k + 2
    handshakes, bursts = new_table(HANDSHAKE, 1), new_table(BURST, 1)
    handshakes.version = 0x0304
    last, counts = np.zeros(1, np.int64), np.zeros(1, np.int64)
    assert find_bursts(messages, 0, len(rows), handshakes, last, counts, bursts, 0) == (GROW_ROWS, 7, 1)
    more = new_table(BURST, 2)
    more[:1] = bursts
    assert find_bursts(messages, 7, len(rows), handshakes, last, counts, more, 1) == (DONE, 8, 2)
    assert find_bursts(messages, 3, 4, handshakes, last, counts, more, 2) == (DONE, 4, 2)  # the end of an answer may be small
    assert (more[1].records, more[1].last_number) == (2, 32)
    more[1].records, more[1].data_bytes, more[1].last_number = 1, 900, 72
    assert more[["sender", "records", "data_bytes", "first_number", "last_number"]].tolist() == [(0, 3, 634, 1, 42), (1, 1, 900, 71, 72)]
    counts[0] = MOST
    assert find_bursts(messages, 0, 1, handshakes, last, counts, more, 2) == (DONE, 1, 2)
