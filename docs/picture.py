"""A story as a picture of a terminal, for the documentation: picture.py OUT.svg COMMAND CAPTURE CONNECTION."""

from __future__ import annotations

import html
import sys
from pathlib import Path

import analyzer

LINES = 34
WIDTH, LINE_HEIGHT, LETTER = 100, 18, 7.8
HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="What {command} prints">
<style>
  rect {{ fill: #16191f; }}
  text {{ font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d7dbe2; white-space: pre; }}
  .prompt {{ fill: #7fd497; }} .title {{ fill: #ffffff; font-weight: bold; }} .bar {{ fill: #e79b45; }}
</style>
<rect width="{width}" height="{height}" rx="8"/>
"""


def draw(command: str, lines: list[str]) -> str:
    """The picture; each line is one text element of a fixed length, so that columns stay columns in any font."""
    width, height = round(WIDTH * LETTER + 32), (len(lines) + 2) * LINE_HEIGHT + 16
    parts = [HEAD.format(width=width, height=height, command=html.escape(command))]
    for at, line in enumerate([f"$ {command}", *lines]):
        kind = "prompt" if at == 0 else "title" if line[:1].isdigit() or line.startswith("Connection") else "bar" if "|" in line else ""
        if line:
            parts.append(
                f'<text x="16" y="{28 + at * LINE_HEIGHT}" class="{kind}" xml:space="preserve"'
                f' textLength="{len(line) * LETTER:.1f}">{html.escape(line)}</text>\n'
            )
    return "".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    out, typed, capture, connection = sys.argv[1:]
    told = analyzer.explain(analyzer.analyze(capture), connection, width=WIDTH).split("\n")
    Path(out).write_text(draw(typed, [*told[:LINES], "..."]), encoding="utf-8")
