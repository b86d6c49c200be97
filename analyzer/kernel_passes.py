"""The passes of Numba that a kernel needs, three of them with less work.

Numba's own pipeline serves all of Python: closures, context managers, literal loops, objects with reference counts. Kernels have none of
these, and looking for them, and code for releasing what is never held, is a quarter of the first compilation.
"""

from __future__ import annotations

from typing import Any, ClassVar

from numba.core import lowering, types
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import (
    AnnotateTypes,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode


class _RememberingContext:
    """Numba's typing context, which answers a question about an operator that it has answered before from memory."""

    _signatures: ClassVar[dict[tuple[Any, tuple[Any, ...]], Any]] = {}

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, arguments: Any, keywords: Any) -> Any:
        """The signature of a function for these types of arguments; our own functions are always asked, asking compiles them."""
        if keywords or not isinstance(function, types.Function):
            return self._context.resolve_function_type(function, arguments, keywords)
        question = (function, tuple(arguments))
        if question not in self._signatures:
            answer = self._context.resolve_function_type(function, arguments, keywords)
            if answer is None:
                return None
            self._signatures[question] = answer
        return self._signatures[question]


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelTypeInference(NopythonTypeInference):  # type: ignore[misc]
    """Numba's type inference with a memory for operators."""

    _name = "kernel_type_inference"

    def run_pass(self, state: Any) -> Any:
        """Infer the types of one function."""
        context = state.typingctx
        state.typingctx = _RememberingContext(context)
        try:
            return super().run_pass(state)
        finally:
            state.typingctx = context


class _KernelLower(lowering.Lower):  # type: ignore[misc]
    """Lowering of variables that hold no references: nothing to release before a store or at the end of a life."""

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:  # noqa: ARG002 - Numba's debug information
        """Store into a variable."""
        self._alloca_var(name, self.typeof(name))
        if name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
        else:
            self.builder.store(value, self.getvar(name))

    def delvar(self, name: str) -> None:
        """The end of a variable's life."""

    def alloca_lltype(self, name: str, lltype: Any, datamodel: Any = None) -> Any:  # noqa: ARG002 - Numba's debug information
        """A place on the stack, not set: Python would not have read it before it was, either."""
        with self.builder.goto_entry_block():
            return self.builder.alloca(lltype, name=name)


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(NativeLowering):  # type: ignore[misc]
    """Numba's lowering without reference counts."""

    _name = "kernel_lowering"

    @property
    def lowering_class(self) -> type[lowering.Lower]:
        """What lowers one function."""
        return _KernelLower


PASSES = (
    TranslateByteCode,
    FixupArgs,
    IRProcessing,
    ReconstructSSA,
    KernelTypeInference,
    PreLowerStripPhis,
    IRLegalization,
    AnnotateTypes,
    KernelLowering,
    NoPythonBackend,
)


def kernel_pipeline() -> PassManager:
    """The passes of one function, in order."""
    manager = PassManager("kernel")
    for one in PASSES:
        manager.add_pass(one, one.__name__)
    manager.finalize()
    return manager
