"""The packets of chosen connections: which connection a user means, and its PACKET rows out of a second pass over the captures.

Nothing of a packet is kept by an analysis, so what needs packets (a plot, a slice, the bytes of a stream) reads the captures again,
through the stages up to connections/ only. Connections have the same numbers in every pass (rank by first packet).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from analyzer.batch import Batch
from analyzer.capture import open_captures
from analyzer.connections import Tracker
from analyzer.errors import UsageError
from analyzer.memory import Memory
from analyzer.options import Options
from analyzer.packets import Decoder
from analyzer.pipeline import Pipeline
from analyzer.tables import Ints, Rows, take_rows

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


def select_packets(captures: Sequence[str], numbers: Collection[int], options: Options) -> Iterator[Selected]:
    """The packets of connections ``numbers`` in capture order, in bounded memory; batches without any are left out.

    Raises:
        CaptureError: none of the captures can be read.
    """
    limits = options.limits
    memory = Memory(limits.chunk_bytes, chunks=2, arena_bytes=limits.arena_bytes)
    decoder, tracker = Decoder(options), Tracker(options)
    wanted = np.array(sorted(numbers), np.int64)
    with open_captures(captures, memory, limits) as source:
        for batch in source.batches():
            decoder.decode(batch)
            tracker.track(batch)
            rows = batch.packets["connection"].astype(np.int64)
            owners = take_rows(tracker.connections, np.maximum(rows, 0))
            at = np.flatnonzero((rows >= 0) & np.isin(owners["number"], wanted))
            if len(at):
                yield Selected(batch, take_rows(batch.packets, at), owners["number"][at], owners["flipped"][at].astype(np.int64))
            tracker.release(tracker.expire(batch.now_ns))


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
