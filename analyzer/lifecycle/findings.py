"""What stands out: rules over the rows of finished connections, each hit a row with the frame that shows it.

From which values on is said by `Thresholds`; a rule fires at most once per connection, lookup or exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.lifecycle.dns_findings import DNS_RULES, RACE_RULES, judge_lookups, judge_races
from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.http_findings import HTTP_RULES, judge_exchanges, judge_links
from analyzer.lifecycle.quic_findings import QUIC_RULES, quic_hits
from analyzer.lifecycle.rules import Mask, Rule
from analyzer.lifecycle.staples import STAPLE_RULES, judge_staples
from analyzer.lifecycle.tcp_findings import TCP_RULES, tcp_hits
from analyzer.lifecycle.tls_findings import TLS_RULES, judge_certificates, judge_handshakes
from analyzer.lifecycle.tls_practice import PRACTICE_RULES, judge_practice
from analyzer.messages.tls.certificates import Certificate
from analyzer.messages.tls.chains import ChainChecks
from analyzer.tables import Ints, Rows, join_tables, new_table, take_rows
from analyzer.tables.lifecycle import FINDING
from analyzer.tables.tls import NO_RECORD, STEP_CODES
from analyzer.thresholds import DEFAULTS, Thresholds

FATAL = 2
CLOSE_NOTIFY = 0


RULES = (
    *TCP_RULES,
    Rule("tcp.reset_mid_exchange", "error", "reset before the response was complete", "Ask the side that sent the RST why it gave up."),
    *RACE_RULES,
    *DNS_RULES,
    Rule("tls.alert_fatal", "error", "TLS ended in a fatal alert", "The alert's name says what the sender did not accept.", "code"),
    Rule("tls.no_server_hello", "error", "the ClientHello was never answered", "Check that the server speaks TLS on this port."),
    Rule("tls.hello_retry", "note", "HelloRetryRequest: one more round trip", "Let the client offer the server's group first.", "ns"),
    Rule("tls.old_version", "warning", "a TLS version that is no longer safe", "Turn on TLS 1.2 or 1.3.", "code"),
    Rule("tls.certificate_expired", "error", "the certificate had expired", "Renew the certificate.", "ns"),
    Rule(
        "tls.certificate_not_yet_valid", "error", "the certificate was not valid yet", "Check the clocks, or the certificate's start.", "ns"
    ),
    *TLS_RULES,
    *QUIC_RULES,
    *STAPLE_RULES,
    *PRACTICE_RULES,
    Rule("http.server_error", "error", "the server answered with an error", "Look at the server's log.", "code"),
    Rule("http.client_error", "note", "the server did not accept the request", "Check the URL and the rights.", "code"),
    Rule("http.unanswered", "warning", "the request was never answered", "See how the connection ended."),
    Rule("http.slow", "warning", "the server took long to answer", "Look at what the server waited for.", "ns"),
    *HTTP_RULES,
)
SEVERITY_OF = {rule.name: rule.severity for rule in RULES}
_RULE_CODES = {rule.name: code for code, rule in enumerate(RULES)}


@dataclass(frozen=True)
class Validity:
    """(d,) bounds of each distinct certificate's validity, ns since 1970; 0 = unknown; the certificates, and who checks their chains."""

    not_before: Ints
    not_after: Ints
    certificates: Sequence[Certificate] = ()
    chains: ChainChecks | None = None


def _rows(  # noqa: PLR0913, PLR0917 - the fields of Marks
    name: str, there: Mask, number: Ints, ts: Ints, amount: Ints | int = 0, begin_number: Ints | int = 0
) -> Rows:
    at = np.flatnonzero(there)
    table = new_table(FINDING, len(at))
    table["order"] = at
    table["rule"] = _RULE_CODES[name]
    table["number"], table["ts"] = number[at], ts[at]
    table["amount"] = amount if isinstance(amount, int) else amount[at]
    table["begin_number"] = begin_number if isinstance(begin_number, int) else begin_number[at]
    table["lookup"] = table["exchange"] = -1
    return table


