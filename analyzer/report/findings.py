"""Table ``findings``: what stands out, one row per rule and place."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow.compute as pc

from analyzer.lifecycle.findings import RULES
from analyzer.registries.http import grpc_status_name, http2_error_name
from analyzer.registries.tls import alert_name, version_name
from analyzer.report.built import Built, ListColumn
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.identity import Identity
from analyzer.report.tcp_analysis import icmp_error_text
from analyzer.report.text import chosen, counts, distinct, ints, lists, times, words
from analyzer.tables import Rows
from analyzer.tables.http import HTTP_ERRORS

COLUMNS = (
    Column("connection", "number", "number of the connection"),
    Column("severity", "text", "error, warning or note"),
    Column("rule", "text", "name of the rule"),
    Column("frame", "number", "frame that shows it"),
    Column("time", "time", "its time", "UTC"),
    Column("subject", "text", "the name asked for, the URL, or the host it is about"),
    Column("meaning", "text", "what it says"),
    Column("detail", "text", "the code that was seen, by name"),
    Column("amount", "number", "what was measured, in the unit of the rule"),
    Column("amount_unit", "text", "unit of amount: ns, bytes, count, code"),
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


def build_findings_table(findings: Rows, identity: Identity, subjects: tuple[Built, Built, Built]) -> Sheet:
    """FINDING rows as a report table.

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
            "severity": chosen([one.severity for one in RULES], rule),
            "rule": chosen([one.name for one in RULES], rule),
            "frame": counts(f["number"]),
            "time": times(f["ts"]),
            "subject": pc.coalesce(names.take(f["lookup"]).arrow(), urls.take(f["exchange"]).arrow(), hosts.take(order).arrow()),
            "meaning": chosen([one.meaning for one in RULES], rule),
            "detail": details.take(index),
            "amount": ints(f["amount"], np.array([one.unit != "" for one in RULES])[rule]),
            "amount_unit": chosen([one.unit or None for one in RULES], rule),
            "advice": chosen([one.advice for one in RULES], rule),
        },
    )
