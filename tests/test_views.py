"""A report shown by one call."""

from __future__ import annotations

from pathlib import Path

import pytest

import analyzer
from analyzer.cli import run

CAPTURES = Path(__file__).parents[1] / "captures"
HTTPS = CAPTURES / "https-tls13.pcapng"


@pytest.fixture(scope="module")
def report() -> analyzer.Report:
    return analyzer.analyze(HTTPS)


def test_words_are_those_of_the_command(
    report: analyzer.Report, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run(["explain", str(HTTPS), "2"]) == 0
    assert capsys.readouterr().out.startswith(analyzer.explain(report, 2))
    assert "RFC" in analyzer.explain(report, "www.example.org", teach=True, width=80)
    with pytest.raises(analyzer.UsageError, match="no connection 3"):
        analyzer.explain(report, 3)


def test_a_story_is_data(report: analyzer.Report) -> None:
    assert [chapter.topic for chapter in analyzer.tell_story(report, 1).chapters] == ["datagrams", "lookup"]


def test_a_page_is_that_of_the_command(report: analyzer.Report, tmp_path: Path) -> None:
    assert run(["analyze", str(HTTPS), "-f", "html", "-o", str(tmp_path / "out"), "--quiet"]) == 0
    path = analyzer.write_html(report, tmp_path / "page.html")
    assert path.read_bytes() == (tmp_path / "out" / "report.html").read_bytes()
    with pytest.raises(analyzer.OutputError, match="cannot be written"):
        analyzer.write_html(report, tmp_path / "nowhere" / "page.html")


def test_pictures(report: analyzer.Report) -> None:
    pytest.importorskip("matplotlib")
    assert analyzer.plot_waterfall(report, 2).axes[0].get_title("left").startswith("Connection 2")
    assert len(analyzer.plot_phases(report).axes[0].lines) == 5
    assert "Connection 2 of lossy-path.pcap" in str(analyzer.plot_connection(CAPTURES / "lossy-path.pcap", 2).get_suptitle())


def test_thresholds(tmp_path: Path) -> None:
    path = tmp_path / "strict.toml"
    path.write_text("[dns]\nslow_ms = 1\n")
    for strict in (analyzer.Thresholds(dns_slow_ms=1), path):
        assert list(analyzer.analyze(HTTPS, thresholds=strict).findings["rule"]) == ["dns.slow"] * 2
