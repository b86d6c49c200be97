"""Zeek's logs from the report's tables: conn, dns, ssl, x509, http and quic, with Zeek's field names and spellings.

One line of a log is one row of one table. The declarations below say for each
field its name, its Zeek type and its values; the writers need only that: of JSON here, of Zeek's tab-separated form in ``zeek_tsv``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.export import row_kernels as rk
from analyzer.export.cells import Lines
from analyzer.export.files import LineFiles
from analyzer.export.percent_kernels import decode_percent
from analyzer.export.zeek_addresses import in_ipv4, is_local
from analyzer.export.zeek_services import WEBSOCKET, zeek_service
from analyzer.registries.cipher_suites import zeek_suite_name
from analyzer.registries.quic import zeek_version_name as zeek_quic_version_name
from analyzer.registries.tls import zeek_alert_name, zeek_curve_name, zeek_version_name
from analyzer.report.build import ZEEK_DNS
from analyzer.report.built import as_arrow, is_there, is_true, simple_from_arrow, texts_of, values_of
from analyzer.report.columns import Sheet
from analyzer.report.text import booleans, constant, lists, named, number, spans, words

KINDS: Final[dict[str, int]] = {
    "time": rk.EPOCH,
    "interval": rk.SECONDS,
    "string": rk.STRING,
    "addr": rk.STRING,
    "enum": rk.STRING,
    "port": rk.WHOLE,
    "count": rk.WHOLE,
    "int": rk.WHOLE,
    "bool": rk.TRUTH,
    "vector[string]": rk.STRINGS,
    "set[string]": rk.STRINGS,
    "vector[interval]": rk.REALS,
}
"""Zeek type -> how it is written in JSON."""


Values: TypeAlias = Callable[[pa.RecordBatch], pa.Array]


@dataclass(frozen=True)
class Field:
    """One field of a log: Zeek's name and type, and its values from a row of the log's table."""

    name: str
    kind: str
    values: Values


@dataclass(frozen=True)
class Log:
    """One log: its name in Zeek, the table whose rows (those where ``only`` is there and ``keep`` is true) are its lines, its fields."""

    path: str
    table: str
    fields: tuple[Field, ...]
    only: str | None = None
    keep: Values | None = None


def _nothing(kind: pa.DataType) -> pa.Scalar:
    """Unset for all rows."""
    return pa.nulls(1, kind)[0]


def _empty_list(kind: pa.ListType) -> pa.Scalar:
    """An empty list for all rows."""
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(np.zeros(2, np.int32))], children=[pa.nulls(0, kind.value_type)])[0]


def _column(name: str) -> Values:
    return lambda batch: batch.column(name)


def _code(column: str, name_of: Callable[[int], str]) -> Values:
    def values(batch: pa.RecordBatch) -> pa.Array:
        array = batch.column(column)
        return named(values_of(array, np.int64), name_of, is_there(array)).arrow()

    return values


def _if_lasted(column: str) -> Values:
    """A column of ``connections``, unset where the connection has no duration (a single packet), as in Zeek."""

    def values(batch: pa.RecordBatch) -> pa.Array:
        array = batch.column(column)
        there = booleans(values_of(batch.column("duration_ms"), np.float64) > 0, is_there(batch.column("duration_ms"))).arrow()
        return pc.if_else(there, array, _nothing(array.type))

    return values


def _first(*columns: str) -> Values:
    return lambda batch: pc.coalesce(*(batch.column(name) for name in columns))


def _proto(batch: pa.RecordBatch) -> pa.Array:
    transport = batch.column("transport")
    known = pc.is_in(transport, value_set=words(["tcp", "udp", "icmp"]).arrow())
    return pc.if_else(known, transport, constant("unknown_transport"))


def _missed(batch: pa.RecordBatch) -> pa.Array:
    ends = [pc.fill_null(batch.column(f"tcp_{side}_missed_bytes"), number(0)) for side in ("originator", "responder")]
    return pc.add(*ends)


def _client_chain(batch: pa.RecordBatch) -> pa.Array:
    """Fingerprints of the client's chain: unset without a server's chain, empty where only the server sent one, as in Zeek."""
    mine, theirs = batch.column("client_chain"), batch.column("server_chain")
    empty, unset = _empty_list(mine.type), _nothing(mine.type)
    return pc.if_else(theirs.is_valid(), pc.if_else(mine.is_null(), empty, mine), unset)


def _uri(batch: pa.RecordBatch) -> pa.Array:
    """Request target with percent-encoding taken out, as in Zeek."""
    target = batch.column("target")
    told = texts_of(target)
    ends, content = told.ends, told.content
    positions, sizes = np.zeros(len(target), np.int64), np.zeros(len(target), np.int64)
    out = np.empty(int(ends[-1] - ends[0]), np.uint8)
    decode_percent(content, ends, positions, sizes, out)
    return spans(out, positions, sizes).arrow()


def _is_informational(batch: pa.RecordBatch) -> pa.Array:
    """Whether the final response itself is a 1xx (101)."""
    status = batch.column("status")
    values = values_of(status, np.int64)
    return booleans((values >= 100) & (values < 200) & is_there(status)).arrow()


def _reply(final: str, informational: str) -> Values:
    """A column of the final response; where only a 1xx came, of that: to Zeek each is a reply."""

    def values(batch: pa.RecordBatch) -> pa.Array:
        lone = pc.and_(batch.column("status").is_null(), batch.column("info_status").is_valid())
        return pc.if_else(lone, batch.column(informational), batch.column(final))

    return values


def _informational(informational: str, final: str) -> Values:
    """A column of the last 1xx, which may be the final response (101)."""
    return lambda batch: pc.if_else(_is_informational(batch), batch.column(final), batch.column(informational))


def _if_informational(batch: pa.RecordBatch, array: pa.Array) -> pa.Array:
    there = pc.or_(_is_informational(batch), batch.column("info_status").is_valid())
    return pc.if_else(there, array, _nothing(array.type))


def _or_empty(batch: pa.RecordBatch, array: pa.Array) -> pa.Array:
    """A reason phrase; Zeek writes <empty> where the status line has none."""
    answered = pc.or_(batch.column("status").is_valid(), batch.column("info_status").is_valid())
    return pc.if_else(pc.and_(answered, array.is_null()), constant("<empty>"), array)


def _entity(batch: pa.RecordBatch, side: str) -> pa.Array:
    """Bytes of bodies, decoded where the coding was taken off."""
    return pc.coalesce(batch.column(f"{side}_decoded_bytes"), batch.column(f"{side}_body_bytes"))


def _request_body_len(batch: pa.RecordBatch) -> pa.Array:
    """Bytes of the body with those that are missing, as Zeek counts them."""
    return pc.add(_entity(batch, "request"), batch.column("request_missing_bytes"))


def _response_body_len(batch: pa.RecordBatch) -> pa.Array:
    """Likewise; of a body in a coding Zeek knows only what was decoded."""
    entity = _entity(batch, "response")
    missing = pc.subtract(batch.column("missing_bytes"), batch.column("request_missing_bytes"))
    return pc.if_else(pc.equal(entity, batch.column("response_body_bytes")), pc.add(entity, missing), entity)


def _listed(side: str, column: str) -> Values:
    """A column of text about bodies as lists of one, where there is a body."""

    def values(batch: pa.RecordBatch) -> pa.Array:
        array = batch.column(f"{side}_{column}")
        array = pc.if_else(pc.greater(_entity(batch, side), number(0)), array, _nothing(array.type))
        return lists(is_there(array).astype(np.int64), simple_from_arrow(array.drop_null())).arrow()

    return values


_ID: Final = (
    Field("uid", "string", _column("uid")),
    Field("id.orig_h", "addr", in_ipv4("originator_ip")),
    Field("id.orig_p", "port", _column("originator_port")),
    Field("id.resp_h", "addr", in_ipv4("responder_ip")),
    Field("id.resp_p", "port", _column("responder_port")),
)

CONN: Final = Log(
    "conn",
    "connections",
    (
        Field("ts", "time", _column("start_time")),
        *_ID,
        Field("proto", "enum", _proto),
        Field("service", "string", zeek_service),
        Field("duration", "interval", _if_lasted("duration_ms")),
        Field("orig_bytes", "count", _if_lasted("originator_bytes")),
        Field("resp_bytes", "count", _if_lasted("responder_bytes")),
        Field("conn_state", "string", _column("state")),
        Field("local_orig", "bool", is_local("originator_ip")),
        Field("local_resp", "bool", is_local("responder_ip")),
        Field("missed_bytes", "count", _missed),
        Field("history", "string", _column("history")),
        Field("orig_pkts", "count", _column("originator_packets")),
        Field("orig_ip_bytes", "count", _column("originator_ip_bytes")),
        Field("resp_pkts", "count", _column("responder_packets")),
        Field("resp_ip_bytes", "count", _column("responder_ip_bytes")),
        Field("vlan", "int", _column("vlan")),
        Field("inner_vlan", "int", _column("inner_vlan")),
        Field("ip_proto", "count", _column("ip_protocol")),
        Field("community_id", "string", _column("community_id")),
    ),
)

DNS: Final = Log(
    "dns",
    ZEEK_DNS,
    (
        Field("ts", "time", _column("ts")),
        *_ID,
        Field("proto", "enum", _column("proto")),
        Field("trans_id", "count", _column("trans_id")),
        Field("rtt", "interval", _column("rtt_ms")),
        *(Field(name, "string" if name.endswith(("query", "name")) else "count", _column(name))
          for name in ("query", "qclass", "qclass_name", "qtype", "qtype_name", "rcode", "rcode_name")),
        *(Field(name, "bool", _column(name)) for name in ("AA", "TC", "RD", "RA")),
        Field("Z", "count", _column("Z")),
        Field("answers", "vector[string]", _column("answers")),
        Field("TTLs", "vector[interval]", _column("TTLs")),
        Field("rejected", "bool", _column("rejected")),
        Field("opcode", "count", _column("opcode")),
        Field("opcode_name", "string", _column("opcode_name")),
    ),
)  # fmt: skip

SSL: Final = Log(
    "ssl",
    "tls",
    (
        Field("ts", "time", _column("first_time")),
        *_ID,
        Field("version", "string", _code("version_code", zeek_version_name)),
        Field("cipher", "string", _code("cipher_suite_code", zeek_suite_name)),
        Field("curve", "string", _code("group_code", zeek_curve_name)),
        Field("server_name", "string", _column("sni")),
        Field("resumed", "bool", lambda batch: booleans(is_true(batch.column("resumed")))),
        Field("last_alert", "string", _code("last_alert_code", zeek_alert_name)),
        Field("next_protocol", "string", _column("alpn")),
        Field("established", "bool", _column("established")),
        Field("ssl_history", "string", _column("history")),
        Field("cert_chain_fps", "vector[string]", _column("server_chain")),
        Field("client_cert_chain_fps", "vector[string]", _client_chain),
        Field("sni_matches_cert", "bool", _column("certificate_fits_sni")),
        Field("ja3", "string", _column("ja3")),
        Field("ja3s", "string", _column("ja3s")),
        Field("ja4", "string", _column("ja4")),
    ),
    only="history",
)

HTTP: Final = Log(
    "http",
    "http",
    (
        Field("ts", "time", _first("request_time", "response_time")),
        *_ID,
        Field("trans_depth", "count", _column("index")),
        Field("method", "string", _column("method")),
        Field("host", "string", _column("host")),
        Field("uri", "string", _uri),
        Field("referrer", "string", _column("referrer")),
        Field("version", "string", _reply("response_version", "version")),
        Field("user_agent", "string", _column("user_agent")),
        Field("origin", "string", _column("origin")),
        Field("request_body_len", "count", _request_body_len),
        Field("response_body_len", "count", _response_body_len),
        Field("status_code", "count", _reply("status", "info_status")),
        Field("status_msg", "string", lambda batch: _or_empty(batch, _reply("reason", "info_reason")(batch))),
        Field("info_code", "count", _informational("info_status", "status")),
        Field(
            "info_msg", "string", lambda batch: _if_informational(batch, _or_empty(batch, _informational("info_reason", "reason")(batch)))
        ),
        Field("username", "string", _column("username")),
        Field("proxied", "set[string]", _column("proxied")),
        Field("orig_filenames", "vector[string]", _listed("request", "filename")),
        Field("orig_mime_types", "vector[string]", _listed("request", "media_type")),
        Field("resp_filenames", "vector[string]", _listed("response", "filename")),
        Field("resp_mime_types", "vector[string]", _listed("response", "media_type")),
    ),
    keep=lambda batch: pc.and_(batch.column("stream").is_null(), pc.equal(batch.column("basis"), constant("measured"))),
)

X509: Final = Log(
    "x509",
    "certificates",
    (
        Field("ts", "time", _column("first_seen")),
        Field("fingerprint", "string", _column("sha256")),
        Field("certificate.version", "count", _column("version")),
        Field("certificate.serial", "string", _column("serial")),
        Field("certificate.subject", "string", _column("subject")),
        Field("certificate.issuer", "string", _column("issuer")),
        Field("certificate.not_valid_before", "time", _column("not_before")),
        Field("certificate.not_valid_after", "time", _column("not_after")),
        Field("certificate.key_alg", "string", _column("key_algorithm")),
        Field("certificate.sig_alg", "string", _column("signature_algorithm")),
        Field("certificate.key_type", "string", _column("key_type")),
        Field("certificate.key_length", "count", _column("key_bits")),
        Field("certificate.exponent", "string", _column("key_exponent")),
        Field("certificate.curve", "string", _column("key_curve")),
        Field("san.dns", "vector[string]", _column("names")),
        Field("san.uri", "vector[string]", _column("uris")),
        Field("san.email", "vector[string]", _column("emails")),
        Field("san.ip", "vector[string]", _column("addresses")),
        Field("basic_constraints.ca", "bool", _column("is_ca")),
        Field("basic_constraints.path_len", "count", _column("path_length")),
        Field("host_cert", "bool", _column("is_leaf")),
        Field("client_cert", "bool", _column("is_client")),
    ),
)

_QUIC_NAMES: Final = {
    "client_initial_dcid": "original_id", "client_scid": "client_id", "server_scid": "server_id", "server_name": "sni",
    "client_protocol": "first_alpn", "history": "history",
}  # fmt: skip
QUIC_VERSION: Final = Field("version", "string", _code("version_code", zeek_quic_version_name))
QUIC_FIELDS: Final = tuple(Field(name, "string", _column(column)) for name, column in _QUIC_NAMES.items())
QUIC: Final = Log("quic", "quic", (Field("ts", "time", _column("first_time")), *_ID, QUIC_VERSION, *QUIC_FIELDS), only="history")

LOGS: Final = (CONN, DNS, SSL, X509, HTTP, QUIC)


def _goes_on_as_websocket(batch: pa.RecordBatch, sockets: Sheet) -> pa.Array:
    """Which connections have a WebSocket that could be read without keys."""
    clear = pc.filter(sockets.column("connection"), pc.invert(sockets.column("is_encrypted")))
    return pc.is_in(batch.column("connection"), value_set=clear)


def build_log(log: Log, batches: Mapping[str, Sheet]) -> pa.RecordBatch:
    """The lines of one log: a batch with the log's fields as columns."""
    batch = Sheet.of(batches[log.table]).arrow()
    if log.only is not None and batch.column(log.only).null_count:
        batch = batch.filter(batch.column(log.only).is_valid())
    if log is CONN:
        batch = batch.append_column(WEBSOCKET, _goes_on_as_websocket(batch, Sheet.of(batches["websockets"])))
    if log.keep is not None:
        kept = log.keep(batch)
        batch = batch if pc.all(kept).as_py() is not False else batch.filter(kept)
    return pa.RecordBatch.from_arrays([as_arrow(field.values(batch)) for field in log.fields], [field.name for field in log.fields])


class ZeekJsonWriter:
    """Writes conn.log, dns.log, ssl.log, x509.log, http.log and quic.log, one JSON object a line; needs the table ``zeek_dns``."""

    def __init__(self, folder: Path) -> None:
        self._files = LineFiles(folder, [log.path for log in LOGS], ".log")
        self._lines = {log.path: Lines([field.name for field in log.fields], [KINDS[field.kind] for field in log.fields]) for log in LOGS}
        self.paths = self._files.paths

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the lines of one flush."""
        for log in LOGS:
            if log.table in batches:
                self._files.write(log.path, self._lines[log.path].json(build_log(log, batches)))

    def close(self) -> None:
        """Close all files; may be called twice."""
        self._files.close()
