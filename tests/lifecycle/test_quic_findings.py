"""Each rule of QUIC: one row that makes it fire, and one that does not."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.quic_findings import QUIC_RULES, quic_hits
from analyzer.tables.quic import PLACE_CODES
from tests.lifecycle.builders import MS, finished

PACKETS = [[2, 0, 1, 0, 0, 0, 5], [2, 0, 2, 0, 0, 0, 5]]
GOOD: dict[str, Any] = {"seen": 1, "packets": PACKETS, "largest_client_initial": 1200, "odcid_size": 8, "unvalidated_bytes": (1300, 3900)}


def flush(*rows: dict[str, Any], tcp: int = 0) -> Finished:
    connections = [{"protocol": 17, "a_lo": 1, "b_lo": 9, "b_port": 443, "first_ts": 10 * MS} for _ in rows]
    connections += [{"protocol": 6, "a_lo": 1, "b_lo": 9, "b_port": 443, "first_ts": tcp * MS}] if tcp else []
    told = [{key: value for key, value in row.items() if key != "places"} for row in rows]
    f = finished(connections, quic=[*told, *([{}] if tcp else [])], handshakes=[{"seen": 1} for _ in connections])
    for q, row in zip(f.quic, rows, strict=False):
        for name, (ms, number) in {"first_client_initial": (10, 1), **row.get("places", {})}.items():
            q.place_ts[PLACE_CODES[name]], q.place_number[PLACE_CODES[name]] = ms * MS, number
    return f


def fired(*rows: dict[str, Any], tcp: int = 0) -> dict[str, tuple[int, int]]:
    """Rule -> (frame, amount)."""
    return {hit.rule: (int(hit.number[0]), int(hit.amount[0])) for hit in quic_hits(flush(*rows, tcp=tcp))}


def test_nothing_stands_out() -> None:
    assert fired(GOOD) == {}
    assert quic_hits(finished([{}])) == []


SILENT = {**GOOD, "packets": [[3, 0, 0, 0, 0, 0, 0], [0] * 7], "unvalidated_bytes": (3600, 0)}
AGAIN = {"retry": (30, 2), "second_initial": (31, 3)}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (SILENT, {"quic.unanswered": (1, 3)}),
        ({**GOOD, "places": AGAIN}, {"quic.retry": (2, 21 * MS)}),
        ({**GOOD, "places": {"version_negotiation": (30, 2)}}, {"quic.version_negotiation": (2, 0)}),
        ({**GOOD, "error": 2, "error_number": 7, "not_opened": 3}, {"quic.not_opened": (7, 3)}),
        ({**GOOD, "error": 1, "error_number": 7}, {"quic.malformed": (7, 1)}),
        ({**GOOD, "unvalidated_bytes": (1300, 3901)}, {"quic.amplification": (1, 3901)}),
        ({**GOOD, "largest_client_initial": 1199}, {"quic.small_initial": (1, 1199)}),
        ({**GOOD, "close_kind": 1, "close_code": 0x128, "places": {"close": (40, 4)}}, {"quic.transport_error": (4, 0x128)}),
        ({**GOOD, "close_kind": 2, "close_code": 0x102, "places": {"close": (40, 4)}}, {"quic.application_error": (4, 0x102)}),
        ({**GOOD, "close_kind": 2, "close_code": 0x100, "places": {"close": (40, 4)}}, {}),
        ({**GOOD, "paths": 2, "places": {"migration": (40, 4)}}, {"quic.migration": (4, 2)}),
    ],
)
def test_rules(fields: dict[str, Any], expected: dict[str, tuple[int, int]]) -> None:
    assert fired(fields) == expected


def test_a_retry_on_every_connection() -> None:
    rows = [{**GOOD, "places": AGAIN}] * 3
    assert fired(*rows)["quic.retry_always"] == (2, 3)
    assert "quic.retry_always" not in fired(*rows, GOOD)


def test_tcp_in_place_of_quic() -> None:
    assert fired(SILENT, tcp=310) == {"quic.unanswered": (1, 3), "quic.fell_back": (1, 300 * MS)}
    assert "quic.fell_back" not in fired(SILENT, tcp=40_000)


def test_a_race() -> None:
    assert fired({**GOOD, "places": {"client_finished": (50, 5)}}, tcp=12) == {"quic.race": (1, 0)}


def test_every_rule_was_tried() -> None:
    assert len(QUIC_RULES) == 13
