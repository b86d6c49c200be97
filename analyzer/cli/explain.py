"""``analyzer explain``: the life of one connection in words, with a waterfall."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from analyzer.cli.cold_start import announcing_compilation, choose_kernels
from analyzer.cli.environment import Environment
from analyzer.cli.layout import clip, printable
from analyzer.options import Options

if TYPE_CHECKING:
    from analyzer.story.chapters import Bar, Chapter, Story

COLOURS: Final = {"error": "\x1b[31m", "warning": "\x1b[33m", "note": "\x1b[36m"}
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"
FILLS: Final = {"measured": "#", "inferred": "=", "bounded": "-"}
MARGIN: Final = "  "
NAME_WIDTH: Final = 30  # columns of the names of steps
WIDEST_BAR: Final = 60


@dataclass(frozen=True)
class ExplainRequest:
    """What the user asked for: ``options`` are those of the analysis."""

    capture: str
    connection: str
    options: Options
    teach: bool = False


def run_explain(request: ExplainRequest, environment: Environment) -> int:
    """Tell the story; the exit status."""
    choose_kernels([request.capture])
    from analyzer.pipeline import Pipeline
    from analyzer.story.case import Gatherer
    from analyzer.story.telling import tell
    from analyzer.warming import warming

    pipeline = Pipeline(request.options)
    gatherer = Gatherer(request.connection)
    announcing = announcing_compilation(environment) if environment.stderr.isatty() else nullcontext()
    with warming([request.capture]), announcing:
        for tables in pipeline.run([request.capture]):
            gatherer.add(tables)
    story = tell(gatherer.case())
    for note in pipeline.notes:
        environment.warn(f"analyzer: {note}")
    environment.say("\n".join(story_lines(story, environment, capture=request.capture, teach=request.teach)))
    return 0


def story_lines(story: Story, environment: Environment, *, capture: str, teach: bool) -> list[str]:
    """The story as text, fitted to the terminal; nothing in it can move the cursor."""
    width, colour = environment.width, environment.has_colour
    lines = textwrap.wrap(printable(f"Connection {story.number}: {story.ends}"), width)
    lines += wrap(printable(story.subject), width, MARGIN) + wrap(printable(story.outcome), width, MARGIN)
    if colour:
        lines[0] = BOLD + lines[0] + PLAIN
    lines += ["", *wrap(printable(story.gist), width)]
    bars = list(waterfall(story.bars, width))
    lines += ["", *bars] if bars else []
    for number, chapter in enumerate(story.chapters, 1):
        lines += ["", *chapter_lines(chapter, number, environment, teach=teach)]
    lines += ["", *finding_lines(story, environment)]
    quoted = f"'{capture}'" if " " in capture else capture
    lines += ["", "Same packets in Wireshark:", MARGIN + printable(story.display_filter)]
    lines += ["Packets to a file:", f"{MARGIN}analyzer slice {printable(quoted)} {story.number} -o connection-{story.number}.pcapng"]
    if not teach:
        lines += ["What all this means:", f"{MARGIN}analyzer explain {printable(quoted)} {story.number} --teach"]
    return lines


def wrap(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Text cut into lines at blanks, long words (names, URLs) too."""
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent if hanging is None else hanging)


def waterfall(bars: Sequence[Bar], width: int) -> Iterator[str]:
    """One line per bar: its label, where it lies in time, how long it took."""
    from analyzer.story.waterfall import dominant, whole_ms
    from analyzer.story.words import duration

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


def chapter_lines(chapter: Chapter, number: int, environment: Environment, *, teach: bool) -> list[str]:
    """A chapter: heading with its frames, what happened, step by step, what was agreed, and what it is for."""
    from analyzer.story.background import TEACHING
    from analyzer.story.words import frames

    width = environment.width
    title, layer, where = f"{number} {chapter.title}", f"({printable(chapter.layer)})", frames(chapter.frames)
    head = f"{title} {layer}"
    gap = width - len(head) - len(where)
    lines = [f"{head}{' ' * gap}{where}".rstrip()] if gap > 1 else wrap(head, width, "", MARGIN)
    if environment.has_colour:
        lines[0] = lines[0].replace(title, BOLD + title + PLAIN, 1)
    lines += [MARGIN + where] if gap <= 1 and where else []
    for paragraph in chapter.paragraphs:
        lines += wrap(printable(paragraph), width, MARGIN)
    lines += step_lines(chapter, width)
    if chapter.facts:
        label = max(len(name) for name, _ in chapter.facts)
        for name, value in chapter.facts:
            head = f"{MARGIN}{name:{label}}  "
            lines += wrap(printable(value), width, head, " " * len(head))
    lesson = TEACHING[chapter.topic]
    if teach:
        lines += wrap(f"Why: {lesson.purpose} {lesson.background}", width, f"{MARGIN}| ", f"{MARGIN}| ")
        lines += wrap(f"See: {lesson.sources}", width, f"{MARGIN}| ", f"{MARGIN}|   ")
    else:
        lines += wrap(f"Why: {lesson.purpose}", width, MARGIN, f"{MARGIN}     ")
    return lines


def step_lines(chapter: Chapter, width: int) -> list[str]:
    """The steps as a list: when, what, in which frames."""
    from analyzer.story.words import duration, frames

    lines = []
    name_width = min(max((len(step.name) for step in chapter.steps), default=0), NAME_WIDTH)
    has_times = any(step.at_ms is not None for step in chapter.steps)
    for step in chapter.steps:
        at = f"{duration(step.at_ms) if step.at_ms is not None else '':>10}  " if has_times else ""
        known = "" if step.basis == "measured" else f" [{step.basis}]"
        name = printable(step.name)
        text = f"{printable(step.text)}{known}  ({frames(step.frames)})" if step.frames else printable(step.text) + known
        head = f"{MARGIN}{at}{name:{name_width}}  "
        hanging = MARGIN + " " * (len(at) + 4)
        if len(name) > name_width:
            lines += wrap(f"{MARGIN}{at}{name}  {text.strip()}", width, "", hanging)
        else:
            lines += wrap(text.strip(), width, head, " " * len(head))
    return lines


def finding_lines(story: Story, environment: Environment) -> list[str]:
    """What stands out about it, the worst first, each with what to do."""
    from analyzer.story.telling import finding_words
    from analyzer.story.words import frames

    if not story.findings:
        return ["Findings: none"]
    lines = ["Findings"]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in story.findings:
        groups.setdefault((row["rule"], row["subject"]), []).append(row)
    for (rule, subject), rows in groups.items():
        row = rows[0]
        head = f"{MARGIN}{row['severity']:8} "
        about = f" {subject}:" if subject else ""
        text = f"{rule}{about} {finding_words(row)} ({frames(number for one in rows for number in one['frames'] or [one['frame']])})."
        entry = wrap(printable(text), environment.width, head, " " * len(head))
        if environment.has_colour:
            entry[0] = entry[0].replace(row["severity"], COLOURS[row["severity"]] + row["severity"] + PLAIN, 1)
        lines += entry
        for label, column in (("Why it matters", "explanation"), ("What to do", "advice")):
            lines += wrap(f"{label}: {row[column]}", environment.width, " " * len(head), " " * len(head))
    return lines
