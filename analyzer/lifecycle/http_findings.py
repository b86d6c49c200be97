"""What stands out of HTTP exchanges and HTTP/2 connections."""

from __future__ import annotations

from typing import Final

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Hits, Marks, Mask, Rule
from analyzer.tables import Bytes, Ints, Rows
from analyzer.tables.http import HTTP_ERROR_CODES
from analyzer.tables.services import HTTP
from analyzer.thresholds import DEFAULTS, Thresholds

HTTP_RULES: Final = (
    Rule(
        "http.smuggling",
        "warning",
        "a message that two readers may end at different places (request smuggling)",
        "Find out who sent it; let the proxy refuse such messages.",
        "code",
    ),
    Rule("http.no_compression", "note", "a large text was sent without compression", "Turn on compression for this type.", "bytes"),
    Rule("http.on_tls_port", "warning", "HTTP in clear on a port for HTTPS", "Use https:// there."),
    Rule("http.redirect_chain", "warning", "many redirects, one after the other", "Point the first one to where they end.", "count"),
    Rule("http2.reset", "warning", "a stream was reset with an error", "The error's name says what its sender did not accept.", "code"),
    Rule("http2.goaway", "warning", "the connection was given up with an error", "The error's name says why.", "code"),
    Rule("http2.flow_control", "note", "flow control held up a body", "Let the receiver offer larger windows.", "ns"),
    Rule("grpc.failed", "warning", "a gRPC call failed", "The status says why.", "code"),
)
SMUGGLING: Final = (
    "length_conflict", "bad_length", "length_and_chunked", "bad_transfer_coding", "bad_chunk_size", "bad_chunk_end", "blank_before_colon",
    "host_repeated", "forbidden_field", "forbidden_byte", "odd_framing", "coding_in_http10", "bare_lf_in_chunks",
)  # fmt: skip
COMPRESSIBLE: Final = (b"text/", b"application/json", b"application/javascript", b"application/xml", b"image/svg")
TLS_PORTS: Final = (443, 8443)
NO_ERROR, CANCEL = 0, 8  # RFC 9113 7


def begins_with(text: Bytes, at: Ints, size: Ints, word: bytes) -> Mask:
    """Which spans begin with a word, in any case."""
    there: Mask = size >= len(word)
    for k, letter in enumerate(word):
        byte = text[np.where(there, at + k, 0)]
        there = there & ((byte == letter) | ((byte | 32) == letter))
    return there


def is_large_text(x: Rows, text: Bytes, least_bytes: float) -> Mask:
    """Responses of more than ``least_bytes`` that compression would have made much smaller."""
    there: Mask = (x["has_response"] == 1) & (x["content_encoding_size"] == 0) & (x["response_body_bytes"] > least_bytes)
    there &= x["status"] == 200
    at = np.flatnonzero(there)
    spans = x["response_type"][at], x["response_type_size"][at].astype(np.int64)
    there[at] = np.any([begins_with(text, *spans, word) for word in COMPRESSIBLE], axis=0) if len(at) else False
    return there


def redirect_counts(x: Rows) -> Ints:
    """(x,) how many redirects in a row each exchange ends on its connection, itself included; 0 = it is none."""
    hop = (x["location_size"] > 0) & (x["status"] >= 300) & (x["status"] < 400)
    begins = np.ones(len(x), np.bool_)
    begins[1:] = (x["connection"][1:] != x["connection"][:-1]) | ~hop[:-1]
    places = np.arange(len(x))
    return np.where(hop, places - np.maximum.accumulate(np.where(begins, places, 0)) + 1, 0)


def judge_exchanges(finished: Finished, limits: Thresholds = DEFAULTS) -> list[Marks]:
    """Marks over the exchanges of a flush."""
    x, order = finished.exchanges, finished.exchange_order
    first = x["request_first_ts"]
    asked, answered = (x["request_first_number"], first), (x["response_first_number"], x["response_first_ts"])
    error = x["error"].astype(np.int64)
    is_smuggling = np.isin(error, [HTTP_ERROR_CODES[name] for name in SMUGGLING])
    c, s = finished.connections, finished.services
    port = np.where(c["flipped"] == 1, c["a_port"], c["b_port"])
    is_clear = (s["protocol"] == HTTP) & np.isin(port, TLS_PORTS) & (finished.handshakes["seen"] == 0)
    codes = x["reset_code"]
    status = x["grpc_status"].astype(np.int64) - 1
    hops = redirect_counts(x)
    return [
        Marks("http.smuggling", is_smuggling, x["error_number"], np.where(first > 0, first, x["response_first_ts"]), error),
        Marks(
            "http.no_compression",
            is_large_text(x, finished.texts.http, limits.http_uncompressed_bytes),
            *answered,
            x["response_body_bytes"],
        ),
        Marks("http.on_tls_port", is_clear[order] & (x["index"] == 1), *asked),
        Marks("http.redirect_chain", hops == int(limits.http_redirects) + 1, *answered, hops),
        Marks("http2.reset", (x["reset_by"] > 0) & (codes != NO_ERROR) & (codes != CANCEL), *asked, codes),
        Marks("http2.flow_control", x["stall_ns"] > limits.ns("http2_flow_control_ms"), *asked, x["stall_ns"]),
        Marks("grpc.failed", status > 0, *answered, status),
    ]


def judge_links(finished: Finished) -> list[Hits]:
    """Hits of HTTP/2 connections."""
    h = finished.http2_links
    if len(h) == 0:
        return []
    order = finished.order_of(h["connection"].astype(np.int64))
    link, sender = np.nonzero(h["goaway_code"] > 1)
    number, ts = h["goaway_number"][link, sender], h["goaway_ts"][link, sender]
    return [Hits("http2.goaway", order[link], number, ts, h["goaway_code"][link, sender] - 1)]
