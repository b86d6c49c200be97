"""Rows of messages/websocket (RFC 6455)."""

from __future__ import annotations

from analyzer.tables import row_type

CONTINUATION, TEXT, BINARY = 0, 1, 2
CLOSE, PING, PONG = 8, 9, 10

# ---- WEBSOCKET_END.error: index into ERRORS
ERRORS = (
    "none",
    "reserved opcode",
    "control frame too long or in fragments",
    "continuation without a message",
    "message within a message",
    "not masked as its end must",
    "close frame too short",
    "bytes are missing",
)
RESERVED, LONG_CONTROL, LONE_CONTINUATION, INTERRUPTED, MASKING, SHORT_CLOSE, MISSING = range(1, 8)
REASON = 123  # bytes of a close reason at most (RFC 6455 5.5)

# One direction of a WebSocket, row 2 * connection + sender: its framing state, and what it carried. All zero = nothing seen.
WEBSOCKET_END = row_type(
    "WEBSOCKET_END",
    ("have", "i8", "bytes of the frame header as far as it came"),
    ("head", ("u1", (14,)), "and these bytes"),
    ("remaining", "i8", "bytes of the payload still to come"),
    ("payload", "i8", "its length"),
    ("opcode", "u1", "of the frame"),
    ("is_final", "u1", "FIN of the frame"),
    ("is_masked", "u1", "1: its payload is masked"),
    ("in_message", "u1", "1: a message in fragments has begun"),
    ("is_lost", "u1", "1: it is read no further"),
    ("frames", "i8", "frames"),
    ("messages", "i8", "messages that ended, control frames left out"),
    ("text_messages", "i8", "messages of text that began"),
    ("binary_messages", "i8", "binary messages that began"),
    ("fragments", "i8", "continuation frames"),
    ("pings", "i8", "pings"),
    ("pongs", "i8", "pongs"),
    ("compressed", "i8", "messages with RSV1 set (permessage-deflate)"),
    ("payload_bytes", "i8", "bytes of payload of messages"),
    ("close_code", "i4", "1 + its close code (1005: none was given), 0 = no close frame"),
    ("close_number", "i8", "frame of the close frame"),
    ("close_ts", "i8", "its time, ns"),
    ("reason", ("u1", (REASON,)), "reason of the close"),
    ("reason_length", "u1", "its length"),
    ("first_ts", "i8", "first byte, ns"),
    ("last_ts", "i8", "last byte, ns"),
    ("error", "u1", "what was wrong first, see ERRORS"),
    ("error_number", "i8", "frame of that"),
)

# One WebSocket. Its two ends follow it in the order (client, server).
WEBSOCKET = row_type(
    "WEBSOCKET",
    ("connection", "i4", "row of the connection tables"),
    ("client", "u1", "which end (sender) is the client"),
    ("is_inside", "u1", "1: it was decrypted"),
    ("exchange_index", "i4", "index of the exchange that opened it"),
)
