"""Finished connections made by hand for lifecycle tests: name the fields that matter, the rest is zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from analyzer.lifecycle.finished import Finished, Texts
from analyzer.tables import Rows, new_table
from analyzer.tables.connections import CONNECTION, ENDPOINT, FLOW, WAIT
from analyzer.tables.dns import ATTRIBUTION, LOOKUP, RESOURCE_RECORD
from analyzer.tables.http import EXCHANGE
from analyzer.tables.http2 import HTTP2_LINK
from analyzer.tables.quic import LEARNED, QUIC
from analyzer.tables.services import SERVICE
from analyzer.tables.streams import STREAM
from analyzer.tables.tls import BURST, CHAIN_LINK, HANDSHAKE, MEASURED, STEP_CODES
from analyzer.tables.websocket import WEBSOCKET, WEBSOCKET_END

MS = 1_000_000


def fill(row_type: np.dtype[Any], rows: list[dict[str, Any]]) -> Rows:
    table = new_table(row_type, len(rows))
    for row, fields in zip(table, rows, strict=True):
        for name, value in fields.items():
            row[name] = value
    return table


def set_step(row: Any, name: str, first: tuple[int, int], last: tuple[int, int] | None = None, basis: int = MEASURED) -> None:
    """Set one handshake step of a HANDSHAKE row from (ms, frame) pairs."""
    code = STEP_CODES[name]
    for end, (ms, number) in enumerate((first, last or first)):
        row["step_ts"][code, end] = ms * MS
        row["step_number"][code, end] = number
    row["step_basis"][code] = basis


def finished(connections: list[dict[str, Any]], **tables: list[dict[str, Any]]) -> Finished:
    """Connections in rows 5, 6, ... of the hot tables; other tables by name as lists of field dicts."""
    count = len(connections)
    blank: list[dict[str, Any]] = [{} for _ in range(count)]
    text = np.zeros(1, np.uint8)
    return Finished(
        rows=np.arange(5, 5 + count),
        connections=fill(CONNECTION, [{"protocol": 6, "number": k + 1, **fields} for k, fields in enumerate(connections)]),
        endpoints_a=fill(ENDPOINT, tables.get("endpoints_a", blank)),
        endpoints_b=fill(ENDPOINT, tables.get("endpoints_b", blank)),
        originator_flows=fill(FLOW, tables.get("originator_flows", blank)),
        responder_flows=fill(FLOW, tables.get("responder_flows", blank)),
        originator_streams=fill(STREAM, tables.get("originator_streams", blank)),
        responder_streams=fill(STREAM, tables.get("responder_streams", blank)),
        waits=fill(WAIT, tables.get("waits", [])),
        handshakes=fill(HANDSHAKE, tables.get("handshakes", blank)),
        attributions=fill(ATTRIBUTION, tables.get("attributions", blank)),
        services=fill(SERVICE, tables.get("services", blank)),
        exchanges=fill(EXCHANGE, tables.get("exchanges", [])),
        http2_links=fill(HTTP2_LINK, tables.get("http2_links", [])),
        websockets=fill(WEBSOCKET, tables.get("websockets", [])),
        websocket_ends=fill(WEBSOCKET_END, tables.get("websocket_ends", [])),
        bursts=fill(BURST, tables.get("bursts", [])),
        chain_links=fill(CHAIN_LINK, tables.get("chain_links", [])),
        lookups=fill(LOOKUP, tables.get("lookups", [])),
        records=fill(RESOURCE_RECORD, tables.get("records", [])),
        quic=fill(QUIC, tables.get("quic", [])),
        texts=Texts(text, text, text, text, text),
        learned=fill(LEARNED, tables.get("learned", blank if tables.get("quic") else [])),
    )
