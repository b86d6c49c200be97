"""HTTP/2 of captures with keys: the requests that tshark sees with the same keys, and what both ends said."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import analyzer

CAPTURES = Path(__file__).parents[2] / "captures"
tshark = shutil.which("tshark")


def requests_of_tshark(name: str) -> list[dict[str, str]]:
    """Type, stream and pseudo-fields of each frame of type HEADERS."""
    keys = CAPTURES / f"{name}.keylog.txt"
    opening = ["-o", f"tls.keylog_file:{keys}"] if keys.exists() else []
    command = [str(tshark), "-r", str(CAPTURES / f"{name}.pcapng"), *opening, "-T", "json", "-J", "http2", "-Y", "http2"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: list[dict[str, str]] = []
    for key, value in re.findall(r'"http2\.(type|streamid|headers\.method|headers\.path|headers\.status)": "([^"]*)"', said):
        if key == "type":
            found.append({})
        found[-1].setdefault(key, value)
    return [frame for frame in found if frame["type"] == "1"]


@pytest.mark.skipif(tshark is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", ["http2", "page-load", "dns-encrypted", "http2-clear"])
def test_requests_and_statuses_are_those_of_tshark(name: str) -> None:
    keys = CAPTURES / f"{name}.keylog.txt"
    http = analyzer.analyze(CAPTURES / f"{name}.pcapng", keylog=keys if keys.exists() else ()).http
    asked = http[(http.version == "2.0") & ~http.is_pushed & http.info_status.isna()]  # not promised, not in HTTP/1.1 before an upgrade
    ours = [(str(x.stream), x.method, x.target) for x in asked.itertuples()]
    theirs = requests_of_tshark(name)
    assert sorted(ours) == sorted(
        (row["streamid"], row["headers.method"], row["headers.path"]) for row in theirs if "headers.method" in row
    )
    statuses = [(str(x.stream), str(int(x.status))) for x in http[http.version == "2.0"].itertuples() if x.status == x.status]
    assert sorted(statuses) == sorted((row["streamid"], row["headers.status"]) for row in theirs if "headers.status" in row)


def test_what_both_ends_said() -> None:
    report = analyzer.analyze(CAPTURES / "http2.pcapng", keylog=CAPTURES / "http2.keylog.txt")
    (link,) = report.http2.itertuples()
    assert (link.is_encrypted, link.from_start, link.streams, link.pushes, link.client_enable_push) == (True, True, 5, 0, 0)
    assert (link.server_max_concurrent_streams, link.server_initial_window_size) == (128, 65536)
    assert (report.http.stream.tolist(), report.http.status.tolist()) == ([1, 3, 5, 7, 9], [200, 200, 200, 200, 404])
    assert set(report.http.basis) == {"measured"}
    assert (report.http.response_complete & report.http.request_complete).all()


def test_http2_in_clear() -> None:
    report = analyzer.analyze(CAPTURES / "http2-clear.pcapng")
    http = report.http.sort_values(["connection", "index"])
    assert http.target.tolist() == ["/first", "/second", "/about.html", "/map.png", "/style.css", "/missing.html"]
    assert http.info_status.fillna(0).tolist() == [101, 0, 0, 0, 0, 0]
    assert http.is_pushed.tolist() == [False, False, False, False, True, False]
    assert http.response_complete.all()
    assert not report.http2.is_encrypted.any()
