"""Attribution against a slow twin: every answer against every connection."""

import ipaddress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.lifecycle.attribution import Attribution
from analyzer.messages.dns import Dns
from analyzer.options import Options
from analyzer.tables import new_table
from analyzer.tables.dns import CACHED, CAUSED, NOT_SEEN
from analyzer.tables.streams import RUN
from tests.messages.dns.builders import CLIENT, SECOND, Wire, address, header, name, query, question, record, response

OTHER = "192.0.2.2"
FIRST, SECOND_ADDRESS = "203.0.113.1", "203.0.113.2"


def attribute(wire, cuts=(), answers=1 << 21, flipped=()):
    """Rows of the attribution by connection row: (basis, name, candidates, lookup, query ts, response ts, queries, ttl)."""
    dns = attribution = None
    for batch, connections in wire.batches(cuts):
        dns = dns or Dns(batch.memory, Options())
        attribution = attribution or Attribution(Options(), answers)
        for row in flipped:
            connections[row].flipped = 1
        dns.process(batch, new_table(RUN, 0), np.zeros(0, np.int64), connections)
        attribution.learn(dns)
        attribution.attribute(batch, connections)
    found = {}
    for row, t in enumerate(attribution.table[: len(wire.keys)]):
        text = bytes(attribution.text.data[t.name : t.name + t.name_size]).decode()
        values = [t[field].item() for field in ("candidates", "lookup", "query_ts", "response_ts", "queries", "ttl")]
        found[row] = (t.basis.item(), text, *values)
    return found


def connect(wire, ts, to, client=CLIENT, port=50000):
    return wire.add(ts, (client, port), (to, 443), b"", protocol=6)


def lookup(wire, ts, text, *addresses, qtype=1, sport=40000, client=CLIENT, took=1000, ttl=300, ident=1):
    records = [record(1 if "." in a else 28, ipaddress.ip_address(a).packed, ttl=ttl) for a in addresses]
    wire.ask(ts, query(text, qtype, ident=ident), sport=sport, client=client)
    return wire.answer(ts + took, response(*records, text=text, qtype=qtype, ident=ident), sport=sport, client=client)


def test_lookup_that_caused_the_connection():
    wire = lookup(Wire(), SECOND, "www.example.org", FIRST, SECOND_ADDRESS)
    connect(wire, 2 * SECOND, SECOND_ADDRESS)
    assert attribute(wire)[1] == (CAUSED, "www.example.org", 1, 1, SECOND, SECOND + 1000, 1, 300)


def test_cname_chain_leads_back_to_the_question():
    wire = Wire().ask(1, query("shop.example.org"))
    chain = [record(5, name("edge.example.net")), record(1, bytes([203, 0, 113, 1]), owner=name("edge.example.net"))]
    wire.answer(2, response(*chain, text="shop.example.org"))
    assert attribute(connect(wire, 3, FIRST))[1][:2] == (CAUSED, "shop.example.org")


def test_second_connection_and_late_connection_are_cached():
    wire = lookup(Wire(), SECOND, "a.org", FIRST)
    connect(connect(wire, 2 * SECOND, FIRST), 3 * SECOND, FIRST, port=50001)
    lookup(wire, 20 * SECOND, "b.org", SECOND_ADDRESS, sport=40001)
    connect(wire, 31 * SECOND, SECOND_ADDRESS, port=50002)
    found = attribute(wire)
    assert [found[row][0] for row in (1, 2, 4)] == [CAUSED, CACHED, CACHED]


def test_asked_over_one_family_connected_over_the_other():
    wire = lookup(Wire(), SECOND, "a.org", "2001:db8::1", qtype=28)
    connect(wire, 2 * SECOND, "2001:db8::1", client="2001:db8::99")
    assert attribute(wire)[1][:3] == (CAUSED, "a.org", 1)
    wire = lookup(Wire(), SECOND, "a.org", "2001:db8::1", qtype=28)
    lookup(wire, SECOND + 5, "b.org", "2001:db8::1", qtype=28, client=OTHER)  # which of the two hosts is it?
    connect(wire, 2 * SECOND, "2001:db8::1", client="2001:db8::99")
    assert attribute(wire)[2][0] == NOT_SEEN


def test_ttl_and_grace():
    for ttl, after, basis in ((5, 65, CACHED), (5, 66, NOT_SEEN), (0, 60, CACHED), (300, 360, CACHED), (300, 361, NOT_SEEN)):
        wire = lookup(Wire(), SECOND, "a.org", FIRST, ttl=ttl, took=0)
        assert attribute(connect(wire, (1 + after) * SECOND, FIRST))[1][0] == basis


def test_only_the_client_that_asked():
    wire = lookup(Wire(), SECOND, "a.org", FIRST)
    connect(connect(wire, 2 * SECOND, FIRST, client=OTHER), 2 * SECOND, SECOND_ADDRESS)
    assert [row[0] for row in attribute(wire).values()] == [NOT_SEEN] * 3


def test_answer_after_the_first_packet_explains_nothing():
    wire = connect(Wire(), SECOND, FIRST)
    lookup(wire, SECOND, "a.org", FIRST, took=0)
    assert attribute(wire)[0][0] == NOT_SEEN
    assert attribute(wire, (1, 2))[0][0] == NOT_SEEN


def test_originator_of_a_flipped_connection():
    wire = lookup(Wire(), SECOND, "a.org", FIRST)
    wire.add(2 * SECOND, (FIRST, 443), (CLIENT, 50000), b"", protocol=6)
    assert attribute(wire)[1][0] == NOT_SEEN
    assert attribute(wire, flipped=[1])[1][0] == CAUSED


