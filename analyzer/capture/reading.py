"""One capture file at work: opened, indexed piece by piece, and its facts completed at its end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from analyzer.capture.bytesource import ByteSource
from analyzer.capture.cursor import Cursor, Window
from analyzer.capture.facts import NO_PACKETS, CaptureFacts, add_final_notes
from analyzer.capture.files import CaptureFile, describe_open_error
from analyzer.capture.formats import Format, PcapFormat, PcapngFormat
from analyzer.capture.reader_kernels import NEED_BYTES, ROWS_FULL
from analyzer.memory import Memory
from analyzer.options import Limits
from analyzer.tables import Ints, Rows, new_table
from analyzer.tables.packets import PACKET, WITHOUT_TIME

FORMATS: dict[str, type[PcapFormat | PcapngFormat]] = {"pcap": PcapFormat, "pcapng": PcapngFormat}
STOPPED = -1  # beside the statuses of reader_kernels
PEEK_BYTES = 1 << 16
PEEK_ROWS = 64
PEEK_PIECES = 64  # runs of the index among whose packets the first with a time is looked for


class Stop(NamedTuple):
    """The first packet of a file that is not open yet: its time, and which file it is."""

    key: int
    rank: int


class Reading:
    """A file that is being read. ``faces``: rows of its interfaces in the INTERFACE table of all files.

    ``key`` is the time of its last packet that was merged, ``taken`` how many rows of the cursor's table were.
    """

    def __init__(self, file: CaptureFile, memory: Memory, limits: Limits, window: Window, packets: Rows) -> None:
        self.file = file
        self.cursor = Cursor(memory, limits, window, packets)
        self.form: Format = FORMATS[file.reads_as](self.cursor)
        self.faces: Ints = np.zeros(0, np.int64)
        self.index = 0  # of its facts
        self.key = 0
        self.taken = 0
        self.is_over = False
        self._source: ByteSource | None = None
        self._trouble = NEED_BYTES

    def begin(self) -> bool:
        """Open the file and read its header; False, with a note, when that does not work."""
        cursor, facts = self.cursor, self.file.facts
        try:
            source, head = self.file.open()
        except OSError as error:
            facts.notes.append(describe_open_error(facts.name, error))
            return False
        self._source = source
        cursor.begin(source, head, facts)
        cursor.refill()
        if not self.form.begin():
            facts.note("changed while it was being read: it is not a capture any more.")
            cursor.finish()
            return False
        return True

    def index_before(self, stop: Stop | None) -> int:
        """One run of the index kernel: its status; STOPPED when it met a packet that does not come before the stop."""
        r = self.cursor.r
        before = int(r.rows)
        status = self.form.index()
        if stop is None:
            return status
        limit = stop.key if self.file.rank > stop.rank else stop.key + 1
        if int(r.last_ts) < limit:
            return status
        late = np.flatnonzero(self.cursor.packets["ts"][before : int(r.rows)] >= limit)
        if not len(late):
            return status
        self.cursor.rewind(before + int(late[0]), self.form.index)
        return STOPPED

    def index_rows(self) -> bool:
        """Fill the table from its first row on; False when there are no more packets in the bytes that are here."""
        r = self.cursor.r
        r.rows = self.taken = 0
        while True:
            if self._trouble not in (NEED_BYTES, ROWS_FULL):
                self.form.handle(self._trouble)
            self._trouble = self.form.index()
            if r.rows:
                return True
            if self._trouble == NEED_BYTES:
                return False

    def move(self, window: Window, packets: Rows) -> None:
        """Go on in another window and table, with the first packet that was not taken."""
        if self.taken < int(self.cursor.r.rows):
            self.cursor.rewind(self.taken, self.form.index)
        elif self._trouble not in (NEED_BYTES, ROWS_FULL):
            self.form.handle(self._trouble)
        self._trouble = NEED_BYTES
        self.taken = 0
        self.cursor.move(window, packets)

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the file on disk."""
        return self._source.bytes_read if self._source is not None else 0

    def end(self) -> None:
        """Complete the facts of a file that was read to its end."""
        cursor, facts, r = self.cursor, self.file.facts, self.cursor.r
        left = int(r.end) - int(r.position)
        facts.file_bytes = cursor.file_offset + left
        if left or r.skip:
            where = self.form.describe_tail()
            if where:
                facts.note_tail(where, left, int(r.packets))
            else:  # in the middle of what was given up before
                facts.lost_bytes += left
        cursor.finish()
        self.is_over = True
        facts.take(r)
        facts.comments += int(r.comments)
        facts.take_interfaces(cursor.file_interfaces)
        add_final_notes(facts, r, int(r.keep_bytes))
        if not facts.packets and not facts.notes:
            facts.note(NO_PACKETS)


def find_first_time(file: CaptureFile, limits: Limits) -> int:
    """Time of the first packet that has one, ns; 0 when none is near the beginning, or the file can be read only once."""
    if file.source is not None:
        return 0
    memory = Memory(PEEK_BYTES, 2, 0)
    facts = CaptureFacts(file.facts.path, file.facts.name)
    facts.format = file.facts.format
    peek = CaptureFile(facts, file.total, file.reads_as, limits)
    reading = Reading(peek, memory, limits, Window((0, PEEK_BYTES), PEEK_BYTES), new_table(PACKET, PEEK_ROWS))
    first = 0
    if reading.begin():
        for _ in range(PEEK_PIECES):
            if reading.index_rows():
                rows = reading.cursor.packets[: int(reading.cursor.r.rows)]
                timed = rows["ts"][rows["marks"] & WITHOUT_TIME == 0]
                if len(timed):
                    first = int(timed[0])
                    break
            elif not reading.cursor.refill():
                break
    reading.cursor.finish()
    return first
