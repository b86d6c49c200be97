"""Run the whole pipeline on damaged recordings for as long as you like.

    python tests/fuzz/long.py --seed 1 --minutes 5

Case after case from one seed: the same seed gives the same cases. A capture that breaks something is kept in the output folder with the
traceback beside it, and the exit status is 1. ANALYZER_KERNELS=python runs the kernels uncompiled.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fuzz.mutations import analyse, damage

CASES_PER_SEED = 1 << 32
SLOW_SECONDS = 10.0


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument(
        "--out", type=Path, default=Path(tempfile.gettempdir()) / "analyzer-fuzz", help="where captures that break something go"
    )
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    arguments.out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * arguments.minutes
    kinds: dict[str, int] = {}
    cases = 0
    while time.monotonic() < end:
        name, data = damage(arguments.seed * CASES_PER_SEED + cases)
        path = arguments.out / "case"
        path.write_bytes(data)
        began = time.monotonic()
        try:
            analyse(path)
            if time.monotonic() - began > SLOW_SECONDS:
                raise AssertionError(f"took {time.monotonic() - began:.0f} s")  # noqa: TRY301 - kept like any other failure
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            place = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} in {Path(place.filename).name}:{place.lineno}"
            kinds[kind] = kinds.get(kind, 0) + 1
            if kinds[kind] == 1:
                kept = arguments.out / f"{arguments.seed}-{cases}-{name}"
                kept.write_bytes(data)
                kept.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))
                say(f"case {cases}: {kind}: {error!s:.200}; kept as {kept}")
        cases += 1
    say(f"{cases} cases of seed {arguments.seed}: {kinds or 'nothing broke'}")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
