"""Connections by an expression of pandas over the columns of ``connections``, as ``tls_handshake_ms > 300 and service == 'https'``.

Times are UTC: ``start_time > '2026-11-23 16:30'``.
"""

from __future__ import annotations

import difflib
import re
from typing import Any

import numpy as np
import pyarrow as pa

from analyzer.errors import UsageError
from analyzer.report.build import TABLES
from analyzer.report.built import Mask
from analyzer.report.columns import Sheet, schema_of
from analyzer.report.report import to_frame


class Where:
    """An expression as ``DataFrame.query`` takes it; what is absent fits no comparison.

    Raises:
        UsageError: when it is made: the expression cannot be understood.
    """

    def __init__(self, expression: str) -> None:
        self._expression = " ".join(expression.split())
        names = [column.name for column in TABLES["connections"]]
        self._columns = [name for name in names if re.search(rf"\b{name}\b", self._expression)]
        schema = schema_of(TABLES["connections"])
        self(Sheet.of(pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in schema.types], schema=schema)))

    def __call__(self, sheet: Sheet) -> Mask:
        """Which rows of the table ``connections`` fit."""
        frame = to_frame(sheet.select(self._columns or ["connection"]))
        for name in frame.columns[[str(kind).endswith("UTC]") for kind in frame.dtypes]]:
            frame[name] = frame[name].dt.tz_localize(None)  # so that it compares with a time that says no zone
        told = self._evaluate(frame)
        is_condition = str(getattr(told, "dtype", "")) in ("bool", "boolean", "object")
        if not is_condition or np.ndim(told) != 1 or len(told) != len(frame):
            raise UsageError(f"--where {self._expression}: that is no condition on each connection, as tls_handshake_ms > 300 is one.")
        return np.asarray(told.astype("boolean").fillna(False).to_numpy(dtype=np.bool_))

    def _evaluate(self, frame: Any) -> Any:
        """The expression for each row; whatever goes wrong in it is the user's to know."""
        try:
            return frame.eval(self._expression, engine="python", local_dict={}, global_dict={})
        except Exception as error:  # an expression may fail in any way
            raise UsageError(f"--where {self._expression}: {self._explain(error)}") from error

    def _explain(self, error: Exception) -> str:
        """What is wrong, in a sentence."""
        found = re.search(r"name '(\w+)' is not defined", str(error))
        if found is None:
            return f"{str(error).splitlines()[0] if str(error) else type(error).__name__}. It is an expression as pandas' query takes it."
        near = difflib.get_close_matches(found[1], [column.name for column in TABLES["connections"]], 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return f"connections have no column {found[1]}.{hint} All: analyzer columns connections"
