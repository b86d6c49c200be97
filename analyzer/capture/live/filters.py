"""Capture filters in libpcap's language: dumpcap compiles them itself, for our own socket tcpdump does."""

from __future__ import annotations

import shutil
import struct
import subprocess

from analyzer.capture.live.engine import ANY, LiveOptions
from analyzer.errors import UsageError

PROTOCOL_OF_FRAME = 0xFFFFF000  # SKF_AD_OFF + SKF_AD_PROTOCOL: the kernel's own word for the EtherType
SLL2_BYTES = 20
_LOADS = {0x20, 0x28, 0x30}  # ld, ldh, ldb with a fixed position
_LOADS_WITH_X = {0x40, 0x48, 0x50, 0xB1}  # the same at X + k, and ldx 4 * (byte & 15)
_ACCEPT = struct.Struct("=HBBI")


def refuse(text: str, reason: str) -> UsageError:
    """The sentence for a filter that libpcap does not understand."""
    return UsageError(f'--bpf: "{text}" is no capture filter' + (f": {reason.strip().strip('().')}." if reason else "."))


def compile_filter(options: LiveOptions, *, is_cooked: bool) -> bytes:
    """The program for SO_ATTACH_FILTER: what it accepts is cut to the snapshot length. ``is_cooked``: frames without link layer.

    Raises:
        UsageError: it is no filter, or tcpdump is not there to compile it.
    """
    if not options.bpf:
        return _ACCEPT.pack(0x06, 0, 0, options.snaplen)
    tcpdump = shutil.which("tcpdump") or shutil.which("tcpdump", path="/usr/sbin:/sbin")
    if tcpdump is None:
        raise UsageError("--bpf without dumpcap needs tcpdump to compile the filter: install one of them (Debian: apt install tcpdump).")
    link = "LINUX_SLL2" if is_cooked else "EN10MB"
    command = [tcpdump, "-ddd", "-s", str(options.snaplen), "-y", link, options.bpf]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603 - no shell
    if done.returncode != 0:
        raise refuse(options.bpf, done.stderr.strip().splitlines()[-1].removeprefix("tcpdump: "))
    numbers = [list(map(int, line.split())) for line in done.stdout.splitlines()[1:]]
    program = [(code, jt, jf, k) for code, jt, jf, k in numbers]
    if is_cooked:
        program = [cook(step, options.bpf) for step in program]
    return b"".join(_ACCEPT.pack(code, jt, jf, k) for code, jt, jf, k in program)


def cook(step: tuple[int, int, int, int], text: str) -> tuple[int, int, int, int]:
    """A step of a program for frames with a cooked header (LINUX_SLL2) as the kernel runs it, which sees no such header."""
    code, jt, jf, k = step
    if code not in _LOADS and code not in _LOADS_WITH_X:
        return step
    if k >= SLL2_BYTES:
        return code, jt, jf, k - SLL2_BYTES
    if code == 0x28 and k == 0:
        return code, jt, jf, PROTOCOL_OF_FRAME
    raise UsageError(f'--bpf: "{text}" asks for the link layer, which {ANY} does not have: name the interfaces.')
