"""What a capture engine is: something that has the right to see packets, and hands them on as pcapng."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

EngineName: TypeAlias = Literal["auto", "dumpcap", "ring"]
ANY = "any"
LONGEST_PACKET = 262_144
LEAST_ROOM = LONGEST_PACKET + 4096  # bytes that one ``read`` must be given: any packet fits


@dataclass(frozen=True)
class LiveOptions:
    """What to capture, and where packets are kept.

    Attributes:
        interfaces: names, or "any".
        bpf: a filter in libpcap's language, "" = everything.
        snaplen: bytes kept of each packet.
        promiscuous: also frames for others.
        engine: "auto" takes dumpcap where it is installed and may capture, else the ring.
        buffer_bytes: of the kernel, for what we do not fetch at once.
        queue_bytes: between capture and analysis.
        duration_s, packets: when to end by itself, None = never.
        write: a pcapng file that keeps the packets.
        write_bytes, write_s: begin another file after so many bytes or seconds, 0 = never.
        write_files: keep only so many of them, 0 = all.
        user: whose rights the process takes when it is root and can see the packets; "" = who called sudo, None = it keeps its own.
    """

    interfaces: tuple[str, ...]
    bpf: str = ""
    snaplen: int = LONGEST_PACKET
    promiscuous: bool = False
    engine: EngineName = "auto"
    buffer_bytes: int = 64 << 20
    queue_bytes: int = 128 << 20
    duration_s: float | None = None
    packets: int | None = None
    write: Path | None = None
    write_bytes: int = 0
    write_s: float = 0.0
    write_files: int = 0
    user: str | None = None


class Engine(Protocol):
    """Packets of one capture as the bytes of one pcapng file.

    ``lag_ns``: a packet may reach us so long after it was seen, when nothing else came. ``dropped``: packets that the kernel dropped so
    far, None = not told before the end. ``trouble``: why the capture ended by itself, "" = it did not.
    """

    name: str
    lag_ns: int
    trouble: str

    @property
    def dropped(self) -> int | None:
        """Packets that the kernel dropped."""

    def begin(self) -> None:
        """Packets are taken from now on; no rights are needed any more. Raises CaptureError."""

    def read(self, view: memoryview, seconds: float) -> int | None:
        """Fill a part of the view, of at least LEAST_ROOM bytes; how many bytes. 0: nothing came in that time. None: it is over."""

    def stop(self) -> None:
        """End the capture: what was seen still comes, then ``read`` answers None."""

    def close(self) -> None:
        """Give back everything; may be called twice."""
