"""HAR 1.2 (the HTTP Archive of browsers and proxies): one file with every exchange that was read, in order of time.

What HAR cannot say stands in fields that begin with ``_``: phases with their basis and frames, what TLS, TCP and DNS did. Bodies are not
kept, so ``content`` has sizes and type only. Entries wait in a file of their own until the end, because they are sorted by time.

Times (all in milliseconds): ``connect`` includes ``ssl``; ``time`` is the sum of what is not -1. An exchange on a connection that was
there already has no dns, connect and ssl, and nothing is known of what blocked it. ``wait`` is 0 where the server answered early. A
request that was sent before the handshake was over (false start, early data) ends ``ssl`` where it begins, as browsers tell it.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from analyzer.errors import OutputError
from analyzer.report.built import NumberColumn
from analyzer.report.columns import Sheet
from analyzer.report.heads import HEADS
from analyzer.report.pages import MEMBERS
from analyzer.tables.lifecycle import PHASES

Row = dict[str, Any]
FIRST_PHASES: Final = ("dns", "dns_to_connect", "tcp_connect", "tcp_to_tls", "tls_handshake", "request_wait")
_HTTP: Final = (
    "connection", "index", "method", "url", "status", "reason", "version", "response_version", "request_send_ms", "server_wait_ms",
    "response_receive_ms", "response_content_type", "request_content_type", "location", "request_head_bytes", "request_body_bytes",
    "response_head_bytes", "response_body_bytes", "response_decoded_bytes", "response_media_type", "content_encoding", "stream", "basis",
    "request_complete", "response_complete", "missing_bytes", "request_encrypted_bytes", "response_encrypted_bytes",
    "info_status", "is_pushed", "reset_by", "reset_code", "stall_ms",
    "grpc_service", "grpc_method", "grpc_status", "error", "request_first_frame", "request_last_frame", "response_first_frame",
    "response_last_frame",
)  # fmt: skip
_TLS: Final = ("version", "cipher_suite", "group", "sni", "alpn", "resumed", "ja3", "ja4", "certificate_subject", "certificate_issuer")
_DNS: Final = ("name", "source", "server_ip", "ttl_s", "queries", "answer_age_ms")
_TCP: Final = ("syn_retries", "syn_to_synack_ms", "synack_to_ack_ms", "originator_retransmissions", "responder_retransmissions")
_KINDS: Final = (
    ("html", "document"), ("css", "stylesheet"), ("javascript", "script"), ("ecmascript", "script"), ("image/", "image"),
    ("font", "font"), ("json", "fetch"), ("video/", "media"), ("audio/", "media"),
)  # fmt: skip


def iso_time(ns: int) -> str:
    """A time as HAR has it: ISO 8601 with its zone, microseconds."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ns // 1000)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def milliseconds(value: float) -> float:
    """Milliseconds without noise in the last digits."""
    return round(value, 6)


def timings(exchange: Row, connection: Row) -> tuple[Row, float]:
    """HAR's timings of an exchange, and how many milliseconds before its request its first phase begins."""
    own = {"send": max(exchange["request_send_ms"] or 0.0, 0.0), "wait": max(exchange["server_wait_ms"] or 0.0, 0.0),
           "receive": max(exchange["response_receive_ms"] or 0.0, 0.0)}  # fmt: skip
    told: Row = {"blocked": -1.0, "dns": -1.0, "connect": -1.0, "ssl": -1.0}
    before = 0.0
    if exchange["index"] == 1:
        phases = {name: connection[f"{name}_ms"] for name in FIRST_PHASES}
        is_quic = str(exchange.get("version")).startswith("3")  # its TLS handshake is all of its connecting
        early = max(-(phases["request_wait"] or 0.0), 0.0)  # false start, early data: the phases before end where the request begins
        for name in ("tls_handshake", "tcp_to_tls", "tcp_connect") if early else ():
            held = min(phases[name] or 0.0, early)
            phases[name], early = phases[name] and phases[name] - held, early - held
        phases["request_wait"] = phases["request_wait"] and max(phases["request_wait"], 0.0)
        before = sum(value for value in phases.values() if value is not None and value > 0)
        for name, parts in (("blocked", ("dns_to_connect", "request_wait")), ("dns", ("dns",)),
                            ("connect", ("tcp_connect", "tcp_to_tls", "tls_handshake")), ("ssl", ("tls_handshake",))):  # fmt: skip
            known = [phases[part] for part in parts if phases[part] is not None]
            if known and (name != "connect" or phases["tcp_connect"] is not None or is_quic):
                told[name] = max(sum(known), 0.0)
    return {name: milliseconds(value) for name, value in {**told, **own}.items()}, before


def total_time(told: Row) -> float:
    """``time`` of an entry: ``ssl`` is part of ``connect``."""
    return milliseconds(sum(value for name, value in told.items() if name != "ssl" and value >= 0))


