"""What a list of fields says, written into an EXCHANGE row and the text (RFC 9113 8.3, RFC 9110)."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import numpy as np

from analyzer.memory import Text
from analyzer.messages.http.http2.field_blocks import Fields
from analyzer.tables.http import BROTLI, DEFLATE, GZIP, NO_CODING, OTHER_CODING, ZSTD

REQUEST_NAMES: Final = {
    b":method": "method", b":path": "target", b":authority": "host", b"host": "host", b"referer": "referrer", b"user-agent": "user_agent",
    b"origin": "origin", b"content-type": "request_type",
}  # fmt: skip
RESPONSE_NAMES: Final = {
    b"content-type": "response_type", b"content-encoding": "content_encoding", b"server": "server", b"location": "location",
    b"alt-svc": "alt_svc",
}  # fmt: skip
REQUEST_SPANS: Final = {name: (span, f"{span}_size") for name, span in REQUEST_NAMES.items()}
RESPONSE_SPANS: Final = {name: (span, f"{span}_size") for name, span in RESPONSE_NAMES.items()}
REQUEST_FILENAME: Final = ("request_filename", "request_filename_size")
RESPONSE_FILENAME: Final = ("response_filename", "response_filename_size")
USERNAME: Final = ("username", "username_size")
PROXIED: Final = ("proxied", "proxied_size")
ALT_SVC: Final = ("alt_svc", "alt_svc_size")
PROXY_NAMES: Final = frozenset((b"forwarded", b"x-forwarded-for", b"x-forwarded-from", b"client-ip", b"via"))
CODINGS: Final = {b"gzip": GZIP, b"x-gzip": GZIP, b"deflate": DEFLATE, b"br": BROTLI, b"zstd": ZSTD, b"identity": NO_CODING, b"": NO_CODING}
FORBIDDEN: Final = frozenset((b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"))  # RFC 9113 8.2.2
LINE_BYTES: Final = (b"\r", b"\n", b"\0")


def is_forbidden(fields: Fields) -> bool:
    """Whether a field may not be sent, or would be more than one line in HTTP/1 (RFC 9113 8.2.1)."""
    names = [name for name, _ in fields]
    together = b"".join(names)
    if together != together.lower() or not FORBIDDEN.isdisjoint(names):
        return True
    together += b"".join([value for _, value in fields])
    return any(byte in together for byte in LINE_BYTES)


def status_of(fields: Fields) -> int:
    """The status code; 0 = none, -1 = it is no number of three digits."""
    for name, value in fields:
        if name == b":status":
            return int(value) if len(value) == 3 and value.isdigit() else -1
    return 0


def has_field(fields: Fields, wanted: bytes) -> bool:
    """Whether a field is there."""
    return any(name == wanted for name, _ in fields)


def head_of(fields: Fields) -> bytes:
    """The fields as lines; cookie crumbs are one field again (RFC 9113 8.2.3), what would end a line is escaped."""
    lines, crumbs = [], [value for name, value in fields if name == b"cookie"]
    for name, value in fields:
        told = value
        if name == b"cookie":
            if not crumbs:
                continue
            told, crumbs = b"; ".join(crumbs), []
        lines.append(b"%b: %b\r\n" % (_one_line(name), _one_line(told)))
    return b"".join(lines)


def _one_line(content: bytes) -> bytes:
    for byte in LINE_BYTES:
        if byte in content:
            content = content.replace(byte, b"\\x%02x" % byte[0])
    return content


def keep_text(row: np.void, text: Text, span: tuple[str, str], value: bytes) -> None:
    """A text of a row, whose position and size have these fields; nothing where it is empty."""
    if value:
        row[span[0]], row[span[1]] = text.append(value)


def _coding(value: bytes) -> int:
    last = value.rpartition(b",")[2].strip().lower()
    return CODINGS.get(last, OTHER_CODING)


def _filename(value: bytes) -> bytes:
    for part in value.split(b";")[1:]:
        name, _, told = part.partition(b"=")
        if name.strip().lower() == b"filename":
            return told.strip().strip(b'"')
    return b""


def _user(value: bytes) -> bytes:
    """The user of ``Basic base64(user:password)`` (RFC 7617 2)."""
    scheme, _, told = value.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        user, colon, _ = base64.b64decode(told.strip(), validate=True).partition(b":")
    except binascii.Error:
        return b""
    return user if colon else b""


def keep_request(row: np.void, text: Text, fields: Fields) -> None:
    """The fields of a request."""
    proxied = []
    for name, value in fields:
        span = REQUEST_SPANS.get(name)
        if span is not None:
            if name != b"host" or row["host_size"] == 0:
                keep_text(row, text, span, value)
        elif name == b"sec-fetch-dest":
            row["fetch"] = 1 if value == b"document" else 2
        elif name == b"content-encoding":
            row["request_coding"] = _coding(value)
        elif name == b"content-disposition":
            keep_text(row, text, REQUEST_FILENAME, _filename(value))
        elif name in (b"authorization", b"proxy-authorization"):
            keep_text(row, text, USERNAME, _user(value))
        elif name in PROXY_NAMES:
            proxied.append(name.upper() + b" -> " + _one_line(value))
    keep_text(row, text, PROXIED, b"\n".join(proxied))


def keep_response(row: np.void, text: Text, fields: Fields) -> None:
    """The fields of a response."""
    for name, value in fields:
        span = RESPONSE_SPANS.get(name)
        if span is not None:
            keep_text(row, text, span, value)
        if name == b"content-encoding":
            row["response_coding"] = _coding(value)
        elif name == b"content-disposition":
            keep_text(row, text, RESPONSE_FILENAME, _filename(value))
    keep_trailers(row, fields)


def keep_trailers(row: np.void, fields: Fields) -> None:
    """What trailers say that is kept: the outcome of a gRPC call, which may also stand in the head when nothing else comes."""
    for name, value in fields:
        if name == b"grpc-status" and value.isdigit() and len(value) < 9:
            row["grpc_status"] = 1 + int(value)
