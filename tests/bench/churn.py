"""Hours of connections that come and go through a live capture, compressed in time: memory must stay flat.

    python tests/bench/churn.py [--hours 1] [--connections-per-second 200] [--plot FILE.svg]

An engine that invents packets takes the place of the interface; everything behind it is the real thing: queue, reader, pipeline, CSV.
Prints the resident memory for each five minutes of capture time.
"""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from analyzer.capture.live.engine import LiveOptions
from analyzer.capture.live.feed import Feed
from analyzer.capture.live.ring import ETHERNET, interface_description, section_header
from analyzer.capture.live.source import LiveSource
from analyzer.export.outputs import Outputs
from analyzer.options import Options
from analyzer.pipeline import Pipeline
from analyzer.tables import Bytes

SECOND = 1_000_000_000
BEGIN = 1_800_000_000 * SECOND
REQUEST = b"GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
# (from the client, flags, sequence number and acknowledgement relative to the SYNs, payload)
STEPS = (
    (1, 0x02, 0, 0, b""),
    (0, 0x12, 0, 1, b""),
    (1, 0x10, 1, 1, b""),
    (1, 0x18, 1, 1, REQUEST),
    (0, 0x18, 1, 1 + len(REQUEST), RESPONSE),
    (1, 0x11, 1 + len(REQUEST), 1 + len(RESPONSE), b""),
    (0, 0x11, 1 + len(RESPONSE), 2 + len(REQUEST), b""),
    (1, 0x10, 2 + len(REQUEST), 2 + len(RESPONSE), b""),
)


def build_step(step: tuple[int, int, int, int, bytes]) -> bytes:
    """The pcapng block of one packet, with addresses, ports and time still to be filled in."""
    is_client, flags, seq, ack, payload = step
    ports = (0, 80) if is_client else (80, 0)
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 0x50, flags, 65000, 0, 0) + payload
    ip = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, 0, 0)
    frame = bytes(12) + b"\x08\0" + ip + tcp
    size = 32 + len(frame) + (-len(frame) % 4)
    head = struct.pack("<IIIIIII", 6, size, 0, 0, 0, len(frame), len(frame))
    return head + frame + bytes(-len(frame) % 4) + struct.pack("<I", size)


class Inventor:
    """Connections one after the other, each complete. Made as fast as ``feed`` is emptied."""

    name = "invented"
    lag_ns = 0
    dropped: int | None = 0
    trouble = ""

    def __init__(self, hours: float, per_second: int) -> None:
        self.head = section_header() + interface_description("invented", ETHERNET, LiveOptions(("invented",)))
        blocks = [build_step(step) for step in STEPS]
        self.many = 1000  # connections made at a time
        self.block: Bytes = np.frombuffer(b"".join(blocks), np.uint8)
        self.starts = np.cumsum([0, *map(len, blocks[:-1])])
        self.step_ns = SECOND // per_second
        self.left = int(hours * 3600 * per_second)
        self.made = 0
        self.feed: Feed | None = None

    def begin(self) -> None:
        """Nothing to do."""

    def read(self, view: memoryview, _seconds: float) -> int | None:
        """A thousand connections, as many as fit."""
        if self.head:
            head, self.head = self.head, b""
            view[: len(head)] = head
            return len(head)
        if self.feed is not None and self.feed.fifo.held > self.feed.fifo.capacity // 8:
            time.sleep(0.002)
            return 0
        count = min(self.many, self.left, len(view) // len(self.block))
        if count == 0:
            return None
        numbers = np.arange(self.made, self.made + count)
        rows = np.tile(self.block, (count, 1))
        for place, (is_client, *_) in enumerate(STEPS):
            at = int(self.starts[place])
            ticks = BEGIN + numbers * self.step_ns + place * (self.step_ns // 16)
            rows[:, at + 12 : at + 16] = (ticks >> 32).astype("<u4").view(np.uint8).reshape(-1, 4)
            rows[:, at + 16 : at + 20] = (ticks & 0xFFFFFFFF).astype("<u4").view(np.uint8).reshape(-1, 4)
            client = (0x0A000000 + numbers // 60_000 % (1 << 20)).astype(">u4").view(np.uint8).reshape(-1, 4)
            server = np.full(count, 0x0B000001, ">u4").view(np.uint8).reshape(-1, 4)
            port = (2000 + numbers % 60_000).astype(">u2").view(np.uint8).reshape(-1, 2)
            ip = at + 28 + 14
            rows[:, ip + 12 : ip + 16], rows[:, ip + 16 : ip + 20] = (client, server) if is_client else (server, client)
            rows[:, (ip + 20 if is_client else ip + 22) : (ip + 22 if is_client else ip + 24)] = port
        view[: rows.size] = rows.reshape(-1)
        self.made += count
        self.left -= count
        return int(rows.size)

    def stop(self) -> None:
        """No more."""
        self.left = 0

    def close(self) -> None:
        """Nothing to give back."""


def resident_mb() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def main() -> None:
    """Run, print, plot."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--connections-per-second", type=int, default=200)
    parser.add_argument("--plot", default="")
    told = parser.parse_args()
    options = Options()
    pipeline = Pipeline(options)
    inventor = Inventor(told.hours, told.connections_per_second)
    feed = inventor.feed = Feed(inventor, LiveOptions(("lo",)))
    samples: list[tuple[float, float, int]] = []
    began, ended = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        outputs = Outputs(("csv",), Path(folder), 0, dict)
        feed.start()
        with LiveSource(feed, "invented", pipeline.memory, options.limits) as source:
            for tables in pipeline.read(source):
                if tables:
                    outputs.write(tables)
                    ended += tables["connections"].num_rows
                minutes = (pipeline.now_ns - BEGIN) / 60e9
                if minutes >= 0 and (not samples or minutes >= samples[-1][0] + 1):
                    samples.append((minutes, resident_mb(), pipeline.in_flight(0)[0].total))
        outputs.close()
    print(f"{ended:,} connections, {pipeline.quality.packets:,} packets, {pipeline.undissected:,} only counted, ", end="")
    print(f"{told.hours:g} h of capture time in {time.monotonic() - began:.0f} s")
    print("minutes  resident MB  in flight")
    for minutes, size, flights in samples[:: max(1, len(samples) // 12)]:
        print(f"{minutes:7.1f}  {size:11.1f}  {flights:9,}")
    if told.plot:
        import matplotlib as mpl

        mpl.use("svg")
        from matplotlib import pyplot as plt

        figure, axes = plt.subplots(figsize=(7, 3))
        axes.plot([minutes for minutes, _, _ in samples], [size for _, size, _ in samples])
        axes.set(xlabel="capture time, minutes", ylabel="resident memory, MB", ylim=(0, None), title=f"{ended:,} connections")
        figure.savefig(told.plot, bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    main()
