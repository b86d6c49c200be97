"""Rows of messages/http that later stages read."""

from __future__ import annotations

from analyzer.tables import row_type

# ---- what can be wrong with an exchange (EXCHANGE.error): index into HTTP_ERRORS
HTTP_ERRORS = (
    ("none", "nothing is wrong"),
    ("head_cut", "the stream ended inside a head: the fields of its whole lines are kept"),
    ("gap_in_head", "bytes of a head are missing from the capture"),
    ("head_too_large", "a head without end, or longer than the limit: its first bytes are read, what follows is not"),
    ("too_many_fields", "more header fields than the limit: the rest of them is not read"),
    (
        "bad_start_line",
        "bytes that are neither request nor response where a head should begin (nothing more is read), or a request without version",
    ),
    ("bad_status", "a status line without a status code of three digits"),
    ("bad_field", "a field line without a colon, or a fold before the first field"),
    ("length_conflict", "Content-Length fields that differ (request smuggling): the stream is read no further"),
    ("bad_length", "a Content-Length that is no number below 2**63: the stream is read no further"),
    ("length_and_chunked", "Content-Length beside a Transfer-Encoding, which wins (RFC 9112 6.3)"),
    ("bad_transfer_coding", "a request whose last transfer coding is not chunked: the stream is read no further"),
    ("bad_chunk_size", "a chunk-size line that is no hexadecimal number below 2**63, or endless: the stream is read no further"),
    ("bad_chunk_end", "chunk data not followed by a line end: the stream is read no further"),
    ("trailer_too_large", "a trailer section longer than the limit on heads: the stream is read no further"),
    ("gap_in_framing", "bytes missing where a chunk size, chunk end or trailer should be, or more than the rest of the body"),
    ("gap_before_response", "heads may be missing before this response: it was given to the newest request that waited"),
    ("too_many_pending", "more requests without answer than the limit: requests from here on are not paired with answers"),
    ("no_memory", "no room in the arena for a head that came in pieces: the stream is read no further"),
    ("bad_content_coding", "a body that is not in the coding its Content-Encoding names: it is decoded no further"),
    ("bad_frame", "a frame of HTTP/2 that is not as its type must be: it is not read"),
    ("bad_field_block", "a header block of HTTP/2 that cannot be read: its fields before the fault are kept"),
    ("too_many_streams", "more streams of one connection open at once than the limit: the oldest is read no further"),
    ("forbidden_field", "a field that HTTP/2 and 3 forbid, or with bytes that end a line in HTTP/1 (request smuggling)"),
    ("decoded_too_large", "a body that grows beyond the limits when it is decoded, or too many bodies at once: it is decoded no further"),
)
HTTP_ERROR_CODES = {name: code for code, (name, _) in enumerate(HTTP_ERRORS)}

# ---- how a body is delimited (EXCHANGE.request_framing, .response_framing; RFC 9112 6.3)
NO_BODY, BY_LENGTH, BY_CHUNKS, BY_CLOSE = 0, 1, 2, 3

# ---- Content-Encoding (EXCHANGE.request_coding, .response_coding): the outermost one; OTHER_CODING is not taken off
NO_CODING, GZIP, DEFLATE, OTHER_CODING, BROTLI, ZSTD = 0, 1, 2, 3, 4, 5
START = 128  # bytes of a decoded body that are kept to see what it is

# ---- what a body is by its first bytes (EXCHANGE.request_media, .response_media): index into MEDIA_TYPES
MEDIA_TYPES = (
    "", "text/plain", "text/html", "text/json", "application/xml", "application/javascript", "image/jpeg", "image/png", "image/gif",
    "image/x-ms-bmp", "image/tiff", "image/webp", "image/x-icon", "image/svg+xml", "application/pdf", "application/zip",
    "application/x-gzip", "application/x-bzip2", "application/x-xz", "application/x-lzma", "application/x-7z-compressed",
    "application/x-rar", "application/x-dosexec", "application/x-elf", "application/x-java-applet", "application/java-archive",
    "application/msword", "application/ocsp-request", "application/ocsp-response", "application/x-shockwave-flash", "video/mp4",
    "video/webm", "video/x-flv", "video/mpeg", "audio/mpeg", "audio/x-wav", "audio/ogg", "audio/x-flac", "font/woff", "font/woff2",
    "application/vnd.ms-cab-compressed", "application/zstd", "application/wasm", "application/soap+xml", "application/postscript",
    "text/rtf", "text/x-shellscript", "video/x-matroska", "video/quicktime", "video/x-msvideo", "application/x-tar",
)  # fmt: skip

