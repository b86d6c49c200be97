"""The network interfaces of this machine: names, addresses, state, and what is missing for the right to capture on them."""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from analyzer.capture.live.dumpcap import find_dumpcap, has_file_rights
from analyzer.capture.live.engine import ANY
from analyzer.errors import CaptureError

SYSTEM = Path("/sys/class/net")
CAP_NET_ADMIN, CAP_NET_RAW = 12, 13
IFF_UP = 1
_RTM_GETADDR, _DUMP = 22, 0x301
_NLMSG_DONE, _IFA_ADDRESS, _IFA_LOCAL = 3, 1, 2


@dataclass(frozen=True)
class Interface:
    """One interface. ``state``: as the kernel names it ("up", "down", "unknown" = up without saying)."""

    name: str
    state: str
    addresses: tuple[str, ...]
    mtu: int


def read_addresses() -> dict[int, list[str]]:
    """Interface number -> its addresses with prefix lengths, by rtnetlink (RFC 3549); empty where the system has none."""
    found: dict[int, list[str]] = defaultdict(list)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
            link.sendall(struct.pack("=IHHIIB3xI", 24, _RTM_GETADDR, _DUMP, 1, 0, 0, 0))
            while True:
                answer = link.recv(1 << 16)
                at = 0
                while at + 16 <= len(answer):
                    size, kind = struct.unpack_from("=IH", answer, at)
                    if kind == _NLMSG_DONE or size < 24:
                        return found
                    _add_address(found, answer[at + 16 : at + size])
                    at += (size + 3) & ~3
    except OSError:
        return found


def _add_address(found: dict[int, list[str]], body: bytes) -> None:
    """One ifaddrmsg with its attributes."""
    _, prefix, _, _, index = struct.unpack_from("=BBBBI", body)
    values: dict[int, bytes] = {}
    at = 8
    while at + 4 <= len(body):
        size, kind = struct.unpack_from("=HH", body, at)
        if size < 4:
            break
        values[kind] = body[at + 4 : at + size]
        at += (size + 3) & ~3
    content = values.get(_IFA_LOCAL, values.get(_IFA_ADDRESS, b""))
    if len(content) in (4, 16):
        found[index].append(f"{ipaddress.ip_address(content)}/{prefix}")


def _word(name: str, attribute: str) -> str:
    try:
        return (SYSTEM / name / attribute).read_text().strip()
    except OSError:
        return ""


def list_interfaces() -> list[Interface]:
    """All interfaces by number, and "any" where there is one for all."""
    addresses = read_addresses()
    found = [
        Interface(name, _word(name, "operstate") or "unknown", tuple(addresses.get(index, [])), int(_word(name, "mtu") or 0))
        for index, name in sorted(socket.if_nameindex())
    ]
    return [*found, Interface(ANY, "up", (), 0)]


def is_up(name: str) -> bool:
    """Whether an interface is there and switched on."""
    flags = _word(name, "flags")
    return name == ANY or (bool(flags) and int(flags, 16) & IFF_UP != 0)


def check_interfaces(names: tuple[str, ...]) -> None:
    """Raises CaptureError when one is not there, or switched off."""
    known = [interface.name for interface in list_interfaces()]
    for name in names:
        if name not in known:
            raise CaptureError(f"{name}: no such interface. Interfaces here: {', '.join(known)}.")
        if not is_up(name):
            raise CaptureError(f"{name} is down: nothing can be captured. Switch it on with: sudo ip link set {name} up")
    if ANY in names and len(names) > 1:
        raise CaptureError(f"{ANY} means all interfaces: name it alone.")


def has_capability(number: int) -> bool:
    """Whether this process has a Linux capability."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return os.geteuid() == 0
    effective = next((int(line.split()[1], 16) for line in lines if line.startswith("CapEff:")), 0)
    return bool(effective >> number & 1)


def missing_right(interface: str) -> str:
    """What to do for the right to capture, "" when it is there: dumpcap's, or our own."""
    if has_capability(CAP_NET_RAW):
        return ""
    us = f"sudo analyzer live {interface}"
    path = find_dumpcap()
    if path is None:
        return f"sudo apt install wireshark-common, and let its helper dumpcap be used by everybody in its group; or: {us}"
    if not os.access(path, os.X_OK):
        return f"sudo usermod -aG {_group_of(path)} $USER (then log in again), or: {us}"
    if not has_file_rights(path):
        return f"sudo setcap cap_net_raw,cap_net_admin+eip {path}, or: {us}"
    return ""


def _group_of(path: str) -> str:
    try:
        return Path(path).group()
    except (KeyError, OSError):
        return "wireshark"
