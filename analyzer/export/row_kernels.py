# mypy: allow-untyped-defs
"""Columns to lines of text: CSV records and JSON objects, all columns in one pass.

A column is a row of ``values``: the number itself, or for text the place of its element, whose bytes are
``content[ends[place] : ends[place + 1]]``; NULL where absent. Lists say with ``lengths`` how many elements follow that place (for lists
of numbers: place in ``numbers``). ``out`` is large enough for the longest possible lines (see ``cells.bound``).
"""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel

NULL = -(1 << 63)

# ---- what a column holds and how it is written
WHOLE = 0  # an integer
MILLIONTHS = 1  # an integer, written divided by 10**6, without trailing zeros: ns as milliseconds
ISO_TIME = 2  # ns since 1970 as 2026-11-23T10:14:02.113000000Z
TRUTH = 3  # true or false
STRING = 4
STRINGS = 5
WHOLES = 6
SECONDS = 7  # ns written as seconds with at most nine decimals, at least one
EPOCH = 8  # ns since 1970 written as seconds with six decimals, rounded
REALS = 9  # list of integers, written with one decimal (3.0)
PLAIN = 10  # STRING whose column has nothing that CSV quotes
BILLION = 1_000_000_000
SECOND_WIDTH = 19  # 2026-11-23T10:14:02
WIDEST = 32  # bytes of the longest cell that is no text


@helper
def put_digits(out, top, value, width):
    """Write exactly ``width`` digits of 0 <= value < 10**9; the new top. A product and a shift divide by ten (exact below 2**32)."""
    for k in range(width):
        tenth = (value * 0xCCCCCCCD) >> 35
        out[top + width - 1 - k] = 48 + value - 10 * tenth
        value = tenth
    return top + width


@helper
def put_short(out, top, value):
    """Write an integer, 0 <= value < 10**9; the new top."""
    width, limit = 1, 10
    while value >= limit:
        limit *= 10
        width += 1
    return put_digits(out, top, value, width)


