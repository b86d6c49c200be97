"""``--objects``: bodies of HTTP as files, beside the report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.cli.inputs import parse_size
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.cli.environment import Environment
    from analyzer.export.files import Layout
    from analyzer.export.objects import ObjectStore
    from analyzer.options import Limits


@dataclass(frozen=True)
class ObjectFiles:
    """The options as typed."""

    folder: str = ""
    largest: str = ""
    most: str = ""

    def check(self, *, redacts: bool) -> None:
        """Raises UsageError when they make no sense."""
        if not self.folder and (self.largest or self.most):
            raise UsageError("--object-size and --objects-size are limits of --objects DIR.")
        if self.folder and redacts:
            raise UsageError("--objects writes what was sent as it is: it does not go with --redact.")
        self.limits()

    def limits(self) -> dict[str, int]:
        """The limits that were given, by their names in Limits. Raises UsageError."""
        told = {"object_bytes": ("--object-size", self.largest), "objects_bytes": ("--objects-size", self.most)}
        return {name: parse_size(size, option) for name, (option, size) in told.items() if size}

    def open(self, limits: Limits, *, force: bool) -> ObjectStore | None:
        """What takes the bodies; None when nobody asked. Raises OutputError."""
        if not self.folder:
            return None
        from analyzer.export.objects import ObjectStore

        return ObjectStore(Path(self.folder), replace(limits, **self.limits()), force=force)


def with_objects(layout: Layout) -> Layout:
    """The layout with the table of bodies."""
    from analyzer.report.build import OBJECTS, dictionary

    return {**layout, OBJECTS: dictionary()[OBJECTS]}


def tell_objects(store: ObjectStore, environment: Environment, *, are_sealed: bool) -> None:
    """Say what was left out: nothing is dropped in silence."""
    if store.refused or store.shortened:
        environment.warn(
            f"analyzer: --objects: {store.shortened:,} bodies were cut and {store.refused:,} not written for their limits"
            " (--object-size, --objects-size)."
        )
    if are_sealed:
        environment.warn("analyzer: --objects: bodies that were decrypted are not written; with --include-secrets they are.")
