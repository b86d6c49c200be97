"""What the ``capture`` table says: each file, every packet by what became of it, and what the dissectors could not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyzer.capture import CaptureFacts
from analyzer.lifecycle.quality import Fact
from analyzer.report.capture import CaptureFact

LOSS = "*_missed_bytes, *_ms, dns_*, tls_*, http_*"  # what packets that are not in the capture make unreliable


def file_facts(file: CaptureFacts) -> list[CaptureFact]:
    """Provenance and quality of one capture file; what is not known is left out."""
    told = (
        ("format", file.format, "format of the capture", "", ""),
        ("compression", file.compression, "compression of the file", "", ""),
        ("link_types", " ".join(map(str, file.linktypes)), "LINKTYPE numbers of its interfaces", "", ""),
        ("packets", str(file.packets), "packets in it", "", ""),
        ("size", str(file.file_bytes), "bytes of the capture, uncompressed", "bytes", ""),
        ("snapshot_length", unless_zero(file.snaplen), "largest snapshot length", "bytes", ""),
        ("hardware", file.hardware, "hardware that recorded it", "", ""),
        ("os", file.os, "operating system that recorded it", "", ""),
        ("application", file.application, "program that recorded it", "", ""),
        ("comments", unless_zero(file.comments), "comments in it", "", ""),
        ("received", "" if file.received is None else str(file.received), "packets the interfaces received", "", ""),
        ("dropped", "" if file.dropped is None else str(file.dropped), "packets the capture dropped", "", LOSS if file.dropped else ""),
        ("truncated", unless_zero(file.truncated_bytes), "bytes of an incomplete packet at the end", "bytes", ""),
        ("lost", unless_zero(file.lost_bytes), "bytes passed over as damaged", "bytes", LOSS),
        ("without_time", unless_zero(file.without_time), "packets without a usable time", "", "*"),
        ("clock_steps_back", unless_zero(file.steps_back), "packets older than the one before on their interface", "", "*_ms"),
        ("gap_before", milliseconds(file.gap_ns), "from the captures before it to its first packet; negative: they overlap", "ms", ""),
    )
    facts = [
        CaptureFact("file", name, value, meaning, unit, affects=affects, file=file.name)
        for name, value, meaning, unit, affects in told
        if value
    ]
    return facts + [CaptureFact("note", "note", note, "what could not be read, or looks wrong", file=file.name) for note in file.notes]


def unless_zero(count: int) -> str:
    """A count as text; nothing for 0."""
    return str(count) if count else ""


def milliseconds(ns: int | None) -> str:
    """Nanoseconds as milliseconds, exact; nothing for None."""
    if ns is None:
        return ""
    whole, rest = divmod(abs(ns), 1_000_000)
    return ("-" if ns < 0 else "") + f"{whole}.{rest:06}".rstrip("0").rstrip(".")


def capture_facts(files: Sequence[CaptureFacts], quality: Sequence[Fact], unread: Mapping[str, Mapping[str, int]]) -> list[CaptureFact]:
    """All rows of the capture table: files, counts over all packets, and what each dissector could not read (where it happened)."""
    facts = [fact for file in files for fact in file_facts(file)]
    facts += [CaptureFact(fact.group, fact.name, str(fact.count), fact.meaning, affects=fact.affects) for fact in quality]
    facts += [
        CaptureFact(protocol, name, str(count), f"how often {protocol} met this: {name.replace('_', ' ')}")
        for protocol, counts in unread.items()
        for name, count in counts.items()
        if count
    ]
    return facts
