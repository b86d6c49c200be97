"""Lookups that belong together, seen from outside: the LOOKUP rows of small captures, whole and cut anywhere."""

import numpy as np

from analyzer.tables import new_table
from analyzer.tables.streams import RUN
from tests.messages.dns.builders import SECOND, SERVER, Wire, address, listed, query, response

MS = 1_000_000
OTHER = "198.51.100.54"


def resolutions(wire, cuts=()):
    return [(r["name"], r["qtype"], r["resolution"], r["resolution_ts"], r["searched"]) for r in listed(wire.analyse(cuts))]


def test_types_of_one_name_are_one_resolution():
    wire = (
        Wire()
        .ask(1 * MS, query("a.org", 1, 1))
        .ask(2 * MS, query("a.org", 28, 2), sport=40001)
        .ask(3 * MS, query("a.org", 65, 3), sport=40002)
    )
    wire.answer(9 * MS, response(text="a.org", ident=1)).ask(10 * MS, query("b.org", 1, 4)).ask(10 * MS, query("a.org", 15, 5))
    expected = [
        ("a.org", 1, 1, MS, 0),
        ("a.org", 28, 1, MS, 0),
        ("a.org", 65, 1, MS, 0),
        ("b.org", 1, 4, 10 * MS, 0),
        ("a.org", 15, 5, 10 * MS, 0),
    ]
    for cuts in ((), (1,), (2, 3), (1, 2, 3, 4, 5)):
        assert resolutions(wire, cuts) == expected


def test_one_type_after_the_other():
    def ask_both(pause):
        wire = Wire().ask(MS, query("a.org", 1, 1)).answer(5 * MS, response(text="a.org", ident=1))
        return wire.ask(5 * MS + pause, query("a.org", 28, 2))

    assert [r[2] for r in resolutions(ask_both(50 * MS))] == [1, 1]
    assert [r[2] for r in resolutions(ask_both(51 * MS))] == [1, 2]


def test_the_same_type_again_is_another_resolution_unless_nobody_answered():
    wire = Wire().ask(MS, query("a.org", 1, 1)).answer(2 * MS, response(text="a.org", ident=1)).ask(3 * MS, query("a.org", 1, 2))
    assert [r[2] for r in resolutions(wire)] == [1, 2]
    wire = Wire().ask(MS, query("a.org", 1, 1)).ask(5 * SECOND, query("a.org", 1, 2), server=OTHER)  # the other resolver
    assert [r[2:4] for r in resolutions(wire)] == [(1, MS), (1, MS)]


def test_clients_do_not_share_a_resolution():
    wire = Wire().ask(1, query("a.org")).ask(2, query("a.org", 28), client="192.0.2.2")
    assert [r[2] for r in resolutions(wire)] == [1, 2]


def test_search_domains():
    wire = Wire()
    for i, name in enumerate(["www.corp.local", "www.lan", "www.example.org"]):
        at = i * 10 * MS + 1
        wire.ask(at, query(name, 1, 2 * i), sport=41000).ask(at + 1, query(name, 28, 2 * i + 1), sport=41000)
        bits = 0x8180 if i == 2 else 0x8183
        wire.answer(at + 5 * MS, response(text=name, ident=2 * i, bits=bits), sport=41000)
        wire.answer(at + 6 * MS, response(text=name, qtype=28, ident=2 * i + 1, bits=bits), sport=41000)
    wire.ask(40 * MS, query("mail.example.org", ident=9))
    for cuts in ((), (3,), (2, 5, 7)):
        assert [r[2:] for r in resolutions(wire, cuts)] == [
            (1, 1, 0),
            (1, 1, 0),
            (1, 1, 1),
            (1, 1, 1),
            (1, 1, 2),
            (1, 1, 2),
            (7, 40 * MS, 0),
        ]


def test_a_name_asked_for_again_and_again():
    wire = Wire()
    for i in range(5):
        wire.ask(i * SECOND, query("gone.org", 1, i)).answer(i * SECOND + MS, response(text="gone.org", ident=i, bits=0x8183))
        wire.ask(i * SECOND, query("gone.org", 28, 99), sport=1).answer(
            i * SECOND + MS, response(text="gone.org", qtype=28, ident=99, bits=0x8183), sport=1
        )
    assert [r["nxdomains"] for r in listed(wire.analyse()) if r["qtype"] == 1] == [1, 2, 3, 4, 5]


# ---- TCP after a truncated answer


def stream(connection, sender, ts, number, payload, position):
    run = new_table(RUN, 1)
    run.connection, run.sender, run.ts, run.number = connection, sender, ts, number
    run.position, run.run_size = position, len(payload)
    return run


def over_tcp(pause, *, truncated=True, name="a.org"):
    """A question over UDP, its answer, and the same over TCP ``pause`` later: the rows."""
    flags = 0x8380 if truncated else 0x8180
    wire = Wire().ask(MS, query("a.org", 16, 7)).answer(3 * MS, response(text="a.org", qtype=16, ident=7, bits=flags))
    asked, told = query(name, 16, 8), response(address("192.0.2.1"), text=name, qtype=16, ident=8)
    ends = (("192.0.2.1", 50000), (SERVER, 53))
    streams = [b"", len(asked).to_bytes(2, "big") + asked, len(told).to_bytes(2, "big") + told]
    wire.add(3 * MS + pause, *ends, streams[1], protocol=6).add(6 * MS + pause, *reversed(ends), streams[2], protocol=6)
    _memory, packets, _connections = wire.tables()
    runs = [stream(1, i - 1, int(packets[i + 1].ts), i + 2, streams[i], int(packets[i + 1].offset)) for i in (1, 2)]
    both = np.concatenate(runs).view(np.recarray)
    return listed(wire.analyse(runs=[(both, np.arange(2))]))


def test_a_lookup_goes_on_over_tcp():
    udp, tcp = over_tcp(2 * MS)
    assert (udp["is_repeat"], udp["number"], udp["outcome"], udp["zeek_row"]) == (2, 1, "truncated", 1)
    assert (tcp["is_repeat"], tcp["number"], tcp["transport"], tcp["queries"], tcp["responses"]) == (0, 1, 6, 2, 2)
    assert (tcp["query_ts"], tcp["own_query_ts"], tcp["response_ts"]) == (MS, 5 * MS, 8 * MS)
    assert (tcp["query_number"], tcp["truncated_number"], tcp["resolution"]) == (1, 2, 1)
    assert tcp["rows"][0]["lookup"] == 1


def test_a_lookup_over_tcp_of_its_own():
    assert [r["number"] for r in over_tcp(6 * SECOND)] == [1, 2]
    assert [r["number"] for r in over_tcp(MS, truncated=False)] == [1, 2]
    assert [r["number"] for r in over_tcp(MS, name="b.org")] == [1, 2]
    assert all(r["is_repeat"] == 0 and r["truncated_number"] == 0 for r in over_tcp(MS, name="b.org"))
