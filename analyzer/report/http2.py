"""Table ``http2``: one row per HTTP/2 connection, what both ends said about it."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from analyzer.lifecycle.finished import Finished
from analyzer.registries.http import HTTP2_SETTINGS, http2_error_name
from analyzer.report.built import Built
from analyzer.report.columns import Column, Sheet, empty_sheet, make_sheet
from analyzer.report.identity import IDENTITY, Identity
from analyzer.report.text import booleans, chosen, codes, counts, ints, milliseconds, named
from analyzer.tables.http import HTTP_ERRORS

SIDES: Final = ("client", "server")
_SETTINGS: Final = {
    number: name for number, name in HTTP2_SETTINGS.items() if name not in ("no_rfc7540_priorities", "enable_connect_protocol")
}

COLUMNS: Final = (
    *IDENTITY,
    Column("is_encrypted", "truth", "it was read inside of TLS, with keys"),
    Column("from_start", "truth", "its beginning is in the capture; else settings and header fields of before are unknown"),
    Column("streams", "number", "streams with a request"),
    Column("pushes", "number", "of these: pushed by the server"),
    Column("resets", "number", "streams that were reset"),
    Column("pings", "number", "PING frames that ask"),
    *(Column(f"{side}_frames", "number", f"frames that the {side} sent, DATA left out") for side in SIDES),
    *(
        Column(f"{side}_{name}", "number", f"the last {name.upper()} that the {side} set", caveat="absent: the default holds")
        for side in SIDES
        for name in _SETTINGS.values()
    ),
    *(Column(f"{side}_goaway", "text", f"error code of the {side}'s last GOAWAY, by name") for side in SIDES),
    *(Column(f"{side}_goaway_stream", "number", f"the last stream that it says was worked on by the {side}") for side in SIDES),
    *(Column(f"{side}_goaway_frame", "number", "frame of that") for side in SIDES),
    *(
        Column(f"{side}_stall_ms", "milliseconds", f"time in which the window of the whole connection held up the {side}", "ms")
        for side in SIDES
    ),
    Column("error", "text", "the first thing that was wrong with its frames"),
    Column("error_frame", "number", "frame of that"),
)


def build_http2(finished: Finished, identity: Identity) -> Sheet:
    """HTTP2_LINK rows as a report table."""
    h = finished.http2_links
    if len(h) == 0:
        return empty_sheet(COLUMNS)
    order = finished.order_of(h["connection"].astype(np.int64))
    at = np.arange(len(h))
    arrays: dict[str, Built | pa.Array] = {
        **identity.at(order),
        "is_encrypted": booleans(h["is_inside"]),
        "from_start": booleans(h["is_partial"] == 0),
        **{name: ints(h[name]) for name in ("streams", "pushes", "resets", "pings")},
        "error": chosen([name for name, _ in HTTP_ERRORS], h["error"], h["error"] > 0),
        "error_frame": counts(h["error_number"]),
    }
    for place, side in enumerate(SIDES):
        sender = h["client"] ^ place
        goaway = h["goaway_code"][at, sender]
        stall = h["stall_ns"][at, sender]
        arrays[f"{side}_frames"] = ints(h["frames"][at, sender])
        for number, name in _SETTINGS.items():
            arrays[f"{side}_{name}"] = codes(h["settings"][at, sender, number] - 1)
        arrays[f"{side}_goaway"] = named(goaway - 1, http2_error_name, goaway > 0)
        arrays[f"{side}_goaway_stream"] = ints(h["goaway_stream"][at, sender], goaway > 0)
        arrays[f"{side}_goaway_frame"] = counts(h["goaway_number"][at, sender])
        arrays[f"{side}_stall_ms"] = milliseconds(stall, stall > 0)
    return make_sheet(COLUMNS, arrays)
