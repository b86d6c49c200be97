"""Service and host: what is said of a connection, and by which evidence."""

import pytest

from analyzer.report.build import Context, build_tables
from analyzer.tables.packets import IN_FABRICPATH, IN_GRE, IN_MPLS
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


def test_tunnels_stand_in_words_the_outermost_first() -> None:
    inputs = make_inputs(["icmp"])
    row = row_of(inputs)
    assert (row["tunnel"], row["tunnel_id"], row["tunnel_connection"]) == (None, None, None)
    c = inputs[0].connections
    c["tunnel"], c["tunnel_id"], c["carrier"] = IN_GRE | IN_MPLS << 8 | IN_FABRICPATH << 56, 0, 3
    row = row_of(inputs)
    assert (row["tunnel"], row["tunnel_id"], row["tunnel_connection"]) == ("gre > mpls > fabricpath", 0, 3)


def test_a_capture_may_begin_at_the_beginning_of_time() -> None:
    inputs = make_inputs(["icmp"])
    inputs[0].connections["first_ts"] = inputs[0].connections["last_ts"] = 0
    assert [row_of(inputs)[name].timestamp() for name in ("start_time", "last_time")] == [0, 0]


def test_wrong_checksums_are_counted_by_direction() -> None:
    inputs = make_inputs(["http"])
    inputs[0].originators["bad_checksums"] = 3
    row = row_of(inputs)
    assert (row["originator_bad_checksums"], row["responder_bad_checksums"]) == (3, None)
