"""The formats a report can be written in: one visible table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from analyzer.errors import UsageError
from analyzer.export.csv import CsvWriter
from analyzer.export.files import Layout
from analyzer.export.har import HarWriter
from analyzer.export.jsonl import JsonLinesWriter
from analyzer.export.zeek import ZeekJsonWriter
from analyzer.export.zeek_tsv import ZeekTsvWriter
from analyzer.report.build import TABLES
from analyzer.report.columns import Sheet


class Writer(Protocol):
    """Writes the tables of one report to a folder, flush by flush: what was written is on disk, in whole lines or closed files."""

    paths: list[Path]

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the tables of one flush; tables it has no place for are left out."""

    def close(self) -> None:
        """Finish all files; may be called twice."""


def open_parquet(folder: Path, layout: Layout = TABLES) -> Writer:
    """The library is imported only for those who ask."""
    from analyzer.export.parquet import ParquetWriter  # noqa: PLC0415

    return ParquetWriter(folder, layout)


def open_sqlite(folder: Path, layout: Layout = TABLES) -> Writer:
    """The library is imported only for those who ask."""
    from analyzer.export.sqlite import SqliteWriter  # noqa: PLC0415

    return SqliteWriter(folder, layout)


def open_html(folder: Path) -> Writer:
    """The libraries are imported only for those who ask."""
    from analyzer.html.writing import HtmlWriter  # noqa: PLC0415

    return HtmlWriter(folder)


TABULAR: Final[dict[str, Callable[[Path, Layout], Writer]]] = {
    "csv": CsvWriter,
    "jsonl": JsonLinesWriter,
    "parquet": open_parquet,
    "sqlite": open_sqlite,
}
"""Formats that write the tables as they are: with the columns that were asked for."""

FORMATS: Final[dict[str, Callable[[Path], Writer]]] = {
    "csv": CsvWriter,
    "jsonl": JsonLinesWriter,
    "parquet": open_parquet,
    "sqlite": open_sqlite,
    "html": open_html,
    "zeek": ZeekTsvWriter,
    "zeek-json": ZeekJsonWriter,
    "har": HarWriter,
}
"""Name of a format -> what makes its writer for a folder."""

ZEEK_FORMATS: Final = frozenset({"zeek", "zeek-json"})
"""Formats that need the table ``zeek_dns`` (``Context.with_zeek``)."""


WHOLE_FORMATS: Final = frozenset({"har"})
"""Formats that are written at the end of a capture, and so not for one that has none."""

HEAD_FORMATS: Final = frozenset({"har"})
"""Formats that need the table of HTTP heads (``Context.with_heads``)."""


def check_formats(formats: Sequence[str]) -> None:
    """Raises UsageError when one is not known, or two write the same files."""
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"{name}: no such format. Formats: {', '.join(FORMATS)}.")
    if set(formats) >= ZEEK_FORMATS:
        raise UsageError("zeek and zeek-json write files of the same names: ask for one of them, or write two reports.")


def open_writers(formats: Sequence[str], folder: Path, layout: Layout = TABLES) -> list[Writer]:
    """Open a writer for each format; a format named twice is written once.

    Args:
        formats: names of formats.
        folder: where the files go.
        layout: the tables and columns that the TABULAR formats write.

    Raises:
        UsageError: an unknown format.
        OutputError: the folder cannot be written.
    """
    check_formats(formats)
    opened: list[Writer] = []
    try:
        for name in dict.fromkeys(formats):
            opened.append(TABULAR[name](folder, layout) if name in TABULAR else FORMATS[name](folder))  # noqa: PERF401 - close on errors
    except BaseException:
        for writer in opened:
            writer.close()
        raise
    return opened
