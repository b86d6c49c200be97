"""The WebSocket of a capture."""

from __future__ import annotations

from pathlib import Path

import analyzer

CAPTURES = Path(__file__).parents[2] / "captures"


def test_what_the_recipe_says() -> None:
    report = analyzer.analyze(CAPTURES / "websocket.pcapng")
    (row,) = report.websockets.itertuples()
    assert (row.client_messages, row.server_messages, row.client_pings, row.server_pongs, row.client_fragments) == (3, 3, 1, 1, 3)
    assert (row.client_payload_bytes, row.client_close_code, row.server_close_meaning, row.closed_by) == (
        3020,
        1000,
        "normal closure",
        "client",
    )
    assert report.http.is_upgraded.tolist() == [True]
    assert analyzer.analyze(CAPTURES / "http-plain.pcapng").websockets.empty
