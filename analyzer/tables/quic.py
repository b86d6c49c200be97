"""Rows of messages/quic (RFC 9000, RFC 9001, RFC 9369)."""

from __future__ import annotations

from analyzer.tables import row_type

# ---- kinds of packets: QUIC_PACKET.kind, columns of QUIC.packets
KINDS = ("initial", "zero_rtt", "handshake", "retry", "version_negotiation", "unfamiliar", "one_rtt")
INITIAL, ZERO_RTT, HANDSHAKE, RETRY, NEGOTIATION, UNFAMILIAR, SHORT = range(7)

CID_MAX = 20  # RFC 9000 17.2: longest connection id of versions 1 and 2

# Places of a connection: QUIC.place_* is indexed by these.
PLACES = (
    "first_client_initial",
    "first_server_initial",
    "version_negotiation",
    "second_initial",  # the client's first Initial after a version negotiation or a Retry
    "retry",
    "first_zero_rtt",
    "first_client_handshake",
    "first_server_handshake",
    "last_server_handshake",
    "server_flight_end",  # last Handshake packet of the server before client_finished
    "client_finished",
    "confirmed",  # the client knows that the handshake is confirmed: HANDSHAKE_DONE (RFC 9001 4.1.2)
    "first_client_data",  # first packet with a short header
    "first_server_data",
    "close",
    "second_close",  # CONNECTION_CLOSE of the other end
    "migration",  # the connection went on under another address
    # without keys the first exchange, by sizes and directions of packets with a short header
    "request",
    "request_end",
    "response",
    "response_end",
    "next_request",
)
INFERRED_PLACES = PLACES[-5:]
PLACE_CODES = {name: code for code, name in enumerate(PLACES)}

HISTORY_SIZE = 100

# ---- QUIC.close_kind
NOT_CLOSED, BY_TRANSPORT, BY_APPLICATION, STATELESS_RESET = 0, 1, 2, 3
CLOSE_KINDS = ("none", "transport", "application", "stateless reset")

# ---- what can be wrong, by position: QUIC.error, and the counts of messages/quic
ERRORS = (
    "none",
    "header",  # lengths in a long header lie
    "not_opened",  # an Initial whose tag is wrong
    "frame",  # frames that are not well-formed, or not allowed where they stand
    "crypto_offset",  # CRYPTO beyond what a handshake can be: left out
    "crypto_conflict",  # the same bytes of a handshake with different content
    "coalesced",  # more packets in one datagram than are read
    "cut",  # cut by the snapshot length
    "initials",  # more Initials than are opened
    "connection_ids",  # more connection ids than are remembered
    "stream",  # stream data beyond what is kept, or that contradicts itself
    "http3",  # frames of HTTP/3 or fields that could not be read
)
ERROR_CODES = {name: code for code, name in enumerate(ERRORS)}

