"""``--objects`` on real captures: what browsers and curl received is in the files, byte for byte."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest

from analyzer.cli import run
from analyzer.cli.object_files import ObjectFiles
from analyzer.errors import UsageError

CAPTURES = Path(__file__).parents[2] / "captures"
STYLE = "".join(f".wind-{n} {{ transform: rotate({n * 10}deg); color: hsl({n * 10}, 60%, 40%); }}\n" for n in range(36))  # site.py


def export(folder: Path, name: str, *options: str) -> list[dict[str, str]]:
    keys = CAPTURES / f"{name}.keylog.txt"
    more = ["--keylog", str(keys)] if keys.exists() else []
    capture = str(next(CAPTURES.glob(f"{name}.pcap*")))
    assert run(["analyze", capture, "-o", str(folder / "report"), "--objects", str(folder / "files"), "--quiet", *more, *options]) == 0
    return list(csv.DictReader((folder / "report" / "objects.csv").read_text().splitlines()))


@pytest.mark.parametrize("name", ["http-plain", "http2", "http2-clear", "quic"])
def test_the_same_file_over_every_version(tmp_path: Path, name: str) -> None:
    rows = export(tmp_path, name, "--include-secrets")
    files = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
    assert sorted(files) == sorted(row["path"] for row in rows)
    for row in rows:
        assert row["sha256"] == hashlib.sha256(files[row["path"]]).hexdigest()
        assert row["object_bytes"] == str(len(files[row["path"]]))
        assert (row["is_whole"], row["cut"]) == ("true", "")
    style = next(row for row in rows if row["url"].endswith("/style.css"))
    assert files[style["path"]] == STYLE.encode()
    assert style["path"].endswith("-response-style.css")
    if name == "http-plain":
        assert (style["content_encoding"], style["wire_bytes"]) == ("gzip", "339")
        assert files[next(row["path"] for row in rows if row["path"].endswith("2-7-response-report"))] == (
            b"north 12\nsouth 7\neast 3\nwest 9\n"  # chunked
        )
        order = next(row for row in rows if row["direction"] == "request")
        assert (order["method"], order["wire_bytes"]) == ("POST", "3000")


def test_what_was_decrypted_is_written_only_when_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(tmp_path, "http2") == []
    assert list((tmp_path / "files").iterdir()) == []
    assert "with --include-secrets they are" in capsys.readouterr().err


def test_files_follow_the_choice_of_connections(tmp_path: Path) -> None:
    rows = export(tmp_path, "http-plain", "--where", "connection == 4", "--jobs", "3")
    assert {row["connection"] for row in rows} == {"4"}
    assert sorted(path.name for path in (tmp_path / "files").iterdir()) == ["4-1-request-orders", "4-1-response-orders"]


def test_limits_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = export(tmp_path, "http-plain", "--object-size", "100", "--objects-size", "1K")
    assert max(int(row["object_bytes"]) for row in rows) == 100
    assert {row["is_whole"] for row in rows if row["cut"]} == {"false"}
    assert sum(int(row["object_bytes"]) for row in rows) <= 1024
    assert "5 bodies were cut and 0 not written" in capsys.readouterr().err


def test_what_makes_no_sense() -> None:
    with pytest.raises(UsageError, match="limits of --objects DIR"):
        ObjectFiles(largest="1M").check(redacts=False)
    with pytest.raises(UsageError, match="does not go with --redact"):
        ObjectFiles("x").check(redacts=True)
    with pytest.raises(UsageError, match="--object-size is a size"):
        ObjectFiles("x", "many").check(redacts=False)
    ObjectFiles().check(redacts=True)
