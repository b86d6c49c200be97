"""HTTP/1 that becomes HTTP/2, in clear."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.messages.services import Services
from analyzer.messages.web import PROTOCOLS, Web
from analyzer.options import Options
from analyzer.tables import new_table
from analyzer.tables.connections import CONNECTION
from analyzer.tables.packets import INTERFACE, PACKET
from analyzer.tables.streams import RUN
from tests.messages.http.http2.talk import CLIENT, PREFACE, SERVER, Sender, settings

ASK = b"GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


@pytest.mark.parametrize("step", [1, 9, 1000])
@pytest.mark.parametrize("batch", [1, 1000])
def test_upgrade_makes_one_exchange_of_both(step: int, batch: int) -> None:
    c, s = Sender(), Sender()
    sends = [
        (CLIENT, ASK),
        (SERVER, SWITCH + settings() + s.status(1, 200, ("server", "two"), end=True)),
        (CLIENT, PREFACE + settings() + c.get(3, "/next")),
        (SERVER, s.status(3, 404, end=True)),
    ]
    cuts = [(who, content[at : at + step], n) for n, (who, content) in enumerate(sends, 1) for at in range(0, len(content), step)]
    memory = Memory(1 << 16, 1, 1 << 20)
    web, services = Web(memory, Options(), rows=1), Services(memory, PROTOCOLS)
    bundle, offsets = Batch(memory, new_table(PACKET, 0), new_table(INTERFACE, 0), 0, 0), [0, 0]
    for group in (
        itertools.batched(cuts, batch) if hasattr(itertools, "batched") else [cuts[k : k + batch] for k in range(0, len(cuts), batch)]
    ):
        runs, top = new_table(RUN, len(group)), 0
        memory.data[: 1 << 16] = 0xEE
        for run, (who, content, number) in zip(runs, group, strict=True):
            memory.data[top : top + len(content)] = np.frombuffer(content, np.uint8)
            run.sender, run.position, run.run_size, run.offset, run.number, run.ts = who, top, len(content), offsets[who], number, number
            offsets[who] += len(content)
            top += len(content)
        web.process_runs(bundle, services.sort(runs, new_table(CONNECTION, 1)), new_table(CONNECTION, 1))
    (x, text), links, _, _ = web.take(np.array([0]))

    def word(row: int, name: str) -> bytes:
        at, size = int(x[name][row]), int(x[f"{name}_size"][row])
        return text[at : at + size].tobytes()

    assert [word(0, "target"), word(1, "target"), word(0, "server")] == [b"/up", b"/next", b"two"]
    assert x["status"].tolist() == [200, 404]
    assert x["info_status"].tolist() == [101, 0]
    assert x["stream"].tolist() == [2, 4]
    assert x["index"].tolist() == [1, 2]
    assert x["request_last_number"].tolist() == [1, 3]
    assert x["response_last_number"].tolist() == [2, 4]
    assert links["streams"].tolist() == [2]
    assert web.anomalies == {}
    web.release(np.array([0]))
    assert len(web.take(np.array([0]))[0][0]) == 0
