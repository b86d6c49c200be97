"""The commands, and the one place where failures become a sentence and an exit status."""

from __future__ import annotations

import os
import sys
from enum import IntEnum, unique
from typing import Annotated

import typer

from analyzer.cli.environment import Environment
from analyzer.errors import AnalyzerError, UsageError

app = typer.Typer(
    name="analyzer",
    help="Packet captures in, the life of every connection out: DNS, TCP, TLS, HTTP and teardown, each with its time and its frames.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


@app.command()
def analyze(
    captures: Annotated[
        list[str], typer.Argument(metavar="CAPTURE...", help="Files, a folder, or - for standard input.", show_default=False)
    ],
    output: Annotated[str, typer.Option("-o", "--output", metavar="DIR", help="Where tables go.", show_default="reports/<capture>")] = "",
    formats: Annotated[
        list[str] | None, typer.Option("-f", "--format", metavar="FORMAT", help="csv, zeek-json; may be repeated.", show_default="csv")
    ] = None,
    checksums: Annotated[str, typer.Option(metavar="ignore|verify", help="verify: leave out packets with a wrong checksum.")] = "ignore",
    zeek_timeouts: Annotated[bool, typer.Option("--zeek-timeouts", help="End idle connections when Zeek would.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that another capture's report left in DIR.")] = False,
    rows: Annotated[int, typer.Option("-n", "--rows", metavar="ROWS", help="Connections shown in the summary.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="The summary as one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No summary, no progress; only errors.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
) -> None:
    """Analyse captures: print a summary and write the tables.

    Example: analyzer analyze captures/https-tls13.pcapng
    """
    from analyzer.cli.analyze import Request, run_analyze

    request = Request(captures, output, tuple(formats or ("csv",)), checksums, zeek_timeouts, force, rows, json, quiet, debug)
    raise typer.Exit(run_analyze(request, Environment()))


@app.command()
def columns(
    table: Annotated[str, typer.Argument(metavar="[TABLE]", help="Only this table.", show_default=False)] = "",
) -> None:
    """The data dictionary: every column of every table with its unit and meaning.

    Example: analyzer columns connections
    """
    from analyzer.cli.columns import run_columns

    raise typer.Exit(run_columns(table, Environment()))


def run_command(arguments: list[str] | None = None) -> int:
    """Run one command; every failure is one sentence on standard error."""
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words
    try:
        app(args=words, prog_name="analyzer")
    except SystemExit as end:
        return int(end.code or 0)
    except BrokenPipeError:  # the reader of our output has gone: nothing is wrong with us
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.OK
    except AnalyzerError as error:
        if debug:
            raise
        sys.stderr.write(f"analyzer: {error}\n")
        return ExitStatus.USAGE if isinstance(error, UsageError) else ExitStatus.FAILED
    return ExitStatus.OK
