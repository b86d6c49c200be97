# mypy: allow-untyped-defs
"""EDNS options as text: ``NAME=value``, the names as resolvers' tools have them, values in hex where no rule is known."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper, u8
from analyzer.messages.dns.text_kernels import (
    COLON,
    put,
    put_bytes,
    put_decimal,
    put_hex,
    put_ipv4,
    put_ipv6,
    put_quoted,
)

# RFC 8764, 9660, 5001, 6975, 7871, 7314, 7873, 7828, 7830, 7901, 8145, 8914, 9567
NAMES = {
    1: "LLQ", 2: "UPDATE-LEASE", 3: "NSID", 4: "OWNER", 5: "DAU", 6: "DHU", 7: "N3U", 8: "ECS", 9: "EXPIRE", 10: "COOKIE",
    11: "KEEPALIVE", 12: "PADDING", 13: "CHAIN", 14: "KEY-TAG", 15: "EDE", 16: "CLIENT-TAG", 17: "SERVER-TAG",
    18: "REPORT-CHANNEL", 19: "ZONEVERSION", 20: "MQTYPE-QUERY", 21: "MQTYPE-RESPONSE",
}  # fmt: skip
"""Option code to the name it has in text; others are ``OPTION42``."""

NSID, ECS, EXPIRE, KEEPALIVE, PADDING, EDE = 3, 8, 9, 11, 12, 15
SLASH, EQUALS = np.int64(47), np.int64(61)
_MOST = max(NAMES)
_TEXT = np.array(list("".join(NAMES.get(code, "") for code in range(_MOST + 1)).encode()), np.uint8)
_ENDS = np.zeros(_MOST + 2, np.int64)
for _code in range(_MOST + 1):
    _ENDS[_code + 1] = _ENDS[_code] + len(NAMES.get(_code, ""))
_UNKNOWN = np.array(list(b"OPTION"), np.uint8)


@helper
def put_name(text, top, code):
    """The name of an option."""
    if code <= _MOST and _ENDS[code + 1] > _ENDS[code]:
        return put_bytes(text, top, _TEXT, _ENDS[code], _ENDS[code + 1])
    return put_decimal(text, put_bytes(text, top, _UNKNOWN, 0, _UNKNOWN.size), code)


@helper
def put_subnet(data, at, end, text, top):
    """The client subnet (RFC 7871 6): address, bits of it that were sent, bits the answer is for; -1 when it does not follow the rules."""
    family, source, scope = be16(data, at, end), u8(data, at + 2, end), u8(data, at + 3, end)
    width = 4 if family == 1 else 16
    if scope < 0 or family < 1 or family > 2 or source > 8 * width or end - at - 4 != (source + 7) // 8:
        return np.int64(-1)
    room = top + 64  # the address filled up with zeros, behind the text that will be
    for k in range(width):
        text[room + k] = data[at + 4 + k] if at + 4 + k < end else 0
    top = put_ipv4(text, top, text, room) if family == 1 else put_ipv6(text, top, text, room)
    top = put_decimal(text, put(text, top, SLASH), source)
    return put_decimal(text, put(text, top, SLASH), scope)


@helper
def put_option(data, code, at, end, text, top):
    """One option whose value lies in ``data[at:end]``; the new top. There must be room for 128 bytes and eight a byte."""
    top = put_name(text, top, code)
    if code == PADDING:
        return put_decimal(text, put(text, top, EQUALS), end - at)
    if at == end:
        return top
    top = put(text, top, EQUALS)
    if code == ECS:
        after = put_subnet(data, at, end, text, top)
        if after >= 0:
            return after
    elif code == NSID:
        return put_quoted(text, top, data, at, end)
    elif code == KEEPALIVE and end - at == 2:
        return put_decimal(text, top, be16(data, at, end))
    elif code == EXPIRE and end - at == 4:
        return put_decimal(text, top, be32(data, at, end))
    elif code == EDE and end - at >= 2:
        top = put_decimal(text, top, be16(data, at, end))
        return put_quoted(text, put(text, top, COLON), data, at + 2, end) if end - at > 2 else top
    return put_hex(text, top, data, at, end)