def test_several_names_for_one_address():
    wire = lookup(Wire(), SECOND, "a.org", FIRST)
    lookup(wire, 2 * SECOND, "B.org", FIRST, sport=40001)
    lookup(wire, 3 * SECOND, "A.ORG", FIRST, sport=40002)
    assert attribute(connect(wire, 4 * SECOND, FIRST))[3][:4] == (CAUSED, "A.ORG", 2, 3)


def test_resolution_of_several_lookups():
    ms = 1_000_000
    wire = Wire()
    events = [
        (0, "ask", 65, 3), (1, "ask", 1, 1), (2, "ask", 28, 2), (3, "ask", 1, 1),  # HTTPS, A, AAAA, and A once more
        (10, "answer", 1, 1), (14, "answer", 28, 2), (20, "syn", 0, 0), (30, "answer", 65, 3),
    ]  # fmt: skip
    for at, kind, qtype, ident in events:
        if kind == "ask":
            wire.ask(SECOND + at * ms, query("a.org", qtype, ident=ident), sport=40000 + ident)
        elif kind == "answer":
            records = [address(FIRST)] if qtype == 1 else []
            wire.answer(SECOND + at * ms, response(*records, text="a.org", qtype=qtype, ident=ident), sport=40000 + ident)
        else:
            connect(wire, SECOND + at * ms, FIRST)
    for cuts in ((), range(1, 8), (7,)):
        # the HTTPS answer came after the SYN: nobody waited for it
        assert attribute(wire, cuts)[3] == (CAUSED, "a.org", 1, 2, SECOND + ms, SECOND + 14 * ms, 3, 300)


def test_late_duplicate_is_no_new_answer():
    wire = Wire().ask(1, query()).ask(2, query()).answer(3, response(address(FIRST)))
    connect(wire, 4, FIRST).answer(5, response(address(FIRST)))
    connect(wire, 6, FIRST, port=50001)
    found = attribute(wire)
    assert [found[1][0], found[2][0]] == [CAUSED, CACHED]


def test_error_responses_and_updates_teach_nothing():
    wire = Wire().ask(1, query()).answer(2, response(address(FIRST), bits=0x8183))
    wire.ask(3, header(0x2800, ident=9) + question()).answer(4, response(address(FIRST), bits=0xA800, ident=9))
    assert attribute(connect(wire, 5, FIRST))[1][0] == NOT_SEEN


def test_release_and_sweeping():
    wire = Wire()
    for i in range(1500):
        lookup(wire, i * 100 * SECOND, f"n{i}.org", FIRST, sport=40000 + i % 500, ttl=1, ident=i)
    connect(wire, 1499 * 100 * SECOND + 5000, FIRST)
    assert attribute(wire, range(300, 3000, 300))[500][:2] == (CAUSED, "n1499.org")


def test_hard_limit_drops_the_oldest():
    wire = Wire()
    for i in range(1100):
        lookup(wire, i * 1000, f"n{i}.org", FIRST if i else SECOND_ADDRESS, sport=40000 + i, took=1, ident=i)
    connect(wire, 1100 * 1000, FIRST)
    connect(wire, 1101 * 1000, SECOND_ADDRESS, port=50001)
    found = attribute(wire, (2200,), answers=100)
    assert found[1100][1] == "n1099.org"
    assert found[1101][0] == NOT_SEEN


def twin(events):
    """Every connection against every answer before it."""
    answers, found = [], []
    for ts, kind, client, text, to, ttl in events:
        if kind == "lookup":
            answers.append({"client": client, "name": text, "to": to, "ts": ts + 1, "end": ts + 1 + (ttl + 60) * SECOND, "used": False})
            continue
        fits = [a for a in answers if a["client"] == client and a["to"] == to and ts <= a["end"]]
        if not fits:
            found.append((NOT_SEEN, "", 0))
            continue
        basis = CAUSED if not fits[-1]["used"] and ts - fits[-1]["ts"] <= 10 * SECOND else CACHED
        fits[-1]["used"] = True
        found.append((basis, fits[-1]["name"], len({a["name"] for a in fits})))
    return found


EVENTS = st.lists(
    st.tuples(
        st.integers(1, 30),
        st.sampled_from(["lookup", "connect"]),
        st.sampled_from([CLIENT, OTHER]),
        st.sampled_from(["a.org", "b.org"]),
        st.sampled_from([FIRST, SECOND_ADDRESS, "2001:db8::1"]),
        st.sampled_from([0, 20]),
    ),
    min_size=1,
    max_size=25,
)


@given(EVENTS, st.sets(st.integers(1, 40), max_size=4))
@settings(max_examples=60, deadline=None)
def test_against_the_twin(steps, cuts):
    wire, events, ts, rows = Wire(), [], 0, []
    for i, (step, kind, client, text, to, ttl) in enumerate(steps):
        ts += step * SECOND
        events.append((ts, kind, client, text, to, ttl))
        if kind == "lookup":
            lookup(wire, ts, text, to, qtype=1 if "." in to else 28, sport=40000 + i, client=client, took=1, ttl=ttl)
        else:
            rows.append(len(wire.keys))
            source = client if "." in to else "2001:db8::" + client[-1]
            connect(wire, ts, to, client=source, port=50000 + i)
    found = attribute(wire, [cut for cut in cuts if cut < len(wire.packets)])
    expected = twin([e for e in events if e[1] == "lookup" or "." in e[4]])
    assert [found[row][:3] for row, e in zip(rows, [e for e in events if e[1] == "connect"], strict=True) if "." in e[4]] == expected
