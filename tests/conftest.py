"""Tests call helpers of kernels from Python, so they are compiled with wrappers here."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("ANALYZER_CALLS_HELPERS", "1")

# The first example of a test may compile a kernel, and machines are noisy: no test is about time.
settings.register_profile("analyzer", deadline=None)
settings.load_profile("analyzer")
