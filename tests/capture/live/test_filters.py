"""Filters: compiled for our own socket."""

from __future__ import annotations

import shutil
import struct

import pytest

from analyzer.capture.live.engine import LiveOptions
from analyzer.capture.live.filters import PROTOCOL_OF_FRAME, compile_filter, cook
from analyzer.errors import UsageError

needs_tcpdump = pytest.mark.skipif(shutil.which("tcpdump") is None, reason="needs tcpdump")


def steps(program: bytes) -> list[tuple[int, ...]]:
    return list(struct.iter_unpack("=HBBI", program))


def test_without_a_filter_only_the_length_is_cut() -> None:
    assert steps(compile_filter(LiveOptions(("lo",), snaplen=96), is_cooked=False)) == [(6, 0, 0, 96)]


@needs_tcpdump
def test_a_filter_is_compiled_and_accepts_as_much_as_is_kept() -> None:
    program = steps(compile_filter(LiveOptions(("lo",), bpf="tcp port 80", snaplen=96), is_cooked=False))
    assert program[0] == (0x28, 0, 0, 12)  # EtherType
    assert {step[3] for step in program if step[0] == 6} == {96, 0}


@needs_tcpdump
def test_a_filter_for_cooked_frames_asks_the_kernel_for_the_protocol() -> None:
    program = steps(compile_filter(LiveOptions(("any",), bpf="udp port 53"), is_cooked=True))
    assert program[0] == (0x28, 0, 0, PROTOCOL_OF_FRAME)
    assert all(step[3] < 100 or step[3] >= 0x8000 for step in program if step[0] in (0x20, 0x28, 0x30))


def test_cooked_frames_have_no_link_layer() -> None:
    assert cook((0x30, 0, 0, 29), "x") == (0x30, 0, 0, 9)
    assert cook((0x15, 1, 2, 17), "x") == (0x15, 1, 2, 17)
    with pytest.raises(UsageError, match="link layer"):
        cook((0x20, 0, 0, 12), "ether host 1:2:3:4:5:6")


@needs_tcpdump
def test_what_is_no_filter_is_one_sentence() -> None:
    with pytest.raises(UsageError, match=r'^--bpf: "port nonsense" is no capture filter: .*[^.]\.$'):
        compile_filter(LiveOptions(("lo",), bpf="port nonsense"), is_cooked=False)


def test_without_any_compiler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(UsageError, match="apt install tcpdump"):
        compile_filter(LiveOptions(("lo",), bpf="tcp"), is_cooked=False)
