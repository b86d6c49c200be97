"""How captures are to be read: the options that every command takes which analyses one, declared once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast, get_args

import typer

from analyzer.errors import UsageError
from analyzer.options import Checksums, Limits, Options, Overlap
from analyzer.thresholds import DEFAULTS, Thresholds, read_thresholds

CaptureArgument = Annotated[str, typer.Argument(metavar="CAPTURE", help="A file.", show_default=False)]
ConnectionArgument = Annotated[str, typer.Argument(metavar="CONNECTION", help="Its number, its uid, or its host.", show_default=False)]
ChecksumsOption = Annotated[
    str, typer.Option("--checksums", metavar="ignore|verify", help="verify: leave out packets with a wrong checksum.")
]
OverlapOption = Annotated[
    str, typer.Option("--overlap", metavar="POLICY", help="Whose copy counts where segments overlap: first, last, linux, ...")
]
ZeekTimeoutsOption = Annotated[bool, typer.Option("--zeek-timeouts", help="End idle connections when Zeek would.")]
KeylogOption = Annotated[
    list[str] | None, typer.Option("--keylog", metavar="FILE", help="TLS keys (SSLKEYLOGFILE); may be repeated.", show_default=False)
]
SecretsOption = Annotated[bool, typer.Option("--include-secrets", help="Report credentials too.")]
TrustStoreOption = Annotated[
    list[str] | None,
    typer.Option("--trust-store", metavar="FILE", help="Authorities to trust, PEM; may be repeated.", show_default=False),
]
MemoryOption = Annotated[
    str,
    typer.Option("--limit-memory", metavar="SIZE", help="As 800M or 2G: over it the longest idle are ended.", show_default="a quarter"),
]
JobsOption = Annotated[int, typer.Option("--jobs", metavar="N", help="Threads: 1 to 3.")]
ThresholdsOption = Annotated[
    str,
    typer.Option("--thresholds", metavar="FILE", help="TOML: when something stands out (see: analyzer thresholds).", show_default=False),
]
WhereOption = Annotated[
    str, typer.Option("--where", metavar="EXPR", help="Only connections that fit, as tls_handshake_ms > 300.", show_default=False)
]
DisplayFilterOption = Annotated[
    str,
    typer.Option(
        "--display-filter", metavar="EXPR", help="Only connections with frames that Wireshark's filter matches.", show_default=False
    ),
]
ColumnsOption = Annotated[
    str, typer.Option("--columns", metavar="LIST", help="Columns to write, as connection,host,dns.name.", show_default="all")
]
RedactOption = Annotated[bool, typer.Option("--redact", help="Mask addresses and names, so that the report can be given away.")]
RedactKeyOption = Annotated[
    str, typer.Option("--redact-key", metavar="FILE", help="Mask by this key: the same in several reports.", show_default="random")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")]


@dataclass(frozen=True)
class Inputs:
    """The options as typed; connections have the same numbers in all commands that are given the same ones."""

    checksums: str = "ignore"
    overlap: str = "first"
    zeek_timeouts: bool = False
    keylogs: Sequence[str] = ()
    include_secrets: bool = False
    trust_stores: Sequence[str] = ()
    limit_memory: str = ""
    jobs: int = 1
    thresholds: str = ""

    def options(self) -> Options:
        """What they mean.

        Raises:
            UsageError: one of them makes no sense.
        """
        if self.checksums not in get_args(Checksums):
            raise UsageError(f"--checksums is ignore or verify, not {self.checksums}.")
        if self.overlap not in get_args(Overlap):
            raise UsageError(f"--overlap is one of {', '.join(get_args(Overlap))}, not {self.overlap}.")
        for keylog in self.keylogs:
            if not Path(keylog).exists():
                raise UsageError(f"--keylog: there is no file {keylog}.")
        if self.jobs < 1:
            raise UsageError(f"--jobs is a number of threads, 1 or more, not {self.jobs}.")
        return Options(
            checksums=cast("Checksums", self.checksums),
            overlap=cast("Overlap", self.overlap),
            zeek_timeouts=self.zeek_timeouts,
            keylog=tuple(map(Path, self.keylogs)),
            include_secrets=self.include_secrets,
            trust_store=tuple(map(Path, self.trust_stores)),
            jobs=self.jobs,
            thresholds=_thresholds(self.thresholds),
            limits=Limits(memory_bytes=parse_size(self.limit_memory)) if self.limit_memory else Limits(),
        )


def _thresholds(path: str) -> Thresholds:
    """The thresholds of a file; the defaults where none is given."""
    if not path:
        return DEFAULTS
    from analyzer.lifecycle.findings import SEVERITY_OF

    return read_thresholds(Path(path), SEVERITY_OF)


def parse_size(text: str, option: str = "--limit-memory") -> int:
    """Bytes of a size as people write it: 800M, 2G, 1.5GiB, 1000000 (powers of 1024). Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", text.strip().upper())
    if found is None:
        raise UsageError(f"{option} is a size as 800M or 2G, not {text}.")
    return int(float(found[1]) * 1024 ** " KMGT".index(found[2] or " "))
