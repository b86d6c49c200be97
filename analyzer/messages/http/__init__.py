"""HTTP/1.x and 0.9 (RFC 9112, RFC 9110, RFC 1945): runs of stream bytes to EXCHANGE rows.

Theory. Each stream is in one state (``framing_kernels``): a head is being looked for, a body is counted down, a chunk-size line is
read, ... Heads are the only bytes that are looked at: a head that lies in one run is read in place, one that comes in pieces is
collected in an arena block first. Bodies are arithmetic on run sizes. Answers belong to the oldest request that waits
(``head_kernels`` reads the fields, ``pairing_kernels`` finds the row).

Invariant: what is seen depends on the bytes of each stream and on the order of the runs, never on how they are cut into batches; a
kernel that lacks room stops before the head that needs it and has changed nothing of it.
"""

from __future__ import annotations

from analyzer.messages.http.exchanges import Http

__all__ = ["Http"]
