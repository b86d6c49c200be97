"""The columns of the phases of a connection: how long, how it is known, and the frames it lies between."""

from __future__ import annotations

from typing import Final

from analyzer.lifecycle.blame import FIRST_PHASE
from analyzer.report.built import Built
from analyzer.report.columns import Column
from analyzer.report.text import chosen, ints, milliseconds
from analyzer.tables import Rows
from analyzer.tables.lifecycle import PHASES
from analyzer.tables.tls import ABSENT, BASES

MEANINGS: Final = {
    "dns": "first query of the lookup that made the client connect to the last answer it waited for",
    "dns_to_connect": "that answer to the first SYN",
    "tcp_connect": "first SYN to the originator's ACK of the SYN+ACK",
    "tcp_to_tls": "that ACK to the first byte of the ClientHello",
    "tls_handshake": "first byte of the ClientHello to the end of the handshake as the client sees it",
    "request_wait": "connection ready to the first byte of the first request",
    "request_send": "first to last byte of the first request",
    "server_wait": "last byte of the request to the first byte of the final response",
    "response_receive": "first to last byte of that response",
    "keepalive_idle": "last byte of the response to the next request, else to the first FIN or RST",
    "teardown": "first FIN or RST to the ACK of the last FIN, or to the RST that ended it",
}
_CAVEATS: Final = {"server_wait": "negative when the server answers early"}

DURATION_COLUMNS: Final = tuple(Column(f"{phase}_ms", "milliseconds", MEANINGS[phase], "ms", _CAVEATS.get(phase, "")) for phase in PHASES)
WAITING_PHASES: Final = PHASES[FIRST_PHASE:]
WAIT_COLUMNS: Final = tuple(
    Column(
        f"{phase}_tcp_wait_ms",
        "milliseconds",
        f"of {phase}_ms: waiting for retransmissions, repeated SYNs and closed windows",
        "ms",
        "up to: the other end may have been busy meanwhile; each wait is a row of ``waits``",
    )
    for phase in WAITING_PHASES
)
BASIS_COLUMNS: Final = tuple(
    column
    for phase in PHASES
    for column in (
        Column(f"{phase}_basis", "text", f"how {phase}_ms is known: {', '.join(BASES)}"),
        Column(f"{phase}_first_frame", "number", f"frame where {phase} begins"),
        Column(f"{phase}_last_frame", "number", f"frame where {phase} ends"),
    )
)


def phase_arrays(phases: Rows) -> dict[str, Built]:
    """PHASE rows (n, phases) as columns; a phase whose basis is absent has no duration and no frames."""
    arrays: dict[str, Built] = {
        f"{phase}_tcp_wait_ms": milliseconds(rows["waited"], rows["waited"] > 0)
        for phase, rows in zip(WAITING_PHASES, phases[:, FIRST_PHASE:].T, strict=True)
    }
    for place, phase in enumerate(PHASES):
        rows = phases[:, place]
        known = rows["basis"] != ABSENT
        arrays[f"{phase}_ms"] = milliseconds(rows["duration"], known)
        arrays[f"{phase}_basis"] = chosen(BASES, rows["basis"])
        arrays[f"{phase}_first_frame"] = ints(rows["first_number"], known)
        arrays[f"{phase}_last_frame"] = ints(rows["last_number"], known)
    return arrays
