import dns.rdata
import dns.rdatatype
import numpy as np
import pytest

from analyzer.memory import Text
from analyzer.messages.dns.rare_records import RARE, RareRecords, write_rare
from analyzer.registries.dns import RR_TYPES
from analyzer.tables import new_table
from analyzer.tables.dns import RESOURCE_RECORD
from tests.messages.dns.builders import datas, one, record, response

TEXTS = {
    "LOC": "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
    "CERT": "PKIX 1 RSASHA256 AQID",
    "APL": "1:192.0.2.0/24 !2:2001:db8::/32",
    "IPSECKEY": "10 3 2 gw.example.org. AQID",
    "WKS": "192.0.2.1 6 25 80",
    "HIP": "2 200100107b1a74df365639cc39f1d578 AQID rvs.example.org.",
    "AMTRELAY": "10 1 3 relay.example.org.",
    "DSYNC": "CDS NOTIFY 5300 notify.example.org.",
}


@pytest.mark.parametrize("rrtype", TEXTS)
def test_as_dnspython_writes_them(rrtype):
    rdata = dns.rdata.from_text("IN", rrtype, TEXTS[rrtype])
    row = one(response(record(1, bytes(4)), record(int(dns.rdatatype.from_text(rrtype)), rdata.to_wire()), record(1, bytes(4))))
    assert datas(row) == ["0.0.0.0", TEXTS[rrtype].replace("org.", "org"), "0.0.0.0"]


def test_the_names_are_those_of_the_registry():
    assert {number: RR_TYPES[number] for number in RARE} == RARE


def test_signature_of_a_transaction():
    rdata = b"\x0bhmac-sha256\0" + bytes(2) + (1_767_225_600).to_bytes(4, "big") + b"\1\x2c\0\3\1\2\3" + b"\x30\x39\0\0\0\0"
    text = write_rare(250, 255, rdata)
    assert text is not None
    assert text.startswith("hmac-sha256 1767225600 300 3 AQID 12345 NOERROR 0")


@pytest.mark.parametrize("rdata", [b"", b"\0", b"\xff" * 40])
def test_what_cannot_be_read_stays_in_hex(rdata):
    row = one(response(record(45, rdata)))
    assert datas(row) == [f"\\# {len(rdata)} {rdata.hex()}".strip()]


def test_only_so_many_distinct_ones_are_written():
    text, records = Text(), new_table(RESOURCE_RECORD, 3)
    for at, content in enumerate((b"\\# 5 c000020106", b"\\# 5 c000020206", b"\\# 5 c000020106")):
        records[at].rrtype, records[at].rrclass = 11, 1
        records[at].rdata, records[at].rdata_size = text.append(content)
    RareRecords(most=1).rewrite(records, text)
    shown = [bytes(text.data[at : at + size]) for at, size in zip(records["rdata"], records["rdata_size"], strict=True)]
    assert shown == [b"192.0.2.1 6", b"\\# 5 c000020206", b"192.0.2.1 6"]
    assert records["rdata"].dtype == np.int64
