"""Rows of messages/tls that later stages read."""

from __future__ import annotations

from analyzer.tables import row_type

# Steps of a handshake (REFERENCE of the order: RFC 5246 7.3, RFC 8446 2). HANDSHAKE.step_* is indexed by these.
STEPS = (
    "client_hello",
    "hello_retry_request",
    "second_client_hello",
    "server_hello",
    "encrypted_extensions",
    "certificate",
    "certificate_status",
    "server_key_exchange",
    "certificate_request",
    "server_certificate_verify",
    "server_hello_done",
    "client_certificate",
    "client_key_exchange",
    "certificate_verify",
    "client_change_cipher_spec",
    "client_finished",
    "session_ticket",
    "server_change_cipher_spec",
    "server_finished",
    "first_client_data",
    "first_server_data",
    "alert",
    "client_close_notify",
    "server_close_notify",
)
STEP_CODES = {name: code for code, name in enumerate(STEPS)}

# ---- basis of a step or phase
ABSENT, MEASURED, INFERRED, BOUNDED = 0, 1, 2, 3
BASES = ("absent", "measured", "inferred", "bounded")

# ---- what can be wrong, by position: HANDSHAKE.error, and the counts of messages/tls
ERRORS = (
    "none",
    "record_header",  # no TLS record where one should begin: the stream is given up
    "handshake_too_long",  # a handshake message over the limit: skipped
    "handshake_not_kept",  # no memory for a handshake message in pieces: skipped
    "handshake_type",  # bytes that are no handshake message in a record that should hold some: the record is skipped
    "gap",  # bytes of a handshake message or of a record header are missing
    "cut_short",  # the stream ended inside a record
    "client_hello",  # lengths in the ClientHello lie
    "server_hello",
    "certificate_list",
    "chain_too_long",  # more certificates than the limit: the rest is left out
    "key_exchange",
    "alert",
    "certificate",  # a distinct certificate that is not well-formed; its own row says why
)
ERROR_CODES = {name: code for code, name in enumerate(ERRORS)}

# ---- HANDSHAKE.resumed_by
BY_ID, BY_TICKET, BY_PSK, BY_EXTERNAL_PSK = 1, 2, 3, 4
RESUMPTIONS = ("none", "session id", "ticket", "psk", "external psk")

HISTORY_SIZE = 100  # Zeek's own limit of ssl_history

