r"""Record types that are met too rarely to deserve a kernel: written by dnspython, once for each distinct record.

The kernels have written them as RFC 3597 has it (``\# length hex``). What dnspython does not read stays so, as does everything beyond
``MOST`` distinct records: a capture full of them must not become slow.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import numpy as np

from analyzer.memory import Text
from analyzer.tables import Rows

RARE: Final = {
    11: "WKS",
    29: "LOC",
    37: "CERT",
    42: "APL",
    45: "IPSECKEY",
    55: "HIP",
    66: "DSYNC",
    249: "TKEY",
    250: "TSIG",
    260: "AMTRELAY",
}
MOST = 10_000
ANY_CLASS = 255  # of TSIG and TKEY: dnspython keeps them there
_LAST_DOT = re.compile(r"(?<=[^\s.])\.(?=\s|$)")


@cache
def _reader() -> Any:
    import dns.rdata  # noqa: PLC0415 - only captures with such records pay for it

    return dns.rdata


def write_rare(rrtype: int, rrclass: int, rdata: bytes) -> str | None:
    """The presentation form of record data, names without their last dot; None when dnspython cannot read it."""
    rdclass = rrclass if rrclass != ANY_CLASS or rrtype in (249, 250) else 1
    try:
        read = _reader().from_wire(rdclass, rrtype, rdata, 0, len(rdata))
        written = str(read.to_text(chunksize=0))
    except Exception:  # noqa: BLE001 - whatever a reader of bytes from the network raises: the record stays in hex
        return None
    return _LAST_DOT.sub("", written).strip()


class RareRecords:
    """Writes rare records over their generic form; remembers what it has written."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._spans: dict[tuple[int, bytes], str | None] = {}

    def rewrite(self, records: Rows, text: Text) -> None:
        """Point the rare ones among RESOURCE_RECORD rows to their presentation form, added to ``text``."""
        for at in np.flatnonzero(np.isin(records["rrtype"], list(RARE))).tolist():
            record = records[at]
            generic = text.data[record.rdata : record.rdata + record.rdata_size].tobytes().split(b" ")
            if len(generic) < 3:  # no data
                continue
            key = (int(record.rrtype), generic[2])
            if key not in self._spans:
                if len(self._spans) >= self._most:
                    continue
                self._spans[key] = write_rare(key[0], int(record.rrclass) & 0x7FFF, bytes.fromhex(generic[2].decode()))
            written = self._spans[key]
            if written is not None:
                record.rdata, record.rdata_size = text.append(written.encode("ascii", "backslashreplace"))
