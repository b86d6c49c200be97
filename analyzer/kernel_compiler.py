"""How Numba is told to compile kernels and their pieces.

A piece is typed and lowered, but optimised only inside the kernels that use it. By default Numba optimises and links every function
into machine code of its own, and again inside each caller, level by level. A helper is never called from Python, so that work would be
thrown away: it was half of the first compilation.

This module overrides internals of Numba; tests compare results with the plain functions.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numba
from numba.core import compiler, event, types
from numba.core.codegen import JITCodeLibrary
from numba.core.types.misc import unliteral

from analyzer.kernel_loader import Code
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


class KernelLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of one kernel: optimised once, when all of it is together."""

    def _optimize_functions(self, ll_module: Any) -> None:
        """Left to the whole; only the layout of data is said, which linking wants to agree."""
        ll_module.data_layout = self._codegen._data_layout  # noqa: SLF001 - as Numba does

    def finalize(self) -> None:
        """Link all pieces that are called, directly or by other pieces: callers first, what nobody asks for yet would be left out."""
        for library in self._linking_libraries:  # grows on the way
            self._linking_libraries += [one for one in library._linking_libraries if one not in self._linking_libraries]  # noqa: SLF001
        super().finalize()


class PieceLibrary(KernelLibrary):
    """The code of one helper, without that of those it calls: kept as LLVM IR to be linked into kernels."""

    @property
    def codegen(self) -> Any:
        """The code generator, without addresses."""
        return _Codegen(self._codegen)

    def get_pointer_to_function(self, name: str) -> int:  # noqa: ARG002
        """No address: only compiled code calls a piece."""
        self._ensure_finalized()
        return 0

    def finalize(self) -> None:
        """Nothing is linked or optimised: that is left to the kernels."""
        self._raise_if_finalized()
        for function in self._final_module.functions:
            if not function.is_declaration:
                function.linkage = "linkonce_odr"  # every kernel has its own
        self._finalize_dynamic_globals()
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        """The code as it is."""
        self._ensure_finalized()
        return self._final_module


class KernelCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """Compiles one function by the passes that a kernel needs."""

    library: type[KernelLibrary] = KernelLibrary

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any, locals: Any) -> None:  # noqa: A002
        super().__init__(typingctx, targetctx, library, args, return_type, flags, locals)
        if self.state.library is None:
            self.state.library = self.library(targetctx.codegen(), self.library.__name__)
            if not issubclass(self.library, PieceLibrary):
                self.state.library.enable_object_caching()  # its machine code is what ``code_of`` keeps

    def define_pipelines(self) -> list[Any]:
        """Numba takes the first that succeeds: there is one."""
        return [kernel_pipeline()]


class PieceCompiler(KernelCompiler):
    """Compiles a helper, whose product is not made executable."""

    library = PieceLibrary


def make_kernel(function: Callable[..., Any]) -> Any:
    """Numba's function for a kernel."""
    return numba.njit(**_OPTIONS, pipeline_class=KernelCompiler)(function)


def code_of(dispatcher: Any, signature: tuple[Any, ...]) -> Code:
    """What was compiled for arguments of these types."""
    compiled = dispatcher.overloads[signature]
    description = compiled.fndesc
    machine_code = compiled.library._get_compiled_object()  # noqa: SLF001 - Numba keeps it to itself
    return Code(machine_code, description.llvm_cpython_wrapper_name, description.env_name)


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
