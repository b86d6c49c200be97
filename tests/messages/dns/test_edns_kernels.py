import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.dns.edns_kernels import NAMES
from tests.messages.dns.builders import Wire, header, listed, one, query, question, record


def opt(*options, size=1232, ttl=0):
    """An OPT record of (code, value) pairs."""
    rdata = b"".join(code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for code, value in options)
    return record(41, rdata, owner=b"\0", rrclass=size, ttl=ttl)


def asked(*options):
    return one(header(ar=1) + question() + opt(*options))


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        (8, b"\0\1\x18\0\xc0\0\2", "ECS=192.0.2.0/24/0"),
        (8, b"\0\2\x38\x30\x20\1\x0d\xb8\0\0\1", "ECS=2001:db8:0:100::/56/48"),
        (8, b"\0\1\0\0", "ECS=0.0.0.0/0/0"),
        (8, b"\0\1\x18\0\xc0\0", "ECS=00011800c000"),  # two bytes for 24 bits
        (8, b"\0\1\x21\0\1\2\3\4\5", "ECS=000121000102030405"),
        (8, b"\0\3\0\0", "ECS=00030000"),
        (8, b"\0", "ECS=00"),
        (10, bytes(range(8)), "COOKIE=0001020304050607"),
        (3, b'ns"1', 'NSID="ns\\"1"'),
        (3, b"", "NSID"),
        (12, bytes(468), "PADDING=468"),
        (12, b"", "PADDING=0"),
        (11, b"\1\x2c", "KEEPALIVE=300"),
        (11, b"", "KEEPALIVE"),
        (9, b"\0\0\0\7", "EXPIRE=7"),
        (15, b"\0\x12blocked", 'EDE=18:"blocked"'),
        (15, b"\0\x12", "EDE=18"),
        (15, b"\0", "EDE=00"),
        (5, b"\5\7", "DAU=0507"),
        (65001, b"\xff", "OPTION65001=ff"),
        (65001, b"", "OPTION65001"),
    ],
)
def test_one_option(code, value, text):
    assert asked((code, value))["query_options"] == text


def test_options_in_order_and_of_both_messages():
    wire = Wire().ask(1, header(ar=1) + question() + opt((10, b"\1" * 8), (12, bytes(4)), ttl=0x8000))
    wire.answer(2, header(0x8180, ar=1) + question() + opt((15, b"\0\7old"), (3, b"\1"), size=512))
    (row,) = listed(wire.analyse())
    assert row["query_options"] == "COOKIE=0101010101010101 PADDING=4"
    assert row["response_options"] == 'EDE=7:"old" NSID="\\001"'
    assert (row["query_udp_size"], row["response_udp_size"], row["dnssec_ok"]) == (1232, 512, 1)
    assert (row["extended_error"], row["extended_error_text"]) == (7, "old")


def test_no_options():
    assert asked()["query_options"] == ""
    assert one(query())["query_options"] == ""


def test_a_second_opt_is_an_error():
    row = one(header(ar=3) + question() + opt((12, b"")) + opt((10, b"\1")) + record(1, bytes(4)))
    assert (row["error"], row["query_options"], row["rows"]) == ("two_opts", "PADDING=0", [])


def test_an_option_past_the_end():
    row = one(header(ar=1) + question() + record(41, b"\0\x0c\0\1\0" + b"\0\x0a\0\x09\1", owner=b"\0"))
    assert (row["error"], row["query_options"]) == ("bad_rdata", "PADDING=1")


def test_names_are_short_and_distinct():
    assert len(set(NAMES.values())) == len(NAMES)


@given(st.lists(st.tuples(st.one_of(st.integers(0, 21), st.integers(0, 65535)), st.binary(max_size=40)), max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_options(options):
    row = asked(*options)
    assert row["error"] == "none"
    assert row["query_options"].isprintable()
    assert len(row["query_options"].split("=")[0].split(" ")) <= len(options) + 1
