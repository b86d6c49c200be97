"""Table ``pages``: one row per page load, made at the end of the capture from the exchanges of all connections.

The critical path: from the exchange that ended last back to the one that had to come before it, and so on to the page's first request:
its parent, or the exchange of the page that ended last before it began, whichever was later. Its time is that of the phases of these
exchanges; what lies between two of them the client needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.built import ListColumn, is_there, is_true, values_of
from analyzer.report.columns import Column, Sheet, make_sheet, schema_of
from analyzer.report.findings import build_late_findings
from analyzer.report.page_groups import Asked, Mask, find_parents, find_roots
from analyzer.report.text import counts, ints, lists, milliseconds, moments, words
from analyzer.tables import Ints
from analyzer.thresholds import DEFAULTS, Thresholds

PARTS: Final = ("dns", "connect", "tls", "server", "transfer", "loss", "client")
_PART_MEANINGS: Final = ("looking up names", "connecting", "TLS handshakes", "the server", "sending and receiving",
                         "retransmissions and closed windows", "the client, between exchanges")  # fmt: skip
_PHASES: Final = (("dns", "dns_to_connect"), ("tcp_connect", "tcp_to_tls"), ("tls_handshake",), (), (), (), ("request_wait",))
LARGEST: Final = 1 << 20  # exchanges that are kept to be grouped; more are grouped in parts

COLUMNS: Final = (
    Column("page", "number", "rank of the page by its first request, from 1"),
    Column("url", "text", "URL of the document, where redirects led"),
    Column("client_ip", "text", "address of the client"),
    Column("start_time", "time", "first byte of its first request; of its lookup and connection where these were made for it", "UTC"),
    Column("first_byte_ms", "milliseconds", "from there to the first byte of the document", "ms"),
    Column("duration_ms", "milliseconds", "from there to the last byte of the last exchange", "ms"),
    Column("status", "number", "status code of the document"),
    Column("requests", "number", "exchanges that belong to it"),
    Column("redirects", "number", "of these: redirects on the way to the document"),
    Column("redirect_path", "texts", "these and the document, as connection/index; on whatever connections they were"),
    Column("connections", "number", "connections that they used"),
    Column("bytes", "number", "bytes of their bodies on the wire", "bytes"),
    Column("basis", "text", "why it is a page: hint (the browser says that it is a document), html (by its type)"),
    Column("connection", "number", "connection of the first request"),
    Column("exchange", "number", "index of the first request on it"),
    Column("critical_path", "texts", "exchanges that had to follow each other, as connection/index"),
    *(
        Column(f"path_{part}_ms", "milliseconds", f"time of the critical path in {meaning}", "ms", "part of the others" * (part == "loss"))
        for part, meaning in zip(PARTS, _PART_MEANINGS, strict=True)
    ),
    Column("waited_for", "text", f"what most of the critical path went into: {', '.join(PARTS)}"),
)
MEMBERS: Final = "page_members"
"""A table beside the report: which exchange belongs to which page."""
MEMBER_COLUMNS: Final = (
    Column("page", "number", "the page"),
    Column("connection", "number", "number of the connection"),
    Column("index", "number", "rank of the exchange on it"),
    Column("rank", "number", "rank of the exchange in the page, by the begin of its request"),
    Column("since_start_ms", "milliseconds", "from the begin of the page to its request", "ms"),
    Column("url", "text", "URL asked for"),
    Column("cause_connection", "number", "connection of the exchange that made the client ask: that named it, or led to it"),
    Column("cause_index", "number", "rank of that exchange on its connection"),
    Column("cause_url", "text", "URL of that exchange"),
)
_NUMBERS: Final = ("connection", "index", "start", "first_byte", "end", "status", "frame", "body", "fetch", "begin",
                   *(f"part_{part}" for part in PARTS))  # fmt: skip
_TEXTS: Final = ("url", "referrer", "user_agent", "location", "client_ip", "type")


def _ns(column: pa.Array, kind: type = np.float64) -> Ints:
    """Milliseconds or numbers as int64 (ns), 0 where absent."""
    values = np.where(is_there(column), values_of(column, kind), 0)
    return np.rint(values * 1e6).astype(np.int64) if kind is np.float64 else values.astype(np.int64)


class Pages:
    """Exchanges of all flushes so far; ``build`` groups them. ``limits`` say how many redirects are many."""

    def __init__(self, limits: Thresholds = DEFAULTS) -> None:
        self._limits = limits
        self._numbers: list[np.ndarray[tuple[int, int], np.dtype[np.int64]]] = []
        self._texts: list[list[pa.Array]] = []
        self._rows = 0
        self._pages = 0

    def add(self, http: Sheet, connections: Sheet, fetch: Ints, order: Ints) -> dict[str, Sheet]:
        """Keep what grouping needs of the exchanges of one flush.

        Args:
            http: the first rows of it are the exchanges that were read.
            connections: of the same flush.
            fetch: (n,) EXCHANGE.fetch.
            order: (n,) place of each exchange's connection.

        Returns:
            Tables of pages, when there are so many exchanges that they are grouped before the end.
        """
        n = len(fetch)
        url = http.column("url").slice(0, n)
        wanted = np.flatnonzero(is_there(url))
        if len(wanted) == 0:
            return {}
        numbers = np.zeros((len(_NUMBERS), n), np.int64)
        place = {name: k for k, name in enumerate(_NUMBERS)}

        def column(name: str) -> pa.Array:
            return http.column(name).slice(0, n)

        start, first = _ns(column("request_time"), np.int64), _ns(column("response_time"), np.int64)
        sent, waited, received = (_ns(column(name)) for name in ("request_send_ms", "server_wait_ms", "response_receive_ms"))
        index = _ns(column("index"), np.int64)
        is_first = index == 1
        told = {"connection": _ns(column("connection"), np.int64), "index": index, "start": start, "first_byte": first,
                "end": np.where(first > 0, first + received, start + sent), "status": _ns(column("status"), np.int64),
                "frame": _ns(column("response_first_frame"), np.int64), "body": _ns(column("response_body_bytes"), np.int64),
                "fetch": fetch, "part_server": np.maximum(waited, 0), "part_transfer": sent + received}  # fmt: skip
        for part, phases in zip(PARTS, _PHASES, strict=True):
            if phases:
                spent = sum(_ns(connections.column(f"{phase}_ms")) for phase in phases)
                told[f"part_{part}"] = np.where(is_first, np.asarray(spent)[order], 0)
        loss = sum(_ns(connections.column(f"{phase}_tcp_wait_ms")) for phase in
                   ("tcp_connect", "tls_handshake", "request_send", "server_wait", "response_receive"))  # fmt: skip
        told["part_loss"] = np.where(is_first, np.asarray(loss)[order], 0)
        for name, values in told.items():
            numbers[place[name]] = values
        before = sum(numbers[place[f"part_{part}"]] for part in ("dns", "connect", "tls", "client"))
        numbers[place["begin"]] = start - before
        self._numbers.append(numbers[:, wanted])
        taken = [column(name) for name in ("url", "referrer", "user_agent", "location", "originator_ip", "response_content_type")]
        self._texts.append(taken if len(wanted) == n else [array.take(ints(wanted).arrow()) for array in taken])
        self._rows += len(wanted)
        return self.build() if self._rows >= LARGEST else {}

    def build(self) -> dict[str, Sheet]:
        """The tables of the pages so far, and findings on them; what was kept is forgotten."""
        if not self._rows:
            return {"pages": _empty(COLUMNS), MEMBERS: _empty(MEMBER_COLUMNS)}
        numbers = np.concatenate(self._numbers, axis=1)
        texts = [pa.concat_arrays(list(arrays)) for arrays in zip(*self._texts, strict=True)]
        self._numbers, self._texts, self._rows = [], [], 0
        order = np.lexsort((numbers[_NUMBERS.index("index")], numbers[_NUMBERS.index("connection")], numbers[_NUMBERS.index("start")]))
        x = dict(zip(_NUMBERS, numbers[:, order], strict=True))
        t = dict(zip(_TEXTS, (array.take(ints(order).arrow()) for array in texts), strict=True))
        asked = _asked(x, t)
        parents = find_parents(asked)
        groups = _Groups(x, asked, parents, find_roots(parents))
        sheets = groups.sheets(t, self._pages) | groups.findings(t, self._limits)
        self._pages += sheets["pages"].num_rows
        return sheets


def _empty(columns: tuple[Column, ...]) -> Sheet:
    schema = schema_of(columns)
    return Sheet.of(pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in schema.types], schema=schema))


def _codes(arrays: list[pa.Array]) -> list[Ints]:
    """Codes of texts, equal where the texts are, -1 = absent."""
    whole = pc.dictionary_encode(pa.concat_arrays(arrays))
    codes = np.where(is_there(whole.indices), values_of(whole.indices.cast(pa.int64()), np.int64), -1)
    return np.split(codes, np.cumsum([len(array) for array in arrays])[:-1])


def _asked(x: Mapping[str, Ints], t: Mapping[str, pa.Array]) -> Asked:
    """What grouping looks at."""
    bare = [pc.replace_substring_regex(t[name], "#.*$", "") for name in ("url", "referrer")]
    status = x["status"]
    is_redirect = (status >= 300) & (status < 400) & is_there(t["location"])
    located: list[str | None] = [None] * len(status)
    for k in np.flatnonzero(is_redirect).tolist():
        try:
            located[k] = urljoin(t["url"][k].as_py(), t["location"][k].as_py()).partition("#")[0]
        except ValueError:  # no URL
            continue
    origins = pc.replace_substring_regex(bare[0], "^([a-z]+://[^/]*).*$", "\\1/")
    url, referrer, location, origin = _codes([*bare, words(located).arrow(), origins])
    address, agent = (_codes([t[name]])[0] for name in ("client_ip", "user_agent"))
    is_html = is_true(pc.match_substring_regex(t["type"], "^(?i)(text/html|application/xhtml)"))
    return Asked(address << 24 | (agent & 0xFFFFFF), url, referrer, location, origin, x["start"], x["end"],
                 is_html, is_redirect, x["fetch"])  # fmt: skip


class _Groups:
    """Pages among grouped exchanges."""

    def __init__(self, x: Mapping[str, Ints], asked: Asked, parents: Ints, roots: Ints) -> None:
        self._x, self._asked, self._parents, self._roots = x, asked, parents, roots
        n = len(roots)
        self._document = np.arange(n)  # of each root: where its redirects lead
        led = np.flatnonzero((parents >= 0) & asked.is_redirect[parents] & (asked.location[parents] == asked.url))
        self._is_led = np.zeros(n, np.bool_)
        self._is_led[led] = True
        for k in led.tolist():  # rare; in order of time
            if parents[k] == self._document[roots[k]]:
                self._document[roots[k]] = k
        document = self._document[roots]
        self._led_by = {k: int(parents[k]) for k in led.tolist()}
        is_page: Mask = asked.is_html[document] | (asked.fetch[roots] == 1)
        self._pages = np.flatnonzero(is_page & (roots == np.arange(n)))
        self._page_of = np.full(n, -1, np.int64)
        self._page_of[self._pages] = np.arange(len(self._pages))
        self._page_of = np.where(is_page, self._page_of[roots], -1)

    def sheets(self, t: Mapping[str, pa.Array], before: int) -> dict[str, Sheet]:
        """The tables; pages are numbered after the ``before`` ones that were told already."""
        x, pages, page_of = self._x, self._pages, self._page_of
        n = len(pages)
        members = np.flatnonzero(page_of >= 0)
        which = page_of[members]
        end, begin = np.zeros(n, np.int64), np.full(n, np.iinfo(np.int64).max)
        np.maximum.at(end, which, x["end"][members])
        np.minimum.at(begin, which, x["begin"][members])
        requests = np.bincount(which, minlength=n)
        pairs = np.unique(which << 32 | x["connection"][members])
        document = self._document[pages]
        path, lengths, spent = self._paths(members, which, requests)
        parts = {f"path_{part}_ms": milliseconds(spent[:, k]) for k, part in enumerate(PARTS)}
        most = np.argmax(spent[:, [k for k, part in enumerate(PARTS) if part != "loss"]], axis=1) if n else np.zeros(0, np.int64)
        named_parts = [part for part in PARTS if part != "loss"]
        first = x["first_byte"][document]
        sheet = make_sheet(
            COLUMNS,
            {
                "page": ints(np.arange(n) + before + 1),
                "url": t["url"].take(ints(document).arrow()),
                "client_ip": t["client_ip"].take(ints(pages).arrow()),
                "start_time": moments(begin),
                "first_byte_ms": milliseconds(first - begin, first > 0),
                "duration_ms": milliseconds(end - begin),
                "status": counts(x["status"][document]),
                "requests": ints(requests),
                "redirects": ints(np.bincount(which, self._is_led[members], n).astype(np.int64)),
                "redirect_path": self._redirect_paths(),
                "connections": ints(np.bincount(pairs >> 32, minlength=n)),
                "bytes": ints(np.bincount(which, x["body"][members], n).astype(np.int64)),
                "basis": words([("html", "hint")[int(k)] for k in self._asked.fetch[pages] == 1]),
                "connection": ints(x["connection"][pages]),
                "exchange": ints(x["index"][pages]),
                "critical_path": lists(lengths, words(path)),
                **parts,
                "waited_for": words([named_parts[k] for k in most.tolist()]),
            },
        )
        order = members[np.lexsort((members, which))]
        return {"pages": sheet, MEMBERS: self._members(t, order, begin, before)}

    def _members(self, t: Mapping[str, pa.Array], order: Ints, begin: Ints, before: int) -> Sheet:
        """The exchanges at ``order``, which are those of each page after the other, by time; ``begin``: of each page."""
        x, page = self._x, self._page_of[order]
        firsts = np.searchsorted(page, np.arange(len(begin)))
        parent = self._parents[order]
        caused: Mask = (parent >= 0) & (self._page_of[parent] == page)
        return make_sheet(
            MEMBER_COLUMNS,
            {
                "page": ints(page + before + 1),
                "connection": ints(x["connection"][order]),
                "index": ints(x["index"][order]),
                "rank": ints(np.arange(len(order)) - firsts[page] + 1),
                "since_start_ms": milliseconds(x["start"][order] - begin[page]),
                "url": t["url"].take(ints(order).arrow()),
                "cause_connection": ints(x["connection"][parent], caused),
                "cause_index": ints(x["index"][parent], caused),
                "cause_url": t["url"].take(ints(parent, caused).arrow()),
            },
        )

    def _chain(self, page: int) -> list[int]:
        """Exchanges from the first request of a page to its document: all but the last redirect."""
        chain = [int(self._document[self._pages[page]])]
        while chain[-1] in self._led_by:
            chain.append(self._led_by[chain[-1]])
        return chain[::-1]

    def _redirect_paths(self) -> ListColumn:
        """The chain of each page that has redirects, as connection/index."""
        chains = [self._chain(page) for page in range(len(self._pages))]
        told = [[f"{self._x['connection'][k]}/{self._x['index'][k]}" for k in chain] for chain in chains if len(chain) > 1]
        lengths = np.array([len(chain) for chain in told], np.int64)
        whole = lists(lengths, words([name for names in told for name in names]))
        there = np.array([len(chain) > 1 for chain in chains], np.bool_)
        return whole.take(np.where(there, np.cumsum(there) - 1, -1))

    def findings(self, t: Mapping[str, pa.Array], limits: Thresholds) -> dict[str, Sheet]:
        """Too many redirects that are not all on one connection, where ``lifecycle`` sees them."""
        x, found = self._x, []
        for page in range(len(self._pages)):
            hops = self._chain(page)[:-1]
            if len(hops) > limits.http_redirects and len({int(x["connection"][k]) for k in hops}) > 1:
                found.append((hops[0], hops[-1], len(hops)))
        if not found:
            return {}
        first, last, amounts = (np.array(column, np.int64) for column in zip(*found, strict=True))
        places = (x["connection"][last], x["frame"][last], x["first_byte"][last])
        subjects = t["url"].take(ints(first).arrow()).to_pylist()
        return {"findings": build_late_findings("http.redirect_chain", places, subjects, amounts, limits)}

    def _paths(self, members: Ints, which: Ints, requests: Ints) -> tuple[list[str], Ints, Ints]:
        """Critical path of each page as names one after the other, their number, and its time by PARTS."""
        x, n = self._x, len(requests)
        numbers = np.stack([x[f"part_{part}"] for part in PARTS], axis=1)
        names, lengths, spent = [], np.ones(n, np.int64), np.zeros((n, len(PARTS)), np.int64)
        order = members[np.argsort(which, kind="stable")]
        firsts = np.cumsum(requests) - requests
        connection, index = x["connection"].tolist(), x["index"].tolist()
        alone = requests == 1
        spent[alone] = numbers[self._pages[alone]]
        for page in range(n):
            root = int(self._pages[page])
            if alone[page]:
                names.append(f"{connection[root]}/{index[root]}")
                continue
            here = order[firsts[page] : firsts[page] + requests[page]]
            path = self._path(root, here)
            lengths[page] = len(path)
            names += [f"{connection[k]}/{index[k]}" for k in path]
            spent[page] = numbers[path].sum(axis=0)
            total = int(x["end"][path[-1]] - x["begin"][root])
            spent[page, -1] += max(total - int(spent[page].sum() - spent[page, PARTS.index("loss")]), 0)
        return names, lengths, spent

    def _path(self, root: int, here: Ints) -> list[int]:
        """Exchanges from the root to the one that ended last, each the one that the next had to wait for."""
        x = self._x
        ends, begins = x["end"][here], x["begin"][here]
        at = int(here[np.argmax(ends)])
        path = [at]
        while at != root:
            before = (ends <= x["begin"][at]) & (begins < x["begin"][at])
            parent = int(self._parents[at])
            chosen = parent
            if before.any():
                last = int(here[before][np.argmax(ends[before])])
                if parent < 0 or x["end"][last] > x["first_byte"][parent]:
                    chosen = last
            if chosen < 0 or chosen in path:
                break
            path.append(chosen)
            at = chosen
        return path[::-1]