# One per connection row that speaks TLS; all zero = no TLS. Spans are in the text of messages/tls.
HANDSHAKE = row_type(
    "HANDSHAKE",
    ("seen", "u1", "1: TLS was recognised on this connection"),
    ("client", "u1", "which end (sender) is the TLS client"),
    ("is_retried", "u1", "HelloRetryRequest seen"),
    ("is_resumed", "u1", "the session was resumed"),
    ("resumed_by", "u1", "how: index into RESUMPTIONS"),
    ("is_established", "u1", "both ends switched to encryption and encrypted data followed (Zeek's established)"),
    ("is_false_start", "u1", "client application data before the server's Finished (1.2)"),
    ("is_partial", "u1", "1: the first thing seen was no hello (the capture began in the middle)"),
    ("error", "u1", "index into ERRORS: what was wrong first"),
    ("error_number", "i8", "frame of that"),
    ("gaps", "i4", "gaps in its two streams; what they hid is not in the counts"),
    ("record_version", "i4", "version of the first record; NO_RECORD: QUIC"),
    ("client_version", "i4", "legacy_version of the ClientHello"),
    ("offered_version", "i4", "highest version offered (supported_versions without GREASE, else legacy_version)"),
    ("version", "i4", "negotiated version, 0 = no ServerHello"),
    ("cipher_suite", "i4", "chosen suite, -1 = none"),
    ("group", "i4", "group really used (key_share of the ServerHello, or ServerKeyExchange), 0 = none"),
    ("compression", "i4", "compression method chosen, -1 = none"),
    ("retry_group", "i4", "group that a HelloRetryRequest asked for, 0 = none"),
    ("prime_bits", "i4", "size of the Diffie-Hellman prime in the ServerKeyExchange, 0 = none"),
    ("signature_scheme", "i4", "scheme that signed the ServerKeyExchange (1.2) or, with keys, the handshake (1.3), 0 = none"),
    ("ciphers_offered", "i4", "number of suites offered, GREASE and SCSVs left out"),
    ("post_quantum_offered", "u1", "a hybrid group was offered"),
    ("extended_master_secret", "u1", "agreed"),
    ("encrypt_then_mac", "u1", "agreed"),
    ("secure_renegotiation", "u1", "the server answered renegotiation_info (RFC 5746)"),
    ("heartbeat", "u1", "the server answered the heartbeat extension"),
    ("downgrade", "u1", "sentinel in the server random (RFC 8446 4.1.3): 1 = to TLS 1.2, 2 = to 1.1 or less"),
    ("offers_modern", "u1", "a suite of TLS 1.2 with ECDHE and AEAD was offered"),
    ("ticket_offered", "u1", "a session ticket was offered (RFC 5077)"),
    ("psk_offered", "u1", "pre_shared_key in the ClientHello"),
    ("psk_modes", "u1", "psk_key_exchange_modes offered: bit 0 = psk_ke, bit 1 = psk_dhe_ke"),
    ("psk_identities", "i4", "PSK identities offered"),
    ("certificate_codings", "u1", "compress_certificate offered: bit 1 = zlib, 2 = brotli, 3 = zstd"),
    ("client_record_limit", "i4", "record_size_limit of the client, 0 = none"),
    ("early_offered", "u1", "early_data in the ClientHello"),
    ("early_accepted", "u1", "the server took the early data (EncryptedExtensions, only with keys)"),
    ("early_records", "i4", "client application records before the ServerHello: 0-RTT data"),
    ("renegotiations", "i4", "handshakes of the client after its first (up to TLS 1.2)"),
    ("key_updates", "i4", "KeyUpdate messages of both ends (TLS 1.3, only with keys)"),
    ("staple_asked", "u1", "status_request in the ClientHello"),
    ("client_random", ("u1", (32,)), "random of the first ClientHello, the key of a key log"),
    ("last_alert_code", "i4", "description of the last alert in clear (Zeek's last_alert), -1 = none"),
    ("alert_level", "i4", "of the first fatal alert, else of the last alert in clear; 0 = none"),
    ("alert_code", "i4", "its description, -1 = none"),
    ("alert_sender", "u1", "which end sent it"),
    ("client_records", "i8", "records of outer type 23 from the client (in 1.3 its Finished is one)"),
    ("server_records", "i8", "records of outer type 23 from the server (in 1.3 its flight is some)"),
    ("client_data_bytes", "i8", "bytes in them"),
    ("server_data_bytes", "i8", "bytes in them"),
    ("first_response_ts", "i8", "first server application record after the first request, tickets left out, ns (inferred in 1.3)"),
    ("first_response_number", "i8", "its frame"),
    ("last_request_ts", "i8", "last client application record before first_response, ns"),
    ("last_request_number", "i8", "its frame"),
    ("last_response_ts", "i8", "last server application record of the first exchange, ns"),
    ("last_response_number", "i8", "its frame"),
    ("step_ts", ("i8", (len(STEPS), 2)), "time of the first and last byte of each step, ns"),
    ("step_number", ("i8", (len(STEPS), 2)), "their frames"),
    ("step_basis", ("u1", (len(STEPS),)), "how each step is known: index into BASES"),
    ("server_name", "i8", "SNI"),
    ("server_name_size", "i4", "its length"),
    ("alpn", "i8", "ALPN chosen by the server (1.2, or decrypted)"),
    ("alpn_size", "i4", "its length"),
    ("alpn_offered", "i8", "ALPN names offered, joined by commas"),
    ("alpn_offered_size", "i4", "its length"),
    ("groups_offered", "i8", "supported_groups, decimal, joined by '-', GREASE left out"),
    ("groups_offered_size", "i4", "its length"),
    ("shares_offered", "i8", "groups of the key shares, likewise"),
    ("shares_offered_size", "i4", "its length"),
    ("extensions_offered", "i8", "extensions of the ClientHello, likewise, in their order"),
    ("extensions_offered_size", "i4", "its length"),
    ("extensions_answered", "i8", "extensions of the ServerHello, likewise"),
    ("extensions_answered_size", "i4", "its length"),
    ("encrypted_extensions", "i8", "extensions of EncryptedExtensions (with keys), likewise"),
    ("encrypted_extensions_size", "i4", "its length"),
    ("psk_identity", "i8", "first bytes of the first PSK identity offered, hexadecimal"),
    ("psk_identity_size", "i4", "its length"),
    ("staple", "i8", "OCSP response that the server sent along, DER"),
    ("staple_size", "i4", "its length"),
    ("staple_key", "i8", "hash of it"),
    ("history_size", "u1", "letters in history"),
    ("history", ("u1", (HISTORY_SIZE,)), "Zeek's ssl_history letters as ASCII, the client's in upper case"),
    ("ja3", "i8", "JA3 hash, 32 hex digits"),
    ("ja3_size", "i4", "its length"),
    ("ja3s", "i8", "JA3S hash"),
    ("ja3s_size", "i4", "its length"),
    ("ja4", "i8", "JA4"),
    ("ja4_size", "i4", "its length"),
    ("is_ech", "u1", "encrypted_client_hello extension offered: server_name is the outer (public) name"),
    ("chain", "i4", "first row of its server certificates in CHAIN_LINK, -1 = none"),
    ("chain_certificates", "i4", "their number"),
    ("client_chain", "i4", "first row of the client's certificates, -1 = none"),
    ("client_chain_certificates", "i4", "their number"),
)

