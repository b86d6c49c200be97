"""Captures of other formats (snoop, NetMon, ERF, ...): Wireshark's editcap converts them to pcapng on a pipe, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile

from analyzer.capture.bytesource import DamagedError
from analyzer.errors import CaptureError

# position, bytes and name of what tells a format (the magic numbers of Wireshark's wiretap library)
MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"snoop\0\0\0", "snoop"),
    (0, b"GMBU", "Network Monitor"),
    (0, b"RTSS", "Network Monitor 1"),
    (0, b"TRSNIFF data    \x1a", "Sniffer"),
    (0, b"XCP\0", "NetXRay"),
    (0, b"VL\0\0", "NetXRay 1"),
    (0, b"iptrace 1.0", "iptrace"),
    (0, b"iptrace 2.0", "iptrace"),
    (0, b"btsnoop\0", "btsnoop"),
    (0, b"ObserverPktBuffer", "Observer"),
    (0, b"\xaa\xaa\xaa\xaa", "5Views"),
    (0, b"\x05VNF", "Visual Networks"),
    (0, b"\x7fver", "Peek"),
    (0, b"\x00\x00\x02\x00\x12\x05\x00\x10", "K12"),
    (0, b"\x1c\x00\x01\xac", "IxCatapult lcap"),
    (0, b"\xac\x01\x00\x1c", "IxCatapult lcap"),
    (0, b"\x1c\x00\x01\xab", "IxCatapult lcap"),
    (0, b"\xab\x01\x00\x1c", "IxCatapult lcap"),
    (0, b"\xa1\xb2\xc3\xcb", "pcap of ss990915"),
    (0, b"\x4d\xc3\xb2\xa1", "pcap of Navtel"),
    (0, b"ETHERWATCH ", "Etherwatch"),
    (0, b"cpse", "Capsa"),
)
ERF_LARGEST_TYPE, ERF_META = 48, 27
ERF_YEARS = (631_152_000, 2_524_608_000)  # 1990 to 2050


def tell_foreign(head: bytes) -> str:
    """Name of the format that begins with these bytes; "" when it is not known."""
    for at, magic, name in MAGICS:
        if head[at : at + len(magic)] == magic:
            return name
    return "ERF" if is_erf(head) else ""


def is_erf(head: bytes) -> bool:
    """Whether this looks like an Endace record: it has no magic, so its time, type and lengths must make sense."""
    if len(head) < 16 or all(32 <= byte < 127 for byte in head[:16]):
        return False
    seconds, kind = int.from_bytes(head[4:8], "little"), head[8] & 0x7F
    record, wire = int.from_bytes(head[10:12], "big"), int.from_bytes(head[14:16], "big")
    is_time = ERF_YEARS[0] < seconds < ERF_YEARS[1] or (seconds == 0 and kind == ERF_META)
    return is_time and 0 < kind <= ERF_LARGEST_TYPE and 16 < record <= wire + 64 and wire > 0


class ConvertedBytes:
    """A capture as pcapng, converted by editcap while it is read."""

    compression = ""

    def __init__(self, path: str, name: str, kind: str) -> None:
        editcap = shutil.which("editcap")
        if editcap is None:
            raise CaptureError(
                f"{name} is a capture of format {kind}, which needs Wireshark's editcap: install it (Debian: apt install wireshark-common)."
            )
        self.bytes_read = 0
        self._size = os.stat(path).st_size  # noqa: PTH116 (no Path is needed for one number)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the conversion)
        self._process = subprocess.Popen(  # noqa: S603 (the path is absolute, so it is no option; no shell)
            [editcap, "-F", "pcapng", os.path.abspath(path), "-"],  # noqa: PTH100 (no symlink is followed)
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
        )

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view; how many bytes, 0 at the end. Raises DamagedError with editcap's own words."""
        pipe = self._process.stdout
        got = (pipe.readinto(view) or 0) if pipe is not None and not pipe.closed and len(view) else 0  # type: ignore[attr-defined]
        if got == 0 and len(view):
            self.bytes_read = self._size
            status = self._process.wait()
            self._errors.seek(0)
            words = self._errors.read(2000).decode("utf-8", "replace").split("\n")[0].strip().removeprefix("editcap: ").rstrip(".")
            if status != 0 or words:  # a file that is cut short is no failure to editcap
                raise DamagedError(f"editcap says: {words or f'status {status}'}")
        return int(got)

    def close(self) -> None:
        """End the conversion."""
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.kill()
        self._process.wait()
        self._errors.close()
