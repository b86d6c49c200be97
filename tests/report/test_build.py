"""All tables of a made-up flush, and the report that holds them."""

import subprocess
import sys

import numpy as np
import pandas as pd

from analyzer.report import Report
from analyzer.report.build import TABLES, ZEEK_DNS, Context, build_tables
from analyzer.report.capture import CaptureFact, build_capture
from analyzer.report.certificates import clip_time
from analyzer.report.columns import Sheet, schema_of
from tests.report.rows import CERTIFICATES, KINDS, START, make_inputs

MIXED = ["dns", "tls", "http", "icmp", "tls", "http"]


def build(kinds: list[str], context: Context | None = None) -> dict[str, Sheet]:
    return build_tables(*make_inputs(kinds), context or Context(7, CERTIFICATES, with_zeek=True))


def rows(batches: dict[str, Sheet], name: str) -> list[dict[str, object]]:
    return [{key: value for key, value in row.items() if value is not None} for row in batches[name].to_pylist()]


def test_the_tables_are_those_declared() -> None:
    batches = build(MIXED)
    assert set(batches) == set(TABLES) - {"capture", "pages"} | {ZEEK_DNS}
    for name in set(TABLES) - {"capture", "pages"}:
        assert batches[name].schema == schema_of(TABLES[name])
        batches[name].arrow().validate(full=True)


def test_no_connections_make_empty_tables() -> None:
    for batch in build([]).values():
        assert batch.num_rows == 0
        batch.arrow().validate(full=True)


def test_one_protocol_alone() -> None:
    for kind in KINDS:
        batches = build([kind])
        assert batches["connections"].num_rows == 1
        for batch in batches.values():
            batch.arrow().validate(full=True)


def test_a_tls_connection() -> None:
    connection = rows(build(MIXED), "connections")[1]
    expected = {
        "connection": 5,
        "transport": "tcp",
        "originator_ip": "10.0.0.5",
        "responder_port": 443,
        "service": "https",
        "host": "www.example.org",
        "host_source": "sni",
        "state": "SF",
        "duration_ms": 1.000001,
        "dns_ms": 17.0,
        "dns_basis": "measured",
        "dns_to_connect_ms": 3.0,
        "dns_source": "caused",
        "dns_server_ip": "8.8.8.8",
        "tcp_connect_ms": 11.0,
        "tls_handshake_ms": 21.0,
        "request_send_basis": "absent",
        "tls_version": "TLS 1.2",
        "tls_key_exchange": "ECDHE",
        "tls_authentication": "RSA",
        "tls_encryption": "AES-128-GCM",
        "tls_mac": "AEAD",
        "tls_prf_hash": "SHA256",
        "tls_forward_secrecy": True,
        "tls_group": "x25519",
        "tls_certificate_subject": "CN=www.example.org,O=\\x1bExample",
        "tls_certificate_names": ["www.example.org"],
        "findings": ["tls.old_version"],
    }
    assert {name: connection.get(name) for name in expected} == expected
    assert "request_send_ms" not in connection
    assert "vlan" not in connection


def test_an_http_connection_shows_its_first_exchange() -> None:
    batches = build(MIXED)
    connection = rows(batches, "connections")[2]
    assert connection["http_requests"] == 2
    assert connection["http_url"] == "http://www.example.org:8080/index.html?a=1"
    assert (connection["host"], connection["host_source"], connection["service"]) == ("www.example.org", "http host", "http")
    first, second = rows(batches, "http")[:2]
    assert (first["connection"], first["index"], first["server_wait_ms"]) == (4, 1, 1.0)
    assert first["proxied"] == ["VIA -> a", "X-FORWARDED-FOR -> b"]
    assert second["url"] == '=cmd|" /C calc",\\x1b[1m'


def test_a_flipped_connection_changes_ends() -> None:
    inputs = make_inputs(["http", "http"])
    inputs[0].connections["flipped"][1] = 1
    batches = build_tables(*inputs, Context(7))
    plain, flipped = rows(batches, "connections")
    assert (plain["originator_ip"], plain["responder_port"]) == ("10.0.0.5", 80)
    assert (flipped["originator_ip"], flipped["originator_port"]) == ("203.0.113.1", 80)
    assert (flipped["responder_ip"], flipped["responder_port"]) == ("10.0.0.5", 40000)


