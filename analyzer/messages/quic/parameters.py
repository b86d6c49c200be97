"""Transport parameters (RFC 9000 18) in a ClientHello or EncryptedExtensions, as text."""

from __future__ import annotations

from typing import Final

from analyzer.registries.quic import is_reserved_parameter, transport_parameter_name, version_name

EXTENSIONS: Final = (57, 0xFFA5)  # quic_transport_parameters, and that of drafts before 33
IDLE_TIMEOUT: Final = 1
_NUMBERS: Final = frozenset({1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 0x20, 0x3127, 0xDE1A, 0xFF02DE1A, 0xFF03DE1A})
_VERSIONS: Final = frozenset({0x11, 0xFF73DB})
_TEXTS: Final = frozenset({0x3129})


def read_varint(content: bytes, at: int) -> tuple[int, int]:
    """(value, position after it); -1 = it does not fit."""
    if at >= len(content):
        return -1, at
    wide = 1 << (content[at] >> 6)
    if at + wide > len(content):
        return -1, at
    return int.from_bytes(content[at : at + wide], "big") & ((1 << (8 * wide - 2)) - 1), at + wide


def find_extension(kind: int, body: bytes) -> bytes:
    """The transport parameters extension of a ClientHello (1) or EncryptedExtensions (8); empty where there is none."""
    at = 0
    if kind == 1:
        at = 34
        for wide in (1, 2, 1):
            size = int.from_bytes(body[at : at + wide], "big")
            at += wide + size
    end = min(len(body), at + 2 + int.from_bytes(body[at : at + 2], "big"))
    at += 2
    while at + 4 <= end:
        code, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        if code in EXTENSIONS:
            return body[at + 4 : min(at + 4 + size, end)]
        at += 4 + size
    return b""


def parse_parameters(content: bytes) -> list[tuple[int, bytes]]:
    """(code, value) of each parameter, up to the first that is not well-formed."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(content) and len(found) < 64:
        code, at = read_varint(content, at)
        size, at = read_varint(content, at)
        if code < 0 or size < 0 or at + size > len(content):
            break
        found.append((code, content[at : at + size]))
        at += size
    return found


def _value_text(code: int, value: bytes) -> str:
    if code in _NUMBERS:
        return str(read_varint(value, 0)[0])
    if code in _VERSIONS:
        return "+".join(version_name(int.from_bytes(value[at : at + 4], "big")) for at in range(0, len(value) - 3, 4))
    if code in _TEXTS:
        return value[:64].decode("latin-1").replace(",", ";")
    return value[:64].hex()


def describe_parameters(parameters: list[tuple[int, bytes]]) -> str:
    """``name=value`` joined by commas; reserved ones, which mean nothing, are left out."""
    told = []
    for code, value in parameters:
        if not is_reserved_parameter(code):
            text = _value_text(code, value)
            told.append(f"{transport_parameter_name(code)}={text}" if text else transport_parameter_name(code))
    return ",".join(told)


def idle_timeout(parameters: list[tuple[int, bytes]]) -> int:
    """max_idle_timeout in ms; 0 = none."""
    return next((max(read_varint(value, 0)[0], 0) for code, value in parameters if code == IDLE_TIMEOUT), 0)
