"""QUIC beside TCP: by name or server, who won, what the loser cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.quic_race import LATEST_NS, find_races, sides_of
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
    assert (races.tcp.tolist(), races.is_race.tolist()) == ([2], [True])
    assert (races.quic_won[0], races.lead[0], races.loser_bytes[0]) == (quic_won, lead, cost)


def test_the_nearest_one_counts() -> None:
    races = find_races(flush({"first_ts": 900 * MS, "end": 1000}, {"first_ts": 5 * MS, "end": 30}), np.array([0]))
    assert races.tcp.tolist() == [3]


@pytest.mark.parametrize("other", [{"a_lo": 2}, {"b_lo": 8}, {"b_port": 8443}])
def test_other_clients_and_servers_do_not_count(other: dict[str, int]) -> None:
    assert len(find_races(flush({"first_ts": 12 * MS, "end": 30, **other}), np.array([0])).quic) == 0


def test_too_late_is_no_race() -> None:
    assert not find_races(flush({"first_ts": 2000 * MS, "end": 2030}), np.array([0])).is_race.any()
    assert not find_races(flush({"first_ts": 12 * MS}, quic_end=0), np.array([0])).is_race.any()


def test_connections_of_other_flushes_count() -> None:
    one = flush({"first_ts": 12 * MS, "end": 60})
    alone = replace(flush(), beside=tuple(sides_of(one)))
    races = find_races(alone, np.array([0]))
    assert (races.tcp[0], races.quic_won[0], races.lead[0], races.loser_bytes[0]) == (2, True, 20 * MS, 207)
    still_open = replace(flush(), beside=(next(sides_of(one))._replace(ip_bytes=-1),))
    assert find_races(still_open, np.array([0])).loser_bytes.tolist() == [-1]


def test_what_came_long_after_quic_does_not_count() -> None:
    late = next(sides_of(flush({"first_ts": 12 * MS, "end": 60})))._replace(ended_ts=LATEST_NS + 1)
    races = find_races(replace(flush(quic_end=0), beside=(late,)), np.array([0]))
    assert not races.is_race.any()


def test_names_are_compared_without_case() -> None:
    f = flush({"first_ts": 12 * MS, "end": 30, "b_lo": 8})
    text = np.frombuffer(b"Www.example.orgwww.example.org", np.uint8)
    for row, at in zip(f.handshakes, (0, 15), strict=True):
        row.server_name, row.server_name_size = at, 15
    assert find_races(replace(f, texts=replace(f.texts, tls=text)), np.array([0])).tcp.tolist() == [2]


def test_one_after_the_other_is_no_race() -> None:
    assert not find_races(flush({"first_ts": 1 * MS, "end": 9}), np.array([0])).is_race.any()
    assert not find_races(flush({"first_ts": 50 * MS, "end": 90}), np.array([0])).is_race.any()
    assert find_races(flush({"first_ts": 1 * MS, "end": 11}), np.array([0])).is_race.all()
