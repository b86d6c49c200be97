"""Block ends against a plain walk."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.capture.live.block_kernels import find_end
from analyzer.capture.live.ring import block

HEAD = block(0x0A0D0D0A, b"x" * 20) + block(1, b"y" * 8)
STREAM = HEAD + block(6, b"z" * 33) + block(5, b"s" * 12) + block(6, b"")


def find(content: bytes, *, only_head: bool = False) -> tuple[int, int]:
    end, missing = find_end(np.frombuffer(content, np.uint8).copy(), 0, len(content), int(only_head))
    return int(end), int(missing)


@pytest.mark.parametrize("size", range(len(STREAM) + 1))
def test_every_cut(size: int) -> None:
    ends = [0]
    while ends[-1] < len(STREAM):
        ends.append(ends[-1] + int.from_bytes(STREAM[ends[-1] + 4 : ends[-1] + 8], "little"))
    end, missing = find(STREAM[:size])
    assert end == max(at for at in ends if at <= size)
    assert missing == 0 or end + missing + (size - end) in ends


def test_the_head_ends_before_the_first_packet() -> None:
    assert find(STREAM, only_head=True)[0] == len(HEAD)
    assert find(HEAD, only_head=True)[0] == len(HEAD)


def test_what_is_no_block_is_told() -> None:
    assert find(b"\0" * 12) == (0, -1)
