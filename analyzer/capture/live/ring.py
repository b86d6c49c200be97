"""Capture without help: AF_PACKET sockets of Linux with a ring that is shared with the kernel (TPACKET_V3)."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import select
import socket
import struct
import time

import numpy as np

from analyzer.capture.live.engine import ANY, LiveOptions
from analyzer.capture.live.filters import compile_filter
from analyzer.capture.live.interfaces import SYSTEM
from analyzer.capture.live.ring_kernels import (
    BLOCK,
    ECHOES,
    FACE_SIZE,
    INTERFACE,
    IS_COOKED,
    LOOPBACK,
    MOST,
    NEXT,
    PACKETS,
    STATE_SIZE,
    TOP,
    take_block,
)
from analyzer.errors import CaptureError
from analyzer.kernel import DONE
from analyzer.tables import Bytes, Ints

BLOCK_BYTES = 1 << 20
RETIRE_MS = 64  # a block that is not full is handed over after so long
LAG_NS = 500_000_000
SETTLE_S = 0.2  # after the end: what the kernel holds arrives
EVERYTHING = 1 << 62
STATISTICS_S = 1.0  # drops are told at most so often

_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, _PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 263, 1, 5, 6, 10
_TPACKET_V3, _MR_PROMISC, _SO_ATTACH_FILTER = 2, 1, 26
_STATUS = 8  # in the header of a block
_ETH_P_ALL = 0x0003
_FRAME_BYTES = 1 << 16  # of no meaning with TPACKET_V3, but it must divide a block
_NOTHING = struct.pack("=HBBI", 0x06, 0, 0, 0)  # a filter that accepts no packet

ETHERNET, COOKED, RAW_IP = 1, 276, 101
_LINK_TYPES = {1: ETHERNET, 772: ETHERNET, 801: 105, 802: 119, 803: 127, 65534: RAW_IP, 65535: RAW_IP}  # of ARPHRD numbers


def block(kind: int, body: bytes) -> bytes:
    """A pcapng block in little-endian order."""
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code: int, value: bytes) -> bytes:
    """An option of a pcapng block."""
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def section_header() -> bytes:
    """The section header: what machine, what system, who writes."""
    system = platform.uname()
    told = option(2, system.machine.encode()) + option(3, f"{system.system} {system.release}".encode()) + option(4, b"analyzer")
    return block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + told + option(0, b""))


def interface_description(name: str, linktype: int, options: LiveOptions) -> bytes:
    """An interface with a clock of nanoseconds."""
    told = option(2, name.encode()) + option(9, b"\x09")
    if options.bpf:
        told += option(11, b"\0" + options.bpf.encode())
    return block(1, struct.pack("<HHI", linktype, 0, options.snaplen) + told + option(0, b""))


class Port:
    """One interface: its socket, its ring, and where reading stands. Raises OSError."""

    def __init__(self, number: int, name: str, options: LiveOptions) -> None:
        kind = 0 if name == ANY else int((SYSTEM / name / "type").read_text())
        self.name = name
        self.linktype = _LINK_TYPES.get(kind, COOKED)
        is_cooked = self.linktype == COOKED
        # protocol 0: not a packet comes before the filter is there
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM if is_cooked else socket.SOCK_RAW, 0)
        try:
            self._attach(compile_filter(options, is_cooked=is_cooked))
            self.socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V3)
            self.blocks = max(4, options.buffer_bytes // BLOCK_BYTES)
            frames = self.blocks * BLOCK_BYTES // _FRAME_BYTES
            request = struct.pack("=7I", BLOCK_BYTES, self.blocks, _FRAME_BYTES, frames, RETIRE_MS, 0, 0)
            self.socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, request)
            self._map = mmap.mmap(self.socket.fileno(), self.blocks * BLOCK_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
            index = 0 if name == ANY else socket.if_nametoindex(name)
            if options.promiscuous and index:
                self.socket.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, struct.pack("=iHH8s", index, _MR_PROMISC, 0, b""))
            self.socket.bind(("" if name == ANY else name, _ETH_P_ALL))
        except BaseException:
            self.socket.close()
            raise
        self.ring: Bytes = np.frombuffer(self._map, np.uint8)
        self._words = self.ring.view(np.uint32)
        self._at = 0
        self.state: Ints = np.zeros(STATE_SIZE, np.int64)
        self.state[MOST] = EVERYTHING
        self.face: Ints = np.zeros(FACE_SIZE, np.int64)
        self.face[INTERFACE], self.face[IS_COOKED] = number, is_cooked
        self.face[LOOPBACK] = socket.if_nametoindex("lo") if (SYSTEM / "lo").exists() else -1
        self.seen = self.dropped = self.told = 0

    def begin(self) -> None:
        """Packets come from now on. The kernel that takes them is compiled, or loaded, before."""
        take_block(self.ring, np.zeros(64, np.uint8), self.state, self.face)  # nothing is in it yet
        self.state[NEXT] = 0
        self.socket.bind(("" if self.name == ANY else self.name, _ETH_P_ALL))

    def _attach(self, program: bytes) -> None:
        """Have the kernel run a filter on every packet of the socket."""
        steps = ctypes.create_string_buffer(program, len(program))
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", len(program) // 8, ctypes.addressof(steps)))

    def refuse_more(self) -> None:
        """Packets from now on are not taken."""
        self._attach(_NOTHING)

    def take(self, out: Bytes, top: int) -> int:
        """Write what the kernel has handed over to ``out`` from ``top`` on; where it ends."""
        self.state[TOP] = top
        while self._words[(self._at * BLOCK_BYTES + _STATUS) // 4] & 1:
            self.state[BLOCK] = self._at * BLOCK_BYTES
            if int(take_block(self.ring, out, self.state, self.face)) != DONE:
                break
            self._words[(self._at * BLOCK_BYTES + _STATUS) // 4] = 0
            self._at = (self._at + 1) % self.blocks
        return int(self.state[TOP])

    def count(self) -> None:
        """Ask the kernel for its counts; it forgets them."""
        seen, dropped, _ = struct.unpack("=3I", self.socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 12))
        self.seen += seen
        self.dropped += dropped

    def close(self) -> None:
        """Give back socket and ring."""
        self.socket.close()


class Ring:
    """All interfaces of one capture. Raises CaptureError, UsageError (the filter)."""

    name = "AF_PACKET ring"
    lag_ns = LAG_NS

    def __init__(self, options: LiveOptions) -> None:
        self.trouble = ""
        self._ports: list[Port] = []
        self._most = options.packets
        for number, name in enumerate(options.interfaces):
            try:
                self._ports.append(Port(number, name, options))
            except OSError as error:
                self.close()
                raise CaptureError(f"{name} cannot be captured on: {error.strerror or error}.") from error
        self._pending = section_header()
        self._pending += b"".join(interface_description(port.name, port.linktype, options) for port in self._ports)
        self._poll = select.poll()
        for port in self._ports:
            self._poll.register(port.socket, select.POLLIN | select.POLLERR)
        self._stopped_at: float | None = None
        self._counted_at = time.monotonic()
        self._is_over = False

    def begin(self) -> None:
        """Packets are taken from now on."""
        for port in self._ports:
            try:
                port.begin()
            except OSError as error:
                self.close()
                raise CaptureError(f"{port.name} cannot be captured on: {error.strerror or error}.") from error

    @property
    def dropped(self) -> int | None:
        """Packets that the kernel dropped because the rings were full."""
        return sum(port.dropped for port in self._ports)

    def read(self, view: memoryview, seconds: float) -> int | None:
        """Blocks of packets, statistics when drops have grown and at the end."""
        if self._pending:
            size = len(self._pending)
            view[:size] = self._pending
            self._pending = b""
            return size
        if self._is_over:
            return None
        top = self._take(np.frombuffer(view, np.uint8))
        if top == 0 and not self._has_settled():
            self._wait(seconds)
            top = self._take(np.frombuffer(view, np.uint8))
        if top == 0 and self._has_settled():
            self._is_over = True
        now = time.monotonic()
        if self._is_over or now - self._counted_at >= STATISTICS_S:
            self._counted_at = now
            self._pending = self._statistics()
        return top if top or not self._pending else self.read(view, 0)

    def _take(self, out: Bytes) -> int:
        top = 0
        for port in self._ports:
            if self._most is not None:
                port.state[MOST] = self._most - sum(int(other.state[PACKETS]) for other in self._ports if other is not port)
            top = port.take(out, top)
        if self._most is not None and sum(int(port.state[PACKETS]) for port in self._ports) >= self._most:
            self.stop()
        return top

    def _has_settled(self) -> bool:
        return self._stopped_at is not None and time.monotonic() - self._stopped_at > SETTLE_S

    def _wait(self, seconds: float) -> None:
        for descriptor, event in self._poll.poll(seconds * 1000):
            if not event & select.POLLERR:
                continue
            port = next(port for port in self._ports if port.socket.fileno() == descriptor)
            code = port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code and not self.trouble:
                what = "is down, or gone" if code in (errno.ENETDOWN, errno.ENODEV) else f"cannot be read: {os.strerror(code)}"
                self.trouble = f"{port.name} {what}."
                self.stop()

    def _statistics(self) -> bytes:
        """Interface statistics blocks: of interfaces whose drops have grown, of all at the end."""
        told = b""
        now = time.time_ns()
        for number, port in enumerate(self._ports):
            port.count()
            if self._is_over or port.dropped > port.told:
                port.told = port.dropped
                counts = (
                    option(4, struct.pack("<Q", port.seen - int(port.state[ECHOES])))
                    + option(7, struct.pack("<Q", port.dropped))
                    + option(0, b"")
                )
                told += block(5, struct.pack("<III", number, now >> 32, now & 0xFFFFFFFF) + counts)
        return told

    def stop(self) -> None:
        """Take no more packets; what the kernel holds still comes."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic()
            for port in self._ports:
                port.refuse_more()

    def close(self) -> None:
        """Give back everything; may be called twice."""
        for port in self._ports:
            port.close()