def read_cookies(fields: list[list[str]], name: str) -> list[Row]:
    """Cookies of the Cookie or Set-Cookie fields."""
    found = []
    for field, value in fields:
        if field.lower() == name:
            for part in value.split(";") if name == "cookie" else value.split(";")[:1]:
                key, _, told = part.strip().partition("=")
                found.append({"name": key, "value": told})
    return found


def _named(fields: list[list[str]]) -> list[Row]:
    return [{"name": name, "value": value} for name, value in fields]


def stand_in(row: Row, connection: Row) -> Row:
    """What stands for the content of an exchange that could not be read."""
    name = connection["host"] or connection["responder_ip"]
    told = {"url": f"https://{name}/", "method": "GET", "request_body_bytes": row["request_encrypted_bytes"] or 0}
    return {**told, "response_body_bytes": row["response_encrypted_bytes"] or 0, "response_decoded_bytes": None}


def _version(told: str | None) -> str:
    return f"HTTP/{told}" if told else "unknown"


def request_of(exchange: Row, fields: list[list[str]]) -> Row:
    """HAR's request."""
    url = (exchange["url"] or "").partition("#")[0]
    return {
        "method": exchange["method"] or "",
        "url": url,
        "httpVersion": _version(exchange["version"]),
        "cookies": read_cookies(fields, "cookie"),
        "headers": _named(fields),
        "queryString": [{"name": name, "value": value} for name, value in parse_qsl(_query(url), keep_blank_values=True)],
        "headersSize": exchange["request_head_bytes"] if exchange["request_head_bytes"] is not None else -1,
        "bodySize": exchange["request_body_bytes"],
    }


def _query(url: str) -> str:
    try:
        return urlsplit(url).query
    except ValueError:  # no URL
        return ""


def response_of(exchange: Row, fields: list[list[str]]) -> Row:
    """HAR's response; status 0 where there was none."""
    body, decoded = exchange["response_body_bytes"], exchange["response_decoded_bytes"]
    size = decoded if decoded is not None else body
    content: Row = {"size": size, "mimeType": exchange["response_content_type"] or exchange["response_media_type"] or ""}
    if decoded is not None and exchange["content_encoding"]:
        content["compression"] = decoded - body
    there = exchange["response_first_frame"] is not None
    return {
        "status": exchange["status"] or 0,
        "statusText": exchange["reason"] or "",
        "httpVersion": _version(exchange["response_version"] or exchange["version"]),
        "cookies": read_cookies(fields, "set-cookie"),
        "headers": _named(fields),
        "content": content,
        "redirectURL": exchange["location"] or "",
        "headersSize": -1 if exchange["response_head_bytes"] is None else exchange["response_head_bytes"],
        "bodySize": body if there else -1,
        "_transferSize": body + (exchange["response_head_bytes"] or 0),
    }


def resource_type(mime: str) -> str:
    """What viewers show a response as."""
    return next((kind for part, kind in _KINDS if part in mime), "other")


