r"""Zeek's logs in its own tab-separated form: the header lines that zeek-cut and others read, values and escapes as Zeek writes them.

A text that is ``-`` or ``(empty)``, control bytes and, in lists, commas stand as ``\xHH``. Zeek writes the time
of day of its run to ``#open`` and ``#close``; here they are the times of the first line and the last, so that the same capture gives the
same bytes. A log without lines has no ``#open`` and no ``#close``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from analyzer.export.cells import Lines
from analyzer.export.files import LineFiles
from analyzer.export.zeek import KINDS, LOGS, Log, build_log
from analyzer.report.built import values_of
from analyzer.report.columns import Sheet

_SEPARATORS: Final = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"


def moment(ns: int) -> str:
    """A time as Zeek writes it to ``#open``."""
    text = str(np.datetime64(ns // 1_000_000_000, "s"))
    return text.replace("T", "-").replace(":", "-")


def header(log: Log, opened: str) -> str:
    """The lines before the first line; without ``opened`` there is no ``#open``."""
    fields = "\t".join(["#fields", *(field.name for field in log.fields)])
    types = "\t".join(["#types", *(field.kind for field in log.fields)])
    began = f"#open\t{opened}\n" if opened else ""
    return f"{_SEPARATORS}#path\t{log.path}\n{began}{fields}\n{types}\n"


class ZeekTsvWriter:
    """Writes conn.log, dns.log, ssl.log, x509.log and http.log as Zeek does; needs the table ``zeek_dns``."""

    def __init__(self, folder: Path) -> None:
        self._files = LineFiles(folder, [log.path for log in LOGS], ".log")
        self._lines = {log.path: Lines([field.name for field in log.fields], [KINDS[field.kind] for field in log.fields]) for log in LOGS}
        self._last: dict[str, str] = {}
        self._is_open = True
        self.paths = self._files.paths

    def write(self, batches: Mapping[str, Sheet]) -> None:
        """Append the lines of one flush."""
        for log in LOGS:
            if log.table not in batches:
                continue
            batch = build_log(log, batches)
            if batch.num_rows == 0:
                continue
            times = values_of(batch.column("ts").cast(pa.int64()), np.int64)
            if log.path not in self._last:
                self._files.write(log.path, [header(log, moment(int(times[0]))).encode()])
            self._last[log.path] = moment(int(times[-1]))
            self._files.write(log.path, self._lines[log.path].tsv(batch))

    def close(self) -> None:
        """End all logs and close their files; may be called twice."""
        if self._is_open:
            self._is_open = False
            for log in LOGS:
                last = self._last.get(log.path)
                self._files.write(log.path, [(f"#close\t{last}\n" if last else header(log, "")).encode()])
        self._files.close()
