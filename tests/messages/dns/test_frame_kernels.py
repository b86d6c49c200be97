import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.dns import Dns
from analyzer.options import Options
from analyzer.tables import new_table
from analyzer.tables.streams import NOT_KEPT, RUN, STREAM_ENDED
from tests.messages.dns.builders import (
    CLIENT,
    SECOND,
    SERVER,
    Wire,
    address,
    datas,
    header,
    listed,
    query,
    question,
    response,
)

REAL = response(address("203.0.113.9"))


def test_not_dns_is_counted():
    wire = Wire()
    for payload in (b"hello", bytes(12), header(bits=0x7800), header(qd=26) + question()):
        wire.add(SECOND, (CLIENT, 40000), (SERVER, 53), payload)
    dns = wire.analyse()
    assert listed(dns) == []
    assert dns.counts["not_dns"] == 3  # five bytes are not even looked at


def test_other_port_by_shape():
    wire = Wire()
    wire.add(SECOND, (SERVER, 5300), (CLIENT, 40000), REAL)  # a response first: not recognised
    wire.ask(2 * SECOND, query(), sport=40001, dport=5300).answer(2 * SECOND + 5, REAL, sport=40001, dport=5300)
    for payload in (
        query(bits=0x0140),
        query() + b"x",
        header(ar=1) + question() + b"x",
        header() + question("org"),
        header() + question(qclass=3),
    ):
        wire.ask(3 * SECOND, payload, sport=40002, dport=5300)
    rows = listed(wire.analyse())
    assert [(r["client_port"], r["outcome"]) for r in rows] == [(40001, "answered")]


# ---- over TCP


def framed(*messages):
    return b"".join(len(m).to_bytes(2, "big") + m for m in messages)


def stream(parts, marks=()):
    """(sender, bytes, gap) parts of one connection as RUN rows on a Wire whose packets carry them."""
    wire = Wire()
    for i, (sender, content, _) in enumerate(parts):
        ends = ((SERVER, 53), (CLIENT, 40000)) if sender else ((CLIENT, 40000), (SERVER, 53))
        wire.add((i + 1) * SECOND, *ends, content, protocol=6)
    _, packets, _ = wire.tables()
    runs = new_table(RUN, len(parts))
    for i, (sender, content, gap) in enumerate(parts):
        r = runs[i]
        r.sender, r.gap, r.position, r.run_size, r.number, r.ts = sender, gap, packets[i].offset, len(content), i + 1, packets[i].ts
    for i, mark in marks:
        runs[i].marks = mark
        if mark & NOT_KEPT:
            runs[i].position = -1
    return wire, runs


def over_tcp(parts, cuts=(), marks=()):
    wire, runs = stream(parts, marks)
    edges = [0, *sorted(cuts), len(runs)]
    return wire.analyse(cuts, [(runs[a:b], np.arange(b - a)) for a, b in itertools.pairwise(edges)])


ASKED = framed(query("a.org", ident=1), query("b.org", ident=2), query("c.org", ident=3))
REPLIED = framed(response(address("203.0.113.2"), text="b.org", ident=2), response(text="a.org", ident=1))


def test_several_messages_in_a_segment():
    rows = listed(over_tcp([(0, ASKED, 0), (1, REPLIED, 0)]))
    assert [(r["name"], r["outcome"], r["transport"], r["query_ts"], r["response_ts"]) for r in rows] == [
        ("a.org", "nodata", 6, SECOND, 2 * SECOND),
        ("b.org", "answered", 6, SECOND, 2 * SECOND),
        ("c.org", "unanswered", 6, SECOND, 0),
    ]
    assert (rows[0]["client_port"], rows[0]["server_port"], rows[0]["server_lo"]) == (40000, 53, 0xC6336435)


