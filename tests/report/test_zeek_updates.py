import dns.message
import dns.update
import numpy as np
import pytest

import analyzer
from analyzer.report.zeek_updates import describe_record, read_updates
from tests.builders import pcap, udp_packet
from tests.messages.dns.builders import Wire, address, header, name, query, question, record


@pytest.mark.parametrize(
    ("section", "rrtype", "rrclass", "text"),
    [
        (1, 255, 255, "pre: NameInUse n"),
        (1, 255, 254, "pre: NameNotInUse n"),
        (1, 5, 254, "pre: NoRRSet CNAME n"),
        (1, 5, 255, "pre: RRSet CNAME n"),
        (1, 1, 1, "pre: RRSet A n d"),
        (2, 28, 255, "del: RRSet AAAA"),
        (2, 255, 255, "del: RRSet * n"),
        (2, 1, 254, "del: A n d"),
        (2, 1, 1, "add: A n d"),
    ],
)
def test_a_record_in_words(section, rrtype, rrclass, text):
    assert describe_record(section, rrtype, rrclass, "n", "d") == text


def test_an_update_among_queries():
    gone = record(5, b"", owner=name("Host.example.org"), rrclass=254, ttl=0)
    change = header(bits=0x2800, an=1, ns=1, ident=7) + question("example.org", 6) + gone + address("192.0.2.9")
    dns = Wire().ask(1, query()).ask(2, change).analyse()
    (place,), (update,) = zip(*read_updates(dns.lookups, dns.records, dns.text.data, np.arange(2)).items(), strict=True)
    assert place == 1
    assert update.query == "host.example.org"
    assert update.answers == ["pre: NoRRSet CNAME host.example.org", "add: A example.org 192.0.2.9"]
    assert update.ttls == [0, 300]


def test_an_update_in_a_capture(tmp_path):
    change = dns.update.UpdateMessage("example.org")
    change.present("old")
    change.add("new", 60, "A", "192.0.2.7")
    reply = dns.message.make_response(change)
    path = tmp_path / "update.pcap"
    path.write_bytes(pcap([
        udp_packet(change.to_wire(), src="192.0.2.1", dst="192.0.2.53", src_port=5363, dst_port=53),
        udp_packet(reply.to_wire(), src="192.0.2.53", dst="192.0.2.1", src_port=53, dst_port=5363),
    ]))  # fmt: skip
    (row,) = analyzer.analyze(path).dns.to_dict("records")
    assert row["opcode"] == "Update"
    assert list(row["changes"]) == ["pre: NameInUse old.example.org", "add: A new.example.org 192.0.2.7"]
