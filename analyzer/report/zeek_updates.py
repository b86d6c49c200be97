"""Dynamic updates (RFC 2136) in Zeek's dns.log: what is asked for stands among the answers, a sentence for each record.

There are few of them, so this is ordinary Python.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.registries.dns import zeek_rr_type_name
from analyzer.tables import Bytes, Ints, Rows

UPDATE = 5
PREREQUISITE, CHANGE = 1, 2
NONE, ANY = 254, 255


class Update(NamedTuple):
    """One update: Zeek's query, its answers and their times to live."""

    query: str
    answers: list[str]
    ttls: list[int]


def describe_record(section: int, rrtype: int, rrclass: int, name: str, rdata: str) -> str:
    """A record of an update in Zeek's words (RFC 2136 2.4, 2.5)."""
    kind = zeek_rr_type_name(rrtype)
    if section == PREREQUISITE:
        if rrtype == ANY:
            return f"pre: {'NameNotInUse' if rrclass == NONE else 'NameInUse'} {name}"
        if rrclass in (NONE, ANY):
            return f"pre: {'NoRRSet' if rrclass == NONE else 'RRSet'} {kind} {name}"
        return f"pre: RRSet {kind} {name} {rdata}"
    if rrclass == ANY:
        return f"del: RRSet * {name}" if rrtype == ANY else f"del: RRSet {kind}"
    return f"{'del' if rrclass == NONE else 'add'}: {kind} {name} {rdata}"


def read_updates(lookups: Rows, records: Rows, text: Bytes, rows: Ints) -> dict[int, Update]:
    """The updates among LOOKUP rows, by their places in ``rows``."""

    def word(at: int, size: int) -> str:
        return text[at : at + size].tobytes().decode("latin-1")

    found = {}
    for place in np.flatnonzero(lookups["opcode"][rows] == UPDATE).tolist():
        x = lookups[rows[place]]
        first, count = int(x["first_record"]), int(x["records"])
        told = [r for r in records[first : first + count] if r["section"] in (PREREQUISITE, CHANGE)]
        names = [word(r["name"], r["name_size"]).lower() for r in told]
        answers = [
            describe_record(int(r["section"]), int(r["rrtype"]), int(r["rrclass"]), name, word(r["rdata"], r["rdata_size"]))
            for r, name in zip(told, names, strict=True)
        ]
        if told and x["has_query"]:
            found[place] = Update(names[0], answers, [int(r["ttl"]) for r in told])
    return found