# One per connection row that speaks QUIC; all zero = no QUIC. Pairs are indexed by sender. Spans are in the text of messages/quic.
QUIC = row_type(
    "QUIC",
    ("seen", "u1", "1: QUIC was recognised on this connection"),
    ("client", "u1", "which end (sender) is the client"),
    ("is_path", "u1", "1: no connection of its own: another path of the one in ``home`` (told by its connection id)"),
    ("tries", "u1", "datagrams looked at in search of a known connection id"),
    ("home", "i8", "number of the connection that this is a path of, 0 = none"),
    ("home_row", "i4", "its row plus one, 0 = none"),
    ("paths", "i4", "further paths of this connection (5-tuples)"),
    ("version", "i8", "version of the last long header, 0 = none"),
    ("first_version", "i8", "version of the first one"),
    ("is_keyed", "u1", "0: not known yet, 1: the key log has the secrets, 2: it has not"),
    ("odcid", ("u1", (CID_MAX,)), "destination connection id of the client's first Initial"),
    ("odcid_size", "u1", "its length"),
    ("scid", ("u1", (2, CID_MAX)), "source connection id of each end, the last in a long header"),
    ("scid_size", ("u1", (2,)), "its length"),
    ("has_scid", ("u1", (2,)), "1: it is known"),
    ("dcid", ("u8", (2, 3)), "destination connection id that each end uses in short headers, filled up with zeros"),
    ("has_dcid", ("u1", (2,)), "1: it is known"),
    ("dcid_changes", ("i4", (2,)), "how often it changed"),
    ("packets", ("i4", (2, len(KINDS))), "packets of each kind"),
    ("short_bytes", ("i8", (2,)), "bytes of packets with a short header"),
    ("datagrams", "i4", "datagrams"),
    ("coalesced", "i4", "datagrams with more than one packet"),
    ("unvalidated_bytes", ("i8", (2,)), "bytes of UDP before the client's address was validated (RFC 9000 8.1)"),
    ("token_bytes", "i4", "length of the longest token in an Initial"),
    ("largest_client_initial", "i4", "bytes of the largest datagram of the client that begins with an Initial"),
    ("last_ts", "i8", "last datagram, ns"),
    ("last_number", "i8", "its frame"),
    ("pause_ns", "i8", "longest time without a datagram, ns"),
    ("pause_ts", "i8", "when it began, ns"),
    ("pause_number", "i8", "frame before it"),
    ("spin", ("u1", (2,)), "the last spin bit of each end plus one, 0 = none"),
    ("spin_edges", ("i4", (2,)), "changes of it"),
    ("spin_edge_ts", ("i8", (2,)), "time of the last change, ns"),
    ("spin_least", ("i8", (2,)), "least time between two changes, ns"),
    ("spin_sum", ("i8", (2,)), "sum of the times between changes, ns"),
    ("place_ts", ("i8", (len(PLACES),)), "time of each place, ns; 0 = it was not seen"),
    ("place_number", ("i8", (len(PLACES),)), "its frame"),
    ("place_basis", ("u1", (len(PLACES),)), "how it is known: index into tls.BASES"),
    ("history_size", "u1", "letters in history"),
    ("history", ("u1", (HISTORY_SIZE,)), "letters of the packets seen as in Zeek's quic.log, the client's in upper case"),
    ("error", "u1", "index into ERRORS: what was wrong first"),
    ("error_number", "i8", "frame of that"),
    ("not_opened", "i4", "Initials with a wrong tag"),
    # filled from Initials, which are opened without keys
    ("initials_opened", ("i4", (2,)), "Initials that were opened"),
    ("crypto_frames", ("i4", (2,)), "CRYPTO frames in them"),
    ("close_kind", "u1", "index into CLOSE_KINDS"),
    ("close_sender", "u1", "who closed first"),
    ("close_code", "i8", "error code of it"),
    ("close_frame_type", "i8", "type of the frame that was wrong, 0 = none"),
    ("reason", "i8", "reason phrase of it"),
    ("reason_size", "i4", "its length"),
    ("client_parameters", "i8", "transport parameters of the client, as name=value joined by ','"),
    ("client_parameters_size", "i4", "its length"),
    ("server_parameters", "i8", "those of the server (with keys)"),
    ("server_parameters_size", "i4", "its length"),
    ("idle_timeout_ms", ("i8", (2,)), "max_idle_timeout of each end, ms; 0 = none or not known"),
    ("offered_versions", "i8", "versions in the version negotiation, or that the client says it knows, joined by ','"),
    ("offered_versions_size", "i4", "its length"),
    # with keys
    ("opened", ("i8", (2,)), "packets opened beyond Initials"),
    ("failed", ("i8", (2,)), "packets with keys that could not be opened"),
    ("opened_bytes", "i8", "bytes of them"),
    ("early_packets", "i4", "0-RTT packets opened"),
    ("key_updates", ("i4", (2,)), "key updates of each end"),
    ("streams", "i4", "streams seen"),
    ("stream_bytes", ("i8", (2,)), "stream data of each end, what came twice counted once"),
    ("repeated_bytes", ("i8", (2,)), "stream data that came again"),
    ("missing_bytes", ("i8", (2,)), "stream data that is not in the capture"),
    ("connection_ids", ("i4", (2,)), "connection ids that each end issued in NEW_CONNECTION_ID"),
    ("sent", ("i8", (2,)), "packets in the application space (0-RTT and 1-RTT)"),
    ("largest_pn", ("i8", (2,)), "largest packet number plus one"),
    ("acked", ("i8", (2,)), "of those the other end acknowledged"),
    ("lost", ("i8", (2,)), "that were not acknowledged while three later ones were (RFC 9002 6.1.1)"),
    ("unseen", ("i8", (2,)), "packet numbers acknowledged that are not in the capture"),
    ("rtt_samples", ("i4", (2,)), "times from a packet to its acknowledgement"),
    ("rtt_least", ("i8", (2,)), "the least of them, ns"),
    ("rtt_sum", ("i8", (2,)), "their sum, ns"),
)

# ---- LEARNED.how
BY_HTTPS_RECORD, BY_ALT_SVC, BY_ALTSVC_FRAME = 1, 2, 3
WAYS = ("none", "https record", "alt-svc", "altsvc frame")

# From where the client knew that the name speaks QUIC; all zero = that is not in the capture.
LEARNED = row_type(
    "LEARNED",
    ("how", "u1", "index into WAYS"),
    ("ts", "i8", "when it was told, ns"),
    ("number", "i8", "frame that told it"),
    ("connection", "i8", "number of the connection that carried it"),
)

