"""What stands out in lookups: failures, time lost, and signs of forged answers."""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.lifecycle.rules import Marks, Rule
from analyzer.tables.dns import NXDOMAIN, REFUSED, SERVFAIL, TIMEOUT, UNREACHABLE
from analyzer.thresholds import DEFAULTS, Thresholds

SILENT_PORTS = (137, 5353, 5355)  # where nobody answers for a name that nobody has

DNS_RULES = (
    Rule("dns.nxdomain", "note", "the name does not exist", "Check the spelling of the name and the search domains."),
    Rule(
        "dns.nxdomain_repeated",
        "warning",
        "a name that does not exist is asked for again and again",
        "Find the program that asks, or let the client keep negative answers.",
        "count",
    ),
    Rule("dns.servfail", "warning", "the DNS server failed", "Look at the resolver's log: often a broken zone or DNSSEC."),
    Rule("dns.refused", "warning", "the DNS server refused to answer", "Ask a resolver that serves this client."),
    Rule("dns.timeout", "warning", "the lookup was never answered", "Check that the DNS server can be reached."),
    Rule("dns.unreachable", "error", "ICMP says that the DNS server is not there", "Check the address of the resolver and its firewall."),
    Rule("dns.retry", "warning", "the DNS question had to be asked again", "Look for packet loss on the way to the DNS server.", "count"),
    Rule("dns.slow", "warning", "the DNS answer took long", "Use a nearer resolver, or look why its cache is cold.", "ns"),
    Rule("dns.very_slow", "error", "the DNS answer took more than a second", "Use a nearer resolver, or look what it waits for.", "ns"),
    Rule(
        "dns.truncated",
        "note",
        "the answer did not fit in a datagram: asked again over TCP",
        "Allow 1232 bytes with EDNS, or make the answer smaller.",
        "ns",
    ),
    Rule(
        "dns.search_domains",
        "note",
        "names with search domains were tried first",
        "Ask for the full name with a dot at its end, or shorten the search list.",
        "ns",
    ),
    Rule(
        "dns.conflicting_answers",
        "warning",
        "more answers than questions, and they say different things: one may be forged",
        "Compare their TTLs and arrival; use DNSSEC, TCP or an encrypted transport.",
        "count",
    ),
    Rule(
        "dns.case_changed",
        "warning",
        "the answer does not repeat the mixed case of the question: a server that does not keep it, or a forged answer",
        "Compare with other answers of this server.",
    ),
)

RACE_RULES = (
    Rule(
        "tcp.fallback",
        "note",
        "attempts at other addresses of the name came to nothing before",
        "See why they were not answered: often IPv6 that does not reach its goal.",
        "ns",
    ),
)


def judge_races(finished: Finished) -> list[Marks]:
    """Which connections won a race that began with another one; the amount is what the losers cost."""
    a, c = finished.attributions, finished.connections
    used = (c["synack_ts"] != 0) & (c["ack_ts"] != 0) & (finished.originators["first_payload_ts"] != 0)
    delay = np.where(a["race"] != 0, c["first_ts"] - a["race_ts"], 0)
    return [Marks("tcp.fallback", used & (delay > 0), c["first_number"], c["first_ts"], delay)]


def judge_lookups(finished: Finished, limits: Thresholds = DEFAULTS) -> list[Marks]:
    """Which rules fire on which rows of ``finished.lookups``."""
    q = finished.lookups
    outcome, is_first = q["outcome"], q["is_repeat"] == 0
    query, answer = (q["query_number"], q["query_ts"]), (q["response_number"], q["response_ts"])
    both = is_first & (q["has_query"] == 1) & (q["has_response"] == 1)
    asks_one = is_first & (q["is_multicast"] == 0) & ~np.isin(q["server_port"], SILENT_PORTS)
    wait = np.where(both & (q["is_multicast"] == 0), q["response_ts"] - q["query_ts"], 0)
    gone = is_first & (outcome == NXDOMAIN)
    went_on = q["truncated_number"] != 0
    repeats = q["queries"] - np.int64(1) - went_on
    searched = is_first & (q["searched"] > 0) & (q["resolution"] != q["number"])
    asked = q["query_number"]
    often = gone & (q["nxdomains"] > limits.dns_nxdomain_repeats)
    slow, very_slow = wait > limits.ns("dns_slow_ms"), wait > limits.ns("dns_very_slow_ms")
    return [
        Marks("dns.nxdomain", gone & ~often, *answer, 0, asked),
        Marks("dns.nxdomain_repeated", often, *answer, q["nxdomains"].astype(np.int64), asked),
        Marks("dns.servfail", is_first & (outcome == SERVFAIL), *answer, 0, asked),
        Marks("dns.refused", is_first & (outcome == REFUSED), *answer, 0, asked),
        Marks("dns.timeout", asks_one & (outcome == TIMEOUT), *query),
        Marks("dns.unreachable", is_first & (outcome == UNREACHABLE), *query),
        Marks("dns.retry", asks_one & (repeats > 0), *query, repeats),
        Marks("dns.slow", slow & ~very_slow, *answer, wait, asked),
        Marks("dns.very_slow", very_slow, *answer, wait, asked),
        Marks("dns.truncated", is_first & went_on, q["truncated_number"], q["own_query_ts"], q["own_query_ts"] - q["query_ts"]),
        Marks("dns.search_domains", searched, *query, q["query_ts"] - q["resolution_ts"]),
        Marks(
            "dns.conflicting_answers",
            both & (q["conflicts"] > 0) & (q["responses"] > q["queries"]),
            *answer,
            q["conflicts"].astype(np.int64),
        ),
        Marks("dns.case_changed", both & (q["is_case_changed"] == 1), *answer),
    ]