@helper
def put_whole(out, top, value):
    """Write an integer; the new top."""
    if value < 0:
        out[top] = 0x2D
        top += 1
        value = -value
    if value < BILLION:
        return put_short(out, top, value)
    high = value // BILLION
    if high < BILLION:
        top = put_short(out, top, high)
    else:
        top = put_short(out, top, high // BILLION)
        top = put_digits(out, top, high % BILLION, 9)
    return put_digits(out, top, value - high * BILLION, 9)


@helper
def put_decimal(out, top, value, places, least):
    """Write value / 10**places (6 or 9) without trailing zeros, but at least ``least`` decimals; the new top."""
    if value < 0:
        out[top] = 0x2D
        top += 1
        value = -value
    if places == 6:
        whole = value // 1_000_000
        rest = value - whole * 1_000_000
    else:
        whole = value // BILLION
        rest = value - whole * BILLION
    top = put_whole(out, top, whole)
    if rest == 0 and least == 0:
        return top
    out[top] = 0x2E
    top = put_digits(out, top + 1, rest, places)
    while places > least and out[top - 1] == 48:
        top -= 1
        places -= 1
    return top


@helper
def put_second(out, top, seconds):
    """Write date and time of day, ISO 8601 in UTC. Days to a date of the Gregorian calendar: years begin in March, eras have 400 years."""
    days = seconds // 86_400
    clock = seconds - days * 86_400
    shifted = days + 719_468  # days since 0000-03-01
    era = shifted // 146_097
    day_of_era = shifted - era * 146_097
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    top = put_digits(out, top, year, 4)
    out[top] = 0x2D
    top = put_digits(out, top + 1, month, 2)
    out[top] = 0x2D
    top = put_digits(out, top + 1, day_of_year - (153 * month_from_march + 2) // 5 + 1, 2)
    out[top] = 0x54
    top = put_digits(out, top + 1, clock // 3_600, 2)
    out[top] = 0x3A
    top = put_digits(out, top + 1, clock // 60 % 60, 2)
    out[top] = 0x3A
    return put_digits(out, top + 1, clock % 60, 2)


@helper
def put_time(out, top, ns, last):
    """Write ISO 8601 in UTC with nanoseconds; the new top. ``last``: the second written last and where it stands in ``out``."""
    seconds = ns // BILLION
    if seconds == last[0]:
        shift = top - last[1]
        for k in range(top, top + SECOND_WIDTH):
            out[k] = out[k - shift]
    else:
        put_second(out, top, seconds)
        last[0] = seconds
    last[1] = top
    top += SECOND_WIDTH
    out[top] = 0x2E
    top = put_digits(out, top + 1, ns - seconds * BILLION, 9)
    out[top] = 0x5A
    return top + 1


@helper
def put_truth(out, top, value):
    """Write true or false; the new top."""
    word = 0x74727565 if value != 0 else 0x66616C73
    for k in range(4):
        out[top + k] = (word >> (24 - 8 * k)) & 255
    if value == 0:
        out[top + 4] = 0x65
        return top + 5
    return top + 4


@helper
def put_scalar(out, top, kind, value, last):
    """Write a number, time or truth; the new top."""
    if kind == MILLIONTHS:
        return put_decimal(out, top, value, 6, 0)
    if kind == ISO_TIME:
        return put_time(out, top, value, last)
    if kind == TRUTH:
        return put_truth(out, top, value)
    if kind == SECONDS:
        return put_decimal(out, top, value, 9, 1)
    if kind == EPOCH:
        return put_decimal(out, top, (value // 500 + 1) // 2, 6, 6)
    return put_whole(out, top, value)


@helper
def is_formula(byte):
    """Whether a spreadsheet may run a field that begins so: = + - @ tab CR."""
    return byte == 0x3D or byte == 0x2B or byte == 0x2D or byte == 0x40 or byte == 0x09 or byte == 0x0D


@helper
def needs_quotes(content, at, end):
    """Whether a field has bytes for which RFC 4180 2 wants quotation marks."""
    for k in range(at, end):
        byte = np.int64(content[k])
        if byte == 0x22 or byte == 0x2C or byte == 0x0A or byte == 0x0D:
            return True
    return False


@helper
def put_csv_strings(out, top, content, ends, first, count):
    """Write a field of text: the elements joined by ``;``, quoted where needed, ``'`` before what would be a formula; the new top."""
    at, end = ends[first], ends[first + count]
    is_quoted = at == end or needs_quotes(content, at, end)  # an empty text is "": not an absent one
    if is_quoted:
        out[top] = 0x22
        top += 1
    if at < ends[first + 1] and is_formula(np.int64(content[at])):
        out[top] = 0x27
        top += 1
    for k in range(first, first + count):
        if k > first:
            out[top] = 0x3B
            top += 1
        for j in range(ends[k], ends[k + 1]):
            byte = np.int64(content[j])
            if byte == 0x22:
                out[top] = byte
                top += 1
            out[top] = byte
            top += 1
    if is_quoted:
        out[top] = 0x22
        top += 1
    return top


@helper
def put_plain(out, top, content, at, end):
    """Write a field of text that has nothing to quote and is not empty; the new top."""
    if is_formula(np.int64(content[at])):
        out[top] = 0x27
        top += 1
    old, new = content[at:end], out[top : top + end - at]
    for k in range(new.shape[0]):
        new[k] = old[k]
    return top + end - at


@kernel
def write_csv(kinds, values, lengths, ends, content, numbers, last, out):
    """Lines of CSV (CRLF); the bytes written. ``last``: see ``put_time``; its second is none (NULL) at first."""
    top = np.int64(0)
    for i in range(values.shape[1]):
        for c in range(kinds.shape[0]):
            if c > 0:
                out[top] = 0x2C
                top += 1
            value = values[c, i]
            if value == NULL:
                continue
            kind = kinds[c]
            if kind == PLAIN:
                top = put_plain(out, top, content, ends[value], ends[value + 1])
            elif kind == STRING:
                top = put_csv_strings(out, top, content, ends, value, 1)
            elif kind == STRINGS:
                if lengths[c, i] > 0:
                    top = put_csv_strings(out, top, content, ends, value, lengths[c, i])
            elif kind == WHOLES:
                for k in range(lengths[c, i]):
                    if k > 0:
                        out[top] = 0x3B
                        top += 1
                    top = put_whole(out, top, numbers[value + k])
            else:
                top = put_scalar(out, top, kind, value, last)
        out[top] = 0x0D
        out[top + 1] = 0x0A
        top += 2
    return top


@helper
def put_json_string(out, top, content, at, end):
    """Write a JSON string (RFC 8259 7); the new top."""
    out[top] = 0x22
    top += 1
    for k in range(at, end):
        byte = np.int64(content[k])
        if byte < 0x20:
            out[top] = 0x5C
            out[top + 1] = 0x75
            top = put_digits(out, top + 2, 0, 2)
            out[top] = 48 + (byte >> 4)
            digit = byte & 15
            out[top + 1] = digit + 48 if digit < 10 else digit + 87
            top += 2
            continue
        if byte == 0x22 or byte == 0x5C:
            out[top] = 0x5C
            top += 1
        out[top] = byte
        top += 1
    out[top] = 0x22
    return top + 1


@helper
def put_json_list(out, top, kind, content, ends, numbers, first, count):
    """Write a JSON array of strings or numbers; the new top."""
    out[top] = 0x5B
    top += 1
    for k in range(count):
        if k > 0:
            out[top] = 0x2C
            top += 1
        if kind == STRINGS:
            top = put_json_string(out, top, content, ends[first + k], ends[first + k + 1])
        elif kind == REALS:
            top = put_decimal(out, top, numbers[first + k] * 1_000_000, 6, 1)
        else:
            top = put_whole(out, top, numbers[first + k])
    out[top] = 0x5D
    return top + 1


@kernel
def write_json(names, kinds, values, lengths, ends, content, numbers, last, out):
    """One JSON object a line, absent fields left out; element ``names + c`` of the text is the name of column c. The bytes written."""
    top = np.int64(0)
    for i in range(values.shape[1]):
        out[top] = 0x7B
        top += 1
        begin = top
        for c in range(kinds.shape[0]):
            value = values[c, i]
            if value == NULL:
                continue
            if top > begin:
                out[top] = 0x2C
                top += 1
            top = put_json_string(out, top, content, ends[names + c], ends[names + c + 1])
            out[top] = 0x3A
            top += 1
            kind = kinds[c]
            if kind == STRING:
                top = put_json_string(out, top, content, ends[value], ends[value + 1])
            elif kind in (STRINGS, WHOLES, REALS):
                top = put_json_list(out, top, kind, content, ends, numbers, value, lengths[c, i])
            elif kind == ISO_TIME:
                out[top] = 0x22
                top = put_time(out, top + 1, value, last)
                out[top] = 0x22
                top += 1
            else:
                top = put_scalar(out, top, kind, value, last)
        out[top] = 0x7D
        out[top + 1] = 0x0A
        top += 2
    return top
