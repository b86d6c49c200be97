import pytest

from analyzer.lifecycle.dns_findings import DNS_RULES, RACE_RULES, judge_lookups, judge_races
from analyzer.tables.dns import OUTCOMES
from tests.lifecycle.builders import MS, finished

ANSWERED = {"has_query": 1, "has_response": 1, "outcome": 1, "query_ts": 1, "queries": 1, "responses": 1, "server_port": 53}


def fired(**fields):
    """(rule, frame, amount) of the rules that fire on one lookup."""
    marks = judge_lookups(finished([{"protocol": 17}], lookups=[{"connection": 5, "query_number": 1, "response_number": 2, **fields}]))
    return [(m.name, int(m.number[0]), m.amount if isinstance(m.amount, int) else int(m.amount[0])) for m in marks if m.there[0]]


def took(ms, **fields):
    return fired(**{**ANSWERED, "response_ts": 1 + ms * MS, "own_query_ts": 1, **fields})


def outcome(name):
    return OUTCOMES.index(name)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"outcome": outcome("nxdomain"), "nxdomains": 3}, [("dns.nxdomain", 2, 0)]),
        ({"outcome": outcome("nxdomain"), "nxdomains": 4}, [("dns.nxdomain_repeated", 2, 4)]),
        ({"outcome": outcome("nxdomain"), "is_repeat": 1}, []),
        ({"outcome": outcome("servfail")}, [("dns.servfail", 2, 0)]),
        ({"outcome": outcome("refused")}, [("dns.refused", 2, 0)]),
        ({"outcome": outcome("timeout"), "server_port": 53, "queries": 3}, [("dns.timeout", 1, 0), ("dns.retry", 1, 2)]),
        ({"outcome": outcome("timeout"), "server_port": 5355, "queries": 3}, []),
        ({"outcome": outcome("timeout"), "server_port": 53, "is_multicast": 1}, []),
        ({"outcome": outcome("unanswered"), "server_port": 53}, []),
        ({"outcome": outcome("unreachable"), "server_port": 53}, [("dns.unreachable", 1, 0)]),
        ({"outcome": outcome("truncated"), "is_repeat": 2, "server_port": 53, "queries": 1}, []),
    ],
)
def test_outcomes(fields, expected):
    assert fired(**fields) == expected


def test_how_long_it_took():
    assert took(200) == []
    assert took(201) == [("dns.slow", 2, 201 * MS)]
    assert took(1001) == [("dns.very_slow", 2, 1001 * MS)]
    assert took(1001, is_multicast=1) == []


def test_over_tcp_after_truncation():
    fields = {"queries": 2, "responses": 2, "truncated_number": 7, "own_query_ts": 1 + 30 * MS}
    assert took(60, **fields) == [("dns.truncated", 7, 30 * MS)]
    assert took(60, **{**fields, "queries": 4}) == [("dns.retry", 1, 2), ("dns.truncated", 7, 30 * MS)]


def test_search_domains():
    fields = {"searched": 2, "resolution": 1, "number": 5, "query_ts": 1 + 40 * MS, "resolution_ts": 1}
    assert took(50, **fields) == [("dns.search_domains", 1, 40 * MS)]


def test_signs_of_forgery():
    assert took(1, conflicts=1, responses=2) == [("dns.conflicting_answers", 2, 1)]
    assert took(1, conflicts=1, responses=2, queries=2, server_port=5353) == []  # either query has its answer
    assert took(1, is_case_changed=1) == [("dns.case_changed", 2, 0)]


def test_every_rule_is_judged():
    marks = judge_lookups(finished([{}], lookups=[{"connection": 5}]))
    assert [m.name for m in marks] == [rule.name for rule in DNS_RULES]


def test_what_a_race_cost():
    begin, used = 1000 * MS, {"first_payload_ts": 1300 * MS}
    open_one = {"first_ts": begin + 250 * MS, "first_number": 9, "synack_ts": 2, "ack_ts": 3}
    connections = [{"first_ts": begin, "first_number": 5}, open_one, open_one, {**open_one, "first_ts": begin}]
    race = {"race": 1, "race_ts": begin}
    f = finished(connections, attributions=[race, race, {}, race], endpoints_a=[{}, used, used, used])
    (marks,) = judge_races(f)
    assert marks.name == RACE_RULES[0].name
    assert marks.there.tolist() == [False, True, False, False]  # given up; won later; no race; won at once
    assert int(marks.amount[1]) == 250 * MS
