"""Where reading stands: the chunk buffers, the READER row that the index kernels move, and the tables they fill.

A piece of the file is read into one chunk buffer, then into the other, in turn: what a batch points to stays valid until the
next-but-one piece is read. A record that is not whole at the end of a buffer is carried over to the front of the next, so a packet
never lies in two buffers.
"""

from __future__ import annotations

import numpy as np

from analyzer.batch import Batch
from analyzer.capture.bytesource import ByteSource, PartialReadError, fill
from analyzer.capture.facts import CaptureFacts
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.tables import NONE, Rows, grow_table, new_table
from analyzer.tables.packets import INTERFACE, PACKET, READER

MOST_RARE_BLOCKS = 1 << 16  # names, statistics and secrets of one file: each costs what a hundred packets cost
MOST_TROUBLES = 1 << 16  # sections and damaged places of one file: as above
BLOCK_HEADER_BYTES = 64  # more than any record or packet block needs beside its packet


class Cursor:
    """The state of reading files one after another; frame numbers and INTERFACE rows run on over all of them."""

    def __init__(self, memory: Memory, limits: Limits) -> None:
        if memory.chunks < 2 or memory.chunk_bytes < 1024:
            raise ValueError("capture needs two chunk buffers of at least 1 KiB")
        self.memory = memory
        self.limits = limits
        self.view = memoryview(memory.data)  # type: ignore[arg-type]
        self.packets = new_table(PACKET, limits.packets_per_batch)
        self.interfaces = new_table(INTERFACE, 4)
        self.interface_rows = 0
        self.first_interface_row = 0  # of the file
        self.reader = new_table(READER, 1)
        self.now_ns = 0
        self.facts = CaptureFacts("", "")
        self.source: ByteSource | None = None
        self.head = b""
        self.buffer = 0
        self.file_start = 0  # position in memory where the file's first byte would be
        self.file_index = -1
        self.troubles = 0

    @property
    def r(self) -> Rows:
        """The one READER row."""
        row: Rows = self.reader[0]
        return row

    def begin(self, source: ByteSource, head: bytes, facts: CaptureFacts) -> None:
        """Start a file; ``head``: bytes of it that were read already."""
        number = int(self.r.number)
        self.reader = new_table(READER, 1)
        r = self.r
        r.number = number
        # With chunks of at least four times the largest packet, neither depends on the size of a chunk.
        r.keep_bytes = min(self.limits.packet_bytes, self.memory.chunk_bytes - BLOCK_HEADER_BYTES)
        r.block_bytes = min(2 * self.limits.packet_bytes, self.memory.chunk_bytes // 2)
        r.record_bytes = self.limits.record_bytes
        r.header_bytes = 16
        r.most_rare_blocks = MOST_RARE_BLOCKS
        self.troubles = 0
        self.source, self.head, self.facts = source, head, facts
        self.file_index += 1
        self.first_interface_row = self.interface_rows
        r.first_interface = self.interface_rows
        r.position = r.end = self.file_start = self.buffer * self.memory.chunk_bytes

    @property
    def file_offset(self) -> int:
        """Offset in the file of the byte at ``r.position``."""
        return int(self.r.position) - self.file_start

    def refill(self) -> bool:
        """Carry what is left to the front of the next chunk buffer and read on; whether any byte was added.

        A read error ends the file like its end does, with a note.
        """
        r = self.r
        position, carried = int(r.position), int(r.end) - int(r.position)
        if carried == self.memory.chunk_bytes:
            raise RuntimeError("a record does not fit into a chunk although it was promised to")
        following = (self.buffer + 1) % self.memory.chunks
        start = following * self.memory.chunk_bytes
        got = self._read(start + carried, start + self.memory.chunk_bytes)
        if got == 0:
            return False
        data = self.memory.data
        data[start : start + carried] = data[position : position + carried]
        self.buffer = following
        self.file_start = start - self.file_offset
        r.position, r.end = start, start + carried + got
        return True

    def _read(self, start: int, end: int) -> int:
        """Read into ``memory[start:end]``; how many bytes."""
        if self.source is None:
            return 0
        told = len(self.head)  # at most a file header, and a chunk is larger
        self.view[start : start + told] = self.head
        self.head = b""
        return told + self._fill(self.view[start + told : end], told)

    def _fill(self, view: memoryview, before: int) -> int:
        """Read into the view; how many bytes. A read error is a note and ends the file; ``before``: bytes since ``r.end``."""
        if self.source is None:
            return 0
        try:
            return fill(self.source, view)
        except PartialReadError as error:
            offset = int(self.r.end) - self.file_start + before + error.got
            self.facts.note(f"cannot be read beyond byte {offset:,}: {error.reason}.")
            self.finish()
            return error.got

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes of the file as an object, from memory and then from the file; fewer at its end. Rare blocks only."""
        r = self.r
        held = min(size, int(r.end - r.position))
        content = bytearray(self.view[int(r.position) : int(r.position) + held])
        r.position += held
        piece = memoryview(bytearray(1 << 20))
        while len(content) < size:
            got = self._fill(piece[: min(len(piece), size - len(content))], 0)
            if got == 0:
                break
            content += piece[:got]
            self.file_start -= got
        return bytes(content)

    def finish(self) -> None:
        """Close the file; what was read of it stays in memory."""
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
        self.finish()
        return True

    def add_interface(self, linktype: int, snaplen: int, fcs_bytes: int) -> Rows:
        """A new INTERFACE row of this file, with a clock of microseconds."""
        self.interfaces = grow_table(self.interfaces, self.interface_rows + 1)
        row: Rows = self.interfaces[self.interface_rows]
        row.linktype, row.snaplen, row.fcs_bytes = linktype, snaplen, fcs_bytes
        row.resolution_exponent, row.tick_ns = 6, 1000
        row.file = self.file_index
        row.received = row.dropped = NONE
        self.interface_rows += 1
        self.r.interface_count += 1
        return row

    @property
    def file_interfaces(self) -> Rows:
        """The INTERFACE rows of this file."""
        return self.interfaces[self.first_interface_row : self.interface_rows].view(np.recarray)

    def make_batch(self) -> Batch:
        """The rows filled so far as a batch; the next rows start from the first again."""
        r = self.r
        rows = int(r.rows)
        r.rows = 0
        self.now_ns = max(self.now_ns, int(r.last_ts))
        faces = self.interfaces[: self.interface_rows].view(np.recarray)
        return Batch(self.memory, self.packets[:rows].view(np.recarray), faces, self.now_ns, int(r.number))
