"""Tables ``dns_servers`` and ``dns_names``: what lookups came to, by server and by name, over the whole capture.

Counts are kept for each group, response times of all groups in one log of fixed size: when it is full every second one is left out, and
from then on every second one is not kept, and so on. Quantiles are exact until then. Names beyond ``NAMES`` are counted together.
"""

from __future__ import annotations

import numpy as np

from analyzer.lifecycle.finished import Finished
from analyzer.memory import Text, move_spans
from analyzer.report.built import Built
from analyzer.report.columns import Column, Sheet, make_sheet
from analyzer.report.dns import PROTOCOLS, lookup_order, lookup_protocols
from analyzer.report.text import addresses, chosen, ints, milliseconds, spans
from analyzer.tables import Ints, Rows, grow_table, new_table, take_rows
from analyzer.tables.dns import (
    ANSWERED,
    FAILED,
    LOOKUP,
    NODATA,
    NXDOMAIN,
    OUTCOMES,
    REFUSED,
    SERVFAIL,
    TIMEOUT,
    TRUNCATED,
    UNANSWERED,
    UNREACHABLE,
)

# of LOOKUP: what tells the groups apart
GROUP = np.dtype(
    [(name, LOOKUP[name]) for name in ("server_hi", "server_lo", "name", "name_size", "server_port", "ip_version")], align=True
)
NAMES = 200_000  # distinct names (and servers) that are told apart
TIMES = 1 << 20  # response times that are kept: 24 MB
KINDS = {
    "answered": (ANSWERED,),
    "nodata": (NODATA,),
    "nxdomain": (NXDOMAIN,),
    "failed": (SERVFAIL, REFUSED, FAILED),
    "unanswered": (UNANSWERED, TIMEOUT, UNREACHABLE),
}

_COUNTS = (
    Column("lookups", "number", "questions asked, repetitions left out"),
    Column("answered", "number", "of these, answered with the type asked for"),
    Column("nodata", "number", "answered: the name exists, but not this type"),
    Column("nxdomain", "number", "answered: the name does not exist"),
    Column("failed", "number", "answered with an error: SERVFAIL, REFUSED or another"),
    Column("unanswered", "number", "never answered, or unreachable"),
    Column("repeated", "number", "lookups whose question had to be sent again"),
    Column("truncated", "number", "lookups that were truncated over UDP"),
)


def _times(meaning: str) -> tuple[Column, ...]:
    return (
        Column("median_ms", "milliseconds", f"{meaning}: half of them took at most this", "ms"),
        Column("p95_ms", "milliseconds", f"{meaning}: 95 of 100 took at most this", "ms"),
        Column("max_ms", "milliseconds", f"{meaning}: the longest", "ms"),
    )


SERVER_COLUMNS = (
    Column("server_ip", "text", "address that was asked"),
    Column("server_port", "number", "its port"),
    Column("protocol", "text", "as in ``dns``"),
    *_COUNTS,
    *_times("from the last query to the response"),
)
NAME_COLUMNS = (
    Column("name", "text", "name asked for, in the case in which it was met first"),
    *_COUNTS,
    *_times("from the first query to the response"),
)


