"""Numbers for the pictures: distributions, traffic over time, the map of hosts. No drawing here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.built import is_there, values_of
from analyzer.report.summary import SHOWN_PHASES
from analyzer.tables import Ints

TIME_BINS: Final = 100
EDGES_MS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
MOST_HOSTS: Final = 40  # in the table of phases by host
MAP_CLIENTS, MAP_HOSTS, MAP_LINKS = 12, 24, 80
SECOND: Final = 1_000_000_000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """How long a phase took: how many fall between EDGES_MS (one more bin on either side), and quantiles in ms."""

    phase: str
    counts: list[int]
    count: int
    median: float
    p95: float
    longest: float


@dataclass(frozen=True)
class Traffic:
    """Bytes over time: (bins,) seconds since the begin, bytes up and down of each; ``width_s`` of a bin; connections that begin in it."""

    width_s: float
    starts: list[float]
    up: list[int]
    down: list[int]
    begun: list[int]

    @property
    def highest(self) -> int:
        """Most bytes of one bin, both ways."""
        return max((up + down for up, down in zip(self.up, self.down, strict=True)), default=0)


@dataclass(frozen=True)
class HostPhases:
    """One host: connections, bytes, and the median of each phase in ms (None = never)."""

    host: str
    connections: int
    bytes: int
    medians: dict[str, float | None]


@dataclass(frozen=True)
class HostMap:
    """Who spoke with whom: clients and hosts with the most bytes, links (client, host, connections, bytes)."""

    clients: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    links: list[tuple[int, int, int, int]] = field(default_factory=list)


def numbers_of(table: pa.Table, name: str) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """A column of numbers as floats, and where it is there."""
    column = table[name].combine_chunks()
    kind = np.float64 if pa.types.is_floating(column.type) else np.int64
    there = is_there(column)
    return np.where(there, values_of(column, kind), 0).astype(np.float64), there


def quantile(values: Floats, share: float) -> float:
    """The value below which a share of sorted values lies: one of them."""
    return float(values[max(0, int(np.ceil(share * len(values))) - 1)]) if len(values) else 0.0


def distributions(table: pa.Table) -> list[Distribution]:
    """Each phase that happened."""
    found = []
    for phase in SHOWN_PHASES:
        values, there = numbers_of(table, f"{phase}_ms")
        known = np.sort(values[there & (values >= 0)])
        if len(known):
            counts = np.histogram(known, [-1.0, *EDGES_MS, np.inf])[0]
            found.append(Distribution(phase, counts.tolist(), len(known), quantile(known, 0.5), quantile(known, 0.95), float(known[-1])))
    return found


def starts_ns(table: pa.Table) -> Ints:
    """When each connection began, ns since 1970."""
    times: Ints = values_of(table["start_time"].combine_chunks().cast(pa.int64()), np.int64)
    return times


def traffic(table: pa.Table) -> Traffic:
    """Bytes over time, those of each connection spread evenly over its life (their exact times are not kept)."""
    if table.num_rows == 0:
        return Traffic(1.0, [], [], [], [])
    start = starts_ns(table)
    begin = int(start.min())
    lasted = numbers_of(table, "duration_ms")[0] * 1e6
    whole = max(float((start - begin + lasted).max()), 1.0)
    width = whole / TIME_BINS
    first = (start - begin) / width
    last = np.minimum((start - begin + lasted) / width, TIME_BINS)
    amounts = {}
    for name in ("originator_bytes", "responder_bytes"):
        total = numbers_of(table, name)[0]
        amounts[name] = _spread(first, last, total)
    begun = np.bincount(np.minimum(first.astype(np.int64), TIME_BINS - 1), minlength=TIME_BINS)
    starts = [at * width / SECOND for at in range(TIME_BINS)]
    up, down = (np.rint(amounts[name]).astype(np.int64).tolist() for name in ("originator_bytes", "responder_bytes"))
    return Traffic(width / SECOND, starts, up, down, begun.tolist())


def _spread(first: Floats, last: Floats, total: Floats) -> Floats:
    """Amounts spread evenly from ``first`` to ``last`` (in bins): the difference of what had come by each edge."""
    edges = np.arange(TIME_BINS + 1)
    length = np.maximum(last - first, 1e-9)
    sums = np.array([float((total * np.clip((edge - first) / length, 0.0, 1.0)).sum()) for edge in edges])
    sums[-1] = float(total.sum())
    found: Floats = np.diff(sums)
    return found


def host_phases(table: pa.Table) -> list[HostPhases]:
    """The hosts with the most connections, lookups left out."""
    named = table.filter(pc.fill_null(pc.not_equal(table["service"], "dns"), True))
    label = pc.coalesce(named["host"], named["responder_ip"]).combine_chunks()
    codes = label.dictionary_encode()
    index = values_of(codes.indices, np.int32).astype(np.int64)
    names = codes.dictionary.to_pylist()
    counts = np.bincount(index, minlength=len(names))
    total = numbers_of(named, "originator_bytes")[0] + numbers_of(named, "responder_bytes")[0]
    weights = np.bincount(index, total, minlength=len(names))
    phases = {phase: numbers_of(named, f"{phase}_ms") for phase in SHOWN_PHASES}
    found = []
    for code in sorted(range(len(names)), key=lambda at: (-int(counts[at]), names[at]))[:MOST_HOSTS]:
        mine = index == code
        medians = {
            phase: quantile(np.sort(values[mine & there]), 0.5) if (mine & there).any() else None
            for phase, (values, there) in phases.items()
        }
        found.append(HostPhases(names[code], int(counts[code]), int(weights[code]), medians))
    return found


def host_map(table: pa.Table) -> HostMap:
    """Who spoke with whom, by bytes."""
    if table.num_rows == 0:
        return HostMap()
    label = pc.coalesce(table["host"], table["responder_ip"])
    amount = pc.add(pc.fill_null(table["originator_bytes"], 0), pc.fill_null(table["responder_bytes"], 0))
    flat = pa.table({"client": table["originator_ip"], "host": label, "bytes": amount})
    groups = flat.group_by(["client", "host"], use_threads=False).aggregate([("bytes", "sum"), ("bytes", "count")]).to_pylist()
    clients, hosts = Counter[str](), Counter[str]()
    for row in groups:
        clients[row["client"]] += row["bytes_sum"] + 1
        hosts[row["host"]] += row["bytes_sum"] + 1
    shown_clients, shown_hosts = top(clients, MAP_CLIENTS), top(hosts, MAP_HOSTS)
    at_client, at_host = ({name: at for at, name in enumerate(names)} for names in (shown_clients, shown_hosts))
    links = [
        (at_client[row["client"]], at_host[row["host"]], row["bytes_count"], row["bytes_sum"])
        for row in groups
        if row["client"] in at_client and row["host"] in at_host
    ]
    links.sort(key=lambda link: (-link[3], -link[2], link[0], link[1]))
    return HostMap(shown_clients, shown_hosts, sorted(links[:MAP_LINKS]))


def top(counts: Counter[str], most: int) -> list[str]:
    """The names counted most, of equal ones the first by name."""
    return sorted(counts, key=lambda name: (-counts[name], name))[:most]


def dns_servers(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lookups by the server that was asked: how many, how fast, what became of them."""
    servers: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        servers.setdefault(row["server_ip"], []).append(row)
    found = []
    for server, asked in sorted(servers.items(), key=lambda item: (-len(item[1]), item[0])):
        times = np.sort(np.array([row["rtt_ms"] for row in asked if row["rtt_ms"] is not None], np.float64))
        outcomes = Counter(str(row["outcome"]) for row in asked)
        found.append(
            {
                "server": server,
                "lookups": len(asked),
                "median": quantile(times, 0.5) if len(times) else None,
                "p95": quantile(times, 0.95) if len(times) else None,
                "repeats": sum(max((row["queries"] or 1) - 1, 0) for row in asked),
                "outcomes": sorted(outcomes.items(), key=lambda item: (-item[1], item[0])),
            }
        )
    return found
