import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages.dns.builders import (
    Wire,
    address,
    datas,
    header,
    listed,
    name,
    one,
    question,
    record,
    response,
)

REAL = response(
    record(5, name("edge.example.net")),
    record(1, bytes([203, 0, 113, 9]), owner=name("edge.example.net")),
    record(28, bytes(15) + b"\1", owner=name("edge.example.net")),
)


def test_every_header_bit():
    row = one(header(bits=0x8000 | 0x0400 | 0x0200 | 0x0100 | 0x80 | 0x40 | 0x20 | 0x10 | 3) + question())
    assert row["response_bits"] == 0x87F3
    assert (row["authoritative"], row["is_truncated"], row["recursion_available"], row["authentic_data"]) == (1, 1, 1, 1)
    assert (row["rcode"], row["outcome"], row["has_query"], row["rejected"]) == (3, "answer_only", 0, 1)
    row = one(header(bits=0x0170) + question())
    assert (row["recursion_desired"], row["checking_disabled"], row["z"], row["query_bits"]) == (1, 1, 7, 0x170)


def test_answer_with_cname():
    row = one(REAL)
    assert datas(row) == ["edge.example.net", "203.0.113.9", "::1"]
    assert [r["name"] for r in row["rows"]] == ["www.example.org", "edge.example.net", "edge.example.net"]
    assert [(r["address_hi"], r["address_lo"]) for r in row["rows"]] == [(0, 0), (0, 0xCB007109), (0, 1)]
    assert [(r["ttl"], r["section"], r["lookup"]) for r in row["rows"]] == [(300, 1, 1)] * 3
    assert (row["error"], row["answer_records"], row["records"], row["zeek_answers"]) == ("none", 3, 3, 3)


def test_every_truncation_keeps_what_was_read():
    whole = one(REAL)
    for size in range(12, len(REAL)):
        row = one(REAL[:size])
        assert row["error"] != "none"
        assert datas(row) == datas(whole)[: row["records"]]
        assert one(REAL[:size], cut=1)["error"] == "cut"
    assert one(REAL[:11]) is None


def test_lying_counts():
    row = one(header(bits=0x8180, an=65535, ns=65535, ar=65535) + question() + address("203.0.113.9"))
    assert (row["error"], datas(row)) == ("bad_record", ["203.0.113.9"])
    row = one(header(qd=20) + question())
    assert (row["error"], row["name"], row["qtype"]) == ("bad_name", "www.example.org", 1)


def test_lying_data_length():
    row = one(response(address("203.0.113.9"), record(1, b"abcd")[:-4] + b"ab"))
    assert (row["error"], datas(row)) == ("bad_record", ["203.0.113.9"])


def test_opt():
    options = b"\0\x0f\0\x09\0\x0fno way!" + b"\0\x0a\0\x08" + bytes(8)
    opt = record(41, options, owner=b"\0", rrclass=1232, ttl=0x01008000)
    row = one(header(bits=0x8185, ar=1) + question() + opt)
    assert (row["rcode"], row["response_udp_size"], row["records"]) == (0x15, 1232, 0)
    assert (row["extended_error"], row["extended_error_text"]) == (15, "no way!")
    row = one(header(ar=1) + question() + record(41, b"", owner=b"\0", rrclass=4096, ttl=0x8000))
    assert (row["query_udp_size"], row["dnssec_ok"], row["response_udp_size"]) == (4096, 1, -1)
    row = one(header(ar=1) + question() + record(41, b"\0\x0f\0\x09\0", owner=b"\0"))
    assert row["error"] == "bad_rdata"


@given(st.binary(max_size=120))
@settings(max_examples=60)
def test_any_bytes(payload):
    one(payload)
    one(header(bits=0x8180, an=2, ns=1, ar=1) + question() + payload)


@pytest.mark.parametrize("seed", range(3))
def test_mutated_messages(seed):
    rng = random.Random(seed)
    wire = Wire()
    for i in range(150):
        mutant = bytearray(REAL)
        for _ in range(rng.randint(1, 4)):
            mutant[rng.randrange(len(mutant))] = rng.randrange(256)
        wire.answer(i, bytes(mutant[: rng.randint(12, len(mutant))]), sport=40000 + i)
    dns = wire.analyse()
    assert dns.counts["messages"] + dns.counts["not_dns"] == 150
    listed(dns)