CHAIN_LINK = row_type(
    "CHAIN_LINK",
    ("connection", "i4", "row of the connection tables"),
    ("certificate", "i4", "number of the distinct certificate (messages/tls certificates), from 0"),
    ("place", "i4", "position in the chain, 0 = leaf"),
    ("from_client", "u1", "1: the client's chain"),
    ("number", "i8", "frame of the last byte of the Certificate message"),
    ("ts", "i8", "its time, ns"),
)

# What one end sends in encrypted records before the other sends any; small ones are left out.
BURST = row_type(
    "BURST",
    ("connection", "i4", "row of the connection tables"),
    ("sender", "u1", "which end"),
    ("records", "i4", "records"),
    ("data_bytes", "i8", "bytes of their bodies"),
    ("first_ts", "i8", "first byte of the first one, ns"),
    ("first_number", "i8", "its frame"),
    ("last_ts", "i8", "last byte of the last one, ns"),
    ("last_number", "i8", "its frame"),
)

# The spans of a HANDSHAKE row, each with its `_size`.
CODE_LISTS = ("groups_offered", "shares_offered", "extensions_offered", "extensions_answered", "encrypted_extensions")
HANDSHAKE_TEXTS = ("server_name", "alpn", "alpn_offered", "ja3", "ja3s", "ja4", "psk_identity", "staple", *CODE_LISTS)


# ---- below: rows that only messages/tls reads

# ---- TLS_STREAM.status
FRAMING, LOST, STOPPED = 0, 1, 2

# Framing state of one stream, row 2*connection + sender; all zero = nothing seen.
TLS_STREAM = row_type(
    "TLS_STREAM",
    ("status", "u1", "FRAMING, LOST (looks for a record header at the start of each run) or STOPPED"),
    ("header_have", "u1", "bytes of the record header taken, 5 = inside the record"),
    ("content_type", "u1", "of the record"),
    ("is_damaged", "u1", "1: bytes of the record are missing"),
    ("is_protected", "u1", "1: change_cipher_spec was seen from this end"),
    ("is_tls13", "u1", "1: ServerHello said 1.3 (or retry): handshake records stay readable after change_cipher_spec"),
    ("is_ssl2", "u1", "1: the record is an SSLv2 hello"),
    ("skips_messages", "u1", "1: the rest of this handshake record cannot be read"),
    ("version", "i4", "of the record"),
    ("length", "i4", "of the record's body"),
    ("left", "i8", "bytes of the body still to come"),
    ("records", "i8", "record headers read"),
    ("first_ts", "i8", "first byte of the record, ns"),
    ("first_number", "i8", "its frame"),
    ("peer_ts", "i8", "last byte of the other end's last application record when this one began, ns"),
    ("peer_number", "i8", "its frame"),
    ("peer_records", "i8", "application records of the other end, complete by then"),
    ("data_ts", "i8", "last byte of the last complete application record, ns"),
    ("data_number", "i8", "its frame"),
    ("data_records", "i8", "complete application records"),
    ("alert", "i4", "bytes of a clear alert so far"),
    ("message_have", "u1", "bytes of the handshake header taken, 4 = inside the message"),
    ("message_type", "u1", "handshake type"),
    ("message_marks", "u1", "TLS_MESSAGE.marks of the message so far"),
    ("message_error", "u1", "TLS_MESSAGE.error of the message so far"),
    ("message_length", "i4", "bytes of its body"),
    ("message_filled", "i4", "bytes of it taken"),
    ("message", "i8", "where its bytes are gathered; -1 = nowhere"),
    ("message_ts", "i8", "first byte of the message, ns"),
    ("message_number", "i8", "its frame"),
    ("is_keyed", "u1", "1: the key log has the client random of its connection: protected records are kept whole"),
    ("body", "i8", "where the protected record is gathered, valid while it is; -1 = nowhere"),
    ("body_size", "i4", "bytes of the arena's block there, 0 = in place or nowhere"),
    ("body_first", "i4", "bytes of the record's body in the run that its header began in"),
)

