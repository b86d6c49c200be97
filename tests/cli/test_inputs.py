"""Options as typed, and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.cli.inputs import Inputs, parse_size
from analyzer.errors import UsageError


@pytest.mark.parametrize(
    ("text", "size"), [("800M", 800 << 20), ("2g", 2 << 30), ("1.5 GiB", 3 << 29), ("64KB", 64 << 10), ("1000000", 1_000_000)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_inputs_become_options(tmp_path: Path) -> None:
    keys = tmp_path / "keys.log"
    keys.write_text("")
    options = Inputs("verify", "linux", True, (str(keys),), True, ("roots.pem",), "1G", 2).options()
    assert (options.checksums, options.overlap, options.zeek_timeouts, options.include_secrets) == ("verify", "linux", True, True)
    assert (options.keylog, options.trust_store, options.limits.memory_bytes) == ((keys,), (Path("roots.pem"),), 1 << 30)
    assert options.jobs == 2
    assert Inputs().options().limits.memory_bytes > 0


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        (Inputs(checksums="maybe"), "--checksums is ignore or verify, not maybe."),
        (Inputs(overlap="third"), "--overlap is one of first, last, .*, not third."),
        (Inputs(keylogs=["nowhere.log"]), "--keylog: there is no file nowhere.log."),
        (Inputs(jobs=0), "--jobs is a number of threads"),
        (Inputs(limit_memory="much"), "--limit-memory is a size as 800M or 2G, not much."),
    ],
)
def test_what_makes_no_sense_is_refused(inputs: Inputs, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        inputs.options()
