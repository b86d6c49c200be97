"""The repository keeps its promises about where things are."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from analyzer.report.build import TABLES

ROOT = Path(__file__).parents[1]
CAPTURES = ROOT / "captures"

# Modules without a test file of their own, and where they are tested instead.
COVERED_ELSEWHERE = {
    "negotiation_kernels": "pieces of handshake_kernels, tested through it",
    "__init__": "packages only name what they offer; the public one is tested in tests/test_api.py",
    "__main__": "one call, made by every test in tests/cli that starts a process",
    "messages/quic/handshakes": "what Quic inherits, tested in tests/messages/quic/test_dissector.py",
    "batch": "a record without behaviour",
    "errors": "exceptions without behaviour",
    "story/chapters": "records without behaviour",
    "options": "records without behaviour; limits are tested where they are applied",
    "kernel_compiler": "every compiled kernel is its test",
    "tables/": "declarations of rows, checked together in tests/test_tables.py",
    "lifecycle/attribution_kernels": "tested through Attribution, which is nothing but its loop",
    "report/capture": "one constructor, tested in tests/report/test_build.py and test_provenance.py",
    "report/report": "tested in tests/report/test_build.py and tests/test_api.py",
    "report/dns": "tested with all tables of a flush in tests/report/test_build.py",
    "report/zeek_dns": "tested with all tables of a flush in tests/report/test_build.py and in tests/export/test_zeek.py",
    "report/findings": "tested with all tables of a flush in tests/report/test_build.py",
    "report/certificates": "tested with all tables of a flush in tests/report/test_build.py",
    "report/milestones": "tested with all tables of a flush in tests/report/test_build.py",
    "report/identity": "tested with all tables of a flush in tests/report/test_build.py",
    "report/phase_columns": "tested with all tables of a flush in tests/report/test_build.py",
}
MODULES = sorted(path.relative_to(ROOT / "analyzer").with_suffix("").as_posix() for path in (ROOT / "analyzer").rglob("*.py"))
OURS = ("analyzer", "tests", "captures", "docs", "reports", ".ci")


def is_covered_elsewhere(module: str) -> bool:
    return any(
        module == name or module.rsplit("/", 1)[-1] == name or (name.endswith("/") and module.startswith(name))
        for name in COVERED_ELSEWHERE
    )


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_test_file(module: str) -> None:
    folder, _, name = module.rpartition("/")
    test = ROOT / "tests" / folder / f"test_{name}.py"
    assert test.exists() or is_covered_elsewhere(module), f"{test.relative_to(ROOT)} is missing"


def test_exceptions_are_needed() -> None:
    for name in COVERED_ELSEWHERE:
        matches = [module for module in MODULES if module == name or module.rsplit("/", 1)[-1] == name or module.startswith(name)]
        assert matches, f"{name} is no module any more"
        if "/" in name and not name.endswith("/"):
            folder, _, last = name.rpartition("/")
            assert not (ROOT / "tests" / folder / f"test_{last}.py").exists(), f"{name} has a test file: it is no exception any more"


def captures() -> list[str]:
    return sorted(path.name for path in CAPTURES.iterdir() if path.suffix in (".pcap", ".pcapng", ".png"))


@pytest.mark.parametrize("name", captures())
def test_every_capture_has_its_recipe_and_its_description(name: str) -> None:
    assert (CAPTURES / name).with_suffix(".recipe").exists()
    rows = re.findall(r"^\| \[[^]]+\]\(([^)]+)\)", (CAPTURES / "README.md").read_text(), re.MULTILINE)
    assert rows.count(name) == 1


def test_every_recipe_and_key_log_has_its_capture() -> None:
    stems = {Path(name).stem for name in captures()}
    for path in CAPTURES.iterdir():
        if path.suffix == ".recipe":
            assert path.stem in stems
        if path.name.endswith(".keylog.txt"):
            assert path.name.removesuffix(".keylog.txt") in stems


def test_captures_stay_small() -> None:
    assert sum(path.stat().st_size for path in CAPTURES.iterdir()) < 5_000_000


def test_columns_are_unique_within_their_table() -> None:
    for name, columns in TABLES.items():
        names = [column.name for column in columns]
        assert len(set(names)) == len(names), name


def files() -> list[Path]:
    found = [path for folder in OURS for path in (ROOT / folder).rglob("*") if path.is_file()]
    return [path for path in [*found, *ROOT.glob("*.*")] if path.is_file() and not {"__pycache__", ".hypothesis"} & set(path.parts)]


def test_no_file_names_a_place_of_one_machine() -> None:
    places = [re.escape(str(ROOT)), r"/(?:home|root|Users)/[A-Za-z]"]
    if len(ROOT.parts) < 3:
        del places[0]  # a checkout in /x: too short to tell
    pattern = re.compile("|".join(places))
    for path in files():
        kept_here = path.name == ".analyzer-report" or (
            path.is_relative_to(ROOT / "reports") and not path.is_relative_to(ROOT / "reports" / "example")
        )
        if path.suffix in (".pcap", ".pcapng", ".png") or kept_here or path == Path(__file__):
            continue
        found = pattern.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(ROOT)} names {found and found[0]}"


def test_modules_stay_readable() -> None:
    for module in MODULES:
        if not module.startswith("registries/"):  # lists of names
            assert len((ROOT / "analyzer" / f"{module}.py").read_text().splitlines()) <= 400, module


def test_scripts_can_be_run() -> None:
    for path in (ROOT / ".ci" / "run", CAPTURES / "record", ROOT / "docs" / "renew"):
        assert os.access(path, os.X_OK), path
