"""Exchanges of encrypted HTTP, told by bursts: what the client sends, then what the server sends.

The first exchange has the bounds that the handshake's reader found (it knows Finished and session tickets); each further burst of the
client begins another one. Exact where requests follow answers (HTTP/1, an idle connection); where several are under way at once (HTTP/2)
they are one exchange.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Mask
from analyzer.tables import Ints, Rows, new_table, take_rows
from analyzer.tables.http import EXCHANGE
from analyzer.tables.services import HTTP, TLS
from analyzer.tables.tls import STEP_CODES

HTTPS_PORTS: Final = (443, 8443)


def speaks_https(finished: Finished) -> Mask:
    """(n,) connections whose TLS carries HTTP in all likelihood, and of which nothing was read inside."""
    c, s, h = finished.connections, finished.services, finished.handshakes
    port = np.where(c["flipped"] == 1, c["a_port"], c["b_port"])
    is_web = np.isin(port, HTTPS_PORTS) | (h["alpn_offered_size"] > 0)
    is_open: Mask = (s["protocol"] == TLS) & np.isin(s["outer"], (0, HTTP)) & (s["inner"] == 0) & (h["seen"] == 1) & is_web
    return is_open


def infer_exchanges(finished: Finished) -> tuple[Rows, Ints]:
    """EXCHANGE rows with ``is_inferred`` and the output position of their connections, in order."""
    b, h = finished.bursts, finished.handshakes
    if len(b) == 0:
        return new_table(EXCHANGE, 0), np.zeros(0, np.int64)
    order = finished.order_of(b["connection"].astype(np.int64))
    first_data = h["step_ts"][:, STEP_CODES["first_client_data"], 0][order]
    from_client = b["sender"] == h["client"][order]
    asked_at = np.maximum(b["first_ts"], first_data)
    is_data = speaks_https(finished)[order] & (first_data > 0) & (b["last_ts"] >= first_data)
    answer_at = h["first_response_ts"][order]
    is_data &= from_client | ((answer_at > 0) & (b["last_ts"] >= answer_at))  # before that: handshake and tickets
    kept = np.flatnonzero(is_data)
    b, order, from_client = take_rows(b, kept), order[kept], from_client[kept]
    if len(kept) == 0:
        return new_table(EXCHANGE, 0), order
    # what is left alternates, but for tickets that stood between two bursts of the client
    changes = np.ones(len(kept), np.bool_)
    changes[1:] = (order[1:] != order[:-1]) | (from_client[1:] != from_client[:-1])
    firsts = np.flatnonzero(changes)
    lasts = np.append(firsts[1:], len(kept)) - 1
    sizes = np.add.reduceat(b["data_bytes"], firsts)
    asks = np.flatnonzero(from_client[firsts])
    x = new_table(EXCHANGE, len(asks))
    first, last = firsts[asks], lasts[asks]
    where = order[first]
    x["connection"], x["client"] = b["connection"][first], h["client"][where]
    x["is_inferred"] = x["has_request"] = 1
    x["request_first_ts"], x["request_first_number"] = asked_at[kept][first], b["first_number"][first]
    is_first = np.append(True, where[1:] != where[:-1])
    code = STEP_CODES["first_client_data"]
    x["request_first_number"] = np.where(is_first, h["step_number"][where, code, 0], x["request_first_number"])
    x["request_last_ts"], x["request_last_number"] = b["last_ts"][last], b["last_number"][last]
    x["tunnel_request_bytes"] = sizes[asks]
    following = np.minimum(asks + 1, len(firsts) - 1)
    answered = (asks + 1 < len(firsts)) & (order[firsts[following]] == where) & ~from_client[firsts[following]]
    begin, end = firsts[following], lasts[following]
    x["has_response"] = answered
    floor = np.where(is_first, h["first_response_ts"][where], 0)
    for name, told in (
        ("response_first_ts", np.maximum(b["first_ts"][begin], floor)),
        ("response_first_number", np.where(is_first, h["first_response_number"][where], b["first_number"][begin])),
        ("response_last_ts", b["last_ts"][end]),
        ("response_last_number", b["last_number"][end]),
        ("tunnel_response_bytes", sizes[following]),
    ):
        x[name] = np.where(answered, told, 0)
    ranks = np.arange(len(asks))
    x["index"] = ranks - np.maximum.accumulate(np.where(is_first, ranks, 0)) + 1
    return x, where
