# mypy: allow-untyped-defs
"""Record data as a row of items: for each type the items that make it up, and one loop that writes any of them.

A form is a word with a letter an item, written with spaces between. A digit is a number of so many bytes in decimal. Names: ``n`` may be
compressed (types of RFC 1035 and those named in RFC 3597 4; NSEC in multicast DNS, RFC 6762 18.14), ``u`` may not. ``s`` is a character
string in quotes, ``o`` the same where it may be missing, ``S`` all strings to the end, ``c`` the tag of CAA, ``q`` what is left as one
quoted text, ``x`` what is left in hex, ``X`` the same after ``0x``, ``b`` what is left in base64, ``h`` a salt (length and hex, ``-``
when empty), ``B`` a hash (length and base32hex), ``t`` a type, ``T`` a time, ``m`` a bitmap of types, ``a`` and ``A`` addresses of IPv4
and IPv6, ``g`` eight bytes as groups, ``e`` and ``E`` hardware addresses of six and eight bytes.
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import be16, be32, helper, u8
from analyzer.messages.dns.name_kernels import read_name
from analyzer.messages.dns.text_kernels import (
    COLON,
    DASH,
    SPACE,
    put,
    put_base64,
    put_bytes,
    put_decimal,
    put_hex,
    put_ipv4,
    put_ipv6,
    put_quoted,
    put_time,
    put_type,
)
from analyzer.registries.dns import RR_TYPES

FORMS = {
    "A": "a", "NS": "n", "MD": "n", "MF": "n", "CNAME": "n", "SOA": "nn44444", "MB": "n", "MG": "n", "MR": "n", "PTR": "n",
    "HINFO": "ss", "MINFO": "nn", "MX": "2n", "TXT": "S", "RP": "nn", "AFSDB": "2n", "X25": "s", "ISDN": "so", "RT": "2n",
    "NSAP": "X", "NSAP-PTR": "n", "SIG": "t114TT2nb", "KEY": "211b", "PX": "2nn", "GPOS": "sss", "AAAA": "A", "EID": "x",
    "NIMLOC": "x", "SRV": "222n", "NAPTR": "22sssn", "KX": "2n", "DNAME": "n", "DS": "211x", "SSHFP": "11x", "RRSIG": "t114TT2ub",
    "NSEC": "nm", "DNSKEY": "211b", "DHCID": "b", "NSEC3": "112hBm", "NSEC3PARAM": "112h", "TLSA": "111x", "SMIMEA": "111x",
    "NINFO": "S", "RKEY": "211b", "TALINK": "uu", "CDS": "211x", "CDNSKEY": "211b", "OPENPGPKEY": "b", "CSYNC": "42m",
    "ZONEMD": "411x", "HHIT": "b", "BRID": "b", "SPF": "S", "NID": "2g", "L32": "2a", "L64": "2g", "LP": "2u", "EUI48": "e",
    "EUI64": "E", "URI": "22q", "CAA": "1cq", "AVC": "S", "RESINFO": "S", "WALLET": "S", "CLA": "S", "TA": "211x", "DLV": "211x",
}  # fmt: skip
"""RR type to form; SVCB and HTTPS are in svcb_kernels, the others are written as RFC 3597 has it."""

NUMBER_1, NUMBER_4, NAME, PLAIN_NAME = ord("1"), ord("4"), ord("n"), ord("u")
STRING, OPTIONAL_STRING, STRINGS, TAG, QUOTED = ord("s"), ord("o"), ord("S"), ord("c"), ord("q")
HEX, PREFIXED_HEX, BASE64, SALT, HASH = ord("x"), ord("X"), ord("b"), ord("h"), ord("B")
TYPE, TIME, BITMAP, IPV4, IPV6 = ord("t"), ord("T"), ord("m"), ord("a"), ord("A")
GROUPS, EUI48, EUI64 = ord("g"), ord("e"), ord("E")
MAY_BE_MISSING = (OPTIONAL_STRING, STRINGS, HEX, BASE64, BITMAP)

SLOTS, TYPES_FROM, NO_FORM = 512, 510, 509  # types below 509 have their own slot; the last two are for TA and DLV (32768, 32769)
_BASE32 = np.array(list(b"0123456789abcdefghijklmnopqrstuv"), np.uint8)
_SLOT_FORMS = {
    (number if number < SLOTS else number - 32768 + TYPES_FROM): FORMS[name] for number, name in RR_TYPES.items() if name in FORMS
}
_FORM_TEXT = np.array(list("".join(_SLOT_FORMS.get(slot, "") for slot in range(SLOTS)).encode()), np.uint8)
_FORM_ENDS = np.zeros(SLOTS + 1, np.int64)  # the form of a slot is _FORM_TEXT[_FORM_ENDS[slot] : _FORM_ENDS[slot + 1]]
for _slot in range(SLOTS):
    _FORM_ENDS[_slot + 1] = _FORM_ENDS[_slot] + len(_SLOT_FORMS.get(_slot, ""))


@helper
def put_bitmap(data, at, end, text, top):
    """Types by windows in increasing order, 1 to 32 bytes each (RFC 4034 4.1.2), a space before each but the first; -1: malformed."""
    last, start = np.int64(-1), top
    while at < end:
        window, size = u8(data, at, end), u8(data, at + 1, end)
        if window <= last or size < 1 or size > 32 or at + 2 + size > end:
            return np.int64(-1)
        for k in range(8 * size):
            if np.int64(data[at + 2 + k // 8]) & (0x80 >> (k % 8)):
                top = put_type(text, put(text, top, SPACE) if top > start else top, window << 8 | k)
        last = window
        at += 2 + size
    return top


@helper
def put_base32(data, at, end, text, top):
    """Bytes in base32 with the extended hex alphabet, without padding (RFC 4648 7)."""
    word, bits = np.int64(0), 0
    for k in range(at, end):
        word = (word << 8 | np.int64(data[k])) & 0xFFFF
        bits += 8
        while bits >= 5:
            bits -= 5
            top = put(text, top, np.int64(_BASE32[(word >> bits) & 31]))
    return put(text, top, np.int64(_BASE32[(word << (5 - bits)) & 31])) if bits > 0 else top


@helper
def put_tag(data, at, end, text, top):
    """The tag of CAA: letters and digits (RFC 8659 4.1.1); (position or -1, new top)."""
    for k in range(at, end):
        byte = np.int64(data[k])
        if not (97 <= (byte | 32) <= 122 or 48 <= byte <= 57):
            return np.int64(-1), top
    return end, put_bytes(text, top, data, at, end)


@helper
def put_counted(data, at, end, code, text, top):
    """An item that begins with its length: a string, the tag of CAA, a salt, a hash; (position or -1, new top)."""
    size = u8(data, at, end)
    after = at + 1 + size
    if size < 0 or after > end or (size == 0 and code in (TAG, HASH)):
        return np.int64(-1), top
    if code == TAG:
        return put_tag(data, at + 1, after, text, top)
    if code == HASH:
        return after, put_base32(data, at + 1, after, text, top)
    if code != SALT:
        return after, put_quoted(text, top, data, at + 1, after)
    return after, (put_hex(text, top, data, at + 1, after) if size > 0 else put(text, top, DASH))


@helper
def put_rest(data, at, end, code, text, top):
    """All that is left, in one form; (position or -1, new top)."""
    if code == QUOTED:
        return end, put_quoted(text, top, data, at, end)
    if code == BASE64:
        return end, put_base64(text, top, data, at, end)
    if code == BITMAP:
        top = put_bitmap(data, at, end, text, top)
        return (end if top >= 0 else np.int64(-1)), top
    if code == PREFIXED_HEX:
        text[top] = 48
        text[top + 1] = 120
        top += 2
    return end, put_hex(text, top, data, at, end)


@helper
def put_fixed(data, at, end, code, text, top):
    """An item of fixed size that is not a number; (position or -1, new top)."""
    size = 8
    if code == IPV6:
        size = 16
    elif code in (IPV4, TIME):
        size = 4
    elif code == EUI48:
        size = 6
    elif code == TYPE:
        size = 2
    if at + size > end:
        return np.int64(-1), top
    if code == IPV4:
        return at + 4, put_ipv4(text, top, data, at)
    if code == IPV6:
        return at + 16, put_ipv6(text, top, data, at)
    if code == TIME:
        return at + 4, put_time(text, top, be32(data, at, end))
    if code == TYPE:
        return at + 2, put_type(text, top, be16(data, at, end))
    step = 2 if code == GROUPS else 1
    for k in range(0, size, step):
        if k > 0:
            top = put(text, top, COLON if code == GROUPS else DASH)
        top = put_hex(text, top, data, at + k, at + k + step)
    return at + size, top


@helper
def put_item(data, message, at, end, code, text, top, jumps):
    """One item; (position after it or -1, new top)."""
    if code <= NUMBER_4:
        width = code - 48
        value = be32(data, at, end) if width == 4 else (be16(data, at, end) if width == 2 else u8(data, at, end))
        return (at + width, put_decimal(text, top, value)) if value >= 0 else (np.int64(-1), top)
    if code in (NAME, PLAIN_NAME):
        at, top, _, _ = read_name(data, message, end, at, text, top, jumps if code == NAME else np.int64(0))
        return at, top
    if code in (STRING, STRINGS, OPTIONAL_STRING, TAG, SALT, HASH):
        return put_counted(data, at, end, code, text, top)
    if code in (HEX, BASE64, BITMAP, QUOTED, PREFIXED_HEX):
        return put_rest(data, at, end, code, text, top)
    return put_fixed(data, at, end, code, text, top)


@helper
def form_slot(rrtype):
    """The slot of a type; one without a form when it has none."""
    if rrtype < TYPES_FROM:
        return rrtype
    return rrtype - 32768 + TYPES_FROM if 32768 <= rrtype <= 32769 else NO_FORM


@helper
def has_form(slot):
    """Whether there is a form for the types of a slot."""
    return _FORM_ENDS[slot + 1] > _FORM_ENDS[slot]


@helper
def put_form(data, message, at, end, slot, text, top, jumps):
    """The data of one record, which lies in ``data[at:end]``, by the form of its type; the new top, -1 when it does not follow it."""
    start = top
    step, last = _FORM_ENDS[slot], _FORM_ENDS[slot + 1]
    while step < last:
        code = np.int64(_FORM_TEXT[step])
        if at == end and code in MAY_BE_MISSING:
            step += 1
            continue
        if top > start:
            top = put(text, top, SPACE)
        at, top = put_item(data, message, at, end, code, text, top, jumps)
        if at < 0:
            return at
        if code != STRINGS:
            step += 1
    return top if at == end else np.int64(-1)
