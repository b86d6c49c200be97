"""How Numba is told to compile pieces of kernels: typed and lowered, but optimised only inside the kernels that use them.

By default Numba optimises and links every function into machine code of its own, and again inside each caller, level by level. A helper
is never called from Python, so that work would be thrown away: it was half of the first compilation. This module overrides two
internals of Numba; tests compare results with the plain functions.
"""

from __future__ import annotations

import gc
from typing import Any

from numba.core import compiler, event
from numba.core.codegen import JITCodeLibrary


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


class PieceCompiler(compiler.Compiler):  # type: ignore[misc]
    """Numba's own pipeline, its product not made executable."""

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any, locals: Any) -> None:  # noqa: A002
        super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)
        if self.state.library is None:
            self.state.library = PieceLibrary(self.state.targetctx.codegen(), "piece")


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
