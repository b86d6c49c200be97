"""Wireshark's tshark, where it is installed: found by pyshark, asked for fields, its complaints as a sentence."""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from analyzer.errors import AnalyzerError, UsageError

FIRST, NEXT = "\x1e", "\x1f"  # between fields, between the occurrences of one field
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_DAMAGED = ("cut short in the middle of a packet", "damaged or corrupt")  # what was read before that counts


def find_tshark() -> str:
    """Path of the program.

    Raises:
        AnalyzerError: it is not installed.
    """
    from pyshark.tshark.tshark import TSharkNotFoundException, get_process_path  # noqa: PLC0415 - slow to import

    try:
        return str(get_process_path())
    except TSharkNotFoundException as error:
        raise AnalyzerError("this needs tshark, which is not installed here. Install it: sudo apt-get install tshark") from error


def tell_version(program: str) -> str:
    """Its name and version, as "TShark 4.0.17"."""
    told = subprocess.run([program, "--version"], capture_output=True, check=False, text=True, errors="replace").stdout  # noqa: S603
    found = re.search(r"TShark[^0-9]*([0-9.]+[0-9])", told)
    return f"TShark {found[1]}" if found else "tshark"


def key_preferences(keylogs: Sequence[Path]) -> list[str]:
    """Options that name a TLS key log; tshark takes one."""
    return ["-o", f"tls.keylog_file:{keylogs[0]}"] if keylogs else []


def read_fields(capture: str, fields: Sequence[str], display_filter: str = "", extra: Sequence[str] = ()) -> Iterator[list[str]]:
    """The fields of each matching frame, as text; several occurrences of one are separated by NEXT.

    Raises:
        AnalyzerError: tshark is not installed, or cannot read the capture.
        UsageError: it does not understand the filter.
    """
    command = [find_tshark(), "-n", "-r", capture, "-T", "fields", "-E", f"separator={FIRST}", "-E", f"aggregator={NEXT}", *extra]
    command += [word for field in fields for word in ("-e", field)]
    command += ["-Y", display_filter] if display_filter else []
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints) as process:  # noqa: S603 - a list of words, no shell
            assert process.stdout is not None
            for line in process.stdout:
                yield line.decode("utf-8", "replace").rstrip("\n").split(FIRST)
        complaints.seek(0)
        told = complaints.read().decode("utf-8", "replace")
    if process.returncode and not any(word in told for word in _DAMAGED):
        _raise(told, display_filter)


def _raise(complaint: str, display_filter: str) -> None:
    """Turn what tshark says into one sentence."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip() and "Running as user" not in line]
    told = lines[0].removeprefix("tshark: ").rstrip(".") if lines else "it failed"
    if display_filter:
        raise UsageError(f"--display-filter {display_filter}: {told}.")
    raise AnalyzerError(f"tshark: {told}.")


def dissect(capture: str, keylogs: Sequence[Path] = ()) -> Iterator[list[str]]:
    """Every field of each packet, as lines: a heading for each layer, its fields below it.

    Raises:
        AnalyzerError: tshark is not installed, or gives up.
    """
    from pyshark import FileCapture  # noqa: PLC0415 - slow to import
    from pyshark.capture.capture import TSharkCrashException  # noqa: PLC0415

    preferences = {"tls.keylog_file": str(keylogs[0])} if keylogs else None
    packets = FileCapture(capture, keep_packets=False, tshark_path=find_tshark(), override_prefs=preferences)
    try:
        for packet in packets:
            yield [line for layer in packet.layers for line in _layer_lines(layer)]
    except TSharkCrashException as error:
        raise AnalyzerError(f"tshark: {str(error).splitlines()[0]}.") from error
    finally:
        packets.close()


def _layer_lines(layer: Any) -> Iterator[str]:
    """A layer as lines; characters that a terminal would obey are escaped."""
    told = io.StringIO()
    layer.pretty_print(writer=told)
    text = _COLOURS.sub("", told.getvalue())
    for line in text.splitlines():
        if line.strip() and line != ":":
            shown = line.replace("\t", "  ").removeprefix(":")
            yield "".join(letter if letter.isprintable() else " " for letter in shown)
