"""The commands that look at the packets of chosen connections."""

from __future__ import annotations

from typing import Annotated

import typer

from analyzer.cli.environment import Environment
from analyzer.cli.inputs import (
    CaptureArgument,
    ChecksumsOption,
    ConnectionArgument,
    DebugOption,
    ForceOption,
    Inputs,
    KeylogOption,
    MemoryOption,
    OverlapOption,
    ZeekTimeoutsOption,
)


def plot(
    capture: CaptureArgument,
    connection: ConnectionArgument,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where the picture goes: .svg or .png.", show_default="connection-N.svg")
    ] = "",
    checksums: ChecksumsOption = "ignore",
    overlap: OverlapOption = "first",
    zeek_timeouts: ZeekTimeoutsOption = False,
    keylog: KeylogOption = None,
    limit_memory: MemoryOption = "",
    force: ForceOption = False,
    debug: DebugOption = False,  # noqa: ARG001 - run_command
) -> None:
    """Draw a TCP connection: bytes over time, with what was sent again, SACK blocks, acknowledgements and the window.

    Example: analyzer plot captures/lossy-path.pcap 2 -o /tmp/loss.svg
    """
    from analyzer.cli.plot import PlotRequest, run_plot

    inputs = Inputs(checksums, overlap, zeek_timeouts, tuple(keylog or ()), limit_memory=limit_memory)
    raise typer.Exit(run_plot(PlotRequest(capture, connection, output, inputs, force), Environment()))


def follow(
    capture: CaptureArgument,
    connection: ConnectionArgument,
    form: Annotated[str, typer.Option("--as", metavar="text|hex|raw", help="How bytes are shown; raw: as they are.")] = "text",
    direction: Annotated[str, typer.Option("--direction", metavar="both|originator|responder", help="Whose bytes.")] = "both",
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where the bytes go.", show_default="standard output")] = "",
    encrypted: Annotated[bool, typer.Option("--encrypted", help="As it was sent, even where there are keys.")] = False,
    checksums: ChecksumsOption = "ignore",
    overlap: OverlapOption = "first",
    zeek_timeouts: ZeekTimeoutsOption = False,
    keylog: KeylogOption = None,
    limit_memory: MemoryOption = "",
    force: ForceOption = False,
    debug: DebugOption = False,  # noqa: ARG001 - run_command
) -> None:
    """Print what the ends of a connection sent: TCP put together, datagrams one by one, TLS decrypted where there are keys.

    Example: analyzer follow captures/http-plain.pcapng 2
    """
    from analyzer.cli.follow import FollowRequest, run_follow

    inputs = Inputs(checksums, overlap, zeek_timeouts, tuple(keylog or ()), limit_memory=limit_memory)
    request = FollowRequest(capture, connection, form, direction, output, encrypted, inputs, force)
    raise typer.Exit(run_follow(request, Environment()))


def slice_(
    capture: CaptureArgument,
    connections: Annotated[
        list[str], typer.Argument(metavar="CONNECTION", help="Numbers, uids, or hosts (all of their TCP connections).", show_default=False)
    ],
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="New capture: .pcapng or .pcap.")],
    without_lookups: Annotated[bool, typer.Option("--without-lookups", help="Leave out the DNS lookups that they came of.")] = False,
    checksums: ChecksumsOption = "ignore",
    overlap: OverlapOption = "first",
    zeek_timeouts: ZeekTimeoutsOption = False,
    keylog: KeylogOption = None,
    limit_memory: MemoryOption = "",
    force: ForceOption = False,
    debug: DebugOption = False,  # noqa: ARG001 - run_command
) -> None:
    """Copy the packets of connections, of their DNS lookups and of ICMP errors about them to a new capture.

    Example: analyzer slice captures/page-load.pcapng api.example.net -o /tmp/api.pcapng
    """
    from analyzer.cli.slice import SliceRequest, run_slice

    inputs = Inputs(checksums, overlap, zeek_timeouts, tuple(keylog or ()), limit_memory=limit_memory)
    request = SliceRequest(capture, connections, output, not without_lookups, inputs, force)
    raise typer.Exit(run_slice(request, Environment()))


def inspect(
    capture: CaptureArgument,
    connection: ConnectionArgument,
    packets: Annotated[int, typer.Option("--packets", metavar="N", help="Only the first packets; 0: all.")] = 0,
    checksums: ChecksumsOption = "ignore",
    overlap: OverlapOption = "first",
    zeek_timeouts: ZeekTimeoutsOption = False,
    keylog: KeylogOption = None,
    limit_memory: MemoryOption = "",
    debug: DebugOption = False,  # noqa: ARG001 - run_command
) -> None:
    """Print Wireshark's own dissection of the packets of a connection; needs tshark.

    Example: analyzer inspect captures/dns-tcp.pcap 1 --packets 4
    """
    from analyzer.cli.inspect import InspectRequest, run_inspect

    inputs = Inputs(checksums, overlap, zeek_timeouts, tuple(keylog or ()), limit_memory=limit_memory)
    raise typer.Exit(run_inspect(InspectRequest(capture, connection, packets, inputs), Environment()))


def verify(
    capture: CaptureArgument,
    sample: Annotated[int, typer.Option("--sample", metavar="N", help="Connections, evenly spread; 0: all.")] = 200,
    rows: Annotated[int, typer.Option("-n", "--rows", metavar="ROWS", help="Disagreements shown.")] = 40,
    checksums: ChecksumsOption = "ignore",
    overlap: OverlapOption = "first",
    zeek_timeouts: ZeekTimeoutsOption = False,
    keylog: KeylogOption = None,
    limit_memory: MemoryOption = "",
    debug: DebugOption = False,  # noqa: ARG001 - run_command
) -> None:
    """Read connections once more with tshark and print where it reads something else; needs tshark.

    Example: analyzer verify captures/page-load.pcapng
    """
    from analyzer.cli.verify import VerifyRequest, run_verify

    inputs = Inputs(checksums, overlap, zeek_timeouts, tuple(keylog or ()), limit_memory=limit_memory)
    raise typer.Exit(run_verify(VerifyRequest(capture, sample, rows, inputs), Environment()))


def add_to(app: typer.Typer) -> None:
    """Make them known to the program."""
    for name, command in (("plot", plot), ("follow", follow), ("slice", slice_), ("inspect", inspect), ("verify", verify)):
        app.command(name)(command)
