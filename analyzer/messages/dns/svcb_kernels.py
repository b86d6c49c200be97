# mypy: allow-untyped-defs
"""SVCB and HTTPS records in presentation form (RFC 9460 2.1, 2.2, 7, appendix A)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, helper, u8
from analyzer.messages.dns.name_kernels import read_name
from analyzer.messages.dns.text_kernels import (
    BACKSLASH,
    COMMA,
    QUOTE,
    SPACE,
    put,
    put_base64,
    put_bytes,
    put_ddd,
    put_decimal,
    put_ipv4,
    put_ipv6,
)
from analyzer.registries.dns import SVC_PARAM_KEYS

_KEYS = len(SVC_PARAM_KEYS)
_KEY_TEXT = np.array(list("".join(SVC_PARAM_KEYS[key] for key in range(_KEYS)).encode()), np.uint8)
NO_JUMPS, PLAIN, ITEM = np.int64(0), np.int64(0), np.int64(1)
_KEY_ENDS = np.zeros(_KEYS + 1, np.int64)
for _key in range(_KEYS):
    _KEY_ENDS[_key + 1] = _KEY_ENDS[_key] + len(SVC_PARAM_KEYS[_key])


@helper
def put_key(text, top, key):
    """The name of a SvcParamKey; ``key65280`` when unassigned."""
    if key < _KEYS:
        return put_bytes(text, top, _KEY_TEXT, _KEY_ENDS[key], _KEY_ENDS[key + 1])
    text[top] = 107
    text[top + 1] = 101
    text[top + 2] = 121
    return put_decimal(text, top + 3, key)


@helper
def put_value(text, top, data, at, end, is_item):
    """Bytes inside quotes; an item of a list has its commas and backslashes escaped once more (RFC 9460 appendix A.1)."""
    for k in range(at, end):
        byte = np.int64(data[k])
        if byte < 32 or byte > 126:
            top = put_ddd(text, top, byte)
            continue
        if is_item and (byte == 44 or byte == 92):
            text[top] = 92
            text[top + 1] = 92
            top += 2
        if byte == 34 or byte == 92:
            top = put(text, top, BACKSLASH)
        top = put(text, top, byte)
    return top


@helper
def put_list(text, top, data, key, at, end):
    """The value of a key that holds a list: mandatory, alpn, ipv4hint, ipv6hint; -1 when it breaks the rules of its key."""
    if at >= end:
        return np.int64(-1)
    start, last = at, np.int64(0)
    while at < end:
        if at > start:
            top = put(text, top, COMMA)
        width = np.int64(2)
        if key == 1:
            width = u8(data, at, end) + 1
        elif key == 4:
            width = np.int64(4)
        elif key == 6:
            width = np.int64(16)
        if at + width > end or width < 2:
            return np.int64(-1)
        if key == 0:
            listed = be16(data, at, end)
            if listed <= last:  # in increasing order, and never mandatory itself (RFC 9460 8)
                return np.int64(-1)
            last = listed
            top = put_key(text, top, listed)
        elif key == 1:
            top = put_value(text, top, data, at + 1, at + width, ITEM)
        elif key == 4:
            top = put_ipv4(text, top, data, at)
        else:
            top = put_ipv6(text, top, data, at)
        at += width
    return top


@helper
def put_parameter(text, top, data, key, at, end):
    """`` key="value"``, or `` key`` when there is no value; -1 when the value breaks the rules of its key."""
    top = put_key(text, put(text, top, SPACE), key)
    if key == 2 or key == 8:
        return top if at == end else np.int64(-1)
    if at == end and key > 6:
        return top
    text[top] = 61
    text[top + 1] = 34
    top += 2
    if key == 0 or key == 1 or key == 4 or key == 6:
        top = put_list(text, top, data, key, at, end)
        if top < 0:
            return top
    elif key == 3:
        if end - at != 2:
            return np.int64(-1)
        top = put_decimal(text, top, be16(data, at, end))
    elif key == 5:
        top = put_base64(text, top, data, at, end)
    else:
        top = put_value(text, top, data, at, end, PLAIN)
    return put(text, top, QUOTE)


@helper
def put_svcb(data, message, at, end, text, top):
    """Priority, target and parameters; the new top, or -1 when malformed. The target is never compressed (RFC 9460 2.2)."""
    priority = be16(data, at, end)
    if priority < 0:
        return np.int64(-1)
    top = put(text, put_decimal(text, top, priority), SPACE)
    at, top, _, _ = read_name(data, message, end, at + 2, text, top, NO_JUMPS)
    if at < 0:
        return np.int64(-1)
    last = np.int64(-1)
    while at < end:
        key, size = be16(data, at, end), be16(data, at + 2, end)
        if key <= last or size < 0 or at + 4 + size > end:
            return np.int64(-1)
        top = put_parameter(text, top, data, key, at + 4, at + 4 + size)
        if top < 0:
            return top
        last = key
        at += 4 + size
    return top


@helper
def copy_hints(data, at, end, wanted, text, top):
    """Copy the values of the hints of one family (the key ``wanted``) from data that put_svcb has accepted; the new top."""
    at += 2
    while data[at] != 0:
        at += 1 + np.int64(data[at])
    at += 1
    while at < end:
        key, size = be16(data, at, end), be16(data, at + 2, end)
        if key == wanted:
            top = put_bytes(text, top, data, at + 4, at + 4 + size)
        at += 4 + size
    return top
