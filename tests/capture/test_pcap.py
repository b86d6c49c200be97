"""The header of a classic pcap file."""

import pytest

from analyzer.capture.pcap import find_byteorder, parse_header
from tests.builders import pcap_header


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_header_fields(byteorder):
    header = parse_header(pcap_header(byteorder=byteorder, nanosecond=True, linktype=113, snaplen=96, fcs_words=2, version=(2, 3)))
    assert header is not None
    assert (header.byteorder, header.tick_ns, header.record_bytes, header.version) == (byteorder, 1, 16, (2, 3))
    assert (header.snaplen, header.linktype, header.fcs_bytes) == (96, 113, 4)
    modified = parse_header(pcap_header(byteorder=byteorder, modified=True))
    assert modified is not None
    assert (modified.tick_ns, modified.record_bytes, modified.fcs_bytes) == (1000, 24, 0)


def test_what_is_no_header():
    assert parse_header(b"") is None
    assert parse_header(pcap_header()[:23]) is None
    assert parse_header(b"\0" * 24) is None
    assert find_byteorder(b"\xa1\xb2") is None
