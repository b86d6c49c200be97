"""Capture through dumpcap, Wireshark's small privileged helper: it opens the interface, we never have rights.

dumpcap removes a file that it is told to write when the capture cannot begin, so it never gets a path: it writes to a pipe.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import stat
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

from analyzer.capture.live.engine import LiveOptions
from analyzer.errors import CaptureError

PIPE_BYTES = 1 << 20  # what an unprivileged user may ask for
START_S = 20.0  # dumpcap answers within tens of milliseconds, but machines may be busy
LAG_NS = 2_000_000_000  # it looks at the kernel's buffer four times a second
KILL_S = 5.0
_F_SETPIPE_SZ = 1031
_NOISE = re.compile(r"^(Capturing on|File:|Packets captured|Packets received/dropped|Running as user|\*\* )")


def find_dumpcap() -> str | None:
    """Where dumpcap is, by pyshark's own search (its configuration file, then PATH); None where it is not."""
    try:
        from pyshark.tshark.tshark import TSharkNotFoundException, get_process_path  # noqa: PLC0415 - slow, and optional
    except ImportError:
        return None
    try:
        path: str = get_process_path(process_name="dumpcap")
    except TSharkNotFoundException:
        beside = [Path("/usr/bin/dumpcap"), Path("/usr/sbin/dumpcap"), Path("/usr/local/bin/dumpcap")]
        return next((str(place) for place in beside if place.exists()), None)
    return path


def has_file_rights(path: str) -> bool:
    """Whether the file itself gives the right to capture: capabilities or the set-user-ID bit of root."""
    try:
        status = Path(path).stat()
        if status.st_mode & stat.S_ISUID and status.st_uid == 0:
            return True
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False


def build_command(path: str, options: LiveOptions) -> list[str]:
    """The command line of a capture to standard output. Options before the first interface hold for all."""
    words = [path, "-q", "-n", "-s", str(options.snaplen), "-B", str(max(1, options.buffer_bytes >> 20))]
    if not options.promiscuous:
        words.append("-p")
    if options.bpf:
        words += ["-f", options.bpf]
    if options.packets is not None:
        words += ["-c", str(options.packets)]
    for name in options.interfaces:
        words += ["-i", name]
    return [*words, "-w", "-"]


class Dumpcap:
    """A running dumpcap. ``before``: what its process does before it becomes dumpcap (see privileges).

    Raises:
        CaptureError: it cannot capture; the text is what dumpcap says, in one sentence.
    """

    name = "dumpcap"
    lag_ns = LAG_NS
    dropped: int | None = None

    def __init__(self, path: str, options: LiveOptions, before: Callable[[], None] | None = None) -> None:
        self.trouble = ""
        self._is_stopped = False
        self._ends_itself = options.packets is not None
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the capture
        self._process = subprocess.Popen(  # noqa: S603 - no shell; interfaces are known to exist
            build_command(path, options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._words,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for us: dumpcap is told when we are ready
            preexec_fn=before,  # noqa: PLW1509 - no other thread runs yet
        )
        if self._process.stdout is None:
            raise RuntimeError("no pipe from dumpcap")
        self._pipe = self._process.stdout.fileno()
        with contextlib.suppress(OSError):  # a small pipe works, too
            fcntl.fcntl(self._pipe, _F_SETPIPE_SZ, PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)
        if not self._poll.poll(START_S * 1000) or not self._has_begun():
            self.close()
            raise CaptureError(self.explain())

    def _has_begun(self) -> bool:
        """Whether bytes wait in the pipe, not only its end."""
        while self._process.poll() is None:
            if fcntl.ioctl(self._pipe, termios.FIONREAD, b"\0\0\0\0") != b"\0\0\0\0":
                return True
            time.sleep(0.01)
        return fcntl.ioctl(self._pipe, termios.FIONREAD, b"\0\0\0\0") != b"\0\0\0\0"

    def explain(self) -> str:
        """What dumpcap wrote to its standard error, in one sentence; "" for nothing."""
        if self._words.closed:
            return self.trouble
        self._words.seek(0)
        lines = self._words.read(8000).decode("utf-8", "replace").replace("\r", "\n").split("\n")
        kept = [line.strip().removeprefix("dumpcap: ") for line in lines if line.strip() and not _NOISE.match(line.strip())]
        text = " ".join(kept).split("Please")[0].strip()
        return f"dumpcap says: {text.rstrip('.')}." if text else ""

    def begin(self) -> None:
        """It has begun already."""

    def read(self, view: memoryview, seconds: float) -> int | None:
        """Bytes of its pipe."""
        if not self._poll.poll(seconds * 1000):
            return 0
        got = os.readv(self._pipe, [view])
        if got:
            return got
        self._process.wait()
        if not self._is_stopped and (self._process.returncode != 0 or not self._ends_itself):  # it takes a lost interface for success
            self.trouble = self.explain() or f"dumpcap ended with status {self._process.returncode}."
        return None

    def stop(self) -> None:
        """Tell dumpcap to end: it writes what it has, its statistics, and closes the pipe."""
        self._is_stopped = True
        if self._process.poll() is None:
            try:
                self._process.send_signal(signal.SIGINT)
            except PermissionError:  # it has other rights than we: it ends when nobody reads any more
                self._process.stdout.close()  # type: ignore[union-attr]

    def close(self) -> None:
        """End dumpcap, if it still runs."""
        if self._process.stdout is not None:
            self._process.stdout.close()
        try:
            self._process.terminate()
            self._process.wait(KILL_S)
        except (PermissionError, subprocess.TimeoutExpired):
            pass  # it ends with its next packet: nobody reads
        if not self._words.closed:
            self.trouble = self.trouble or self.explain()
            self._words.close()
