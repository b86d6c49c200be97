"""Table ``connections``: one row per connection, the lifecycle report.

With several exchanges the phase and ``http_*`` columns are those of the first; the rest stand in ``http``.

service: what the connection speaks, by its bytes, never by its port alone: ``dns`` (a DNS message was read), ``http``, ``http2``
(cleartext), ``https`` (TLS whose ALPN, chosen or only one family offered, is HTTP, or that goes to port 443), else ``tls``. ICMP and
unknown ones have none.

host: what the client called the responder, by the strongest evidence (host_source): the Host field, the server name of TLS (public
name when encrypted ClientHello was offered), the only name of the certificate, the DNS name whose answer gave the address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

import numpy as np
import pyarrow.compute as pc

from analyzer.lifecycle.finished import Finished
from analyzer.registries.ip import ICMP6, protocol_name
from analyzer.report.attribution import COLUMNS as ATTRIBUTION_COLUMNS
from analyzer.report.attribution import build_attribution
from analyzer.report.built import Built, ListColumn, Mask, Numbers, TextColumn, from_arrow, is_there, is_true
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.dns import lookup_order
from analyzer.report.encrypted_dns import ENCRYPTED, find_encrypted
from analyzer.report.http import COLUMNS as HTTP_COLUMNS
from analyzer.report.identity import IDENTITY, Identity
from analyzer.report.phase_columns import BASIS_COLUMNS, DURATION_COLUMNS, WAIT_COLUMNS, phase_arrays
from analyzer.report.tcp_analysis import ANALYSIS_COLUMNS, analysis_arrays
from analyzer.report.text import (
    between,
    booleans,
    chosen,
    codes,
    counts,
    ints,
    milliseconds,
    moments,
    named,
    padded,
)  # fmt: skip
from analyzer.report.tls import COLUMNS as TLS_COLUMNS
from analyzer.tables import Ints, Rows
from analyzer.tables.connections import CONN_STATES
from analyzer.tables.packets import TUNNELS
from analyzer.tables.services import DNS, DTLS, HTTP, HTTP2, NAMES, QUIC, TLS, UNDECIDED, UNKNOWN

SERVICES: Final = ("dns", "http", "http2", "https", "tls", *ENCRYPTED, *NAMES.values())
HOST_SOURCES: Final = ("http host", "sni", "outer sni", "certificate", "dns")
HTTPS_PORT: Final = 443
TUNNEL_JOINT: Final = " > "

# column here -> column of ``tls``
FROM_TLS: Final = {
    f"tls_{name}": name
    for name in (
        "version", "cipher_suite", "key_exchange", "authentication", "encryption", "mac", "prf_hash", "forward_secrecy", "group", "sni",
        "alpn", "alpn_offered", "resumed", "established", "ja3", "ja3s", "ja4", "alert", "certificate_subject", "certificate_issuer",
        "certificate_not_before", "certificate_not_after", "certificate_names", "certificate_sha256",
    )
}  # fmt: skip
# column here -> column of ``http``, of the first exchange
FROM_HTTP: Final = {
    f"http_{name}": name
    for name in (
        "method", "url", "status", "version", "user_agent", "response_content_type", "server", "request_body_bytes", "response_body_bytes",
    )
}  # fmt: skip
_ENDS: Final = (
    ("packets", "packets sent by the {}", ""),
    ("bytes", "payload bytes sent by the {}: TCP by sequence numbers, others summed", "bytes"),
    ("ip_bytes", "sum of the IP packets' lengths sent by the {}", "bytes"),
    ("ttl", "time to live (hop limit) of its first packet", ""),
    ("bad_checksums", "packets of the {} with a wrong TCP, UDP or ICMP checksum, left out; looked for with --checksums verify only", ""),
)
_TCP_ENDS: Final = (
    ("mss", "number", "maximum segment size the {} offered", "bytes"),
    ("window_scale", "number", "window scale the {} offered (shift count)", ""),
    ("sack", "truth", "the {} offered selective acknowledgements", ""),
    ("timestamps", "truth", "the {} offered timestamps", ""),
    ("retransmissions", "number", "segments that the {} sent again, by the best evidence", ""),
    ("out_of_order", "number", "segments of the {} that were overtaken on their way, by the best evidence", ""),
    ("zero_windows", "number", "packets in which the {} said it had no room", ""),
    ("missed_bytes", "number", "bytes of the {} that were acknowledged but are not in the capture", "bytes"),
)
_SIDES: Final = ("originator", "responder")


def _copied(columns: tuple[Column, ...], chosen_ones: dict[str, str]) -> list[Column]:
    by_name = {column.name: column for column in columns}
    return [Column(name, c.kind, c.meaning, c.unit, c.caveat) for name, c in ((n, by_name[other]) for n, other in chosen_ones.items())]


COLUMNS: Final = (
    *IDENTITY[:2],
    Column("community_id", "text", "Community ID version 1, to find the connection in other tools"),
    Column("start_time", "time", "first packet", "UTC"),
    Column("duration_ms", "milliseconds", "first packet to the last one that counts", "ms", "stragglers after the close do not count"),
    Column("transport", "text", "tcp, udp, icmp, or the name of another IP protocol (IANA)"),
    *IDENTITY[2:],
    Column("service", "text", "what it speaks: " + ", ".join(SERVICES), caveat="told by its bytes; https also by port 443"),
    Column("host", "text", "what the client called the responder"),
    Column("host_source", "text", "how that is known, strongest first: " + ", ".join(HOST_SOURCES)),
    Column("state", "text", "how it went, in Zeek's words: " + ", ".join(CONN_STATES)),
    Column("history", "text", "Zeek's history letters: what was sent, the originator in upper case"),
    *DURATION_COLUMNS,
    *BASIS_COLUMNS,
    *WAIT_COLUMNS,
    Column("outer_service", "text", "what it spoke before: http (CONNECT), socks, or the protocol that opened TLS, as smtp"),
    *ATTRIBUTION_COLUMNS,
    Column("tcp_syn_retries", "number", "SYNs sent again before the answer"),
    Column("tcp_syn_to_synack_ms", "milliseconds", "last SYN before the answer to SYN+ACK: network and server", "ms"),
    Column("tcp_synack_to_ack_ms", "milliseconds", "SYN+ACK to its ACK: network and client", "ms"),
    *(Column(f"tcp_{side}_{name}", kind, text.format(side), unit) for name, kind, text, unit in _TCP_ENDS for side in _SIDES),
    Column("tcp_closed_by", "text", "who sent the first FIN or RST: originator or responder"),
    Column("tcp_closed_by_reset", "truth", "that was a RST"),
    *ANALYSIS_COLUMNS,
    *_copied(TLS_COLUMNS, FROM_TLS),
    Column("http_requests", "number", "HTTP exchanges"),
    *_copied(HTTP_COLUMNS, FROM_HTTP),
    *(Column(f"{side}_{name}", "number", text.format(side), unit) for name, text, unit in _ENDS for side in _SIDES),
    Column("ip_version", "number", "4 or 6"),
    Column("ip_protocol", "number", "IP protocol number"),
    Column("vlan", "number", "outer VLAN id of the first packet"),
    Column("inner_vlan", "number", "inner VLAN id"),
    Column(
        "tunnel",
        "text",
        f"what it was inside of, the outermost first, joined by {TUNNEL_JOINT.strip()}: {', '.join(name for name, _ in TUNNELS[1:])}",
    ),
    Column("tunnel_id", "number", "number of the innermost tunnel that has one: VNI, TEID, key, session, label, path or service id"),
    Column("tunnel_connection", "number", "number of the connection whose datagrams carried it"),
    Column("first_frame", "number", "frame of the first packet"),
    Column("last_frame", "number", "frame of the last packet"),
    Column("last_time", "time", "last packet", "UTC"),
    Column("findings", "texts", "rules that fired, see ``findings``"),
)


@dataclass(frozen=True)
class Parts:
    """Tables of the same flush that ``connections`` takes columns from; findings (n,) are the names of the rules that fired."""

    phases: Rows
    tls: Sheet
    http: Sheet
    findings: ListColumn


def build_connections(finished: Finished, identity: Identity, parts: Parts) -> Sheet:
    """The connections of one flush in output order."""
    c = finished.connections
    tls_rows = _places_of(finished.handshakes["seen"] == 1)
    tls = {name: parts.tls.built(source).take(tls_rows) for name, source in FROM_TLS.items()}
    http = {name: parts.http.built(source).take(finished.first_exchange) for name, source in FROM_HTTP.items()}
    attribution = build_attribution(finished)
    http_host = parts.http.built("host").take(finished.first_exchange)
    host, source = _host(finished, http_host, tls, attribution["dns_name"])
    arrays = {
        **identity.arrays,
        "community_id": identity.community_ids(),
        "start_time": moments(c["first_ts"]),
        "duration_ms": milliseconds(np.maximum(c["productive_ts"], c["first_ts"]) - c["first_ts"]),
        "transport": named(c["protocol"], _transport_name),
        "service": _service(finished, tls, parts.http),
        "outer_service": _outer_service(finished),
        "host": host,
        "host_source": source,
        "state": chosen(CONN_STATES, c["conn_state"]),
        "history": padded(np.where(np.arange(c["history"].shape[1]) < c["history_size"][:, None], c["history"], 0)),
        **phase_arrays(parts.phases),
        **attribution,
        **_tcp(finished),
        **analysis_arrays(finished),
        **tls,
        "http_requests": counts(finished.exchange_counts),
        **http,
        **_traffic(finished),
        "findings": parts.findings,
    }
    return make_sheet(COLUMNS, arrays)


def _places_of(mask: Mask) -> Ints:
    """For each row its rank among the marked ones, -1 where not marked."""
    return np.where(mask, np.cumsum(mask) - 1, -1)


def _transport_name(protocol: int) -> str:
    return "icmp" if protocol == ICMP6 else protocol_name(protocol)


def _chain(tunnel: int) -> str | None:
    """The tunnels of CONNECTION.tunnel by name, outermost first; None without one."""
    names = (TUNNELS[code][0] for code in tunnel.to_bytes(8, "little") if code)
    return TUNNEL_JOINT.join(names) or None


def _tcp(finished: Finished) -> dict[str, Built]:
    c = finished.connections
    is_tcp: Mask = c["protocol"] == 6
    closed: Mask = c["teardown_ts"] != 0
    answered: Mask = c["synack_ts"] != 0
    last_syn = np.maximum(c["syn_ts"], c["last_syn_ts"])
    arrays: dict[str, Built] = {
        "tcp_syn_retries": ints(c["syn_retries"], c["syn_ts"] != 0),
        "tcp_syn_to_synack_ms": between(np.where(c["syn_ts"] != 0, last_syn, 0), c["synack_ts"]),
        "tcp_synack_to_ack_ms": between(c["synack_ts"], np.where(answered, c["ack_ts"], 0)),
        "tcp_closed_by": chosen(_SIDES, (c["teardown_sender"] != c["flipped"]).astype(np.int64), closed),
        "tcp_closed_by_reset": booleans(c["teardown_by_reset"], closed),
    }
    for side, end, opened in zip(_SIDES, (finished.originators, finished.responders), (c["syn_ts"] != 0, answered), strict=True):
        prefix = f"tcp_{side}"
        arrays[f"{prefix}_mss"] = ints(end["mss"], opened & (end["mss"] > 0))
        arrays[f"{prefix}_window_scale"] = ints(end["window_scale"], opened & (end["window_scale"] < 255))
        arrays[f"{prefix}_sack"] = booleans(end["has_sack"], opened)
        arrays[f"{prefix}_timestamps"] = booleans(end["has_timestamps"], opened)
        for name in ("retransmissions", "out_of_order", "zero_windows", "missed_bytes"):
            arrays[f"{prefix}_{name}"] = ints(end[name], is_tcp)
    return arrays


def _traffic(finished: Finished) -> dict[str, Built]:
    c = finished.connections
    arrays: dict[str, Built] = {}
    for side, end in zip(_SIDES, (finished.originators, finished.responders), strict=True):
        arrays[f"{side}_packets"] = ints(end["packets"])
        arrays[f"{side}_bytes"] = ints(end["stream_bytes"])
        arrays[f"{side}_ip_bytes"] = ints(end["ip_bytes"])
        arrays[f"{side}_ttl"] = ints(end["ttl"], end["packets"] > 0)
        arrays[f"{side}_bad_checksums"] = counts(end["bad_checksums"])
    return {
        **arrays,
        "ip_version": ints(c["ip_version"]),
        "ip_protocol": ints(c["protocol"]),
        "vlan": codes(c["vlan"]),
        "inner_vlan": codes(c["inner_vlan"]),
        "tunnel": named(c["tunnel"], _chain, c["tunnel"] != 0),
        "tunnel_id": codes(c["tunnel_id"]),
        "tunnel_connection": counts(c["carrier"]),
        "first_frame": counts(c["first_number"]),
        "last_frame": counts(c["last_number"]),
        "last_time": moments(c["last_ts"]),
    }


def _service(finished: Finished, tls: dict[str, Built], http: Sheet) -> TextColumn:
    protocol = finished.services["protocol"]
    is_dns: Mask = protocol == DNS
    is_dns[lookup_order(finished)] = True
    is_tls: Mask = ((finished.handshakes["seen"] == 1) & (protocol != DTLS) & (protocol != QUIC)) | (protocol == TLS)
    c = finished.connections
    port = np.where(c["flipped"] == 1, c["a_port"], c["b_port"])
    alpn = pc.coalesce(tls["tls_alpn"].arrow(), tls["tls_alpn_offered"].arrow())
    speaks_http = is_true(pc.or_(pc.starts_with(alpn, "h2"), pc.starts_with(alpn, "http/1")))
    inner = finished.services["inner"]
    is_https = is_tls & (speaks_http | (inner == HTTP) | (inner == HTTP2) | ((port == HTTPS_PORT) & ~is_there(alpn)))
    is_http: Mask = (protocol == HTTP) | (finished.exchange_counts > 0)
    named_place = _named_place(protocol)
    hidden = find_encrypted(finished, is_tls, port, tls, http)
    kinds = [hidden >= 0, is_dns, is_https, is_tls, protocol == HTTP2, named_place >= 0, is_http]
    place = np.select(kinds, [hidden + SERVICES.index(ENCRYPTED[0]), 0, 3, 4, 2, named_place, 1], -1)
    return chosen(SERVICES, place, place >= 0)


def _named_place(protocol: Numbers) -> Ints:
    """Place in SERVICES of protocols that are only named, -1 for others."""
    places = np.full(256, -1, np.int64)
    places[list(NAMES)] = np.arange(len(NAMES)) + len(SERVICES) - len(NAMES)
    return places[protocol]


def _outer_service(finished: Finished) -> TextColumn:
    outer, inner = finished.services["outer"], finished.services["protocol"]
    place = np.where(outer == HTTP, 1, _named_place(outer))
    return chosen(SERVICES, place, (place >= 0) & (inner != UNKNOWN) & (inner != UNDECIDED))


def _host(finished: Finished, http_host: Built, tls: dict[str, Built], dns_name: Built) -> tuple[Built, Built]:
    """Name of the responder and how it is known. A port after the Host field's name is left out."""
    named_host = pc.replace_substring_regex(http_host.arrow(), r":\d*$", "")
    is_ech = finished.handshakes["is_ech"] == 1
    names = cast("ListColumn", tls["tls_certificate_names"])
    evidence = (named_host, tls["tls_sni"].arrow(), names.only().arrow(), dns_name.arrow())
    there = [is_there(array) for array in evidence]
    place = np.select([there[0], there[1] & ~is_ech, there[1], there[2], there[3]], [0, 1, 2, 3, 4], -1)
    return from_arrow(pc.coalesce(*evidence)), chosen(HOST_SOURCES, place, place >= 0)