def _handshakes(finished: Finished, validity: Validity) -> list[Rows]:
    h = finished.handshakes

    def place(name: str, end: int = 0) -> tuple[Ints, Ints]:
        code = STEP_CODES[name]
        return h["step_number"][:, code, end], h["step_ts"][:, code, end]

    hello_number, hello_ts = place("client_hello")
    retry_number, retry_ts = place("hello_retry_request")
    second_ts = place("second_client_hello")[1]
    server = place("server_hello")
    answered = server[1] != 0
    fatal = (h["alert_level"] == FATAL) & (h["alert_code"] != CLOSE_NOTIFY)
    silent = (h["seen"] == 1) & (hello_ts != 0) & ~answered & (retry_ts == 0) & ~fatal & (h["record_version"] != NO_RECORD)
    silent &= finished.responders["packets"] > 0  # the answers of one-sided captures are elsewhere
    tables = [
        _rows("tls.alert_fatal", fatal, *place("alert"), h["alert_code"].astype(np.int64)),
        _rows("tls.no_server_hello", silent, hello_number, hello_ts),
        _rows("tls.hello_retry", retry_ts != 0, retry_number, retry_ts, np.where(second_ts > retry_ts, second_ts - hello_ts, 0)),
        _rows("tls.old_version", answered & (h["version"] > 0x0300) & (h["version"] < 0x0303), *server, h["version"].astype(np.int64)),
    ]
    links = finished.chain_links
    leaves = take_rows(links, np.flatnonzero((links["place"] == 0) & (links["from_client"] == 0)))
    if len(leaves):
        order = finished.order_of(leaves["connection"].astype(np.int64))
        before, after = validity.not_before[leaves["certificate"]], validity.not_after[leaves["certificate"]]
        for name, wrong, by in (
            ("tls.certificate_expired", (after != 0) & (leaves["ts"] > after), leaves["ts"] - after),
            ("tls.certificate_not_yet_valid", (before != 0) & (leaves["ts"] < before), before - leaves["ts"]),
        ):
            rows = _rows(name, wrong, leaves["number"], leaves["ts"], by)
            rows["order"] = order[rows["order"]]
            tables.append(rows)
    return tables


def _crypto(finished: Finished, validity: Validity, limits: Thresholds) -> list[Rows]:
    """What TLS_RULES and QUIC_RULES say, and HTTP_RULES of whole connections."""
    hits = judge_handshakes(finished, limits) + judge_practice(finished, validity.certificates, limits)
    hits += quic_hits(finished, limits)
    if validity.certificates:
        hits += judge_certificates(finished, validity.certificates, validity.chains, limits)
        hits += judge_staples(finished, validity.certificates)
    tables = []
    for one in hits + judge_links(finished):
        rows = _rows(one.rule, np.ones(len(one.order), np.bool_), one.number, one.ts, one.amount)
        rows["order"] = one.order
        tables.append(rows)
    return tables


def _lookups(finished: Finished, limits: Thresholds) -> list[Rows]:
    """What DNS_RULES say."""
    if len(finished.lookups) == 0:
        return []
    tables = [_rows(*marks) for marks in judge_lookups(finished, limits)]
    order = finished.order_of(finished.lookups["connection"].astype(np.int64))
    for rows in tables:
        rows["lookup"] = rows["order"]
        rows["order"] = order[rows["lookup"]]
    return tables


def _exchanges(finished: Finished, limits: Thresholds) -> list[Rows]:
    x, c = finished.exchanges, finished.connections
    if len(x) == 0:
        return []
    asked, answered = x["has_request"] == 1, x["has_response"] == 1
    request, response = (x["request_first_number"], x["request_first_ts"]), (x["response_first_number"], x["response_first_ts"])
    wait = np.where(asked & answered, x["response_first_ts"] - x["request_last_ts"], 0)
    status = x["status"].astype(np.int64)
    by_reset = c["teardown_by_reset"][finished.exchange_order] == 1
    begin = x["request_first_number"]
    tables = [
        _rows("http.server_error", answered & (status >= 500) & (status < 600), *response, status, begin),
        _rows("http.client_error", answered & (status >= 400) & (status < 500), *response, status, begin),
        _rows("http.unanswered", asked & ~answered, *request),
        _rows("http.slow", wait > limits.ns("http_slow_ms"), *response, wait, x["request_last_number"]),
        _rows("tcp.reset_mid_exchange", asked & by_reset & (x["response_complete"] == 0), *request),
        *(_rows(*marks) for marks in judge_exchanges(finished, limits)),
    ]
    for rows in tables:
        rows["exchange"] = rows["order"]
        rows["order"] = finished.exchange_order[rows["exchange"]]
    return tables


def _without_off(table: Rows, limits: Thresholds) -> Rows:
    """The rows of the rules that are not switched off."""
    off = [_RULE_CODES[rule] for rule, severity in limits.severities if severity == "off"]
    return take_rows(table, np.flatnonzero(~np.isin(table["rule"], off))) if off else table


def build_findings(finished: Finished, validity: Validity, limits: Thresholds = DEFAULTS) -> Rows:
    """FINDING rows ordered by (output position of the connection, frame, rule)."""
    tables = [_rows(*hits) for hits in tcp_hits(finished, limits)] + _handshakes(finished, validity)
    tables += _lookups(finished, limits) + _exchanges(finished, limits) + _crypto(finished, validity, limits)
    tables += [_rows(*marks) for marks in judge_races(finished)]
    table = _without_off(join_tables(tables), limits)
    return take_rows(table, np.lexsort((table["rule"], table["number"], table["order"])))
