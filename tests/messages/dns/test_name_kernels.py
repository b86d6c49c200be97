import dns.name
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages.dns.builders import header, one, question, record, response

LABEL = st.binary(min_size=1, max_size=63)


def as_text(labels):
    """The slow twin: labels to text."""
    if not labels:
        return "."
    escaped = []
    for label in labels:
        text = ""
        for byte in label:
            text += f"\\{byte:03}" if byte <= 32 or byte > 126 else ("\\" if byte in b".\\" else "") + chr(byte)
        escaped.append(text)
    return ".".join(escaped)


def ask(wire):
    return one(header() + wire + b"\0\1\0\1")


@given(st.lists(LABEL, max_size=6))
@settings(max_examples=60)
def test_any_labels(labels):
    row = ask(b"".join(bytes([len(x)]) + x for x in labels) + b"\0")
    if sum(len(x) + 1 for x in labels) + 1 > 255:
        assert (row["error"], row["name"]) == ("bad_name", "")
    else:
        assert row["name"] == as_text(labels)
        assert row["zeek_name"] == ".".join(x.decode("latin-1") for x in labels).translate({c: c + 32 for c in range(65, 91)})


def test_dnspython_reads_the_text_back():
    labels = (b"a.b", b"c\\d", b"\x00\x7f\xff", b"Plain-1_")
    row = ask(b"".join(bytes([len(x)]) + x for x in labels) + b"\0")
    assert dns.name.from_text(row["name"]).labels == (*labels, b"")


def test_longest_name():
    labels = [b"a" * 63, b"b" * 63, b"c" * 63, b"d" * 61]
    wire = b"".join(bytes([len(x)]) + x for x in labels) + b"\0"
    assert len(wire) == 255
    assert ask(wire)["name"] == ".".join(x.decode() for x in labels)
    assert ask(b"\1z" + wire)["error"] == "bad_name"


@pytest.mark.parametrize(
    "wire",
    [
        b"\xc0\x0c",  # to itself
        b"\xc0\x0d\0",  # forwards
        b"\1a\xc0\x0c",  # to its own beginning
        b"\x40a\0",  # label types 01 and 10 (RFC 6891 5)
        b"\x80a\0",
        b"\5ab",  # past the end
    ],
)
def test_bad_names(wire):
    row = one(header() + wire)
    assert row["error"] == "bad_name"
    assert row["qtype"] == -1


def test_pointer_into_the_header_is_allowed_and_harmless():
    # offset 5: the low byte of QDCOUNT is a label of one byte, that of ANCOUNT another, that of NSCOUNT the end
    assert one(response(record(5, b"\xc0\x05")))["rows"][0]["rdata"] == "\\000.\\000"


def test_chain_of_pointers_is_limited():
    # each record's name points to the one before: 200 records of two-byte CNAME data
    records, at = [], 12 + len(question())
    target = 12
    for _ in range(200):
        records.append(record(5, (0xC000 | target).to_bytes(2, "big")))
        target = at + 12
        at += 14
    row = one(response(*records))
    assert row["error"] == "bad_rdata"
    assert row["answer_records"] == 128


def test_netbios_name():
    label = bytes(
        b"ABCDEFGHIJKLMNOP"[x >> 4] if half == 0 else b"ABCDEFGHIJKLMNOP"[x & 15] for x in b"FILES          \x20" for half in (0, 1)
    )
    row = one(header() + b"\x20" + label + b"\0\0\x20\0\1", dport=137)
    assert row["zeek_name"] == "FILES"
    assert row["name"] == "FILES<20>"
    assert one(header() + b"\x20" + label + b"\0\0\x20\0\1")["zeek_name"] == label.decode().lower()
