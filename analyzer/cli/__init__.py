"""The command line: thin, polite, tested against its documentation."""

from __future__ import annotations

import gc
import os

OBJECTS_BETWEEN_COLLECTIONS = 200_000  # imports make as many objects that stay: looking for garbage among them costs 0.1 s


def run(arguments: list[str] | None = None) -> int:
    """Run one command.

    Returns:
        Exit status: 0 analysed, 1 a capture could not be read or nothing was analysed, 2 wrong usage, 130 interrupted.
    """
    from analyzer.allocator import keep_memory

    keep_memory()
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # read when NumPy is imported: threads for matrices that nobody multiplies spin 0.1 s
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    from analyzer.cli.main import run_command

    return run_command(arguments)
