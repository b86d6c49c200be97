"""``analyzer plot``: one connection as a time-sequence diagram."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import cast, get_args

from analyzer.cli.cold_start import choose_kernels
from analyzer.cli.environment import Environment
from analyzer.errors import AnalyzerError, UsageError
from analyzer.options import Checksums, Options

SUFFIXES = (".svg", ".png")


@dataclass(frozen=True)
class PlotRequest:
    """What the user asked for, as typed."""

    capture: str
    connection: str
    output: str = ""
    checksums: str = "ignore"


def run_plot(request: PlotRequest, environment: Environment) -> int:
    """Draw; the exit status."""
    if request.checksums not in get_args(Checksums):
        raise UsageError(f"--checksums is ignore or verify, not {request.checksums}.")
    if request.output and Path(request.output).suffix not in SUFFIXES:
        raise UsageError(f"{request.output}: a picture is written as .svg or .png.")
    if find_spec("matplotlib") is None:
        raise AnalyzerError("pictures need matplotlib. Install it: pip install 'connection-lifecycle-analyzer[plot]'")
    choose_kernels([request.capture])
    from analyzer.plot.connection import gather_series
    from analyzer.plot.drawing import draw
    from analyzer.selection import find_connection

    options = Options(checksums=cast("Checksums", request.checksums))
    number = find_connection([request.capture], request.connection, options)
    series, names = gather_series([request.capture], number, options)
    path = Path(request.output or f"connection-{number}.svg")
    draw(series, f"Connection {number} of {Path(request.capture).name}", names, path)
    environment.say(f"Written to {path}: {series.packets:,} packets")
    return 0
