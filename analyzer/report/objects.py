"""Table ``objects``: one row per body that was kept as a file. Only there when bodies are wanted (``Context.bodies``)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.messages.http.bodies import Bodies, Body
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.identity import IDENTITY, Identity
from analyzer.report.text import booleans, chosen, counts, ints, words
from analyzer.tables import Ints, Rows

SIDES: Final = ("request", "response")
NAME_LENGTH: Final = 80
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")

COLUMNS: Final = (
    *IDENTITY,
    Column("index", "number", "rank of the exchange on its connection, see ``http``"),
    Column("direction", "text", "whose body it is: request or response"),
    Column("first_frame", "number", "frame in which the message begins"),
    Column("last_frame", "number", "frame in which it ends"),
    Column("method", "text", "method of the request"),
    Column("url", "text", "URL of the exchange"),
    Column("status", "number", "status code of the response"),
    Column("content_type", "text", "Content-Type that was declared"),
    Column("media_type", "text", "what it is by its first bytes"),
    Column("content_encoding", "text", "Content-Encoding of a response", caveat="taken off where it is gzip, deflate, br or zstd"),
    Column("filename", "text", "file name in Content-Disposition"),
    Column("wire_bytes", "number", "bytes of the body on the wire, chunk framing left out", "bytes"),
    Column("object_bytes", "number", "bytes of the file", "bytes"),
    Column("is_whole", "truth", "the file is all of the body"),
    Column(
        "cut", "text", "why it is not: a limit, or what could not be read", caveat="absent also where bytes are missing or it did not end"
    ),
    Column("sha256", "text", "SHA-256 of the file"),
    Column("path", "text", "the file, in the folder of objects"),
)


def safe_name(connection: int, index: int, side: str, url: str | None, filename: str | None) -> str:
    """Name of the file of a body: unlike all others, and harmless on every system (letters, digits, ``.``, ``_`` and ``-`` only)."""
    name = filename or ""
    if not name:
        try:
            name = urlsplit(url or "").path.rpartition("/")[2]
        except ValueError:  # no URL
            name = ""
    name = _UNSAFE.sub("_", re.split(r"[/\\]", unquote(name))[-1]).strip("._-")[-NAME_LENGTH:]
    return f"{connection}-{index}-{side}{'-' if name else ''}{name.strip('._-')}"


def _is_whole(row: np.void, side: str, body: Body) -> bool:
    lost = int(row["request_missing_bytes"])
    lost = lost if side == "request" else int(row["missing_bytes"]) - lost
    return bool(row[f"{side}_complete"]) and not body.cut and lost == 0 and body.wire_bytes == int(row[f"{side}_body_bytes"])


def build_objects(finished: Finished, http: Sheet, identity: Identity, bodies: Bodies) -> Sheet:
    """The bodies of one flush, which are over now; a loop over files.

    Args:
        finished: the rows of the connections that leave.
        http: the table of their exchanges, in the order of ``finished.exchanges``.
        identity: who talks to whom.
        bodies: what keeps them.

    Returns:
        The table; ``bodies`` knows the files by their paths in it.
    """
    x: Rows = finished.exchanges
    numbers = np.stack([x["request_object"], x["response_object"]], axis=1).reshape(-1)
    at = np.flatnonzero(numbers > 0)
    at = at[np.argsort(identity.numbers[finished.exchange_order[at // 2]], kind="stable")]
    place, is_response = at // 2, at % 2
    order = finished.exchange_order[place]
    told = http.select(("method", "url", "request_content_type", "response_content_type", "request_media_type", "response_media_type",
                        "content_encoding", "request_filename", "response_filename")).take(place).to_pylist()  # fmt: skip
    sides = [SIDES[which] for which in is_response.tolist()]
    rows = x.view(np.ndarray)[place]
    names = [
        safe_name(int(connection), int(row["index"]), side, one["url"], one[f"{side}_filename"])
        for connection, row, side, one in zip(identity.numbers[order], rows, sides, told, strict=True)
    ]
    closed = [bodies.close(int(number), name) for number, name in zip(numbers[at], names, strict=True)]
    whole = [_is_whole(row, side, body) for row, side, body in zip(rows, sides, closed, strict=True)]

    def of_side(name: str) -> Ints:
        both = np.stack([rows[f"{side}_{name}"] for side in SIDES], axis=1)
        return np.asarray(both[np.arange(len(at)), is_response], np.int64)

    return make_sheet(
        COLUMNS,
        {
            **identity.at(order),
            "index": ints(rows["index"]),
            "direction": chosen(SIDES, is_response),
            "first_frame": counts(of_side("first_number")),
            "last_frame": counts(of_side("last_number")),
            "method": words([one["method"] for one in told]),
            "url": words([one["url"] for one in told]),
            "status": ints(rows["status"], rows["has_response"] == 1),
            "content_type": words([one[f"{side}_content_type"] for side, one in zip(sides, told, strict=True)]),
            "media_type": words([one[f"{side}_media_type"] for side, one in zip(sides, told, strict=True)]),
            "content_encoding": words(
                [one["content_encoding"] if side == "response" else None for side, one in zip(sides, told, strict=True)]
            ),
            "filename": words([one[f"{side}_filename"] for side, one in zip(sides, told, strict=True)]),
            "wire_bytes": ints(of_side("body_bytes")),
            "object_bytes": ints(np.array([body.size for body in closed], np.int64)),
            "is_whole": booleans(np.array(whole, np.bool_)),
            "cut": words([body.cut or None for body in closed]),
            "sha256": words([body.sha256 for body in closed]),
            "path": words(names),
        },
    )
