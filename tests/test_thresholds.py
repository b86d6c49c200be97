"""The file of thresholds: its defaults, what it changes, what it refuses."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from analyzer.errors import UsageError
from analyzer.lifecycle.findings import SEVERITY_OF
from analyzer.thresholds import DEFAULTS, defaults_as_toml, limits, read_thresholds

PRINTED = defaults_as_toml(SEVERITY_OF)


def read(tmp_path: Path, text: str):
    path = tmp_path / "thresholds.toml"
    path.write_text(text)
    return read_thresholds(path, SEVERITY_OF)


def test_the_printed_defaults_change_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, PRINTED) == DEFAULTS
    assert read(tmp_path, "") == DEFAULTS


def test_every_threshold_and_every_rule_is_printed() -> None:
    content = tomllib.loads(PRINTED)
    assert sum(len(section) for section in content.values()) == len(list(limits()))
    uncommented = PRINTED.replace('# "', '"')
    assert tomllib.loads(uncommented)["severity"] == SEVERITY_OF


def test_changes(tmp_path: Path) -> None:
    changed = read(tmp_path, '[dns]\nslow_ms = 12.5\n[severity]\n"dns.nxdomain" = "off"\n')
    assert changed.ns("dns_slow_ms") == 12_500_000
    assert changed.ns("tls_expires_soon_days") == 14 * 86_400 * 10**9
    assert changed.severity_of("dns.nxdomain", "note") == "off"
    assert changed.severity_of("tcp.refused", "error") == "error"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[dns", "is not TOML"),
        ("[dns]\nslow = 1", "has dns.slow, which is no threshold"),
        ("slow_ms = 1", "has slow_ms, which is no threshold"),
        ('[dns]\nslow_ms = "1"', "dns.slow_ms in .* is a number, 0 or more, not '1'"),
        ("[dns]\nslow_ms = -1", "is a number, 0 or more, not -1"),
        ("[dns]\nslow_ms = nan", "is a number, 0 or more, not nan"),
        ("[dns]\nslow_ms = inf", "is a number, 0 or more, not inf"),
        ("[dns]\nslow_ms = true", "is a number, 0 or more, not True"),
        ('[severity]\n"no.rule" = "error"', "names a rule no.rule, which does not exist"),
        ('[severity]\n"dns.nxdomain" = "bad"', "the severity of dns.nxdomain in .* is one of error, warning, note, off, not 'bad'"),
        ("severity = 3", "is a table of rules"),
    ],
)
def test_refusals(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_thresholds(tmp_path / "nowhere.toml", SEVERITY_OF)
