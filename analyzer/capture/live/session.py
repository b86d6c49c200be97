"""A live capture from its first right to its last byte: engine, thread, files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from analyzer.capture.live.dumpcap import Dumpcap, find_dumpcap, has_file_rights
from analyzer.capture.live.engine import Engine, LiveOptions
from analyzer.capture.live.feed import Feed
from analyzer.capture.live.filters import refuse
from analyzer.capture.live.interfaces import CAP_NET_RAW, check_interfaces, has_capability, missing_right
from analyzer.capture.live.privileges import become_with_rights, drop_privileges, find_user
from analyzer.capture.live.recorder import Recorder
from analyzer.capture.live.ring import Ring
from analyzer.capture.live.source import LiveSource
from analyzer.errors import CaptureError
from analyzer.memory import Memory
from analyzer.options import Limits


@dataclass(frozen=True)
class Session:
    """A capture that runs. ``name``: of its interfaces, ``user``: whose rights we have now, "" = unchanged."""

    name: str
    engine: Engine
    feed: Feed
    user: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.feed.close()

    def source(self, memory: Memory, limits: Limits) -> LiveSource:
        """The packets, for one pass of a pipeline with that memory."""
        return LiveSource(self.feed, self.name, memory, limits)


def open_engine(options: LiveOptions) -> tuple[Engine, str]:
    """The engine that is wanted or works, running; and the name of the user whose rights we have taken, "" = unchanged.

    Raises:
        CaptureError: no right to capture; the sentence says what to do.
        UsageError: the filter is none.
    """
    check_interfaces(options.interfaces)
    user = find_user(options.user)
    path = find_dumpcap() if options.engine != "ring" else None
    is_able = has_capability(CAP_NET_RAW)
    if options.engine == "dumpcap" and path is None:
        raise CaptureError("dumpcap is not installed (Debian: apt install wireshark-common).")
    if path is not None and options.engine == "auto" and not (is_able or has_file_rights(path)):
        path = None
    if path is None and not is_able:
        raise CaptureError(f"no right to capture on {options.interfaces[0]}. Either: {missing_right(options.interfaces[0])}")
    engine: Engine
    if path is None:
        engine = Ring(options)
    else:
        try:
            engine = Dumpcap(path, options, become_with_rights(user, path) if user is not None else None)
        except CaptureError as error:
            said = str(error)
            if "capture filter" in said:
                raise refuse(options.bpf, said.partition("(")[2].partition(")")[0]) from error
            raise CaptureError(_with_right(said, options)) from error
    if user is not None:
        drop_privileges(user)
        if not os.access(__file__, os.R_OK):
            raise CaptureError(
                f"{user.pw_name} cannot read this program ({__file__}): name another user with --user, or install it for all."
            )
    return engine, user.pw_name if user is not None else ""


def _with_right(said: str, options: LiveOptions) -> str:
    """What dumpcap said; where it is about rights, what to do."""
    if "permission" in said.lower():
        right = missing_right(options.interfaces[0])
        return f"no right to capture on {options.interfaces[0]}." + (f" Either: {right}" if right else f" {said}")
    return said or "dumpcap ended without a word: see whether it runs alone."


def open_session(options: LiveOptions) -> Session:
    """Begin to capture, give up what rights we had beyond a user's, and keep the packets coming.

    Raises:
        CaptureError: an interface or the right to capture is missing.
        UsageError: the filter is none, or the user.
        OutputError: the packets cannot be kept where that is wanted.
    """
    engine, user = open_engine(options)
    try:
        recorder = Recorder(options) if options.write is not None else None
        engine.begin()
    except BaseException:
        engine.close()
        raise
    feed = Feed(engine, options, recorder)
    feed.start()
    return Session(" ".join(options.interfaces), engine, feed, user)
