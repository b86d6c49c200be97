"""``analyzer plot``: one connection as a time-sequence diagram."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from analyzer.cli.cold_start import choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import Inputs
from analyzer.cli.output_file import check_file
from analyzer.errors import AnalyzerError, UsageError

SUFFIXES = (".svg", ".png")


@dataclass(frozen=True)
class PlotRequest:
    """What the user asked for, as typed."""

    capture: str
    connection: str
    output: str = ""
    inputs: Inputs = field(default_factory=Inputs)
    force: bool = False


def run_plot(request: PlotRequest, environment: Environment) -> int:
    """Draw; the exit status."""
    options = request.inputs.options()
    if request.output and Path(request.output).suffix not in SUFFIXES:
        raise UsageError(f"{request.output}: a picture is written as .svg or .png.")
    if find_spec("matplotlib") is None:
        raise AnalyzerError("pictures need matplotlib. Install it: pip install 'connection-lifecycle-analyzer[plot]'")
    choose_kernels([request.capture])
    from analyzer.plot.connection import gather_series
    from analyzer.plot.drawing import draw
    from analyzer.selection import find_connection

    number = find_connection([request.capture], request.connection, options)
    series, names = gather_series([request.capture], number, options)
    path = Path(request.output or f"connection-{number}.svg")
    check_file(path, force=request.force)
    draw(series, f"Connection {number} of {Path(request.capture).name}", names, path)
    environment.say(f"Written to {path}: {series.packets:,} packets")
    return 0
