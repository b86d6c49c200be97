"""Pictures of a report by one call: the waterfall of a connection, the distributions of the phases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from analyzer.plot.drawing import STYLE, WIDTH
from analyzer.story.chapters import Bar, Story
from analyzer.story.words import duration

COLOURS: Final = {
    "dns": "#7b4fb0",
    "tcp_connect": "#d07c16",
    "tls_handshake": "#bb3a6d",
    "request_send": "#3f7fbf",
    "server_wait": "#2f8f5b",
}
GAP, OTHER = "#c3c9d2", "#2c6fbb"
LABELS: Final = {
    "dns": "DNS lookup",
    "tcp_connect": "TCP handshake",
    "tls_handshake": "TLS handshake",
    "server_wait": "waiting for the response",
    "response_receive": "receiving the response",
}


def colour_of(bar: Bar) -> str:
    """Colour of a bar by its phase."""
    return GAP if bar.is_gap else COLOURS.get(bar.phase, OTHER)


def draw_waterfall(story: Story) -> Figure:
    """The waterfall of one connection: a bar for each phase and exchange; hatched: inferred or bounded."""
    bars: Sequence[Bar] = story.bars
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.2 + 0.32 * max(len(bars), 1)), layout="constrained")
        panel = figure.subplots()
        begin = min((bar.start_ms for bar in bars), default=0.0)
        for at, bar in enumerate(bars):
            hatch = None if bar.basis == "measured" else "///"
            panel.barh(at, bar.took_ms, left=bar.start_ms - begin, color=colour_of(bar), hatch=hatch, edgecolor="white", height=0.7)
            panel.annotate(f" {duration(bar.took_ms)}", (bar.start_ms - begin + bar.took_ms, at), va="center")
        panel.set_yticks(range(len(bars)), [bar.label for bar in bars])
        panel.invert_yaxis()
        panel.margins(x=0.12)
        panel.set_xlabel("ms")
        panel.set_title(f"Connection {story.number}: {story.subject}", loc="left")
        panel.spines[["top", "right"]].set_visible(False)
    return figure


def draw_phases(durations: dict[str, Any]) -> Figure:
    """How long the phases took: the share of connections that were done within a time, a step line for each phase.

    Args:
        durations: phase -> (n,) milliseconds, nothing absent; phases without any are left out.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 4.5), layout="constrained")
        panel = figure.subplots()
        for phase, values in durations.items():
            known = np.sort(np.maximum(np.asarray(values, np.float64), 1e-3))
            if len(known):
                share = np.arange(1, len(known) + 1) / len(known) * 100
                label = f"{LABELS.get(phase, phase)} ({len(known):,}, median {duration(float(np.median(known)))})"
                panel.step(known, share, where="post", color=COLOURS.get(phase, OTHER), label=label)
        panel.set_xscale("log")
        panel.set_xlabel("ms")
        panel.set_ylabel("% done within")
        panel.grid(visible=True, color="#e6e6e6", linewidth=0.6)
        if panel.lines:
            panel.legend(frameon=False)
    return figure
