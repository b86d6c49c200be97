"""Bodies become files: limits, names, what is removed, and nothing outside of the folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from analyzer.errors import OutputError
from analyzer.export.objects import OPEN_FILES, TOO_LARGE, TOO_MUCH, ObjectStore
from analyzer.messages.http.bodies import NOT_KEPT
from analyzer.options import Limits
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.text import words

PATHS = (Column("path", "text", "the file"),)


def table(*names: str) -> Sheet:
    return make_sheet(PATHS, {"path": words(list(names))})


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_pieces_of_many_bodies_go_to_their_files(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "new" / "files", Limits())
    numbers = [store.begin() for _ in range(OPEN_FILES + 9)]
    for turn in range(3):  # more than may be open at a time
        for number in numbers:
            store.count(number, 4)
            store.add(number, b"%d-%d;" % (number, turn))
    told = [store.close(number, f"body-{number}") for number in numbers]
    contents = [b"".join(b"%d-%d;" % (number, turn) for turn in range(3)) for number in numbers]
    assert [(body.size, body.wire_bytes, body.sha256, body.cut) for body in told] == [
        (len(content), 12, hashlib.sha256(content).hexdigest(), "") for content in contents
    ]
    built = table(*(f"body-{number}" for number in numbers))
    store.settle(built, table(*(f"body-{number}" for number in numbers[2:])))
    store.end()
    store.end()
    folder = tmp_path / "new" / "files"
    assert names_in(folder) == sorted(f"body-{number}" for number in numbers[2:])
    assert [(folder / f"body-{number}").read_bytes() for number in numbers[2:]] == contents[2:]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    assert store.written == len(numbers) - 2


def test_limits_cut_and_refuse(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "files", Limits(object_bytes=10, objects_bytes=25, objects=3))
    first, second, third = (store.begin() for _ in range(3))
    assert store.begin() == NOT_KEPT
    store.count(NOT_KEPT, 1)
    store.add(NOT_KEPT, b"lost")
    store.cut(NOT_KEPT, "no matter")
    for number in (first, second, third):
        store.add(number, b"x" * 7)
        store.add(number, b"y" * 7)
        store.add(number, b"z" * 7)
    store.cut(first, "later")
    assert [(body.size, body.cut) for body in (store.close(n, str(n)) for n in (first, second, third))] == [
        (10, TOO_LARGE),
        (10, TOO_LARGE),
        (5, TOO_MUCH),
    ]
    assert (store.refused, store.shortened) == (1, 3)
    assert store.begin() == NOT_KEPT
    store.end()
    assert names_in(tmp_path / "files") == []


def test_a_body_of_which_nothing_came_is_an_empty_file(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path / "files", Limits())
    number = store.begin()
    store.cut(number, "bad_content_coding")
    body = store.close(number, "empty")
    store.settle(table("empty"), table("empty"))
    store.end()
    assert (body.size, body.cut, (tmp_path / "files" / "empty").read_bytes()) == (0, "bad_content_coding", b"")


def test_folders(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("there")
    with pytest.raises(OutputError, match="is not empty"):
        ObjectStore(tmp_path, Limits())
    ObjectStore(tmp_path, Limits(), force=True).end()
    assert names_in(tmp_path) == ["file"]
    with pytest.raises(OutputError, match="Choose another folder with --objects"):
        ObjectStore(tmp_path / "file" / "folder", Limits())


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ObjectStore(tmp_path / "files", Limits())
    number = store.begin()

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.open", full)
    with pytest.raises(OutputError, match="No space left on device"):
        store.add(number, b"x")
    monkeypatch.undo()
    store.close(number, "name")
    (tmp_path / "files" / "name").mkdir()
    with pytest.raises(OutputError, match="cannot be named"):
        store.settle(table("name"), table("name"))
