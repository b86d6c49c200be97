"""How good is the capture: every packet counted once by what became of it, and the signs that make numbers unreliable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analyzer.batch import Batch
from analyzer.lifecycle.finished import Finished
from analyzer.tables.packets import ANALYSED, BAD_IP_CHECKSUM, BAD_TRANSPORT_CHECKSUM, CUT_BY_SNAPLEN, LENGTH_FROM_CAPTURE, OUTCOMES

MAX_PROTOCOL = 256


@dataclass(frozen=True)
class Fact:
    """One row of the capture table. ``affects`` names the columns that this fact makes unreliable."""

    group: str
    name: str
    count: int
    meaning: str
    affects: str = ""


class Quality:
    """Counts over all packets and all finished connections; no state that grows with the capture."""

    def __init__(self) -> None:
        self.outcomes = np.zeros(len(OUTCOMES), np.int64)
        self.protocols = np.zeros(MAX_PROTOCOL, np.int64)
        self.bytes_captured = 0
        self.bytes_on_wire = 0
        self.first_ts = 0
        self.last_ts = 0
        self.cut = 0
        self.offloaded = 0
        self.bad_checksums = 0
        self.steps_back = 0
        self.largest_step_back_ns = 0
        self.midstream = 0
        self.one_sided = 0
        self._last_ts = 0

    @property
    def packets(self) -> int:
        """Packets read, whatever became of them."""
        return int(self.outcomes.sum())

    def observe(self, batch: Batch) -> None:
        """Count the packets of one decoded batch."""
        p = batch.packets
        if len(p) == 0:
            return
        self.outcomes += np.bincount(p["outcome"], minlength=len(OUTCOMES))
        self.protocols += np.bincount(p["protocol"][p["outcome"] == ANALYSED], minlength=MAX_PROTOCOL)
        self.bytes_captured += int(p["caplen"].sum(dtype=np.int64))
        self.bytes_on_wire += int(p["length"].sum(dtype=np.int64))
        marks = p["marks"]
        self.cut += int(np.count_nonzero(marks & CUT_BY_SNAPLEN))
        self.offloaded += int(np.count_nonzero(marks & LENGTH_FROM_CAPTURE))
        self.bad_checksums += int(np.count_nonzero(marks & (BAD_IP_CHECKSUM | BAD_TRANSPORT_CHECKSUM)))
        self._observe_times(p["ts"][p["ts"] != 0])

    def _observe_times(self, ts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        if len(ts) == 0:
            return
        steps = np.diff(ts, prepend=self._last_ts or ts[0])
        back = steps[steps < 0]
        self.steps_back += len(back)
        if len(back):
            self.largest_step_back_ns = max(self.largest_step_back_ns, int(-back.min()))
        self.first_ts = min(self.first_ts or int(ts[0]), int(ts.min()))
        self.last_ts = max(self.last_ts, int(ts.max()))
        self._last_ts = int(ts[-1])

    def observe_finished(self, finished: Finished) -> None:
        """Count signs that show only in whole connections."""
        c, o, r = finished.connections, finished.originators, finished.responders
        is_tcp = c["protocol"] == 6
        self.midstream += int(np.count_nonzero(is_tcp & (c["syn_ts"] == 0) & (c["synack_ts"] == 0)))
        talks = is_tcp & (o["packets"] + r["packets"] > 3) & (o["packets"] != c["syn_retries"] + 1)  # a silent host is no such sign
        self.one_sided += int(np.count_nonzero(talks & ((o["packets"] == 0) | (r["packets"] == 0))))

    def facts(self) -> list[Fact]:
        """Rows of the capture table: outcomes (they add up to the packets read), then signs."""
        facts = [Fact("packets", "read", self.packets, "packets read from the capture")]
        facts += [
            Fact("outcome", name, int(count), meaning) for (name, meaning), count in zip(OUTCOMES, self.outcomes.tolist(), strict=True)
        ]
        facts += [
            Fact("bytes", "captured", self.bytes_captured, "bytes captured"),
            Fact("bytes", "on_wire", self.bytes_on_wire, "bytes the packets had on the wire"),
            Fact("quality", "cut_by_snaplen", self.cut, "packets cut by the snapshot length", "tls_*, http_*, dns_*"),
            Fact(
                "quality",
                "length_from_capture",
                self.offloaded,
                "IP length 0, as segmentation offload leaves it",
                "originator_ip_bytes, responder_ip_bytes",
            ),
            Fact("quality", "bad_checksums", self.bad_checksums, "wrong checksums (looked for with --checksums verify only)"),
            Fact("quality", "clock_steps_back", self.steps_back, "packets older than the one before", "all durations"),
            Fact("quality", "largest_clock_step_back_ns", self.largest_step_back_ns, "largest such step, ns", "all durations"),
            Fact(
                "quality",
                "midstream_connections",
                self.midstream,
                "TCP connections that start in the middle of their life",
                "dns_*, tcp_*, tls_*",
            ),
            Fact(
                "quality",
                "one_sided_connections",
                self.one_sided,
                "TCP connections with packets of one end only",
                "server_wait_ms, tcp_connect_ms",
            ),
        ]
        return facts
