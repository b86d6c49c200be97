"""What is known of each capture file besides its packets, and the sentences that tell what was wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from analyzer.tables import Rows

NO_PACKETS = "holds no packets."
MOST_NOTES = 50  # of one file: a damaged one may be damaged in a million places
KNOWN = "Known: pcap, pcapng, also gz, zst, xz, bz2, lz4; snoop and others through Wireshark's editcap."


@dataclass
class CaptureFacts:
    """Provenance and quality of one file; times in ns, 0 = no packet had one. ``notes``: one sentence each, for people."""

    path: str
    name: str
    format: str = ""  # "pcap", "pcapng"; "" = could not be read
    compression: str = ""  # "gz", "xz", ...; "" = none
    linktypes: list[int] = field(default_factory=list)
    packets: int = 0
    bytes_captured: int = 0
    file_bytes: int = 0  # bytes of the capture, uncompressed
    first_ts: int = 0
    last_ts: int = 0
    snaplen: int = 0  # largest of its interfaces; 0 = unlimited
    hardware: str = ""
    os: str = ""
    application: str = ""
    comments: int = 0
    received: int | None = None  # packets its interfaces received, by interface statistics
    dropped: int | None = None  # packets they dropped, by interface statistics and drop counts of packets
    truncated_bytes: int = 0  # bytes at the end that are a part of a packet
    gap_ns: int | None = None  # from the last packet of the captures before it to its first; negative: they overlap; None: nothing before
    lost_bytes: int = 0  # bytes that were passed over because a record or block was damaged
    longer_than_wire: int = 0
    without_time: int = 0
    steps_back: int = 0
    largest_step_back_ns: int = 0
    secrets: list[bytes] = field(default_factory=list)  # TLS key logs of decryption secrets blocks
    names: list[tuple[str, str]] = field(default_factory=list)  # (address, name) of name resolution blocks
    notes: list[str] = field(default_factory=list)
    notes_left_out: int = 0

    def note(self, sentence: str) -> None:
        """Add a sentence that begins with the file's name; beyond MOST_NOTES they are only counted."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(f"{self.name} {sentence}")
        else:
            self.notes_left_out += 1

    def why_empty(self) -> str:
        """Why nothing of it was analysed, in one sentence."""
        reasons = [note.removeprefix(self.name).strip(" :") for note in self.notes]
        reasons = [reason for reason in reasons if reason != NO_PACKETS]
        if not reasons:
            return f"{self.name} holds no packets, so nothing was analysed."
        more = f" (and {count_text(len(reasons) - 1, 'more problem')})" if len(reasons) > 1 else ""
        return f"{self.name} holds no packets that could be analysed: it {reasons[0].rstrip('.')}{more}."

    def note_tail(self, where: str, size: int, packets: int) -> None:
        """The file ends ``size`` bytes into something, after so many packets."""
        self.truncated_bytes += size
        before = "The packet before it was analysed." if packets == 1 else f"The {packets:,} packets before it were analysed."
        inside = f"{where}, {count_text(size, 'byte')} into it"
        self.note(f"ends in the middle of {inside} (disk full, or still being written?). {before if packets else 'No packet is whole.'}")

    def take(self, r: Rows) -> None:
        """Copy the counters of a READER row."""
        self.packets, self.bytes_captured = int(r.packets), int(r.bytes_captured)
        self.first_ts, self.last_ts = int(r.first_ts), int(r.last_ts)
        self.longer_than_wire, self.without_time = int(r.longer_than_wire), int(r.without_time)

    def take_interfaces(self, interfaces: Rows) -> None:
        """Sum up the INTERFACE rows of this file."""
        self.linktypes = sorted({int(link) for link in interfaces.linktype})
        snaplens = [int(size) for size in interfaces.snaplen]
        self.snaplen = max(snaplens, default=0) if 0 not in snaplens else 0
        received = [int(n) for n in interfaces.received if n >= 0]
        # what the statistics and the packets of one interface say is the same drops twice
        dropped = [max(int(face.dropped), int(face.dropped_between)) for face in interfaces if face.dropped >= 0 or face.dropped_between]
        self.received = sum(received) if received else None
        self.dropped = sum(dropped) if dropped else None
        self.steps_back = int(interfaces.steps_back.sum())
        self.largest_step_back_ns = int(interfaces.largest_step_back_ns.max(initial=0))


def count_text(number: int, thing: str) -> str:
    """A number with thousands separated, and the thing in the plural where it needs one."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def seconds_text(ns: int) -> str:
    """A length of time in seconds, exact, without zeros at the end."""
    return f"{ns // 1_000_000_000:,}.{ns % 1_000_000_000:09}".rstrip("0").rstrip(".") + " s"


def add_final_notes(facts: CaptureFacts, r: Rows, keep_bytes: int) -> None:
    """The sentences about counters, once the file is read to its end."""
    if r.too_large:
        facts.note(f"has {count_text(int(r.too_large), 'packet')} of more than {keep_bytes:,} bytes: the rest of each was left out.")
    if r.longer_than_wire:
        facts.note(f"has {count_text(int(r.longer_than_wire), 'packet')} with more bytes captured than were on the wire.")
    if r.without_time:
        facts.note(f"has {count_text(int(r.without_time), 'packet')} without a usable time.")
    if r.unknown_interface:
        facts.note(f"has {count_text(int(r.unknown_interface), 'packet')} of an interface that it does not describe: left out.")
    if r.malformed_blocks:
        facts.note(f"has {count_text(int(r.malformed_blocks), 'packet block')} that cannot hold what they claim: left out.")
    if facts.steps_back:
        step = seconds_text(facts.largest_step_back_ns)
        facts.note(f"has a clock that steps back {count_text(facts.steps_back, 'time')}, by up to {step}.")
    if r.rare_blocks > r.most_rare_blocks:
        rest = f"all after the first {int(r.most_rare_blocks):,} were left out"
        facts.note(f"has {int(r.rare_blocks):,} blocks of names, statistics or secrets: {rest}.")
    if facts.dropped:
        facts.note(f"says that {count_text(facts.dropped, 'packet')} were dropped while it was recorded.")
    if facts.notes_left_out:
        more = count_text(facts.notes_left_out, "further problem")
        facts.notes.append(f"{facts.name} has {more} of the same kinds.")


def tell_gaps(files: Sequence[CaptureFacts]) -> None:
    """Set ``gap_ns`` of each capture, in the order in which they begin."""
    latest = 0
    for facts in files:
        if facts.first_ts and latest:
            facts.gap_ns = facts.first_ts - latest
        latest = max(latest, facts.last_ts)


def describe_head(head: bytes) -> str:
    """The first bytes of something that is not a capture, as text or in hex."""
    text = head[:16]
    line = text.split(b"\n", 1)[0].rstrip(b"\r")
    if line and all(32 <= byte < 127 for byte in line):
        shown = line[:9].decode()
        return f'it begins with "{shown}" - text'
    return f"it begins with {text[:8].hex(' ')}"
