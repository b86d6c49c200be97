"""Names of files that are made of what the network said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.objects import safe_name


@pytest.mark.parametrize(
    ("url", "filename", "name"),
    [
        ("http://a/b/style.css?x=/y#z", None, "7-2-response-style.css"),
        ("http://a/", None, "7-2-response"),
        (None, None, "7-2-response"),
        ("http://[a/", None, "7-2-response"),
        ("http://a/x", "../../etc/passwd", "7-2-response-passwd"),
        ("http://a/x", "..\\..\\AUTOEXEC.BAT", "7-2-response-AUTOEXEC.BAT"),
        ("http://a/%2e%2e%2f%2e%2e%2fetc%2fpasswd", None, "7-2-response-passwd"),
        ("http://a/%00%0a-rf", None, "7-2-response-rf"),
        ("http://a/" + "a" * 300 + ".html", None, "7-2-response-" + "a" * 75 + ".html"),
        ("http://a/caf\u00e9.txt", None, "7-2-response-caf_.txt"),
        ("http://a/...", None, "7-2-response"),
    ],
)
def test_names(url: str | None, filename: str | None, name: str) -> None:
    assert safe_name(7, 2, "response", url, filename) == name


@settings(max_examples=200)
@given(st.none() | st.text(), st.none() | st.text())
def test_any_name_is_harmless(url: str | None, filename: str | None) -> None:
    assert re.fullmatch(r"1-1-request(-[A-Za-z0-9_-][A-Za-z0-9._-]{0,79})?", safe_name(1, 1, "request", url, filename))