# ---- TLS_MESSAGE.marks bits
IN_ARENA = 1  # position is a block of the arena that is given back at the end of the batch
PROTECTED = 2  # an encrypted record: only its length is known
DAMAGED = 4  # bytes are missing
SSL2 = 8  # an SSLv2 hello: position is after its version
AFTER_GAP = 16  # bytes of the stream are missing before this
KEYED = 32  # the key log may open this: a protected record has a position
ENDED = 64  # nothing follows in its stream (content_type 0, only when keyed): ``alert`` holds RUN.marks of the end
OPENED = 128  # a protected record that was decrypted: ``alert`` holds the type of its content

NO_RECORD = -1  # TLS_MESSAGE.version, HANDSHAKE.record_version: QUIC has no records

# One handshake message, alert, change_cipher_spec or protected record, in the order of their last bytes. Lives for a batch.
TLS_MESSAGE = row_type(
    "TLS_MESSAGE",
    ("connection", "i4", "row of the connection tables"),
    ("sender", "u1", "which end sent it"),
    ("content_type", "u1", "20 .. 24; 0 = only an error or a gap"),
    ("handshake_type", "i2", "type of a handshake message in clear, else -1"),
    ("marks", "u1", "bits, see above"),
    ("error", "u1", "index into ERRORS"),
    ("version", "i4", "version of its (last) record; NO_RECORD: it came in CRYPTO frames of QUIC"),
    ("length", "i4", "bytes: of the handshake message's body, else of the record's body; AFTER_GAP: missing bytes"),
    ("alert", "i4", "alert in clear: level << 8 | description"),
    ("position", "i8", "body in memory, of a handshake message in clear or of a keyed protected record; -1 = not kept"),
    ("first_ts", "i8", "first byte (header included), ns"),
    ("first_number", "i8", "its frame"),
    ("last_ts", "i8", "last byte, ns"),
    ("last_number", "i8", "its frame"),
    ("peer_ts", "i8", "last byte of the other end's last application record when this record began, ns"),
    ("peer_number", "i8", "its frame"),
    ("peer_records", "i8", "application records of the other end, complete by then"),
    ("first_part", "i4", "keyed: bytes of the record's body in frame first_number"),
)

# What the handshake kernel remembers of a connection beside its HANDSHAKE row.
PROGRESS = row_type(
    "PROGRESS",
    ("session_id_size", "u1", "bytes of the session id the client offered"),
    ("session_id", ("u1", (32,)), "the session id"),
    ("has_ticket", "u1", "SessionTicket extension with a ticket"),
    ("identity_length", "i4", "length of the first PSK identity offered: a ticket of an earlier session, 0 = none"),
    ("external_identities", "i8", "bit n: PSK identity n has no age, so it is no ticket (the first 62)"),
    ("has_key_exchange", "u1", "ClientKeyExchange seen"),
    ("client_protected", "u1", "the client switched to encryption"),
    ("server_protected", "u1", "the server switched to encryption"),
    ("in_flight", "u1", "1.3: the client's first protected flight has begun"),
    ("is_finished", "u1", "1.3: which record holds the client's Finished is settled"),
    ("flight_peer_records", "i8", "server records complete when that flight began"),
    ("finished_records", "i8", "client application records up to its Finished"),
    ("after_finished", "i4", "1.3: server records since the client's Finished"),
    ("ticket_length", "i4", "length of the first of them"),
    ("only_tickets", "u1", "1: all of them so far have that length"),
    ("exchange_is_over", "u1", "the client sent again after the first response began"),
)

# A certificate cut out of a Certificate message; lives for a batch.
CERTIFICATE_SPAN = row_type(
    "CERTIFICATE_SPAN",
    ("connection", "i4", "row of the connection tables"),
    ("certificate", "i4", "number of the distinct certificate"),
    ("place", "i4", "position in the chain, 0 = leaf"),
    ("from_client", "u1", "1: the client's chain"),
    ("position", "i8", "the DER bytes in memory"),
    ("length", "i4", "their number"),
    ("number", "i8", "frame of the last byte of the Certificate message"),
    ("ts", "i8", "its time, ns"),
)

# Bytes met before, by their content: certificates and raw fingerprints. Row = number of the distinct thing.
DISTINCT = row_type(
    "DISTINCT",
    ("hash", "i8", "hash of kind and bytes"),
    ("kind", "u1", "what it is"),
    ("position", "i8", "the bytes in the text kept for them"),
    ("length", "i4", "their number"),
    ("digest_size", "u1", "characters in digest"),
    ("digest", ("u1", (68,)), "what was computed from them, ASCII"),
)

# One secret of a key log.
KEY = row_type(
    "KEY",
    ("random", ("u1", (32,)), "client random of the first ClientHello"),
    ("label", "u1", "what the secret is: index into the labels of messages/tls keylog"),
    ("secret_size", "u1", "bytes of the secret"),
    ("secret", ("u1", (64,)), "the secret"),
)
