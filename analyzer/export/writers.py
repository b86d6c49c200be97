"""The formats a report can be written in: one visible table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from analyzer.errors import UsageError
from analyzer.export.csv import CsvWriter
from analyzer.export.har import HarWriter
from analyzer.export.zeek import ZeekJsonWriter
from analyzer.report.columns import Sheet


class Writer(Protocol):
    """Writes the tables of one report to a folder, flush by flush."""

    paths: list[Path]

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the tables of one flush; tables it has no place for are left out."""

    def close(self) -> None:
        """Finish all files; may be called twice."""


def open_html(folder: Path) -> Writer:
    """The libraries are imported only for those who ask."""
    from analyzer.html.writing import HtmlWriter  # noqa: PLC0415

    return HtmlWriter(folder)


FORMATS: Final[dict[str, Callable[[Path], Writer]]] = {
    "csv": CsvWriter,
    "html": open_html,
    "zeek-json": ZeekJsonWriter,
    "har": HarWriter,
}
"""Name of a format -> what makes its writer for a folder."""

ZEEK_FORMATS: Final = frozenset({"zeek-json"})
"""Formats that need the table ``zeek_dns`` (``Context.with_zeek``)."""


HEAD_FORMATS: Final = frozenset({"har"})
"""Formats that need the table of HTTP heads (``Context.with_heads``)."""


def check_formats(formats: Sequence[str]) -> None:
    """Raises UsageError when one is not known."""
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"{name}: no such format. Formats: {', '.join(FORMATS)}.")


def open_writers(formats: Sequence[str], folder: Path) -> list[Writer]:
    """Open a writer for each format; a format named twice is written once.

    Raises:
        UsageError: an unknown format.
        OutputError: the folder cannot be written.
    """
    check_formats(formats)
    return [FORMATS[name](folder) for name in dict.fromkeys(formats)]
