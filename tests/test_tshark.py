"""tshark, where it is installed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.errors import AnalyzerError, UsageError
from analyzer.tshark import NEXT, dissect, find_tshark, key_preferences, read_fields, tell_version

CAPTURES = Path(__file__).parents[1] / "captures"
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@needs_tshark
def test_fields_of_matching_frames() -> None:
    rows = list(read_fields(str(CAPTURES / "https-tls13.pcapng"), ["frame.number", "tcp.option_kind"], "tcp.flags.syn == 1"))
    assert len(rows) == 2
    assert rows[0][0].isdigit()
    assert "2" in rows[0][1].split(NEXT)


@needs_tshark
def test_a_capture_that_was_cut_gives_what_it_has(tmp_path: Path) -> None:
    whole = (CAPTURES / "https-tls13.pcapng").read_bytes()
    (tmp_path / "cut.pcapng").write_bytes(whole[:-1000])
    frames = [list(read_fields(str(path), ["frame.number"])) for path in (tmp_path / "cut.pcapng", CAPTURES / "https-tls13.pcapng")]
    assert 0 < len(frames[0]) < len(frames[1])


@needs_tshark
def test_complaints_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--display-filter tcp\.nope: .*tcp\.nope.*\.$"):
        list(read_fields(str(CAPTURES / "https-tls13.pcapng"), ["frame.number"], "tcp.nope"))
    with pytest.raises(AnalyzerError, match="tshark: "):
        list(read_fields(str(tmp_path / "missing.pcap"), ["frame.number"]))


def test_without_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    class TSharkNotFoundException(Exception):  # noqa: N818 - the name it has there
        pass

    def get_process_path() -> str:
        raise TSharkNotFoundException

    fake = SimpleNamespace(TSharkNotFoundException=TSharkNotFoundException, get_process_path=get_process_path)
    monkeypatch.setitem(sys.modules, "pyshark", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "pyshark.tshark", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "pyshark.tshark.tshark", fake)
    with pytest.raises(AnalyzerError, match="sudo apt-get install tshark"):
        find_tshark()


def test_keys() -> None:
    assert key_preferences([]) == []
    assert key_preferences([Path("a.log"), Path("b.log")]) == ["-o", "tls.keylog_file:a.log"]


@needs_tshark
def test_dissection_and_version() -> None:
    packets = list(dissect(str(CAPTURES / "dns-tcp.pcap")))
    assert len(packets) > 10
    assert packets[0][0] == "Layer ETH"
    assert any("Name: " in line for packet in packets for line in packet)
    assert tell_version(find_tshark()).startswith("TShark ")
    assert tell_version(sys.executable) == "tshark"
