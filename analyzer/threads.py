"""An assembly line: later stations work on other threads, and results come in the order of the items."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import reduce
from typing import TYPE_CHECKING, Any

from analyzer.errors import AnalyzerError

if TYPE_CHECKING:
    from concurrent.futures import Future

Station = Callable[[Any], Any]
SWITCH_SECONDS = (
    0.0005  # how long a thread that returns from a kernel waits for one that is in Python code; Python's own 5 ms is a kernel's time
)
AHEAD = 1  # items that wait for a station beside the one it is at: each holds the rows of a flush


def _compose(stations: Sequence[Station]) -> Station:
    return lambda item: reduce(lambda done, station: station(done), stations, item)


def _take_over(step: Future[Any], station: Station) -> Any:
    return station(step.result())


@contextmanager
def _switching_fast() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_SECONDS))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def assembly_line(items: Iterable[Any], stations: Sequence[Station], threads: int) -> Iterator[Any]:
    """What comes of each item when it has been through all stations.

    A station has one item at a time, in order, so it may keep state of its own. The items themselves are made on the caller's thread.

    Args:
        items: what to work on.
        stations: functions, each of what the one before it returned.
        threads: how many work beside the caller's; more than there are stations help nothing.

    Raises:
        Exception: what a station raised, when the turn of its item comes; what ``items`` raised, after the items before it.
    """
    if threads <= 0:
        yield from map(_compose(stations), items)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - imports logging

    shares = min(threads, len(stations))
    cuts = [len(stations) * share // shares for share in range(shares + 1)]
    groups = [_compose(stations[cuts[share] : cuts[share + 1]]) for share in range(shares)]
    under_way: deque[Future[Any]] = deque()
    trouble: AnalyzerError | None = None
    with ExitStack() as stack:
        stack.enter_context(_switching_fast())
        workers = [stack.enter_context(ThreadPoolExecutor(1)) for _ in groups]
        stack.callback(lambda: [one.cancel() for one in under_way])
        made = iter(items)
        while True:
            try:
                item = next(made)
            except StopIteration:
                break
            except AnalyzerError as error:
                trouble = error
                break
            step: Future[Any] = workers[0].submit(groups[0], item)
            del item
            for worker, group in zip(workers[1:], groups[1:], strict=True):
                step = worker.submit(_take_over, step, group)
            under_way.append(step)
            if len(under_way) > shares * (1 + AHEAD):
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    if trouble is not None:
        raise trouble