@given(st.lists(st.integers(1, 60), max_size=40), st.sets(st.integers(1, 30), max_size=5))
@settings(max_examples=25, deadline=None)
def test_any_segmentation(sizes, cuts):
    parts, at, content = [], 0, ASKED
    for size in sizes:
        parts.append((0, content[at : at + size], 0))
        at += size
    parts = [p for p in [*parts, (0, content[at:], 0), (1, REPLIED[:1], 0), (1, REPLIED[1:50], 0), (1, REPLIED[50:], 0)] if p[1]]
    dns = over_tcp(parts, [c for c in cuts if c < len(parts)])
    rows = listed(dns)
    assert [(r["name"], r["outcome"], datas(r)) for r in rows] == [
        ("a.org", "nodata", []),
        ("b.org", "answered", ["203.0.113.2"]),
        ("c.org", "unanswered", []),
    ]
    ends = np.cumsum([len(p[1]) for p in parts if p[0] == 0])
    assert [r["query_number"] for r in rows] == [
        int(np.searchsorted(ends, end)) + 1 for end in np.cumsum([len(framed(query("a.org")))] * 3)
    ]


def test_after_a_gap_the_direction_goes_on_with_a_run_that_is_one_message():
    one = framed(query("d.org", ident=4))
    runs = [(0, ASKED[:40], 0), (0, ASKED[45:], 5), (0, ASKED, 0), (0, one, 0), (0, ASKED, 0)]
    assert [r["name"] for r in listed(over_tcp(runs))] == ["a.org", "d.org", "a.org", "b.org", "c.org"]
    assert [r["name"] for r in listed(over_tcp([(0, ASKED[:40], 0), (0, ASKED[50:], 10)]))] == ["a.org", "c.org"]


def test_gap_ends_the_direction():
    dns = over_tcp([(0, ASKED[:40], 0), (0, ASKED[45:], 5), (0, ASKED, 0), (1, REPLIED, 0)])
    assert [(r["name"], r["outcome"]) for r in listed(dns)] == [("a.org", "nodata"), ("b.org", "answer_only")]
    assert dns.counts["gaps"] == 1
    assert over_tcp([(0, ASKED, 0)], marks=[(0, NOT_KEPT)]).counts["gaps"] == 1


@pytest.mark.parametrize("content", [b"\0\5hello", framed(bytes(12)), b"\0\0"])
def test_what_is_not_dns_ends_the_direction(content):
    dns = over_tcp([(0, content + ASKED, 0)])
    assert listed(dns) == []
    assert dns.counts["not_dns"] == 1


@pytest.mark.parametrize("size", [1, 2, 3, 30])
def test_unfinished_message_at_the_end(size):
    dns = over_tcp([(0, ASKED[:size], 0)], marks=[(0, STREAM_ENDED)])
    assert dns.counts["incomplete"] == 1
    dns = over_tcp([(0, ASKED[:size], 0)])
    live = dns._memory.arenas[0].copy()
    dns.release(np.array([0]))
    assert dns.counts["incomplete"] == 1
    assert (live[2] > 0) == (size > 2)
    assert dns._memory.arenas[0][2] == 0  # the block went back


def test_full_arena_sheds_the_direction():
    wire, runs = stream([(0, ASKED[:20], 0), (0, ASKED[20:], 0)])
    ((batch, connections),) = list(wire.batches())

    batch.memory.arenas[0][1] = batch.memory.arenas[0][0]  # nothing left
    dns = Dns(batch.memory, Options())
    dns.process(batch, runs, np.arange(2), connections)
    assert dns.counts["no_room"] == 1
    assert listed(dns) == []


def test_udp_and_tcp_in_order_of_capture():
    wire, runs = stream([(0, framed(query("t1.org", ident=1)), 0), (0, framed(query("t2.org", ident=2)), 0)])
    wire.packets.insert(1, wire.packets[0])  # make room for a datagram between the two runs
    wire.packets[1] = (SECOND + 1, CLIENT, 50000, SERVER, 53, query("u.org"), 17, 0, 1, 0)
    wire.first[1] = (SECOND + 1, 2, CLIENT, 50000, SERVER, 53, 17)
    wire.keys["u"] = 1
    _, packets, _ = wire.tables()
    runs["number"], runs["position"] = [1, 3], packets["offset"][[0, 2]]
    rows = listed(wire.analyse((), [(runs, np.arange(2))]))
    assert [(r["number"], r["name"]) for r in rows] == [(1, "t1.org"), (2, "u.org"), (3, "t2.org")]
