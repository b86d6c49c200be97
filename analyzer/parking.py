"""Idle TCP connections leave the tables of all stages and come back when they speak again.

A TCP connection is never ended for being idle, so a flood of half-open ones would fill the tables: a row of each stage is one to three
kilobytes. When more than ``Limits.hot_connections`` are open, those that have been idle longest are *parked*: their rows are gathered,
column by column, compressed together with those of their neighbours and dropped from the tables, which takes about forty bytes each. A
packet that may belong to a parked connection (its key has the same hash), or an ICMP error that quotes one, brings the rows back before
the connections of its batch are looked up. Nothing in the report tells that a connection was parked.

Parked are only connections of which nothing outside of these rows is kept: no segments above a hole, no first bytes held back, no
protocol that is dissected, no name from DNS. What waits to be flushed is told by *places*: a row of the tables, or for a parked
connection minus its id minus one; `settle` makes rows of them, a flush at a time.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from analyzer.batch import Batch
from analyzer.connections import Tracker
from analyzer.connections.kernels import rebuild
from analyzer.connections.parked_kernels import drop_parked, find_parked
from analyzer.lifecycle.attribution import Attribution
from analyzer.messages.services import Services
from analyzer.options import Limits
from analyzer.streams import Assembler
from analyzer.tables import Ints, Rows, grow_table, new_table, take_rows
from analyzer.tables.connections import WAIT, WAS_RETURNED
from analyzer.tables.packets import PACKET
from analyzer.tables.services import LAST_DISSECTED

Words = npt.NDArray[np.uint64]

TCP: Final = 6
BLOCK: Final = 1024  # connections compressed together: enough that columns repeat, few enough that one is back within a millisecond
ROOM: Final = 16  # parked connections take the room of one in the tables, by the account of --limit-memory
OPEN_BLOCKS: Final = 16  # unpacked ones kept at hand
FULLNESS: Final = 4  # a block of which only one connection in so many is left is given up: these come back, too
CODEC: Final = "zstd" if pa.Codec.is_available("zstd") else "gzip"
GONE, PARKED, OVER = 0, 1, 2  # of a connection in a block: it is back, it is found, it waits to be flushed


class Packed:
    """(n, width) words, compressed by column: those columns that are not all zero, their bytes by significance."""

    def __init__(self, words: Words) -> None:
        self._shape = words.shape
        self._columns = np.flatnonzero(words.any(axis=0))
        chosen = np.ascontiguousarray(words[:, self._columns])
        planes = chosen.view(np.uint8).reshape(len(words), len(self._columns), 8).transpose(1, 2, 0)
        self._content = pa.compress(np.ascontiguousarray(planes), CODEC, asbytes=True) if planes.size else b""

    def unpack(self) -> Words:
        """The columns that are not all zero."""
        count = self._shape[0]
        if not self._content:
            return np.zeros((count, 0), np.uint64)
        content = pa.decompress(self._content, 8 * count * len(self._columns), CODEC, asbytes=True)
        planes = np.frombuffer(content, np.uint8).reshape(-1, 8, count)
        return np.ascontiguousarray(planes.transpose(2, 0, 1)).view(np.uint64)[:, :, 0]

    def widen(self, unpacked: Words) -> Words:
        """Rows of what `unpack` gave, with all columns."""
        words = np.zeros((len(unpacked), self._shape[1]), np.uint64)
        words[:, self._columns] = unpacked
        return words


@dataclass
class Block:
    """Up to ``BLOCK`` connections in the order of their numbers, and what is asked of them while they are here."""

    rows: Packed
    waits: Packed  # WAIT rows; ``connection`` is the place in the block
    numbers: Ints
    last_ts: int  # time of the last packet of any of them, ns
    keys: npt.NDArray[np.int32]  # CONNECTION.key_hash
    is_waiting: npt.NDArray[np.bool_]  # in the middle of the handshake
    state: npt.NDArray[np.int8]  # GONE, PARKED or OVER


class Parking:
    """What is parked, and the tables that it comes from and goes back to.

    ``parked`` is the number of connections that are here and not over.
    """

    def __init__(self, limits: Limits, tracker: Tracker, assembler: Assembler, services: Services, attribution: Attribution) -> None:
        self._tracker = tracker
        self._services = services
        self._attribution = attribution
        self._assembler = assembler
        self._room = limits.open_connections
        self._most = min(limits.hot_connections, max(1, self._room // 2))
        self._block = min(BLOCK, max(1, self._most // 4))
        self._again = 0  # active connections below which looking for idle ones is in vain
        self._blocks: list[Block | None] = []
        self._open: OrderedDict[int, Words] = OrderedDict()
        self._slots: Ints = np.zeros(2, np.int64)
        self._quoted = new_table(PACKET, 1)
        self.parked = 0

    def _parts(self) -> tuple[tuple[Any, str, int], ...]:
        """The tables, and how many rows of each belong to a connection; in a block two FLOW rows follow them."""
        return (
            (self._tracker, "connections", 1),
            (self._tracker, "endpoints", 2),
            (self._assembler, "streams", 2),
            (self._assembler, "wishes", 2),
            (self._services, "table", 1),
        )

    def revive(self, batch: Batch) -> None:
        """Bring back whatever packets of the batch may speak of."""
        if self.parked:
            found = np.empty(self.parked, np.int64)
            count = find_parked(batch.memory.data, batch.packets, self._slots, self._quoted, found)
            if count:
                self._bring_back(np.sort(found[:count]))

    def park(self) -> None:
        """Park the connections idle longest, until half of ``Limits.hot_connections`` are left in the tables."""
        tracker = self._tracker
        excess = tracker.pending - self._most
        if excess <= 0 or tracker.active < self._again:
            return
        rows = self._idle()
        count = min(len(rows), excess + self._most // 2) // self._block * self._block
        self._again = 0 if count >= excess else tracker.active + tracker.active // 4
        if count == 0:
            return
        hot = tracker.connections
        rows = rows[np.lexsort((hot["number"][rows], hot["last_ts"][rows]))[:count]]
        rows = rows[np.argsort(hot["number"][rows])]
        for at in range(0, count, self._block):
            self._put_away(rows[at : at + self._block])

    def expire(self, now_ns: int, *, everything: bool = False) -> Ints:
        """Places of what is over before ``now_ns``, as `Tracker.expire`; with ``everything`` what is parked, too."""
        tracker = self._tracker
        tracker.room = self._room - self.parked // ROOM
        evicted = np.zeros(0, np.int64) if everything else self._evict(tracker.pending - tracker.room)
        rows = tracker.expire(now_ns, everything=everything)
        if not everything or not self.parked:
            return np.concatenate([rows, evicted])
        ends = tracker.connections["deadline"][rows]
        timed = int(np.count_nonzero(ends))  # they come first
        ids = self._ids()
        places = np.concatenate([rows[timed:], -ids - 1])
        numbers = np.concatenate([tracker.connections["number"][rows[timed:]], self._column(ids, "numbers")])
        self._forget_all()
        return np.concatenate([rows[:timed], places[np.argsort(numbers)]])

    def settle(self, places: Ints) -> Ints:
        """Rows of the tables for ``places``: what was parked is brought back and ended."""
        is_parked = places < 0
        if not is_parked.any():
            return places
        rows = places.copy()
        ids = -places[is_parked] - 1
        order = np.argsort(ids)
        back = np.empty(len(ids), np.int64)
        back[order] = self._take(ids[order])
        self._tracker.end(back)
        rows[is_parked] = back
        return rows

    def _idle(self) -> Ints:
        """Rows of connections that can be parked."""
        hot = self._tracker.connections[: self._tracker.used]
        rows = np.flatnonzero(
            (hot["protocol"] == TCP) & (hot["deadline"] == 0) & (hot["number"] > 0) & (hot["marks"] & WAS_RETURNED == 0),
        )
        services, streams = take_rows(self._services.table, rows), self._assembler.streams
        is_plain = (services["protocol"] == 0) | (services["protocol"] > LAST_DISSECTED)
        is_plain &= (services["outer"] == 0) & (services["first_held"] == 0)
        is_plain &= take_rows(self._attribution.table, rows)["basis"] == 0
        for side in range(2):
            inside = 2 * rows + side < len(streams)
            is_plain[inside] &= streams["blocks"][2 * rows[inside] + side] == 0
        idle: Ints = rows[is_plain]
        return idle

    def _put_away(self, rows: Ints) -> None:
        """Make a block of connections, in order of their numbers, and clear their rows."""
        tracker, count = self._tracker, len(rows)
        parts = [_words(take_rows(getattr(owner, name), _places(rows, each)), count) for owner, name, each in self._parts()]
        hot = take_rows(tracker.connections, rows)
        flows = take_rows(tracker.flows, _places(hot["flow"].astype(np.int64), 2))
        block = Block(
            rows=Packed(np.concatenate([*parts, _words(flows, count)], axis=1)),
            waits=Packed(_words(waits := tracker.detach(rows), len(waits))),
            numbers=hot["number"].copy(),
            last_ts=int(hot["last_ts"].max()),
            keys=hot["key_hash"].astype(np.int32),
            is_waiting=(hot["syn_ts"] != 0) & ((hot["synack_ts"] == 0) | (hot["ack_ts"] == 0)),
            state=np.full(count, PARKED, np.int8),
        )
        at = self._blocks.index(None) if None in self._blocks else len(self._blocks)
        self._blocks[at : at + 1] = [block]
        self._assembler.release(rows[2 * rows + 1 < len(self._assembler.streams)])
        self._services.release(rows[rows < len(self._services.table)])
        self.parked += count
        self._enter(hot["key_hash"], at * BLOCK + np.arange(count))

    def _enter(self, keys: Ints, ids: Ints) -> None:
        """Make ids known by the hashes of their keys."""
        if 3 * self.parked > 2 * len(self._slots):
            larger = np.zeros(1 << (3 * self.parked // 2).bit_length(), np.int64)
            rebuild(self._slots, larger)
            self._slots = larger
        rebuild(keys << 32 | (ids + 1), self._slots)

    def _bring_back(self, ids: Ints) -> None:
        """Fill rows with what ids (ascending, not in the slots any more) had, and with the rest of a block that is nearly empty."""
        self.parked -= len(ids)
        blocks, more = ids // BLOCK, []
        for at in np.unique(blocks).tolist():
            block = self._block_at(at)
            left = block.state == PARKED
            left[ids[blocks == at] % BLOCK] = False
            if 0 < np.count_nonzero(left) < len(left) // FULLNESS:
                more.append(at * BLOCK + np.flatnonzero(left))
        if more:
            rest = np.concatenate(more)
            self._leave(rest)
            ids = np.sort(np.concatenate([ids, rest]))
        self._take(ids)

    def _leave(self, ids: Ints) -> None:
        """Take ids (ascending) out of the slots."""
        drop_parked(self._slots, self._column(ids, "keys"), ids)
        self.parked -= len(ids)

    def _take(self, ids: Ints) -> Ints:
        """New rows for ids (ascending), filled with what they had; the rows."""
        rows = self._tracker.attach(len(ids))
        blocks = ids // BLOCK
        starts = np.flatnonzero(np.diff(blocks, prepend=-1))
        for first, last in zip(starts.tolist(), [*starts[1:].tolist(), len(ids)], strict=True):
            at = int(blocks[first])
            self._fill(at, ids[first:last] % BLOCK, rows[first:last])
        return rows

    def _fill(self, at: int, chosen: Ints, rows: Ints) -> None:
        """Write the connections ``chosen`` of a block into rows that are zero."""
        block, tracker = self._block_at(at), self._tracker
        words, position = block.rows.widen(self._unpacked(at)[chosen]), 0
        for owner, name, each in self._parts():
            table = getattr(owner, name)
            width = each * table.dtype.itemsize // 8
            part = words[:, position : position + width]
            position += width
            if part.any():
                table = grow_table(table, each * tracker.capacity)
                setattr(owner, name, table)
                _fill_rows(table, _places(rows, each), part)
        waits: Rows = block.waits.widen(block.waits.unpack()).view(WAIT).ravel().view(np.recarray)
        waits = take_rows(waits, np.flatnonzero(np.isin(waits["connection"], chosen)))
        places = np.zeros(len(block.state), np.int64)
        places[chosen] = rows
        waits["connection"] = places[waits["connection"]]
        tracker.admit(rows, words[:, position:], waits)
        block.state[chosen] = GONE
        if not block.state.any():
            self._blocks[at] = None
            self._open.pop(at, None)

    def _unpacked(self, at: int) -> Words:
        """What the rows of a block hold; that of the latest blocks is kept at hand."""
        if at in self._open:
            self._open.move_to_end(at)
            return self._open[at]
        words = self._block_at(at).rows.unpack()
        self._open[at] = words
        if len(self._open) > OPEN_BLOCKS:
            self._open.popitem(last=False)
        return words

    def _block_at(self, at: int) -> Block:
        block = self._blocks[at]
        if block is None:
            raise RuntimeError("a connection was parked and is nowhere")
        return block

    def _ids(self) -> Ints:
        """What is parked and not over."""
        ids: Ints = np.sort((self._slots[self._slots != 0] & 0xFFFFFFFF) - 1)
        return ids

    def _column(self, ids: Ints, name: str) -> Ints:
        """``numbers`` or ``keys`` of ids (ascending)."""
        blocks = np.unique(ids // BLOCK).tolist()
        parts = [
            getattr(self._block_at(at), name)[ids[slice(*np.searchsorted(ids, (at * BLOCK, (at + 1) * BLOCK)))] % BLOCK] for at in blocks
        ]
        column: Ints = np.concatenate([np.zeros(0, np.int64), *parts])
        return column

    def _evict(self, excess: int) -> Ints:
        """End parked connections, those idle longest first, when more are open than fit in memory; an eighth more than must be."""
        if excess <= 0 or not self.parked:
            return np.zeros(0, np.int64)
        wanted = min(ROOM * excess + self.parked // 8, self.parked)
        blocks = [(block.last_ts, at) for at, block in enumerate(self._blocks) if block is not None]
        chosen: list[Ints] = []
        for _, at in sorted(blocks):
            block = self._block_at(at)
            chosen.append(at * BLOCK + np.flatnonzero(block.state == PARKED)[:wanted])
            block.state[chosen[-1] % BLOCK] = OVER
            wanted -= len(chosen[-1])
        ids = np.concatenate(chosen)
        self._leave(np.sort(ids))
        self._tracker.evicted += len(ids)
        self._tracker.room = self._room - self.parked // ROOM
        return -ids - 1

    @property
    def waiting(self) -> int:
        """Those of ``parked`` that are in the middle of the handshake."""
        return sum(int(np.count_nonzero(block.is_waiting & (block.state == PARKED))) for block in self._blocks if block is not None)

    def _forget_all(self) -> None:
        """Nothing is found any more: all that is parked is over."""
        self.parked = 0
        self._slots = np.zeros(2, np.int64)


def _places(rows: Ints, each: int) -> Ints:
    """The rows of a table that has ``each`` for every connection."""
    places: Ints = (each * rows[:, None] + np.arange(each)).ravel()
    return places


def _words(table: Rows, count: int) -> Words:
    """Rows as (count, words)."""
    return table.view(np.ndarray).view(np.uint64).reshape(count, -1 if count else table.dtype.itemsize // 8)


def _fill_rows(table: Rows, rows: Ints, words: Words) -> None:
    """Write rows, given as words."""
    table.view(np.ndarray).view(np.uint64).reshape(len(table), -1)[rows] = words.reshape(len(rows), -1)