# One request with its response (either may be missing). Spans are in the text of messages/http, as on the wire.
EXCHANGE = row_type(
    "EXCHANGE",
    ("connection", "i4", "row of the connection tables"),
    ("index", "i4", "rank on its connection, from 1 (Zeek's trans_depth)"),
    ("client", "u1", "which end (sender) is the HTTP client"),
    ("has_request", "u1", "the request head was seen"),
    ("has_response", "u1", "the final response head was seen"),
    ("request_complete", "u1", "the request ended as framed"),
    ("response_complete", "u1", "the response ended as framed (or at the close of its stream where that is its end)"),
    ("error", "u1", "0 = none; else the first anomaly (see messages/http)"),
    ("error_number", "i8", "frame of that"),
    ("status", "i4", "status code of the final response, 0 = none"),
    ("info_status", "i4", "status of the last 1xx before it, 0 = none"),
    ("request_first_ts", "i8", "first byte of the request, ns"),
    ("request_first_number", "i8", "its frame"),
    ("request_last_ts", "i8", "last byte of the request, body included, ns"),
    ("request_last_number", "i8", "its frame"),
    ("info_ts", "i8", "first byte of the first 1xx response, ns"),
    ("info_number", "i8", "its frame"),
    ("response_first_ts", "i8", "first byte of the final response, ns"),
    ("response_first_number", "i8", "its frame"),
    ("response_last_ts", "i8", "last byte of the response, body included, ns"),
    ("response_last_number", "i8", "its frame"),
    ("request_head_bytes", "i8", "bytes of the request head"),
    ("request_body_bytes", "i8", "bytes of the request body on the wire, chunk framing left out"),
    ("response_head_bytes", "i8", "bytes of the response head"),
    ("response_body_bytes", "i8", "bytes of the response body on the wire, chunk framing left out"),
    ("missing_bytes", "i8", "body bytes lost in gaps, both sides"),
    ("request_missing_bytes", "i8", "those of the request (Zeek adds what is missing to its body lengths)"),
    ("is_upgraded", "u1", "101 or CONNECT 2xx: the connection left HTTP after this exchange"),
    ("kind", "u1", "what the method means for framing the answer: 1 = HEAD, 2 = CONNECT, 0 = any other"),
    ("request_framing", "u1", "how the request body ends: NO_BODY, BY_LENGTH, BY_CHUNKS, BY_CLOSE"),
    ("response_framing", "u1", "how the response body ends, likewise"),
    ("tunnel_request_bytes", "i8", "bytes the client sent after the connection left HTTP"),
    ("tunnel_response_bytes", "i8", "bytes the server sent after the connection left HTTP"),
    ("following", "i8", "1 + row of the next exchange of its connection that waits for an answer, 0 = none (inside messages/http)"),
    ("method", "i8", "method"),
    ("method_size", "i4", "its length"),
    ("target", "i8", "request target"),
    ("target_size", "i4", "its length"),
    ("version", "i4", "HTTP version of the request times ten (11 = HTTP/1.1), 9 = HTTP/0.9, 0 = unknown"),
    ("response_version", "i4", "version of the response"),
    ("host", "i8", "Host field"),
    ("host_size", "i4", "its length"),
    ("referrer", "i8", "Referer field"),
    ("referrer_size", "i4", "its length"),
    ("user_agent", "i8", "User-Agent field"),
    ("user_agent_size", "i4", "its length"),
    ("origin", "i8", "Origin field"),
    ("origin_size", "i4", "its length"),
    ("request_type", "i8", "Content-Type of the request"),
    ("request_type_size", "i4", "its length"),
    ("response_type", "i8", "Content-Type of the response"),
    ("response_type_size", "i4", "its length"),
    ("content_encoding", "i8", "Content-Encoding of the response"),
    ("content_encoding_size", "i4", "its length"),
    ("server", "i8", "Server field"),
    ("server_size", "i4", "its length"),
    ("location", "i8", "Location field"),
    ("location_size", "i4", "its length"),
    ("upgrade", "i8", "Upgrade field of the final response"),
    ("upgrade_size", "i4", "its length"),
    ("reason", "i8", "reason phrase of the final response"),
    ("reason_size", "i4", "its length"),
    ("info_reason", "i8", "reason phrase of the last 1xx"),
    ("info_reason_size", "i4", "its length"),
    ("username", "i8", "user of Authorization: Basic (the password is never kept)"),
    ("username_size", "i4", "its length"),
    ("proxied", "i8", "proxy header fields as Zeek lists them (NAME -> value), joined by newlines"),
    ("proxied_size", "i4", "its length"),
    ("request_filename", "i8", "file name in Content-Disposition of the request"),
    ("request_filename_size", "i4", "its length"),
    ("response_filename", "i8", "file name in Content-Disposition of the response"),
    ("response_filename_size", "i4", "its length"),
    ("request_start", "i8", "first bytes of the request body, decoded"),
    ("request_start_size", "i4", "room for them"),
    ("request_start_have", "i4", "how many there are"),
    ("response_start", "i8", "first bytes of the response body, decoded"),
    ("response_start_size", "i4", "room for them"),
    ("response_start_have", "i4", "how many there are"),
    ("request_coding", "u1", "its Content-Encoding, see the constants"),
    ("response_coding", "u1", "likewise"),
    ("request_decoded_bytes", "i8", "bytes of a request body without its coding (with Options.decode_bodies)"),
    ("response_decoded_bytes", "i8", "likewise of the response"),
    ("request_is_decoded", "u1", "1: request_decoded_bytes was counted"),
    ("response_is_decoded", "u1", "1: response_decoded_bytes was counted"),
    ("request_media", "u1", "what the request body is by its first bytes: index into MEDIA_TYPES, 0 = unknown"),
    ("response_media", "u1", "likewise of the response"),
    ("stream", "i8", "1 + id of its stream in HTTP/2 or HTTP/3, 0 = it has none (HTTP/1)"),
    ("is_inferred", "u1", "1: nothing of it was read, the sizes and directions of encrypted records tell of it"),
    ("is_pushed", "u1", "1: the server pushed it (HTTP/2), the request is its promise"),
    ("reset_by", "u1", "who reset its stream first: 1 = client, 2 = server, 0 = nobody"),
    ("reset_code", "i8", "error code it gave (RFC 9113 7, RFC 9114 8.1)"),
    ("stall_ns", "i8", "time in which flow control let nothing more of its bodies pass, ns"),
    ("grpc_status", "i4", "1 + grpc-status, 0 = none"),
    ("request_head", "i8", "the request's head as sent (with Options.keep_heads); HTTP/2 and 3: its fields as lines, pseudo-fields first"),
    ("request_head_size", "i4", "its length"),
    ("response_head", "i8", "likewise of the final response, trailers as further lines"),
    ("response_head_size", "i4", "its length"),
)

