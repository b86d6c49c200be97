"""The commands, and the one place where failures become a sentence and an exit status."""

from __future__ import annotations

import errno
import os
import sys
from enum import IntEnum, unique
from typing import Annotated, Any

import typer

from analyzer.cli import live_commands, packet_commands
from analyzer.cli.environment import Environment, ReaderGoneError
from analyzer.cli.inputs import (
    CaptureArgument,
    ChecksumsOption,
    ColumnsOption,
    ConnectionArgument,
    DebugOption,
    DisplayFilterOption,
    Inputs,
    JobsOption,
    KeylogOption,
    MemoryOption,
    OverlapOption,
    RedactKeyOption,
    RedactOption,
    SecretsOption,
    ThresholdsOption,
    TrustStoreOption,
    WhereOption,
    ZeekTimeoutsOption,
)
from analyzer.errors import AnalyzerError, UsageError

app = typer.Typer(
    name="analyzer",
    help="Packet captures in, the life of every connection out: DNS, TCP, TLS, HTTP and teardown, each with its time and its frames.",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def examples(*commands: str) -> str:
    """Examples for the end of a command's help, a line each."""
    return "\n".join(["\b", "Examples:", *(f"  analyzer {command}" for command in commands)])


WrongUsage: Any = typer.BadParameter.__base__  # what the parser raises for all mistakes; its place differs between versions


@unique
class ExitStatus(IntEnum):
    """What the command line answers to its caller."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INTERRUPTED = 130


def print_version(wanted: bool) -> None:
    """Name this version and those of the libraries that decide results."""
    if not wanted:
        return
    from importlib.metadata import version

    from analyzer import __version__

    names = ("numpy", "numba", "pyarrow", "pandas", "dpkt", "cryptography", "pyshark")
    typer.echo(f"analyzer {__version__} (Python {sys.version.split()[0]}, {', '.join(f'{name} {version(name)}' for name in names)})")
    raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Name the versions and exit.")] = False,
) -> None:
    """Options that belong to no command."""


@app.command(
    epilog=examples(
        "analyze captures/https-tls13.pcapng",
        "analyze captures/page-load.pcapng -f csv -f html -o /tmp/page",
        "analyze captures/https-tls13.pcapng --keylog captures/https-tls13.keylog.txt -o /tmp/opened",
    )
)
def analyze(
    captures: Annotated[list[str], typer.Argument(metavar="CAPTURE", help="Files, a folder, or - for standard input.", show_default=False)],
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Where tables go.", show_default="reports/<capture>")] = "",
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "-f",
            "--format",
            metavar="FORMAT",
            help="csv, html, jsonl, parquet, sqlite, zeek, zeek-json, har; may be repeated.",
            show_default="csv",
        ),
    ] = None,
    checksums: ChecksumsOption = "ignore",
    overlap: OverlapOption = "first",
    zeek_timeouts: ZeekTimeoutsOption = False,
    keylog: KeylogOption = None,
    include_secrets: SecretsOption = False,
    trust_store: TrustStoreOption = None,
    limit_memory: MemoryOption = "",
    jobs: JobsOption = 1,
    thresholds: ThresholdsOption = "",
    where: WhereOption = "",
    display_filter: DisplayFilterOption = "",
    columns: ColumnsOption = "",
    redact: RedactOption = False,
    redact_key: RedactKeyOption = "",
    certificates: Annotated[
        str, typer.Option("--certificates", metavar="DIR", help="Write each certificate as PEM to DIR.", show_default=False)
    ] = "",
    objects: Annotated[
        str, typer.Option("--objects", metavar="DIR", help="Write bodies of HTTP to DIR, decoded, a file each.", show_default=False)
    ] = "",
    object_size: Annotated[
        str, typer.Option("--object-size", metavar="SIZE", help="Largest of these files, as 20M.", show_default="256M")
    ] = "",
    objects_size: Annotated[str, typer.Option("--objects-size", metavar="SIZE", help="All of them together.", show_default="4G")] = "",
    har_include_encrypted: Annotated[
        bool, typer.Option("--har-include-encrypted", help="HAR: entries for exchanges that could not be read, too.")
    ] = False,
    tail: Annotated[bool, typer.Option("--tail", help="Read on while the capture is being written, until Ctrl-C.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that another capture's report left in DIR.")] = False,
    rows: Annotated[int, typer.Option("-n", "--rows", metavar="ROWS", help="Connections shown in the summary.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no summary (with --json only that).")] = False,
    debug: DebugOption = False,  # noqa: ARG001 - run_command
) -> None:
    """Analyse captures: print a summary and write the tables.

    All times are UTC.
    """
    from analyzer.cli.analyze import Request, run_analyze
    from analyzer.cli.object_files import ObjectFiles
    from analyzer.cli.shaping import Shape

    stores = tuple(trust_store or ())
    inputs = Inputs(checksums, overlap, zeek_timeouts, tuple(keylog or ()), include_secrets, stores, limit_memory, jobs, thresholds)
    shape = Shape(where, display_filter, columns, redact, redact_key)
    files = ObjectFiles(objects, object_size, objects_size)
    request = Request(
        captures,
        output,
        tuple(formats or ("csv",)),
        inputs,
        shape,
        tail,
        force,
        rows,
        json,
        quiet,
        certificates,
        har_include_encrypted,
        files,
    )
    raise typer.Exit(run_analyze(request, Environment()))


@app.command(epilog=examples("explain captures/https-tls13.pcapng 2", "explain captures/https-tls13.pcapng www.example.org --teach"))
def explain(
    capture: CaptureArgument,
    connection: ConnectionArgument,
    teach: Annotated[bool, typer.Option("--teach", help="Add the background of every step and the RFCs that define it.")] = False,
    checksums: ChecksumsOption = "ignore",
    overlap: OverlapOption = "first",
    zeek_timeouts: ZeekTimeoutsOption = False,
    keylog: KeylogOption = None,
    include_secrets: SecretsOption = False,
    trust_store: TrustStoreOption = None,
    limit_memory: MemoryOption = "",
    thresholds: ThresholdsOption = "",
    debug: DebugOption = False,  # noqa: ARG001 - run_command
) -> None:
    """Tell the life of one connection in plain words: every phase with its time, its frames and what it is for."""
    from analyzer.cli.explain import ExplainRequest, run_explain

    stores = tuple(trust_store or ())
    inputs = Inputs(checksums, overlap, zeek_timeouts, tuple(keylog or ()), include_secrets, stores, limit_memory, thresholds=thresholds)
    raise typer.Exit(run_explain(ExplainRequest(capture, connection, inputs, teach), Environment()))


@app.command(epilog=examples("columns connections", "columns --markdown"))
def columns(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Only this table.", show_default=False)] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="As a Markdown document.")] = False,
) -> None:
    """Print the data dictionary: what every column means."""
    from analyzer.cli.columns import run_columns

    raise typer.Exit(run_columns(table, Environment(), markdown=markdown))


@app.command(epilog=examples("thresholds"))
def thresholds() -> None:
    """Print the thresholds of the findings as the TOML file that --thresholds takes."""
    from analyzer.lifecycle.findings import SEVERITY_OF
    from analyzer.thresholds import defaults_as_toml

    Environment().say(defaults_as_toml(SEVERITY_OF))


packet_commands.add_to(app)
live_commands.add_to(app)


def run_command(arguments: list[str] | None = None) -> int:
    """Run one command; every failure is one sentence on standard error."""
    words = sys.argv[1:] if arguments is None else arguments
    environment = Environment()
    try:
        if not words:
            app(args=["--help"], prog_name="analyzer", standalone_mode=False)
            return ExitStatus.USAGE
        status = app(args=words, prog_name="analyzer", standalone_mode=False)
        environment.stdout.flush()
    except Exception as error:  # the last stop: a sentence instead of a traceback
        if "--debug" in words:
            raise
        return explain_failure(error, environment)
    return ExitStatus(status or 0)


def discard_output() -> None:
    """Standard output takes nothing more: what is still in its buffer would fail again when Python ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):  # it is closed, or no file
        return


def explain_failure(error: Exception, environment: Environment) -> ExitStatus:
    """One sentence on standard error that says what to do."""
    if isinstance(error, BrokenPipeError | ReaderGoneError):  # nothing is wrong with us
        discard_output()
        return ExitStatus.OK
    if isinstance(error, WrongUsage):
        context = getattr(error, "ctx", None)
        message = error.format_message().rstrip(".")
        stop = "" if message.endswith("?") else "."
        environment.warn(f"analyzer: {message}{stop} See: {context.command_path if context else 'analyzer'} --help")
        return ExitStatus.USAGE
    if isinstance(error, AnalyzerError):
        environment.warn(f"analyzer: {error}")
        return ExitStatus.USAGE if isinstance(error, UsageError) else ExitStatus.FAILED
    if isinstance(error, MemoryError):
        environment.warn("analyzer: out of memory. Analyse a part of the capture, or use a machine with more.")
        return ExitStatus.FAILED
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        discard_output()
        environment.warn("analyzer: no space left to write to. Make room, or choose another folder with -o.")
        return ExitStatus.FAILED
    environment.warn(
        f"analyzer: a mistake of the program ({type(error).__name__}: {error}). Please report it with what --debug adds to this command."
    )
    return ExitStatus.FAILED
