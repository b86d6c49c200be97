"""Blocks of a packet ring, built byte by byte, become pcapng that dpkt reads."""

from __future__ import annotations

import io
import struct

import dpkt
import numpy as np
import pytest

from analyzer.capture.live import ring_kernels as rk
from analyzer.capture.live.engine import LiveOptions
from analyzer.capture.live.ring import COOKED, ETHERNET, interface_description, section_header
from analyzer.capture.live.ring_kernels import take_block
from analyzer.kernel import DONE, GROW_ROWS

HEAD, MAC_AT = 48, 80


def ring_packet(
    content: bytes, ts: tuple[int, int], *, length: int = 0, vlan: tuple[int, int] | None = None, kind: int = 0, **link: int
) -> bytes:
    """One packet as the kernel lays it out; the next begins right behind it."""
    status = 1 | (rk.VLAN_VALID | rk.TPID_VALID if vlan else 0)
    body = struct.pack("=2xHiHBB8s", link.get("protocol", 0x0008), link.get("index", 7), 1, kind, 6, b"\1\2\3\4\5\6\0\0")
    size = (MAC_AT + len(content) + 15) & ~15
    tag = vlan or (0, 0)
    head = struct.pack("=IIIIIIHHIIHH8x", size, *ts, len(content), length or len(content), status, MAC_AT, MAC_AT, 0, tag[0], tag[1], 0)
    return (head + b"\0\0" + body[2:]).ljust(MAC_AT, b"\0")[:MAC_AT] + content.ljust(size - MAC_AT, b"\xee")


def ring_of(packets: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    header = struct.pack("=IIIIIIQIIII", 1, 0, 1, len(packets), HEAD, 0, 0, 0, 0, 0, 0)
    return np.frombuffer(header.ljust(HEAD, b"\0") + b"".join(packets) + bytes(64), np.uint8).copy()


def take(packets: list[bytes], *, room: int = 1 << 16, **options: int) -> tuple[bytes, list[int]]:
    """All bytes, with as many calls as the room needs; how the calls ended."""
    ring, state, face = ring_of(packets), np.zeros(rk.STATE_SIZE, np.int64), np.zeros(rk.FACE_SIZE, np.int64)
    state[rk.MOST] = options.get("most", 1 << 62)
    face[rk.IS_COOKED], face[rk.LOOPBACK] = options.get("cooked", 0), options.get("loopback", -1)
    got, ends = b"", []
    while not ends or ends[-1] != DONE:
        out = np.zeros(room, np.uint8)
        state[rk.TOP] = 0
        ends.append(int(take_block(ring, out, state, face)))
        got += out[: int(state[rk.TOP])].tobytes()
    assert state[rk.NEXT] == 0
    return got, ends


def packets_of(content: bytes, linktype: int = ETHERNET) -> list[tuple[float, bytes]]:
    file = section_header() + interface_description("x", linktype, LiveOptions(("x",), bpf="tcp")) + content
    return list(dpkt.pcapng.Reader(io.BytesIO(file)))


CONTENT = [bytes(range(n)) for n in (14, 60, 61, 62, 63, 200)]


@pytest.mark.parametrize("room", [300, 500, 1 << 16])
def test_packets_are_those_of_the_ring_however_small_the_room(room: int) -> None:
    packets = [ring_packet(content, (1_700_000_000 + i, 5)) for i, content in enumerate(CONTENT)]
    got, ends = take(packets, room=room)
    assert [content for _, content in packets_of(got)] == CONTENT
    assert [int(ts) for ts, _ in packets_of(got)] == [1_700_000_000 + i for i in range(len(CONTENT))]
    assert set(ends[:-1]) <= {GROW_ROWS}
    assert (len(ends) > 1) == (room < 1 << 16)


def test_times_are_whole_nanoseconds_and_lengths_those_of_the_wire() -> None:
    got, _ = take([ring_packet(b"x" * 20, (1_700_000_000, 123_456_789), length=1500)])
    high, low, caplen, length = struct.unpack_from("<IIII", got, 12)
    assert (high << 32 | low, caplen, length) == (1_700_000_000_123_456_789, 20, 1500)


def test_a_vlan_tag_is_put_back() -> None:
    frame = bytes(range(12)) + b"\x08\x00payload"
    got, _ = take([ring_packet(frame, (1, 0), vlan=(0x2005, 0x88A8))])
    assert packets_of(got)[0][1] == frame[:12] + b"\x88\xa8\x20\x05" + frame[12:]


def test_an_echo_on_the_loopback_interface_is_left_out() -> None:
    packets = [ring_packet(b"a" * 20, (1, 0), kind=rk.OUTGOING, index=1), ring_packet(b"b" * 20, (1, 0), index=1)]
    got, _ = take(packets, loopback=1)
    assert [content[:1] for _, content in packets_of(got)] == [b"b"]
    assert len(packets_of(take(packets, loopback=2)[0])) == 2


def test_no_more_packets_than_wanted() -> None:
    got, ends = take([ring_packet(content, (1, 0)) for content in CONTENT], most=2)
    assert len(packets_of(got)) == 2
    assert ends == [DONE]


def test_frames_without_link_layer_get_the_cooked_header() -> None:
    got, _ = take([ring_packet(b"E" + bytes(19), (1, 0), kind=4, index=7)], cooked=1)
    (_, content), *_ = packets_of(got, COOKED)
    protocol, _, index, hardware, kind, size = struct.unpack_from(">HHIHBB", content)
    assert (protocol, index, hardware, kind, size) == (0x0800, 7, 1, 4, 6)
    assert content[20:] == b"E" + bytes(19)
    tagged, _ = take([ring_packet(b"E" + bytes(19), (1, 0), vlan=(5, 0x8100))], cooked=1)
    assert packets_of(tagged, COOKED)[0][1][20:25] == b"\x00\x05\x08\x00E"
