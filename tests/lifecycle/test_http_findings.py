"""Each rule of HTTP fires where it should."""

from __future__ import annotations

import numpy as np
import pytest

from analyzer.lifecycle.findings import RULES, Validity, build_findings
from analyzer.lifecycle.http_findings import begins_with, redirect_counts
from analyzer.tables import new_table
from analyzer.tables.http import EXCHANGE, HTTP_ERROR_CODES
from analyzer.tables.services import HTTP
from tests.lifecycle.builders import finished

NONE = Validity(np.zeros(1, np.int64), np.zeros(1, np.int64))
FINE = {"connection": 5, "has_request": 1, "has_response": 1, "response_complete": 1, "status": 200, "index": 2,
        "request_first_number": 7, "response_first_number": 9}  # fmt: skip


def hits(*exchanges, **tables):
    connection = {"syn_ts": 1, "b_port": tables.pop("port", 80)}
    f = finished([connection], exchanges=list(exchanges), **tables)
    return [(RULES[row.rule].name, int(row.number), int(row.amount)) for row in build_findings(f, NONE)]


@pytest.mark.parametrize(
    ("exchange", "found"),
    [
        ({}, []),
        ({"error": HTTP_ERROR_CODES["host_repeated"], "error_number": 8}, [("http.smuggling", 8, HTTP_ERROR_CODES["host_repeated"])]),
        ({"error": HTTP_ERROR_CODES["bad_status"], "error_number": 8}, []),
        ({"reset_by": 2, "reset_code": 8}, []),
        ({"reset_by": 2, "reset_code": 11}, [("http2.reset", 7, 11)]),
        ({"stall_ns": 200_000_000}, [("http2.flow_control", 7, 200_000_000)]),
        ({"grpc_status": 1}, []),
        ({"grpc_status": 6}, [("grpc.failed", 9, 5)]),
    ],
)
def test_rules_of_exchanges(exchange, found):
    assert hits({**FINE, **exchange}) == found


def test_http_on_a_port_of_tls():
    first = {**FINE, "index": 1}
    assert hits(first, services=[{"protocol": HTTP}], port=443) == [("http.on_tls_port", 7, 0)]
    assert hits(first, services=[{"protocol": HTTP}], port=80) == []


def test_goaway_with_an_error():
    link = {"connection": 5, "goaway_code": [1, 12], "goaway_number": [3, 4], "goaway_ts": [1, 2]}
    assert hits(http2_links=[link]) == [("http2.goaway", 4, 11)]


def test_redirects_in_a_row():
    x = new_table(EXCHANGE, 6)
    x.connection = [1, 1, 1, 2, 2, 2]
    x.status, x.location_size = [302, 200, 301, 302, 302, 404], 5
    assert redirect_counts(x).tolist() == [1, 0, 1, 1, 2, 0]
    assert hits(*[{**FINE, "status": 302, "location_size": 3}] * 5) == [("http.redirect_chain", 9, 4)]


def test_words_in_any_case():
    text = np.frombuffer(b"_TEXT/html;text", np.uint8)
    assert begins_with(text, np.array([1, 11, 5]), np.array([9, 4, 5]), b"text/").tolist() == [True, False, False]
