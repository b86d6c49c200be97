"""Addresses as Zeek sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from analyzer.report.built import is_true

# Zeek's default local networks (Site::private_address_space: the special-purpose registries of RFC 6890), by the text of an address
PRIVATE: Final = (
    r"^(0\.|10\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|127\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|192\.0\.[02]\.|192\.168\."
    r"|198\.1[89]\.|198\.51\.100\.|203\.0\.113\.|224\.0\.0\.|239\.|2[45]\d\."
    r"|::1?$|2001:(db8)?:|2001:1?[0-9a-f]{1,2}:|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:)"
)
MAPPED: Final = "::ffff:"


def in_ipv4(column: str) -> Callable[[pa.RecordBatch], pa.Array]:
    """A column of addresses; an IPv4-mapped address of IPv6 (RFC 4291 2.5.5.2) is to Zeek that of IPv4, on the wire or not."""

    def values(batch: pa.RecordBatch) -> pa.Array:
        array = batch.column(column)
        if not is_true(pc.starts_with(array, MAPPED)).any():
            return array
        return pc.replace_substring_regex(array, f"^{MAPPED}([0-9]+[.][0-9.]+)$", r"\1")

    return values


def is_local(column: str) -> Callable[[pa.RecordBatch], pa.Array]:
    """Whether an address is in Zeek's default local networks; one look per distinct address."""
    addresses = in_ipv4(column)

    def values(batch: pa.RecordBatch) -> pa.Array:
        encoded = addresses(batch).dictionary_encode()
        return pc.match_substring_regex(encoded.dictionary, PRIVATE).take(encoded.indices)

    return values
