"""Rows of stage 6: phases of a connection, and steps of it as rows."""

from __future__ import annotations

from analyzer.tables import row_type
from analyzer.tables.quic import PLACES

PHASES = (
    "dns",
    "dns_to_connect",
    "tcp_connect",
    "tcp_to_tls",
    "tls_handshake",
    "request_wait",
    "request_send",
    "server_wait",
    "response_receive",
    "keepalive_idle",
    "teardown",
)

PHASE = row_type(
    "PHASE",
    ("duration", "i8", "ns; only where basis is not 0"),
    ("first_ts", "i8", "when it begins, ns"),
    ("first_number", "i8", "frame where it begins"),
    ("last_number", "i8", "frame where it ends"),
    ("waited", "i8", "of duration: waiting for retransmissions, repeated SYNs and closed windows, ns"),
    ("basis", "u1", "index into tls.BASES: absent, measured, inferred, bounded"),
)

# Steps of a connection that are not part of its TLS handshake; the code of a step in MILESTONE is its place in MILESTONES.
TRANSPORT_STEPS = ("syn", "syn_ack", "handshake_ack", "first_originator_data", "first_responder_data", "teardown_start", "teardown_end")
LOOKUP_STEPS = ("dns_query", "dns_answer")
QUIC_STEPS = tuple(f"quic_{name}" for name in PLACES)
EXCHANGE_STEPS = ("request", "informational_response", "response")

MILESTONE = row_type(
    "MILESTONE",
    ("order", "i8", "output position of its connection within the flush"),
    ("step", "i4", "place in MILESTONES"),
    ("exchange", "i4", "rank of the HTTP exchange it belongs to, 0 = none"),
    ("basis", "u1", "index into tls.BASES"),
    ("first_ts", "i8", "first byte, ns"),
    ("first_number", "i8", "its frame"),
    ("last_ts", "i8", "last byte, ns"),
    ("last_number", "i8", "its frame"),
)

# One WAIT of a connection, and the phase it cost most.
DELAY = row_type(
    "DELAY",
    ("order", "i8", "output position of its connection within the flush"),
    ("from_responder", "u1", "1: it was the responder's data that waited"),
    ("kind", "u1", "index into connections.WAIT_KINDS"),
    ("phase", "i4", "place in PHASES of the phase that it cost most, -1 = none"),
    ("phase_ns", "i8", "what it cost that phase, ns; time that another wait of the connection covers counts once, for the first"),
    ("first_ts", "i8", "when it begins, ns"),
    ("first_number", "i8", "frame of what was lost, or that closed the window; 0 = unknown"),
    ("last_ts", "i8", "when it ends, ns"),
    ("last_number", "i8", "frame that ended it; 0 = nothing did"),
)

SEVERITIES = ("note", "warning", "error")

FINDING = row_type(
    "FINDING",
    ("order", "i8", "output position of its connection within the flush"),
    ("rule", "i4", "place in lifecycle.findings.RULES"),
    ("number", "i8", "frame that shows it"),
    ("ts", "i8", "its time, ns"),
    ("begin_number", "i8", "another frame that shows it: where it began; 0 = none"),
    ("amount", "i8", "what was measured, in the unit of the rule; 0 where the rule has none"),
    ("lookup", "i8", "index into Finished.lookups it speaks of, -1 = none"),
    ("exchange", "i8", "index into Finished.exchanges it speaks of, -1 = none"),
)
