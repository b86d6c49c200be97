"""Every step of a connection as a row: what happened, when, in which frames."""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.tables import Bytes, Ints, Rows, join_tables, new_table, take_rows
from analyzer.tables.dns import CAUSED
from analyzer.tables.lifecycle import EXCHANGE_STEPS, LOOKUP_STEPS, MILESTONE, TRANSPORT_STEPS
from analyzer.tables.tls import MEASURED, STEPS

MILESTONES = LOOKUP_STEPS + TRANSPORT_STEPS + STEPS + EXCHANGE_STEPS
_CODES = {name: code for code, name in enumerate(MILESTONES)}


def _rows(name: str, first: tuple[Ints, Ints], last: tuple[Ints, Ints] | None = None, basis: Bytes | None = None) -> Rows:
    """One step of all connections; (ts, number) pairs, time 0 = it did not happen, then the row is left out."""
    there = np.flatnonzero(first[0])
    table = new_table(MILESTONE, len(there))
    if len(there) == 0:
        return table
    end = first if last is None else last
    table["order"] = there
    table["step"] = _CODES[name]
    table["basis"] = MEASURED if basis is None else basis[there]
    table["first_ts"], table["first_number"] = first[0][there], first[1][there]
    table["last_ts"], table["last_number"] = end[0][there], end[1][there]
    return table


def _exchange_rows(finished: Finished) -> list[Rows]:
    x = finished.exchanges
    tables = []
    for name, first, last in (
        ("request", "request_first", "request_last"),
        ("informational_response", "info", "info"),
        ("response", "response_first", "response_last"),
    ):
        rows = _rows(name, (x[f"{first}_ts"], x[f"{first}_number"]), (x[f"{last}_ts"], x[f"{last}_number"]))
        rows["exchange"] = x["index"][rows["order"]]
        rows["order"] = finished.exchange_order[rows["order"]]
        tables.append(rows)
    return tables


def build_milestones(finished: Finished) -> Rows:
    """MILESTONE rows ordered by (output position of the connection, time, frame, step)."""
    c, h, a = finished.connections, finished.handshakes, finished.attributions
    o, r = finished.originators, finished.responders
    caused = a["basis"] == CAUSED
    tables = [
        _rows("dns_query", (np.where(caused, a["query_ts"], 0), a["query_number"])),
        _rows("dns_answer", (np.where(caused, a["response_ts"], 0), a["response_number"])),
        _rows("syn", (c["syn_ts"], c["syn_number"])),
        _rows("syn_ack", (c["synack_ts"], c["synack_number"])),
        _rows("handshake_ack", (c["ack_ts"], c["ack_number"])),
        _rows("first_originator_data", (o["first_payload_ts"], o["first_payload_number"])),
        _rows("first_responder_data", (r["first_payload_ts"], r["first_payload_number"])),
        _rows("teardown_start", (c["teardown_ts"], c["teardown_number"])),
        _rows("teardown_end", (c["teardown_end_ts"], c["teardown_end_number"])),
    ]
    for code, name in enumerate(STEPS):
        ts, number = h["step_ts"][:, code], h["step_number"][:, code]
        tables.append(_rows(name, (ts[:, 0], number[:, 0]), (ts[:, 1], number[:, 1]), h["step_basis"][:, code]))
    tables += _exchange_rows(finished)
    table = join_tables(tables)
    return take_rows(table, np.lexsort((table["step"], table["first_number"], table["first_ts"], table["order"])))
