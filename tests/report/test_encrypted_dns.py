"""Which connections carry DNS that hides: by port, ALPN, media type, the name of a public resolver."""

from pathlib import Path

import numpy as np
import pytest

from analyzer.options import Options
from analyzer.pipeline import Pipeline
from analyzer.report.encrypted_dns import DOH, DOQ, DOT, NOT_DNS, find_encrypted
from analyzer.report.text import words
from analyzer.tables.services import DNS, QUIC
from tests.lifecycle.builders import finished

CAPTURES = Path(__file__).parents[2] / "captures"


class NoHttp:
    num_rows = 0


class Http:
    num_rows = 1

    def column(self, name):
        return words(["application/dns-message; x=y" if name == "response_content_type" else None]).arrow()


def found(*, tls=True, port=443, alpn=None, offered=None, sni=None, services=None, http=None, exchanges=()):
    f = finished([{}], services=[services or {}], exchanges=list(exchanges))
    columns = {"tls_alpn": words([alpn]), "tls_alpn_offered": words([offered]), "tls_sni": words([sni])}
    return find_encrypted(f, np.array([tls]), np.array([port]), columns, http or NoHttp())[0]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, NOT_DNS),
        ({"sni": "www.example.org", "alpn": "h2"}, NOT_DNS),
        ({"port": 853}, DOT),
        ({"port": 8853, "offered": "dot"}, DOT),
        ({"port": 8853, "services": {"inner": DNS}}, DOT),
        ({"port": 853, "tls": False}, NOT_DNS),
        ({"port": 853, "tls": False, "services": {"protocol": QUIC}}, DOQ),
        ({"alpn": "doq", "tls": False}, DOQ),
        ({"sni": "dns.google", "alpn": "h2"}, DOH),
        ({"sni": "dns.google", "tls": False}, NOT_DNS),
        ({"http": Http(), "exchanges": [{"connection": 5}]}, DOH),
    ],
)
def test_kinds(fields, kind):
    assert found(**fields) == kind


def test_dns_over_tls_is_read_with_its_keys():
    options = Options(keylog=(CAPTURES / "dns-encrypted.keylog.txt",))
    *_, tables = Pipeline(options).run([str(CAPTURES / "dns-encrypted.pcapng")])
    lookups = [row for row in tables["dns"].to_pylist() if row["protocol"] == "dot"]
    assert [(row["name"], row["type"], row["outcome"]) for row in lookups] == [
        ("www.example.org", "A", "answered"),
        ("www.example.org", "AAAA", "nodata"),
        ("www.example.org", "HTTPS", "answered"),
    ]
    assert lookups[0]["answers"] == ["198.51.100.10"]
    assert lookups[0]["query_options"].startswith("PADDING=")
    (carrier,) = [row for row in tables["connections"].to_pylist() if row["responder_port"] == 853]
    assert carrier["service"] == "dot"
