"""What a story is made of: bars of a waterfall and chapters with their steps. Terminal and HTML draw the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from analyzer.story.case import Case, Row


@dataclass(frozen=True)
class Bar:
    """One line of the waterfall.

    Attributes:
        phase: name of the phase, the exchange or the wait that it stands for; colours go by it.
        label: what it is, in a few words.
        start_ms: since the first packet of the connection (negative: the lookup before it).
        took_ms: how long.
        basis: measured, inferred or bounded.
        frames: where it begins and where it ends.
        is_gap: nothing was under way but the client's own thinking.
    """

    phase: str
    label: str
    start_ms: float
    took_ms: float
    basis: str = "measured"
    frames: tuple[int, ...] = ()
    is_gap: bool = False


@dataclass(frozen=True)
class Step:
    """One message or event: when (ms since the chapter began, None = unknown), its name, what it says, its frames and its basis."""

    at_ms: float | None
    name: str
    text: str = ""
    frames: tuple[int, ...] = ()
    basis: str = "measured"


@dataclass(frozen=True)
class Chapter:
    """One part of the story.

    Attributes:
        topic: key of ``background.TEACHING``: what it is for, its background and sources.
        title: in a few words.
        layer: the layer of the network it belongs to.
        frames: numbers of the frames that show it.
        paragraphs: what happened, in sentences.
        steps: the messages one by one.
        facts: (name, value) of what was agreed or found.
    """

    topic: str
    title: str
    layer: str
    frames: tuple[int, ...] = ()
    paragraphs: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Story:
    """The life of one connection, ready to be shown.

    Attributes:
        number: of the connection.
        ends: both ends, ``originator -> responder``.
        subject: URL, host or service: what it is about.
        outcome: how long it took and how it ended.
        gist: one or two sentences for those who read no further.
        bars: the waterfall.
        chapters: in the order in which a request lives.
        findings: rows of the table ``findings``, worst first.
        display_filter: Wireshark's display filter for the same packets.
    """

    number: int
    ends: str
    subject: str
    outcome: str
    gist: str
    bars: tuple[Bar, ...]
    chapters: tuple[Chapter, ...]
    findings: tuple[Row, ...]
    display_filter: str


Teller: TypeAlias = Callable[[Case], Chapter | None]
"""What makes one chapter out of a case, or None where there is nothing to tell."""
