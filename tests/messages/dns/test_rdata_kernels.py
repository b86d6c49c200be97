import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.messages.dns.builders import datas, name, one, record, response

# presentation form as dnspython writes it (names get their trailing dot there) beside Zeek's string for an answer
RECORDS = [
    ("A", "192.0.2.7", "192.0.2.7"),
    ("AAAA", "2001:db8::1:0:0:1", "2001:db8::1:0:0:1"),
    ("AAAA", "::", "::"),
    ("AAAA", "1::", "1::"),
    ("AAAA", "::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    ("AAAA", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("NS", "Ns1.Example.org.", "ns1.example.org"),
    ("CNAME", "edge.example.net.", "edge.example.net"),
    ("CNAME", ".", ""),
    ("PTR", "host.example.org.", "host.example.org"),
    ("DNAME", "other.example.", "<unknown type=39>"),
    ("SOA", "ns1.example.org. Host\\.master.example.org. 4294967295 7200 3600 1209600 300", "ns1.example.org"),
    ("MX", "10 mail.example.org.", "mail.example.org"),
    ("SRV", "10 60 993 IMAP.example.org.", "imap.example.org"),
    ("AFSDB", "1 afs.example.org.", "<unknown type=18>"),
    ("KX", "1 kx.example.org.", "<unknown type=36>"),
    ("TXT", '"v=spf1 mx -all"', "TXT 14 v=spf1 mx -all"),
    ("TXT", '"" "a\\"b" "\\000\\255\\\\"', 'TXT 0  TXT 3 a"b TXT 3 \0\xff\\'),
    ("SPF", '"v=spf1"', "SPF 6 v=spf1"),
    ("HINFO", '"PDP-11" "UNIX"', ""),
    ("NAPTR", '100 10 "s" "SIPS+D2T" "!^.*$!x!" _sips._tcp.example.org.', "NAPTR 100 10 s SIPS+D2T !^.*$!x! _sips._tcp.example.org"),
    ("CAA", '128 issue "ca.example.net"', ""),
    ("URI", '10 1 "https://example.org/"', "<unknown type=256>"),
    ("DS", "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118", "DS 5 1"),
    ("CDS", "0 0 0 00", "<unknown type=59>"),
    ("DNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxIL", "DNSKEY 13"),
    ("DNSKEY", "256 3 8 AQ==", "DNSKEY 8"),
    ("SSHFP", "4 2 " + "12345678" * 8, "SSHFP: " + "12345678" * 8),
    ("TLSA", "3 1 1 " + "0123abcd" * 8, "<unknown type=52>"),
    ("RRSIG", "AAAA 13 3 300 20260101000000 20240229235959 12345 Example.org. AQID", "RRSIG 28 example.org"),
    ("RRSIG", "TYPE65280 8 0 0 19700101000000 21060207062815 0 . AQIDBA==", "RRSIG 65280 <Root>"),
    ("NSEC", "b.example.org. A NS SOA MX AAAA RRSIG NSEC DNSKEY CAA TYPE65535", "NSEC www.example.org b.example.org"),
    ("NSEC3", "1 1 12 aabbccdd 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG", "NSEC3"),
    ("NSEC3", "1 1 12 - 2vptu5timamqttgl4luu9kg21e0aor3s", "NSEC3"),
    ("NSEC3PARAM", "1 0 10 aabb", "NSEC3PARAM"),
    ("NSEC3PARAM", "1 0 0 -", "NSEC3PARAM"),
    ("HTTPS", '1 . alpn="h2,h3" port="8443" ipv4hint="192.0.2.1,192.0.2.2" ipv6hint="2001:db8::1"', ""),
    ("HTTPS", "0 alias.example.net.", ""),
    ("SVCB", '16 dns.example.net. mandatory="alpn,port" alpn="dot" no-default-alpn port="853"', ""),
]


def without_dots(text):
    return " ".join(word[:-1] if word.endswith(".") and word != "." and '"' not in word else word for word in text.split(" "))


@pytest.mark.parametrize(("rrtype", "text", "zeek"), RECORDS)
def test_presentation(rrtype, text, zeek):
    number = dns.rdatatype.from_text(rrtype)
    rdata = dns.rdata.from_text("IN", rrtype, text)
    row = one(response(record(number, rdata.to_wire())))
    assert row["error"] == "none"
    expected = text if rrtype in ("TXT", "NSEC", "RRSIG") else rdata.to_text(chunksize=0)
    assert datas(row) == [without_dots(expected)]
    assert row["rows"][0]["zeek"] == zeek
    assert row["rows"][0]["rrtype"] == number


@pytest.mark.parametrize(
    ("rrtype", "rdata", "text", "zeek"),
    [
        (10, b"\x01\xff", "\\# 2 01ff", "<unknown type=10>"),
        (65280, b"", "\\# 0", "<unknown type=65280>"),
        (11, bytes(6), "0.0.0.0 0", ""),
        (29, bytes([0, 0x12, 0x15, 0x13]) + bytes(12), "\\# 16 00121513" + "00" * 12, "LOC:  18 21 19"),
    ],
)
def test_data_in_the_form_of_rfc_3597(rrtype, rdata, text, zeek):
    x = one(response(record(rrtype, rdata)))["rows"][0]
    assert (x["rdata"], x["zeek"]) == (text, zeek)


def test_only_answers_have_a_string_for_zeek():
    from tests.messages.dns.builders import header, question

    row = one(header(bits=0x8180, an=1, ns=1, ar=1) + question() + record(15, b"\0\1" + name("M")) * 3)
    assert [(x["section"], x["zeek"]) for x in row["rows"]] == [(1, "m"), (2, ""), (3, "")]
    assert row["zeek_answers"] == 1


def test_compressed_names_in_data():
    row = one(response(record(15, b"\0\5\4mail\xc0\x10"), record(6, b"\xc0\x0c\xc0\x10" + bytes(20)), record(33, bytes(6) + b"\xc0\x10")))
    assert datas(row) == ["5 mail.example.org", "www.example.org example.org 0 0 0 0 0", "0 0 0 example.org"]


@pytest.mark.parametrize(
    ("rrtype", "rdata"),
    [
        (1, bytes(3)),
        (1, bytes(5)),
        (28, bytes(15)),
        (5, b""),
        (5, b"\1a\0x"),  # bytes after the name
        (15, b"\0"),
        (6, b"\0\0" + bytes(19)),
        (16, b"\5ab"),
        (35, bytes(4) + b"\0\0"),
        (43, b"\0\1\2"),
        (46, bytes(18)),
        (46, bytes(18) + b"\xc0\x0c"),  # compressed where it must not be
        (47, b"\0\0\0"),
        (47, b"\0\0\1\x40\0\1\x40"),  # window twice
        (51, b"\1\0\0\1\5"),
        (257, b"\0\0"),
        (257, b"\0\5ab"),
        (33, bytes(6)),
    ],
)
def test_bad_data_ends_the_message(rrtype, rdata):
    row = one(response(record(1, bytes(4)), record(rrtype, rdata), record(1, bytes(4))))
    assert (row["error"], datas(row), row["answer_records"]) == ("bad_rdata", ["0.0.0.0"], 1)


def test_deletion_in_an_update():
    from tests.messages.dns.builders import header, question

    row = one(header(bits=0x2800, ns=1) + question(qtype=6) + record(1, b"", rrclass=255, ttl=0))
    assert (row["error"], datas(row), row["opcode"], row["answer_records"]) == ("none", ["\\# 0"], 5, 0)


LABELS = st.text("abcXYZ019-_", min_size=1, max_size=12)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(lambda labels: ".".join(labels) + ".")
V4 = st.ip_addresses(v=4).map(str)
V6 = st.ip_addresses(v=6).map(str)
RDATAS = st.one_of(
    st.tuples(st.just("A"), V4),
    st.tuples(st.just("AAAA"), V6),
    st.tuples(st.sampled_from(["NS", "CNAME", "PTR"]), NAMES),
    st.tuples(st.just("MX"), st.tuples(st.integers(0, 65535), NAMES).map(lambda x: f"{x[0]} {x[1]}")),
    st.tuples(st.just("SRV"), st.tuples(*[st.integers(0, 65535)] * 3, NAMES).map(lambda x: " ".join(map(str, x)))),
    st.tuples(st.just("SOA"), st.tuples(NAMES, NAMES, *[st.integers(0, 2**31 - 1)] * 5).map(lambda x: " ".join(map(str, x)))),
    st.tuples(st.just("TXT"), st.lists(st.text("ab ;", max_size=20), min_size=1, max_size=3).map(lambda x: " ".join(f'"{s}"' for s in x))),
)


@given(st.lists(st.tuples(NAMES, RDATAS), max_size=6), NAMES)
@settings(max_examples=50, deadline=None)
def test_whole_messages_of_dnspython(answers, asked):
    message = dns.message.make_response(dns.message.make_query(asked, "A", want_dnssec=True))
    for owner, (rrtype, text) in answers:
        message.answer.append(dns.rrset.from_text(owner, 60, "IN", rrtype, text))
    row = one(message.to_wire(max_size=65535))  # names compressed by dnspython
    assert row["error"] == "none"
    assert row["name"] == asked[:-1]
    listed = [(x["name"], dns.rdatatype.to_text(x["rrtype"]), x["rdata"]) for x in row["rows"]]
    expected = [
        (str(rrset.name)[:-1], dns.rdatatype.to_text(rrset.rdtype), without_dots(rdata.to_text()))
        for rrset in message.answer
        for rdata in rrset
    ]
    assert listed == expected
