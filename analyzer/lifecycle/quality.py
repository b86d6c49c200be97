"""How good is the capture: every packet counted once by what became of it, and the signs that make numbers unreliable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.batch import Batch
from analyzer.lifecycle import quality_kernels as counted
from analyzer.lifecycle.finished import Finished
from analyzer.tables.packets import OUTCOMES, UNKNOWN_LINK_TYPE

MAX_PROTOCOL = 256
EVERYTHING = "*"
CHANCE = 1 / 8192  # checksums that look unfinished by chance alone are one in 32,768
# what packets of an outcome are missing from; those that are not here were never meant to be in a connection
MISSING_FROM = {
    "fragment": "*_packets, *_bytes",
    "unknown_link_type": EVERYTHING,
    "cut": "*_packets, *_bytes",
    "malformed_link": EVERYTHING,
    "malformed_ip": EVERYTHING,
    "malformed_transport": "*_packets, *_bytes",
    "bad_checksum": "*_packets, *_bytes, *_missed_bytes",
    "tunnel_too_deep": EVERYTHING,
    "no_time": EVERYTHING,
}


@dataclass(frozen=True)
class Fact:
    """One row of the capture table. ``affects`` names the columns that this fact makes unreliable."""

    group: str
    name: str
    count: int
    meaning: str
    affects: str = ""


class Quality:
    """Counts over all packets and all finished connections; no state that grows with the capture.

    Attributes:
        outcomes: packets by outcome; they add up to the packets read.
        protocols: analysed packets by IP protocol.
        bytes_captured, bytes_on_wire: of all packets.
        first_ts, last_ts: earliest and latest time, ns; 0 = no packet has one.
        cut: packets cut by the snapshot length.
        offloaded: packets with an IP length of 0.
        large_segments: TCP packets larger than an Ethernet frame.
        unfinished_checksums: packets whose checksum was left to the network card.
        bad_checksums: packets with a wrong checksum, where checksums are verified.
        duplicates: packets that were seen within the millisecond before.
        steps_back: packets with a time before that of the packet before them on the same interface, as capture/ counts them.
        unknown_links: of each interface whose link type is not known (row of the INTERFACE table): that link type, and its packets.
        midstream, one_sided: TCP connections without their beginning, or with packets of one end only.
    """

    def __init__(self) -> None:
        self.outcomes = np.zeros(len(OUTCOMES), np.int64)
        self.protocols = np.zeros(MAX_PROTOCOL, np.int64)
        self.bytes_captured = 0
        self.bytes_on_wire = 0
        self.first_ts = 0
        self.last_ts = 0
        self.cut = 0
        self.offloaded = 0
        self.large_segments = 0
        self.unfinished_checksums = 0
        self.bad_checksums = 0
        self.duplicates = 0
        self.steps_back = 0
        self.largest_step_back_ns = 0
        self.unknown_links: dict[int, tuple[int, int]] = {}
        self.midstream = 0
        self.one_sided = 0
        self._counts = np.zeros(counted.COUNTS, np.int64)
        self._recent = np.zeros((counted.RECENT, 2), np.int64)

    @property
    def packets(self) -> int:
        """Packets read, whatever became of them."""
        return int(self.outcomes.sum())

    def observe(self, batch: Batch) -> None:
        """Count the packets of one decoded batch."""
        counts, unknown = self._counts, int(self.outcomes[UNKNOWN_LINK_TYPE])
        counted.count_packets(batch.memory.data, batch.packets, counts, self.outcomes, self.protocols, self._recent)
        self.bytes_captured, self.bytes_on_wire = int(counts[counted.BYTES_CAPTURED]), int(counts[counted.BYTES_ON_WIRE])
        self.first_ts, self.last_ts = int(counts[counted.FIRST_TS]), int(counts[counted.LAST_TS])
        self.cut, self.offloaded = int(counts[counted.CUT]), int(counts[counted.LENGTHS_FROM_CAPTURE])
        self.large_segments = int(counts[counted.LARGE_SEGMENTS])
        unfinished = int(counts[counted.UNFINISHED_CHECKSUMS])
        self.unfinished_checksums = unfinished if unfinished > CHANCE * self.packets else 0
        self.bad_checksums, self.duplicates = int(counts[counted.BAD_CHECKSUMS]), int(counts[counted.DUPLICATES])
        self.steps_back = int(batch.interfaces["steps_back"].sum())
        self.largest_step_back_ns = int(batch.interfaces["largest_step_back_ns"].max(initial=0))
        if self.outcomes[UNKNOWN_LINK_TYPE] > unknown:
            self._count_unknown(batch)

    def _count_unknown(self, batch: Batch) -> None:
        """Packets of unknown link types, by interface."""
        packets = batch.packets
        faces, counts = np.unique(packets["interface"][packets["outcome"] == UNKNOWN_LINK_TYPE], return_counts=True)
        for face, count in zip(faces.tolist(), counts.tolist(), strict=True):
            before = self.unknown_links.get(face, (0, 0))[1]
            self.unknown_links[face] = int(batch.interfaces["linktype"][face]), before + count

    def observe_finished(self, finished: Finished) -> None:
        """Count signs that show only in whole connections."""
        c, o, r = finished.connections, finished.originators, finished.responders
        is_tcp = c["protocol"] == 6
        self.midstream += int(np.count_nonzero(is_tcp & (c["syn_ts"] == 0) & (c["synack_ts"] == 0)))
        talks = is_tcp & (o["packets"] + r["packets"] > 3) & (o["packets"] != c["syn_retries"] + 1)  # a silent host is no such sign
        self.one_sided += int(np.count_nonzero(talks & ((o["packets"] == 0) | (r["packets"] == 0))))

    def facts(self) -> list[Fact]:
        """Rows of the capture table: outcomes (they add up to the packets read), then signs with the columns that they make unreliable."""
        facts = [Fact("packets", "read", self.packets, "packets read from the capture")]
        facts += [
            Fact("outcome", name, int(count), meaning, MISSING_FROM.get(name, "") if count else "")
            for (name, meaning), count in zip(OUTCOMES, self.outcomes.tolist(), strict=True)
        ]
        facts += [
            Fact(
                "unknown_link_type",
                f"interface_{face}",
                count,
                f"packets of interface {face}, whose LINKTYPE {link} is not known",
                EVERYTHING,
            )
            for face, (link, count) in sorted(self.unknown_links.items())
        ]
        facts += [
            Fact("bytes", "captured", self.bytes_captured, "bytes captured"),
            Fact("bytes", "on_wire", self.bytes_on_wire, "bytes the packets had on the wire"),
        ]
        signs = (
            ("cut_by_snaplen", self.cut, "packets cut by the snapshot length", "dns_*, tls_*, http_*, findings"),
            (
                "duplicates",
                self.duplicates,
                "packets seen twice within 1 ms, as on a mirror port",
                "*_packets, *_ip_bytes, *_retransmissions",
            ),
            ("clock_steps_back", self.steps_back, "packets older than the one before on their interface", "*_ms"),
            ("largest_clock_step_back_ns", self.largest_step_back_ns, "largest such step, ns", "*_ms"),
            ("one_sided_connections", self.one_sided, "TCP connections with packets of one end only", "*_ms, state, *_missed_bytes"),
            ("midstream_connections", self.midstream, "TCP connections that start in the middle of their life", "dns_*, tcp_*, tls_*"),
            ("length_from_capture", self.offloaded, "IP length 0, as segmentation offload leaves it", "*_ip_bytes"),
            (
                "large_segments",
                self.large_segments,
                "TCP packets larger than an Ethernet frame: segmentation offload, or jumbo frames",
                "*_packets, *_ip_bytes, *_retransmissions, *_out_of_order",
            ),
            (
                "unfinished_checksums",
                self.unfinished_checksums,
                "checksums that the network card was to complete: sent from this machine",
                "",
            ),
            (
                "bad_checksums",
                self.bad_checksums,
                "wrong checksums (looked for with --checksums verify only); by direction: *_bad_checksums of connections",
                "*_packets, *_bytes, *_missed_bytes",
            ),
        )
        return facts + [Fact("quality", name, count, meaning, affects if count else "") for name, count, meaning, affects in signs]
