"""dumpcap: its command line, its complaints, its rights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analyzer.capture.live.dumpcap import Dumpcap, build_command, find_dumpcap, has_file_rights
from analyzer.capture.live.engine import LiveOptions
from analyzer.errors import CaptureError


def test_the_command_line() -> None:
    options = LiveOptions(("eth0", "eth1"), bpf="port 53", snaplen=96, packets=7, write=Path("kept.pcapng"))
    words = build_command("/x/dumpcap", options)
    begin = ["/x/dumpcap", "-q", "-n", "-s", "96", "-B", "64", "-p"]
    assert words == [*begin, "-f", "port 53", "-c", "7", "-i", "eth0", "-i", "eth1", "-w", "-"]
    assert "kept.pcapng" not in words
    assert "-p" not in build_command("dumpcap", LiveOptions(("eth0",), promiscuous=True))


def test_it_is_found_where_the_path_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "dumpcap"
    helper.write_text("#!/bin/sh\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_dumpcap() == str(helper)
    assert not has_file_rights(str(helper))
    assert not has_file_rights(str(tmp_path / "none"))


def fake(folder: Path, script: str) -> str:
    path = folder / "dumpcap"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_what_it_complains_of_is_one_sentence(tmp_path: Path) -> None:
    path = fake(tmp_path, "echo 'Capturing on lo' >&2; echo 'dumpcap: You have no right.' >&2; echo 'Please do this' >&2; exit 1")
    with pytest.raises(CaptureError, match=r"^dumpcap says: You have no right\.$"):
        Dumpcap(path, LiveOptions(("lo",)))


def test_its_bytes_come_as_they_are_and_its_death_is_told(tmp_path: Path) -> None:
    engine = Dumpcap(fake(tmp_path, "printf 0123456789; sleep 0.2; printf abc; echo 'it broke' >&2; exit 3"), LiveOptions(("lo",)))
    got = bytearray()
    piece = bytearray(100)
    while (size := engine.read(memoryview(piece), 5.0)) is not None:
        got += piece[:size]
    assert got == b"0123456789abc"
    assert engine.trouble == "dumpcap says: it broke."
    engine.close()
    engine.close()


def test_it_ends_when_it_is_told(tmp_path: Path) -> None:
    script = "trap 'printf end; exit 0' INT; printf begin; while :; do sleep 0.05; done"
    engine = Dumpcap(fake(tmp_path, script), LiveOptions(("lo",)))
    piece = bytearray(100)
    assert engine.read(memoryview(piece), 5.0) == 5
    assert engine.read(memoryview(piece), 0.0) == 0
    engine.stop()
    assert engine.read(memoryview(piece), 5.0) == 3
    assert engine.read(memoryview(piece), 5.0) is None
    assert engine.trouble == ""
    engine.close()


@pytest.mark.skipif(shutil.which("dumpcap") is None, reason="needs dumpcap")
def test_the_real_one_refuses_an_interface_that_is_not_there() -> None:
    with pytest.raises(CaptureError, match="dumpcap says: "):
        Dumpcap(str(find_dumpcap()), LiveOptions(("no-such-interface",)))
