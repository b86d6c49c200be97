"""What a diagram shows, from packets made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analyzer.batch import Batch
from analyzer.memory import Memory
from analyzer.plot.series import KINDS, Series, is_empty, milliseconds
from analyzer.tables import new_table
from analyzer.tables.packets import PACKET
from tests.connections.rows import START, client, server, table, timed

MS = 1_000_000


def at(packet: dict[str, int], ms: int) -> dict[str, int]:
    return packet | {"ts": START + ms * MS}


def series_of(*packets: dict[str, int], options: bytes = b"") -> Series:
    memory = Memory(256, 1, 64)
    memory.data[: len(options)] = np.frombuffer(options, np.uint8)
    rows = table(packets)
    rows["sender"] = [int(packet["src_port"] == 80) for packet in packets]
    series = Series()
    series.take(Batch(memory, rows, new_table(PACKET, 0), START, len(packets)), rows)
    return series


OPENING = timed((client("S", window_scale=7), server("SA", ack=1, window_scale=2), client("A", seq=1, ack=1, window=100)))


def test_segments_by_kind() -> None:
    first, second = at(client("A", 100, 1, 1), 30), at(client("A", 50, 101, 1), 31)
    series = series_of(*OPENING, first, second, at(client("A", 100, 1, 1), 400), at(client("A", 1, 150, 1), 900))
    found = [(begin, past, KINDS[kind]) for _, begin, past, kind in series.directions[0].segments]
    assert found == [(1, 101, "data"), (101, 151, "data"), (1, 101, "retransmission"), (150, 151, "window probe or keep-alive")]
    assert milliseconds(series, [one[0] for one in series.directions[0].segments]).tolist() == [30, 31, 400, 900]
    assert series.packets == 7


def test_acknowledgements_and_the_scaled_window() -> None:
    series = series_of(
        *OPENING, at(server("A", 10, 1, 1), 20), at(client("A", 0, 1, 11, window=0), 30), at(client("A", 0, 1, 11, window=9), 40)
    )
    one = series.directions[1]
    assert [offset for _, offset in one.acks] == [1, 11]
    assert [edge for _, edge in one.windows] == [1 + (100 << 7), 11, 11 + (9 << 7)]
    assert [(ts - START) // MS for ts in one.closed] == [30]
    assert [name for _, _, name in one.flags] == ["SYN"]


def test_without_a_scale_of_both_nothing_is_scaled() -> None:
    series = series_of(*timed((client("S", window_scale=7), server("SA", ack=1), client("A", seq=1, ack=1, window=100))))
    assert [edge for _, edge in series.directions[1].windows] == [101]


def test_sack_blocks() -> None:
    first = (9000 + 201).to_bytes(4, "big") + (9000 + 301).to_bytes(4, "big")
    options: dict[str, Any] = {"offset": 0, "tcp_options": 0, "tcp_options_size": 12}
    packets = (*OPENING, at(server("A", 100, 1, 1), 20), at(server("A", 100, 201, 1), 21), at(client("A", 0, 1, 101) | options, 22))
    series = series_of(*packets, options=b"\x01\x01\x05\x0a" + first)
    assert [(begin, past) for _, begin, past in series.directions[1].sacks] == [(201, 301)]


@pytest.mark.parametrize("isn", [0, 2**31 - 50, 2**32 - 50])
def test_offsets_do_not_depend_on_the_isn(isn: int) -> None:
    packets = [packet | {"seq": isn + 100 * k, "tcp_flags": 16} for k, packet in enumerate([client("A", 100)] * 3)]
    series = series_of(*timed(packet | {"seq": packet["seq"] % 2**32} for packet in packets))
    assert [(begin, past) for _, begin, past, _ in series.directions[0].segments] == [(0, 100), (100, 200), (200, 300)]


def test_nothing_to_draw() -> None:
    assert is_empty(Series())
    assert not is_empty(series_of(*OPENING))
