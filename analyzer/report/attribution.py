"""Columns of ``connections`` that say which lookup told the client where to go, and how it raced for several addresses."""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.report.built import Built, Mask, TextColumn
from analyzer.report.columns import Column
from analyzer.report.text import addresses, booleans, chosen, counts, ints, lists, milliseconds, spans
from analyzer.tables.dns import CACHED, CANDIDATES, CAUSED

COLUMNS = (
    Column("dns_name", "text", "name whose DNS answer gave the responder's address"),
    Column("dns_source", "text", "caused: this lookup made the client connect; cached: the answer was known before; empty: not seen"),
    Column("dns_lookup", "number", "number of that lookup in ``dns``"),
    Column("dns_resolution", "number", "lookup that began its resolution, as in ``dns``"),
    Column("dns_a_ms", "milliseconds", "how long the lookup of IPv4 addresses took", "ms"),
    Column("dns_aaaa_ms", "milliseconds", "how long the lookup of IPv6 addresses took", "ms"),
    Column(
        "dns_https_ms", "milliseconds", "how long the lookup of the HTTPS record took", "ms", "only when answered before the connection"
    ),
    Column("dns_names_tried", "number", "names that the client tried before, which did not exist (search domains)"),
    Column("dns_cnames", "text", "targets of the CNAME records between the name and the address, separated by spaces"),
    Column("dns_candidates", "number", "different names that fit"),
    Column("dns_other_names", "texts", f"the other names that fit, newest first, {CANDIDATES} at most"),
    Column("dns_from_hint", "truth", "the address is known only from a hint in an HTTPS record"),
    Column("dns_answer_age_ms", "milliseconds", "age of the answer when the connection began", "ms"),
    Column("dns_ttl_s", "number", "time to live of the address record", "s"),
    Column("dns_ttl_left_s", "number", "what was left of it when the connection began; negative: outlived", "s"),
    Column("dns_queries", "number", "queries sent for it, repetitions included"),
    Column("dns_server_ip", "text", "server that gave the answer"),
    Column("race", "number", "first of several attempts to reach the name, at several addresses (Happy Eyeballs): its connection"),
    Column("race_result", "text", "won: this attempt was established and used; lost: it was not"),
    Column("race_delay_ms", "milliseconds", "how much later than the first attempt this one began: what the others cost", "ms"),
)


def is_winner(finished: Finished) -> Mask:
    """Which connections were established and used by their originator."""
    c = finished.connections
    used: Mask = (c["synack_ts"] != 0) & (c["ack_ts"] != 0) & (finished.originators["first_payload_ts"] != 0)
    return used


def build_attribution(finished: Finished) -> dict[str, Built]:
    """The columns of COLUMNS, one row per connection of the flush."""
    a, c, text = finished.attributions, finished.connections, finished.texts.attribution
    known: Mask = (a["basis"] == CACHED) | (a["basis"] == CAUSED)
    version = np.where(a["server_hi"] > 0, 6, 4) * (known & ((a["server_hi"] > 0) | (a["server_lo"] > 0)))
    age = c["first_ts"] - a["response_ts"]
    races: Mask = a["race"] != 0
    return {
        "dns_name": spans(text, a["name"], np.where(known, a["name_size"], 0)),
        "dns_source": chosen(("cached", "caused"), a["basis"] == CAUSED, known),
        "dns_lookup": ints(a["lookup"], known),
        "dns_resolution": counts(a["resolution"]),
        **{f"dns_{kind}_ms": milliseconds(ns, ns != 0) for kind, ns in zip(("a", "aaaa", "https"), a["kind_ns"].T.copy(), strict=True)},
        "dns_names_tried": counts(a["searched"]),
        "dns_cnames": spans(text, a["cnames"], a["cnames_size"]),
        "dns_candidates": ints(a["candidates"], known),
        "dns_other_names": lists((a["other_size"] > 0).sum(axis=1), _others(finished)),
        "dns_from_hint": booleans(a["is_hint"], known),
        "dns_answer_age_ms": milliseconds(age, known),
        "dns_ttl_s": ints(a["ttl"], known),
        "dns_ttl_left_s": ints(a["ttl"] - age // 1_000_000_000, known),
        "dns_queries": ints(a["queries"], known),
        "dns_server_ip": addresses(a["server_hi"], a["server_lo"], version),
        "race": counts(a["race"]),
        "race_result": chosen(("lost", "won"), is_winner(finished), races),
        "race_delay_ms": milliseconds(c["first_ts"] - a["race_ts"], races),
    }


def _others(finished: Finished) -> TextColumn:
    """All other names that fit, connection by connection."""
    a = finished.attributions
    there = a["other_size"] > 0
    return spans(finished.texts.attribution, a["other"][there], a["other_size"][there])
