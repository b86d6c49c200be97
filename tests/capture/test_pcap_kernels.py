"""Classic pcap in all its forms."""

import pytest

from tests import builders
from tests.builders import Frame, pcap
from tests.capture.reading import FRAMES, check, facts_of, read_bytes


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("nanosecond", [False, True])
@pytest.mark.parametrize("modified", [False, True])
def test_classic_pcap_in_all_forms(tmp_path, byteorder, nanosecond, modified):
    if modified and nanosecond:
        pytest.skip("there is no modified format with nanoseconds")
    frames = [Frame(f.content, f.ts + (i if nanosecond else 1000 * i)) for i, f in enumerate(FRAMES)]
    result = read_bytes(tmp_path, pcap(frames, byteorder=byteorder, nanosecond=nanosecond, modified=modified))
    check(result, frames)
    facts = facts_of(result[2])
    assert (facts.format, facts.packets, facts.linktypes, facts.snaplen, facts.notes) == ("pcap", 30, [1], 262_144, [])
    assert (facts.first_ts, facts.last_ts) == (frames[0].ts, frames[-1].ts)


def test_frame_check_sequence_of_classic_pcap_and_of_one_packet(tmp_path):
    frames = [Frame(b"abcdefgh"), Frame(b"abcdef", length=8), Frame(b"abc", length=8), Frame(b"ab")]
    rows, contents, _ = read_bytes(tmp_path, pcap(frames, fcs_words=2))
    assert contents == [b"abcd", b"abcd", b"abc", b""]
    assert [(row[2], row[3]) for row in rows] == [(4, 4), (4, 4), (3, 4), (0, 0)]
    flagged = builders.enhanced_packet(Frame(b"abcdefgh"), options=[(2, (4 << 5).to_bytes(4, "little"))])
    assert read_bytes(tmp_path, builders.section_header() + builders.interface_description() + flagged)[1] == [b"abcd"]
