"""The time-sequence diagram: bytes of a stream over time, one panel for each direction that carries data (after tcptrace and Wireshark)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analyzer.plot.series import KINDS, Direction, Series, milliseconds

COLOURS = ("#3b6fb6", "#d62728", "#e8890c", "#9467bd", "#555555")  # of KINDS
ACK, WINDOW, SACK = "#2f9e44", "#a0a0a0", "#f2b5d4"
MARKS = {"SYN": "^", "FIN": "v", "RST": "X"}
WIDTH, PANEL_HEIGHT = 11, 4.2  # inches
STYLE = {"svg.hashsalt": "analyzer", "font.size": 9, "path.simplify": True}
FEW = 5  # segments: up to here half the height will do
MANY = 400  # segments: from here on they are drawn thinner


def draw(series: Series, title: str, names: tuple[str, str], path: Path) -> None:
    """Write the diagram; ``names``: of sender 0 and 1. The same connection gives the same SVG in every run."""
    with mpl.rc_context(STYLE):
        make_figure(series, title, names).savefig(path, dpi=120, metadata={"Date": None} if path.suffix == ".svg" else None)


def make_figure(series: Series, title: str, names: tuple[str, str]) -> Figure:
    """The diagram; ``names``: of sender 0 and 1."""
    order = (series.originator, 1 - series.originator)
    shown = [sender for sender in order if series.directions[sender].segments] or [series.originator]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 1 + PANEL_HEIGHT * len(shown)), layout="constrained")
        figure.suptitle(title)
        heights = [1 if len(series.directions[sender].segments) > FEW else 0.5 for sender in shown]
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
        for panel, sender in zip(panels, shown, strict=True):
            _draw_direction(panel, series, series.directions[sender])
            panel.set_title(f"{names[sender]} to {names[1 - sender]}", loc="left")
            panel.set_ylabel("bytes of the stream")
        panels[-1].set_xlabel("ms since the first packet")
    return figure


def _draw_direction(panel: Any, series: Series, one: Direction) -> None:
    """Segments as strokes from their first to their last byte; acknowledged bytes and the window's edge as steps below and above."""
    handles = []
    for kind, colour in enumerate(COLOURS):
        strokes = [(ts, first, past) for ts, first, past, what in one.segments if what == kind]
        if strokes:
            width = 3 if kind else (1.2 if len(one.segments) > MANY else 2)
            _draw_strokes(panel, series, strokes, colour, width)
            handles.append(Line2D([], [], color=colour, linewidth=width, label=f"{KINDS[kind]} ({len(strokes)})"))
    if one.sacks:
        _draw_strokes(panel, series, one.sacks, SACK, 2)
        handles.append(Line2D([], [], color=SACK, linewidth=2, label="SACK block"))
    for places, colour, label in ((one.acks, ACK, "acknowledged"), (one.windows, WINDOW, "window's edge")):
        if places:
            x = milliseconds(series, [ts for ts, _ in places])
            panel.plot(x, [offset for _, offset in places], drawstyle="steps-post", color=colour, linewidth=1, zorder=1)
            handles.append(Line2D([], [], color=colour, linewidth=1, label=label))
    for name, marker in MARKS.items():
        there = [(ts, offset) for ts, offset, what in one.flags if what == name]
        if there:
            x = milliseconds(series, [ts for ts, _ in there])
            panel.plot(x, [offset for _, offset in there], marker, color="black", markersize=6, zorder=4)
            handles.append(Line2D([], [], marker=marker, color="black", linestyle="", label=name))
    if one.closed:
        x = milliseconds(series, one.closed)
        panel.vlines(x, 0, 1, transform=panel.get_xaxis_transform(), color="#d62728", linewidth=0.6, linestyle=":")
        handles.append(Line2D([], [], color="#d62728", linewidth=0.6, linestyle=":", label="no room (zero window)"))
    _fit(panel, one)
    panel.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.005, 1), fontsize=8, frameon=False)


def _draw_strokes(panel: Any, series: Series, strokes: list[tuple[int, int, int]], colour: str, width: float) -> None:
    x = milliseconds(series, [ts for ts, _, _ in strokes])
    lines = [((at, first), (at, past)) for at, (_, first, past) in zip(x, strokes, strict=True)]
    order = 0 if colour == SACK else 2
    panel.add_collection(LineCollection(lines, colors=colour, linewidths=width, capstyle="butt", zorder=order))
    panel.plot(x, [past for _, _, past in strokes], ".", color=colour, markersize=width + 0.5, zorder=order)


def _fit(panel: Any, one: Direction) -> None:
    """Show what was sent; a window far above it would press that flat."""
    sent = [past for _, _, past, _ in one.segments] + [offset for _, offset in one.acks] + [offset for _, offset, _ in one.flags]
    top = max([1, *sent])
    edges = [edge for _, edge in one.windows if edge <= 2 * top]
    panel.set_ylim(-0.04 * top, 1.06 * max([top, *edges]))
    panel.margins(x=0.02)
    panel.yaxis.set_major_formatter("{x:,.0f}")
    panel.grid(visible=True, color="#e6e6e6", linewidth=0.6)
