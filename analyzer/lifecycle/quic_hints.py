"""From where a client knew that a name speaks QUIC: the DNS, or what a server said before over TCP.

In the DNS it is an HTTPS record (RFC 9460), over TCP the Alt-Svc field of a response or an ALTSVC frame (RFC 7838).

All that clients of the capture were told is remembered by name. A connection was told by the newest of it that came to its client before
its first packet and speaks of its port; where the client asked over another address family, by what came to the only client that was
told about this name at all.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from analyzer.lifecycle.quic_race import Address, ends_of
from analyzer.messages.dns import Dns
from analyzer.tables import Bytes, Ints, Rows
from analyzer.tables.quic import BY_ALT_SVC, BY_ALTSVC_FRAME, BY_HTTPS_RECORD, LEARNED

if TYPE_CHECKING:
    from analyzer.lifecycle.finished import Finished

HTTPS: Final = 65  # type of the record
DEFAULT_PORT: Final = 443
MOST_NAMES: Final = 1 << 16
MOST_HINTS: Final = 16  # of one name: the newest
_ALPN: Final = re.compile(r'\balpn="?([^" ]*)')
_PORT: Final = re.compile(r'\bport="?(\d+)')
_PREFIX: Final = re.compile(r"_(\d+)\._https\.")  # RFC 9460 2.3
_SERVICE: Final = re.compile(rb'\s*([A-Za-z0-9%_-]+)="?([^",;]*?):(\d+)"?')  # RFC 7838 3: protocol-id="authority"


class Hint(NamedTuple):
    """What one client was told about one name. ``client``: its address; ``connection``: number of that which carried it."""

    ts: int
    number: int
    connection: int
    client: tuple[int, int]
    port: int
    how: int


def ports_of_record(text: str) -> list[int]:
    """Ports where an HTTPS record, as text, offers HTTP/3; none where it does not."""
    alpn = _ALPN.search(text)
    if alpn is None or not any(name.startswith("h3") for name in alpn[1].split(",")):
        return []
    port = _PORT.search(text)
    return [int(port[1]) if port else DEFAULT_PORT]


def ports_of_alt_svc(value: bytes) -> list[int]:
    """Ports where an Alt-Svc value offers HTTP/3 (or QUIC as it was called before)."""
    services = (_SERVICE.match(part) for part in value[:4096].split(b","))
    return sorted({int(one[3]) for one in services if one is not None and one[1].startswith((b"h3", b"quic")) and int(one[3]) < 1 << 16})


def host_of(authority: bytes) -> bytes:
    """The host of an authority, in lower case."""
    host = authority.rpartition(b"@")[2].lower()
    return host.partition(b"]")[0] + b"]" if host.startswith(b"[") else host.partition(b":")[0].rstrip(b".")


class Hints:
    """What clients were told so far."""

    def __init__(self) -> None:
        self._by_name: dict[bytes, deque[Hint]] = {}

    def __len__(self) -> int:
        return len(self._by_name)

    def _add(self, name: bytes, hint: Hint) -> None:
        known = self._by_name.pop(name, None)
        if known is None:
            known = deque(maxlen=MOST_HINTS)
            if len(self._by_name) >= MOST_NAMES:
                self._by_name.pop(next(iter(self._by_name)))
        self._by_name[name] = known  # the newest at the end
        if hint not in known:
            known.append(hint)

    def learn_lookups(self, dns: Dns, connections: Rows) -> None:
        """The HTTPS records that came in this batch."""
        lookups = dns.lookups
        answers = dns.answers[lookups["qtype"][dns.answers] == HTTPS] if len(dns.answers) else dns.answers
        for k in answers.tolist():  # few clients ask for them
            row = lookups[k]
            name = _text(dns.text.data, row, "name").decode("latin-1").lower().rstrip(".")
            prefix = _PREFIX.match(name)
            for record in dns.records[int(row["first_record"]) : int(row["first_record"]) + int(row["answer_records"])]:
                if int(record["rrtype"]) != HTTPS:
                    continue
                for told in ports_of_record(_text(dns.text.data, record, "rdata").decode("latin-1")):
                    port = int(prefix[1]) if prefix and told == DEFAULT_PORT else told
                    client = int(row["client_hi"]), int(row["client_lo"])
                    number = int(connections["number"][int(row["connection"])]) if int(row["connection"]) >= 0 else 0
                    hint = Hint(int(row["response_ts"]), int(row["response_number"]), number, client, port, BY_HTTPS_RECORD)
                    self._add(name[prefix.end() :].encode("latin-1") if prefix else name.encode("latin-1"), hint)

    def learn_responses(self, exchanges: Rows, text: Bytes, connections: Rows, order: Ints) -> None:
        """The Alt-Svc of responses; ``order``: the place of the connection of each exchange in ``connections``."""
        at = np.flatnonzero(exchanges["alt_svc_size"] > 0)
        if len(at) == 0:
            return
        # a server says it in every response: the first of each connection and host are enough
        keys = order[at] << 16 | exchanges["host_size"][at].astype(np.int64) & 0xFFFF
        for hint, name in _responses(exchanges, text, connections, order, at[np.unique(keys, return_index=True)[1]]):
            self._add(name, hint)

    def find(self, name: bytes, client: Address, port: int, before_ts: int) -> Hint | None:
        """What a client was told last about this name and port before a time."""
        known = [hint for hint in self._by_name.get(name, ()) if hint.ts <= before_ts and hint.port == port]
        own = [hint for hint in known if hint.client == client[:2]]
        if not own and len({hint.client for hint in known}) == 1:
            own = known
        return max(own, default=None)


def _responses(exchanges: Rows, text: Bytes, connections: Rows, order: Ints, at: Ints) -> Iterator[tuple[Hint, bytes]]:
    """The hints of these exchanges with the names they are about."""
    clients = ends_of(connections, order[at], client=True)
    numbers = connections["number"][order[at]].tolist()
    for k, client, connection in zip(at.tolist(), clients, numbers, strict=True):
        row = exchanges[k]
        is_frame = int(row["alt_svc_number"]) > 0
        ts, number = (int(row[f"{'alt_svc' if is_frame else 'response_first'}_{part}"]) for part in ("ts", "number"))
        for port in ports_of_alt_svc(_text(text, row, "alt_svc")):
            how = BY_ALTSVC_FRAME if is_frame else BY_ALT_SVC
            yield Hint(ts, number, connection, client[:2], port, how), host_of(_text(text, row, "host"))


def _text(data: Bytes, row: np.record, name: str) -> bytes:
    at = int(row[name])
    return data[at : at + int(row[f"{name}_size"])].tobytes()


def learned(finished: Finished, names: list[bytes], at: Ints, hints: Hints) -> Rows:
    """(n,) LEARNED of a flush: what the clients of QUIC connections at ``at``, which ask for ``names``, knew."""
    table = np.zeros(len(finished.rows), LEARNED).view(np.recarray)
    if not len(hints):
        return table
    c = finished.connections
    clients, servers = ends_of(c, at, client=True), ends_of(c, at, client=False)
    for k, name, client, server in zip(at.tolist(), names, clients, servers, strict=True):
        hint = hints.find(name, client, server[2], int(c["first_ts"][k])) if name else None
        if hint is not None:
            table[k] = (hint.how, hint.ts, hint.number, hint.connection)
    return table
