"""``analyzer analyze``: run the pipeline, write the tables as they come, print the summary."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from analyzer.cli.cold_start import announcing_compilation, choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import Inputs
from analyzer.cli.object_files import ObjectFiles, tell_objects, with_objects
from analyzer.cli.output_folder import check_folder, choose_folder, claim_folder, record_files
from analyzer.cli.shaping import Shape
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.cli.shaping import Step
    from analyzer.export.objects import ObjectStore
    from analyzer.export.writers import Writer
    from analyzer.pipeline import Pipeline, Tables
    from analyzer.report.summary import Summary


@dataclass(frozen=True)
class Request:
    """What the user asked for, as typed."""

    captures: Sequence[str]
    output: str = ""
    formats: Sequence[str] = ("csv",)
    inputs: Inputs = field(default_factory=Inputs)
    shape: Shape = field(default_factory=Shape)
    tail: bool = False
    force: bool = False
    rows: int = 20
    json: bool = False
    quiet: bool = False
    certificates: str = ""
    har_include_encrypted: bool = False
    objects: ObjectFiles = field(default_factory=ObjectFiles)


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
def stopping(pipeline: Pipeline, environment: Environment) -> Iterator[None]:
    """Ctrl-C ends the reading: what is finished is written, the rest as it stands. A second Ctrl-C ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def stop(_number: int, _frame: FrameType | None) -> None:
        pipeline.stop()
        signal.signal(signal.SIGINT, before)
        environment.warn("analyzer: stopping; what was read so far is written. Ctrl-C again to end at once.")

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def check_request(request: Request) -> None:
    """Refuse what makes no sense before anything is read. Raises UsageError."""
    if request.rows < 0:
        raise UsageError(f"--rows is a number of connections, 0 or more, not {request.rows}.")
    if request.certificates and (request.shape.redact or request.shape.redact_key):
        raise UsageError("--certificates writes certificates as they are, with their names: --redact cannot mask those. Leave out one.")
    request.objects.check(redacts=request.shape.redact or bool(request.shape.redact_key))


def write_report(
    request: Request,
    pipeline: Pipeline,
    folder: Path,
    environment: Environment,
    steps: Sequence[Step] = (),
    store: ObjectStore | None = None,
) -> Summary:
    """Run the pipeline and write its tables, after ``steps``; nothing is written when no capture can be read."""
    from analyzer.capture import Follow
    from analyzer.export.har import HarWriter
    from analyzer.export.writers import check_formats, open_writers
    from analyzer.report.summary import Summary

    check_formats(request.formats)
    layout = request.shape.layout() if store is None else with_objects(request.shape.layout())
    check_folder(folder, request.captures, force=request.force)
    summary = Summary(request.rows)
    with progress(environment, wanted=not request.quiet) as advance, stopping(pipeline, environment):
        writers: list[Writer] = []

        def write(tables: Tables) -> None:
            if not writers:
                claim_folder(folder, request.captures, force=request.force)
                writers.extend(open_writers(request.formats, folder, layout))
                for writer in writers:
                    if isinstance(writer, HarWriter):
                        writer.with_encrypted = request.har_include_encrypted
                record_files(folder, request.captures, [path for writer in writers for path in writer.paths])
            shaped = tables
            for step in steps:
                shaped = step(shaped)
            if store is not None:
                store.settle(tables["objects"], shaped["objects"])
            summary.add(shaped)
            for writer in writers:
                writer.write(shaped)

        try:
            for _ in pipeline.run(request.captures, advance, Follow() if request.tail else None, write):
                pass
        finally:
            for writer in writers:
                writer.close()
    return summary


def run_analyze(request: Request, environment: Environment) -> int:
    """Analyse; the exit status."""
    check_request(request)
    options = request.inputs.options()
    choose_kernels(request.captures)
    from analyzer.export.writers import HEAD_FORMATS, ZEEK_FORMATS
    from analyzer.pipeline import Pipeline
    from analyzer.warming import warming

    redactor = request.shape.redactor()
    folder = choose_folder(request.captures, request.output)
    store = request.objects.open(options.limits, force=request.force)
    pipeline = Pipeline(
        options,
        with_zeek=not ZEEK_FORMATS.isdisjoint(request.formats),
        with_heads=not HEAD_FORMATS.isdisjoint(request.formats),
        bodies=store,
    )
    announcing = nullcontext() if request.quiet else announcing_compilation(environment)
    with warming(request.captures), announcing:
        steps = request.shape.steps(request.captures, options, redactor)
        try:
            summary = write_report(request, pipeline, folder, environment, steps, store)
        finally:
            if store is not None:
                store.end()
    if request.certificates:
        from analyzer.cli.certificate_folder import write_certificates

        write_certificates(Path(request.certificates), pipeline.certificates())
    files = pipeline.source.facts if pipeline.source else []
    is_empty = pipeline.quality.packets == 0 and not pipeline.is_stopped
    for note in [facts.why_empty() if facts.format else facts.notes[0] for facts in files] if is_empty else pipeline.notes:
        environment.warn(f"analyzer: {note}")
    if store is not None:
        tell_objects(store, environment, are_sealed=pipeline.has_opened and not options.include_secrets)
    if pipeline.evicted:
        environment.warn(
            f"analyzer: {pipeline.evicted:,} connections that were idle longest were ended early to stay within the memory limit"
            " (--limit-memory): what came of them later stands in rows of its own."
        )
    if redactor is not None:
        files = [redactor.facts(file) for file in files]
    if request.json or not request.quiet:
        from analyzer.cli.summary import Overview

        overview = Overview(summary, pipeline.quality, files, folder)
        environment.say(overview.as_json() if request.json else "\n".join(overview.lines(environment)))
    if pipeline.is_stopped:
        return 130
    return 1 if is_empty or any(not facts.format for facts in files) else 0  # 1: nothing was analysed, or one of them could not be read
