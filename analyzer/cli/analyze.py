"""``analyzer analyze``: run the pipeline, write the tables as they come, print the summary."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Literal, cast

from analyzer.cli.environment import Environment
from analyzer.errors import CaptureError, OutputError, UsageError
from analyzer.options import Options

if TYPE_CHECKING:
    from analyzer.pipeline import Pipeline

SMALL_CAPTURE_BYTES = 100_000  # about a thousand packets: plain Python is done before kernels would be compiled
MARK = ".analyzer-report"  # names the captures that a folder's report was made from


@dataclass(frozen=True)
class Request:
    """What the user asked for, as typed."""

    captures: list[str]
    output: str
    formats: tuple[str, ...]
    checksums: str
    zeek_timeouts: bool
    force: bool
    rows: int
    json: bool
    quiet: bool
    debug: bool


def choose_kernels(captures: list[str]) -> None:
    """Run the kernels as plain Python when compiling them would take longer than the capture itself (cold cache, small files)."""
    from analyzer.kernel_cache import is_cache_warm

    if "ANALYZER_KERNELS" in os.environ or "analyzer.kernel" in sys.modules or is_cache_warm():
        return
    sizes = [path.stat().st_size for path in map(Path, captures) if path.is_file()]
    if len(sizes) == len(captures) and sum(sizes) <= SMALL_CAPTURE_BYTES:
        os.environ["ANALYZER_KERNELS"] = "python"


def announce_compilation(environment: Environment) -> None:
    """Say once, when the first kernel is compiled, what the user waits for."""
    from analyzer.kernel import IS_COMPILED

    if not IS_COMPILED:
        return
    from numba.core import event

    class Announcer(event.Listener):  # type: ignore[misc]
        said = False

        def on_start(self, _event: object) -> None:
            if not self.said:
                self.said = True
                environment.warn("analyzer: first run on this machine: compiling for about 20 s (kept on disk for the next runs)")

        def on_end(self, _event: object) -> None:
            """Nothing to say."""

    event.register("numba:compile", Announcer())


def output_folder(request: Request) -> Path:
    """DIR as given, or reports/<capture name>/."""
    if request.output:
        return Path(request.output)
    first = request.captures[0]
    name = "stdin" if first == "-" else Path(first).name
    for ending in (".gz", ".zst", ".xz", ".bz2", ".lz4", ".pcapng", ".pcap", ".cap"):
        name = name.removesuffix(ending)
    return Path("reports") / (name or "capture")


def claim_folder(folder: Path, request: Request) -> None:
    """Make the folder ours: files of an earlier run of the same captures are replaced, others only with --force."""
    claim = "\n".join(os.path.abspath(c) if c != "-" else c for c in request.captures) + "\n"  # noqa: PTH100 - no symlink is followed
    mark = folder / MARK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = mark.read_text(encoding="utf-8") if mark.is_file() else ""
        others = [path.name for path in folder.iterdir() if path.name != MARK]
        if others and earlier != claim and not request.force:
            raise OutputError(
                f"{folder} holds files of something else ({min(others)}). Choose another folder with -o, or replace them with --force."
            )
        mark.write_text(claim, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}.") from error


@contextmanager
def progress(environment: Environment, *, wanted: bool) -> Iterator[Callable[[int, int | None], None] | None]:
    """A progress bar on standard error for work longer than a second, on a terminal only; yields a function (done, total)."""
    if not (wanted and environment.shows_progress):
        yield None
        return
    from analyzer.cli.progress import Bar

    bar = Bar(environment)
    try:
        yield bar.update
    finally:
        bar.close()


@contextmanager
def stopping(pipeline: Pipeline) -> Iterator[None]:
    """Ctrl-C ends the reading: what is finished is written, the rest as it stands. A second Ctrl-C ends at once."""
    before = signal.getsignal(signal.SIGINT)

    def stop(_number: int, _frame: FrameType | None) -> None:
        pipeline.stop()
        signal.signal(signal.SIGINT, before)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run_analyze(request: Request, environment: Environment) -> int:
    """Analyse; the exit status."""
    if request.checksums not in ("ignore", "verify"):
        raise UsageError(f"--checksums is ignore or verify, not {request.checksums}.")
    choose_kernels(request.captures)
    from analyzer.export.writers import ZEEK_FORMATS, open_writers
    from analyzer.pipeline import Pipeline
    from analyzer.report.summary import Summary

    announce_compilation(environment)
    checksums = cast("Literal['ignore', 'verify']", request.checksums)
    options = Options(checksums=checksums, zeek_timeouts=request.zeek_timeouts)
    pipeline = Pipeline(options, with_zeek=not ZEEK_FORMATS.isdisjoint(request.formats))
    summary = Summary(request.rows)
    folder = output_folder(request)
    with progress(environment, wanted=not request.quiet) as advance, stopping(pipeline):
        batches = pipeline.run(request.captures, advance)
        first = next(batches)  # a capture that cannot be read leaves no folder behind
        claim_folder(folder, request)
        writers = open_writers(request.formats, folder)
        try:
            for tables in chain([first], batches):
                summary.add(tables)
                for writer in writers:
                    writer.write(tables)
        finally:
            for writer in writers:
                writer.close()
    for note in pipeline.notes:
        environment.warn(f"analyzer: {note}")
    if not request.quiet:
        from analyzer.cli.summary import print_summary

        print_summary(summary, pipeline, folder, request, environment)
    if pipeline.is_stopped:
        return 130
    if pipeline.quality.packets == 0:
        raise CaptureError(f"{', '.join(request.captures)}: no packets, so nothing was analysed.")
    return 0
