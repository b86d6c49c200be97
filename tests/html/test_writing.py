"""The page: whole, self-contained, and nothing from the network becomes markup."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analyzer.cli import run
from analyzer.errors import OutputError
from analyzer.html.writing import HtmlWriter, part
from tests.html.pages import CAPTURES, flushes, poisoned

PAYLOAD = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onmouseover='alert(1)' {{ 7*7 }} <!-- \u202e\u2028 &amp; ${x}"
NAMES = ("failures", "https-tls13", "http-plain", "page-load", "https-tls12-ecdsa", "lossy-path")


class Elements(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def write(tmp_path: Path, *names: str, payload: str = "") -> str:
    writer = HtmlWriter(tmp_path / "out")
    for name in names:
        for tables in flushes(name):
            writer.write({key: poisoned(sheet, payload) if payload else sheet for key, sheet in tables.items()})
    writer.close()
    writer.close()
    return writer.paths[0].read_text(encoding="utf-8")


def data_of(page: str):
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_script_cannot_be_injected_through_any_field(tmp_path: Path) -> None:
    page = write(tmp_path, *NAMES, payload=PAYLOAD)
    clean = write(tmp_path / "clean", *NAMES)
    elements, expected = Elements(), Elements()
    elements.feed(page)
    expected.feed(clean)
    assert {tag for tag, _ in elements.found} <= {tag for tag, _ in expected.found}
    assert sum(tag == "script" for tag, _ in elements.found) == 2
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert "alert(1)</script>" not in page
    assert "<img" not in page
    assert "\u202e" not in page
    assert "{{ 7*7 }}" in page  # text, not a template
    stories = data_of(page)["stories"]
    assert any("onerror" in json.dumps(story) for story in stories.values())


def test_the_page_needs_no_network(tmp_path: Path) -> None:
    page = write(tmp_path, "page-load")
    elements = Elements()
    elements.feed(page)
    for tag, attributes in elements.found:
        assert tag not in {"link", "img", "iframe", "object", "base"}, tag
        assert "src" not in attributes
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in part("report.css")
    assert "fetch(" not in part("report.js")
    assert "innerHTML" not in part("report.js")
    policy = next(attributes["content"] for tag, attributes in elements.found if attributes.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_every_id_is_there_once(tmp_path: Path) -> None:
    elements = Elements()
    elements.feed(write(tmp_path, *NAMES))
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {attributes["href"][1:] for tag, attributes in elements.found if tag == "a" and attributes.get("href")}
    assert targets <= set(ids)
    assert set(re.findall(r'\$\("(\w+)"\)', part("report.js"))) <= set(ids)


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    assert write(tmp_path / "a", *NAMES) == write(tmp_path / "b", *NAMES)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        HtmlWriter(tmp_path / "file" / "folder")


@pytest.mark.parametrize("name", ["http-plain.pcapng", "missing-syn.pcap"])
def test_from_the_command_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(CAPTURES / name), "-f", "html", "-o", str(tmp_path / "out")]) == 0
    assert "report.html" in capsys.readouterr().out
    data = data_of((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert len(data["connections"]) == data["all"]
