"""Messages that nobody should send: each says what is wrong with it, keeps what came before, and never costs more than it has bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.tables import new_table
from analyzer.tables.streams import RUN, STREAM_ENDED
from tests.messages.dns.builders import (
    CLIENT,
    SECOND,
    SERVER,
    Wire,
    address,
    datas,
    header,
    listed,
    name,
    one,
    query,
    question,
    record,
    response,
)

GOOD = address("192.0.2.1")
TAIL = b"\0\1\0\1"


def asked(encoded):
    """The error of a query whose name is written so."""
    return one(header() + encoded + TAIL)["error"]


@pytest.mark.parametrize(
    "encoded",
    [
        b"\xc0\x0c",  # a pointer to itself
        b"\1a\xc0\x0c",  # to its own beginning
        b"\xc0\x0e\xc0\x0c",  # two that point to each other
        b"\xc0\x20" + bytes(20),  # forward
        b"\xff\xff",  # far beyond the message
        b"\x40" + bytes(64),  # a label of 64 bytes
        b"\x80" + bytes(64),
        b"\x41\x08\xaa\0",  # a bit string label (RFC 2673, historic)
        b"\x3f" + b"a" * 20,  # past the end
        (b"\x3f" + b"a" * 63) * 4 + b"\0",  # 257 bytes
    ],
)
def test_names(encoded):
    assert asked(encoded) == "bad_name"


def test_the_longest_name():
    longest = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"
    assert len(longest) == 255
    row = one(header() + longest + TAIL)
    assert (row["error"], len(row["name"])) == ("none", 253)


def test_labels_of_any_bytes():
    row = one(header() + b"\4\0\xff.\\\1 \0" + TAIL)
    assert (row["error"], row["name"]) == ("none", "\\000\\255\\.\\\\.\\032")


def test_a_chain_of_pointers_ends():
    many = b"".join((0xC000 | 12 + 2 * i).to_bytes(2, "big") for i in range(199))
    message = header(0x8180, qd=0, an=1) + b"\0\0" + many  # each points to the one before
    row = one(message + record(1, bytes(4), owner=(0xC000 | 12 + 2 * 198).to_bytes(2, "big")))
    assert row["error"] in ("bad_name", "bad_record")


def test_sixty_five_thousand_answers_in_sixty_bytes():
    row = one(header(0x8180, an=65535, ns=65535, ar=65535) + question() + GOOD)
    assert (row["error"], datas(row), row["answer_records"]) == ("bad_record", ["192.0.2.1"], 1)


def test_questions_that_are_not_there():
    assert one(header(qd=25) + question())["error"] in ("bad_name", "bad_question")
    assert one(header(qd=26) + question()) is None  # no DNS


def test_names_that_unfold_to_far_more_than_the_message():
    long = (b"\x3f" + b"\1" * 63) * 3 + b"\0"  # 192 bytes, 765 characters
    message = header(0x8180, an=2000) + long + TAIL + (b"\xc0\x0c\0\x02\0\1\0\0\0\0\0\2\xc0\x0c") * 2000
    row = one(message)
    assert row["error"] == "too_much_text"
    assert sum(len(text) for text in datas(row)) <= 8192 + 16 * len(message)


@pytest.mark.parametrize("cut", range(1, len(GOOD)))
def test_a_record_past_the_end(cut):
    row = one(response(GOOD, GOOD)[:-cut])
    assert (row["error"] in ("bad_record", "bad_name"), datas(row)) == (True, ["192.0.2.1"])


def test_empty_texts():
    row = one(response(record(16, b""), record(16, b"\0"), record(16, b"\0\0")))
    assert (row["error"], datas(row)) == ("none", ["", '""', '"" ""'])


def test_two_opts():
    opt = b"\0\0\x29\x10\0\0\0\0\0\0\0"
    row = one(header(ar=3) + question() + opt + opt + GOOD)
    assert (row["error"], row["query_udp_size"], row["rows"]) == ("two_opts", 4096, [])


# ---- a length prefix that lies


def over_tcp(content):
    """The rows and the counts of one direction of a stream."""
    wire = Wire().add(SECOND, (CLIENT, 40000), (SERVER, 53), content, protocol=6)
    run = new_table(RUN, 1)
    run.run_size, run.number, run.ts, run.marks = len(content), 1, SECOND, STREAM_ENDED
    dns = wire.analyse(runs=[(run, new_table(RUN, 1)["connection"].astype("i8"))])
    return [row["name"] for row in listed(dns)], {key: count for key, count in dns.counts.items() if count}


def prefixed(message, size=None):
    return (len(message) if size is None else size).to_bytes(2, "big") + message


def test_prefixes():
    good = prefixed(query())
    assert over_tcp(good + good) == (["www.example.org"] * 2, {"messages": 2})
    assert over_tcp(good + prefixed(query(), 9)) == (["www.example.org"], {"messages": 1, "not_dns": 1})  # shorter than a header
    names, counts = over_tcp(good + prefixed(query(), 65535))  # longer than the stream
    assert (names, counts) == (["www.example.org"], {"messages": 1, "incomplete": 1})
    names, counts = over_tcp(prefixed(query(), len(query()) - 4) + good)  # cuts the message: what follows is no message
    assert names[0] == "www.example.org"
    assert counts["malformed"] == 1
    assert over_tcp(b"\0\0" * 40)[0] == []


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_over_udp(content):
    row = one(content)
    assert row is None or row["error"] != "none" or len(row["name"]) < 1020


@given(st.binary(max_size=80), st.integers(0, 65535))
@settings(max_examples=100, deadline=None)
def test_any_bytes_over_tcp(content, size):
    over_tcp(prefixed(content, size) if content else b"\0")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_good_messages_with_bytes_changed(data):
    message = bytearray(
        response(GOOD, record(6, name("a.b") * 2 + bytes(20)), record(65, b"\0\1\0\0\1\0\3\2h2"), record(47, name("b") + b"\0\1\x40"))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(2, len(message) - 1))] = data.draw(st.integers(0, 255))
    row = one(bytes(message))
    if row is not None:
        assert all(isinstance(x["rdata"], str) for x in row["rows"])
