"""The source of packets: capture files read one after another, as batches of PACKET rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from analyzer.batch import Batch
from analyzer.capture.cursor import Cursor
from analyzer.capture.facts import CaptureFacts, add_final_notes
from analyzer.capture.files import CaptureFile, describe_open_error, find_captures
from analyzer.capture.formats import Format, PcapFormat, PcapngFormat
from analyzer.capture.reader_kernels import NEED_BYTES, ROWS_FULL
from analyzer.memory import Memory
from analyzer.options import Limits

FORMATS: dict[str, type[PcapFormat | PcapngFormat]] = {"pcap": PcapFormat, "pcapng": PcapngFormat}


class Progress(NamedTuple):
    """How far reading is, in bytes of the files as they are on disk; ``total`` is None when a pipe is among them."""

    done: int
    total: int | None


class Source:
    """Capture files, open for one pass. ``facts`` has one entry per file: those that can be read first, in the order they are read."""

    def __init__(self, files: list[CaptureFile], failed: list[CaptureFacts], memory: Memory, limits: Limits) -> None:
        self.files = files
        self.facts = [file.facts for file in files] + failed
        self.cursor = Cursor(memory, limits)
        self.done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close all files."""
        self.cursor.finish()
        for file in self.files:
            file.close()

    @property
    def progress(self) -> Progress:
        """Bytes read so far, of how many."""
        now = self.cursor.source.bytes_read if self.cursor.source is not None else 0
        total = 0
        for file in self.files:
            if file.total is None:
                return Progress(self.done + now, None)
            total += file.total
        return Progress(self.done + now, total)

    def batches(self) -> Iterator[Batch]:
        """All packets in the order of the files. A batch's rows are valid until the next batch, its bytes until the next but one."""
        for file in self.files:
            yield from self._read(file)

    def _read(self, file: CaptureFile) -> Iterator[Batch]:
        cursor, facts = self.cursor, file.facts
        try:
            source, head = file.open()
        except OSError as error:
            facts.notes.append(describe_open_error(facts.name, error))
            return
        cursor.begin(source, head, facts)
        cursor.refill()
        form: Format = FORMATS[facts.format](cursor)
        if not form.begin():
            facts.note("changed while it was being read: it is not a capture any more.")
            cursor.finish()
            return
        while True:
            status = form.index()
            if status == ROWS_FULL:
                yield self._batch(file)
            elif status == NEED_BYTES:
                if cursor.r.rows:
                    yield self._batch(file)
                if not cursor.refill():
                    break
            else:
                form.handle(status)
        self.done += source.bytes_read
        self._end(file, form)

    def _batch(self, file: CaptureFile) -> Batch:
        batch = self.cursor.make_batch()
        file.facts.take(self.cursor.r)
        return batch

    def _end(self, file: CaptureFile, form: Format) -> None:
        """Complete the facts of a file that was read to its end."""
        cursor, facts, r = self.cursor, file.facts, self.cursor.r
        left = int(r.end) - int(r.position)
        facts.file_bytes = cursor.file_offset + left
        if left or r.skip:
            self._note_tail(facts, form, left)
        cursor.finish()
        facts.take(r)
        facts.comments += int(r.comments)
        facts.take_interfaces(cursor.file_interfaces)
        if not facts.packets:
            facts.note("holds no packets.")
        add_final_notes(facts, r, int(r.keep_bytes))

    def _note_tail(self, facts: CaptureFacts, form: Format, left: int) -> None:
        where = form.describe_tail()
        if not where:  # in the middle of what was given up before
            facts.lost_bytes += left
            return
        facts.note_tail(where, left, int(self.cursor.r.packets))


def open_captures(paths: Sequence[str], memory: Memory, limits: Limits) -> Source:
    """Look at all paths ("-" is standard input; a folder stands for its captures by name) and open a source for one pass.

    What cannot be read becomes a note in ``Source.facts`` as long as something else can. Raises CaptureError, one sentence for a user,
    when nothing can. ``memory`` must have two chunk buffers.
    """
    files, failed = find_captures(paths)
    return Source(files, failed, memory, limits)
