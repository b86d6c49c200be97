"""Pairing against a slow twin: lists of dictionaries, no hash."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.dns.dissector import ANSWER_WAIT_NS
from analyzer.options import Limits
from tests.messages.dns.builders import CLIENT, SECOND, SERVER, Wire, address, datas, header, listed, query, question, response


def twin(messages):
    """(ts, port, id, name, is answer) -> (number, is repeat, query ts, response ts, queries, responses) in order of rows."""
    rows, number = [], 0
    for ts, port, ident, name, is_answer in messages:
        same = [r for r in rows if r["key"] == (port, ident, name.lower()) and not r["repeat"]]
        waiting = [r for r in same if r["answer"] == 0]
        new = {
            "key": (port, ident, name.lower()),
            "repeat": False,
            "query": 0,
            "last": 0,
            "answer": 0,
            "queries": 0,
            "answers": 0,
            "repeats": [],
        }
        if not is_answer:
            first = next((r for r in reversed(waiting) if ts - r["last"] <= Limits().dns_retry_ns), None)
            if first:
                first["queries"] += 1
                first["last"] = ts
                first["repeats"].append(new)
                new |= {"repeat": True, "number": first["number"]}
            else:
                number += 1
                new["number"] = number
            new |= {"query": ts, "last": ts, "queries": 1}
            rows.append(new)
            continue
        fits = [r for r in waiting if ts - r["last"] <= ANSWER_WAIT_NS]
        answered = [r for r in same if r["answer"]]
        if fits:
            fits[0] |= {"answer": ts, "answers": 1}
        elif answered:
            answered[-1]["answers"] += 1
            if answered[-1]["repeats"]:
                answered[-1]["repeats"].pop(0).update(answer=ts, answers=1)
            else:
                rows.append(new | {"repeat": True, "number": answered[-1]["number"], "answer": ts, "answers": 1})
        else:
            number += 1
            rows.append(new | {"number": number, "answer": ts, "answers": 1})
    return [(r["number"], int(r["repeat"]), r["query"], r["answer"], r["queries"], r["answers"]) for r in rows]


EVENTS = st.lists(
    st.tuples(
        st.integers(1, 20), st.integers(40000, 40001), st.integers(1, 2), st.sampled_from(["a.org", "A.oRG", "b.org"]), st.booleans()
    ),
    max_size=25,
)


@given(EVENTS, st.sets(st.integers(0, 25), max_size=4))
@settings(max_examples=80, deadline=None)
def test_against_the_twin(events, cuts):
    wire, messages, ts = Wire(), [], 0
    for step, port, ident, name, is_answer in events:
        ts += step * SECOND
        messages.append((ts, port, ident, name, is_answer))
        if is_answer:
            wire.answer(ts, response(text=name, ident=ident), sport=port)
        else:
            wire.ask(ts, query(name, ident=ident), sport=port)
    if not events:
        return
    # who sent a connection's first packet does not matter: the client is who asked
    dns = wire.analyse([cut for cut in cuts if cut < len(events)])
    rows = listed(dns)
    assert [(r["number"], r["is_repeat"], r["query_ts"], r["response_ts"], r["queries"], r["responses"]) for r in rows] == twin(messages)
    assert all(r["client_lo"] == 0xC0000201 and r["server_port"] == 53 for r in rows)


def test_outcomes():
    cases = [
        (response(address("203.0.113.1")), "answered"),
        (response(), "nodata"),
        (response(address("2001:db8::1")), "nodata"),
        (response(bits=0x8183), "nxdomain"),
        (response(bits=0x8182), "servfail"),
        (response(bits=0x8185), "refused"),
        (response(bits=0x8184), "failed"),
        (response(address("203.0.113.1"), bits=0x8380), "truncated"),
        (header(bits=0x8181, qd=0), "failed"),  # FORMERR without a question belongs to the query by its id
    ]
    wire = Wire()
    for i, (reply, _) in enumerate(cases):
        wire.ask(i * SECOND, query(), sport=1000 + i).answer(i * SECOND + 7, reply, sport=1000 + i)
    wire.ask(100 * SECOND, query(), sport=99).answer(101 * SECOND, response(), sport=98)
    rows = listed(wire.analyse())
    assert [r["outcome"] for r in rows] == [o for _, o in cases] + ["unanswered", "answer_only"]
    assert [r["is_over"] for r in rows] == [1] * len(cases) + [0, 1]
    assert rows[8]["rejected"] == 1
    assert rows[8]["name"] == "www.example.org"


def test_case_of_the_name_may_differ():
    wire = Wire().ask(1, query("WwW.eXample.org")).answer(2, response(text="www.EXAMPLE.org"))
    (row,) = listed(wire.analyse())
    assert (row["name"], row["zeek_name"], row["response_ts"]) == ("WwW.eXample.org", "www.example.org", 2)


def test_other_question_with_the_same_id_does_not_fit():
    wire = Wire().ask(1, query("a.org")).answer(2, response(text="b.org")).answer(3, response(text="a.org"))
    assert [(r["name"], r["has_query"], r["response_ts"]) for r in listed(wire.analyse())] == [("a.org", 1, 3), ("b.org", 0, 2)]


def test_records_of_the_response_replace_those_of_the_query():
    wire = Wire().ask(1, header(an=1) + question() + address("192.0.2.9")).answer(2, response(address("203.0.113.1")))
    (row,) = listed(wire.analyse())
    assert datas(row) == ["203.0.113.1"]


def test_multicast_is_not_paired_but_joined_for_zeek():
    group = "224.0.0.251"
    wire = Wire()
    questions = [query(ident=0), query("b.local", ident=0)]
    answers = [response(address("192.0.2.1"), ident=0), response(ident=0), response(ident=0)]
    for ts, payload in enumerate([*questions, *answers, query("c.local", ident=0)]):
        wire.add(ts + 1, (CLIENT, 5353), (group, 5353), payload)
    rows = listed(wire.analyse((1, 3)))
    assert [(r["number"], r["has_query"], r["has_response"], r["zeek_row"], r["zeek_pair"]) for r in rows] == [
        (1, 1, 0, 1, 3),
        (2, 1, 0, 1, 4),
        (3, 0, 1, 0, 1),
        (4, 0, 1, 0, 2),
        (5, 0, 1, 1, 6),
        (6, 1, 0, 0, 5),
    ]
    assert all(r["is_multicast"] for r in rows)


def test_many_lookups_with_one_id_stay_fast_and_newest_ones_pair():
    wire = Wire()
    for i in range(300):
        wire.ask(i, query(f"n{i}.org"))
    wire.answer(400, response(text="n299.org")).answer(401, response(text="n0.org"))
    rows = listed(wire.analyse())
    assert rows[299]["has_response"] == 1
    assert rows[300]["has_query"] == 0  # beyond the steps of a walk


def test_server_is_who_answers():
    wire = Wire().add(1, (SERVER, 53), (CLIENT, 40000), response()).add(2, (CLIENT, 40000), (SERVER, 53), query())
    assert [(r["has_query"], r["client_port"]) for r in listed(wire.analyse())] == [(0, 40000), (1, 40000)]


def test_zeek_pairs_by_the_id_alone():
    wire = Wire().ask(1, query("a.org")).answer(2, response(address("203.0.113.1"), text="b.org"))
    rows = listed(wire.analyse())
    assert [(r["outcome"], r["zeek_row"], r["zeek_pair"]) for r in rows] == [("unanswered", 1, 2), ("answer_only", 0, 1)]


def test_names_of_zeek():
    wire = Wire().ask(1, header(qd=2) + question("A.org") + question("B b.org", qtype=28))
    wire.answer(2, response(address("203.0.113.1"), text="C c.org", ident=2), sport=40001).answer(3, response(text="d.org"), sport=40002)
    rows = listed(wire.analyse())
    assert [(r["name"], r["zeek_name"], r["qtype"], r["zeek_qtype"]) for r in rows] == [
        ("A.org", "b b.org", 1, 28),  # the last question
        ("C\\032c.org", "c c.org", 1, 1),  # the owner of the first answer
        ("d.org", "", 1, 1),
    ]