# ---- QUIC_PACKET.marks bits
IS_CUT = 1  # by the snapshot length: it cannot be opened
IS_OPENED = 2
HAS_HELLO = 4  # a hello is complete with it
HAS_CLOSE = 8  # CONNECTION_CLOSE

# One packet with a long header, or one to be opened, in the order of capture. Lives for a batch.
QUIC_PACKET = row_type(
    "QUIC_PACKET",
    ("marks", "u1", "bits, see above"),
    ("connection", "i4", "row of the connection tables"),
    ("sender", "u1", "which end sent it"),
    ("kind", "u1", "INITIAL ... SHORT"),
    ("dcid_size", "u1", "bytes of the destination connection id"),
    ("scid_size", "u1", "bytes of the source connection id"),
    ("version", "i8", "version of a long header"),
    ("position", "i8", "first byte in memory"),
    ("packet_size", "i4", "bytes of the packet"),
    ("pn_at", "i4", "where its packet number begins, from position; RETRY and NEGOTIATION: where what follows the ids begins"),
    ("number", "i8", "frame"),
    ("ts", "i8", "its time, ns"),
)

# A known connection id; in a table by hash. size 0 = free, connection -1 = dead.
QUIC_ID = row_type(
    "QUIC_ID",
    ("hash", "i8", "of the bytes"),
    ("connection", "i4", "row of the connection tables"),
    ("id_size", "u1", "bytes"),
    ("owner", "u1", "which end of that connection it leads to"),
    ("octets", ("u1", (CID_MAX,)), "the id"),
    ("number", "i8", "frame that told it"),
)

# ---- below: with keys

LEVELS = ("initial", "handshake", "early", "application")

# An opened packet of the application space (0-RTT, 1-RTT). Lives for a batch. ``role``: 0 = client, 1 = server.
QUIC_PLAIN = row_type(
    "QUIC_PLAIN",
    ("connection", "i4", "row of the connection (its first path)"),
    ("role", "u1", "who sent it"),
    ("is_early", "u1", "1: 0-RTT"),
    ("slot", "i4", "row of QUIC_SENT"),
    ("pn", "i8", "packet number"),
    ("position", "i8", "its content in memory"),
    ("plain_size", "i4", "bytes of it"),
    ("number", "i8", "frame"),
    ("ts", "i8", "its time, ns"),
)

# One frame of an opened packet that somebody wants. Lives for a batch.
QUIC_FRAME = row_type(
    "QUIC_FRAME",
    ("connection", "i4", "row of the connection (its first path)"),
    ("role", "u1", "who sent it"),
    ("kind", "u1", "type of the frame; STREAM frames all 8; 255 = malformed from here on"),
    ("is_last", "u1", "1: FIN"),
    ("stream", "i8", "stream id; NEW_CONNECTION_ID: sequence number; CONNECTION_CLOSE: frame type"),
    ("offset", "i8", "of the data in its stream; RESET_STREAM: final size"),
    ("code", "i8", "error code"),
    ("position", "i8", "data in memory"),
    ("frame_size", "i4", "bytes of it"),
    ("number", "i8", "frame of the capture"),
    ("ts", "i8", "its time, ns"),
)

RING = 512  # packets of one end that are remembered until they are acknowledged

# Packets of the application space of one connection, by role, for acknowledgements; slot k of the ring is packet number = k mod RING.
QUIC_SENT = row_type(
    "QUIC_SENT",
    ("pn", ("i8", (2, RING)), "packet number plus one, 0 = none"),
    ("ts", ("i8", (2, RING)), "when it was captured, ns; 0 = it was acknowledged but not captured"),
    ("state", ("u1", (2, RING)), "0 = sent, 1 = acknowledged, 2 = taken for lost"),
    ("floor", ("i8", (2,)), "packet numbers below are judged"),
)

# Bytes of a stream in order, as the next layer gets them. Lives for a batch.
QUIC_PIECE = row_type(
    "QUIC_PIECE",
    ("connection", "i4", "row of the connection (its first path)"),
    ("role", "u1", "who sent it: 0 = client, 1 = server"),
    ("sender", "u1", "which end of the connection row that is"),
    ("marks", "u1", "bits: PIECE_ENDS, PIECE_RESETS, PIECE_STOPS"),
    ("stream", "i8", "stream id (RFC 9000 2.1)"),
    ("gap", "i8", "bytes of the stream missing just before"),
    ("code", "i8", "error code of a reset"),
    ("position", "i8", "the bytes in memory"),
    ("piece_size", "i4", "their number"),
    ("number", "i8", "frame that carried them"),
    ("ts", "i8", "its time, ns"),
)
PIECE_ENDS, PIECE_RESETS, PIECE_STOPS = 1, 2, 4  # end of the stream; RESET_STREAM; the other end's STOP_SENDING
