"""The numbers of the pictures."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.html import charts
from tests.html.pages import collected

START = 1_700_000_000_000_000_000


def statistics(name: str) -> pa.Table:
    return pa.Table.from_batches(collected(name).statistics)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 5000), st.integers(0, 10**7)), min_size=1, max_size=20))
def test_traffic_adds_up(rows: list[tuple[int, float, int]]) -> None:
    table = pa.table(
        {
            "start_time": pa.array([START + start for start, _, _ in rows], pa.timestamp("ns", "UTC")),
            "duration_ms": pa.array([lasted for _, lasted, _ in rows], pa.float64()),
            "originator_bytes": pa.array([count for _, _, count in rows], pa.int64()),
            "responder_bytes": pa.array([None] * len(rows), pa.int64()),
        }
    )
    traffic = charts.traffic(table)
    assert sum(traffic.up) == pytest.approx(sum(count for _, _, count in rows), abs=charts.TIME_BINS)
    assert sum(traffic.down) == 0
    assert sum(traffic.begun) == len(rows)
    assert min(traffic.up) >= 0


def test_distributions_count_every_duration() -> None:
    table = statistics("page-load")
    for one in charts.distributions(table):
        assert sum(one.counts) == one.count == table[f"{one.phase}_ms"].drop_null().length()
        assert one.median <= one.p95 <= one.longest


def test_hosts_and_their_phases() -> None:
    hosts = {one.host: one for one in charts.host_phases(statistics("page-load"))}
    assert {"www.example.org", "static.example.net", "api.example.net"} <= set(hosts)
    assert hosts["static.example.net"].medians["tls_handshake"] is not None


def test_the_map_links_what_it_shows() -> None:
    found = charts.host_map(statistics("page-load"))
    assert found.links
    assert all(client < len(found.clients) and host < len(found.hosts) for client, host, _, _ in found.links)


def test_nothing_gives_nothing() -> None:
    table = statistics("page-load").slice(0, 0)
    assert charts.traffic(table).highest == 0
    assert charts.distributions(table) == []
    assert charts.host_phases(table) == []
    assert charts.host_map(table).links == []
    assert charts.quantile(np.zeros(0), 0.5) == 0.0


def test_dns_servers() -> None:
    rows = [row for batch in collected("failures").lookups for row in batch.to_pylist()]
    servers = charts.dns_servers(rows)
    assert servers[0]["server"] == "198.51.100.53"
    assert sum(server["lookups"] for server in servers) == len(rows)
    assert {server["server"]: server["median"] for server in servers}["203.0.113.66"] is None
