"""Where reading of one file stands: its window of memory, the READER row that the index kernels move, and the tables they fill.

A piece of the file is read into one half of the window, then into the other, in turn: what a batch points to stays valid until the
next piece is read. A record that is not whole at the end of a half is carried over to the front of the other, so a packet
never lies in two. With a thread to read ahead, the half that is not in use is filled meanwhile, from so far on that what is carried over
fits before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analyzer.capture.bytesource import ByteSource, PartialReadError, fill
from analyzer.capture.facts import CaptureFacts
from analyzer.capture.reader_kernels import LATEST_NS
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.tables import NONE, Rows, grow_table, new_table
from analyzer.tables.packets import INTERFACE, READER

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

MOST_RARE_BLOCKS = 1 << 16  # names, statistics and secrets of one file: each costs what a hundred packets cost
MOST_TROUBLES = 1 << 16  # sections and damaged places of one file: as above
SMALLEST_WINDOW = 1024
BLOCK_HEADER_BYTES = 64  # more than any record or packet block needs beside its packet


@dataclass(frozen=True)
class Window:
    """Where in memory a file is read: two pieces of ``size`` bytes that begin at ``starts``, filled in turn."""

    starts: tuple[int, int]
    size: int


def whole_window(memory: Memory) -> Window:
    """The two chunk buffers, for one file that is read alone."""
    if memory.chunks != 2 or memory.chunk_bytes < SMALLEST_WINDOW:
        raise ValueError("capture needs two chunk buffers of at least 1 KiB")
    return Window((0, memory.chunk_bytes), memory.chunk_bytes)


def share_window(memory: Memory, share: int, shares: int) -> Window:
    """One of ``shares`` equal parts of both chunk buffers, for files that are read side by side."""
    size = memory.chunk_bytes // shares
    return Window((share * size, memory.chunk_bytes + share * size), size)


class Cursor:
    """The state of reading one file: its window, its INTERFACE rows, and the table that its rows are filled into.

    ``number``: frames before its first. Its own INTERFACE rows count from 0. ``ahead``: where the next piece is read ahead.
    """

    def __init__(self, memory: Memory, limits: Limits, window: Window, packets: Rows) -> None:
        self.memory = memory
        self.limits = limits
        self.view = memoryview(memory.data)  # type: ignore[arg-type]
        self.packets = packets
        self.interfaces = new_table(INTERFACE, 4)
        self.interface_rows = 0
        self.reader = new_table(READER, 1)
        self.facts = CaptureFacts("", "")
        self.source: ByteSource | None = None
        self.head = memoryview(b"")
        self.ahead: Executor | None = None
        self._coming: Future[int] | None = None
        self.buffer = 0
        self.file_start = 0  # position in memory where the file's first byte would be
        self.troubles = 0
        self.saved: tuple[Rows, Rows] = (self.reader, self.interfaces)
        r = self.r
        r.record_bytes = limits.record_bytes
        r.header_bytes = 16
        r.most_rare_blocks = MOST_RARE_BLOCKS
        self._use(window)

    def _use(self, window: Window) -> None:
        self.window = window
        r = self.r
        # With windows of at least four times the largest packet, neither depends on the size of a window.
        r.keep_bytes = min(self.limits.packet_bytes, window.size - BLOCK_HEADER_BYTES)
        r.block_bytes = min(2 * self.limits.packet_bytes, window.size // 2)

    @property
    def r(self) -> Rows:
        """The one READER row."""
        row: Rows = self.reader[0]
        return row

    def begin(self, source: ByteSource, head: bytes, facts: CaptureFacts) -> None:
        """Start the file; ``head``: bytes of it that were read already."""
        self.source, self.head, self.facts = source, memoryview(head), facts
        r = self.r
        r.position = r.end = self.file_start = self.window.starts[self.buffer]

    def move(self, window: Window, packets: Rows) -> None:
        """Go on in another window and table. What is not read of the old window is kept aside and read first."""
        self._settle()
        r = self.r
        offset = self.file_offset
        self.head = memoryview(bytes(self.view[int(r.position) : int(r.end)]) + bytes(self.head))
        self._use(window)
        self.packets = packets
        self.buffer = 0
        r.rows = 0
        r.position = r.end = window.starts[0]
        self.file_start = int(r.position) - offset

    def save(self) -> None:
        """Remember where reading stands: done by a format before each run of its index kernel."""
        self.saved = self.reader.copy(), self.file_interfaces.copy()

    def rewind(self, rows: int, index: Callable[[], int]) -> None:
        """Undo the last run of ``index`` from row ``rows`` on: it runs again from where it began, with no room for more rows."""
        saved_reader, saved_interfaces = self.saved
        if rows == int(self.r.rows):
            return
        self.reader[:] = saved_reader
        self.interfaces[: self.interface_rows] = saved_interfaces
        packets = self.packets
        self.packets = packets[:rows].view(np.recarray)
        index()
        self.packets = packets

    @property
    def file_offset(self) -> int:
        """Offset in the file of the byte at ``r.position``."""
        return int(self.r.position) - self.file_start

    def refill(self) -> bool:
        """Carry what is left to the front of the next chunk buffer and read on; whether any byte was added.

        A read error ends the file like its end does, with a note.
        """
        r, window = self.r, self.window
        position, carried = int(r.position), int(r.end) - int(r.position)
        if carried == window.size:
            raise RuntimeError("a record does not fit into a window although it was promised to")
        start, got = self._next_piece(carried)
        if got == 0:
            return False
        data = self.memory.data
        data[start : start + carried] = data[position : position + carried]
        self.buffer = 1 - self.buffer
        self.file_start = start - self.file_offset
        r.position, r.end = start, start + carried + got
        if self.ahead is not None and self.source is not None and not self.head:
            self._coming = self.ahead.submit(fill, self.source, self._half_ahead())
        return True

    def _half_ahead(self) -> memoryview:
        """The half that is not in use but for the front, where what is carried over goes."""
        start, size = self.window.starts[1 - self.buffer], self.window.size
        return self.view[start + int(self.r.block_bytes) : start + size]

    def _next_piece(self, carried: int) -> tuple[int, int]:
        """Read into the half that is not in use: where what is carried over goes, and how many bytes follow it."""
        start = self.window.starts[1 - self.buffer]
        if self._coming is None or carried > self.r.block_bytes:
            self._settle()
            return start, self._fill(self.view[start + carried : start + self.window.size])
        return start + int(self.r.block_bytes) - carried, self._arrived()

    def _arrived(self) -> int:
        """How many bytes were read ahead, 0 when nothing is being read."""
        coming, self._coming = self._coming, None
        return 0 if coming is None else self._counted(coming.result, 0)

    def _settle(self) -> None:
        """Keep aside what was read ahead, to be read first."""
        got = self._arrived()
        if got:
            self.head = memoryview(bytes(self._half_ahead()[:got]))

    def _fill(self, view: memoryview) -> int:
        """Read into the view, first what was kept aside; how many bytes. A read error is a note and ends the file."""
        told = min(len(self.head), len(view))
        view[:told] = self.head[:told]
        self.head = self.head[told:]
        if self.source is None:
            return told
        source = self.source
        return told + self._counted(lambda: fill(source, view[told:]), told)

    def _counted(self, read: Callable[[], int], before: int) -> int:
        """What ``read`` answers; its error is a note about the place ``before`` bytes behind what is here, and ends the file."""
        try:
            return read()
        except PartialReadError as error:
            offset = int(self.r.end) - self.file_start + before + error.got
            self.facts.note(f"cannot be read beyond byte {offset:,}: {error.reason}.")
            self.finish()
            return error.got

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes of the file as an object, from memory and then from the file; fewer at its end. Rare blocks only."""
        self._settle()
        r = self.r
        held = min(size, int(r.end - r.position))
        content = bytearray(self.view[int(r.position) : int(r.position) + held])
        r.position += held
        piece = memoryview(bytearray(1 << 20))
        while len(content) < size:
            got = self._fill(piece[: min(len(piece), size - len(content))])
            if got == 0:
                break
            content += piece[:got]
            self.file_start -= got
        return bytes(content)

    def finish(self) -> None:
        """Close the file; what was read of it stays in memory."""
        if self._coming is not None:
            self._coming.exception()  # waits
        if self.source is not None:
            self.source.close()
            self.source = None

    def is_too_much(self) -> bool:
        """Count a section or a damaged place; beyond MOST_TROUBLES the rest of the file is left out, with a note."""
        self.troubles += 1
        if self.troubles <= MOST_TROUBLES:
            return False
        r = self.r
        rest = f"everything from byte {self.file_offset:,} on was left out"
        # not through note(), which has its own limit: this one must be seen
        self.facts.notes.append(f"{self.facts.name} has more than {MOST_TROUBLES:,} sections or damaged places: {rest}.")
        self.facts.lost_bytes += int(r.end - r.position)
        r.position, r.skip = r.end, 0
        self.head = memoryview(b"")
        self.finish()
        return True

    def add_interface(self, linktype: int, snaplen: int, fcs_bytes: int) -> Rows:
        """A new INTERFACE row of this file, with a clock of microseconds."""
        self.interfaces = grow_table(self.interfaces, self.interface_rows + 1)
        row: Rows = self.interfaces[self.interface_rows]
        row.linktype, row.snaplen, row.fcs_bytes = linktype, snaplen, fcs_bytes
        row.resolution_exponent, row.tick_ns, row.most_ticks = 6, 1000, LATEST_NS // 1000
        row.received = row.dropped = NONE
        self.interface_rows += 1
        self.r.interface_count += 1
        return row

    @property
    def file_interfaces(self) -> Rows:
        """The INTERFACE rows of this file."""
        return self.interfaces[: self.interface_rows].view(np.recarray)
