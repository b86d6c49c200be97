# mypy: allow-untyped-defs
"""Steps of connections as MILESTONE rows: one pass over the rows of a flush, each connection's steps put in order as they are found."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import DONE, GROW_ROWS, helper, kernel
from analyzer.tables.dns import CAUSED
from analyzer.tables.lifecycle import EXCHANGE_STEPS, LOOKUP_STEPS, QUIC_STEPS, TRANSPORT_STEPS
from analyzer.tables.tls import MEASURED, STEPS

FIRST_TRANSPORT = len(LOOKUP_STEPS)
FIRST_HANDSHAKE = FIRST_TRANSPORT + len(TRANSPORT_STEPS)
FIRST_EXCHANGE = FIRST_HANDSHAKE + len(STEPS)
PER_CONNECTION = FIRST_EXCHANGE + len(QUIC_STEPS)  # rows of a connection without exchanges, at most
PER_EXCHANGE = len(EXCHANGE_STEPS)
FIRST_QUIC = FIRST_EXCHANGE + PER_EXCHANGE
LONGEST_MOVE = 512  # places a row is moved to be in order; what is out of order by more has the whole table sorted

# places in ``state``
ROWS, IS_DISORDERED, STATE_SIZE = 0, 1, 2


@helper
def is_before(row, ts, number, step):
    """Whether a row stands before or at a step of the same connection: by time, frame, step."""
    if row.first_ts != ts:
        return row.first_ts < ts
    if row.first_number != number:
        return row.first_number < number
    return row.step <= step


@helper
def add_step(steps, state, first, order, step, ts, number):
    """Make room for one step among those of its connection, which begin at row ``first``; its row, -1 when it did not happen (ts 0)."""
    if ts == 0:
        return np.int64(-1)
    at = np.int64(state[ROWS])
    state[ROWS] = at + 1
    moved = 0
    while at > first and not is_before(steps[at - 1], ts, number, step):
        if moved == LONGEST_MOVE:
            state[IS_DISORDERED] = 1
            break
        steps[at] = steps[at - 1]
        at -= 1
        moved += 1
    row = steps[at]
    row.order, row.step, row.exchange, row.basis = order, step, 0, MEASURED
    row.first_ts, row.first_number, row.last_ts, row.last_number = ts, number, ts, number
    return at


@helper
def add_transport(steps, state, first, i, c, originator, responder):
    """The steps of the transport."""
    at = FIRST_TRANSPORT
    add_step(steps, state, first, i, at, c.syn_ts, c.syn_number)
    add_step(steps, state, first, i, at + 1, c.synack_ts, c.synack_number)
    add_step(steps, state, first, i, at + 2, c.ack_ts, c.ack_number)
    add_step(steps, state, first, i, at + 3, originator.first_payload_ts, originator.first_payload_number)
    add_step(steps, state, first, i, at + 4, responder.first_payload_ts, responder.first_payload_number)
    add_step(steps, state, first, i, at + 5, c.teardown_ts, c.teardown_number)
    add_step(steps, state, first, i, at + 6, c.teardown_end_ts, c.teardown_end_number)


@helper
def add_exchange(steps, state, first, i, x):
    """The steps of one HTTP exchange."""
    at = add_step(steps, state, first, i, FIRST_EXCHANGE, x.request_first_ts, x.request_first_number)
    if at >= 0:
        steps[at].exchange = x.index
        steps[at].last_ts, steps[at].last_number = x.request_last_ts, x.request_last_number
    at = add_step(steps, state, first, i, FIRST_EXCHANGE + 1, x.info_ts, x.info_number)
    if at >= 0:
        steps[at].exchange = x.index
    at = add_step(steps, state, first, i, FIRST_EXCHANGE + 2, x.response_first_ts, x.response_first_number)
    if at >= 0:
        steps[at].exchange = x.index
        steps[at].last_ts, steps[at].last_number = x.response_last_ts, x.response_last_number


@helper
def add_quic(steps, state, first, i, q):
    """The places of a QUIC connection."""
    for code in range(len(QUIC_STEPS)):
        at = add_step(steps, state, first, i, FIRST_QUIC + code, q.place_ts[code], q.place_number[code])
        if at >= 0:
            steps[at].basis = q.place_basis[code]


@kernel
def write_steps(
    i, connections, originators, responders, handshakes, quic, attributions, exchanges, first_exchange, exchange_counts, steps, state
):
    """Steps of connections ``i`` and following, as long as there is room; (status, connection to go on with)."""
    while i < connections.shape[0]:
        first = np.int64(state[ROWS])
        if first + PER_CONNECTION + PER_EXCHANGE * exchange_counts[i] > steps.shape[0]:
            return GROW_ROWS, i
        a = attributions[i]
        if a.basis == CAUSED:
            add_step(steps, state, first, i, 0, a.query_ts, a.query_number)
            add_step(steps, state, first, i, 1, a.response_ts, a.response_number)
        add_transport(steps, state, first, i, connections[i], originators[i], responders[i])
        h = handshakes[i]
        if h.seen == 1:
            for code in range(len(STEPS)):
                at = add_step(steps, state, first, i, FIRST_HANDSHAKE + code, h.step_ts[code, 0], h.step_number[code, 0])
                if at >= 0:
                    steps[at].last_ts, steps[at].last_number = h.step_ts[code, 1], h.step_number[code, 1]
                    steps[at].basis = h.step_basis[code]
        if quic.shape[0] > 0 and quic[i].seen == 1:
            add_quic(steps, state, first, i, quic[i])
        for k in range(exchange_counts[i]):
            add_exchange(steps, state, first, i, exchanges[first_exchange[i] + k])
        i += 1
    return DONE, i
