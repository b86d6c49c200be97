"""What the ``capture`` table says: each file, every packet by what became of it, and what the dissectors could not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analyzer.capture import CaptureFacts
from analyzer.lifecycle.quality import Fact
from analyzer.report.capture import CaptureFact


def file_facts(file: CaptureFacts) -> list[CaptureFact]:
    """Provenance and quality of one capture file; what is not known is left out."""
    told = (
        ("format", file.format, "format of the capture", ""),
        ("compression", file.compression, "compression of the file", ""),
        ("link_types", " ".join(map(str, file.linktypes)), "LINKTYPE numbers of its interfaces", ""),
        ("packets", str(file.packets), "packets in it", ""),
        ("size", str(file.file_bytes), "bytes of the capture, uncompressed", "bytes"),
        ("snapshot_length", str(file.snaplen) if file.snaplen else "", "largest snapshot length", "bytes"),
        ("hardware", file.hardware, "hardware that recorded it", ""),
        ("os", file.os, "operating system that recorded it", ""),
        ("application", file.application, "program that recorded it", ""),
        ("comments", str(file.comments) if file.comments else "", "comments in it", ""),
        ("received", "" if file.received is None else str(file.received), "packets the interfaces received", ""),
        ("dropped", "" if file.dropped is None else str(file.dropped), "packets the capture dropped", ""),
        ("truncated", str(file.truncated_bytes) if file.truncated_bytes else "", "bytes of an incomplete packet at the end", "bytes"),
        ("lost", str(file.lost_bytes) if file.lost_bytes else "", "bytes passed over as damaged", "bytes"),
    )
    facts = [CaptureFact("file", name, value, meaning, unit, file=file.name) for name, value, meaning, unit in told if value]
    return facts + [CaptureFact("note", "note", note, "what could not be read, or looks wrong", file=file.name) for note in file.notes]


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
