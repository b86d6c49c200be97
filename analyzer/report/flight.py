"""One connection in flight, in words for a terminal: made for the few that are shown, never for all."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from analyzer.lifecycle.flight import ANSWER, PHASES, RECEIVING, SENDING, SILENT, WAITS, Flights, tls_phase
from analyzer.registries.ip import ICMP6, protocol_name
from analyzer.tables import Bytes, Rows
from analyzer.tables.connections import IS_DNS
from analyzer.tables.services import DNS, HTTP, NAMES, TLS

PORTLESS = (1, 58)  # ICMP


@dataclass(frozen=True)
class Flight:
    """A connection that is not over.

    Attributes:
        number: as in the report.
        host: the name asked for, as far as it is known by now; else the responder's address and port.
        service: what it speaks, "" = not known yet.
        phase: what happens or is waited for.
        since_ns: since when (capture time).
        remark: what makes it worth a look, "" = nothing.
        is_waiting: one end waits for the other.
    """

    number: int
    host: str
    service: str
    phase: str
    since_ns: int
    remark: str
    is_waiting: bool


def address_of(hi: int, lo: int, version: int) -> str:
    """An address as text."""
    return str(ipaddress.IPv4Address(lo) if version == 4 else ipaddress.IPv6Address(hi << 64 | lo))


def _text(data: Bytes, at: int, size: int) -> str:
    return data[at : at + size].tobytes().decode("utf-8", "backslashreplace")


def _host(c: Rows, handshake: Rows | None, attribution: Rows | None, texts: tuple[Bytes, Bytes]) -> str:
    if handshake is not None and handshake.seen and handshake.server_name_size > 0:
        return _text(texts[0], int(handshake.server_name), int(handshake.server_name_size))
    if attribution is not None and attribution.basis and attribution.name_size > 0:
        return _text(texts[1], int(attribution.name), int(attribution.name_size))
    end = ("a", "b")[1 - int(c.flipped)]
    address = address_of(int(c[f"{end}_hi"]), int(c[f"{end}_lo"]), int(c.ip_version))
    if int(c.protocol) in PORTLESS:
        return address
    return f"[{address}]:{c[f'{end}_port']}" if ":" in address else f"{address}:{c[f'{end}_port']}"


def _service(c: Rows, service: Rows | None) -> str:
    protocol = int(service.protocol) if service is not None else 0
    named = {DNS: "dns", HTTP: "http", TLS: "tls", **NAMES}.get(protocol, "")
    if named or not int(c.marks) & IS_DNS:
        return named or ("icmp" if int(c.protocol) == ICMP6 else protocol_name(int(c.protocol)))
    return "dns"


def describe_flight(flights: Flights, at: int, connections: Rows, tables: tuple[Rows, Rows, Rows], texts: tuple[Bytes, Bytes]) -> Flight:
    """One of the flights. ``tables``: HANDSHAKE, SERVICE, ATTRIBUTION by connection row; ``texts``: what the first and third point to."""
    row = int(flights.rows[at])
    c = connections[row]
    handshake, service, attribution = (table[row] if row < len(table) else None for table in tables)
    code, since = int(flights.phases[at]), int(flights.since_ns[at])
    phase, spoken, is_waiting = PHASES[code], _service(c, service), code in WAITS
    if code == ANSWER and spoken == "dns":
        phase = "waiting for the DNS answer"
    elif handshake is not None and code in (ANSWER, SENDING, RECEIVING, SILENT):
        told = tls_phase(handshake)
        phase, since, is_waiting = (*told, True) if told is not None else (phase, since, is_waiting)
    retries = int(c.syn_retries)
    remark = f"{retries} {'retry' if retries == 1 else 'retries'}" if retries and not c.synack_ts else ""
    if int(c.icmp_errors):
        remark = "ICMP error"
    return Flight(int(c.number), _host(c, handshake, attribution, texts), spoken, phase, since, remark, is_waiting)
