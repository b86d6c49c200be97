"""Frames of Initial and Handshake packets (RFC 9000 12.4): few and rare, so they are read in Python."""

from __future__ import annotations

from typing import NamedTuple

from analyzer.messages.quic.parameters import read_varint

PADDING, PING, ACK, ACK_ECN, CRYPTO, CLOSE, APPLICATION_CLOSE = 0, 1, 2, 3, 6, 0x1C, 0x1D
ACK_RANGES = 1024  # of one frame, before it is taken for nonsense


class Close(NamedTuple):
    """CONNECTION_CLOSE (RFC 9000 19.19)."""

    is_application: bool
    code: int
    frame_type: int
    reason: bytes


class Frames(NamedTuple):
    """What a packet of the handshake holds."""

    crypto: list[tuple[int, bytes]]
    close: Close | None
    is_good: bool


def _pass_ack(content: bytes, at: int, *, has_ecn: bool) -> int:
    """Position after an ACK frame whose type ends at ``at``; -1 = malformed."""
    for k in range(4):
        value, at = read_varint(content, at)
        if value < 0:
            return -1
        if k == 2:
            ranges = value
    if ranges > ACK_RANGES:
        return -1
    for _ in range(2 * ranges + (3 if has_ecn else 0)):
        value, at = read_varint(content, at)
        if value < 0:
            return -1
    return at


def _read_close(content: bytes, at: int, kind: int) -> tuple[Close | None, int]:
    code, at = read_varint(content, at)
    frame_type = 0
    if kind == CLOSE:
        frame_type, at = read_varint(content, at)
    size, at = read_varint(content, at)
    if code < 0 or frame_type < 0 or size < 0 or at + size > len(content):
        return None, -1
    return Close(kind == APPLICATION_CLOSE, code, frame_type, content[at : at + size]), at + size


def read_frames(content: bytes) -> Frames:
    """The frames of an opened Initial or Handshake packet, up to the first that is not well-formed."""
    crypto: list[tuple[int, bytes]] = []
    close = None
    at, end = 0, len(content)
    while 0 <= at < end:
        kind = content[at]
        at += 1
        if kind == PADDING:
            at = end - len(content[at:].lstrip(b"\0"))
        elif kind == CRYPTO:
            offset, at = read_varint(content, at)
            size, at = read_varint(content, at)
            if offset < 0 or size < 0 or at + size > end:
                at = -1
            else:
                crypto.append((offset, content[at : at + size]))
                at += size
        elif kind in (ACK, ACK_ECN):
            at = _pass_ack(content, at, has_ecn=kind == ACK_ECN)
        elif kind in (CLOSE, APPLICATION_CLOSE):
            close, at = _read_close(content, at, kind)
        elif kind != PING:
            at = -1
    return Frames(crypto, close, at >= 0)
