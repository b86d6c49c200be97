"""How Numba is told to compile kernels and their pieces, and how it loads them from disk.

A piece is typed and lowered, but optimised only inside the kernels that use it. By default Numba optimises and links every function
into machine code of its own, and again inside each caller, level by level. A helper is never called from Python, so that work would be
thrown away: it was half of the first compilation.

A kernel on disk needs nothing but its machine code. By default Numba prepares for compiling first, and keeps beside the machine code
its LLVM IR, to be linked into callers that a kernel never has: that was half a second of every start.

This module overrides internals of Numba; tests compare results with the plain functions.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import compiler, event, types
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.codegen import JITCodeLibrary, ll
from numba.core.types.misc import unliteral

from analyzer.kernel_passes import kernel_pipeline

_OPTIONS = {"nogil": True, "boundscheck": True, "_nrt": False, "no_rewrites": True}


class _Codegen:
    """Numba's code generator for a piece that has no address: there is no environment to put there."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, env_name: str, env: Any) -> None:
        """Nothing to set: the environment serves Python callers only."""


class PieceLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of one helper: kept as LLVM IR to be linked into kernels."""

    @property
    def codegen(self) -> Any:
        """The code generator, without addresses."""
        return _Codegen(self._codegen)

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002
        """No address: only compiled code calls a piece."""
        self._ensure_finalized()
        return 0

    def _optimize_final_module(self) -> None:
        """Left to the kernel that links it."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class KernelCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """Compiles one function by the passes that a kernel needs."""

    def define_pipelines(self) -> list[Any]:
        """Numba takes the first that succeeds: there is one."""
        return [kernel_pipeline()]


class PieceCompiler(KernelCompiler):
    """Compiles a helper, whose product is not made executable."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any, locals: Any) -> None:  # noqa: A002
        super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)
        if self.state.library is None:
            self.state.library = PieceLibrary(self.state.targetctx.codegen(), "piece")


class _KernelOnDisk(CompileResultCacheImpl):  # type: ignore[misc]
    """Keeps the machine code of a kernel alone: nothing links it into anything else."""

    def reduce(self, cres: Any) -> Any:
        """What is written to disk."""
        (name, kind, (machine_code, _bitcode)), *rest = cres._reduce()  # noqa: SLF001 - Numba keeps these to itself, here and below
        return ((name, kind, (machine_code, ll.parse_assembly("").as_bitcode())), *rest)

    def rebuild(self, target_context: Any, payload: Any) -> Any:
        """The kernel as it was; its description tells what the machine code defines, since the IR does not any more."""
        description = payload[1]
        engine = target_context.codegen()._engine  # noqa: SLF001
        engine._defined_symbols |= {description.llvm_func_name, description.llvm_cpython_wrapper_name}  # noqa: SLF001
        return super().rebuild(target_context, payload)


class KernelCache(FunctionCache):  # type: ignore[misc]
    """Numba's cache on disk without the preparations for compiling: the compiler makes them itself when it is needed."""

    _impl_class = _KernelOnDisk

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kernel for these argument types, None when it is not on disk."""
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)


def make_kernel(function: Callable[..., Any], folder: Path | None) -> Any:
    """Numba's function for a kernel, kept in ``folder``; None keeps it nowhere."""
    dispatcher = numba.njit(**_OPTIONS, pipeline_class=KernelCompiler)(function)
    if folder is not None:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder)  # read when the cache is made; other users of Numba keep theirs
        try:
            dispatcher._cache = KernelCache(function)  # noqa: SLF001
        finally:
            numba.config.CACHE_DIR = before
    return dispatcher


def make_piece(function: Callable[..., Any], *, is_called: bool) -> Any:
    """Numba's function for a helper; ``is_called``: from Python, too, as tests do.

    It is compiled once: integers of all widths and literals reach it as int64 (uint64 stays, it would not fit).
    """
    only_inside = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": PieceCompiler}
    called = {"pipeline_class": KernelCompiler}
    dispatcher = numba.njit(**_OPTIONS, **(called if is_called else only_inside))(function)
    plain = dispatcher.get_call_template

    def widened(kind: Any) -> Any:
        kind = unliteral(kind)
        return types.int64 if isinstance(kind, types.Integer) and kind is not types.uint64 else kind

    def get_call_template(args: Any, kws: Any) -> Any:
        return plain(tuple(map(widened, args)), {name: widened(kind) for name, kind in kws.items()})

    dispatcher.get_call_template = get_call_template
    return dispatcher


class Collector(event.Listener):  # type: ignore[misc]
    """Keeps the garbage collector out of compilation: there is little to collect, and looking for it takes a fifth of the time."""

    def __init__(self) -> None:
        self._depth = 0
        self._was_enabled = False

    def on_start(self, _event: Any) -> None:
        """A compilation begins, perhaps inside another."""
        if self._depth == 0:
            self._was_enabled = gc.isenabled()
            gc.disable()
        self._depth += 1

    def on_end(self, _event: Any) -> None:
        """A compilation ends."""
        self._depth -= 1
        if self._depth == 0 and self._was_enabled:
            gc.enable()


event.register("numba:compile", Collector())
