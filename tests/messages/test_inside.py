"""Child runs of two connections to exchanges that follow those from outside."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.inside import Inside
from analyzer.messages.web import Taken
from analyzer.options import Options
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.http import EXCHANGE
from analyzer.tables.http2 import HTTP2_LINK
from analyzer.tables.packets import INTERFACE, PACKET
from analyzer.tables.services import HTTP, HTTP2, SERVICE
from analyzer.tables.streams import RUN
from analyzer.tables.websocket import WEBSOCKET, WEBSOCKET_END

REQUEST = b"GET /a HTTP/1.1\r\nHost: h\r\nAuthorization: Basic dXNlcjpwYXNz\r\n\r\n"
RESPONSE = b"HTTP/1.1 204 No Content\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def left(options: Options, sends: list[tuple[int, int, bytes]], outside: Rows) -> tuple[Inside, Rows, Rows, bytes]:
    memory = Memory(1 << 16, 1, 1 << 18)
    inside, runs, top = Inside(memory, options), new_table(RUN, len(sends)), 0
    for run, (connection, sender, content) in zip(runs, sends, strict=True):
        memory.data[top : top + len(content)] = np.frombuffer(content, np.uint8)
        run.connection, run.sender, run.position, run.run_size = connection, sender, top, len(content)
        top += len(content)
    batch = Batch(memory, new_table(PACKET, 0), new_table(INTERFACE, 0), 0, 0)
    inside.process_runs(batch, runs, new_table(CONNECTION, 4))
    services = new_table(SERVICE, 3)
    part = outside, np.frombuffer(b"outer text", np.uint8)
    nothing = new_table(HTTP2_LINK, 0), new_table(WEBSOCKET, 0), new_table(WEBSOCKET_END, 0)
    (exchanges, text), links, _, _ = inside.add_to(np.array([3, 1, 2]), services, Taken(part, *nothing))
    assert links["is_inside"].all()
    return inside, services, exchanges, text.tobytes()


@pytest.mark.parametrize("include", [False, True])
def test_exchanges_follow_and_credentials_stay(*, include: bool) -> None:
    outside = new_table(EXCHANGE, 1)
    outside.connection, outside.index, outside.method, outside.method_size = 1, 1, 6, 4
    sends = [(1, 0, REQUEST), (1, 1, RESPONSE), (2, 0, PREFACE), (3, 0, REQUEST)]
    _, services, exchanges, text = left(Options(include_secrets=include), sends, outside)
    assert services["inner"].tolist() == [HTTP, HTTP, HTTP2]
    assert [(int(x.connection), int(x.index)) for x in exchanges] == [(3, 1), (1, 1), (1, 2)]
    assert [text[x.method : x.method + x.method_size] for x in exchanges] == [b"GET", b"text", b"GET"]
    x = exchanges[2]
    assert text[x.username : x.username + x.username_size] == (b"user" if include else b"")


def test_nothing_inside_costs_nothing() -> None:
    outside = new_table(EXCHANGE, 2)
    inside, services, exchanges, text = left(Options(), [], outside)
    assert exchanges is outside
    assert text == b"outer text"
    assert not services["inner"].any()
    inside.release(np.array([100]))
