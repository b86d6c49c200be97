# mypy: allow-untyped-defs
"""Compaction: lookups that are still wanted move to where those lay that were taken; their records and text to new tables."""

from __future__ import annotations

import numpy as np

from analyzer.kernel import helper, kernel


@helper
def move_text(source, target, top, at, size):
    """Copy a span behind what was kept; the new top."""
    for k in range(size):
        target[top + k] = source[at + k]
    return top + size


@helper
def move_lookup(x, source, target, top):
    """The spans of a LOOKUP row, of which Zeek's name may be that for people; the new top."""
    at, size = np.int64(x.name), np.int64(x.name_size)
    x.name = top
    top = move_text(source, target, top, at, size)
    if x.zeek_name == at and x.zeek_name_size == size:
        x.zeek_name = x.name
    else:
        at, size = np.int64(x.zeek_name), np.int64(x.zeek_name_size)
        x.zeek_name = top
        top = move_text(source, target, top, at, size)
    if x.extended_error_text_size > 0:
        at = np.int64(x.extended_error_text)
        x.extended_error_text = top
        top = move_text(source, target, top, at, np.int64(x.extended_error_text_size))
    if x.query_options_size > 0:
        at = np.int64(x.query_options)
        x.query_options = top
        top = move_text(source, target, top, at, np.int64(x.query_options_size))
    if x.response_options_size > 0:
        at = np.int64(x.response_options)
        x.response_options = top
        top = move_text(source, target, top, at, np.int64(x.response_options_size))
    return top


@helper
def move_record(r, x, name, source, target, top):
    """The spans of a RESOURCE_RECORD row, where ``name`` was the name of its lookup; the new top."""
    if r.name == name and r.name_size == x.name_size:
        r.name = x.name
    else:
        at = np.int64(r.name)
        r.name = top
        top = move_text(source, target, top, at, np.int64(r.name_size))
    at, size = np.int64(r.rdata), np.int64(r.rdata_size)
    r.rdata = top
    top = move_text(source, target, top, at, size)
    if r.zeek == at and r.zeek_size == size:
        r.zeek = r.rdata
    else:
        at = np.int64(r.zeek)
        r.zeek = top
        top = move_text(source, target, top, at, np.int64(r.zeek_size))
    return top


@helper
def new_place(places, row):
    """Row plus one after compaction, 0 when it is gone; ``places[k]``: live rows before row k."""
    if row == 0 or places[row] == places[np.int64(row) - 1]:
        return np.int64(0)
    return np.int64(places[row])


@helper
def relocate(places, pending, streams, truncations, top):
    """Rows that name rows follow them."""
    for row in range(top):
        e = pending[row]
        e.first_repeat = new_place(places, e.first_repeat)
        e.last_repeat = new_place(places, e.last_repeat)
        e.next_repeat = new_place(places, e.next_repeat)
        e.next_join = new_place(places, e.next_join)
    for row in range(streams.size):
        s = streams[row]
        s.first_query = new_place(places, s.first_query)
        s.last_query = new_place(places, s.last_query)
        s.first_reply = new_place(places, s.first_reply)
        s.last_reply = new_place(places, s.last_reply)
    for row in range(truncations.size):
        truncations[row].row = new_place(places, truncations[row].row)


@kernel
def compact(lookups, pending, streams, truncations, records, new_records, source, target, places):
    """Move what is live of the first lookups to the front, its records and text to new tables; (new tops of all three).

    ``places`` (as long as lookups are in use, and one more) is scratch. Rows only move to the front, so each is read before it is
    overwritten. The new tables are as large as the old ones are full: nothing gets longer.
    """
    top = places.size - 1
    for row in range(top):
        places[row + 1] = places[row] + (1 if lookups[row].connection >= 0 else 0)
    relocate(places, pending, streams, truncations, top)
    record_top, text_top = 0, 0
    for row in range(top):
        if places[row + 1] == places[row]:
            continue
        live = np.int64(places[row])
        if live < row:
            lookups[live] = lookups[row]
            pending[live] = pending[row]
        x = lookups[live]
        name, first = np.int64(x.name), np.int64(x.first_record)
        text_top = move_lookup(x, source, target, text_top)
        x.first_record = record_top
        for k in range(first, first + np.int64(x.records)):
            new_records[record_top] = records[k]
            text_top = move_record(new_records[record_top], x, name, source, target, text_top)
            record_top += 1
    return np.int64(places[top]), record_top, text_top
