"""Every form against dnspython where it knows the type, and against bytes written by hand where it does not."""

import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.messages.dns.form_kernels import FORMS
from analyzer.messages.dns.rare_records import RARE
from analyzer.registries.dns import RR_TYPES
from tests.messages.dns.builders import datas, name, one, record, response

TEXTS = {
    "A": "192.0.2.7",
    "NS": "Ns1.Example.org.",
    "CNAME": ".",
    "SOA": "a. b.c. 4294967295 1 2 3 4",
    "PTR": "a.b.",
    "HINFO": '"PDP" "UN IX"',
    "MX": "65535 m.",
    "TXT": '"a" "" "b\\"c"',
    "RP": "mbox.example. text.example.",
    "AFSDB": "1 afs.example.",
    "X25": '"311061700956"',
    "ISDN": '"150862028003217" "004"',
    "RT": "10 relay.example.",
    "NSAP": "0x47000580005a0000000001e133ffffff000162",
    "NSAP-PTR": "foo.bar.com.",
    "PX": "50 map822.example. mapx400.example.",
    "GPOS": '"-32.6882" "116.8652" "10.0"',
    "AAAA": "2001:db8::1",
    "SRV": "0 1 2 .",
    "NAPTR": '65535 0 "u" "E2U+sip" "!^.*$!sip:i@x!" .',
    "KX": "10 kx.",
    "DNAME": "d.",
    "DS": "60485 5 1 " + "ab" * 20,
    "SSHFP": "2 1 " + "ab" * 20,
    "RRSIG": "SOA 8 0 86400 20260101000000 20251201000000 20326 . AQID",
    "NSEC": "b. A TYPE1234",
    "DNSKEY": "256 3 8 AQIDBA==",
    "DHCID": "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    "NSEC3": "1 1 12 aabb 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX",
    "NSEC3PARAM": "1 0 0 -",
    "TLSA": "3 1 1 " + "01" * 32,
    "SMIMEA": "3 0 0 " + "ff" * 9,
    "NINFO": '"x"',
    "CDS": "0 0 0 00",
    "CDNSKEY": "0 3 0 AA==",
    "OPENPGPKEY": "mQENBFVHm5sBCAD0",
    "CSYNC": "66 3 A NS AAAA",
    "ZONEMD": "2018031500 1 1 " + "c6" * 48,
    "SPF": '"v=spf1 -all"',
    "NID": "10 0014:4fff:ff20:ee64",
    "L32": "10 10.1.2.0",
    "L64": "10 2001:0db8:1140:1000",
    "LP": "10 l64.example.",
    "EUI48": "00-00-5e-00-53-2a",
    "EUI64": "00-00-5e-ef-10-00-00-2a",
    "URI": '10 1 "ftp://ftp.example/"',
    "CAA": '0 issue "ca.example; k=v"',
    "AVC": '"app-name:X|cat:Y"',
    "RESINFO": '"qnamemin exterr=15-17"',
    "WALLET": '"ETH" "0x1234"',
    "DLV": "1 5 1 " + "ab" * 20,
}

BY_HAND = [
    ("MINFO", b"\1r\0\1e\0", "r e"),
    ("MB", b"\1h\0", "h"),
    (
        "SIG",
        bytes([0, 1, 8, 2]) + bytes(4) + bytes(8) + b"\x30\x39" + b"\1z\0" + b"\1\2\3",
        "A 8 2 0 19700101000000 19700101000000 12345 z AQID",
    ),
    ("KEY", b"\1\0\3\5\1\2\3", "256 3 5 AQID"),
    ("EID", b"\xe3\2", "e302"),
    ("TALINK", b"\1a\0\0", "a ."),
    ("RKEY", b"\0\0\1\5\1", "0 1 5 AQ=="),
    ("TA", b"\1\2\5\1\xff", "258 5 1 ff"),
    ("HHIT", b"\1\2\3", "AQID"),
    ("CLA", b"\3ABC", '"ABC"'),
]


def shown(rrtype, rdata, ttl=300):
    row = one(response(record(rrtype, rdata, ttl=ttl)))
    return row["error"], datas(row)


@pytest.mark.parametrize("rrtype", sorted(TEXTS))
def test_what_is_written_reads_as_the_same_data(rrtype):
    number = dns.rdatatype.from_text(rrtype)
    rdata = dns.rdata.from_text("IN", rrtype, TEXTS[rrtype])
    error, (text,) = shown(number, rdata.to_wire())
    assert error == "none"
    assert dns.rdata.from_text("IN", number, text, origin=dns.name.root, relativize=False) == rdata


@pytest.mark.parametrize(("rrtype", "rdata", "text"), BY_HAND)
def test_types_that_dnspython_does_not_know(rrtype, rdata, text):
    numbers = {known: number for number, known in RR_TYPES.items()}
    assert shown(numbers[rrtype], rdata) == ("none", [text])


def test_sixty_types_have_a_form_and_every_form_a_test():
    assert len(FORMS) + 2 + len(RARE) >= 60
    alike = {"MD", "MF", "MG", "MR", "NIMLOC", "BRID"}  # as MB, EID, HHIT
    assert set(FORMS) == set(TEXTS) | {rrtype for rrtype, _, _ in BY_HAND} | alike
    assert set(FORMS) <= set(RR_TYPES.values())


@pytest.mark.parametrize(
    ("rrtype", "rdata"),
    [
        (17, b"\1a\0"),  # RP with one name
        (19, b""),  # X25
        (20, b"\1"),
        (26, b"\0\1\1a\0"),  # PX with one name
        (50, bytes(5)),  # a hash of no bytes
        (50, b"\1\0\0\1\0\1\xff\0\0"),  # a window of no bytes
        (51, b"\1\0\0\1\1\xff\xff"),
        (62, b"\0\0\0\1"),
        (104, bytes(9)),
        (105, bytes(7)),
        (107, b"\0\1\xc0\x0c"),  # compressed where it must not be
        (108, bytes(7)),
        (109, bytes(7)),
        (257, b"\0\2a\1x"),  # a tag of other than letters and digits
    ],
)
def test_data_that_breaks_the_form(rrtype, rdata):
    assert shown(rrtype, rdata) == ("bad_rdata", [])


@given(st.sampled_from([number for number, known in RR_TYPES.items() if known in FORMS]), st.binary(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_bytes(rrtype, rdata):
    error, texts = shown(rrtype, rdata)
    assert error in ("none", "bad_rdata", "bad_name")
    for text in texts:
        assert text.isprintable()


def test_multicast_dns_compresses_the_name_of_nsec():
    assert shown(47, b"\xc0\x0c\0\2\0\x08") == ("none", ["www.example.org PTR"])


def test_names_are_not_compressed_in_new_types():
    assert shown(2, b"\xc0\x0c") == ("none", ["www.example.org"])
    assert shown(39, name("a.b")) == ("none", ["a.b"])
