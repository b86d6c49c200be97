"""How the process asks the system for memory, for a whole run of the command line (a library does not decide that for its user).

Each batch and each flush makes arrays of up to a few megabytes and drops them. By default glibc maps and unmaps them one by one, and the
kernel fills every page with zeros again: a fifth of all CPU time. Here they come from the heap, which keeps them for the next batch.
Arrow uses the same heap instead of one of its own, so that what one has freed serves the other.
"""

from __future__ import annotations

import ctypes
import os
import sys

# mallopt(3)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
HEAP_BLOCK_BYTES = 2 << 20  # larger ones, the tables of connections and the chunks, are mapped one by one and given back when they grow
KEPT_BYTES = 32 << 20  # free at the end of the heap before it shrinks


def keep_memory() -> None:
    """Take arrays from the heap, and Arrow's, too. Does nothing where the C library is not glibc or the user has chosen otherwise."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # read when Arrow is imported
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
