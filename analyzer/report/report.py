"""The report as Python sees it: Arrow tables that become DataFrames when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from analyzer.report.build import TABLES
from analyzer.report.columns import Sheet, schema_of
from analyzer.report.pages import MEMBER_COLUMNS, MEMBERS

if TYPE_CHECKING:
    import pandas as pd

KEPT = {**TABLES, MEMBERS: MEMBER_COLUMNS}
"""The tables of a report, and the one beside them that says which exchange belongs to which page."""


def to_frame(table: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    """A table as a DataFrame: absent numbers and truth values are ``<NA>``."""
    import pandas as pd  # noqa: PLC0415 - half a second that only users of DataFrames should pay

    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = table.to_pandas(types_mapper=nullable.get)
    return frame


class Report:
    """Named tables, each a list of Arrow batches; DataFrames are made on first use and kept.

    In a DataFrame absent numbers and truth values are ``<NA>`` (Int64, boolean), times are UTC, and ``attrs["columns"]`` says of every
    column its unit, meaning and caveat. ``connections`` is sorted by ``connection``.
    """

    def __init__(self) -> None:
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in KEPT}
        self._frames: dict[str, pd.DataFrame] = {}

    @classmethod
    def collect(cls, flushes: Iterable[Mapping[str, Sheet | pa.RecordBatch]]) -> Report:
        """The report of all flushes."""
        report = cls()
        for batches in flushes:
            report.add(batches)
        return report

    def add(self, batches: Mapping[str, Sheet | pa.RecordBatch]) -> None:
        """Take the tables of one flush; tables that are no part of the report are left out."""
        for name in batches.keys() & KEPT.keys():
            batch = batches[name]
            self._batches[name].append(batch.arrow() if isinstance(batch, Sheet) else batch)
            self._frames.pop(name, None)

    def table(self, name: str) -> pa.Table:
        """One table as Arrow; ``connections`` sorted by number."""
        table = pa.Table.from_batches(self._batches[name], schema_of(KEPT[name]))
        return table.sort_by("connection") if name == "connections" else table

    def frame(self, name: str) -> pd.DataFrame:
        """One table as a DataFrame."""
        if name not in self._frames:
            frame = to_frame(self.table(name))
            frame.attrs["columns"] = {
                column.name: {"unit": column.unit, "meaning": column.meaning, "caveat": column.caveat} for column in KEPT[name]
            }
            self._frames[name] = frame
        return self._frames[name]

    @property
    def connections(self) -> pd.DataFrame:
        """One row per connection: the lifecycle report."""
        return self.frame("connections")

    @property
    def milestones(self) -> pd.DataFrame:
        """One row per step of a connection."""
        return self.frame("milestones")

    @property
    def tcp(self) -> pd.DataFrame:
        """One row per end of a TCP connection."""
        return self.frame("tcp")

    @property
    def waits(self) -> pd.DataFrame:
        """One row per time that a connection stood still because of TCP."""
        return self.frame("waits")

    @property
    def dns(self) -> pd.DataFrame:
        """One row per lookup."""
        return self.frame("dns")

    @property
    def dns_servers(self) -> pd.DataFrame:
        """One row per DNS server."""
        return self.frame("dns_servers")

    @property
    def dns_names(self) -> pd.DataFrame:
        """One row per name asked for."""
        return self.frame("dns_names")

    @property
    def tls(self) -> pd.DataFrame:
        """One row per connection that speaks TLS."""
        return self.frame("tls")

    @property
    def certificates(self) -> pd.DataFrame:
        """One row per distinct certificate."""
        return self.frame("certificates")

    @property
    def connection_certificates(self) -> pd.DataFrame:
        """Which connection carried which certificate."""
        return self.frame("connection_certificates")

    @property
    def http(self) -> pd.DataFrame:
        """One row per HTTP exchange."""
        return self.frame("http")

    @property
    def http2(self) -> pd.DataFrame:
        """One row per HTTP/2 connection."""
        return self.frame("http2")

    @property
    def quic(self) -> pd.DataFrame:
        """One row per connection that speaks QUIC."""
        return self.frame("quic")

    @property
    def websockets(self) -> pd.DataFrame:
        """One row per WebSocket."""
        return self.frame("websockets")

    @property
    def pages(self) -> pd.DataFrame:
        """One row per page load."""
        return self.frame("pages")

    @property
    def findings(self) -> pd.DataFrame:
        """What stands out."""
        return self.frame("findings")

    @property
    def capture(self) -> pd.DataFrame:
        """Where the packets came from and what became of them."""
        return self.frame("capture")
