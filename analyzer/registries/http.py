"""Numbers of HTTP/2, HTTP/3, WebSocket and gRPC.

Source: IANA registries "HTTP/2 Error Code", "HTTP/2 Settings", "HTTP/3 Error Codes" (with those of QPACK, RFC 9204 6), "WebSocket Close
Code Number", state of 2026-11; gRPC "Status codes and their use".
"""

from __future__ import annotations

from typing import Final

from analyzer.registries.listing import numbered

HTTP2_ERRORS: Final = numbered(
    """
NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR REFUSED_STREAM CANCEL
COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED
"""
)

HTTP3_ERRORS: Final = {
    **numbered(
        """
H3_NO_ERROR H3_GENERAL_PROTOCOL_ERROR H3_INTERNAL_ERROR H3_STREAM_CREATION_ERROR H3_CLOSED_CRITICAL_STREAM H3_FRAME_UNEXPECTED
H3_FRAME_ERROR H3_EXCESSIVE_LOAD H3_ID_ERROR H3_SETTINGS_ERROR H3_MISSING_SETTINGS H3_REQUEST_REJECTED H3_REQUEST_CANCELLED
H3_REQUEST_INCOMPLETE H3_MESSAGE_ERROR H3_CONNECT_ERROR H3_VERSION_FALLBACK
""",
        first=0x100,
    ),
    **numbered("QPACK_DECOMPRESSION_FAILED QPACK_ENCODER_STREAM_ERROR QPACK_DECODER_STREAM_ERROR", first=0x200),
}

HTTP2_SETTINGS: Final = {
    **numbered(
        """
header_table_size enable_push max_concurrent_streams initial_window_size max_frame_size max_header_list_size
""",
        first=1,
    ),
    8: "enable_connect_protocol",
    9: "no_rfc7540_priorities",
}

GRPC_STATUSES: Final = numbered(
    """
OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED
FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED
"""
)

WEBSOCKET_OPCODES: Final = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}

WEBSOCKET_CLOSES: Final = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1005: "no status received",
    1006: "abnormal closure",
    1007: "invalid payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "mandatory extension",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
}


def http2_error_name(code: int) -> str:
    """Name of an HTTP/2 error code; unknown ones keep their number."""
    return HTTP2_ERRORS.get(code, f"ERROR{code}")


def http3_error_name(code: int) -> str:
    """Name of an HTTP/3 error code; unknown ones keep their number."""
    return HTTP3_ERRORS.get(code, f"ERROR{code}")


def setting_name(code: int) -> str:
    """Name of an HTTP/2 setting; unknown ones keep their number."""
    return HTTP2_SETTINGS.get(code, f"setting{code}")


def grpc_status_name(code: int) -> str:
    """Name of a gRPC status; unknown ones keep their number."""
    return GRPC_STATUSES.get(code, f"STATUS{code}")


def close_name(code: int) -> str:
    """What a WebSocket close code means; unknown ones keep their number."""
    return WEBSOCKET_CLOSES.get(code, f"code {code}")
