"""What a time-sequence diagram is made of: the packets of one connection out of a second pass over its capture."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from analyzer.errors import UsageError
from analyzer.options import Options
from analyzer.plot.series import Series, is_empty
from analyzer.selection import select_packets

TCP = 6


def end_name(packet: Any, side: str) -> str:
    """Address and port of the source or destination of a PACKET row."""
    high, low = int(packet[f"{side}_hi"]), int(packet[f"{side}_lo"])
    port = int(packet[f"{side}_port"])
    if int(packet["ip_version"]) == 6:
        return f"[{ipaddress.IPv6Address(high << 64 | low)}]:{port}"
    return f"{ipaddress.IPv4Address(low)}:{port}"


def gather_series(captures: Sequence[str], number: int, options: Options) -> tuple[Series, tuple[str, str]]:
    """The packets of a connection, and the names of sender 0 and 1.

    Raises:
        UsageError: it is not TCP, or has no packets.
        CaptureError: none of the captures can be read.
    """
    series, names = Series(), ("", "")
    for selected in select_packets(captures, [number], options):
        first = selected.packets[0]
        if int(first["protocol"]) != TCP:
            raise UsageError(f"connection {number} is not TCP: it has no sequence numbers to draw.")
        sides = ("src", "dst") if int(first["sender"]) == 0 else ("dst", "src")
        names = (end_name(first, sides[0]), end_name(first, sides[1]))
        series.take(selected.batch, selected.packets)
        series.originator = int(selected.originators[-1])
    if is_empty(series):
        raise UsageError(f"{captures[0]} has no connection {number} with packets to draw.")
    return series, names
