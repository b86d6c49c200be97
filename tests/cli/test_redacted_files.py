"""Every format of every recording with --redact: no address, no name, no certificate of the recording is in any file or on the terminal."""

from __future__ import annotations

import ipaddress
import json
import sqlite3
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analyzer.cli import run
from analyzer.options import Options
from analyzer.pipeline import Pipeline

CAPTURES = Path(__file__).parents[2] / "captures"
NAMES = sorted(path.name for path in CAPTURES.glob("*.pcap*"))
FORMATS = ("csv", "jsonl", "parquet", "sqlite", "html", "zeek", "har")
COMMON = frozenset("localhost local in-addr arpa example test".split())  # noqa: SIM905
OF_SELF = frozenset(("0.0.0.0", "::", "127.0.0.1", "255.255.255.255", "::1"))


@cache
def keys_of(name: str) -> tuple[Path, ...]:
    return tuple(CAPTURES.glob(f"{name.partition('.')[0]}.keylog.txt"))


def secrets_of(name: str) -> set[str]:
    """What may be in no file: addresses, names, URLs, certificates' names and digests, ids of connections."""
    found: set[str] = set()
    columns = (
        "originator_ip", "responder_ip", "client_ip", "server_ip", "host", "name", "query", "sni", "url", "target", "subject", "issuer",
        "sha256", "serial", "uid", "community_id", "user_agent", "certificate_names", "answers", "username", "location", "server",
        "alt_svc",
    )  # fmt: skip
    for tables in Pipeline(Options(keylog=keys_of(name))).run([str(CAPTURES / name)]):
        for table, sheet in tables.items():
            for row in sheet.to_pylist():
                for column, value in row.items():
                    if column in columns and table != "capture":
                        found.update(str(one) for one in (value if isinstance(value, list) else [value]) if one)
    return {word for word in found if is_telling(word)}


def is_telling(word: str) -> bool:
    """Whether a text would give something away; numbers and words of everybody do not."""
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return len(word) > 7 and not word.isdecimal() and word.rstrip(".").lower() not in COMMON
    return word not in OF_SELF


def content_of(path: Path) -> str:
    """All text of a file."""
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pylist()) + str(pq.read_schema(path).metadata)
    if path.suffix == ".sqlite":
        with sqlite3.connect(path) as connection:
            return "\n".join(connection.iterdump())
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [word for path in keys_of(name) for word in ("--keylog", str(path))]
    wanted = [word for one in FORMATS for word in ("-f", one)]
    command = ["analyze", str(CAPTURES / name), "--redact", "--har-include-encrypted", *options]
    assert run([*command, *wanted, "-o", str(tmp_path / "all")]) in (0, 1)
    assert run([*command, "-f", "zeek-json", "-o", str(tmp_path / "zeek"), "--json"]) in (0, 1)
    shown = capsys.readouterr().out.replace(str(tmp_path), "")
    texts = {"terminal": shown}
    for folder in ("all", "zeek"):
        texts |= {f"{folder}/{path.name}": content_of(path) for path in (tmp_path / folder).iterdir() if path.suffix}
    assert len(texts) > len(FORMATS)
    secrets = secrets_of(name)
    for where, text in texts.items():
        assert not [word for word in secrets if word in text or json.dumps(word)[1:-1] in text], where
        assert name not in text, where
        for word in ("example.org", "example.net", "example.com", "Example Trust", "BEGIN CERTIFICATE"):
            assert word not in text, (where, word)


def test_certificates_cannot_be_masked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "certificates"
    capture = str(CAPTURES / "https-tls12-rsa.pcapng")
    assert run(["analyze", capture, "-o", str(tmp_path / "out"), "--redact", "--certificates", str(folder)]) == 2
    assert "--certificates writes certificates as they are" in capsys.readouterr().err
    assert not folder.exists()
    assert not (tmp_path / "out").exists()
