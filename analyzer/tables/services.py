"""Rows of protocol recognition (messages/services)."""

from __future__ import annotations

from analyzer.tables import row_type

# ---- SERVICE.protocol
UNDECIDED, TLS, HTTP, DNS, HTTP2, UNKNOWN = 0, 1, 2, 3, 4, 255

SERVICE = row_type(
    "SERVICE",
    ("protocol", "u1", "what the connection speaks, see the constants"),
    ("refused", "u1", "bits: 1 the first bytes of end 0 are of no known protocol, 2 those of end 1"),
    ("first_held", "i4", "first row of HELD plus one, 0 = none"),
    ("last_held", "i4", "last row of HELD plus one, 0 = none"),
)

# Runs too short to tell, kept until more is seen: a RUN whose bytes were copied to the arena, linked in order of capture.
HELD = row_type(
    "HELD",
    ("sender", "u1", "as in RUN"),
    ("marks", "u1", "as in RUN"),
    ("gap", "i8", "as in RUN"),
    ("position", "i8", "its bytes in the arena"),
    ("run_size", "i8", "as in RUN"),
    ("offset", "i8", "as in RUN"),
    ("number", "i8", "as in RUN"),
    ("ts", "i8", "as in RUN"),
    ("following", "i4", "next row of HELD plus one, 0 = last"),
)
