"""The fields of HTTP heads in their order and case, as JSON texts: for exporters that show them. What is secret is masked before."""

from __future__ import annotations

import json
from typing import Final

from analyzer.lifecycle.finished import Finished
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.credentials import mask_url
from analyzer.report.text import ints, words
from analyzer.tables import Bytes, Rows

HEADS: Final = "http_heads"
"""Name of the table: beside the report, a row for each row of ``http``."""

COLUMNS: Final = (
    Column("index", "number", "rank of the exchange on its connection"),
    Column("request", "text", "JSON list of [name, value] of the request"),
    Column("response", "text", "JSON list of [name, value] of the response"),
)
MASK: Final = "(hidden)"
SENSITIVE: Final = frozenset(
    ("authorization", "proxy-authorization", "cookie", "cookie2", "set-cookie", "set-cookie2", "x-api-key", "x-auth-token", "x-csrf-token",
     "x-xsrf-token", "x-amz-security-token", "authentication-info", "proxy-authentication-info", "www-authenticate", "proxy-authenticate",
     "sec-websocket-key", "http2-settings", "x-goog-api-key", "x-access-token", "x-forwarded-authorization")
)  # fmt: skip
"""Fields that carry credentials or identify a session."""
URLS: Final = frozenset((":path", "content-location", "location", "referer", "referrer"))
"""Fields that are URLs, in which credentials may stand."""


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _masked(name: str, value: str) -> str:
    """The value of a field without its secret; names of cookies and schemes stay."""
    lower = name.lower()
    if lower in URLS:
        return mask_url(value)
    if lower not in SENSITIVE:
        return value
    if lower in ("cookie", "set-cookie"):
        parts = value.split(";")
        told = [f"{part.partition('=')[0].strip()}={MASK}" for part in parts] if lower == "cookie" else [
            f"{parts[0].partition('=')[0].strip()}={MASK}", *(part.strip() for part in parts[1:])
        ]  # fmt: skip
        return "; ".join(told)
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {MASK}" if blank and scheme.isalnum() else MASK


def read_fields(head: bytes, *, masks: bool) -> list[list[str]]:
    """[name, value] of each field of a head as it was sent: without the start line of HTTP/1, folds joined (RFC 9112 5.2)."""
    fields: list[list[str]] = []
    for line in head.replace(b"\r\n", b"\n").split(b"\n")[0 if head.startswith(b":") else 1 :]:
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1] += " " + _decode(line.strip())
            continue
        name, colon, value = line[1:].partition(b":")
        if colon:
            fields.append([_decode(line[:1] + name).strip(), _decode(value.strip())])
    return [[name, _masked(name, value)] for name, value in fields] if masks else fields


def _column(text: Bytes, rows: Rows, side: str, *, masks: bool) -> list[str | None]:
    out: list[str | None] = []
    for at, size in zip(rows[f"{side}_head"].tolist(), rows[f"{side}_head_size"].tolist(), strict=True):
        out.append(json.dumps(read_fields(text[at : at + size].tobytes(), masks=masks)) if size else None)
    return out


def build_heads(finished: Finished, *, masks: bool) -> Sheet:
    """The heads of one flush; a loop over exchanges, for exporters that make an object of each anyway."""
    x, text = finished.exchanges, finished.texts.http
    return make_sheet(
        COLUMNS,
        {
            "index": ints(x["index"]),
            "request": words(_column(text, x, "request", masks=masks)),
            "response": words(_column(text, x, "response", masks=masks)),
        },
    )
