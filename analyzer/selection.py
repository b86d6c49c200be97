"""The packets of chosen connections: which connection a user means, and its PACKET rows out of a second pass over the captures.

Nothing of a packet is kept by an analysis, so what needs packets (a plot, a slice, the bytes of a stream) reads the captures again,
through the stages up to connections/ only. Connections have the same numbers in every pass (rank by first packet).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from analyzer.batch import Batch
from analyzer.capture import Source, open_captures
from analyzer.connections import Tracker
from analyzer.errors import UsageError
from analyzer.memory import Memory
from analyzer.options import Options
from analyzer.packets import Decoder
from analyzer.pipeline import Pipeline
from analyzer.tables import Ints, Rows, take_rows
from analyzer.tables.packets import INNER

MOST_NAMED = 8  # connections that a message names


class Selected(NamedTuple):
    """Packets of the chosen connections out of one batch.

    Attributes:
        batch: it is valid until the next one is asked for; ``packets`` point into its memory.
        packets: (p,) PACKET rows, a copy.
        numbers: (p,) number of the connection of each.
        originators: (p,) which sender is the originator of its connection, as far as is known by the end of the batch.
    """

    batch: Batch
    packets: Rows
    numbers: Ints
    originators: Ints


class Tracked(NamedTuple):
    """A batch after the stages up to connections/, valid until the next is asked for."""

    source: Source
    batch: Batch
    tracker: Tracker
    over: Ints  # rows of connections that are over, released before the next batch


def track_captures(captures: Sequence[str], options: Options) -> Iterator[Tracked]:
    """All batches of the captures with their connections, in bounded memory; one without packets at the end, where the rest is over.

    Raises:
        CaptureError: none of the captures can be read.
    """
    limits = options.limits
    memory = Memory(limits.chunk_bytes, chunks=2, arena_bytes=limits.arena_bytes)
    decoder, tracker = Decoder(options), Tracker(options)
    with open_captures(captures, memory, limits) as source:
        last = None
        for batch in source.batches():
            decoder.decode(batch)
            tracker.track(batch)
            over = tracker.expire(batch.now_ns)
            yield Tracked(source, batch, tracker, over)
            tracker.release(over)
            last = batch
        if last is not None:
            over = tracker.expire(last.now_ns, everything=True)
            yield Tracked(source, replace(last, packets=last.packets[:0].view(np.recarray)), tracker, over)


def select_packets(captures: Sequence[str], numbers: Collection[int], options: Options) -> Iterator[Selected]:
    """The packets of connections ``numbers`` in capture order, in bounded memory; batches without any are left out.

    Raises:
        CaptureError: none of the captures can be read.
    """
    wanted = np.array(sorted(numbers), np.int64)
    for _, batch, tracker, _ in track_captures(captures, options):
        rows = batch.packets["connection"].astype(np.int64)
        owners = take_rows(tracker.connections, np.maximum(rows, 0))
        at = np.flatnonzero((rows >= 0) & np.isin(owners["number"], wanted))
        if len(at):
            yield Selected(batch, take_rows(batch.packets, at), owners["number"][at], owners["flipped"][at].astype(np.int64))


def find_owners(captures: Sequence[str], frames_of: Callable[[str], Ints], options: Options) -> Ints:
    """Numbers of the connections that some frames belong to, ascending.

    Args:
        captures: as everywhere.
        frames_of: the frames of a file by its path: their rank in it, from 1.
        options: as everywhere.

    Raises:
        CaptureError: none of the captures can be read.
    """
    found: list[Ints] = [np.zeros(0, np.int64)]
    wanted: list[Ints] = []
    seen: list[int] = []
    for source, batch, tracker, _ in track_captures(captures, options):
        if not wanted:
            wanted = [frames_of(file.facts.path) for file in source.files]
            seen = [0] * len(wanted)
        is_frame = batch.packets["marks"] & INNER == 0
        files = batch.interfaces["file"][batch.packets["interface"]]
        for file in np.unique(files).tolist():
            rows = np.flatnonzero(files == file)
            ranks = seen[file] + np.cumsum(is_frame[rows])  # what a tunnel carries has the rank of its frame
            seen[file] = int(ranks[-1])
            owners = batch.packets["connection"][rows[np.isin(ranks, wanted[file])]]
            found.append(np.unique(tracker.connections["number"][owners[owners >= 0]]))
    return np.unique(np.concatenate(found))


def find_connection(captures: Sequence[str], word: str, options: Options) -> int:
    """The number of the connection that a user means by its number, its uid, or its host when that has only one TCP connection.

    Raises:
        UsageError: none is meant, or more than one.
        CaptureError: none of the captures can be read.
    """
    if word.isdecimal():
        return int(word)
    found: list[int] = []
    for tables in Pipeline(options).run(captures):
        batch = tables["connections"]
        columns = (batch.column(name).to_pylist() for name in ("connection", "uid", "host", "transport"))
        found += [
            number for number, uid, host, transport in zip(*columns, strict=True) if word == uid or (word == host and transport == "tcp")
        ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"no connection has the uid or the host {word}. Give its number: the first column of connections.csv.")
    names = ", ".join(map(str, sorted(found)[:MOST_NAMED])) + (", ..." if len(found) > MOST_NAMED else "")
    raise UsageError(f"{len(found)} TCP connections have the host {word}: {names}. Give the number of one.")
