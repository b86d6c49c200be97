"""The commands that look at the network interfaces of this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from analyzer.cli.environment import Environment
from analyzer.cli.inputs import (
    ChecksumsOption,
    DebugOption,
    Inputs,
    KeylogOption,
    MemoryOption,
    OverlapOption,
    SecretsOption,
    TrustStoreOption,
    ZeekTimeoutsOption,
)


def live(
    interfaces: Annotated[list[str], typer.Argument(metavar="INTERFACE", help="Names, or any for all.", show_default=False)],
    bpf: Annotated[str, typer.Option("--bpf", metavar="EXPR", help="Only packets of this filter, in libpcap's language.")] = "",
    duration: Annotated[
        float | None, typer.Option("--duration", metavar="S", help="End after so many seconds.", show_default=False)
    ] = None,
    packets: Annotated[int | None, typer.Option("--packets", metavar="N", help="End after so many packets.", show_default=False)] = None,
    write: Annotated[str, typer.Option("--write", metavar="FILE", help="Keep the packets, as pcapng.")] = "",
    write_size: Annotated[str, typer.Option("--write-size", metavar="SIZE", help="Begin another file after so much, as 100M.")] = "",
    write_time: Annotated[float, typer.Option("--write-time", metavar="S", help="Begin another file after so many seconds.")] = 0,
    write_files: Annotated[int, typer.Option("--write-files", metavar="N", help="Keep only the newest N files.")] = 0,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="DIR", help="Where tables go.", show_default="reports/<interface>-<time>")
    ] = "",
    formats: Annotated[
        list[str] | None, typer.Option("-f", "--format", metavar="FORMAT", help="As in analyze; may be repeated.", show_default="csv")
    ] = None,
    rotate: Annotated[float, typer.Option("--rotate", metavar="S", help="Begin another folder of tables after so many seconds.")] = 0,
    user: Annotated[
        str, typer.Option("--user", metavar="NAME", help="Whose rights the analysis has.", show_default="who called sudo")
    ] = "",
    engine: Annotated[str, typer.Option("--engine", metavar="auto|dumpcap|ring", help="How packets are captured.")] = "auto",
    snaplen: Annotated[int, typer.Option("--snaplen", metavar="N", help="Bytes kept of each packet.")] = 262_144,
    promiscuous: Annotated[bool, typer.Option("--promiscuous", help="See frames for others, too.")] = False,
    buffer: Annotated[str, typer.Option("--buffer", metavar="SIZE", help="Of the kernel, for each interface.")] = "64M",
    checksums: ChecksumsOption = "ignore",
    overlap: OverlapOption = "first",
    zeek_timeouts: ZeekTimeoutsOption = False,
    keylog: KeylogOption = None,
    include_secrets: SecretsOption = False,
    trust_store: TrustStoreOption = None,
    limit_memory: MemoryOption = "",
    force: Annotated[bool, typer.Option("--force", help="Replace files that are in DIR, and FILE.")] = False,
    rows: Annotated[int, typer.Option("-n", "--rows", metavar="ROWS", help="Connections shown in the summary.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print each finished connection as a JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but problems.")] = False,
    debug: DebugOption = False,  # noqa: ARG001 - run_command
) -> None:
    """Capture on interfaces: show connections while they happen, and write the tables as they end.

    Ctrl-C (or q) ends it. Example: analyzer live eth0 --bpf "port 443" --write trace.pcapng
    """
    from analyzer.cli.analyze import Request
    from analyzer.cli.live import LiveRequest, run_live

    inputs = Inputs(checksums, overlap, zeek_timeouts, tuple(keylog or ()), include_secrets, tuple(trust_store or ()), limit_memory)
    request = Request(interfaces, output, tuple(formats or ("csv",)), inputs, force=force, rows=rows, json=json, quiet=quiet)
    live_request = LiveRequest(
        request,
        bpf,
        duration,
        packets,
        snaplen,
        promiscuous,
        engine,
        buffer,
        write,
        write_size,
        write_time,
        write_files,
        rotate,
        user,
    )
    raise typer.Exit(run_live(live_request, Environment()))


def interfaces() -> None:
    """List the network interfaces, and what is missing for the right to capture.

    Example: analyzer interfaces
    """
    from analyzer.cli.live import run_interfaces

    raise typer.Exit(run_interfaces(Environment()))


def add_to(app: typer.Typer) -> None:
    """Make them commands of the program."""
    for command in (live, interfaces):
        app.command()(command)
