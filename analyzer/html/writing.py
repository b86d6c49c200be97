"""The writer of ``-f html``: one file ``report.html`` that opens without a network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import BaseLoader, Environment, StrictUndefined
from markupsafe import Markup

from analyzer.errors import OutputError
from analyzer.html.collecting import Collector
from analyzer.html.content import build_content, data_as_text
from analyzer.report.columns import Sheet
from analyzer.story.words import duration, frames, milliseconds, printable, size

NAME: Final = "report.html"


def part(name: str) -> str:
    """A part of the page: template, style or script."""
    return files("analyzer.html.parts").joinpath(name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """Text without characters that turn it round or cannot be seen."""
    return printable(value) if type(value) is str else value


def render(content: dict[str, Any]) -> str:
    """The page. Everything from the network is escaped by the template; the one script is allowed by its hash."""
    environment = Environment(loader=BaseLoader(), autoescape=True, undefined=StrictUndefined, finalize=_shown)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(size=size, duration=duration, frames=frames, milliseconds=milliseconds)
    script = part("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.from_string(part("report.html")).render(
        content,
        style=Markup(part("report.css")),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        script_hash=digest,
        data_text=Markup(data_as_text(content["data"])),  # noqa: S704 - escaped by data_as_text
    )


def write_page(tables: Mapping[str, Sheet], path: Path) -> Path:
    """The page of a whole report at ``path``. Raises OutputError when it cannot be written."""
    collector = Collector()
    collector.add(tables)
    save(collector, path)
    return path


def save(collector: Collector, path: Path) -> None:
    """Write the page of what was collected. Raises OutputError."""
    try:
        path.write_text(render(build_content(collector)), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}).") from error


class HtmlWriter:
    """Takes the tables flush by flush and writes the page at the end."""

    def __init__(self, folder: Path) -> None:
        """Nothing is written before the last flush. Raises OutputError when the folder cannot be made."""
        self._collector = Collector()
        self._is_written = False
        self.paths = [folder / NAME]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: the report cannot be written there ({error.strerror}). Choose another folder with -o.") from error

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Take the tables of one flush."""
        self._collector.add(batches)

    def close(self) -> None:
        """Write the page; may be called twice."""
        if self._is_written:
            return
        self._is_written = True
        save(self._collector, self.paths[0])
