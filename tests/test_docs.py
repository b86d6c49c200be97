"""What the documentation says is what the program does."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import typer

import analyzer
from analyzer.cli import run
from analyzer.cli.columns import as_markdown
from analyzer.cli.main import app
from analyzer.export.writers import FORMATS
from analyzer.lifecycle.findings import SEVERITY_OF
from analyzer.report.build import TABLES, dictionary
from analyzer.tables.tls import BASES
from analyzer.thresholds import defaults_as_toml, read_thresholds

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
GUIDES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = ("README.md", "captures/README.md", "reports/README.md", *GUIDES)


def commands() -> list[str]:
    """Every command line of the documents that runs ``analyzer``: indented, fenced, or in a chain after ``&&``."""
    found: list[str] = []
    for name in DOCUMENTS:
        for line in (ROOT / name).read_text().splitlines():
            if line.startswith(("    ", "analyzer ")):
                pieces = [piece.strip().removeprefix(".venv/bin/") for piece in line.split("&&")]
                found += [piece for piece in pieces if piece.startswith("analyzer ")]
    root = typer.main.get_command(app)
    for command in root.commands.values():  # type: ignore[attr-defined]
        found += [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  analyzer ")]
    return list(dict.fromkeys(found))


def test_there_are_commands_to_test() -> None:
    assert len(commands()) >= 8
    assert "analyzer analyze captures/https-tls13.pcapng" in commands()


@contextmanager
def standard_input(path: Path | None) -> Iterator[None]:
    """Descriptor 0 is this file for a while."""
    if path is None:
        yield
        return
    saved = os.dup(0)
    with path.open("rb") as file:
        os.dup2(file.fileno(), 0)
        try:
            yield
        finally:
            os.dup2(saved, 0)
            os.close(saved)


@pytest.mark.parametrize("command", commands())
def test_commands_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "captures", tmp_path / "captures")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thresholds.toml").write_text(defaults_as_toml(SEVERITY_OF))
    words = shlex.split(command)[1:]
    source = tmp_path / words[words.index("<") + 1] if "<" in words else None
    words = [word.replace("/tmp/", f"{tmp_path}/tmp-") for word in (words[: words.index("<")] if source else words)]
    with standard_input(source):
        assert run(words) == 0, capfd.readouterr().err


def test_the_printed_summary_is_that_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    block = re.search(r"<!-- summary of (\S+) at (\d+) columns -->\n\n(.*?)\n\n<!-- end -->", README, re.DOTALL)
    assert block is not None
    shutil.copytree(ROOT / "captures", tmp_path / "captures")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", block[2])
    assert run(["analyze", block[1]]) == 0
    printed = capsys.readouterr().out.rstrip("\n")
    assert [line.removeprefix("    ") for line in block[3].split("\n")] == printed.split("\n")


def options() -> list[str]:
    root = typer.main.get_command(app)
    parameters = [*root.params, *(parameter for command in root.commands.values() for parameter in command.params)]  # type: ignore[attr-defined]
    return sorted({option for parameter in parameters for option in parameter.opts if option.startswith("-")} | {"-h", "--help"})


def test_every_command_and_every_option_is_documented() -> None:
    root = typer.main.get_command(app)
    assert len(options()) > 12
    for name in root.commands:  # type: ignore[attr-defined]
        assert f"analyzer {name}" in README
    for option in options():
        assert f"`{option}`" in README, f"{option} is not in README.md"


def test_every_option_has_a_help_text() -> None:
    root = typer.main.get_command(app)
    for command in root.commands.values():  # type: ignore[attr-defined]
        assert command.help
        assert "xample" in f"{command.help} {command.epilog}", command.name
        for parameter in command.params:
            assert parameter.help, parameter.name


def test_every_table_format_and_basis_is_documented() -> None:
    for name in [*TABLES, *FORMATS]:
        assert f"`{name}`" in README, f"{name} is not in README.md"
    for basis in BASES:
        assert f"| {basis} |" in README


def test_every_column_has_a_meaning() -> None:
    for name, columns in TABLES.items():
        for column in columns:
            assert len(column.meaning) > 3, f"{name}.{column.name}"


def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    monkeypatch.chdir(ROOT)
    exec(compile(block[1], "README.md", "exec"), {})
    assert sum(map(int, capsys.readouterr().out.split())) == 14


def test_the_version_has_its_entry() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changes or f"## [{analyzer.__version__}]" in changes
    assert sys.version_info >= (3, 11)


@pytest.mark.parametrize("guide", [name for name in GUIDES if "```python" in (ROOT / name).read_text()])
def test_python_in_guides_runs(guide: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(ROOT)
    text = (ROOT / guide).read_text().replace("/tmp/", f"{tmp_path}/")
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, guide, "exec"), names)
    printed = capsys.readouterr().out
    for shown in re.findall(r"```python\n(?:[^`]*)```\n\n```\n(.*?)```", text, re.DOTALL):
        assert shown in printed


def test_thresholds_in_guides_are_valid(tmp_path: Path) -> None:
    for guide in GUIDES:
        for block in re.findall(r"```toml\n(.*?)```", (ROOT / guide).read_text(), re.DOTALL):
            (tmp_path / "one.toml").write_text(block)
            read_thresholds(tmp_path / "one.toml", SEVERITY_OF)


def test_the_data_dictionary_is_that_of_today() -> None:
    assert (ROOT / "docs" / "columns.md").read_text() == "\n".join(as_markdown(dictionary())) + "\n"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_and_pictures_are_there(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_rules_in_guides_exist() -> None:
    for guide in GUIDES:
        for name in re.findall(r"`((?:dns|tcp|tls|http|udp|capture)\.[a-z_]+)`", (ROOT / guide).read_text()):
            assert name in SEVERITY_OF, f"{guide}: {name}"