class Groups:
    """Rows by key: a number for each distinct key, and its counts. ``firsts`` has GROUP of where each key was met first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._keys: Ints = np.zeros(0, np.int64)  # ascending
        self._numbers: Ints = np.zeros(0, np.int64)
        self._counts: Ints = np.zeros((64, len(_COUNTS)), np.int64)
        self._firsts = new_table(GROUP, 64)
        self.used = 0

    @property
    def counts(self) -> Ints:
        """(groups, counts)."""
        return self._counts[: self.used]

    @property
    def firsts(self) -> Rows:
        """(groups,) GROUP."""
        return self._firsts[: self.used].view(np.recarray)

    def add(self, keys: Ints, rows: Rows, counts: Ints) -> tuple[Ints, Ints]:
        """Count rows by key; the number of the group of each row (-1: there are too many), and which rows are the first of theirs."""
        distinct, firsts, inverse = np.unique(keys, return_index=True, return_inverse=True)
        at = np.searchsorted(self._keys, distinct)
        known = np.zeros(len(distinct), np.bool_)
        inside = at < len(self._keys)
        known[inside] = self._keys[at[inside]] == distinct[inside]
        fresh = np.flatnonzero(~known)
        fresh = fresh[np.argsort(firsts[fresh], kind="stable")][: self._most - self.used]
        numbers = np.full(len(distinct), -1, np.int64)
        numbers[known] = self._numbers[at[known]]
        numbers[fresh] = np.arange(self.used, self.used + len(fresh))
        self._enter(rows, firsts[fresh])
        in_order = np.sort(fresh)  # as ``distinct`` is
        self._keys = np.insert(self._keys, at[in_order], distinct[in_order])
        self._numbers = np.insert(self._numbers, at[in_order], numbers[in_order])
        kept = np.flatnonzero(numbers >= 0)
        for column in range(len(_COUNTS)):
            self._counts[numbers[kept], column] += np.bincount(inverse, counts[:, column], len(distinct)).astype(np.int64)[kept]
        return numbers[inverse], firsts[fresh]

    def _enter(self, rows: Rows, firsts: Ints) -> None:
        """New groups, met first in these rows."""
        begin, self.used = self.used, self.used + len(firsts)
        if self.used > len(self._firsts):
            self._firsts = grow_table(self._firsts, self.used)
            bigger = np.zeros((len(self._firsts), len(_COUNTS)), np.int64)
            bigger[:begin] = self._counts[:begin]
            self._counts = bigger
        for name in GROUP.names or ():
            self._firsts[name][begin : self.used] = rows[name][firsts]


class DnsTotals:
    """What lookups came to so far."""

    def __init__(self, names: int = NAMES, times: int = TIMES) -> None:
        self._servers = Groups(names)
        self._names = Groups(names)
        self._text = Text()
        self._protocols: Ints = np.zeros(0, np.int64)
        self._most = times
        self._step = 1
        self._seen = 0
        self._log: Ints = np.zeros((0, 4), np.int64)  # server, name, from the last query, from the first one

    def add(self, finished: Finished) -> None:
        """Count the lookups of one flush: questions to one server; multicast has none."""
        q = finished.lookups
        kept = np.flatnonzero((q["is_repeat"] == 0) & (q["is_multicast"] == 0) & (q["has_query"] == 1))
        if len(kept) == 0:
            return
        rows = take_rows(q, kept)
        protocols = lookup_protocols(finished, rows, lookup_order(finished)[kept])
        counts = _count(rows)
        servers, fresh = self._servers.add(_server_keys(rows, protocols), rows, counts)
        self._protocols = np.concatenate([self._protocols, protocols[fresh]])
        names, fresh = self._names.add(rows["name_hash"] << 16 | rows["name_size"], rows, counts)
        self._keep_names(finished, rows, fresh)
        answered = np.flatnonzero(rows["has_response"] == 1)
        rows = take_rows(rows, answered)
        waits = (rows["response_ts"] - rows["last_query_ts"], rows["response_ts"] - rows["query_ts"])
        self._keep_times(np.stack([servers[answered], names[answered], *waits], axis=1))

    def _keep_names(self, finished: Finished, rows: Rows, fresh: Ints) -> None:
        """Copy the names of new groups, which are the last of ``firsts``."""
        sizes = rows["name_size"][fresh].astype(np.int64)
        positions = rows["name"][fresh].astype(np.int64)
        self._text.make_room(int(sizes.sum()))
        self._text.top = move_spans(finished.texts.dns, self._text.data, self._text.top, positions, sizes)
        self._names.firsts["name"][len(self._names.firsts) - len(fresh) :] = positions

    def _keep_times(self, rows: Ints) -> None:
        """Every ``_step``-th response time, of all that ever came."""
        places = np.arange(self._seen, self._seen + len(rows))
        self._seen += len(rows)
        self._log = np.concatenate([self._log, rows[places % self._step == 0]])
        while len(self._log) > self._most:
            self._log, self._step = self._log[::2], 2 * self._step

    def servers(self) -> Sheet:
        """Table ``dns_servers``, the busiest first."""
        x = self._servers.firsts
        order = np.argsort(-self._servers.counts[:, 0], kind="stable")
        x = take_rows(x, order)
        return make_sheet(
            SERVER_COLUMNS,
            {
                "server_ip": addresses(x["server_hi"], x["server_lo"], x["ip_version"]),
                "server_port": ints(x["server_port"]),
                "protocol": chosen(PROTOCOLS, self._protocols[order]),
                **_counted(self._servers.counts[order]),
                **_quantiles(self._log[:, 0], self._log[:, 2], order),
            },
        )

    def names(self) -> Sheet:
        """Table ``dns_names``, those asked for most first."""
        order = np.argsort(-self._names.counts[:, 0], kind="stable")
        x = take_rows(self._names.firsts, order)
        return make_sheet(
            NAME_COLUMNS,
            {
                "name": spans(self._text.data, x["name"], x["name_size"]),
                **_counted(self._names.counts[order]),
                **_quantiles(self._log[:, 1], self._log[:, 3], order),
            },
        )


def _server_keys(rows: Rows, protocols: Ints) -> Ints:
    """A hash of address, port and protocol; arithmetic of 64 bits that wraps."""
    mixed = rows["server_hi"] * np.uint64(0x9E3779B97F4A7C15) ^ rows["server_lo"] * np.uint64(0xC2B2AE3D27D4EB4F)
    ends = rows["server_port"].astype(np.uint64) << np.uint64(8) | protocols.astype(np.uint64)
    return (mixed ^ ends * np.uint64(0x165667B19E3779F9)).view(np.int64)


def _count(rows: Rows) -> Ints:
    """(n, counts) what each row adds to the counts of its groups."""
    table = np.zeros((len(OUTCOMES), len(KINDS)), np.int64)
    for column, outcomes in enumerate(KINDS.values()):
        table[list(outcomes), column] = 1
    went_on = rows["truncated_number"] != 0
    repeated = rows["queries"] - went_on > 1
    truncated = went_on | (rows["outcome"] == TRUNCATED)
    kinds = table[rows["outcome"]]
    return np.concatenate([np.ones((len(rows), 1), np.int64), kinds, repeated[:, None], truncated[:, None]], axis=1)


def _counted(counts: Ints) -> dict[str, Built]:
    return {column.name: ints(np.ascontiguousarray(counts[:, at])) for at, column in enumerate(_COUNTS)}


def _quantiles(groups: Ints, waits: Ints, order: Ints) -> dict[str, Built]:
    """Median, 95th percentile and maximum of the waits of the groups in this order; absent where there are none."""
    kept = groups >= 0
    groups, waits = groups[kept], waits[kept]
    sorter = np.lexsort((waits, groups))
    waits = np.append(waits[sorter], 0)
    sizes = np.bincount(groups, minlength=len(order))
    starts = (np.cumsum(sizes) - sizes)[order]
    sizes = sizes[order]
    there = sizes > 0

    def at(share: float) -> Built:
        places = starts + np.maximum(np.ceil(share * sizes).astype(np.int64) - 1, 0)
        return milliseconds(waits[np.where(there, places, len(waits) - 1)], there)

    return {"median_ms": at(0.5), "p95_ms": at(0.95), "max_ms": at(1.0)}