def test_a_lookup() -> None:
    (lookup,) = rows(build(MIXED), "dns")
    assert lookup["answers"] == ["192.0.2.1", "edge.example.net"]
    assert lookup["answer_types"] == ["A", "CNAME"]
    assert lookup["answer_ttls_s"] == [60, 60]
    assert lookup["rtt_ms"] == 1.500001
    assert (lookup["connection"], lookup["outcome"], lookup["rcode"]) == (6, "answered", "NOERROR")


def test_repeats_stand_in_zeeks_table_only() -> None:
    inputs = make_inputs(["dns", "dns"])
    inputs[0].lookups["is_repeat"][1] = 1
    batches = build_tables(*inputs, Context(7, with_zeek=True))
    assert (batches["dns"].num_rows, batches[ZEEK_DNS].num_rows) == (1, 2)


def test_a_multicast_pair_is_one_line_for_zeek() -> None:
    inputs = make_inputs(["dns", "dns"])
    query, response = inputs[0].lookups
    query["has_response"], query["zeek_pair"], query["zeek_answers"] = 0, response["number"], 0
    response["has_query"], response["zeek_row"] = 0, 0
    (line,) = rows(build_tables(*inputs, Context(7, with_zeek=True)), ZEEK_DNS)
    assert (line["query"], line["qtype_name"], line["rcode_name"]) == ("www.example.org", "A", "NOERROR")
    assert line["answers"] == ["192.0.2.1", "edge.example.net"]


def test_an_answer_alone_has_what_zeek_gives_it() -> None:
    inputs = make_inputs(["dns"])
    inputs[0].lookups["has_query"] = 0
    (line,) = rows(build_tables(*inputs, Context(7, with_zeek=True)), ZEEK_DNS)
    assert line.keys().isdisjoint({"qtype", "qclass", "rtt_ms"})
    assert (line["RD"], line["RA"], line["query"]) == (False, True, "www.example.org")


def test_certificates_are_reported_once() -> None:
    context = Context(7, CERTIFICATES)
    first, second = build(["tls", "tls", "tls"], context), build(["tls"], context)
    found = rows(first, "certificates")
    assert [row["sha256"] for row in found] == ["a" * 64, "c" * 64]
    assert found[1]["is_ca"] is True
    assert rows(second, "certificates") == []
    assert [row["sha256"] for row in rows(first, "connection_certificates")] == ["a" * 64, "c" * 64, "a" * 64]
    assert [row["certificate_fits_sni"] for row in rows(first, "tls")] == [True, True, True]
    assert clip_time(253402300799 * 10**9) == 2**63 - 1


def test_findings_name_what_they_are_about() -> None:
    finding = rows(build(MIXED), "findings")[1]
    assert (finding["connection"], finding["rule"], finding["detail"]) == (5, "tls.old_version", "TLS 1.0")
    assert finding["subject"] == "www.example.org"
    finished, told = make_inputs(["dns"])
    told.found["lookup"] = 0
    (finding,) = rows(build_tables(finished, told, Context(7)), "findings")
    assert finding["subject"] == "www.example.org"


def test_milestones_are_in_order_of_time() -> None:
    steps = [row for row in rows(build(MIXED), "milestones") if row["connection"] == 5]
    assert [row["step"] for row in steps][:5] == ["dns_query", "dns_answer", "syn", "syn_ack", "handshake_ack"]
    assert steps[0]["since_start_ms"] == -20.0


def test_the_report_gives_dataframes() -> None:
    report = Report.collect([build(MIXED), {"capture": build_capture([CaptureFact("packets", "read", "12", "packets read")])}])
    frame = report.connections
    assert isinstance(frame, pd.DataFrame)
    assert frame["connection"].tolist() == [1, 2, 3, 4, 5, 6]
    assert frame["vlan"].isna().all()
    assert str(frame["responder_port"].dtype) == "Int64"
    assert frame["start_time"].iloc[0].value == START + 1_000_000
    assert frame.attrs["columns"]["dns_ms"]["unit"] == "ms"
    assert len(frame.query("tls_handshake_ms > 20")) == 2
    assert report.connections is frame
    names = ("milestones", "dns", "tls", "certificates", "connection_certificates", "http", "findings", "capture")
    assert all(len(getattr(report, name)) > 0 for name in names)
    report.add(build(["dns"]))
    assert len(report.connections) == 7


def test_importing_the_report_does_not_import_pandas() -> None:
    code = "import sys, analyzer.report; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_numbers_are_of_the_flush_whatever_the_rows_of_the_hot_tables() -> None:
    assert np.array_equal(build(MIXED)["connections"].column("connection").to_numpy(), [6, 5, 4, 3, 2, 1])
