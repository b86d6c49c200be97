"""A flood of half-open connections as a capture, to measure memory with.

    python tests/bench/flood.py OUT.pcap [--connections 1000000] [--seconds 100] [--answered 0.0] [--retries 0]

Every connection is one SYN from an address of its own to one server; ``--answered`` of them get a SYN+ACK that nothing follows, and each
is sent again ``--retries`` times, 1, 3, 7, ... seconds after the first.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

BEGIN_US = 1_800_000_000_000_000
PIECE = 1 << 16  # packets made at a time

# a pcap record with Ethernet, IPv4 and TCP with one option (MSS): fields of the wire in network order
RECORD = np.dtype(
    [
        ("seconds", "<u4"), ("micros", "<u4"), ("caplen", "<u4"), ("origlen", "<u4"),
        ("macs", "S12"), ("ethertype", ">u2"),
        ("version", "u1"), ("tos", "u1"), ("total", ">u2"), ("ip_id", ">u2"), ("fragment", ">u2"), ("ttl", "u1"), ("protocol", "u1"),
        ("ip_checksum", ">u2"), ("src", ">u4"), ("dst", ">u4"),
        ("src_port", ">u2"), ("dst_port", ">u2"), ("seq", ">u4"), ("ack", ">u4"), ("offset", "u1"), ("tcp_flags", "u1"),
        ("window", ">u2"), ("checksum", ">u2"), ("urgent", ">u2"), ("option", ">u2"), ("mss", ">u2"),
    ]
)  # fmt: skip
FRAME_BYTES = RECORD.itemsize - 16
SERVER, SERVER_PORT = 0x0A000001, 443


def plan(connections: int, seconds: float, answered: float, retries: int) -> npt.NDArray[Any]:
    """One row a packet in the order of time: (time in us, connection, 1 = answer)."""
    rng = np.random.default_rng(1)
    first = np.sort(rng.integers(0, max(1, int(seconds * 1e6)), connections))
    who = np.arange(connections)
    parts = [(first + ((1 << k) - 1) * 1_000_000, who, np.zeros_like(who)) for k in range(retries + 1)]
    replied = who[rng.random(connections) < answered]
    parts.append((first[replied] + 20_000, replied, np.ones_like(replied)))
    times, whose, kinds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(times, kind="stable")
    return np.stack([times[order], whose[order], kinds[order]], axis=1)


def build(rows: npt.NDArray[Any]) -> bytes:
    """The pcap records of some rows of the plan."""
    at, who, is_answer = rows[:, 0] + BEGIN_US, rows[:, 1], rows[:, 2] == 1
    out = np.zeros(len(rows), RECORD)
    out["seconds"], out["micros"] = at // 1_000_000, at % 1_000_000
    out["caplen"] = out["origlen"] = FRAME_BYTES
    out["ethertype"], out["version"], out["total"], out["ttl"], out["protocol"] = 0x0800, 0x45, FRAME_BYTES - 14, 60, 6
    mixed = (who * 2654435761 + 12345) & 0xFFFFFFFF  # a permutation: no two connections share an address
    client, port, isn = 0x10000000 + (mixed & 0x3FFFFFFF), 1024 + who * 7919 % 60000, (who * 40503 * 65537 + 99) & 0xFFFFFFFF
    out["src"], out["dst"] = np.where(is_answer, SERVER, client), np.where(is_answer, client, SERVER)
    out["src_port"], out["dst_port"] = np.where(is_answer, SERVER_PORT, port), np.where(is_answer, port, SERVER_PORT)
    out["seq"] = np.where(is_answer, isn ^ 0x5A5A5A5A, isn)
    out["ack"] = np.where(is_answer, (isn + 1) & 0xFFFFFFFF, 0)
    out["offset"], out["tcp_flags"], out["window"] = 0x60, np.where(is_answer, 0x12, 0x02), 64240
    out["option"], out["mss"] = 0x0204, 1460
    return out.tobytes()


def write_flood(path: Path, connections: int, seconds: float, answered: float = 0.0, retries: int = 0) -> None:
    """Write the capture."""
    rows = plan(connections, seconds, answered, retries)
    with path.open("wb") as file:
        file.write(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
        for at in range(0, len(rows), PIECE):
            file.write(build(rows[at : at + PIECE]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--connections", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=100.0)
    parser.add_argument("--answered", type=float, default=0.0)
    parser.add_argument("--retries", type=int, default=0)
    arguments = parser.parse_args()
    write_flood(arguments.out, arguments.connections, arguments.seconds, arguments.answered, arguments.retries)


if __name__ == "__main__":
    main()
