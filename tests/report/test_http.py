"""URLs of exchanges (RFC 9112 3.2 and 3.3)."""

import numpy as np
import pytest

from analyzer.report.build import Context, build_tables
from tests.report.rows import make_inputs


@pytest.mark.parametrize(
    ("target", "has_host", "url"),
    [
        (b"/a?b", True, "http://www.example.org:8080/a?b"),
        (b"/a?b", False, "http://203.0.113.0:80/a?b"),
        (b"http://other.example/x", True, "http://other.example/x"),
        (b"*", True, "http://www.example.org:8080"),
        (b"example.net:443", True, "example.net:443"),
        (b"", True, None),
    ],
)
def test_urls(target: bytes, url: str | None, *, has_host: bool) -> None:
    inputs = make_inputs(["http"])
    exchanges, text = inputs[0].exchanges, inputs[0].texts.http
    text[text.size - len(target) :] = np.frombuffer(target, np.uint8)
    exchanges["target"], exchanges["target_size"] = text.size - len(target), len(target)
    if not has_host:
        exchanges["host_size"] = 0
    assert build_tables(*inputs, Context(7))["http"].column("url").to_pylist()[0] == url


def test_no_request_no_url() -> None:
    inputs = make_inputs(["http"])
    inputs[0].exchanges["has_request"] = 0
    assert build_tables(*inputs, Context(7))["http"].column("url").to_pylist() == [None, None]
