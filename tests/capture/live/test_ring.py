"""The AF_PACKET ring on a cable of our own; skipped where interfaces cannot be made."""

from __future__ import annotations

import io
import time

import dpkt
import pytest

from analyzer.capture.live.engine import LEAST_ROOM, LiveOptions
from analyzer.capture.live.interfaces import CAP_NET_RAW, has_capability
from analyzer.capture.live.ring import Ring, block, option
from analyzer.errors import CaptureError
from tests.capture.live.lab import cable, frames, ip, send

FRAMES = frames("http-plain.pcapng")


def read_all(ring: Ring, *, is_stopped: bool = True) -> bytes:
    got, piece = bytearray(), bytearray(LEAST_ROOM)
    if is_stopped:
        ring.stop()
    until = time.monotonic() + 20
    while (size := ring.read(memoryview(piece), 0.1)) is not None and time.monotonic() < until:
        got += piece[:size]
    return bytes(got)


def packets_of(content: bytes) -> list[bytes]:
    return [packet for _, packet in dpkt.pcapng.Reader(io.BytesIO(content))]


def test_blocks_and_options_are_padded() -> None:
    assert block(5, b"abc") == b"\x05\0\0\0\x10\0\0\0abc\0\x10\0\0\0"
    assert option(2, b"lo") == b"\x02\0\x02\0lo\0\0"


def test_what_is_sent_is_seen() -> None:
    with cable() as (here, there):
        ring = Ring(LiveOptions((there,), buffer_bytes=8 << 20))
        ring.begin()
        send(here, FRAMES)
        content = read_all(ring)
        ring.close()
        assert packets_of(content) == FRAMES
        assert ring.dropped == 0
        assert content[-24:-4].count(b"\0") > 10  # statistics at the end


def test_filter_length_and_number() -> None:
    with cable() as (here, there):
        ring = Ring(LiveOptions((there,), bpf="tcp", snaplen=60, packets=5))
        ring.begin()
        send(here, FRAMES)
        got = packets_of(read_all(ring, is_stopped=False))
        ring.close()
        expected = [frame[:60] for frame in FRAMES if frame[12:14] == b"\x08\0" and frame[23] == 6][:5]
        assert got == expected


def test_an_interface_that_goes_away_ends_it() -> None:
    with cable() as (here, there):
        ring = Ring(LiveOptions((there,)))
        ring.begin()
        ip("link", "del", here)
        read_all(ring, is_stopped=False)
        assert ring.trouble == f"{there} is down, or gone."
        ring.close()


@pytest.mark.skipif(has_capability(CAP_NET_RAW), reason="needs to have no rights")
def test_without_rights_it_is_one_sentence() -> None:
    with pytest.raises(CaptureError, match="cannot be captured on"):
        Ring(LiveOptions(("lo",)))
