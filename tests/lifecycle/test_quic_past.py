"""What was before and beside QUIC, across flushes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.quic_past import QuicPast
from analyzer.tables import Bytes, Rows, new_table
from analyzer.tables.connections import CONNECTION, WAS_RETURNED
from analyzer.tables.tls import HANDSHAKE
from tests.lifecycle.builders import MS, finished

TLS = {"protocol": 6, "a_lo": 1, "a_port": 40_000, "b_lo": 9, "b_port": 443}
QUIC = {**TLS, "protocol": 17}
NOTHING = new_table(CONNECTION, 0), (new_table(HANDSHAKE, 0), np.zeros(1, np.uint8))


def flush(*connections: dict[str, int], with_quic: bool = True) -> Finished:
    rows = [{"seen": int(one["protocol"] == 17)} for one in connections]
    return finished(list(connections), handshakes=[{"seen": 1} for _ in connections], quic=rows if with_quic else [])


def none() -> Iterator[tuple[Rows, Bytes]]:
    raise AssertionError("nobody needs the responses of open connections")
    yield


def test_without_quic_nothing_is_kept() -> None:
    past = QuicPast()
    f = flush(TLS, with_quic=False)
    assert past.add_to(f, *NOTHING, none()) is f
    told = past.add_to(flush(QUIC), *NOTHING, iter(()))
    assert told.beside == ()
    assert not told.learned["how"].any()


def test_a_connection_that_left_before_is_beside() -> None:
    past = QuicPast(most=2)
    past.add_to(flush({**TLS, "first_ts": 3 * MS}), *NOTHING, none())
    assert [side.first_ts for side in past.add_to(flush(QUIC), *NOTHING, iter(())).beside] == [3 * MS]
    assert past.add_to(flush({**QUIC, "a_lo": 2}), *NOTHING, iter(())).beside == ()
    past.add_to(flush(TLS, TLS), *NOTHING, none())
    assert [side.first_ts for side in past.add_to(flush(QUIC), *NOTHING, iter(())).beside] == [0, 0]


def test_an_open_connection_is_beside() -> None:
    hot = flush({**TLS, "number": 3, "first_ts": 5}, {**TLS, "number": 4, "marks": WAS_RETURNED}, {**TLS, "number": 5, "a_lo": 2})
    told = QuicPast().add_to(flush(QUIC), hot.connections, (hot.handshakes, np.zeros(1, np.uint8)), iter(()))
    assert [(side.number, side.ip_bytes) for side in told.beside] == [(3, -1)]
