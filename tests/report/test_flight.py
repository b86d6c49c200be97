"""Connections in flight in words: a recording stopped in the middle."""

from __future__ import annotations

from pathlib import Path

from analyzer.options import Limits, Options
from analyzer.pipeline import Pipeline
from analyzer.report.flight import address_of

CAPTURES = Path(__file__).parents[2] / "captures"


def test_names_and_phases_while_a_page_loads() -> None:
    seen: dict[int, set[tuple[str, str, str]]] = {}
    pipeline = Pipeline(Options(limits=Limits(arena_bytes=4 << 20, packets_per_batch=1)))

    def look(_done: int, _total: int | None) -> None:
        pipeline.now_ns = pipeline.quality.last_ts
        for flight in pipeline.in_flight(20)[1]:
            seen.setdefault(flight.number, set()).add((flight.host, flight.service, flight.phase))

    for _ in pipeline.run([str(CAPTURES / "https-tls13.pcapng")], look):
        pass
    phases = [phase for _, _, phase in set().union(*seen.values())]
    assert "waiting for the DNS answer" in phases
    assert "waiting for SYN+ACK" in phases
    assert "waiting for ServerHello" in phases
    assert {("www.example.org", "tls", "waiting for ServerHello"), ("www.example.org", "tls", "closing")} <= seen[2]


def test_addresses() -> None:
    assert address_of(0, 0x7F000001, 4) == "127.0.0.1"
    assert address_of(0x20010DB8 << 32, 1, 6) == "2001:db8::1"
