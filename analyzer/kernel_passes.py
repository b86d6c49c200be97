"""The passes of Numba that a kernel needs, three of them with less work.

Numba's own pipeline serves all of Python: closures, context managers, literal loops, objects with reference counts. Kernels have none of
these, and looking for them, and code for releasing what is never held, is a quarter of the first compilation.
"""

from __future__ import annotations

import operator
from typing import Any, ClassVar, Final

from numba.core import ir, ir_utils, lowering, types
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import (
    AnnotateTypes,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.types.misc import unliteral
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode

# whatever a constant's value is, the type of the result is the same
BLIND_TO_VALUES: Final = frozenset(
    getattr(operator, name)
    for plain in ("add", "sub", "mul", "floordiv", "mod", "and_", "or_", "xor", "lshift", "rshift", "lt", "le", "gt", "ge", "eq", "ne")
    for name in (plain, f"i{plain.rstrip('_')}")
    if hasattr(operator, name)
)


def _list_variables(_instruction: Any, value: Any) -> list[Any]:
    """Variables in a part of an instruction, as ``ir.Inst`` finds them, without a call for each part that is none."""
    found: list[Any] = []
    waiting = [value]
    while waiting:
        part = waiting.pop()
        kind = type(part)
        if kind is ir.Var:
            found.append(part)
        elif kind in _OF_PARTS:
            waiting += reversed(part)
        elif kind is dict:
            waiting += reversed(part.values())
        elif isinstance(part, ir.Inst):
            found += part.list_vars()
    return found


_OF_PARTS: Final = (list, tuple)
ir.Inst._rec_list_vars = _list_variables  # noqa: SLF001 - asked for a million times


class _RememberingContext:
    """Numba's typing context, which answers a question about an operator that it has answered before from memory."""

    _signatures: ClassVar[dict[tuple[Any, tuple[Any, ...]], Any]] = {}

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, arguments: Any, keywords: Any) -> Any:
        """The signature of a function for these types of arguments; our own functions are always asked, asking compiles them."""
        if keywords or not isinstance(function, (types.Function, types.NumberClass)):
            return self._context.resolve_function_type(function, arguments, keywords)
        is_blind = isinstance(function, types.Function) and function.typing_key in BLIND_TO_VALUES
        question = (function, tuple(map(unliteral, arguments) if is_blind else arguments))
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
    """Lowering of variables that hold no references: nothing to release before a store or at the end of a life.

    How an operator is done for two types is looked up once.
    """

    _operators: ClassVar[dict[tuple[Any, tuple[Any, ...]], Any]] = {}

    def lower_binop(self, resty: Any, expr: Any, op: Any) -> Any:
        """The value of a binary operator; those of BLIND_TO_VALUES have no other code where an operand is constant."""
        if op not in BLIND_TO_VALUES:
            return super().lower_binop(resty, expr, op)
        signature = self.fndesc.calltypes[expr]
        question = (op, signature.args)
        if question not in self._operators:
            function = self.context.typing_context.resolve_value_type(op)
            told = function.get_call_type(self.context.typing_context, signature.args, {})
            self._operators[question] = self.context.get_function(function, told)
        operands = [
            self.context.cast(self.builder, self.loadvar(one.name), self.typeof(one.name), wanted)
            for one, wanted in zip((expr.lhs, expr.rhs), signature.args, strict=True)
        ]
        value = self._operators[question](self.builder, operands)
        return self.context.cast(self.builder, value, signature.return_type, resty)

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
class KernelStripPhis(PreLowerStripPhis):  # type: ignore[misc]
    """Numba's end of SSA without looking for lives of variables: none is released at its end."""

    _name = "kernel_strip_phis"

    def run_pass(self, state: Any) -> bool:
        """Replace what joins variables by assignments."""
        state.func_ir = self._strip_phi_nodes(state.func_ir)
        state.func_ir._definitions = ir_utils.build_definitions(state.func_ir.blocks)  # noqa: SLF001 - as Numba's own pass
        return True


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
    KernelStripPhis,
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
