"""The Python API: plain functions and iterators, no event loop, any thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.lifecycle.findings import SEVERITY_OF
from analyzer.options import Checksums, Limits, Options, Overlap
from analyzer.pipeline import Pipeline
from analyzer.thresholds import DEFAULTS, Thresholds, read_thresholds

if TYPE_CHECKING:
    import pyarrow as pa

    from analyzer.capture.live.engine import EngineName
    from analyzer.report import Report

Captures = str | Path | Sequence[str | Path]
KeyLogs = str | Path | Sequence[str | Path]


def names_of(captures: Captures) -> list[str]:
    """One path or several as a list of texts."""
    return [str(captures)] if isinstance(captures, str | Path) else [str(path) for path in captures]


def stream(  # noqa: PLR0913 - options by name
    captures: Captures,
    *,
    checksums: Checksums = "ignore",
    overlap: Overlap = "first",
    zeek_timeouts: bool = False,
    keylog: KeyLogs = (),
    include_secrets: bool = False,
    jobs: int = 1,
    thresholds: Thresholds | str | Path = DEFAULTS,
    limits: Limits | None = None,
) -> Iterator[dict[str, pa.RecordBatch]]:
    """Analyse captures in bounded memory.

    Args:
        captures: a path, several paths, a folder, or ``"-"`` for standard input.
        checksums: ``"verify"`` leaves out what has a wrong checksum, as Zeek does; ``"ignore"`` uses it.
        overlap: whose copy of a byte counts where segments overlap and differ.
        keylog: TLS key logs in NSS format (SSLKEYLOGFILE), to read what is encrypted with these keys.
        include_secrets: report credentials that were decrypted.
        zeek_timeouts: end idle connections when Zeek would.
        jobs: threads; the report is the same for any number.
        thresholds: from which values on something is a finding; a path is that of a TOML file.
        limits: limits other than the defaults.

    Yields:
        Table name -> Arrow batch of the rows of connections that have ended since the last one; the last holds ``capture`` too.

    Raises:
        CaptureError: none of the captures can be read.
        UsageError: the file of thresholds makes no sense.
    """
    options = Options(
        checksums=checksums,
        overlap=overlap,
        zeek_timeouts=zeek_timeouts,
        keylog=tuple(map(Path, names_of(keylog))),
        include_secrets=include_secrets,
        jobs=jobs,
        thresholds=thresholds if isinstance(thresholds, Thresholds) else read_thresholds(Path(thresholds), SEVERITY_OF),
        limits=limits or Limits(),
    )
    for tables in Pipeline(options).run(names_of(captures)):
        yield {name: sheet.arrow() for name, sheet in tables.items()}


def analyze(  # noqa: PLR0913 - options by name
    captures: Captures,
    *,
    checksums: Checksums = "ignore",
    overlap: Overlap = "first",
    zeek_timeouts: bool = False,
    keylog: KeyLogs = (),
    include_secrets: bool = False,
    jobs: int = 1,
    thresholds: Thresholds | str | Path = DEFAULTS,
    limits: Limits | None = None,
) -> Report:
    """Analyse captures and keep the whole report; arguments and errors as in ``stream``."""
    from analyzer.report import Report

    batches = stream(
        captures,
        checksums=checksums,
        overlap=overlap,
        zeek_timeouts=zeek_timeouts,
        keylog=keylog,
        include_secrets=include_secrets,
        jobs=jobs,
        thresholds=thresholds,
        limits=limits,
    )
    return Report.collect(batches)


def live(  # noqa: PLR0913 - options by name
    interfaces: str | Sequence[str],
    *,
    bpf: str = "",
    duration: float | None = None,
    packets: int | None = None,
    write: str | Path | None = None,
    snaplen: int = 262_144,
    promiscuous: bool = False,
    engine: EngineName = "auto",
    user: str | None = None,
    zeek_timeouts: bool = False,
    keylog: KeyLogs = (),
    limits: Limits | None = None,
) -> Iterator[dict[str, pa.RecordBatch]]:
    """Capture and analyse until ``duration`` seconds or ``packets`` packets are over, or the generator is closed.

    Args:
        interfaces: a name, several, or "any".
        bpf: a filter in libpcap's language.
        duration: seconds, None = for ever.
        packets: how many, None = no end.
        write: a pcapng file that keeps the packets; it is replaced.
        snaplen: bytes kept of each packet.
        promiscuous: see frames for others, too.
        engine: "dumpcap", "ring" (AF_PACKET), or "auto": dumpcap where it may capture, else the ring.
        user: whose rights this process takes as soon as it can see packets; None = it keeps its own.
        zeek_timeouts: end idle connections when Zeek would.
        keylog: TLS key logs; they may grow meanwhile.
        limits: limits other than the defaults.

    Yields:
        As ``stream``, at least once a second while connections end.

    Raises:
        CaptureError: an interface or the right to capture is missing.
        UsageError: the filter is none.
        OutputError: the packets cannot be kept where that is wanted.
    """
    from analyzer.capture.live import LiveOptions, open_session

    names = (interfaces,) if isinstance(interfaces, str) else tuple(interfaces)
    path = Path(write) if write is not None else None
    wanted = LiveOptions(names, bpf, snaplen, promiscuous, engine, duration_s=duration, packets=packets, write=path, user=user)
    options = Options(zeek_timeouts=zeek_timeouts, keylog=tuple(map(Path, names_of(keylog))), limits=limits or Limits())
    pipeline = Pipeline(options)
    with open_session(wanted) as session, session.source(pipeline.memory, options.limits) as source:
        for tables in pipeline.read(source):
            if tables:
                yield {name: sheet.arrow() for name, sheet in tables.items()}
