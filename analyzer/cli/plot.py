"""``analyzer plot``: one connection as a time-sequence diagram."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from analyzer.cli.cold_start import choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import Inputs
from analyzer.cli.output_file import check_file
from analyzer.errors import AnalyzerError, UsageError

TCP = 6
SUFFIXES = (".svg", ".png")


@dataclass(frozen=True)
class PlotRequest:
    """What the user asked for, as typed."""

    capture: str
    connection: str
    output: str = ""
    inputs: Inputs = field(default_factory=Inputs)
    force: bool = False


def end_name(packet: Any, side: str) -> str:
    """Address and port of the source or destination of a PACKET row."""
    high, low = int(packet[f"{side}_hi"]), int(packet[f"{side}_lo"])
    port = int(packet[f"{side}_port"])
    if int(packet["ip_version"]) == 6:
        return f"[{ipaddress.IPv6Address(high << 64 | low)}]:{port}"
    return f"{ipaddress.IPv4Address(low)}:{port}"


def run_plot(request: PlotRequest, environment: Environment) -> int:
    """Draw; the exit status."""
    options = request.inputs.options()
    if request.output and Path(request.output).suffix not in SUFFIXES:
        raise UsageError(f"{request.output}: a picture is written as .svg or .png.")
    if find_spec("matplotlib") is None:
        raise AnalyzerError("pictures need matplotlib. Install it: pip install 'connection-lifecycle-analyzer[plot]'")
    choose_kernels([request.capture])
    from analyzer.plot.drawing import draw
    from analyzer.plot.series import Series, is_empty
    from analyzer.selection import find_connection, select_packets

    number = find_connection([request.capture], request.connection, options)
    series, names = Series(), ("", "")
    for selected in select_packets([request.capture], [number], options):
        first = selected.packets[0]
        if int(first["protocol"]) != TCP:
            raise UsageError(f"connection {number} is not TCP: it has no sequence numbers to draw.")
        sides = ("src", "dst") if int(first["sender"]) == 0 else ("dst", "src")
        names = (end_name(first, sides[0]), end_name(first, sides[1]))
        series.take(selected.batch, selected.packets)
        series.originator = int(selected.originators[-1])
    if is_empty(series):
        raise UsageError(f"{request.capture} has no connection {number} with packets to draw.")
    path = Path(request.output or f"connection-{number}.svg")
    check_file(path, force=request.force)
    draw(series, f"Connection {number} of {Path(request.capture).name}", names, path)
    environment.say(f"Written to {path}: {series.packets:,} packets")
    return 0
