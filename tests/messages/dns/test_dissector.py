from ipaddress import ip_address
from pathlib import Path

import dns.flags
import dns.message
import dpkt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.dns import dissector
from analyzer.messages.dns.dissector import Dns
from analyzer.options import Limits, Options
from analyzer.tables import new_table
from analyzer.tables.dns import OUTCOMES
from analyzer.tables.streams import RUN
from tests.messages.dns.builders import SECOND, Wire, address, listed, query, response

NAMES = ["a.org", "b.org", "long.name.of.a.host.example.net"]


def conversation(count=40):
    """Lookups of several clients, some repeated, some not answered, over UDP."""
    wire = Wire()
    for i in range(count):
        port, ts = 40000 + i % 7, i * SECOND
        wire.ask(ts, query(NAMES[i % 3], ident=i), sport=port)
        if i % 5 == 0:
            wire.ask(ts + 1, query(NAMES[i % 3], ident=i), sport=port)
        if i % 4:
            wire.answer(ts + 2, response(address("203.0.113.1"), address("2001:db8::1"), text=NAMES[i % 3], ident=i), sport=port)
    return wire


@given(st.sets(st.integers(1, 70), max_size=6))
@settings(max_examples=15, deadline=None)
def test_cuts_do_not_matter(cuts):
    whole = listed(conversation().analyse())
    assert listed(conversation().analyse(cuts)) == whole


def test_tables_grow_from_one_row():
    dns = conversation().analyse()
    assert dns.lookups_top == 48
    assert len(dns.lookups) >= 48
    assert dns.records_top == 60


def test_take_and_release():
    wire = conversation(60)
    steps = iter(wire.batches(range(10, 90, 10)))
    reference = sorted(listed(wire.analyse()), key=lambda r: (r["connection"], r["number"], r["is_repeat"]))
    dns, got = None, []
    for batch, connections in steps:
        dns = dns or Dns(batch.memory, Options())
        dns.process(batch, new_table(RUN, 0), np.zeros(0, np.int64), connections)
    for rows in ([6, 2], [0, 1, 3], [4, 5]):
        taken = dns.take(np.array(rows, np.int64))
        part = listed(dns, taken)
        assert [r["connection"] for r in part] == sorted((r["connection"] for r in part), key=rows.index)
        assert [x["lookup"] for r in part for x in r["rows"]] == [r["number"] for r in part for _ in r["rows"]]
        got += part
        dns.release(np.array(rows, np.int64))
    for row in got + reference:
        row["is_over"] = 1
        row["rows"] = [{**x} for x in row["rows"]]
    assert sorted(got, key=lambda r: (r["connection"], r["number"], r["is_repeat"])) == reference
    assert dns.lookups_top == 0


def test_pairing_goes_on_after_compaction():
    wire = Wire()
    for i in range(20):
        wire.ask(i, query(ident=i), sport=1000 + i)
    wire.ask(21, query(ident=19), sport=1019)
    wire.ask(22, query("m.local", ident=0), sport=5353, server="224.0.0.251", dport=5353)
    wire.answer(30, response(ident=19), sport=1019).answer(31, response(ident=19), sport=1019)
    wire.ask(32, response(text="m.local", ident=0), sport=5353, server="224.0.0.251", dport=5353)
    (first, connections), (second, _) = list(wire.batches([22]))
    dns = Dns(first.memory, Options())
    none = new_table(RUN, 0), np.zeros(0, np.int64)
    dns.process(first, *none, connections)
    flushed = np.arange(19)
    assert len(dns.take(flushed).lookups) == 19
    dns.release(flushed)
    assert dns.lookups_top == 3  # compacted
    second.memory.data[:] = first.memory.data
    dns.process(second, *none, connections)
    rows = listed(dns)
    assert [(r["number"], r["is_repeat"], r["response_ts"], r["zeek_pair"]) for r in rows] == [
        (20, 0, 30, 0),
        (20, 1, 31, 0),
        (21, 0, 0, 22),
        (22, 0, 32, 21),
    ]
    assert rows[0]["name"] == "www.example.org"


