"""The files that a writer fills: opened together, each error one sentence, whole files under their name only when they are finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from analyzer.errors import OutputError
from analyzer.export.line_file import LineFile
from analyzer.report.columns import Column, Sheet, schema_of

Layout: TypeAlias = Mapping[str, tuple[Column, ...]]
"""Table -> its columns that are written, in their order."""


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Errors of the operating system become a sentence about ``path``.

    Raises:
        OutputError: instead of OSError.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}). Choose another folder with -o.") from error


def make_folder(folder: Path) -> None:
    """Make the folder of a report. Raises OutputError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: the report cannot be written there ({error.strerror}). Choose another folder with -o.") from error


def chosen_columns(sheet: Sheet, columns: tuple[Column, ...]) -> Sheet:
    """These columns of a sheet: itself when they are all."""
    schema = schema_of(columns)
    if len(schema) == len(sheet.columns):
        return sheet
    return Sheet(schema, [sheet.built(column.name) for column in columns], sheet.num_rows)


class LineFiles:
    """Files of text that grow line by line, by their names without suffix."""

    def __init__(self, folder: Path, names: Sequence[str], suffix: str) -> None:
        """Open them all. Raises OutputError."""
        self._files: dict[str, LineFile] = {}
        self.paths = [folder / f"{name}{suffix}" for name in names]
        make_folder(folder)
        try:
            for name, path in zip(names, self.paths, strict=True):
                with telling(path):
                    self._files[name] = LineFile(path)
        except OutputError:
            self.close()
            raise

    def write(self, name: str, pieces: Iterable[bytes | memoryview]) -> None:
        """Append to one of them. Raises OutputError."""
        file = self._files[name]
        with telling(Path(file.name)):
            for piece in pieces:
                file.write(piece)

    def close(self) -> None:
        """Close all; may be called twice."""
        for file in self._files.values():
            file.close()
