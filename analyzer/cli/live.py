"""``analyzer live``: capture, write tables as connections end, and show what is in flight."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, cast, get_args

from analyzer.capture.live.engine import EngineName, LiveOptions
from analyzer.cli.analyze import Request, check_request
from analyzer.cli.cold_start import announcing_compilation
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import parse_size
from analyzer.cli.output_folder import claim_folder, record_files
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.capture.live import Session
    from analyzer.cli.live_screen import Screen
    from analyzer.pipeline import Pipeline
    from analyzer.report.columns import Sheet
    from analyzer.report.summary import Summary

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LARGEST_BUFFER = 1 << 30


@dataclass(frozen=True)
class LiveRequest:
    """What the user asked for, as typed; ``analysis`` holds what ``analyze`` has, too, with the interfaces as captures."""

    analysis: Request
    bpf: str = ""
    duration: float | None = None
    packets: int | None = None
    snaplen: int = 262_144
    promiscuous: bool = False
    engine: str = "auto"
    buffer: str = "64M"
    write: str = ""
    write_size: str = ""
    write_time: float = 0.0
    write_files: int = 0
    rotate: float = 0.0
    user: str | None = ""


def live_options(request: LiveRequest) -> LiveOptions:
    """What to capture. Raises UsageError."""
    if request.engine not in get_args(EngineName):
        raise UsageError(f"--engine is {', '.join(get_args(EngineName))}, not {request.engine}.")
    if not 1 <= request.snaplen <= 262_144:
        raise UsageError(f"--snaplen is a number of bytes from 1 to 262144, not {request.snaplen}.")
    for name, number in (("--duration", request.duration), ("--packets", request.packets)):
        if number is not None and number <= 0:
            raise UsageError(f"{name} is more than 0, not {number:g}.")
    if min(request.write_time, request.write_files, request.rotate) < 0:
        raise UsageError("--write-time, --write-files and --rotate are 0 or more.")
    is_ring = bool(request.write_size or request.write_time)
    if not request.write and (is_ring or request.write_files):
        raise UsageError("--write-size, --write-time and --write-files need --write FILE.")
    if request.write_files and not is_ring:
        raise UsageError("--write-files needs --write-size or --write-time: when to begin another file.")
    if request.write and Path(request.write).exists() and not request.analysis.force:
        raise UsageError(f"{request.write} is there already. Choose another file with --write, or replace it with --force.")
    buffer = parse_size(request.buffer, "--buffer")
    if not 1 << 20 <= buffer <= LARGEST_BUFFER:
        raise UsageError(f"--buffer is from 1M to 1G, not {request.buffer}.")
    return LiveOptions(
        interfaces=tuple(dict.fromkeys(request.analysis.captures)),
        bpf=request.bpf,
        snaplen=request.snaplen,
        promiscuous=request.promiscuous,
        engine=cast("EngineName", request.engine),
        buffer_bytes=buffer,
        duration_s=request.duration,
        packets=request.packets,
        write=Path(request.write) if request.write else None,
        write_bytes=parse_size(request.write_size, "--write-size") if request.write_size else 0,
        write_s=request.write_time,
        write_files=request.write_files,
        user=request.user,
    )


def live_folder(interfaces: Sequence[str], told: str) -> Path:
    """DIR as told, or reports/<interfaces>-<UTC time>: a live capture never replaces another."""
    if told:
        return Path(told)
    name = re.sub(r"[^\w.-]", "_", "+".join(interfaces))
    return Path("reports") / f"{name}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"


class Stopper:
    """The first signal ends the capture and writes the report, the second ends at once. ``number``: the signal that came, 0 = none."""

    def __init__(self, pipeline: Pipeline, environment: Environment, *, is_quiet: bool) -> None:
        self.number = 0
        self._pipeline, self._environment, self._is_quiet = pipeline, environment, is_quiet

    def stop(self, number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.number:
            raise KeyboardInterrupt
        self.number = number
        self._pipeline.stop()
        if not self._is_quiet:
            self._environment.warn("analyzer: stopping; what was seen so far is written. Ctrl-C again to end at once.")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Signals come here as long as this lasts."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in ENDING_SIGNALS}
        try:
            for number in ENDING_SIGNALS:
                signal.signal(number, self.stop)
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Run:
    """One live capture at work: its report, its screen or lines, and how it ended."""

    def __init__(self, request: LiveRequest, session: Session, pipeline: Pipeline, environment: Environment) -> None:
        from analyzer.export.outputs import Outputs
        from analyzer.report.summary import Summary

        self.request, self.session, self.pipeline, self.environment = request, session, pipeline, environment
        analysis = request.analysis
        self.folder = live_folder(analysis.captures, analysis.output)
        self._claim = [f"live {session.name} {time.time_ns()}"]  # of this run alone: two may begin within one second
        claim_folder(self.folder, self._claim, force=analysis.force)
        self.summary: Summary = Summary(analysis.rows)
        self.outputs = Outputs(analysis.formats, self.folder, request.rotate, self._end_part)
        record_files(self.folder, self._claim, self.outputs.paths)

    def _end_part(self) -> Mapping[str, Sheet]:
        self.pipeline.begin_part()
        return {"capture": self.pipeline.capture_table()}

    def write(self, screen: Screen) -> None:
        """Run the pipeline to the end of the capture."""
        source = self.session.source(self.pipeline.memory, self.pipeline.limits)
        with source:
            for tables in self.pipeline.read(source):
                self.outputs.advance(self.pipeline.now_ns)
                if tables:
                    self.outputs.write(tables)
                    self.summary.add(tables)
                screen.update(tables)
                if screen.wants_end and not self.pipeline.is_stopped:
                    self.pipeline.stop()


def run_live(request: LiveRequest, environment: Environment) -> int:
    """Capture and analyse; the exit status."""
    analysis = request.analysis
    check_request(analysis)
    options = live_options(request)
    from analyzer.capture.live import open_session
    from analyzer.export.writers import WHOLE_FORMATS, ZEEK_FORMATS, check_formats
    from analyzer.pipeline import Pipeline

    check_formats(analysis.formats)
    for name in WHOLE_FORMATS.intersection(analysis.formats):
        raise UsageError(f"{name} is made of a whole capture: keep the packets with --write, and analyze them afterwards.")
    with open_session(options) as session:
        from analyzer.cli.live_screen import open_screen

        if not analysis.quiet:
            kept = f", packets kept in {options.write}" if options.write else ""
            rights = f", with the rights of {session.user}" if session.user else ""
            environment.warn(f"analyzer: capturing on {', '.join(options.interfaces)} through {session.engine.name}{rights}{kept}")
        pipeline = Pipeline(analysis.inputs.options(), with_zeek=not ZEEK_FORMATS.isdisjoint(analysis.formats))
        run = Run(request, session, pipeline, environment)
        stopper = Stopper(pipeline, environment, is_quiet=analysis.quiet)
        announcing = nullcontext() if analysis.quiet else announcing_compilation(environment)
        try:
            with stopper.listening(), announcing, open_screen(run) as screen:
                run.write(screen)
        finally:
            run.outputs.close()
    return conclude(run, stopper)


def conclude(run: Run, stopper: Stopper) -> int:
    """Say how it went; the exit status."""
    environment, analysis, pipeline = run.environment, run.request.analysis, run.pipeline
    for note in pipeline.notes:
        environment.warn(f"analyzer: {note}")
    if pipeline.evicted:
        environment.warn(f"analyzer: {pipeline.evicted:,} connections idle longest were ended early to stay within the memory limit.")
    if pipeline.undissected:
        environment.warn(
            f"analyzer: {pipeline.undissected:,} packets were only counted, not dissected, because more came than could be analysed."
        )
    if not analysis.quiet and not analysis.json and environment.stdout.isatty():
        from analyzer.cli.summary import Overview

        overview = Overview(run.summary, pipeline.quality, pipeline.source.facts if pipeline.source else [], run.outputs.folders[-1])
        environment.say("\n" + "\n".join(overview.lines(environment)))
    elif not analysis.quiet:
        environment.warn(f"analyzer: {run.summary.connections:,} connections of {pipeline.quality.packets:,} packets, in {run.folder}")
    if run.session.feed.trouble:
        return 1
    return 130 if stopper.number else 0


def run_interfaces(environment: Environment) -> int:
    """Print the interfaces of this machine and what is missing to capture on each."""
    from tabulate import tabulate

    from analyzer.capture.live.dumpcap import find_dumpcap
    from analyzer.capture.live.interfaces import list_interfaces, missing_right

    rows = [["name", "state", "mtu", "addresses"]]
    interfaces = list_interfaces()
    rows += [[one.name, one.state, str(one.mtu or ""), " ".join(one.addresses)] for one in interfaces]
    environment.say(tabulate(rows, tablefmt="plain", disable_numparse=True, colalign=("left", "left", "right", "left")))
    environment.say()
    missing = missing_right(next((one.name for one in interfaces if one.name != "lo"), "lo"))
    path = find_dumpcap()
    engine = f"dumpcap ({path})" if path else "an AF_PACKET ring of our own (dumpcap is not installed)"
    environment.say(f"No right to capture. Either: {missing}" if missing else f"You may capture on all of them, through {engine}.")
    return 0
