"""The thread that fetches packets: from the engine into the file that keeps them and into the queue of the analysis."""

from __future__ import annotations

import sys
import threading
import time

from analyzer.capture.live.engine import LEAST_ROOM, Engine, LiveOptions
from analyzer.capture.live.fifo import Fifo
from analyzer.capture.live.interfaces import is_up
from analyzer.capture.live.recorder import Recorder
from analyzer.errors import OutputError

POLL_S = 0.1
LOOK_S = 1.0
SWITCH_S = 0.0005


class Feed:
    """Runs from ``start`` to the end of the capture. ``trouble``: why it ended by itself, in one sentence; "" = it did not.

    ``caught_up_ns``: all packets seen before that time (of the machine's clock, ns) are in the queue or were.
    """

    def __init__(self, engine: Engine, options: LiveOptions, recorder: Recorder | None = None) -> None:
        self.engine = engine
        self.fifo = Fifo(options.queue_bytes)
        self.recorder = recorder
        self.caught_up_ns = 0
        self.trouble = ""
        self._ends = None if options.duration_s is None else time.monotonic() + options.duration_s
        self._is_stopped = False
        self._interfaces = options.interfaces
        self._looked = 0.0
        self._switch_s = sys.getswitchinterval()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Begin to fetch. Threads take turns faster than Python has them: what the kernel holds must not wait for the analysis."""
        sys.setswitchinterval(min(self._switch_s, SWITCH_S))
        self._thread.start()

    def stop(self) -> None:
        """End the capture; what was seen is still delivered. May be called in a signal handler."""
        self._is_stopped = True

    def close(self) -> None:
        """End everything at once; may be called twice."""
        self._is_stopped = True
        self.fifo.close()
        if self._thread.is_alive():
            self._thread.join(10)
        self.engine.close()
        sys.setswitchinterval(self._switch_s)

    def _run(self) -> None:
        try:
            self._fetch()
        except (OutputError, OSError) as error:
            self.trouble = str(error)
        finally:
            self.trouble = self.trouble or self.engine.trouble  # what was noticed first
            if self.recorder is not None:
                self.recorder.close()
            self.fifo.close()

    def _look_after_interfaces(self) -> None:
        """End the capture when an interface has been switched off: not every engine says so."""
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        down = [name for name in self._interfaces if not is_up(name)]
        if down and not self.trouble:
            self.trouble = f"{down[0]} is down, or gone."
            self.stop()

    def _fetch(self) -> None:
        """Fetch until the engine has no more."""
        is_told = False
        while True:
            if not is_told and (self._is_stopped or (self._ends is not None and time.monotonic() >= self._ends)):
                is_told = True
                self.engine.stop()
            room = self.fifo.room(LEAST_ROOM)
            if not len(room):
                return
            asked_ns = time.time_ns()
            got = self.engine.read(room, POLL_S)
            if got is None:
                return
            if got == 0:
                self.caught_up_ns = asked_ns - self.engine.lag_ns
                self._look_after_interfaces()
                continue
            try:
                if self.recorder is not None:
                    self.recorder.write(room[:got])
            finally:
                self.fifo.commit(got)
