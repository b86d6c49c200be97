"""A report shown: told in words, as pictures, as a page. Each by one call."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from analyzer.api import Captures, names_of
from analyzer.options import Options
from analyzer.report import Report
from analyzer.report.columns import Sheet, schema_of
from analyzer.report.report import KEPT
from analyzer.report.summary import SHOWN_PHASES
from analyzer.selection import find_connection
from analyzer.story.case import Gatherer
from analyzer.story.chapters import Story
from analyzer.story.telling import tell
from analyzer.story.text import story_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _sheet(report: Report, name: str) -> Sheet:
    """One table as if the report had been one flush."""
    batches = report.table(name).combine_chunks().to_batches()
    return Sheet.of(batches[0] if batches else pa.RecordBatch.from_pylist([], schema_of(KEPT[name])))


def tell_story(report: Report, connection: int | str) -> Story:
    """The story of one connection as data: bars, chapters, findings.

    Args:
        report: what ``analyze`` gave.
        connection: its number, its uid, or its host when that has only one connection.

    Raises:
        UsageError: no connection is meant, or more than one.
    """
    gatherer = Gatherer(str(connection))
    gatherer.add({name: _sheet(report, name) for name in KEPT})
    return tell(gatherer.case())


def explain(report: Report, connection: int | str, *, teach: bool = False, width: int = 100) -> str:
    """The life of one connection in plain words, as ``analyzer explain`` prints it.

    Args:
        report: what ``analyze`` gave.
        connection: its number, its uid, or its host when that has only one connection.
        teach: add the background of every step and the RFCs that define it.
        width: columns to fill.

    Raises:
        UsageError: no connection is meant, or more than one.
    """
    return "\n".join(story_lines(tell_story(report, connection), width, teach=teach))


def write_html(report: Report, path: str | Path) -> Path:
    """Write the report as one HTML file that opens offline, as ``analyzer analyze -f html`` does; gives its path.

    Raises:
        OutputError: it cannot be written.
    """
    from analyzer.html.writing import write_page

    return write_page({name: _sheet(report, name) for name in KEPT}, Path(path))


def plot_waterfall(report: Report, connection: int | str) -> Figure:
    """The waterfall of one connection as a matplotlib figure (extra ``plot``); arguments and errors as in ``explain``."""
    from analyzer.plot.pictures import draw_waterfall

    return draw_waterfall(tell_story(report, connection))


def plot_phases(report: Report) -> Figure:
    """How long each phase took over all connections, as a matplotlib figure (extra ``plot``)."""
    from analyzer.plot.pictures import draw_phases

    connections = report.table("connections")
    return draw_phases({phase: connections[f"{phase}_ms"].drop_null().to_numpy() for phase in SHOWN_PHASES})


def plot_connection(captures: Captures, connection: int | str) -> Figure:
    """The time-sequence diagram of one TCP connection as a matplotlib figure (extra ``plot``).

    Args:
        captures: a path, several paths or a folder: their packets are read again.
        connection: its number, its uid, or its host when that has only one TCP connection.

    Raises:
        UsageError: no connection is meant, more than one, or one that is not TCP.
        CaptureError: none of the captures can be read.
    """
    from analyzer.plot.connection import gather_series
    from analyzer.plot.drawing import make_figure

    names, options = names_of(captures), Options()
    number = find_connection(names, str(connection), options)
    series, ends = gather_series(names, number, options)
    return make_figure(series, f"Connection {number} of {Path(names[0]).name}", ends)
