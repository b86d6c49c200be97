"""``analyzer inspect``: Wireshark's own dissection of the packets of a connection, through pyshark."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.cli.cold_start import choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import Inputs
from analyzer.errors import UsageError


@dataclass(frozen=True)
class InspectRequest:
    """What the user asked for, as typed."""

    capture: str
    connection: str
    packets: int = 0
    inputs: Inputs = field(default_factory=Inputs)


def run_inspect(request: InspectRequest, environment: Environment) -> int:
    """Print the dissection; the exit status."""
    if request.packets < 0:
        raise UsageError(f"--packets is a number of packets, not {request.packets}.")
    if request.capture == "-":
        raise UsageError("inspect reads a capture more than once: save it to a file first.")
    options = request.inputs.options()
    from analyzer.tshark import dissect, find_tshark

    find_tshark()  # says so at once when it is not there
    choose_kernels([request.capture])
    from analyzer.slicing import copy_frames, find_frames, resolve

    captures = [request.capture]
    wanted = resolve(captures, [request.connection], options, with_lookups=False)
    if len(wanted.numbers) > 1:
        numbers = ", ".join(map(str, wanted.numbers[:8]))
        raise UsageError(f"{len(wanted.numbers)} TCP connections have the host {request.connection}: {numbers}. Give the number of one.")
    frames = find_frames(captures, wanted, options)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "connection.pcapng"
        copy_frames(captures, frames, path, options)
        shown = frames[: request.packets] if request.packets else frames
        for frame, lines in zip(shown.tolist(), dissect(str(path), options.keylog), strict=False):
            environment.say(f"Frame {frame}")
            for line in lines:
                environment.say(f"  {line}")
    if len(shown) < len(frames):
        environment.say(f"... {len(frames) - len(shown):,} more packets: --packets 0 shows all")
    return 0
