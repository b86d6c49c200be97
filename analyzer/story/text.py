"""A story as lines of plain text: for terminals, files and notebooks."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from analyzer.story.background import TEACHING
from analyzer.story.case import Row
from analyzer.story.chapters import Bar, Chapter, Story
from analyzer.story.telling import finding_words
from analyzer.story.waterfall import dominant, whole_ms
from analyzer.story.words import clip, duration, frames, printable

COLOURS: Final = {"error": "\x1b[31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
FILLS: Final = {"measured": "#", "inferred": "=", "bounded": "-"}
MARGIN: Final = "  "
NAME_WIDTH: Final = 30  # columns of the names of steps
WIDEST_BAR: Final = 60


def story_lines(story: Story, width: int = 100, *, teach: bool = False, colour: bool = False) -> list[str]:
    """The story fitted to a width; nothing in it can move a cursor.

    Args:
        story: what ``telling.tell`` made.
        width: columns to fill; only display filters may be longer.
        teach: add the background of every step and its sources.
        colour: mark headings and severities for a terminal.
    """
    lines = textwrap.wrap(printable(f"Connection {story.number}: {story.ends}"), width)
    lines += wrap(printable(story.subject), width, MARGIN) + wrap(printable(story.outcome), width, MARGIN)
    if colour:
        lines[0] = BOLD + lines[0] + PLAIN
    lines += ["", *wrap(printable(story.gist), width)]
    bars = list(waterfall_lines(story.bars, width))
    lines += ["", *bars] if bars else []
    for number, chapter in enumerate(story.chapters, 1):
        lines += ["", *chapter_lines(chapter, number, width, teach=teach, colour=colour)]
    lines += ["", *finding_lines(story, width, colour=colour)]
    return [*lines, "", "Same packets in Wireshark:", MARGIN + printable(story.display_filter)]


def wrap(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Text cut into lines at blanks, long words (names, URLs) too."""
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent if hanging is None else hanging)


def waterfall_lines(bars: Sequence[Bar], width: int) -> Iterator[str]:
    """One line per bar: its label, where it lies in time, how long it took."""
    if not bars:
        return
    begin, whole = min(bar.start_ms for bar in bars), whole_ms(tuple(bars))
    label = min(max(len(bar.label) for bar in bars), width // 3)
    room = min(width - label - len(MARGIN) - 2 - 12 - 22, WIDEST_BAR)
    slowest = dominant(tuple(bars))
    for bar in bars:
        at = int((bar.start_ms - begin) / whole * room) if whole > 0 else 0
        cells = max(1, round(bar.took_ms / whole * room)) if whole > 0 else room
        at = min(at, room - 1)
        fill = "." if bar.is_gap else FILLS.get(bar.basis, "#")
        drawn = (" " * at + fill * min(cells, room - at)).ljust(room)
        remark = "  <- most of the time" if bar is slowest else ""
        yield f"{MARGIN}{clip(printable(bar.label), label):{label}} |{drawn}| {duration(bar.took_ms):>10}{remark}"
    legend = {"inferred": "= inferred from sizes of encrypted records", "bounded": "- at most"}
    used = [text for basis, text in legend.items() if any(bar.basis == basis and not bar.is_gap for bar in bars)]
    if any(bar.is_gap for bar in bars):
        used.append(". nothing under way: the client's own time")
    if used:
        yield from wrap(", ".join(["# measured", *used]), width, MARGIN)


def chapter_lines(chapter: Chapter, number: int, width: int, *, teach: bool = False, colour: bool = False) -> list[str]:
    """A chapter: heading with its frames, what happened, step by step, what was agreed, and what it is for."""
    title, layer, where = f"{number} {chapter.title}", f"({printable(chapter.layer)})", frames(chapter.frames)
    head = f"{title} {layer}"
    gap = width - len(head) - len(where)
    lines = [f"{head}{' ' * gap}{where}".rstrip()] if gap > 1 else wrap(head, width, "", MARGIN)
    if colour:
        lines[0] = lines[0].replace(title, BOLD + title + PLAIN, 1)
    lines += [MARGIN + where] if gap <= 1 and where else []
    for paragraph in chapter.paragraphs:
        lines += wrap(printable(paragraph), width, MARGIN)
    lines += step_lines(chapter, width)
    label = max((len(name) for name, _ in chapter.facts), default=0)
    for name, value in chapter.facts:
        head = f"{MARGIN}{name:{label}}  "
        lines += wrap(printable(value), width, head, " " * len(head))
    lesson = TEACHING[chapter.topic]
    if not teach:
        return lines + wrap(f"Why: {lesson.purpose}", width, MARGIN, f"{MARGIN}     ")
    lines += wrap(f"Why: {lesson.purpose} {lesson.background}", width, f"{MARGIN}| ", f"{MARGIN}| ")
    return lines + wrap(f"See: {lesson.sources}", width, f"{MARGIN}| ", f"{MARGIN}|   ")


def step_lines(chapter: Chapter, width: int) -> list[str]:
    """The steps as a list: when, what, in which frames."""
    lines = []
    name_width = min(max((len(step.name) for step in chapter.steps), default=0), NAME_WIDTH)
    has_times = any(step.at_ms is not None for step in chapter.steps)
    for step in chapter.steps:
        at = f"{duration(step.at_ms) if step.at_ms is not None else '':>10}  " if has_times else ""
        known = "" if step.basis == "measured" else f" [{step.basis}]"
        name = printable(step.name)
        text = f"{printable(step.text)}{known}  ({frames(step.frames)})" if step.frames else printable(step.text) + known
        head = f"{MARGIN}{at}{name:{name_width}}  "
        if len(name) > name_width:
            lines += wrap(f"{MARGIN}{at}{name}  {text.strip()}", width, "", MARGIN + " " * (len(at) + 4))
        else:
            lines += wrap(text.strip(), width, head, " " * len(head))
    return lines


def finding_lines(story: Story, width: int, *, colour: bool = False) -> list[str]:
    """What stands out about it, the worst first, each with why it matters and what to do."""
    if not story.findings:
        return ["Findings: none"]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in story.findings:
        groups.setdefault((row["rule"], row["subject"]), []).append(row)
    lines = ["Findings"]
    for (rule, subject), rows in groups.items():
        row = rows[0]
        head = f"{MARGIN}{row['severity']:8} "
        about = f" {subject}:" if subject else ""
        where = frames(number for one in rows for number in one["frames"] or [one["frame"]])
        entry = wrap(printable(f"{rule}{about} {finding_words(row)} ({where})."), width, head, " " * len(head))
        if colour:
            entry[0] = entry[0].replace(row["severity"], COLOURS[row["severity"]] + row["severity"] + PLAIN, 1)
        lines += entry
        for label, column in (("Why it matters", "explanation"), ("What to do", "advice")):
            lines += wrap(f"{label}: {row[column]}", width, " " * len(head), " " * len(head))
    return lines
