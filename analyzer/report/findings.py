"""Table ``findings``: what stands out, one row per rule and place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow.compute as pc

from analyzer.lifecycle.explanations import EXPLANATIONS
from analyzer.lifecycle.findings import RULES
from analyzer.registries.http import grpc_status_name, http2_error_name
from analyzer.registries.tls import alert_name, version_name
from analyzer.report.built import Built, ListColumn
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.identity import Identity
from analyzer.report.tcp_analysis import icmp_error_text
from analyzer.report.text import chosen, counts, distinct, ints, lists, times, words
from analyzer.tables import Ints, Rows
from analyzer.tables.http import HTTP_ERRORS
from analyzer.thresholds import DEFAULTS, Thresholds

COLUMNS = (
    Column("connection", "number", "number of the connection"),
    Column("severity", "text", "error, warning or note"),
    Column("rule", "text", "name of the rule"),
    Column("frame", "number", "frame that shows it"),
    Column("frames", "numbers", "all frames that show it: where it began as well"),
    Column("time", "time", "its time", "UTC"),
    Column("subject", "text", "the name asked for, the URL, or the host it is about"),
    Column("meaning", "text", "what it says"),
    Column("detail", "text", "the code that was seen, by name"),
    Column("amount", "number", "what was measured, in the unit of the rule"),
    Column("amount_unit", "text", "unit of amount: ns, bytes, count, code"),
    Column("explanation", "text", "why it matters"),
    Column("advice", "text", "what to do"),
)
_CODE_NAMES: Final = {
    "tls.alert_fatal": alert_name,
    "tls.old_version": version_name,
    "tcp.unreachable": icmp_error_text,
    "udp.unreachable": icmp_error_text,
    "http.smuggling": lambda code: HTTP_ERRORS[code][0],
    "http2.reset": http2_error_name,
    "http2.goaway": http2_error_name,
    "grpc.failed": grpc_status_name,
}


def rule_names(findings: Rows, connections: int) -> ListColumn:
    """(connections,) names of the rules that fired on each connection, as lists; findings are ordered by connection."""
    lengths = np.bincount(findings["order"], minlength=connections)
    return lists(lengths, chosen([rule.name for rule in RULES], findings["rule"]))


def _detail(rule_code: int, amount: int) -> str | None:
    rule = RULES[rule_code]
    if rule.unit != "code":
        return None
    return _CODE_NAMES.get(rule.name, str)(amount)


def _frames(f: Rows) -> ListColumn:
    """The frames of each finding, ascending, none twice."""
    both = np.sort(np.stack([f["begin_number"], f["number"]], axis=1), axis=1)
    kept = both > 0
    kept[:, 1] &= both[:, 0] != both[:, 1]
    return lists(kept.sum(axis=1), ints(both[kept]))


def build_late_findings(rule: str, places: tuple[Ints, Ints, Ints], subjects: Sequence[str], amounts: Ints, limits: Thresholds) -> Sheet:
    """Findings of one rule that are known only at the end, when their connections may have left.

    Args:
        rule: its name.
        places: connection number, frame and time (ns) of each.
        subjects: what each is about.
        amounts: in the unit of the rule.
        limits: say the severity; a rule that is off has no rows.
    """
    one = next(known for known in RULES if known.name == rule)
    severity = limits.severity_of(one.name, one.severity)
    kept = np.arange(0 if severity == "off" else len(subjects))
    numbers, frames, ns = (column[kept] for column in places)

    def same(word: str | None) -> Built:
        return words([word] * len(kept))

    return make_sheet(
        COLUMNS,
        {
            "connection": ints(numbers),
            "severity": same(severity),
            "rule": same(one.name),
            "frame": counts(frames),
            "frames": lists(np.ones(len(kept), np.int64), ints(frames)),
            "time": times(ns),
            "subject": words([subjects[k] for k in kept.tolist()]),
            "meaning": same(one.meaning),
            "detail": same(None),
            "amount": ints(amounts[kept]),
            "amount_unit": same(one.unit or None),
            "explanation": same(EXPLANATIONS.get(one.name, one.meaning)),
            "advice": same(one.advice),
        },
    )


def build_findings_table(findings: Rows, identity: Identity, subjects: tuple[Built, Built, Built], limits: Thresholds = DEFAULTS) -> Sheet:
    """FINDING rows as a report table; ``limits`` say which rules have another severity than their own.

    ``subjects``: the name of each lookup, the URL of each exchange and the host of each connection of the flush.
    """
    f = findings
    order, rule = f["order"].astype(np.int64), f["rule"]
    names, urls, hosts = subjects
    is_code = np.array([one.unit == "code" for one in RULES])[rule]
    told, index = distinct(np.where(is_code, rule.astype(np.int64) << 32 | (f["amount"] & 0xFFFFFFFF), -1))
    details = words([_detail(code >> 32, code & 0xFFFFFFFF) if code >= 0 else None for code in told])
    return make_sheet(
        COLUMNS,
        {
            "connection": ints(identity.numbers[order]),
            "severity": chosen([limits.severity_of(one.name, one.severity) for one in RULES], rule),
            "rule": chosen([one.name for one in RULES], rule),
            "frame": counts(f["number"]),
            "frames": _frames(f),
            "time": times(f["ts"]),
            "subject": pc.coalesce(names.take(f["lookup"]).arrow(), urls.take(f["exchange"]).arrow(), hosts.take(order).arrow()),
            "meaning": chosen([one.meaning for one in RULES], rule),
            "detail": details.take(index),
            "amount": ints(f["amount"], np.array([one.unit != "" for one in RULES])[rule]),
            "amount_unit": chosen([one.unit or None for one in RULES], rule),
            "explanation": chosen([EXPLANATIONS.get(one.name, one.meaning) for one in RULES], rule),
            "advice": chosen([one.advice for one in RULES], rule),
        },
    )
