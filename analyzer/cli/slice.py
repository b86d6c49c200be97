"""``analyzer slice``: the packets of connections to a capture of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.cli.cold_start import choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.inputs import Inputs
from analyzer.cli.layout import counted
from analyzer.cli.output_file import check_file
from analyzer.errors import UsageError


@dataclass(frozen=True)
class SliceRequest:
    """What the user asked for, as typed."""

    capture: str
    connections: Sequence[str]
    output: str
    with_lookups: bool = True
    inputs: Inputs = field(default_factory=Inputs)
    force: bool = False


def run_slice(request: SliceRequest, environment: Environment) -> int:
    """Copy the packets; the exit status."""
    path = Path(request.output)
    from analyzer.packet_files import check_suffix

    check_suffix(path)
    check_file(path, force=request.force)
    if request.capture == "-":
        raise UsageError("slice reads a capture more than once: save it to a file first.")
    if path.exists() and Path(request.capture).exists() and path.samefile(request.capture):
        raise UsageError(f"{path} is the capture itself. Choose another name with -o.")
    options = request.inputs.options()
    choose_kernels([request.capture])
    from analyzer.slicing import copy_frames, find_frames, resolve

    captures = [request.capture]
    wanted = resolve(captures, request.connections, options, with_lookups=request.with_lookups)
    written = copy_frames(captures, find_frames(captures, wanted, options), path, options)
    lookups = sum(map(len, wanted.lookups.values()))
    of_lookups = f" and {counted(lookups, 'lookup')}" if lookups else ""
    environment.say(f"Written to {path}: {counted(written, 'packet')} of {counted(len(wanted.numbers), 'connection')}{of_lookups}")
    return 0
