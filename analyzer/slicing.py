"""The frames of chosen connections, with those of the DNS lookups that they came of, to a capture of their own.

Three passes over the captures: the report says which connections and lookups are meant, connections/ which frames are theirs (with ICMP
errors that quote a packet of theirs, and the fragments of their datagrams), and the last one copies these frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.capture import open_captures
from analyzer.errors import OutputError, UsageError
from analyzer.memory import Memory
from analyzer.options import Options
from analyzer.packet_files import create_file
from analyzer.pipeline import Pipeline
from analyzer.registries.ip import ICMP, ICMP6, TCP, UDP
from analyzer.report.built import is_true
from analyzer.selection import track_captures
from analyzer.tables import Ints, Rows, take_rows
from analyzer.tables.packets import ANALYSED, FRAGMENT, FROM_FRAGMENTS

_OF_CONNECTION: Final = (
    "connection",
    "uid",
    "host",
    "transport",
    "originator_ip",
    "dns_name",
    "dns_lookup",
    "dns_first_frame",
    "first_frame",
)
_OF_LOOKUP: Final = ("lookup", "connection", "id", "client_ip", "name", "query_frame", "response_frame")
_ERRORS4: Final = (3, 4, 5, 11, 12)  # types of ICMP that quote a packet
_PENDING: Final = 100_000  # datagrams whose fragments are remembered


@dataclass
class Wanted:
    """What is to be copied.

    Attributes:
        numbers: connections, with all their frames.
        lookups: connection that carried lookups -> ids and frames of those that are wanted.
    """

    numbers: list[int]
    lookups: dict[int, set[int]] = field(default_factory=dict)


def resolve(captures: Sequence[str], words: Sequence[str], options: Options, *, with_lookups: bool = True) -> Wanted:
    """Which connections are meant: by number, by uid, or all TCP connections of a host; and the lookups that they came of.

    Raises:
        UsageError: a word means none.
        CaptureError: none of the captures can be read.
    """
    chosen: list[dict[str, Any]] = []
    lookups: list[pa.RecordBatch] = []
    values = pa.array(list(words), pa.large_string())
    for tables in Pipeline(options).run(captures):
        batch = tables["connections"].select(_OF_CONNECTION)
        fits = [pc.is_in(batch[name].cast(pa.large_string()), value_set=values) for name in ("connection", "uid", "host")]
        of_host = pc.and_(fits[2], pc.equal(batch["transport"], pa.scalar("tcp", pa.large_string())))
        rows = np.flatnonzero(is_true(fits[0]) | is_true(fits[1]) | is_true(of_host))
        chosen += batch.take(pa.array(rows)).to_pylist()
        lookups.append(tables["dns"].select(_OF_LOOKUP))
    found = {str(row[name]) for row in chosen for name in ("connection", "uid", "host")}
    for word in words:
        if word not in found:
            raise UsageError(
                f"no connection has the number, the uid or the host {word}. Numbers stand in the first column of connections.csv."
            )
    wanted = Wanted(sorted({int(row["connection"]) for row in chosen}))
    if with_lookups:
        table = pa.Table.from_batches(lookups)
        for row in chosen:
            add_lookups(wanted, row, table)
    return wanted


def add_lookups(wanted: Wanted, row: dict[str, Any], lookups: pa.Table) -> None:
    """Note the lookups of the name that a connection came of, by its client, from the begin of its dns phase to its own."""
    if row["dns_lookup"] is None:
        return
    is_it = pc.equal(lookups["lookup"], row["dns_lookup"])
    if row["dns_first_frame"] is not None:
        asked = pc.and_(pc.equal(lookups["name"], row["dns_name"]), pc.equal(lookups["client_ip"], row["originator_ip"]))
        frames = pc.and_(
            pc.greater_equal(lookups["query_frame"], row["dns_first_frame"]), pc.less_equal(lookups["query_frame"], row["first_frame"])
        )
        is_it = pc.or_kleene(is_it, pc.and_kleene(asked, frames))
    for one in lookups.filter(is_it).to_pylist():
        wanted.lookups.setdefault(one["connection"], set()).add(one["id"])


class _Fragments:
    """Frames of fragments by what their datagrams have in common; the oldest are forgotten."""

    def __init__(self) -> None:
        self._frames: dict[tuple[int, ...], list[int]] = {}

    @staticmethod
    def _key(row: Any) -> tuple[int, ...]:
        return tuple(int(row[name]) for name in ("src_hi", "src_lo", "dst_hi", "dst_lo", "ip_id"))

    def add(self, rows: Rows) -> None:
        """Remember FRAGMENT rows."""
        for row in rows:
            self._frames.setdefault(self._key(row), []).append(int(row["number"]))
        while len(self._frames) > _PENDING:
            del self._frames[next(iter(self._frames))]

    def take(self, row: Any) -> list[int]:
        """The frames that came before the one that completed a datagram."""
        frames = self._frames.get(self._key(row), [])
        return [frame for frame in frames if frame <= int(row["number"])]


def key_of(row: Any) -> tuple[int, ...]:
    """What a CONNECTION row and a packet that an ICMP error quotes have in common; the lower end first."""
    ends = sorted(tuple(int(row[f"{end}_{name}"]) for name in ("hi", "lo", "port")) for end in "ab")
    return (int(row["protocol"]), *ends[0], *ends[1])


def quoted_key(data: Any, packet: Any) -> tuple[int, ...] | None:
    """The key of the TCP or UDP packet that an ICMP error quotes (RFC 792, RFC 4443 2.4); None when it quotes none."""
    at, size = int(packet["offset"]) + int(packet["payload"]), int(packet["payload_size"])
    content = data[at : at + min(size, 64)].tobytes()
    version = content[0] >> 4 if content else 0
    if version == 4:
        protocol, ports = content[9:10], content[(content[0] & 15) * 4 :][:4]
        ends = [(0, int.from_bytes(content[k : k + 4])) for k in (12, 16)]
    elif version == 6:
        protocol, ports = content[6:7], content[40:44]
        ends = [(int.from_bytes(content[k : k + 8]), int.from_bytes(content[k + 8 : k + 16])) for k in (8, 24)]
    else:
        return None
    if len(ports) < 4 or protocol[0] not in (TCP, UDP):
        return None
    both = sorted((*end, int.from_bytes(ports[2 * k : 2 * k + 2])) for k, end in enumerate(ends))
    return (protocol[0], *both[0], *both[1])


def find_errors(data: Any, packets: Rows, keys: set[tuple[int, ...]]) -> Ints:
    """Rows of ICMP errors that quote a packet of a connection with one of these keys."""
    kinds = packets["src_port"]
    is_error = ((packets["protocol"] == ICMP) & np.isin(kinds, _ERRORS4)) | ((packets["protocol"] == ICMP6) & (kinds >= 1) & (kinds <= 4))
    rows = np.flatnonzero(is_error & (packets["outcome"] == ANALYSED)).tolist() if keys else []
    return np.array([k for k in rows if quoted_key(data, packets[k]) in keys], np.int64)


def find_frames(captures: Sequence[str], wanted: Wanted, options: Options) -> Ints:
    """Numbers of the frames, ascending. Raises CaptureError when none of the captures can be read."""
    numbers = np.array(wanted.numbers, np.int64)
    carriers = np.array(sorted(set(wanted.lookups) - set(wanted.numbers)), np.int64)
    found: list[Ints] = [np.zeros(0, np.int64)]
    fragments = _Fragments()
    keys: dict[int, tuple[int, ...]] = {}
    for _, batch, tracker, over in track_captures(captures, options):
        packets = batch.packets
        fragments.add(take_rows(packets, np.flatnonzero(packets["outcome"] == FRAGMENT)))
        rows = packets["connection"].astype(np.int64)
        owners = np.where(rows >= 0, tracker.connections["number"][np.maximum(rows, 0)], -1)
        at = np.flatnonzero(np.isin(owners, numbers))
        keys |= {row: key_of(tracker.connections[row]) for row in np.unique(rows[at]).tolist()}
        errors = find_errors(batch.memory.data, packets, set(keys.values()))
        keys = {row: key for row, key in keys.items() if row not in over}
        carried = np.flatnonzero(np.isin(owners, carriers))
        is_asked = [is_of_lookup(batch.memory.data, packets[k], wanted.lookups[int(owners[k])]) for k in carried.tolist()]
        at = np.concatenate([at, errors, carried[np.array(is_asked, np.bool_)]])
        found.append(packets["number"][at])
        of_fragments = at[packets["marks"][at] & FROM_FRAGMENTS != 0].tolist()
        found += [np.array(fragments.take(packets[k]), np.int64) for k in of_fragments]
    return np.unique(np.concatenate(found))


def is_of_lookup(data: Any, packet: Any, ids: set[int]) -> bool:
    """Whether a packet of a connection that carries DNS belongs to one of these lookups: by the message id over UDP, else it does."""
    if int(packet["protocol"]) != UDP or int(packet["payload_size"]) < 2:
        return True
    at = int(packet["offset"]) + int(packet["payload"])
    return int(data[at]) << 8 | int(data[at + 1]) in ids


def copy_frames(captures: Sequence[str], frames: Ints, path: Path, options: Options) -> int:
    """Write these frames to a new capture; how many. Raises OutputError, CaptureError and, for pcap, UsageError."""
    memory = Memory(options.limits.chunk_bytes, chunks=2, arena_bytes=0)
    written = 0
    file = create_file(path)
    try:
        with open_captures(captures, memory, options.limits) as source:
            for batch in source.batches():
                packets = batch.packets
                for k in np.flatnonzero(np.isin(packets["number"], frames)).tolist():
                    row = packets[k]
                    at = int(row["offset"])
                    content = memory.data[at : at + int(row["caplen"])].tobytes()
                    file.write(content, int(row["ts"]), int(row["length"]), int(row["linktype"]))
                    written += 1
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error
    finally:
        file.close()
    return written
