"""Tests call helpers of kernels from Python, so they are compiled with wrappers here."""

from __future__ import annotations

import os

os.environ.setdefault("ANALYZER_CALLS_HELPERS", "1")
