"""The summary: quality first, then connections, slowest phases, findings; everything fits."""

import json
from pathlib import Path

import pytest

from analyzer.capture import CaptureFacts
from analyzer.cli import run
from analyzer.cli.summary import Overview, server_name
from analyzer.lifecycle.quality import Quality
from analyzer.report.summary import Summary
from analyzer.tables.packets import ANALYSED, CUT, FRAGMENT, NOT_IP

CAPTURES = Path(__file__).parents[2] / "captures"


def printed(capture: str, width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    assert run(["analyze", str(CAPTURES / capture), "-o", str(tmp_path / "out")]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("capture", ["failures.pcapng", "page-load.pcapng", "fragments.pcapng"])
def test_lines_fit(capture: str, width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(capture, width, tmp_path, capsys, monkeypatch)
    paths = (str(tmp_path), str(CAPTURES))
    assert all(len(line) <= width or any(path in line for path in paths) for line in lines)


def test_sections_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed("failures.pcapng", 140, tmp_path, capsys, monkeypatch)
    wanted = ["Capture quality: good", "29 connections", " #  start", "Slowest phases (ms)", "Findings   12 errors", "Written to"]
    found = [next(at for at, line in enumerate(lines) if line.startswith(begin)) for begin in wanted]
    assert found == sorted(found)
    assert any(line.startswith("  error    ") and "tls.certificate_expired" in line and "(frame " in line for line in lines)
    assert not any("\x1b" in line for line in lines)


def test_lookups_are_no_lines_of_their_own(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed("https-tls13.pcapng", 80, tmp_path, capsys, monkeypatch)
    at = next(at for at, line in enumerate(lines) if line.startswith("#  host"))
    assert lines[at + 1].split()[:5] == ["2", "www.example.org", "https", "SF", "30.7"]
    assert lines[at + 2] == f" ... 1 more in {tmp_path}/out/connections.csv"


def test_json_holds_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["analyze", str(CAPTURES / "failures.pcapng"), "-o", str(tmp_path / "out"), "--json", "--quiet"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["quality"] == "good"
    assert content["connections"] == sum(content["transports"].values()) == 29
    assert content["packets"] == sum(content["outcomes"].values()) == 193
    assert content["phases"]["tcp_connect"]["slowest_connection"] == 24
    assert content["findings"]["tcp.refused"] == 1
    assert content["output"] == str(tmp_path / "out")


def overview(outcomes: dict[int, int] | None = None, *, tcp: int = 100, dropped: int | None = None, **signs: int) -> Overview:
    quality, summary = Quality(), Summary(0)
    for code, count in (outcomes or {ANALYSED: 1000}).items():
        quality.outcomes[code] = count
    for name, count in signs.items():
        setattr(quality, name, count)
    summary.transports["tcp"] = tcp
    return Overview(summary, quality, [CaptureFacts("a", "a", format="pcap", dropped=dropped)], Path())


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (overview(), "good"),
        (overview({ANALYSED: 0}), "empty"),
        (overview({ANALYSED: 500, NOT_IP: 500}), "good"),
        (overview({ANALYSED: 980, CUT: 20}), "fair"),
        (overview({ANALYSED: 800, FRAGMENT: 200}), "poor"),
        (overview(dropped=5), "good"),
        (overview(dropped=50), "fair"),
        (overview(dropped=500), "poor"),
        (overview(one_sided=2), "good"),
        (overview(one_sided=20), "fair"),
        (overview(midstream=20), "fair"),
        (overview(steps_back=20), "fair"),
        (overview(cut=900), "poor"),
    ],
)
def test_verdict(given: Overview, verdict: str) -> None:
    assert given.verdict == verdict


def test_warnings_speak_of_one_and_of_many() -> None:
    assert overview(midstream=1).warnings() == [
        "1 TCP connection starts in the middle of its life: the dns, tcp and tls phases are unknown"
    ]
    assert overview(midstream=3).warnings() == [
        "3 TCP connections start in the middle of their life: the dns, tcp and tls phases are unknown"
    ]
    assert overview(cut=1).warnings() == ["1 packet cut by the snapshot length: messages may be incomplete"]


def test_what_dissectors_could_not_read_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = printed("snaplen-64.pcap", 100, tmp_path, capsys, monkeypatch)
    assert "  ! DNS that could not be read: malformed 4" in lines
    assert any("Capture quality: poor" in line for line in lines)


def test_dns_servers_and_names(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed("failures.pcapng", 80, tmp_path, capsys, monkeypatch)
    at = next(at for at, line in enumerate(lines) if line.startswith("DNS servers (ms)"))
    assert lines[at + 1].split() == ["198.51.100.53", "30", "8", "20.8", "21.1", "21.1"]
    assert lines[at + 2].split() == ["203.0.113.66", "2", "2", ".", ".", "."]
    assert lines[at + 4] == "names"
    assert lines[at + 5].split()[:3] == ["www.example.org", "5", "3"]


@pytest.mark.parametrize(
    ("address", "port", "protocol", "name"),
    [
        ("192.0.2.1", 53, "dns", "192.0.2.1"),
        ("192.0.2.1", 5300, "dns", "192.0.2.1:5300"),
        ("2001:db8::1", 53, "dns", "2001:db8::1"),
        ("2001:db8::1", 5300, "dns", "[2001:db8::1]:5300"),
        ("192.0.2.1", 853, "dot", "192.0.2.1 dot"),
    ],
)
def test_names_of_servers(address: str, port: int, protocol: str, name: str) -> None:
    assert server_name({"server_ip": address, "server_port": port, "protocol": protocol}) == name
