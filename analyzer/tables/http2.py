"""Rows of messages/http2 (RFC 9113)."""

from __future__ import annotations

from analyzer.tables import row_type

# ---- HTTP2_FRAME.kind: frame types (RFC 9113 6, RFC 7838 4) ...
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION, ALTSVC = range(11)
# ... and two that are no frames: the client's preface, and bytes that are missing or cannot be read
PREFACE, LOSS = 254, 255

# ---- bits of HTTP2_FRAME.frame_flags
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 32

# ---- bits of HTTP2_FRAME.marks
FIRST_PIECE, LAST_PIECE = 1, 2
NOT_READ = 4  # the payload is larger than the limit, or parts of it are missing

# One frame, or of DATA what one run has of it. Rows of one batch, in the order of their last bytes.
HTTP2_FRAME = row_type(
    "HTTP2_FRAME",
    ("connection", "i4", "row of the connection tables"),
    ("sender", "u1", "which end sent it"),
    ("kind", "u1", "frame type, see the constants"),
    ("frame_flags", "u1", "flags of the frame"),
    ("marks", "u1", "bits, see the constants"),
    ("stream", "i8", "stream id, 0 = the connection"),
    ("length", "i8", "payload length as the frame says"),
    ("position", "i8", "DATA: the body's bytes in memory, -1 = not kept; others: the payload in the payloads of the batch"),
    ("piece_bytes", "i8", "bytes there; of DATA without padding"),
    ("window_bytes", "i8", "DATA: bytes that count for flow control, padding included"),
    ("missing_bytes", "i8", "DATA: bytes of the body that are not in the capture"),
    ("first_ts", "i8", "first byte of the frame, ns"),
    ("first_number", "i8", "its frame"),
    ("last_ts", "i8", "last byte of the frame or piece, ns"),
    ("last_number", "i8", "its frame"),
)

# State of framing, one row a stream of bytes (2 * connection + sender); all zero = nothing seen. Written by messages/http2 only.
HTTP2_DIRECTION = row_type(
    "HTTP2_DIRECTION",
    ("state", "u1", "what comes next, see frame_kernels"),
    ("kind", "u1", "of the frame being read: its type"),
    ("frame_flags", "u1", "its flags"),
    ("marks", "u1", "its marks so far"),
    ("head", ("u1", (9,)), "its header as far as it came"),
    ("have", "i8", "bytes of the header, of the preface while that is read"),
    ("stream", "i8", "its stream"),
    ("length", "i8", "its payload length"),
    ("remaining", "i8", "bytes of the payload still to come"),
    ("pad", "i8", "padding at its end"),
    ("block", "i8", "arena block that collects the payload"),
    ("block_size", "i8", "its size, 0 = none"),
    ("first_ts", "i8", "first byte of the frame, ns"),
    ("first_number", "i8", "its frame"),
)

# Flow control of one stream (a row for each EXCHANGE row), or of a connection (a row for each connection). By sender.
HTTP2_FLOW = row_type(
    "HTTP2_FLOW",
    ("window", ("i8", (2,)), "bytes that each end may still send"),
    ("closed_ts", ("i8", (2,)), "since when its window is used up, ns; 0 = it is not"),
    ("waited", ("i8", (2,)), "how long it was, not counted before more is sent, ns"),
    ("stall_ns", ("i8", (2,)), "time it had to wait, ns"),
)

# What both ends of one HTTP/2 connection said about it.
HTTP2_LINK = row_type(
    "HTTP2_LINK",
    ("connection", "i4", "row of the connection tables"),
    ("client", "u1", "which end (sender) is the client"),
    ("is_partial", "u1", "1: the preface is not in the capture"),
    ("is_inside", "u1", "1: it was decrypted"),
    ("streams", "i4", "streams with a request"),
    ("pushes", "i4", "of these: pushed by the server"),
    ("resets", "i4", "streams that were reset"),
    ("frames", ("i8", (2,)), "frames by sender, DATA and unknown ones left out"),
    ("pings", "i4", "PING frames that ask"),
    ("settings", ("i8", (2, 10)), "1 + last value of each setting by sender (place = its number), 0 = not sent"),
    ("goaway_code", ("i8", (2,)), "1 + error code of the last GOAWAY by sender, 0 = none"),
    ("goaway_stream", ("i8", (2,)), "last stream it names"),
    ("goaway_number", ("i8", (2,)), "its frame"),
    ("goaway_ts", ("i8", (2,)), "its time, ns"),
    ("stall_ns", ("i8", (2,)), "time by sender that the window of the whole connection held it up, ns"),
    ("error", "u1", "0 = none; else the first anomaly, see HTTP_ERRORS"),
    ("error_number", "i8", "frame of that"),
)
