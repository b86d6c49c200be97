"""A live capture as a source of packets: the same reader, batches without packets where time passes and nothing comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analyzer.batch import Batch
from analyzer.capture.facts import CaptureFacts
from analyzer.capture.files import CaptureFile
from analyzer.capture.live.feed import Feed
from analyzer.capture.reader_kernels import NEED_BYTES, ROWS_FULL
from analyzer.capture.reading import Reading
from analyzer.capture.source import Source
from analyzer.memory import Memory
from analyzer.options import Limits

FLUSH_NS = 1_000_000_000  # finished connections leave after so much capture time at the latest
LEAST_BYTES = 1 << 20  # so many are worth a batch at once ...
PATIENCE_S = 0.1  # ... and what there is after so long
OVERLOAD = 0.5  # share of the queue from which packets are only counted ...
RELIEF = 0.1  # ... until it has gone down to this


class FeedBytes:
    """The queue as bytes of a file: 0 bytes means that there are none now."""

    compression = ""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.bytes_read = 0

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view with what is there."""
        got = self._feed.fifo.readinto(view)
        self.bytes_read += got
        return got

    def close(self) -> None:
        """The feed is closed by the source."""


class LiveSource(Source):
    """Packets as a feed brings them. Its one "file" is named after the interfaces."""

    flush_ns = FLUSH_NS

    def __init__(self, feed: Feed, name: str, memory: Memory, limits: Limits) -> None:
        facts = CaptureFacts(name, name, format="pcapng")
        file = CaptureFile(facts, None, "pcapng", limits, FeedBytes(feed))
        super().__init__([file], [], memory, limits)
        self.feed = feed
        self.is_overloaded = False

    def stop(self) -> None:
        """End the capture: what was seen until now is still delivered."""
        super().stop()
        self.feed.stop()

    def close(self) -> None:
        """End the capture at once."""
        self.feed.close()
        super().close()

    def batches(self) -> Iterator[Batch]:
        """All packets in the order in which they came; batches without packets tell that time has passed."""
        while not self.feed.fifo.held and not self.feed.fifo.is_closed:
            self.feed.fifo.wait(1, PATIENCE_S)
        if self.feed.fifo.held:
            self._start(self.files[0])
        if not self._open:
            self._note_end()
            return
        (reading,) = self._open
        cursor = reading.cursor
        while True:
            status = reading.index_before(None)
            if cursor.r.rows and status in (ROWS_FULL, NEED_BYTES):
                yield self._weighed(self._batch_alone(reading))
            if status not in (ROWS_FULL, NEED_BYTES):
                reading.form.handle(status)
            elif status == NEED_BYTES:
                is_last = self.feed.fifo.is_closed
                self.feed.fifo.wait(LEAST_BYTES, PATIENCE_S)
                caught_up_ns = self.feed.caught_up_ns  # before the look into the queue: what came until then is taken by it
                if cursor.refill():
                    continue
                if is_last:
                    break
                if cursor.r.position == cursor.r.end and cursor.interface_rows:
                    yield self._tick(reading, caught_up_ns)
        reading.end()
        self._note_end()
        self._drop_finished()

    def _note_end(self) -> None:
        """Why the capture ended by itself, if it did."""
        if self.feed.trouble:
            self.files[0].facts.note(f"ended by itself: {self.feed.trouble}")

    def _weighed(self, batch: Batch) -> Batch:
        """The batch, told whether there is time to dissect it."""
        fill = self.feed.fifo.held / self.feed.fifo.capacity
        self.is_overloaded = fill > (RELIEF if self.is_overloaded else OVERLOAD)
        return replace(batch, is_dissected=False) if self.is_overloaded else batch

    def _tick(self, reading: Reading, now_ns: int) -> Batch:
        """A batch without packets: nothing that was seen before ``now_ns`` will come any more."""
        batch = self._batch_alone(reading)
        return replace(batch, now_ns=max(batch.now_ns, now_ns))