# Bytes of bodies to be decoded, in order; those of one message that follow each other are one row. Rows of one batch.
CODED_PIECE = row_type(
    "CODED_PIECE",
    ("exchange", "i8", "EXCHANGE row"),
    ("is_response", "u1", "which body of it"),
    ("position", "i8", "in the coded bytes of the batch"),
    ("piece_bytes", "i8", "bytes"),
)

# Where a connection left HTTP (101, CONNECT 2xx): what begins at these stream offsets is another protocol. Rows of one batch.
HTTP_TUNNEL = row_type(
    "HTTP_TUNNEL",
    ("connection", "i4", "row of the connection tables"),
    ("sender", "u1", "which end's stream"),
    ("is_connect", "u1", "1: CONNECT, 0: 101 Switching Protocols (see EXCHANGE.upgrade)"),
    ("offset", "i8", "stream offset of the first byte of the other protocol"),
    ("exchange_index", "i4", "index of the exchange that opened it"),
    ("exchange", "i8", "1 + EXCHANGE row of it, valid until rows leave"),
)

# State of framing, one row a stream (2 * connection + sender); all zero = nothing seen. Written by messages/http only.
HTTP_STREAM = row_type(
    "HTTP_STREAM",
    ("state", "u1", "what comes next, see messages/http"),
    ("role", "u1", "0 = not known yet, 1 = client, 2 = server"),
    ("is_judged", "u1", "the first line of the head being collected is no HTTP/0.9 request"),
    ("is_after_gap", "u1", "framing was found again after a gap: the next head may not follow the one before"),
    ("digits", "u1", "of the chunk-size line: 0 = none yet, 1 = in the number, 2 = after it"),
    ("exchange", "i8", "1 + EXCHANGE row of the message being read, 0 = none"),
    ("wants", "i8", "bytes of the body still to be looked at: its first ones, or all of a coded one"),
    ("remaining", "i8", "bytes of the body or chunk still to come"),
    ("chunk", "i8", "size of the chunk as read so far"),
    ("block", "i8", "position of the arena block that collects a head"),
    ("block_size", "i8", "its size, 0 = none"),
    ("have", "i8", "bytes of the head in it; of a chunk-size line or trailer section: bytes so far"),
    ("line", "i8", "where its last line begins, relative to its start; of a trailer: bytes of the line so far"),
    ("first_ts", "i8", "time of the first byte of that head, ns"),
    ("first_number", "i8", "its frame"),
    ("first_offset", "i8", "its stream offset"),
    ("next_offset", "i8", "stream offset after the last run"),
    ("skip_until", "i8", "bytes before this stream offset need not be delivered"),
)

# State of pairing, one row a connection; all zero = nothing seen. Written by messages/http only.
HTTP_PAIRING = row_type(
    "HTTP_PAIRING",
    ("client", "u1", "1 + sender of the client, 0 = not known yet"),
    ("is_unpaired", "u1", "too many requests waited: no more pairing"),
    ("exchanges", "i4", "exchanges so far"),
    ("waiting", "i4", "requests that wait for an answer"),
    ("first_waiting", "i8", "1 + EXCHANGE row of the oldest of them, 0 = none"),
    ("last_waiting", "i8", "1 + EXCHANGE row of the newest of them"),
    ("last", "i8", "1 + EXCHANGE row of the newest exchange"),
)
