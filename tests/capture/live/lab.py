"""A pair of network interfaces joined by a cable, for tests that may make one; and packets to send through it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dpkt
import pytest

CAPTURES = Path(__file__).parents[3] / "captures"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def cable() -> Iterator[tuple[str, str]]:
    """Two interfaces, each hears what the other sends. Skips the test where they cannot be made."""
    if shutil.which("ip") is None:
        pytest.skip("needs the command ip (Debian: iproute2)")
    names = f"lab{os.getpid()}a"[-15:], f"lab{os.getpid()}b"[-15:]
    try:
        ip("link", "add", names[0], "type", "veth", "peer", "name", names[1])
    except subprocess.CalledProcessError as error:
        pytest.skip(f"may not make network interfaces: {error.stderr.decode().strip()}")
    try:
        for name in names:
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
            ip("link", "set", name, "mtu", "9000", "up")
        yield names
    finally:
        subprocess.run(["ip", "link", "del", names[0]], check=False, capture_output=True)


def frames(name: str) -> list[bytes]:
    """The frames of one of our captures."""
    with (CAPTURES / name).open("rb") as file:
        return [content for _, content in dpkt.pcap.UniversalReader(file)]


def send(interface: str, content: list[bytes], pause_s: float = 0.001) -> None:
    """Put frames on the cable."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out, suppress(OSError):  # a capture may end before, and the cable with it
        out.bind((interface, 0))
        for frame in content:
            out.send(frame)
            time.sleep(pause_s)
