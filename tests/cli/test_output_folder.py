"""The folder of a report, and files in it that are not ours."""

import os
from pathlib import Path

import pytest

from analyzer.cli.output_folder import MARK, check_folder, choose_folder, claim_folder, record_files
from analyzer.errors import OutputError


@pytest.mark.parametrize(
    ("captures", "told", "folder"),
    [
        (["a/trace.pcapng"], "", "reports/trace"),
        (["a/trace.pcap.gz", "b"], "", "reports/trace"),
        (["-"], "", "reports/stdin"),
        (["captures/"], "", "reports/captures"),
        ([".pcap"], "", "reports/capture"),
        (["bad\x1bname.pcap"], "", "reports/bad_name"),
        (["/"], "", "reports/capture"),
        (["a.pcap"], "out/here", "out/here"),
    ],
)
def test_default_folder(captures: list[str], told: str, folder: str) -> None:
    assert choose_folder(captures, told) == Path(folder)


def test_a_folder_named_by_dots_has_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert choose_folder(["."], "") == Path("reports/inner")
    assert choose_folder([".."], "") == Path("reports") / tmp_path.name


def write_report(folder: Path, captures: list[str], names: list[str], *, force: bool = False) -> None:
    claim_folder(folder, captures, force=force)
    for name in names:
        (folder / name).touch()
    record_files(folder, captures, [folder / name for name in names])


def test_files_of_an_earlier_report_of_the_same_captures_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_report(folder, ["a.pcap"], ["a.csv", "conn.log"])
    write_report(folder, ["a.pcap"], ["a.csv"])
    assert {path.name for path in folder.iterdir()} == {MARK, "a.csv"}


def test_other_files_stay_unless_forced(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_report(folder, ["a.pcap"], ["a.csv"])
    with pytest.raises(OutputError, match=r"a\.csv.*--force"):
        write_report(folder, ["b.pcap"], ["a.csv"])
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        write_report(folder, ["a.pcap"], ["a.csv"])
    write_report(folder, ["b.pcap"], ["b.csv"], force=True)
    assert {path.name for path in folder.iterdir()} == {MARK, "a.csv", "b.csv", "notes.txt"}


def test_looking_changes_nothing(tmp_path: Path) -> None:
    assert check_folder(tmp_path / "x" / "y", ["a.pcap"], force=False) == set()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "sub"):
        with pytest.raises(OutputError, match="not a folder"):
            check_folder(folder, ["a.pcap"], force=True)


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may write anywhere
    with pytest.raises(OutputError, match="not writable"):
        check_folder(tmp_path / "new", ["a.pcap"], force=False)


def test_a_mark_names_only_files_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    write_report(folder, ["a.pcap"], ["a.csv"])
    (tmp_path / "precious").touch()
    mark = folder / MARK
    mark.write_text(mark.read_text() + "../precious\n")
    write_report(folder, ["a.pcap"], ["a.csv"])
    assert (tmp_path / "precious").exists()


def test_what_an_interrupted_run_left_is_ours(tmp_path: Path) -> None:
    record_files(tmp_path, ["a.pcap"], [tmp_path / "dns.parquet"])
    (tmp_path / ".dns.parquet.part").write_bytes(b"half")
    claim_folder(tmp_path, ["a.pcap"], force=False)
    assert [path.name for path in tmp_path.iterdir()] == [MARK]
