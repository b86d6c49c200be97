"""The chapter about the page load that a connection belongs to: where it stands in it, and what its requests waited for."""

from __future__ import annotations

from typing import Final

from analyzer.story.case import Case, Row
from analyzer.story.chapters import Chapter, Step
from analyzer.story.words import clip, counted, duration, joined

MOST_MEMBERS: Final = 12  # requests of the connection that are listed for each page
MOST_PAGES: Final = 3  # that are told
LONGEST_URL: Final = 80

PARTS: Final = {
    "dns": "looking up names",
    "connect": "connecting",
    "tls": "TLS handshakes",
    "server": "waiting for the server",
    "transfer": "sending and receiving",
    "client": "the client itself, between exchanges",
}
"""What most of the critical path went into (``pages.waited_for``), in words."""


def tell_page(case: Case) -> Chapter | None:
    """The page loads that it belongs to; None where no page is known (encrypted without keys, or no document)."""
    if not case.pages:
        return None
    paragraphs: list[str] = []
    steps: list[Step] = []
    asked = {row["index"]: row for row in case.rows("http")}
    for page, members in case.pages[:MOST_PAGES]:
        paragraphs += [_place(case, page, members), _critical(case, page)]
        for one in members[:MOST_MEMBERS]:
            row = asked.get(one["index"], {})
            where = tuple(number for number in (row.get("request_first_frame"), row.get("response_last_frame")) if number)
            steps.append(Step(one["since_start_ms"], _ordinal(page, one), _cause(page, one), where))
    if len(case.pages) > MOST_PAGES:
        paragraphs.append(f"It belongs to {len(case.pages) - MOST_PAGES:,} more page loads.")
    title = "Part of a page load" if len(case.pages) == 1 else f"Part of {len(case.pages):,} page loads"
    numbers = tuple(number for step in steps for number in step.frames)
    return Chapter("page", title, "above the application layer", numbers, tuple(paragraphs), tuple(steps))


def _ordinal(page: Row, one: Row) -> str:
    return f"request {one['rank']} of {page['requests']:,}"


def _place(case: Case, page: Row, members: list[Row]) -> str:
    url = clip(str(page["url"]), LONGEST_URL)
    asked, used = counted(page["requests"], "request"), counted(page["connections"], "connection")
    text = f"Page {page['page']}: {url} took {duration(page['duration_ms'])} with {asked} on {used}."
    begun = members[0]["since_start_ms"]
    if page["connection"] == case.get("connection"):
        text += " It began with this connection."
    elif begun is not None:
        text += f" This connection joined {duration(begun)} after the page began."
    if page["connections"] > 1:
        text += f" It carried {len(members):,} of the {asked}."
    return text


def _cause(page: Row, one: Row) -> str:
    """What a request is for, and what made the client ask."""
    url = clip(str(one["url"] or "?"), LONGEST_URL)
    if one["cause_connection"] is None:
        return f"{url}: the page begins with it"
    place = f"connection {one['cause_connection']}" if one["cause_connection"] != one["connection"] else "this connection"
    if page["redirects"] and one["rank"] <= page["redirects"] + 1:
        return f"{url}: where {clip(str(one['cause_url']), LONGEST_URL)} ({place}) led"
    return f"{url}: had to wait for {clip(str(one['cause_url']), LONGEST_URL)} ({place}), which names it"


def _critical(case: Case, page: Row) -> str:
    """How it stands in the chain that decided how long the page took."""
    path = page["critical_path"] or []
    mine = [place for place in path if place.partition("/")[0] == str(case.get("connection"))]
    spent = PARTS.get(page["waited_for"] or "")
    most = f", most of it in {spent} ({duration(page['path_' + page['waited_for'] + '_ms'])})" if spent else ""
    if not mine:
        return "None of its requests is on the critical path: the page would not have been complete any sooner without it."
    chain = joined([f"{place.partition('/')[0]} (request {place.partition('/')[2]})" for place in path], "then")
    several = len(path) > 1
    return f"It is on the critical path{f', which runs over connection {chain}' if several else ''}{most}."
