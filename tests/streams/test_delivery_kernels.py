"""The round trip that decides how long a hole may stay open."""

from __future__ import annotations

import pytest

from analyzer.streams.delivery_kernels import round_trip_ns
from analyzer.tables import new_table
from analyzer.tables.connections import CONNECTION


@pytest.mark.parametrize(
    ("known", "number", "expected"),
    [
        ({}, 9, 0),
        ({"syn": 100, "synack": 130, "ack": 150}, 9, 50),
        ({"syn": 100, "synack": 130, "ack": 150}, 2, 0),  # the ACK is frame 3: not known yet
        ({"synack": 130, "ack": 150}, 9, 20),
        ({"ack": 150}, 9, 0),
        ({"syn": 100, "last_syn": 140, "synack": 145, "ack": 150}, 9, 10),
        ({"syn": 200, "synack": 130, "ack": 150}, 9, 0),  # the clock went backwards
    ],
)
def test_round_trip(known, number, expected):
    c = new_table(CONNECTION, 1)[0]
    for name, ts in known.items():
        c[f"{name}_ts"] = ts
        if name != "last_syn":
            c[f"{name}_number"] = {"syn": 1, "synack": 2, "ack": 3}[name]
    assert round_trip_ns(c, number) == expected
