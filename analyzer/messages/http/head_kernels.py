# mypy: allow-untyped-defs
"""Pieces of the framing kernel that read one head: its lines, its start line and its fields (RFC 9112 2 to 6)."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper
from analyzer.messages.http.probe_kernels import begins_with

# ---- what a head says, in the scratch array ``facts`` (int64)
LINES, LINE, STATUS, VERSION, LENGTH, LENGTH_STATE, CODING, FIRST, FIRST_SIZE, SECOND, SECOND_SIZE, BAD_FIELDS, PROXIED = range(13)
CONTENT_CODING, ODD_NAMES, HOSTS = 13, 14, 15
FOLDS = 16  # in the fields that say how a body ends, and bytes around the name of a coding
HEAD_AT, HEAD_STOP, HEAD_CODE = 17, 18, 19  # where a found head is, and why it is cut (an error, 0 = it is whole)
BAD_BYTES = 20  # CR that ends no line, and NUL
FACTS = 21
NO_LENGTH, ONE_LENGTH, BAD_LENGTH, LENGTH_CONFLICT = 0, 1, 2, 3  # LENGTH_STATE
UNCODED, CHUNKED, OTHERWISE = 0, 1, 2  # CODING

MAX_LENGTH = 0x7FFFFFFFFFFFFFFF

# ---- the fields that are kept or that frame, by length of their name
HOST, REFERER, USER_AGENT, ORIGIN, CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING = range(1, 9)
SERVER, LOCATION, AUTHORIZATION, UPGRADE, PROXY, DISPOSITION, FETCH, ALT_SVC = range(9, 17)
_NAMES = sorted(
    (
        (b"host", HOST),
        (b"referer", REFERER),
        (b"user-agent", USER_AGENT),
        (b"origin", ORIGIN),
        (b"content-type", CONTENT_TYPE),
        (b"content-encoding", CONTENT_ENCODING),
        (b"content-length", CONTENT_LENGTH),
        (b"transfer-encoding", TRANSFER_ENCODING),
        (b"server", SERVER),
        (b"location", LOCATION),
        (b"alt-svc", ALT_SVC),
        (b"authorization", AUTHORIZATION),
        (b"proxy-authorization", AUTHORIZATION),
        (b"upgrade", UPGRADE),
        (b"content-disposition", DISPOSITION),
        (b"sec-fetch-dest", FETCH),  # Fetch Metadata Request Headers (W3C)
        # Zeek's list of fields that proxies add (base/protocols/http, proxy_headers)
        (b"forwarded", PROXY),
        (b"x-forwarded-for", PROXY),
        (b"x-forwarded-from", PROXY),
        (b"client-ip", PROXY),
        (b"via", PROXY),
        (b"xroxy-connection", PROXY),
        (b"proxy-connection", PROXY),
    ),
    key=lambda pair: len(pair[0]),
)
NAME_LIMIT = 20
_BYTES = np.frombuffer(b"".join(name.ljust(NAME_LIMIT, b"\0") for name, _ in _NAMES), np.uint8)
_KINDS = np.array([kind for _, kind in _NAMES], np.int64)
_FROM = np.searchsorted(np.array([len(name) for name, _ in _NAMES]), np.arange(NAME_LIMIT + 1)).astype(np.int64)

_HTTP = np.frombuffer(b"HTTP/", np.uint8)
_ICY = np.frombuffer(b"ICY ", np.uint8)
_CHUNKED = np.frombuffer(b"chunked", np.uint8)
_IDENTITY = np.frombuffer(b"identity", np.uint8)
_BASIC = np.frombuffer(b"basic", np.uint8)


@helper
def scan_head(data, line, at, end, lines, facts):
    """Look from ``at`` for the empty line that ends a head; the position after it, or -1.

    ``line`` is where the line that holds ``at`` begins. The starts of the lines go to ``lines``, their number to facts[LINES] (the
    last start is that of the empty or of the unfinished line), the start of the unfinished line to facts[LINE]. Bare LF ends a line.
    facts[BAD_BYTES] counts what no head may have.
    """
    n = 0
    lines[0] = line
    facts[BAD_BYTES] = 0
    while at < end:
        byte = data[at]
        if byte <= 13:
            if byte == 10:
                if at == line or (at == line + 1 and data[line] == 13):
                    facts[LINES] = n
                    return at + 1
                line = at + 1
                n += 1
                if n < lines.size:
                    lines[n] = line
            elif byte == 0 or (byte == 13 and at + 1 < end and data[at + 1] != 10):
                facts[BAD_BYTES] += 1
        at += 1
    facts[LINES] = n
    facts[LINE] = line
    return np.int64(-1)


@helper
def skip_blank(data, at, end):
    """First position from ``at`` on that is neither space nor tab."""
    while at < end and (data[at] == 32 or data[at] == 9):
        at += 1
    return at


@helper
def trim(data, at, end):
    """The end of a text without its trailing spaces, tabs and line ends."""
    while end > at and (data[end - 1] == 32 or data[end - 1] == 9 or data[end - 1] == 13 or data[end - 1] == 10):
        end -= 1
    return end


@helper
def next_blank(data, at, end):
    """First position from ``at`` on that is a space or tab, else ``end``."""
    while at < end and data[at] != 32 and data[at] != 9:
        at += 1
    return at


@helper
def is_word(data, at, end, word):
    """Whether the bytes are exactly ``word`` (lower case), in any case."""
    if end - at != word.size:
        return False
    for k in range(word.size):
        byte = np.int64(data[at + k])
        if 65 <= byte <= 90:
            byte += 32
        if byte != word[k]:
            return False
    return True


@helper
def name_kind(data, at, end):
    """Which known field a name is (any case), 0 = none."""
    n = end - at
    if n >= NAME_LIMIT:
        return 0
    for k in range(_FROM[n], _FROM[n + 1]):
        i = 0
        while i < n:
            byte = np.int64(data[at + i])
            if 65 <= byte <= 90:
                byte += 32
            if byte != _BYTES[k * NAME_LIMIT + i]:
                break
            i += 1
        if i == n:
            return _KINDS[k]
    return 0


@helper
def copy_value(data, at, end, text, top):
    """Append a trimmed value to the text, each fold (line end and blanks around it) as one space (RFC 9112 5.2); the new top."""
    start = top
    while at < end:
        byte = data[at]
        if byte == 10:
            while top > start and (text[top - 1] == 32 or text[top - 1] == 9 or text[top - 1] == 13):
                top -= 1
            text[top] = 32
            at = skip_blank(data, at + 1, end)
        else:
            text[top] = byte
            at += 1
        top += 1
    return top


@helper
def read_version(data, at, end):
    """``HTTP/d.d`` as ten times the version; 0 when it is anything else."""
    if end - at != 8 or begins_with(data, at, end, _HTTP) != 1 or data[at + 6] != 46:
        return 0
    major, minor = np.int64(data[at + 5]) - 48, np.int64(data[at + 7]) - 48
    return 10 * major + minor if 0 <= major <= 9 and 0 <= minor <= 9 else 0


@helper
def read_request_line(data, at, end, facts):
    """``method SP target SP version`` (RFC 9112 3): method is FIRST, target SECOND; without a version it is HTTP/0.9.

    Blanks inside the target belong to it: only a last word that begins with ``HTTP/`` is the version.
    """
    end = trim(data, at, end)
    stop = next_blank(data, at, end)
    target = skip_blank(data, stop, end)
    last = end
    while last > target and data[last - 1] != 32 and data[last - 1] != 9:
        last -= 1
    facts[VERSION] = 9
    facts[SECOND_SIZE] = end - target
    if begins_with(data, last, end, _HTTP) == 1:
        facts[VERSION] = read_version(data, last, end)
        facts[SECOND_SIZE] = trim(data, target, last) - target
    facts[FIRST] = at
    facts[FIRST_SIZE] = stop - at
    facts[SECOND] = target


@helper
def read_status_line(data, at, end, facts):
    """``version SP status SP reason`` (RFC 9112 4): the reason is FIRST; STATUS is -1 unless it is three digits."""
    end = trim(data, at, end)
    stop = next_blank(data, at, end)
    facts[VERSION] = read_version(data, at, stop)
    at = skip_blank(data, stop, end)
    stop = next_blank(data, at, end)
    facts[STATUS] = -1
    if stop - at == 3:
        value = np.int64(0)
        for k in range(at, stop):
            digit = np.int64(data[k]) - 48
            value = value * 10 + digit if 0 <= digit <= 9 and value >= 0 else np.int64(-1)
        facts[STATUS] = value
    facts[FIRST] = skip_blank(data, stop, end)
    facts[FIRST_SIZE] = end - facts[FIRST]


@helper
def read_length(data, at, end, facts):
    """One Content-Length value; a list of equal numbers is one number (RFC 9110 8.6), anything else an error."""
    while True:
        at = skip_blank(data, at, end)
        value, digits = np.int64(0), np.int64(0)
        while at < end and 48 <= data[at] <= 57:
            digit = np.int64(data[at]) - 48
            if value > (MAX_LENGTH - digit) // 10:
                break
            value = value * 10 + digit
            digits += 1
            at += 1
        at = skip_blank(data, at, end)
        if digits == 0 or (at < end and data[at] != 44):
            facts[LENGTH_STATE] = BAD_LENGTH
            return
        if facts[LENGTH_STATE] == ONE_LENGTH and facts[LENGTH] != value:
            facts[LENGTH_STATE] = LENGTH_CONFLICT
        if facts[LENGTH_STATE] > ONE_LENGTH:
            return
        facts[LENGTH_STATE] = ONE_LENGTH
        facts[LENGTH] = value
        if at >= end:
            return
        at += 1


@helper
def find_token(data, at, end):
    """(start, end) of the first name of a coding: what is no letter of a name before it, and all that follows, is left out."""
    while at < end and (data[at] <= 32 or data[at] >= 127 or data[at] == 59):
        at += 1
    stop = at
    while stop < end and 32 < data[stop] < 127 and data[stop] != 59:
        stop += 1
    return at, stop


@helper
def read_coding(data, at, end, facts):
    """One Transfer-Encoding value: only its last coding matters (RFC 9112 6.3); ``identity`` is none."""
    last = end
    while last > at and data[last - 1] != 44:
        last -= 1
    word, stop = find_token(data, last, end)
    if stop != end or skip_blank(data, last, end) != word:
        facts[FOLDS] += 1
    if is_word(data, word, stop, _CHUNKED):
        facts[CODING] = CHUNKED
    elif word < stop and not is_word(data, word, stop, _IDENTITY):
        facts[CODING] = OTHERWISE


@helper
def digit64(byte):
    """Value of one base64 digit (RFC 4648 4 and 5), -1 = none."""
    if 65 <= byte <= 90:
        return byte - 65
    if 97 <= byte <= 122:
        return byte - 71
    if 48 <= byte <= 57:
        return byte + 4
    if byte == 43 or byte == 45:
        return np.int64(62)
    return np.int64(63) if byte == 47 or byte == 95 else np.int64(-1)


@helper
def copy_user(data, at, end, text, top):
    """Append the user of ``Basic base64(user:password)`` (RFC 7617 2) to the text; the new top, or ``top`` when there is none."""
    stop = next_blank(data, at, end)
    if not is_word(data, at, stop, _BASIC):
        return top
    start = top
    bits, held = np.int64(0), np.int64(0)
    for k in range(skip_blank(data, stop, end), end):
        digit = digit64(np.int64(data[k]))
        if digit < 0:
            break
        bits = (bits << 6 | digit) & 0xFFFF
        held += 6
        if held >= 8:
            held -= 8
            byte = bits >> held & 255
            if byte == 58:
                return top
            text[top] = byte
            top += 1
    for k in range(start, top):  # no colon: what was decoded may be a secret
        text[k] = 0
    return start
