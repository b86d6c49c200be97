"""QUIC numbers and their names: versions, transport errors, transport parameters, frames; HTTP/3 errors.

Source: IANA registry "QUIC", state of 2026-11; RFC 9000 (20.1, 18.2, 12.4), RFC 9114 (8.1), RFC 9204 (6), RFC 9369. Versions that
are not in the registry but in captures: drafts of the IETF, Google QUIC (its version is four letters), Facebook's mvfst.
"""

from __future__ import annotations

from typing import Final

VERSION_1: Final = 0x00000001
VERSION_2: Final = 0x6B3343CF
FIRST_DRAFT, LAST_DRAFT = 0xFF000017, 0xFF000022  # drafts 23 to 34: those whose Initial packets can be opened

VERSIONS: Final[dict[int, str]] = {VERSION_1: "1", VERSION_2: "2"}


def is_reserved_version(code: int) -> bool:
    """Versions of the form 0x?a?a?a?a force a version negotiation (RFC 9000 15)."""
    return code & 0x0F0F0F0F == 0x0A0A0A0A


def version_name(code: int) -> str:
    """A version in words: `1`, `2`, `draft 29`, `Q046`, `mvfst 2`, `reserved 0x1a2a3a4a`; else `0xNNNNNNNN`."""
    if code in VERSIONS:
        return VERSIONS[code]
    if code >> 8 == 0xFF0000:
        return f"draft {code & 0xFF}"
    if code >> 4 == 0xFACEB00:
        return f"mvfst {code & 15}"
    letters = code.to_bytes(4, "big")
    if letters[:1] in (b"Q", b"T", b"P") and letters[1:].isdigit():
        return letters.decode("ascii")
    return f"reserved 0x{code:08x}" if is_reserved_version(code) else f"0x{code:08x}"


def zeek_version_name(code: int) -> str:
    """Zeek's name of a version (its script base/protocols/quic/consts)."""
    if code == VERSION_2:
        return "quicv2"
    if code == VERSION_1:
        return "1"
    return f"draft-{code & 0xFF}" if code >> 8 == 0xFF0000 else f"unknown-{code:x}"


TRANSPORT_ERRORS: Final[dict[int, str]] = dict(
    enumerate(
        (
            "NO_ERROR", "INTERNAL_ERROR", "CONNECTION_REFUSED", "FLOW_CONTROL_ERROR", "STREAM_LIMIT_ERROR", "STREAM_STATE_ERROR",
            "FINAL_SIZE_ERROR", "FRAME_ENCODING_ERROR", "TRANSPORT_PARAMETER_ERROR", "CONNECTION_ID_LIMIT_ERROR",
            "PROTOCOL_VIOLATION", "INVALID_TOKEN", "APPLICATION_ERROR", "CRYPTO_BUFFER_EXCEEDED", "KEY_UPDATE_ERROR",
            "AEAD_LIMIT_REACHED", "NO_VIABLE_PATH", "VERSION_NEGOTIATION_ERROR",
        )
    )
)  # fmt: skip


def transport_error_name(code: int) -> str:
    """An error of CONNECTION_CLOSE (0x1c); CRYPTO_ERROR carries a TLS alert in its lower byte (RFC 9001 4.8)."""
    if code >> 8 == 1:
        return f"CRYPTO_ERROR {code & 0xFF}"
    return TRANSPORT_ERRORS.get(code) or f"0x{code:x}"


HTTP3_ERRORS: Final[dict[int, str]] = {
    0x0100: "H3_NO_ERROR",
    0x0101: "H3_GENERAL_PROTOCOL_ERROR",
    0x0102: "H3_INTERNAL_ERROR",
    0x0103: "H3_STREAM_CREATION_ERROR",
    0x0104: "H3_CLOSED_CRITICAL_STREAM",
    0x0105: "H3_FRAME_UNEXPECTED",
    0x0106: "H3_FRAME_ERROR",
    0x0107: "H3_EXCESSIVE_LOAD",
    0x0108: "H3_ID_ERROR",
    0x0109: "H3_SETTINGS_ERROR",
    0x010A: "H3_MISSING_SETTINGS",
    0x010B: "H3_REQUEST_REJECTED",
    0x010C: "H3_REQUEST_CANCELLED",
    0x010D: "H3_REQUEST_INCOMPLETE",
    0x010E: "H3_MESSAGE_ERROR",
    0x010F: "H3_CONNECT_ERROR",
    0x0110: "H3_VERSION_FALLBACK",
    0x0200: "QPACK_DECOMPRESSION_FAILED",
    0x0201: "QPACK_ENCODER_STREAM_ERROR",
    0x0202: "QPACK_DECODER_STREAM_ERROR",
}


def application_error_name(code: int) -> str:
    """An error of CONNECTION_CLOSE (0x1d), STOP_SENDING or RESET_STREAM by the names of HTTP/3."""
    return HTTP3_ERRORS.get(code) or f"0x{code:x}"


TRANSPORT_PARAMETERS: Final[dict[int, str]] = {
    0x00: "original_destination_connection_id",
    0x01: "max_idle_timeout",
    0x02: "stateless_reset_token",
    0x03: "max_udp_payload_size",
    0x04: "initial_max_data",
    0x05: "initial_max_stream_data_bidi_local",
    0x06: "initial_max_stream_data_bidi_remote",
    0x07: "initial_max_stream_data_uni",
    0x08: "initial_max_streams_bidi",
    0x09: "initial_max_streams_uni",
    0x0A: "ack_delay_exponent",
    0x0B: "max_ack_delay",
    0x0C: "disable_active_migration",
    0x0D: "preferred_address",
    0x0E: "active_connection_id_limit",
    0x0F: "initial_source_connection_id",
    0x10: "retry_source_connection_id",
    0x11: "version_information",
    0x20: "max_datagram_frame_size",
    0x173E: "discard",
    0x2AB2: "grease_quic_bit",
    0x3127: "initial_rtt",
    0x3128: "google_connection_options",
    0x3129: "user_agent",
    0x4752: "google_version",
    0x7157: "timestamp",
    0xDE1A: "min_ack_delay_draft",
    0xFF02DE1A: "min_ack_delay",
    0xFF03DE1A: "min_ack_delay",
    0xFF73DB: "version_information_draft",
}


def is_reserved_parameter(code: int) -> bool:
    """Parameters of the form 31 * n + 27 mean nothing (RFC 9000 18.1)."""
    return code >= 27 and (code - 27) % 31 == 0


def transport_parameter_name(code: int) -> str:
    """A transport parameter by its name."""
    return TRANSPORT_PARAMETERS.get(code) or f"0x{code:x}"
