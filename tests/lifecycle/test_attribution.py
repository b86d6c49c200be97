"""Attribution against a slow twin: every answer against every connection."""

import ipaddress
from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.lifecycle.attribution import Attribution
from analyzer.messages.dns import Dns
from analyzer.options import Options
from analyzer.pipeline import Pipeline
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
        # the resolution began with the query for HTTPS; its answer came after the SYN: nobody waited for it
        assert attribute(wire, cuts)[3] == (CAUSED, "a.org", 1, 2, SECOND, SECOND + 14 * ms, 3, 300)


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
        lookup(wire, i * SECOND // 10, f"n{i}.org", FIRST if i else SECOND_ADDRESS, sport=40000 + i, took=1, ident=i)
    connect(wire, 110 * SECOND, FIRST)
    connect(wire, 111 * SECOND, SECOND_ADDRESS, port=50001)
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


# ---- what else is told


def rows_of(wire, cuts=(), connections_of=None):
    """ATTRIBUTION rows by connection row, with their names, and the connections."""
    dns = attribution = None
    for batch, connections in wire.batches(cuts):
        dns = dns or Dns(batch.memory, Options())
        attribution = attribution or Attribution(Options())
        if connections_of:
            connections_of(connections)
        dns.process(batch, new_table(RUN, 0), np.zeros(0, np.int64), connections)
        attribution.learn(dns)
        attribution.attribute(batch, connections)
    text = attribution.text.data
    words = lambda at, size: bytes(text[at : at + size]).decode()
    return [
        {
            "basis": int(t.basis), "name": words(t.name, t.name_size), "cnames": words(t.cnames, t.cnames_size), "hint": int(t.is_hint),
            "others": [words(at, size) for at, size in zip(t.other, t.other_size, strict=True) if size], "kinds": t.kind_ns.tolist(),
            "searched": int(t.searched), "query_ts": int(t.query_ts), "race": int(t.race), "race_ts": int(t.race_ts), "ttl": int(t.ttl),
        }
        for t in attribution.table[: len(wire.keys)]
    ]  # fmt: skip


def test_times_of_both_families():
    ms = 1_000_000
    wire = Wire().ask(1 * ms, query("a.org", 1, 1), sport=1).ask(1 * ms, query("a.org", 28, 2), sport=2)
    wire.answer(12 * ms, response(address(FIRST), text="a.org", ident=1), sport=1)
    wire.answer(31 * ms, response(address("2001:db8::1"), text="a.org", qtype=28, ident=2), sport=2)
    connect(wire, 32 * ms, FIRST)
    assert rows_of(wire)[2]["kinds"] == [11 * ms, 30 * ms, 0]
    assert rows_of(wire, (1, 2, 3, 4))[2]["kinds"] == [11 * ms, 30 * ms, 0]


def test_the_way_over_cnames():
    records = [record(5, name("e.example.net")), record(5, name("F.example.net"), owner=name("e.example.net")), address(FIRST)]
    wire = Wire().ask(1, query("shop.example.org")).answer(2, response(*records, text="shop.example.org"))
    assert rows_of(connect(wire, 3, FIRST))[1]["cnames"] == "e.example.net F.example.net"


def test_all_names_that_fit():
    wire = Wire()
    for i in range(7):
        lookup(wire, i * SECOND, f"n{i}.org", FIRST, sport=40000 + i, took=1, ident=i)
    row = rows_of(connect(wire, 8 * SECOND, FIRST))[7]
    assert (row["name"], row["others"]) == ("n6.org", ["n5.org", "n4.org", "n3.org", "n2.org"])


HINTS = (
    b"\0\1\0\0\1\0\3\2h2\0\4\0\x08" + bytes([203, 0, 113, 1, 203, 0, 113, 9]) + b"\0\6\0\x10" + ipaddress.ip_address("2001:db8::7").packed
)


def test_hints_of_https_records():
    wire = Wire().ask(1, query("a.org", 65)).answer(2, response(record(65, HINTS, ttl=77), text="a.org", qtype=65))
    connect(wire, 3, "203.0.113.9")
    connect(wire, 4, "2001:db8::7", client="2001:db8::99")
    connect(wire, 5, SECOND_ADDRESS, port=50009)
    first, other, none = rows_of(wire)[1:]
    assert (first["name"], first["hint"], first["ttl"], first["basis"]) == ("a.org", 1, 77, CAUSED)
    assert (other["name"], other["hint"]) == ("a.org", 1)
    assert none["basis"] == NOT_SEEN


def test_an_answer_is_better_than_a_hint():
    wire = lookup(Wire(), 1, "a.org", FIRST, took=1, ident=1)
    wire.ask(1, query("a.org", 65, 2), sport=9).answer(3, response(record(65, HINTS), text="a.org", qtype=65, ident=2), sport=9)
    assert rows_of(connect(wire, 4, FIRST))[2]["hint"] == 0


def test_search_domains_are_part_of_the_time():
    wire = Wire().ask(SECOND, query("www.corp", ident=1)).answer(SECOND + 1000, response(text="www.corp", ident=1, bits=0x8183))
    wire.ask(SECOND + 2000, query("www.org", ident=2)).answer(SECOND + 3000, response(address(FIRST), text="www.org", ident=2))
    row = rows_of(connect(wire, SECOND + 4000, FIRST))[1]
    assert (row["name"], row["searched"], row["query_ts"]) == ("www.org", 1, SECOND)


def raced(gap, *, established_after=None, same_address=False, cuts=()):
    """Two connections to a host with two families, ``gap`` ms apart: the rows of both."""
    ms = 1_000_000
    wire = lookup(Wire(), 0, "a.org", "2001:db8::1", qtype=28, sport=1, took=1, ident=1)
    lookup(wire, 0, "a.org", FIRST, sport=2, took=1, ident=2)
    connect(wire, 10 * ms, FIRST if same_address else "2001:db8::1", client=CLIENT, port=1000)
    connect(wire, (10 + gap) * ms, FIRST, port=1001)

    def establish(connections):
        if established_after is not None:
            connections[2].synack_ts = connections[2].ack_ts = (10 + established_after) * ms

    return [(row["race"], row["race_ts"] // ms) for row in rows_of(wire, cuts, establish)[2:]]


def test_happy_eyeballs():
    assert raced(250) == [(3, 10), (3, 10)]
    assert raced(250, cuts=(4, 5)) == [(3, 10), (3, 10)]
    assert raced(250, established_after=300) == [(3, 10), (3, 10)]  # answered, but too late
    assert raced(250, established_after=20) == [(0, 0), (0, 0)]  # the second is another connection
    assert raced(2001) == [(0, 0), (0, 0)]
    assert raced(5, same_address=True) == [(0, 0), (0, 0)]


def test_names_asked_for_at_the_same_time_are_used_in_the_order_of_their_answers():
    ms = 1_000_000
    wire = Wire()
    for i, text in enumerate(("a.org", "b.org", "c.org")):
        lookup(wire, SECOND + i * ms, text, FIRST, sport=40000 + i, ident=i)
    for i in range(4):
        connect(wire, SECOND + (10 + i) * ms, FIRST, port=50000 + i)
    found = attribute(wire)
    assert [found[3 + i][:2] for i in range(4)] == [(CAUSED, "a.org"), (CAUSED, "b.org"), (CAUSED, "c.org"), (CACHED, "c.org")]


def test_recorded_connections_against_what_the_client_said():
    """captures/resolutions: curl wrote which name each of its connections was for, and whether it asked for it."""
    folder = Path(__file__).parents[2] / "captures"
    *_, tables = Pipeline(Options()).run([str(folder / "resolutions.pcapng")])
    rows = {(row["originator_port"], row["responder_ip"]): row for row in tables["connections"].to_pylist() if row["transport"] == "tcp"}
    told = [line.split() for line in (folder / "resolutions.truth.txt").read_text().splitlines()]
    verdicts = Counter()
    for source, wanted, port, to, _ in told:
        row = rows[int(port), to]
        found = (row["dns_source"] or "none", row["dns_name"] or "-")
        verdicts["right" if found == (source, wanted) else f"{source} {wanted} as {found}"] += 1
    # a literal address which a name has, too: no capture can tell
    assert verdicts == {"right": 16, "none - as ('cached', 'api.example.net')": 1}
    (late,) = [row for row in rows.values() if row["race_result"] == "won"]
    (given_up,) = [row for row in rows.values() if row["race_result"] == "lost"]
    assert (late["dns_name"], late["race"], given_up["responder_ip"]) == ("race.example.org", given_up["connection"], "2001:db8:2::66")
    assert 150 < late["race_delay_ms"] < 250
    assert [row["dns_names_tried"] for row in rows.values() if row["dns_names_tried"]] == [1]
