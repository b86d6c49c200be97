"""Rows of the capture table: files, every packet, and what could not be read."""

from fnmatch import fnmatch

from analyzer.capture import CaptureFacts
from analyzer.lifecycle.quality import Quality
from analyzer.report.build import dictionary
from analyzer.report.provenance import LOSS, capture_facts, file_facts, milliseconds

PCAPNG = CaptureFacts(
    "captures/a.pcapng", "a.pcapng", format="pcapng", linktypes=[1, 113], packets=3, file_bytes=900, snaplen=262_144, received=5, dropped=0
)


def test_what_a_file_does_not_say_is_left_out() -> None:
    assert [fact.name for fact in file_facts(CaptureFacts("a", "a", format="pcap"))] == ["format", "packets", "size"]
    facts = {fact.name: fact.value for fact in file_facts(PCAPNG)}
    assert facts == {
        "format": "pcapng",
        "link_types": "1 113",
        "packets": "3",
        "size": "900",
        "snapshot_length": "262144",
        "received": "5",
        "dropped": "0",
    }


def test_notes_are_rows_of_their_file() -> None:
    facts = file_facts(CaptureFacts("a", "a", format="pcap", notes=["a is odd.", "a is cut."], truncated_bytes=7))
    assert [(fact.file, fact.value) for fact in facts if fact.group == "note"] == [("a", "a is odd."), ("a", "a is cut.")]
    assert [(fact.value, fact.unit) for fact in facts if fact.name == "truncated"] == [("7", "bytes")]


def test_files_come_first_then_counts_then_what_was_not_read() -> None:
    facts = capture_facts([PCAPNG], Quality().facts(), {"dns": {"malformed": 2, "cut": 0}, "tls": {}})
    groups = list(dict.fromkeys(fact.group for fact in facts))
    assert groups == ["file", "packets", "outcome", "bytes", "quality", "dns"]
    assert [(fact.name, fact.value) for fact in facts if fact.group == "dns"] == [("malformed", "2")]
    assert all(fact.meaning for fact in facts)


def test_what_makes_columns_unreliable_names_them() -> None:
    facts = CaptureFacts("a", "a", format="pcap", dropped=1, lost_bytes=2, steps_back=3, without_time=4)
    affected = [fact.affects for fact in file_facts(facts) if fact.affects]
    assert affected == [LOSS, LOSS, "*", "*_ms"]
    columns = [column.name for column in dictionary()["connections"]]
    assert all(any(fnmatch(column, pattern) for column in columns) for affects in affected for pattern in affects.split(", "))


def test_gaps_and_overlap_in_milliseconds() -> None:
    assert [fact.value for fact in file_facts(CaptureFacts("a", "a", gap_ns=-1_500_000)) if fact.name == "gap_before"] == ["-1.5"]
    assert [milliseconds(ns) for ns in (None, 0, 1, -1, 10_000_000, 123_456_789)] == ["", "0", "0.000001", "-0.000001", "10", "123.456789"]
