"""Zeek's logs as JSON, read back with json."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from analyzer.cli import run
from analyzer.errors import OutputError
from analyzer.export.zeek import KINDS, LOGS, ZeekJsonWriter
from analyzer.report.build import Context, build_tables
from analyzer.tables.connections import CONN_STATES
from tests.report.rows import CERTIFICATES, make_inputs

CAPTURES = Path(__file__).parents[2] / "captures"


def write(folder: Path, *inputs: Any) -> dict[str, list[dict[str, Any]]]:
    writer = ZeekJsonWriter(folder)
    writer.write(build_tables(*inputs, Context(7, CERTIFICATES, with_zeek=True)))
    writer.close()
    return {log.path: [json.loads(line) for line in (folder / f"{log.path}.log").read_text("utf-8").splitlines()] for log in LOGS}


def test_each_log_has_its_lines(tmp_path: Path) -> None:
    logs = write(tmp_path, *make_inputs(["dns", "tls", "http", "icmp", "tls"]))
    assert {name: len(lines) for name, lines in logs.items()} == {"conn": 5, "dns": 1, "ssl": 2, "x509": 2, "http": 2, "quic": 0}
    dns, tls, http, icmp, other = logs["conn"]
    assert dns["ts"] == 1700000000.005
    assert (dns["id.orig_h"], dns["id.orig_p"], dns["id.resp_h"], dns["id.resp_p"]) == ("10.0.0.5", 53000, "203.0.113.0", 53)
    assert [line.get("service") for line in logs["conn"]] == ["dns", "ssl", "http", None, "ssl"]
    assert [line["proto"] for line in logs["conn"]] == ["udp", "tcp", "tcp", "icmp", "tcp"]
    assert tls["duration"] == 0.001000001
    assert (tls["conn_state"], tls["history"], tls["orig_bytes"], tls["missed_bytes"]) == ("SF", "Sh", 180, 0)
    assert (http["local_orig"], http["local_resp"]) == (True, True)  # 203.0.113.0/24 is a special-purpose network
    assert (icmp["id.orig_p"], icmp["ip_proto"]) == (8, 1)
    assert (other["id.orig_h"], other["local_orig"]) == ("2001:db8::a00:5", True)
    assert tls["uid"] == logs["ssl"][0]["uid"]


def test_dns(tmp_path: Path) -> None:
    (line,) = write(tmp_path, *make_inputs(["dns"]))["dns"]
    assert line["rtt"] == 0.001500001
    assert {name: line[name] for name in ("query", "qclass", "qclass_name", "qtype", "qtype_name", "rcode", "rcode_name")} == {
        "query": "www.example.org",
        "qclass": 1,
        "qclass_name": "C_INTERNET",
        "qtype": 1,
        "qtype_name": "A",
        "rcode": 0,
        "rcode_name": "NOERROR",
    }
    assert (line["AA"], line["TC"], line["RD"], line["RA"], line["Z"], line["rejected"]) == (False, False, True, True, 0, False)
    assert (line["answers"], line["TTLs"]) == (["192.0.2.1", "edge.example.net"], [60.0, 60.0])
    assert (line["trans_id"], line["proto"], line["opcode_name"]) == (0xBEEF, "udp", "query")


def test_ssl_and_x509(tmp_path: Path) -> None:
    logs = write(tmp_path, *make_inputs(["tls", "tls"]))
    line = logs["ssl"][0]
    expected = {
        "version": "TLSv12",
        "cipher": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "curve": "x25519",
        "server_name": "www.example.org",
        "resumed": False,
        "established": True,
        "next_protocol": "h2",
        "ssl_history": "CsX",
        "cert_chain_fps": ["a" * 64],
        "client_cert_chain_fps": [],
        "sni_matches_cert": True,
        "ja3": "a" * 32,
    }
    assert {name: line.get(name) for name in expected} == expected
    assert "last_alert" not in line
    first, second = logs["x509"]
    assert (first["fingerprint"], first["host_cert"], first["client_cert"]) == ("a" * 64, True, False)
    assert first["certificate.subject"] == "CN=www.example.org,O=\\x1bExample"
    assert first["san.dns"] == ["www.example.org"]
    assert second["certificate.not_valid_before"] == 1699999999.999
    assert second["basic_constraints.ca"] is True


def test_http(tmp_path: Path) -> None:
    first, second = write(tmp_path, *make_inputs(["http"]))["http"]
    assert (first["trans_depth"], first["method"], first["uri"], first["version"]) == (1, "GET", "/index.html?a=1", "1.1")
    assert (first["status_code"], first["status_msg"], first["request_body_len"]) == (200, "OK", 0)
    assert first["proxied"] == ["VIA -> a", "X-FORWARDED-FOR -> b"]
    assert second["uri"] == '=cmd|" /C calc",\\x1b[1m'


def test_percent_encoding_is_taken_out_of_uris(tmp_path: Path) -> None:
    inputs = make_inputs(["http"])
    target = b"/a%2Fb%zz%c3%a9%00%%41%4"
    text = inputs[0].texts.http
    text[-len(target) :] = np.frombuffer(target, np.uint8)
    inputs[0].exchanges["target"], inputs[0].exchanges["target_size"] = len(text) - len(target), len(target)
    for line in write(tmp_path, *inputs)["http"]:
        assert line["uri"] == "/a/b%zzé\\x00%A%4"


def test_informational_responses_are_replies(tmp_path: Path) -> None:
    inputs = make_inputs(["http"])
    switching, waiting = inputs[0].exchanges
    switching["status"], switching["reason_size"] = 101, 0
    waiting["has_response"], waiting["status"], waiting["reason_size"], waiting["info_status"] = 0, 0, 0, 102
    first, second = write(tmp_path, *inputs)["http"]
    assert (first["status_code"], first["status_msg"], first["info_code"], first["info_msg"]) == (101, "<empty>", 101, "<empty>")
    assert (second["status_code"], second["info_code"], second["info_msg"], second["version"]) == (102, 102, "<empty>", "1.1")


def test_a_clients_chain_needs_a_servers(tmp_path: Path) -> None:
    inputs = make_inputs(["tls", "tls"])
    inputs[0].chain_links["from_client"][0] = 1
    first, second = write(tmp_path, *inputs)["ssl"]
    assert first.keys().isdisjoint({"cert_chain_fps", "client_cert_chain_fps", "sni_matches_cert"})
    assert (second["cert_chain_fps"], second["client_cert_chain_fps"]) == (["c" * 64], [])


def test_what_lasted_no_time_has_no_duration_and_no_bytes(tmp_path: Path) -> None:
    inputs = make_inputs(["http"])
    connections = inputs[0].connections
    connections["productive_ts"] = connections["first_ts"]
    connections["protocol"] = 132
    connections["vlan"] = 5
    connections["conn_state"] = CONN_STATES.index("S0")
    (line,) = write(tmp_path, *inputs)["conn"]
    assert line.keys().isdisjoint({"duration", "orig_bytes", "resp_bytes", "inner_vlan"})
    assert (line["proto"], line["ip_proto"], line["vlan"], line["conn_state"]) == ("unknown_transport", 132, 5, "S0")


def test_no_connections_no_lines(tmp_path: Path) -> None:
    assert all(lines == [] for lines in write(tmp_path, *make_inputs([])).values())


def test_the_fields_are_declared_once_and_typed() -> None:
    for log in LOGS:
        names = [field.name for field in log.fields]
        assert len(set(names)) == len(names)
        assert {field.kind for field in log.fields} <= set(KINDS)


def test_other_tables_are_left_out(tmp_path: Path) -> None:
    writer = ZeekJsonWriter(tmp_path)
    writer.write({"capture": pa.RecordBatch.from_pylist([{"a": 1}])})
    writer.close()
    assert (tmp_path / "conn.log").read_bytes() == b""


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written there"):
        ZeekJsonWriter(tmp_path / "file")


def test_a_websocket_is_named_behind_http(tmp_path: Path) -> None:
    assert run(["analyze", str(CAPTURES / "websocket.pcapng"), "-f", "zeek-json", "-o", str(tmp_path / "logs"), "--quiet"]) == 0
    services = [json.loads(line).get("service") for line in (tmp_path / "logs" / "conn.log").read_text().splitlines()]
    assert "http,websocket" in services
