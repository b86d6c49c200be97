"""Table ``quic`` from rows: times between places, pairs by end, the spin bit, connection ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from analyzer.report.identity import Identity
from analyzer.report.quic import SPINS, build_quic, hexadecimal, spin_kinds
from analyzer.tables import new_table
from analyzer.tables.quic import PLACE_CODES, QUIC, SHORT
from tests.lifecycle.builders import MS, finished


def place(ms: int, number: int, name: str, row: np.record, basis: int = 1) -> None:
    code = PLACE_CODES[name]
    row.place_ts[code], row.place_number[code], row.place_basis[code] = ms * MS, number, basis


def table(**fields: Any) -> dict[str, Any]:
    f = finished([{"protocol": 17, "first_ts": MS, "flipped": 1}], quic=[{"seen": 1, **fields}])
    q = f.quic[0]
    for ms, number, name, basis in (
        (100, 1, "first_client_initial", 1), (120, 2, "retry", 1), (121, 3, "second_initial", 1), (141, 4, "first_server_initial", 1),
        (145, 6, "client_finished", 2), (165, 8, "confirmed", 2), (146, 7, "first_client_data", 1), (900, 9, "close", 1),
    ):  # fmt: skip
        place(ms, number, name, q, basis)
    row: dict[str, Any] = build_quic(f, Identity(f, 1)).to_pylist()[0]
    return row


def test_times() -> None:
    row = table(version=1, first_version=0x1A2A3A4A, client=1)
    told = {name: row[f"{name}_ms"] for name in ("handshake", "finished", "answer", "retry", "version_negotiation", "first_client_data")}
    assert told == {"handshake": 65, "finished": 45, "answer": 20, "retry": 21, "version_negotiation": None, "first_client_data": 46}
    assert (row["handshake_basis"], row["finished_basis"]) == ("inferred", "inferred")
    assert (row["version"], row["first_version"], row["version_code"]) == ("1", "reserved 0x1a2a3a4a", 1)
    assert (row["client"], row["retry_frame"], row["confirmed_frame"], row["quic_connection"]) == ("originator", 2, 8, 1)
    assert table(client=0, home=7)["client"] == "responder"
    assert table(client=0, home=7)["quic_connection"] == 7


def test_ends_and_close() -> None:
    row = table(client=1, dcid_changes=(5, 6), idle_timeout_ms=(0, 30000), close_kind=1, close_sender=0, close_code=0x128)
    assert (row["client_id_changes"], row["server_id_changes"]) == (6, 5)
    assert (row["client_idle_timeout_ms"], row["server_idle_timeout_ms"]) == (30000, None)
    assert (row["close_kind"], row["close_sender"], row["close_error"], row["close_frame"]) == ("transport", "server", "CRYPTO_ERROR 40", 9)
    assert row["client_lost_packets"] is None
    assert table(is_keyed=1, lost=(0, 3), client=1)["client_lost_packets"] == 3
    assert table(close_kind=2, close_code=0x100)["close_error"] == "H3_NO_ERROR"


@pytest.mark.parametrize(
    ("edges", "least", "kind"),
    [((0, 0), (0, 0), "constant"), ((5, 5), (20, 20), "spinning"), ((50, 3), (1, 20), "random"), ((9, 9), (2, 2), "random")],
)
def test_spin(edges: tuple[int, int], least: tuple[int, int], kind: str) -> None:
    q = new_table(QUIC, 1)
    q[0].packets[:, SHORT] = 60
    q[0].spin_edges, q[0].spin_least = edges, (least[0] * MS, least[1] * MS)
    place(100, 1, "first_client_initial", q[0])
    place(120, 1, "first_server_initial", q[0])
    assert SPINS[spin_kinds(q)[0][0]] == kind
    q[0].packets[1, SHORT] = 0
    assert SPINS[spin_kinds(q)[0][0]] == "none"


def test_ids() -> None:
    octets = np.array([[0xAB, 0x0C] + [0] * 18, [1] * 20], np.uint8)
    assert hexadecimal(octets, np.array([3, 0], np.uint8)).to_pylist() == ["ab0c00", None]
