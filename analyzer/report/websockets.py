"""Table ``websockets``: one row per WebSocket, what both ends sent."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from analyzer.lifecycle.finished import Finished
from analyzer.registries.http import close_name
from analyzer.report.built import Built
from analyzer.report.columns import Column, Sheet, empty_sheet, make_sheet
from analyzer.report.identity import IDENTITY, Identity
from analyzer.report.text import booleans, chosen, codes, counts, ints, milliseconds, named, padded, times
from analyzer.tables.websocket import ERRORS, REASON

SIDES: Final = ("client", "server")
_COUNTS: Final = (
    ("messages", "messages that the {} sent to their end"),
    ("text_messages", "messages of text"),
    ("binary_messages", "binary messages"),
    ("fragments", "continuation frames"),
    ("pings", "pings"),
    ("pongs", "pongs"),
    ("compressed", "messages that were compressed (RFC 7692)"),
    ("payload_bytes", "bytes of payload of messages"),
)

COLUMNS: Final = (
    *IDENTITY,
    Column("index", "number", "rank of the exchange that opened it, see ``http``"),
    Column("is_encrypted", "truth", "it was read inside of TLS, with keys"),
    Column("start_time", "time", "first byte after the upgrade", "UTC"),
    Column("duration_ms", "milliseconds", "from there to the last byte", "ms"),
    *(
        Column(f"{side}_{name}", "number", meaning.format(side), "bytes" if name.endswith("bytes") else "")
        for name, meaning in _COUNTS
        for side in SIDES
    ),
    *(Column(f"{side}_close_code", "number", f"status code of the {side}'s close frame", caveat="1005: it gave none") for side in SIDES),
    *(Column(f"{side}_close_meaning", "text", "what that says") for side in SIDES),
    *(Column(f"{side}_close_reason", "text", "reason in it") for side in SIDES),
    *(Column(f"{side}_close_frame", "number", "frame of that") for side in SIDES),
    Column("closed_by", "text", "who sent the first close frame: client or server"),
    *(Column(f"{side}_error", "text", f"the first thing that was wrong with the {side}'s frames") for side in SIDES),
    *(Column(f"{side}_error_frame", "number", "frame of that") for side in SIDES),
)


def build_websockets(finished: Finished, identity: Identity) -> Sheet:
    """WEBSOCKET rows as a report table."""
    w, both = finished.websockets, finished.websocket_ends
    if len(w) == 0:
        return empty_sheet(COLUMNS)
    order = finished.order_of(w["connection"].astype(np.int64))
    first, last = both["first_ts"].reshape(-1, 2), both["last_ts"].reshape(-1, 2).max(axis=1)
    begin = np.where(first > 0, first, np.iinfo(np.int64).max).min(axis=1)
    begin = np.where(last > 0, begin, 0)
    closed = both["close_ts"].reshape(-1, 2)
    is_closed = closed.max(axis=1) > 0
    by_server = np.where(closed > 0, closed, np.iinfo(np.int64).max).argmin(axis=1)
    arrays: dict[str, Built | pa.Array] = {
        **identity.at(order),
        "index": ints(w["exchange_index"]),
        "is_encrypted": booleans(w["is_inside"]),
        "start_time": times(begin),
        "duration_ms": milliseconds(last - begin, last > 0),
        "closed_by": chosen(SIDES, by_server, is_closed),
    }
    for place, side in enumerate(SIDES):
        e = both[place::2]
        for name, _ in _COUNTS:
            arrays[f"{side}_{name}"] = ints(e[name])
        arrays[f"{side}_close_code"] = codes(e["close_code"].astype(np.int64) - 1)
        arrays[f"{side}_close_meaning"] = named(e["close_code"].astype(np.int64) - 1, close_name, e["close_code"] > 0)
        reason = np.where(np.arange(REASON) < e["reason_length"][:, None], np.where(e["reason"] < 32, 32, e["reason"]), 0)
        arrays[f"{side}_close_reason"] = padded(np.where(reason > 126, 63, reason).astype(np.uint8))
        arrays[f"{side}_close_frame"] = counts(e["close_number"])
        arrays[f"{side}_error"] = chosen(ERRORS, e["error"], e["error"] > 0)
        arrays[f"{side}_error_frame"] = counts(e["error_number"])
    return make_sheet(COLUMNS, arrays)
