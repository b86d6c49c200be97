"""Service and host: what is said of a connection, and by which evidence."""

import pytest

from analyzer.report.build import Context, build_tables
from analyzer.tables.services import HTTP2
from tests.report.rows import CERTIFICATES, make_inputs


def row_of(inputs: tuple) -> dict:  # type: ignore[type-arg]
    return build_tables(*inputs, Context(7, CERTIFICATES))["connections"].to_pylist()[0]


@pytest.mark.parametrize(
    ("alpn", "offered", "port", "service"),
    [(True, True, 8443, "https"), (False, True, 8443, "https"), (False, False, 443, "https"), (False, False, 993, "tls")],
)
def test_https_is_told_by_alpn_else_by_port(port: int, service: str, *, alpn: bool, offered: bool) -> None:
    inputs = make_inputs(["tls"])
    finished = inputs[0]
    finished.connections["b_port"] = port
    if not alpn:
        finished.handshakes["alpn_size"] = 0
    if not offered:
        finished.handshakes["alpn_offered_size"] = 0
    assert row_of(inputs)["service"] == service


def test_other_services() -> None:
    inputs = make_inputs(["icmp"])
    assert row_of(inputs)["service"] is None
    inputs[0].services["protocol"] = HTTP2
    assert row_of(inputs)["service"] == "http2"


def test_evidence_for_the_host_from_strong_to_weak() -> None:
    inputs = make_inputs(["tls"])
    finished = inputs[0]
    finished.handshakes["is_ech"] = 1
    assert (row_of(inputs)["host"], row_of(inputs)["host_source"]) == ("www.example.org", "outer sni")
    finished.handshakes["server_name_size"] = 0
    assert row_of(inputs)["host_source"] == "certificate"
    finished.chain_links["from_client"] = 1
    assert row_of(inputs)["host_source"] == "dns"
    finished.attributions["basis"] = 0
    assert (row_of(inputs)["host"], row_of(inputs)["host_source"]) == (None, None)
