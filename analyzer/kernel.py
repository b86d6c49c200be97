# mypy: allow-untyped-defs
"""The one way to write a kernel, and the loads every kernel reads bytes with.

A *kernel* is a plain function over arrays, called once per batch and compiled by Numba with bounds checks on; a *helper* is a
piece of a kernel in a function of its own. Both release the GIL and neither knows Python objects.

Compiled machine code is kept on disk, see kernel_cache for where and kernel_loader for how.

Two modes, fixed when this module is first imported, from the environment variable ``ANALYZER_KERNELS``: ``compiled`` (default) and
``python`` (the same functions run as plain Python over record arrays: for coverage, for debugging, and for small captures on a
machine whose cache is still cold). In both, all arithmetic is done on ``np.int64``: a field narrower than that is widened before
it takes part in a sum, and what is stored is in range of its field.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, update_wrapper
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np

from analyzer.kernel_cache import open_cache
from analyzer.kernel_loader import describe, kind_of, load, place_of, save

Kernel: TypeAlias = Callable[..., Any]

IS_COMPILED = os.environ.get("ANALYZER_KERNELS", "compiled") != "python"

# How a kernel that fills growing tables returns: the caller makes room as asked and calls again from the row it is told.
DONE = 0
GROW_ROWS = 1
GROW_TEXT = 2


HELPERS_ARE_CALLED = "ANALYZER_CALLS_HELPERS" in os.environ


class Lazy:
    """A function that Numba gets to know when it is first needed: what is not called costs neither compilation nor loading."""

    witness: ClassVar[Callable[..., Any] | None] = None  # called in place of all kernels and helpers, see warming

    def __init__(self, function: Kernel, make: Kernel) -> None:
        self.py_func = function
        self._make = make
        update_wrapper(self, function)

    @cached_property
    def _dispatcher(self) -> Any:
        return self._make(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        """What Numba takes this for where a kernel names it."""
        return self._dispatcher._numba_type_

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        if Lazy.witness is not None:
            return Lazy.witness(self, arguments)
        return self._dispatcher(*arguments)


class Entry(Lazy):
    """A kernel, called from Python: for each combination of kinds of arguments it comes from disk, or is compiled and kept there."""

    announce: ClassVar[Callable[[], None] | None] = None  # called before anything is compiled

    def __init__(self, function: Kernel) -> None:
        super().__init__(function, _make_kernel)
        self._ready: dict[tuple[Any, ...], Kernel] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""
        if Lazy.witness is not None:
            return Lazy.witness(self, arguments)
        kinds = tuple(map(kind_of, arguments))
        ready = self._ready.get(kinds)
        if ready is None:
            ready = self._ready[kinds] = self.prepare(list(map(describe, arguments)), map(_type_of, arguments))
        return ready(*arguments)

    def prepare(self, described: Sequence[str], types: Iterable[Any]) -> Kernel:
        """The function for arguments so described; ``types``: Numba's types of them, looked at only when it has to be compiled."""
        folder = open_cache(Path(self.py_func.__code__.co_filename))
        path = None if folder is None else place_of(folder, self.py_func.__name__, described)
        if path is not None and (loaded := load(path, self.py_func)) is not None:
            return loaded
        if Entry.announce is not None:
            Entry.announce()
        from analyzer.kernel_compiler import code_of

        signature = tuple(types)
        self._dispatcher.compile(signature)
        if path is not None:
            save(path, code_of(self._dispatcher, signature))
        compiled: Kernel = self._dispatcher
        return compiled


def _type_of(argument: Any) -> Any:
    import numba

    return numba.typeof(argument)


def _make_kernel(function: Kernel) -> Any:
    from analyzer.kernel_compiler import make_kernel

    return make_kernel(function)


def _make_piece(function: Kernel) -> Any:
    from analyzer.kernel_compiler import make_piece

    return make_piece(function, is_called=HELPERS_ARE_CALLED)


def kernel(function: Kernel) -> Kernel:
    """Compile an entry kernel: called from Python once per batch, its machine code kept on disk."""
    return Entry(function) if IS_COMPILED else function


def helper(function: Kernel) -> Kernel:
    """Compile a piece of a kernel: called from kernels only, and kept on disk inside them."""
    return Lazy(function, _make_piece) if IS_COMPILED else function


# ---- loads: (data, position, end) -> value, or -1 when it would reach past `end` (the end of the packet, record or message)


@helper
def u8(data, at, end):
    """One byte."""
    if at < 0 or at + 1 > end:
        return np.int64(-1)
    return np.int64(data[at])


@helper
def be16(data, at, end):
    """Two bytes, most significant first."""
    if at < 0 or at + 2 > end:
        return np.int64(-1)
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@helper
def be24(data, at, end):
    """Three bytes, most significant first."""
    if at < 0 or at + 3 > end:
        return np.int64(-1)
    return np.int64(data[at]) << 16 | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2])


@helper
def be32(data, at, end):
    """Four bytes, most significant first."""
    if at < 0 or at + 4 > end:
        return np.int64(-1)
    return np.int64(data[at]) << 24 | np.int64(data[at + 1]) << 16 | np.int64(data[at + 2]) << 8 | np.int64(data[at + 3])


@helper
def le16(data, at, end):
    """Two bytes, least significant first."""
    if at < 0 or at + 2 > end:
        return np.int64(-1)
    return np.int64(data[at + 1]) << 8 | np.int64(data[at])


@helper
def le32(data, at, end):
    """Four bytes, least significant first."""
    if at < 0 or at + 4 > end:
        return np.int64(-1)
    return np.int64(data[at + 3]) << 24 | np.int64(data[at + 2]) << 16 | np.int64(data[at + 1]) << 8 | np.int64(data[at])


@helper
def be64(data, at, end):
    """Eight bytes, most significant first, as uint64; the caller has checked that they fit (0 when they do not)."""
    if at < 0 or at + 8 > end:
        return np.uint64(0)
    high, low = be32(data, at, end), be32(data, at + 4, end)
    return np.uint64(high) << np.uint64(32) | np.uint64(low)


# ---- sequence numbers (RFC 9293 3.4): arithmetic modulo 2**32, written once


@helper
def seq_diff(a, b):
    """Distance a - b of two 32-bit sequence numbers, signed, in [-2**31, 2**31)."""
    return ((np.int64(a) - np.int64(b) + 0x80000000) & 0xFFFFFFFF) - 0x80000000


@helper
def mix64(a, b):
    """Mix two uint64 words into a hash of 62 bits as a non-negative int64; products of 31 and 32 bits never overflow."""
    low = np.int64((a ^ (b >> np.uint64(31))) & np.uint64(0x7FFFFFFF))
    high = np.int64((b ^ (a >> np.uint64(31)) ^ (a >> np.uint64(62))) & np.uint64(0x7FFFFFFF))
    x = low * 0x9E3779B1
    y = (high ^ (x >> 32)) * 0x85EBCA77
    x = ((x ^ (y >> 31)) & 0x7FFFFFFF) * 0xC2B2AE3D
    return ((x >> 16) ^ y) & 0x3FFFFFFFFFFFFFFF