def _without_none(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


def connection_facts(connection: Row) -> Row:
    """The fields that are the same for all entries of a connection."""
    told: Row = {"_tcp": _without_none({name: connection[f"tcp_{name}"] for name in _TCP} | {"state": connection["state"]})}
    for field, prefix, names in (("_tls", "tls_", _TLS), ("_dns", "dns_", _DNS)):
        facts = _without_none({name: connection[f"{prefix}{name}"] for name in names})
        if facts:
            told[field] = facts
    return told


def lifecycle_of(exchange: Row, connection: Row) -> Row:
    """All phases of the connection with the first exchange, frames with each."""
    told: Row = {name: exchange[name] for name in ("request_first_frame", "request_last_frame", "response_first_frame",
                                                    "response_last_frame", "stream", "info_status", "stall_ms", "reset_by", "reset_code",
                                                    "grpc_service", "grpc_method", "grpc_status", "error")}  # fmt: skip
    told |= {"is_pushed": exchange["is_pushed"] or None, "missing_bytes": exchange["missing_bytes"] or None, "basis": exchange["basis"]}
    if exchange["index"] == 1:
        told["phases"] = {
            phase: _without_none({"ms": connection[f"{phase}_ms"], "basis": connection[f"{phase}_basis"],
                                  "first_frame": connection[f"{phase}_first_frame"], "last_frame": connection[f"{phase}_last_frame"],
                                  "tcp_wait_ms": connection.get(f"{phase}_tcp_wait_ms")})
            for phase in PHASES if connection[f"{phase}_ms"] is not None
        }  # fmt: skip
    return _without_none(told)


def _columns_of(connections: Sheet) -> list[str]:
    wanted = [f"{prefix}{name}" for prefix, names in (("tls_", _TLS), ("dns_", _DNS), ("tcp_", _TCP)) for name in names]
    phases = [f"{phase}_{what}" for phase in PHASES for what in ("ms", "basis", "first_frame", "last_frame", "tcp_wait_ms")]
    there = set(connections.schema.names)
    return [name for name in ("connection", "responder_ip", "responder_port", "state", "host", *wanted, *phases) if name in there]


class HarWriter:
    """Writes ``capture.har``; needs the tables of heads (``Context.with_heads``).

    ``with_encrypted``: exchanges that were only inferred are entries, too, with what can be said of them: so that the waterfall is whole.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "capture.har"
        self.paths = [path]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = path.open("wb")
            self._waiting: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed in close
        except OSError as error:
            raise OutputError(
                f"{folder}: the archive cannot be written there ({error.strerror}). Choose another folder with -o."
            ) from error
        self._keys: list[tuple[int, int, int, int, int]] = []  # start in ns, connection, index, place in the file, bytes
        self._top = 0
        self._pages: list[Row] = []
        self._members: dict[tuple[int, int], int] = {}
        self.with_encrypted = False

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Take the exchanges of one flush."""
        if "pages" in batches:
            self._take_pages(batches["pages"], batches[MEMBERS])
        if "http" not in batches or not batches["http"].num_rows:
            return
        http, heads = batches["http"], batches[HEADS]
        rows = http.select(_HTTP).to_pylist()
        started = http.built("request_time")
        assert isinstance(started, NumberColumn)
        wanted = sorted({row["connection"] for row in rows})
        connections = batches["connections"]
        places = np.flatnonzero(np.isin(np.asarray(connections.column("connection")), wanted))
        told = connections.select(_columns_of(connections)).take(places).to_pylist()
        by_number = {row["connection"]: (row, connection_facts(row)) for row in told}
        fields = zip(heads.column("request").to_pylist(), heads.column("response").to_pylist(), strict=True)
        for row, start, (request, response) in zip(rows, started.values.tolist(), fields, strict=True):
            if row["basis"] == "inferred" and not self.with_encrypted:
                continue
            connection, facts = by_number[row["connection"]]
            told = {**row, **stand_in(row, connection)} if row["basis"] == "inferred" else row
            if told["url"] is not None:
                self._add(told, start, json.loads(request or "[]"), json.loads(response or "[]"), connection, facts)

    def _add(self, row: Row, start: int, asked: list[list[str]], answered: list[list[str]], connection: Row, facts: Row) -> None:  # noqa: PLR0913, PLR0917 - one exchange
        told, before = timings(row, connection)
        begin = start - round(before * 1e6)
        response = response_of(row, answered)
        entry = {
            "startedDateTime": iso_time(begin),
            "time": total_time(told),
            "request": request_of(row, asked),
            "response": response,
            "cache": {},
            "timings": told,
            "serverIPAddress": connection["responder_ip"],
            "connection": str(row["connection"]),
            "_connectionId": str(row["connection"]),  # where DevTools looks for it
            "_resourceType": resource_type(response["content"]["mimeType"]),
            "_lifecycle": lifecycle_of(row, connection),
            **facts,
        }
        if row["basis"] == "inferred":
            entry["_encrypted"] = True
        content = json.dumps(entry, separators=(",", ":")).encode()
        try:
            self._waiting.write(content)
        except OSError as error:
            raise OutputError(f"{self.paths[0]}: cannot be written ({error.strerror}).") from error
        self._keys.append((begin, row["connection"], row["index"], self._top, len(content)))
        self._top += len(content)

    def _take_pages(self, pages: Sheet, members: Sheet) -> None:
        starts = pages.built("start_time")
        assert isinstance(starts, NumberColumn)
        for row, start in zip(
            pages.select(("page", "url", "first_byte_ms", "duration_ms")).to_pylist(), starts.values.tolist(), strict=True
        ):
            self._pages.append({
                "startedDateTime": iso_time(start),
                "id": f"page_{row['page']}",
                "title": row["url"] or "",
                "pageTimings": {"onContentLoad": -1, "onLoad": milliseconds(row["duration_ms"])},
            })  # fmt: skip
        for row in members.arrow().to_pylist():
            self._members[row["connection"], row["index"]] = row["page"]

    def close(self) -> None:
        """Write the archive; may be called twice."""
        if self._file.closed:
            return
        try:
            self._finish()
        except OSError as error:
            raise OutputError(f"{self.paths[0]}: cannot be written ({error.strerror}).") from error
        finally:
            self._file.close()
            self._waiting.close()

    def _finish(self) -> None:
        creator = {"name": "analyzer", "version": importlib.import_module("analyzer").__version__}
        head = {"version": "1.2", "creator": creator, "pages": sorted(self._pages, key=lambda page: str(page["startedDateTime"]))}
        self._file.write(b'{"log":' + json.dumps(head).encode()[:-1] + b',"entries":[')
        for place, (_, connection, index, at, size) in enumerate(sorted(self._keys)):
            self._waiting.seek(at)
            content = self._waiting.read(size)
            page = self._members.get((connection, index))
            reference = b'{"pageref":"page_%d",' % page if page is not None else b"{"
            self._file.write((b",\n" if place else b"\n") + reference + content[1:])
        self._file.write(b"\n]}}\n")
