"""Table ``http``: one row per exchange, a request with its response."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.inferred import infer_exchanges
from analyzer.registries.http import grpc_status_name, http2_error_name, http3_error_name
from analyzer.report.built import Built, NumberColumn, TextColumn, simple_from_arrow
from analyzer.report.columns import Column, Sheet, empty_sheet, make_sheet
from analyzer.report.credentials import without_credentials
from analyzer.report.identity import IDENTITY, Identity
from analyzer.report.text import between, booleans, chosen, codes, constant, counts, ints, joined, milliseconds, named, spans, times
from analyzer.tables import Ints, Rows, join_tables
from analyzer.tables.http import HTTP_ERRORS, MEDIA_TYPES, NO_CODING

_SPANS: Final = (
    "method", "target", "host", "referrer", "user_agent", "origin", "request_type", "response_type", "content_encoding", "server",
    "alt_svc", "location", "upgrade", "reason", "info_reason", "username", "proxied", "request_filename", "response_filename",
)  # fmt: skip
HTTP3: Final = 30  # EXCHANGE.version

_URLS: Final = ("target", "referrer", "location")

COLUMNS = (
    *IDENTITY,
    Column("index", "number", "rank of the exchange on its connection, from 1"),
    Column("request_time", "time", "first byte of the request", "UTC"),
    Column("response_time", "time", "first byte of the final response", "UTC"),
    Column("method", "text", "method"),
    Column("url", "text", "absolute URL (RFC 9110 7.1)", caveat="the responder's address stands for the host where no Host field was sent"),
    Column("status", "number", "status code of the final response"),
    Column("reason", "text", "its reason phrase"),
    Column("version", "text", "HTTP version of the request"),
    Column("response_version", "text", "HTTP version of the response"),
    Column("stream", "number", "id of its stream (HTTP/2, HTTP/3)"),
    Column("basis", "text", "measured: it was read; inferred: sizes and directions of encrypted records tell of it"),
    Column("request_send_ms", "milliseconds", "first to last byte of the request", "ms"),
    Column("server_wait_ms", "milliseconds", "last byte of the request to first byte of the response", "ms", "negative: answered early"),
    Column("response_receive_ms", "milliseconds", "first to last byte of the response", "ms"),
    Column("host", "text", "Host field"),
    Column("target", "text", "request target as sent", caveat="*** stands for credentials"),
    Column("referrer", "text", "Referer field"),
    Column("user_agent", "text", "User-Agent field"),
    Column("origin", "text", "Origin field"),
    Column("request_content_type", "text", "Content-Type of the request"),
    Column("response_content_type", "text", "Content-Type of the response"),
    Column("content_encoding", "text", "Content-Encoding of the response"),
    Column("server", "text", "Server field"),
    Column("alt_svc", "text", "Alt-Svc field of the response, or ALTSVC frame: where else the origin is served", caveat="h3: over QUIC"),
    Column("location", "text", "Location field"),
    Column("upgrade", "text", "Upgrade field of the response"),
    Column("username", "text", "user of HTTP basic authentication"),
    Column("proxied", "texts", "header fields that proxies add, as NAME -> value"),
    Column("request_head_bytes", "number", "bytes of the request's head", "bytes"),
    Column("request_body_bytes", "number", "bytes of the request's body on the wire, chunk framing left out", "bytes"),
    Column("response_head_bytes", "number", "bytes of the response's head", "bytes"),
    Column("response_body_bytes", "number", "bytes of the response's body on the wire, chunk framing left out", "bytes", "still encoded"),
    Column(
        "request_decoded_bytes", "number", "bytes of the request's body without gzip or deflate", "bytes", "only with Options.decode_bodies"
    ),
    Column(
        "response_decoded_bytes",
        "number",
        "bytes of the response's body without gzip or deflate",
        "bytes",
        "only with Options.decode_bodies",
    ),
    Column("request_media_type", "text", "what the request's body is by its first bytes"),
    Column("response_media_type", "text", "what the response's body is by its first bytes"),
    Column("request_filename", "text", "file name in Content-Disposition of the request"),
    Column("response_filename", "text", "file name in Content-Disposition of the response"),
    Column("request_encrypted_bytes", "number", "bytes of the encrypted records of an inferred request", "bytes"),
    Column("response_encrypted_bytes", "number", "bytes of the encrypted records of an inferred response", "bytes"),
    Column("missing_bytes", "number", "bytes of bodies that are not in the capture", "bytes"),
    Column("request_missing_bytes", "number", "those of them that belong to the request", "bytes"),
    Column("request_complete", "truth", "the request ended as framed"),
    Column("response_complete", "truth", "the response ended as framed"),
    Column("is_upgraded", "truth", "the connection left HTTP after it (101, or CONNECT)"),
    Column("is_pushed", "truth", "the server pushed it (HTTP/2)"),
    Column("reset_by", "text", "who reset its stream: client or server"),
    Column("reset_code", "text", "why, by the error code of HTTP/2 or HTTP/3"),
    Column("stall_ms", "milliseconds", "time in which flow control let nothing more of its bodies pass", "ms"),
    Column("grpc_service", "text", "service of a gRPC call"),
    Column("grpc_method", "text", "method of a gRPC call"),
    Column("grpc_status", "text", "status of a gRPC call, by name"),
    Column("info_status", "number", "status of the last 1xx before the final response"),
    Column("info_reason", "text", "its reason phrase"),
    Column("error", "text", "the first thing that was wrong"),
    Column("error_frame", "number", "frame of that"),
    Column("request_first_frame", "number", "frame of the request's first byte"),
    Column("request_last_frame", "number", "frame of its last byte"),
    Column("response_first_frame", "number", "frame of the response's first byte"),
    Column("response_last_frame", "number", "frame of its last byte"),
)


def version_text(version: int) -> str:
    """HTTP version as text, from ten times the version: 11 -> 1.1."""
    return f"{version // 10}.{version % 10}"


def split_lines(array: pa.Array) -> pa.Array:
    """Lines of a text as a list; the line ends were escaped before."""
    return pc.split_pattern(array, "\\x0a").cast(pa.list_(pa.large_string()))


def urls(x: Rows, order: Ints, finished: Finished, identity: Identity, targets: pa.Array, hosts: pa.Array) -> pa.Array:  # noqa: PLR0913, PLR0917
    """Absolute URL of each exchange: scheme, Host (else the responder's address and port), target (RFC 9112 3.3)."""
    responders = identity.arrays["responder_ip"].arrow()
    literal = pc.if_else(pc.match_substring(responders, ":"), joined("[", responders, "]"), responders)
    ports = identity.arrays["responder_port"].arrow()
    fallback = joined(literal, ":", ports.cast(pa.large_string()))
    authority = pc.coalesce(hosts, fallback.take(ints(order).arrow()))
    scheme = chosen(("http://", "https://"), finished.handshakes["seen"][order] == 1)
    origin = joined(scheme, authority, targets)
    whole = pc.or_(pc.starts_with(targets, "http://"), pc.starts_with(targets, "https://"))
    is_star = pc.equal(targets, constant("*"))  # asterisk-form: the server itself, no path
    is_path = pc.starts_with(targets, "/")
    bare = joined(scheme, authority)
    # what is none of these is authority-form (CONNECT) or nonsense: shown as sent
    url = pc.if_else(is_path, origin, pc.if_else(is_star, bare, targets))
    url = pc.if_else(whole, targets, url)
    return pc.if_else(booleans((x["has_request"] == 1) & (x["is_inferred"] == 0)).arrow(), url, constant(None))


def _decoded(x: Rows, side: str) -> NumberColumn:
    """Bytes of bodies without their content coding; null where it was not taken off."""
    coding, decoded = x[f"{side}_coding"], x[f"{side}_decoded_bytes"]
    return ints(
        np.where(coding == NO_CODING, x[f"{side}_body_bytes"], decoded),
        (x["is_inferred"] == 0) & ((coding == NO_CODING) | (x[f"{side}_is_decoded"] == 1)),
    )


def _grpc(text: dict[str, TextColumn]) -> dict[str, Built]:
    """Service and method of gRPC calls: ``POST /package.Service/Method`` with a content type of gRPC (its PROTOCOL-HTTP2)."""
    types = text["request_type"].texts
    if b"application/grpc" not in types.content.tobytes():
        nothing = chosen((None,), np.zeros(len(text["target"]), np.int64))
        return {"grpc_service": nothing, "grpc_method": nothing}
    is_call = pc.starts_with(text["request_type"].arrow(), "application/grpc")
    parts = pc.extract_regex(pc.if_else(is_call, text["target"].arrow(), constant(None)), r"^/(?P<service>[^/?]+)/(?P<method>[^/?]+)$")
    return {f"grpc_{name}": simple_from_arrow(pc.struct_field(parts, name)) for name in ("service", "method")}


def build_http(finished: Finished, identity: Identity, *, masks: bool = True) -> Sheet:
    """EXCHANGE rows as a report table, in the order of the flush; ``masks``: without credentials in URLs."""
    inferred, where = infer_exchanges(finished)
    x: Rows = join_tables([finished.exchanges, inferred]) if len(inferred) else finished.exchanges
    order = np.concatenate((finished.exchange_order, where)) if len(inferred) else finished.exchange_order
    if len(x) == 0:
        return empty_sheet(COLUMNS)
    read = x["is_inferred"] == 0
    told = {name: spans(finished.texts.http, x[name], x[f"{name}_size"]) for name in _SPANS}
    text = {name: without_credentials(told[name]) if name in _URLS and masks else told[name] for name in told}
    asked, answered = read & (x["has_request"] == 1), read & (x["has_response"] == 1)
    return make_sheet(
        COLUMNS,
        {
            **identity.at(order),
            "index": ints(x["index"]),
            "request_time": times(x["request_first_ts"]),
            "response_time": times(x["response_first_ts"]),
            "url": urls(x, order, finished, identity, text["target"].arrow(), text["host"].arrow()),
            "status": ints(x["status"], answered),
            "version": named(x["version"], version_text, x["version"] > 0),
            "response_version": named(x["response_version"], version_text, answered),
            "stream": codes(x["stream"] - 1),
            "basis": chosen(("measured", "inferred"), x["is_inferred"]),
            "request_send_ms": between(x["request_first_ts"], x["request_last_ts"]),
            "server_wait_ms": between(x["request_last_ts"], x["response_first_ts"]),
            "response_receive_ms": between(x["response_first_ts"], x["response_last_ts"]),
            **_grpc(text),
            "request_content_type": text.pop("request_type"),
            "response_content_type": text.pop("response_type"),
            "proxied": split_lines(text.pop("proxied").arrow()),
            **text,
            "request_head_bytes": ints(x["request_head_bytes"], asked),
            "request_body_bytes": ints(x["request_body_bytes"], read),
            "response_head_bytes": ints(x["response_head_bytes"], answered),
            "response_body_bytes": ints(x["response_body_bytes"], read),
            "request_decoded_bytes": _decoded(x, "request"),
            "response_decoded_bytes": _decoded(x, "response"),
            "request_media_type": chosen(MEDIA_TYPES, x["request_media"], x["request_media"] > 0),
            "response_media_type": chosen(MEDIA_TYPES, x["response_media"], x["response_media"] > 0),
            "request_encrypted_bytes": ints(x["tunnel_request_bytes"], ~read),
            "response_encrypted_bytes": ints(x["tunnel_response_bytes"], ~read),
            "missing_bytes": ints(x["missing_bytes"], read),
            "request_missing_bytes": ints(x["request_missing_bytes"], read),
            "request_complete": booleans(x["request_complete"], asked),
            "response_complete": booleans(x["response_complete"], answered),
            "is_upgraded": booleans(x["is_upgraded"], read),
            "is_pushed": booleans(x["is_pushed"], x["stream"] > 0),
            "reset_by": chosen((None, "client", "server"), x["reset_by"]),
            "reset_code": named(
                x["reset_code"] << 1 | (x["version"] >= HTTP3),
                lambda code: http3_error_name(code >> 1) if code & 1 else http2_error_name(code >> 1),
                x["reset_by"] > 0,
            ),
            "stall_ms": milliseconds(x["stall_ns"], x["stall_ns"] > 0),
            "grpc_status": named(x["grpc_status"] - 1, grpc_status_name, x["grpc_status"] > 0),
            "info_status": counts(x["info_status"]),
            "error": chosen([name for name, _ in HTTP_ERRORS], np.minimum(x["error"], len(HTTP_ERRORS) - 1), x["error"] > 0),
            "error_frame": counts(x["error_number"]),
            "request_first_frame": counts(x["request_first_number"]),
            "request_last_frame": counts(x["request_last_number"]),
            "response_first_frame": counts(x["response_first_number"]),
            "response_last_frame": counts(x["response_last_number"]),
        },
    )
