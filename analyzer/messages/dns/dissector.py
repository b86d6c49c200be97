"""DNS: packets and runs in, lookups out (see the kernels for the theory of each step).

Per batch ``process``: datagrams, runs of streams, then pairing in order of capture. Lookups wait in ``lookups``, ``records`` and
``text`` until their connection is flushed: ``take`` hands them over, ``release`` forgets them when the report has been built.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.batch import Batch
from analyzer.kernel import DONE, GROW_ROWS
from analyzer.memory import Memory, Text
from analyzer.messages.dns import compact_kernels, frame_kernels, kernels, pair_kernels, present_kernels, resolution_kernels
from analyzer.messages.dns.rare_records import RareRecords
from analyzer.options import SECOND, Options
from analyzer.tables import Ints, Rows, clear_rows, grow_table, new_table, take_rows
from analyzer.tables.dns import (
    DNS_MESSAGE,
    DNS_STREAM,
    LOOKUP,
    PENDING,
    RESOLUTION,
    RESOURCE_RECORD,
    SEARCH,
    TIMEOUT,
    TRUNCATION,
    UNANSWERED,
    UNREACHABLE,
)

ANSWER_WAIT_NS = 60 * SECOND  # a response later than this after the last query belongs to another one that was not captured
TIMEOUT_NS = 5 * SECOND  # a query without an answer for longer has timed out (what stub resolvers wait)
LOOKUP_BYTES = 4096  # of the memory limit for one lookup that is kept: an eighth of it goes to lookups at most
LEAST_LOOKUPS = 1 << 16

COUNTERS = (
    ("not_dns", "datagrams and streams on a DNS port that are not DNS"),
    ("gaps", "directions of DNS over TCP given up after missing bytes"),
    ("no_room", "directions of DNS over TCP given up because the budget for partial messages was used up"),
    ("incomplete", "messages over TCP whose end never came"),
    ("malformed", "messages with an error"),
    ("messages", "messages read"),
    ("orphans", "responses without a query"),
    ("shed", "messages left out because too many lookups were open"),
)


class Taken(NamedTuple):
    """Lookups that are over: LOOKUP rows whose ``first_record`` counts in ``records``; spans are in the text of Dns."""

    lookups: Rows
    records: Rows


class Dns:
    """The DNS of a capture. ``lookups[:lookups_top]`` and ``records[:records_top]`` are pending; ``connection`` -1 = already taken.

    ``answers`` has the rows of ``lookups`` that got their response in this batch, in order of capture.
    """

    def __init__(self, memory: Memory, options: Options) -> None:
        self._memory = memory
        self._limits = options.limits
        self._messages = new_table(DNS_MESSAGE, 1)
        self._parsed = 0
        self._framed = 0
        self._streams = new_table(DNS_STREAM, 2)
        self._counters: Ints = np.zeros(frame_kernels.COUNTERS, np.int64)
        self._state: Ints = np.zeros(3, np.int64)
        self._pending = new_table(PENDING, 1)
        self._heads = np.zeros(2, np.int32)
        self._dead = 0
        self._taken: Ints = np.zeros(0, np.int64)
        self._answers: Ints = np.zeros(0, np.int64)
        self.lookups = new_table(LOOKUP, 1)
        self.records = new_table(RESOURCE_RECORD, 1)
        self.records_top = 0
        self.text = Text()
        self._rare = RareRecords()
        self._truncations = new_table(TRUNCATION, resolution_kernels.TRUNCATIONS)
        self._recent = (
            new_table(RESOLUTION, resolution_kernels.RESOLUTIONS),
            new_table(SEARCH, resolution_kernels.SEARCHES),
            self._truncations,
        )
        most = max(LEAST_LOOKUPS, options.limits.memory_bytes // LOOKUP_BYTES)
        self._waits = (options.limits.dns_retry_ns, ANSWER_WAIT_NS, most)

    @property
    def lookups_top(self) -> int:
        """Rows of ``lookups`` in use."""
        return int(self._state[pair_kernels.TOP])

    @property
    def answers(self) -> Ints:
        """Rows of ``lookups`` whose response came in the last ``pair``."""
        return self._answers[: self._state[pair_kernels.ANSWERS]]

    @property
    def counts(self) -> dict[str, int]:
        """What was read and what was not, by the names of COUNTERS."""
        return {name: int(count) for (name, _), count in zip(COUNTERS, self._counters, strict=True)}

    def process(self, batch: Batch, runs: Rows, wanted: Ints, connections: Rows) -> None:
        """Read the datagrams of a batch and the runs ``wanted`` of DNS over TCP, and pair what was read."""
        self.process_packets(batch, connections)
        self.process_runs(runs, wanted, connections)
        self.pair()

    def process_packets(self, batch: Batch, connections: Rows) -> None:
        """Read the DNS messages in the datagrams of a batch."""
        self._streams = grow_table(self._streams, 2 * len(connections))
        at = 0
        while True:
            status, at, self._framed = frame_kernels.select_datagrams(
                self._memory.data, batch.packets, at, self._streams, self._messages, self._framed, self._counters
            )
            if status == DONE:
                break
            self._grow_messages(len(batch.packets) // 4)
        self._parse()

    def process_runs(self, runs: Rows, wanted: Ints, connections: Rows) -> None:
        """Read the DNS messages in the runs ``wanted`` of DNS over TCP."""
        if len(wanted) == 0:
            return
        self._streams = grow_table(self._streams, 2 * len(connections))
        data, arena = self._memory.data, self._memory.arenas[0]
        at = 0
        while True:
            status, at, self._framed = frame_kernels.frame_runs(
                data, arena, runs, wanted, at, connections, self._streams, self._messages, self._framed, self._counters
            )
            if status == DONE:
                break
            self._grow_messages(int(runs[wanted[at]].run_size) // 14 + 2)
        self._parse()

    def _grow_messages(self, more: int) -> None:
        self._messages = grow_table(self._messages, self._framed + max(more, 64))

    def _parse(self) -> None:
        """Read the messages that were framed since the last call."""
        if self._framed == self._parsed:
            return
        first, data, jumps, tried = self._parsed, self._memory.data, self._limits.dns_jumps, (-1, -1, -1)
        at, first_record = first, self.records_top
        while True:
            status, at, self.records_top, self.text.top = kernels.parse(
                data, self._messages, at, self._framed, self.records, self.records_top, self.text.data, self.text.top, jumps
            )
            if status == DONE:
                break
            tried = self._make_room(status, at, tried)
        at, record, generic, tried = first, 0, 0, (-1, -1, -1)
        while True:
            status, at, record, self.text.top, generic = present_kernels.present(
                data, self._messages, at, self._framed, self.records, record, self.text.data, self.text.top, jumps, generic
            )
            if status == DONE:
                break
            tried = self._make_room(status, record, tried)
        if generic:
            self._rare.rewrite(self.records[first_record : self.records_top].view(np.recarray), self.text)
        frame_kernels.give_blocks(data, self._memory.arenas[0], self._messages, first, self._framed, self._counters)
        self._parsed = self._framed

    def _make_room(self, status: int, at: int, tried: tuple[int, int, int]) -> tuple[int, int, int]:
        """Grow what a parse kernel asked for; raises RuntimeError when it asked the same before."""
        now = (at, len(self.records), self.text.data.size)
        if now == tried:
            raise RuntimeError("the DNS parser makes no progress")
        if status == GROW_ROWS:
            self.records = grow_table(self.records, 4 * len(self.records))
        else:
            self.text.make_room(2 * self.text.data.size - self.text.top)
        return now

    def pair(self) -> None:
        """Turn the messages read since the last call into lookups, in order of capture."""
        self._state[pair_kernels.ANSWERS] = 0
        if self._framed == 0:
            return
        if self._dead and self.lookups_top + self._framed > self._waits[2]:  # nothing is shed for rows that nobody needs
            self._compact()
        order: Ints = np.argsort(self._messages["order"][: self._framed], kind="stable")
        self._answers = np.zeros(len(order), np.int64) if len(order) > len(self._answers) else self._answers
        at = 0
        while True:
            status, at = pair_kernels.pair(
                self._messages,
                order,
                at,
                self.records,
                self.text.data,
                self.lookups,
                self._pending,
                self._heads,
                self._streams,
                self._recent,
                self._state,
                self._answers,
                self._counters,
                self._waits,
            )
            if status == DONE:
                break
            self.lookups = grow_table(self.lookups, 4 * len(self.lookups))
            self._pending = grow_table(self._pending, len(self.lookups))
            self._relink()
        self._parsed = self._framed = 0

    def _relink(self) -> None:
        """Hash chains anew, for as many rows as the table has."""
        self._heads = np.zeros(1 << len(self.lookups).bit_length(), np.int32)
        pair_kernels.relink(self.lookups, self._pending, self._heads, self.lookups_top)

    def take(self, rows: Ints, connections: Rows | None = None, now_ns: int = 0) -> Taken:
        """Hand over the lookups of flushed connection rows, ordered by (connection as given, number), repeats after what they repeat.

        Spans stay valid until ``release``. ``connections`` and ``now_ns`` tell why no answer came.
        """
        rank = np.full(max(len(self._streams) // 2, int(rows.max(initial=0)) + 1), -1, np.int64)
        rank[rows] = np.arange(len(rows))
        owner = self.lookups["connection"][: self.lookups_top].astype(np.int64)
        place = np.where(owner >= 0, rank[owner], -1)
        found = np.flatnonzero(place >= 0)
        found = found[np.argsort(place[found], kind="stable")]
        self._taken = np.concatenate([self._taken, found])
        lookups = take_rows(self.lookups, found)
        counts = lookups["records"].astype(np.int64)
        ends = np.cumsum(counts)
        index = np.repeat(lookups["first_record"] - (ends - counts), counts) + np.arange(counts.sum())
        lookups["first_record"] = ends - counts
        lookups["is_over"] = 1
        _judge_silence(lookups, connections, now_ns)
        return Taken(lookups, take_rows(self.records, index))

    def release(self, rows: Ints) -> None:
        """Forget flushed connection rows and the lookups taken from them."""
        rows = rows[2 * rows + 1 < len(self._streams)]
        frame_kernels.release_streams(self._memory.data, self._memory.arenas[0], self._streams, rows, self._counters)
        clear_rows(self._streams, np.concatenate([2 * rows, 2 * rows + 1]))
        self.lookups["connection"][self._taken] = -1
        self._dead += len(self._taken)
        self._taken = self._taken[:0]
        if 3 * self._dead > 2 * self.lookups_top:
            self._compact()

    def _compact(self) -> None:
        """Keep only the rows and the text of lookups that were not taken."""
        text, records = np.zeros(max(1 << 16, self.text.top), np.uint8), new_table(RESOURCE_RECORD, max(64, self.records_top))
        places: Ints = np.zeros(self.lookups_top + 1, np.int64)
        self._state[pair_kernels.TOP], self.records_top, self.text.top = compact_kernels.compact(
            self.lookups, self._pending, self._streams, self._truncations, self.records, records, self.text.data, text, places
        )
        self.text.data, self.records = text, records
        self._dead = 0
        self._relink()


def _judge_silence(lookups: Rows, connections: Rows | None, now_ns: int) -> None:
    """What became of lookups without an answer: the capture ended, it went on, or ICMP said that nobody is there."""
    silent = lookups["outcome"] == UNANSWERED
    if not silent.any():
        return
    lookups["outcome"][silent & (lookups["last_query_ts"] + TIMEOUT_NS <= now_ns)] = TIMEOUT
    if connections is not None:
        owners = take_rows(connections, lookups["connection"].astype(np.int64))
        told = (owners["icmp_errors"] > 0) & (owners["icmp_error_ts"] >= lookups["query_ts"])
        lookups["outcome"][silent & told] = UNREACHABLE
