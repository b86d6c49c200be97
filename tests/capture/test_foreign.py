"""Captures of other formats, through editcap where it is installed."""

import shutil
import struct
import subprocess

import pytest

from analyzer.capture.foreign import tell_foreign
from analyzer.errors import CaptureError
from tests.builders import pcap
from tests.capture.reading import FRAMES, facts_of, read, read_bytes

needs_editcap = pytest.mark.skipif(shutil.which("editcap") is None, reason="editcap of Wireshark is not installed")


def converted(tmp_path, kind):
    (tmp_path / "plain.pcap").write_bytes(pcap(FRAMES, snaplen=65535))
    subprocess.run(["editcap", "-F", kind, tmp_path / "plain.pcap", tmp_path / f"capture.{kind}"], check=True)
    return tmp_path / f"capture.{kind}"


@needs_editcap
@pytest.mark.parametrize(
    ("kind", "name"),
    [("snoop", "snoop"), ("netmon2", "Network Monitor"), ("netmon1", "Network Monitor 1"), ("5views", "5Views"),
     ("ngwsniffer_2_0", "NetXRay"), ("visual", "Visual Networks")],
)  # fmt: skip
def test_other_formats_are_converted(tmp_path, kind, name):
    rows, contents, source = read([converted(tmp_path, kind)])
    assert facts_of(source).format == name
    # some formats pad, and some add a check sequence: what was sent is the beginning
    assert [content[: len(frame.content)] for content, frame in zip(contents, FRAMES, strict=True)] == [f.content for f in FRAMES]
    assert max(abs(row[0] - frame.ts) for row, frame in zip(rows, FRAMES, strict=True)) <= 1_000_000
    assert source.progress.done == source.progress.total


@needs_editcap
def test_erf_has_no_magic(tmp_path):
    seconds, size = FRAMES[3].ts // 10**9, len(FRAMES[3].content)
    head = (seconds << 32).to_bytes(8, "little") + struct.pack(">BBHHH", 2, 4, 18 + size, 0, size) + b"\0\0"
    rows, contents, source = read_bytes(tmp_path, (head + FRAMES[3].content) * 3)
    assert facts_of(source).format == "ERF"
    assert [row[5] for row in rows] == [197] * 3  # the packet with its ERF header, a link type of its own
    assert all(content.endswith(FRAMES[3].content) for content in contents)
    assert rows[0][0] == seconds * 10**9


@needs_editcap
def test_other_formats_beside_known_ones(tmp_path):
    """Both are the same packets: the merged capture holds each twice."""
    snoop = converted(tmp_path, "snoop")
    contents = read([snoop, tmp_path / "plain.pcap"])[1]
    assert contents[::2] == contents[1::2] == [frame.content for frame in FRAMES]


@needs_editcap
def test_a_damaged_file_is_told_in_the_words_of_editcap(tmp_path):
    path = converted(tmp_path, "snoop")
    path.write_bytes(path.read_bytes()[:-10])
    rows, _, source = read([path])
    assert len(rows) == len(FRAMES) - 1
    assert any("editcap says: " in note for note in facts_of(source).notes)


@needs_editcap
@pytest.mark.parametrize("content", [b"GMBU" + b"\xff" * 100, b"XCP\0" + b"\0" * 200, b"snoop\0\0\0"])
def test_what_editcap_cannot_read(tmp_path, content):
    with pytest.raises(CaptureError, match="looks like a capture of format") as error:
        read_bytes(tmp_path, content)
    assert "\n" not in str(error.value)


def test_without_editcap_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(CaptureError, match="format snoop, which needs Wireshark's editcap: install it"):
        read_bytes(tmp_path, b"snoop\0\0\0" + bytes(100))


def test_names_by_first_bytes():
    assert tell_foreign(b"TRSNIFF data    \x1a...") == "Sniffer"
    assert tell_foreign(b"snoop") == tell_foreign(b"") == tell_foreign(bytes(100)) == tell_foreign(b"%PDF-1.7 and so on and on") == ""
