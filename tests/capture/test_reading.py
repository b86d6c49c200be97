"""One file at work: the time it begins, and where it stops for the next."""

import pytest

from analyzer.capture.files import look_at
from analyzer.capture.reading import find_first_time
from analyzer.options import Limits
from tests.builders import Frame, interface_description, pcap, pcapng, section_header, simple_packet
from tests.capture.reading import FRAMES, read

START = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("content", "ts"),
    [
        (pcap(FRAMES), FRAMES[0].ts),
        (pcap([]), 0),
        (section_header() + interface_description() + simple_packet(b"x"), 0),
        (section_header() + interface_description(tsresol=9) + simple_packet(b"x") + pcapng([Frame(b"y", START)]), START),
        (pcap([Frame(b"late", START + 9), Frame(b"early", START)], nanosecond=True), START + 9),
    ],
)
def test_the_first_time_of_a_file(tmp_path, content, ts):
    (tmp_path / "a").write_bytes(content)
    file = look_at(str(tmp_path / "a"), Limits())
    assert find_first_time(file, Limits()) == ts
    assert file.facts.packets == 0


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_equal_times_at_the_seam(tmp_path, names):
    """The last packet of one file has the time of the first of the next: the one named first comes first."""
    (tmp_path / "a").write_bytes(pcap([Frame(b"a1", START), Frame(b"a2", START + 5), Frame(b"a3", START + 5)], nanosecond=True))
    (tmp_path / "b").write_bytes(pcap([Frame(b"b1", START + 5), Frame(b"b2", START + 6)], nanosecond=True))
    contents = read([tmp_path / name for name in names])[1]
    assert contents == ([b"a1", b"a2", b"a3", b"b1", b"b2"] if names == "ab" else [b"a1", b"b1", b"a2", b"a3", b"b2"])
