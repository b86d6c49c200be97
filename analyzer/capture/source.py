"""The source of packets: capture files as one sequence by time, in batches of PACKET rows.

Files that do not overlap in time are read one after another, each with both chunk buffers for itself. Files that do share the buffers:
each reads into a window of its own, and a kernel picks rows by time. Bytes are never copied from one to the other, and no more is in
memory than the two buffers, however many files there are. When a file begins or ends, the buffers are shared out anew.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

from analyzer.batch import Batch
from analyzer.capture.cursor import SMALLEST_WINDOW, Window, share_window, whole_window
from analyzer.capture.facts import CaptureFacts, tell_gaps
from analyzer.capture.files import CaptureFile, Follow, find_captures
from analyzer.capture.interfaces import InterfaceTable
from analyzer.capture.merge_kernels import NEXT_FILE, NOW_NS, NUMBER, ROWS, STATE_SIZE, merge_packets
from analyzer.capture.reader_kernels import LATEST_NS, NEED_BYTES, ROWS_FULL
from analyzer.capture.reading import STOPPED, Reading, Stop, find_first_time
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.tables import Ints, Rows, new_table
from analyzer.tables.packets import MERGE_INPUT, PACKET

if TYPE_CHECKING:
    from concurrent.futures import Executor

NEVER = Stop(2 * LATEST_NS - 1, 0)


class Progress(NamedTuple):
    """How far reading is, in bytes of the files as they are on disk; ``total`` is None when a pipe is among them."""

    done: int
    total: int | None


class Source:
    """Capture files, open for one pass. ``facts`` has one entry per file: those that can be read first, by the time they begin.

    ``flush_ns``: after how much capture time finished connections must leave, None: when there are many.
    """

    flush_ns: int | None = None

    def __init__(
        self, files: list[CaptureFile], failed: list[CaptureFacts], memory: Memory, limits: Limits, follow: Follow | None = None
    ) -> None:
        self.files = files
        self.facts = [file.facts for file in files] + failed
        self.memory = memory
        self.limits = limits
        self.follow = follow
        self.is_stopped = False
        self._window = whole_window(memory)
        self._most_open = max(1, min(limits.open_captures, memory.chunk_bytes // SMALLEST_WINDOW))
        self._interfaces = InterfaceTable()
        self._packets = new_table(PACKET, limits.packets_per_batch)
        self._waiting = new_table(PACKET, 0)
        self._open: list[Reading] = []
        self._ahead: Executor | None = None
        self._state = np.zeros(STATE_SIZE, np.int64)  # rows of the batch that is being filled, frames and latest time so far
        self._started = 0
        self._is_crowded = False
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def read_ahead(self) -> None:
        """From now on read the next piece of a file on another thread while this one is worked on."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - imports logging

        self._ahead = ThreadPoolExecutor(1)

    def stop(self) -> None:
        """End the waiting for a file that is still being written: what it holds by now is the capture."""
        self.is_stopped = True

    def close(self) -> None:
        """Close all files."""
        for reading in self._open:
            reading.cursor.finish()
        for file in self.files:
            file.close()
        if self._ahead is not None:
            self._ahead.shutdown()

    @property
    def progress(self) -> Progress:
        """Bytes read so far, of how many."""
        done = self._done + sum(reading.bytes_read for reading in self._open)
        totals = [file.total for file in self.files]
        return Progress(done, None if None in totals else sum(total for total in totals if total is not None))

    def batches(self) -> Iterator[Batch]:
        """All packets of all files by time; a file's own order is kept, and of equal times the file that was named first comes first.

        A batch is valid until the next.
        """
        following = deque(self.files)
        while following or self._open:
            stop = Stop(following[0].first_ts, following[0].rank) if following else None
            if stop is not None and len(self._open) == self._most_open:
                self._note_late(following[0])
                stop = None
            is_turn = not self._open
            if len(self._open) == 1:
                is_turn = yield from self._read_alone(self._open[0], stop)
            elif self._open:
                is_turn = yield from self._read_together(stop or NEVER)
            if is_turn and following:
                self._start(following.popleft())
            else:
                self._drop_finished()
        tell_gaps([file.facts for file in self.files])

    def _note_late(self, file: CaptureFile) -> None:
        if not self._is_crowded:
            self._is_crowded = True
            file.facts.note(f"and later captures overlap with {self._most_open} others, the most that are merged: packets may come late.")

    def _start(self, file: CaptureFile) -> None:
        """Open a file beside those that are open."""
        share = len(self._open)
        self._share_out(share + 1)
        window, rows = (self._window, self._packets) if share == 0 else self._part(share, share + 1)
        reading = Reading(file, self.memory, self.limits, window, rows)
        reading.index = self._started
        self._started += 1
        reading.cursor.r.number = self._state[NUMBER]
        if file.total is not None and self.follow is None:  # a pipe may have nothing for ever
            reading.cursor.ahead = self._ahead
        if reading.begin():
            self._open.append(reading)
        else:
            self._share_out(share)

    def _drop_finished(self) -> None:
        """Forget the file that has ended and give its memory to the others."""
        self._done += sum(reading.bytes_read for reading in self._open if reading.is_over)
        self._open = [reading for reading in self._open if not reading.is_over]
        self._share_out(len(self._open))

    def _share_out(self, shares: int) -> None:
        """Move what is open into windows of equal size; a file alone has everything."""
        if shares > 1 and len(self._waiting) < max(shares, len(self._packets)):
            self._waiting = new_table(PACKET, max(shares, len(self._packets)))
        for share, reading in enumerate(self._open):
            window, rows = (self._window, self._packets) if shares == 1 else self._part(share, shares)
            reading.move(window, rows)
            reading.cursor.r.number = self._state[NUMBER]

    def _part(self, share: int, shares: int) -> tuple[Window, Rows]:
        """The window and the table of one of several files."""
        size = len(self._waiting) // shares
        return share_window(self.memory, share, shares), self._waiting[share * size : (share + 1) * size].view(np.recarray)

    def _read_alone(self, reading: Reading, stop: Stop | None) -> Generator[Batch, None, bool]:
        """Read the only open file to its end, or up to where the next begins (then True)."""
        cursor = reading.cursor
        r = cursor.r
        while True:
            status = reading.index_before(stop)
            if r.rows and status in (ROWS_FULL, NEED_BYTES, STOPPED):
                yield self._batch_alone(reading)
            if status == STOPPED:
                return True
            if status == NEED_BYTES:
                if not cursor.refill() and not self._wait(reading):
                    reading.end()
                    return False
            elif status != ROWS_FULL:
                reading.form.handle(status)

    def _wait(self, reading: Reading) -> bool:
        """Wait for more bytes of a file that is still being written; False when there will be none."""
        if self.follow is None:
            return False
        idle = 0.0
        while not self.is_stopped and (self.follow.idle_seconds is None or idle < self.follow.idle_seconds):
            time.sleep(self.follow.poll_seconds)
            idle += self.follow.poll_seconds
            if reading.cursor.refill():
                return True
        return False

    def _batch_alone(self, reading: Reading) -> Batch:
        """The rows of the only open file as a batch."""
        r = reading.cursor.r
        rows = int(r.rows)
        r.rows = 0
        self._state[NUMBER] = r.number
        self._state[NOW_NS] = max(int(self._state[NOW_NS]), int(r.last_ts))
        batch = self._batch(rows)
        if reading.faces[-1] + 1 != len(reading.faces):  # its interfaces have other numbers in the table of all files
            batch.packets["interface"] = reading.faces[batch.packets["interface"]]
        return batch

    def _read_together(self, stop: Stop) -> Generator[Batch, None, bool]:
        """Merge the open files until one of them ends, or up to where the next begins (then True)."""
        inputs = new_table(MERGE_INPUT, len(self._open))
        for each, reading in zip(inputs, self._open, strict=True):
            each.rank, each.key = reading.file.rank, reading.key
        faces = self._number_faces(inputs)
        while True:
            status = int(merge_packets(inputs, self._waiting, self._packets, faces, self._state, *stop))
            if status >= 0 and self._index_more(inputs, status):
                if len(self._open[status].faces) < self._open[status].cursor.interface_rows:
                    faces = self._number_faces(inputs)
                continue
            if self._state[ROWS]:
                yield self._batch(int(self._state[ROWS]))
                self._state[ROWS] = 0
            is_over = status >= 0 and not self._open[status].cursor.refill()
            if status == NEXT_FILE or is_over:
                for share, reading in enumerate(self._open):
                    reading.key = int(inputs[share].key)
                    reading.taken = int(inputs[share].next) - self._first_row(share)
                if is_over:
                    self._open[status].end()
                return not is_over

    def _index_more(self, inputs: Rows, share: int) -> bool:
        """Index further packets of one file; False when it has none in the bytes that are here."""
        reading = self._open[share]
        has_more = reading.index_rows()
        first = self._first_row(share)
        inputs[share].next = first
        inputs[share].end = first + int(reading.cursor.r.rows)
        return has_more

    def _first_row(self, share: int) -> int:
        """Where the rows of one of the open files begin among those that wait."""
        return share * (len(self._waiting) // len(self._open))

    def _number_faces(self, inputs: Rows) -> Ints:
        """The INTERFACE rows of all open files, one file after the other."""
        self._publish()
        at = 0
        for each, reading in zip(inputs, self._open, strict=True):
            each.first_face = at
            at += len(reading.faces)
        return np.concatenate([reading.faces for reading in self._open])

    def _publish(self) -> None:
        for reading in self._open:
            reading.faces = self._interfaces.publish(reading.cursor, reading.faces, reading.index)

    def _batch(self, rows: int) -> Batch:
        """The first rows as a batch, with the interfaces as they are now."""
        self._publish()
        for reading in self._open:
            reading.file.facts.take(reading.cursor.r)
        packets = self._packets[:rows].view(np.recarray)
        return Batch(self.memory, packets, self._interfaces.rows, int(self._state[NOW_NS]), int(self._state[NUMBER]))


def open_captures(paths: Sequence[str], memory: Memory, limits: Limits, follow: Follow | None = None) -> Source:
    """Look at all paths and open a source for one pass; ``memory`` must have two chunk buffers.

    A path is a file, a folder (its captures), a glob, a URL (where fsspec is installed) or "-" for standard input. What cannot be read
    becomes a note in ``Source.facts`` as long as something else can. With ``follow`` the one path is read on while it is being written.

    Raises:
        CaptureError: one sentence for a user, when nothing can be read.
        UsageError: several captures cannot be followed.
    """
    files, failed = find_captures(paths, limits, follow)
    if len(files) > 1:
        for file in files:
            file.first_ts = find_first_time(file, limits)
        files.sort(key=lambda file: (file.first_ts, file.rank))
    return Source(files, failed, memory, limits, follow)
