"""Packet captures in, the life of every connection out.

    import analyzer

    report = analyzer.analyze("trace.pcapng")
    report.connections                                  # pandas DataFrame, one row per connection
    for tables in analyzer.stream("big.pcap"): ...      # bounded memory: Arrow batches of finished connections
    print(analyzer.explain(report, 17))                 # the life of one connection in words
    for tables in analyzer.live("eth0"): ...            # the same while it happens

Nothing heavy is imported until something is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.api import analyze, live, stream
    from analyzer.errors import AnalyzerError, CaptureError, OutputError, UsageError
    from analyzer.options import Limits, Options
    from analyzer.report import Report
    from analyzer.thresholds import Thresholds
    from analyzer.views import explain, plot_connection, plot_phases, plot_waterfall, tell_story, write_html

__version__ = "0.1.0"

__all__ = [
    "AnalyzerError",
    "CaptureError",
    "Limits",
    "Options",
    "OutputError",
    "Report",
    "Thresholds",
    "UsageError",
    "analyze",
    "explain",
    "live",
    "plot_connection",
    "plot_phases",
    "plot_waterfall",
    "stream",
    "tell_story",
    "write_html",
]

_HOMES = {
    "analyze": "analyzer.api",
    "stream": "analyzer.api",
    "explain": "analyzer.views",
    "tell_story": "analyzer.views",
    "write_html": "analyzer.views",
    "plot_connection": "analyzer.views",
    "plot_phases": "analyzer.views",
    "plot_waterfall": "analyzer.views",
    "Thresholds": "analyzer.thresholds",
    "live": "analyzer.api",
    "Options": "analyzer.options",
    "Limits": "analyzer.options",
    "Report": "analyzer.report",
    "AnalyzerError": "analyzer.errors",
    "CaptureError": "analyzer.errors",
    "OutputError": "analyzer.errors",
    "UsageError": "analyzer.errors",
}


def __getattr__(name: str) -> Any:
    """Import a public name where it lives, when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'analyzer' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
