"""A second process that compiles kernels from the other end, so that the first run on a machine takes half as long.

Which kernels a capture needs, and for which types, is learned by analysing its first packets with the kernels as plain Python, in the
order of the pipeline. Then they are compiled last one first: the process that analyses comes from the front, and each finds on disk what
the other has compiled already. Nothing depends on this process: it may fail or be ended at any moment.

    python -m analyzer.warming CAPTURE...
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from analyzer.kernel_cache import is_cache_warm

if TYPE_CHECKING:
    from analyzer.kernel import Entry

FEW_PACKETS = 600  # enough to meet the protocols of most captures, and half a second in plain Python


class Wanted(NamedTuple):
    """What a kernel is called with: its arguments described, and their Numba types."""

    described: list[str]
    types: list[Any]


@contextmanager
def warming(captures: Sequence[str]) -> Iterator[None]:
    """Have another process compile while this one works; only where nothing is compiled yet and a second processor is there."""
    is_wanted = "ANALYZER_KERNELS" not in os.environ or os.environ["ANALYZER_KERNELS"] == "compiled"
    if not is_wanted or is_cache_warm() or (os.cpu_count() or 1) < 2 or not all(Path(capture).is_file() for capture in captures):
        yield
        return
    command = [sys.executable, "-m", "analyzer.warming", *captures]
    quiet = subprocess.DEVNULL
    other = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        other.terminate()
        other.wait()


def learn_types(captures: Sequence[str]) -> dict[Entry, Wanted]:
    """The kernels that the first packets of the captures need, in order of first use, with the types of their arguments."""
    import numba

    from analyzer.export.writers import open_writers
    from analyzer.kernel import Entry, Lazy
    from analyzer.kernel_loader import describe
    from analyzer.options import Limits, Options
    from analyzer.pipeline import Pipeline

    seen: dict[Entry, Wanted] = {}

    def witness(function: Lazy, arguments: tuple[Any, ...]) -> Any:
        if isinstance(function, Entry) and function not in seen:
            seen[function] = Wanted(list(map(describe, arguments)), list(map(numba.typeof, arguments)))
        return function.py_func(*arguments)

    Lazy.witness = staticmethod(witness)
    try:
        pipeline = Pipeline(Options(limits=replace(Limits(), packets_per_batch=FEW_PACKETS)))
        with tempfile.TemporaryDirectory() as folder:
            (writer,) = open_writers(("csv",), Path(folder))
            for tables in pipeline.run(list(captures), lambda _done, _total: pipeline.stop()):
                writer.write(tables)
            writer.close()
    finally:
        Lazy.witness = None
    return seen


def main() -> None:
    """Compile what the captures named on the command line need, last one first."""
    for function, wanted in reversed(learn_types(sys.argv[1:]).items()):
        function.prepare(wanted.described, wanted.types)


if __name__ == "__main__":
    main()
