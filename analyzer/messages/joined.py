"""Exchanges of several dissectors made one table, when their connections leave: numbered through, their text in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np

from analyzer.tables import Bytes, Ints, Rows, join_tables, take_rows
from analyzer.tables.http import EXCHANGE

_SPANS: Final = tuple(name.removesuffix("_size") for name in EXCHANGE.names or () if name.endswith("_size"))
_REQUEST: Final = (
    *(name
    for name in EXCHANGE.names or ()
    if name.startswith("request_") and not name.startswith(("request_start", "request_coding", "request_is", "request_decoded"))),
    "has_request", "method", "method_size", "target", "target_size", "host", "host_size", "referrer", "referrer_size", "user_agent",
     "user_agent_size", "origin", "origin_size", "username", "username_size", "proxied", "proxied_size")  # fmt: skip

Part: TypeAlias = tuple[Rows, Bytes]
"""EXCHANGE rows ordered by (place of their connection, index), and the text of their spans."""


def join_exchanges(rows: Ints, parts: Sequence[Part]) -> Part:
    """The exchanges of connections ``rows``: those of a later part follow those of the parts before it on their connection."""
    there = [part for part in parts if len(part[0])]
    if len(there) < 2:
        return there[0] if there else parts[0]
    ranks = np.zeros(int(rows.max()) + 1, np.int64)
    ranks[rows] = np.arange(len(rows))
    before, top, moved = np.zeros(len(rows), np.int64), 0, []
    for exchanges, text in there:
        order = ranks[exchanges["connection"]]
        if top:
            for name in _SPANS:
                exchanges[name] += top
            exchanges["index"] += before[order]
        before += np.bincount(order, minlength=len(rows))
        top += len(text)
        moved.append(exchanges)
    both = join_tables(moved)
    both = take_rows(both, np.lexsort((both["index"], ranks[both["connection"]])))
    return both, np.concatenate([text for _, text in there])


def fold_upgrades(exchanges: Rows) -> Rows:
    """A request of HTTP/1 that asked for HTTP/2 and the first stream, which answers it, are one exchange (RFC 7540 3.2)."""
    streams = exchanges["stream"]
    first = np.flatnonzero((streams == 2) & (exchanges["has_request"] == 0))
    asked = first - 1
    fits = (first > 0) & (exchanges["connection"][asked] == exchanges["connection"][first])
    fits &= (exchanges["status"][asked] == 101) & (streams[asked] == 0)
    first, asked = first[fits], asked[fits]
    if len(first) == 0:
        return exchanges
    for name in _REQUEST:
        exchanges[name][first] = exchanges[name][asked]
    exchanges["info_status"][first] = 101
    for name, told in (("info_ts", "response_first_ts"), ("info_number", "response_first_number"),
                       ("info_reason", "reason"), ("info_reason_size", "reason_size")):  # fmt: skip
        exchanges[name][first] = exchanges[told][asked]
    kept = np.ones(len(exchanges), np.bool_)
    kept[asked] = False
    for x in asked.tolist():  # rare
        later = (exchanges["connection"] == exchanges["connection"][x]) & (np.arange(len(exchanges)) > x)
        exchanges["index"][later] -= 1
    return take_rows(exchanges, np.flatnonzero(kept))
