"""The exceptions a user can meet: each message is one sentence that says what to do."""

from __future__ import annotations


class AnalyzerError(Exception):
    """Base of all errors this package raises on purpose."""


class CaptureError(AnalyzerError):
    """A capture cannot be opened or read."""


class UsageError(AnalyzerError):
    """An option or argument makes no sense."""


class OutputError(AnalyzerError):
    """The report cannot be written."""