def test_why_no_answer_came():
    wire = Wire()
    for i, after in enumerate((5, 6, 20)):
        wire.ask(after * SECOND, query(ident=i), sport=1000 + i)
    ((batch, connections),) = wire.batches()
    connections[1].icmp_errors, connections[1].icmp_error_ts = 1, 7 * SECOND
    dns = Dns(batch.memory, Options())
    dns.process(batch, new_table(RUN, 0), np.zeros(0, np.int64), connections)
    taken = dns.take(np.arange(3), connections, 24 * SECOND)
    assert [OUTCOMES[x] for x in taken.lookups["outcome"]] == ["timeout", "unreachable", "unanswered"]


def test_a_flood_of_questions_stays_within_its_limit(monkeypatch):
    monkeypatch.setattr(dissector, "LEAST_LOOKUPS", 16)
    wire = Wire()
    for i in range(40):
        wire.ask(i, query(f"n{i}.org", ident=i))
    for i in range(40):
        wire.answer(100 + i, response(text=f"n{i}.org", ident=i))
    ((batch, connections),) = wire.batches()
    dns = Dns(batch.memory, Options(limits=Limits(memory_bytes=1)))
    dns.process(batch, new_table(RUN, 0), np.zeros(0, np.int64), connections)
    rows = listed(dns)
    assert [(r["name"], r["has_response"]) for r in rows] == [(f"n{i}.org", 1) for i in range(16)]
    assert dns.counts["shed"] == 48


# ---- what real programs sent


CAPTURES = Path(__file__).parents[3] / "captures"


def datagrams(path):
    """The DNS datagrams of a capture, read by dpkt."""
    with path.open("rb") as file:
        reader = dpkt.pcapng.Reader(file) if path.suffix == ".pcapng" else dpkt.pcap.Reader(file)
        for ts, frame in reader:
            packet = dpkt.ethernet.Ethernet(frame).data
            if isinstance(packet, dpkt.ip.IP) and isinstance(packet.data, dpkt.udp.UDP) and 53 in (packet.data.sport, packet.data.dport):
                ends = ((str(ip_address(end)), port) for end, port in ((packet.src, packet.data.sport), (packet.dst, packet.data.dport)))
                yield (int(ts * 1_000_000) * 1000, *ends, bytes(packet.data.data))


@pytest.mark.parametrize("capture", ["dns-variety.pcapng", "dns-tcp.pcap"])
def test_recorded_messages_as_dnspython_reads_them(capture):
    path = CAPTURES / capture
    if not path.exists():
        pytest.skip(f"{capture} is not there")
    messages = list(datagrams(path))
    wire = Wire()
    for message in messages:
        wire.add(*message)
    rows = {r["response_number"]: r for r in listed(wire.analyse())}
    assert all(r["error"] == "none" and r["has_query"] and r["has_response"] for r in rows.values())
    for number, (*_, payload) in enumerate(messages, 1):
        message = dns.message.from_wire(payload)
        if not message.flags & dns.flags.QR:
            continue
        row = rows[number]
        assert (row["name"] + ".", row["qtype"], row["rcode"]) == (
            str(message.question[0].name),
            message.question[0].rdtype,
            message.rcode(),
        )
        expected = [(str(rrset.name), rrset.rdtype, rrset.ttl) for part in message.sections[1:] for rrset in part for _ in rrset]
        assert sorted((x["name"].rstrip(".") + ".", x["rrtype"], x["ttl"]) for x in row["rows"]) == sorted(expected)
        datas_expected = [rdata.to_text(chunksize=0) for part in message.sections[1:] for rrset in part for rdata in rrset]
        assert sorted(x["rdata"].replace(".", "") for x in row["rows"]) == sorted(text.replace(".", "") for text in datas_expected)
