"""Tests call helpers of kernels from Python, so they are compiled with wrappers here."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

os.environ.setdefault("ANALYZER_CALLS_HELPERS", "1")

# The first example of a test may compile a kernel, and machines are noisy: no test is about time.
settings.register_profile("analyzer", deadline=None)
settings.load_profile("analyzer")


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_reaches_us() -> Iterator[None]:
    """A job in the background of a shell starts with Ctrl-C ignored, and so would all the programs it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
