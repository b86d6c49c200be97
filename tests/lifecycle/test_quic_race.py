"""QUIC beside TCP: by name or server, who won, what the loser cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.quic_race import find_races
from analyzer.tables.quic import PLACE_CODES
from tests.lifecycle.builders import MS, finished, set_step

CLIENT, SERVER = {"a_lo": 1, "a_port": 50000}, {"b_lo": 9, "b_port": 443}


def flush(*tcp: dict[str, Any], quic_end: int = 40) -> Finished:
    """A QUIC connection at 10 ms, and TLS over TCP: fields of CONNECTION and ``end`` (ms) of the handshake."""
    connections = [{**CLIENT, **SERVER, "protocol": 17, "first_ts": 10 * MS}]
    connections += [{**CLIENT, **SERVER, "protocol": 6, **{k: v for k, v in one.items() if k != "end"}} for one in tcp]
    n = len(connections)
    f = finished(
        connections,
        handshakes=[{"seen": 1} for _ in range(n)],
        quic=[{"seen": int(k == 0)} for k in range(n)],
        endpoints_a=[{"ip_bytes": 100 * (k + 1)} for k in range(n)],
        endpoints_b=[{"ip_bytes": 7} for _ in range(n)],
    )
    code = PLACE_CODES["client_finished"]
    f.quic[0].place_ts[code] = quic_end * MS
    for k, one in enumerate(tcp, 1):
        if one.get("end"):
            set_step(f.handshakes[k], "client_finished", (one["end"], 5))
    return f


@pytest.mark.parametrize(("end", "quic_won", "lead", "cost"), [(60, True, 20 * MS, 207), (25, False, 15 * MS, 107), (0, True, 0, 207)])
def test_who_won(end: int, quic_won: bool, lead: int, cost: int) -> None:  # noqa: FBT001
    races = find_races(flush({"first_ts": 12 * MS, "end": end}), np.array([0]))
    assert (races.tcp.tolist(), races.is_race.tolist()) == ([1], [True])
    assert (races.quic_won[0], races.lead[0], races.loser_bytes[0]) == (quic_won, lead, cost)


def test_the_nearest_one_counts() -> None:
    races = find_races(flush({"first_ts": 900 * MS, "end": 1000}, {"first_ts": 5 * MS, "end": 30}), np.array([0]))
    assert races.tcp.tolist() == [2]


@pytest.mark.parametrize("other", [{"a_lo": 2}, {"b_lo": 8}, {"b_port": 8443}])
def test_other_clients_and_servers_do_not_count(other: dict[str, int]) -> None:
    assert len(find_races(flush({"first_ts": 12 * MS, "end": 30, **other}), np.array([0])).quic) == 0


def test_too_late_is_no_race() -> None:
    assert not find_races(flush({"first_ts": 2000 * MS, "end": 2030}), np.array([0])).is_race.any()
    assert not find_races(flush({"first_ts": 12 * MS}, quic_end=0), np.array([0])).is_race.any()
