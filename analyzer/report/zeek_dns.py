"""The lines of Zeek's dns.log: not one per lookup but one per message pair as Zeek's script pairs them, so a table of its own.

The fields that Zeek takes from the request alone (RD, TC, Z, query type and class) are unset, or F and 0, where only the answer was
seen; those it takes from an answer record (AA, RA, rtt) need one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from analyzer.lifecycle.finished import Finished
from analyzer.registries.dns import zeek_class_name, zeek_opcode_name, zeek_rcode_name, zeek_rr_type_name
from analyzer.report.built import Built, from_arrow
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.dns import lookup_order, record_places
from analyzer.report.identity import IDENTITY, Identity
from analyzer.report.text import booleans, chosen, ints, lists, milliseconds, named, spans, times
from analyzer.report.zeek_updates import read_updates
from analyzer.tables import Ints, Rows, take_rows

COLUMNS = (
    *IDENTITY,
    Column("ts", "time", "first message", "UTC"),
    Column("proto", "text", "udp or tcp"),
    Column("trans_id", "number", "message id"),
    Column("rtt_ms", "milliseconds", "query to response", "ms"),
    Column("query", "text", "name asked for"),
    Column("qclass", "number", "class"),
    Column("qclass_name", "text", "its name"),
    Column("qtype", "number", "type"),
    Column("qtype_name", "text", "its name"),
    Column("rcode", "number", "response code of the header"),
    Column("rcode_name", "text", "its name"),
    Column("AA", "truth", "authoritative answer"),
    Column("TC", "truth", "truncated"),
    Column("RD", "truth", "recursion desired"),
    Column("RA", "truth", "recursion available"),
    Column("Z", "number", "the three bits after RA"),
    Column("answers", "texts", "answers"),
    Column("TTLs", "numbers", "their times to live", "s"),
    Column("rejected", "truth", "rejected by the server"),
    Column("opcode", "number", "operation"),
    Column("opcode_name", "text", "its name"),
)


def _partners(lookups: Rows, lines: Ints) -> Ints:
    """Row of the lookup that each line is joined with (multicast), else its own row."""
    wanted = lookups["zeek_pair"][lines]
    firsts = np.flatnonzero(lookups["is_repeat"] == 0)
    numbers = lookups["number"][firsts]
    sorter = np.argsort(numbers, kind="stable")
    at = np.minimum(np.searchsorted(numbers, wanted, sorter=sorter), max(len(firsts) - 1, 0))
    if len(firsts) == 0:
        return lines
    found = firsts[sorter[at]]
    return np.where((wanted != 0) & (lookups["number"][found] == wanted), found, lines)


def _with(column: Built, values: Mapping[int, Any]) -> Built:
    """A column with some values replaced; few of them, mostly none."""
    if not values:
        return column
    kept = column.to_pylist()
    for place, value in values.items():
        kept[place] = value
    return from_arrow(pa.array(kept, column.type, from_pandas=False))


def build_zeek_dns(finished: Finished, identity: Identity) -> Sheet:
    """LOOKUP rows with zeek_row = 1, each with the fields of its response (which may stand in another row)."""
    lookups, text = finished.lookups, finished.texts.dns
    lines = np.flatnonzero(lookups["zeek_row"] == 1)
    partners = _partners(lookups, lines)
    q = take_rows(lookups, np.where(lookups["has_query"][lines] == 1, lines, partners))
    r = take_rows(lookups, np.where(lookups["has_response"][lines] == 1, lines, partners))
    asked, answered = q["has_query"] == 1, r["has_response"] == 1
    updates = read_updates(q, finished.records, text, np.arange(len(q)))
    is_update = np.isin(np.arange(len(q)), list(updates))
    listed = answered & ((r["zeek_answers"] > 0) | is_update)
    bits = np.where(asked, q["query_bits"], 0)
    places, lengths = record_places(r, (finished.records["section"] == 1) & (finished.records["zeek_size"] > 0))
    answers = take_rows(finished.records, places)
    # a multicast answer may come before the query that it is joined with: the line begins with what came first, without rtt
    begin = np.where(asked & ~(answered & (r["response_ts"] < q["own_query_ts"])), q["own_query_ts"], r["response_ts"])
    rtt = r["response_ts"] - q["own_query_ts"]
    names = spans(text, np.where(asked, q["zeek_name"], r["zeek_name"]), np.where(asked, q["zeek_name_size"], r["zeek_name_size"] * listed))
    rcode = np.where(answered, r["response_bits"] & 15, -1)
    has_type = asked & (q["zeek_qtype"] >= 0) & ~is_update
    netbios = np.where(q["is_netbios"] == 1, 1 << 16, 0) | q["opcode"]
    return make_sheet(
        COLUMNS,
        {
            **identity.at(lookup_order(finished)[lines]),
            "ts": times(begin),
            "proto": chosen(("udp", "tcp"), q["transport"] == 6),
            "trans_id": ints(q["id"]),
            "rtt_ms": milliseconds(rtt, asked & listed & (rtt > 0)),
            "query": _with(names, {place: update.query for place, update in updates.items()}),
            "qclass": ints(q["zeek_qclass"], has_type),
            "qclass_name": named(q["zeek_qclass"], zeek_class_name, has_type),
            "qtype": ints(q["zeek_qtype"], has_type),
            "qtype_name": named(q["zeek_qtype"], zeek_rr_type_name, has_type),
            "rcode": ints(rcode, rcode >= 0),
            "rcode_name": named(rcode, zeek_rcode_name, rcode >= 0),
            "AA": booleans(listed & ~is_update & (r["authoritative"] == 1)),
            "TC": booleans(bits >> 9 & 1),
            "RD": booleans(bits >> 8 & 1),
            "RA": booleans(listed & ~is_update & (r["recursion_available"] == 1)),
            "Z": ints(bits >> 4 & 7),
            "answers": _with(
                lists(lengths, spans(text, answers["zeek"], answers["zeek_size"])),
                {place: update.answers for place, update in updates.items()},
            ),
            "TTLs": _with(lists(lengths, ints(answers["ttl"])), {place: update.ttls for place, update in updates.items()}),
            "rejected": booleans((q["rejected"] == 1) | (r["rejected"] == 1)),
            "opcode": ints(q["opcode"]),
            "opcode_name": named(netbios, lambda code: zeek_opcode_name(code & 0xFFFF, netbios=code >> 16 != 0)),
        },
    )
