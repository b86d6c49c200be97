"""Machine code of kernels on disk, and back without Numba: importing it takes longer than a small capture.

A kernel that was compiled is kept as the object file that LLVM made, one for each combination of kinds of arguments, which is one for
most kernels. Numba's wrapper in it takes Python's arguments apart as that combination says, so the kinds are compared before each call.

This module knows three private things of Numba: the names of its two extension modules that the wrapper calls into, and how a wrapper
becomes a function. Where they do not fit any more, kernels are compiled anew in each process; a test sees that.
"""

from __future__ import annotations

import builtins
import ctypes
import hashlib
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

import numpy as np

Kind = Any
"""What decides about the code of an argument: hashable, cheap to make."""

SUFFIX: Final = ".kernel"
_DIGEST_SIZE: Final = 24
_CONTIGUOUS, _ALIGNED, _WRITEABLE = 0x1, 0x100, 0x400  # of NumPy's array flags
_PLAIN: Final[dict[type, Kind]] = {int: "int", np.int64: "int", bool: "bool", np.bool_: "bool"}
_names: dict[int, tuple[str, ...]] = {}


def kind_of(argument: Any) -> Kind:
    """The kind of an argument: of arrays the type of a row, the dimensions, and whether it is contiguous, aligned and writeable."""
    if isinstance(argument, np.ndarray):
        dtype, flags = argument.dtype, argument.flags.num & (_CONTIGUOUS | _ALIGNED | _WRITEABLE)
        names = dtype.names
        if names is None:
            return dtype, argument.ndim, flags
        # Comparing types of records takes long. Views of one table share its tuple of names, which is kept, so that its id stays its own.
        return id(_names.setdefault(id(names), names)), dtype.itemsize, argument.ndim, flags
    return _PLAIN.get(type(argument)) or _other(argument)


def _other(argument: Any) -> Kind:
    return tuple(map(kind_of, argument)) if isinstance(argument, tuple) else type(argument).__name__


def describe(argument: Any) -> str:
    """The kind of an argument in words that are the same in every process."""
    if isinstance(argument, np.ndarray):
        dtype, flags = argument.dtype, argument.flags.num & (_CONTIGUOUS | _ALIGNED | _WRITEABLE)
        row = dtype.str if dtype.names is None else repr(sorted((name, str(at)) for name, at in (dtype.fields or {}).items()))
        return f"{row} {dtype.itemsize} {argument.ndim} {flags}"
    return f"({', '.join(map(describe, argument))})" if isinstance(argument, tuple) else str(kind_of(argument))


class Code(NamedTuple):
    """A compiled kernel: the object file, and the names in it of the function for Python and of the place for its environment."""

    machine_code: bytes
    wrapper: str
    environment: str


def place_of(folder: Path, name: str, arguments: Sequence[str]) -> Path:
    """Where the code of a kernel for arguments so described is kept; another processor has another place."""
    digest = hashlib.sha256("\0".join([_processor(), *arguments]).encode()).hexdigest()[:_DIGEST_SIZE]
    return folder / f"{name}-{digest}{SUFFIX}"


def save(path: Path, code: Code) -> None:
    """Keep a kernel; where that is not possible it is compiled again the next time."""
    content = f"{code.wrapper}\n{code.environment}\n".encode() + code.machine_code
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:  # whole or not at all
            file.write(hashlib.sha256(content).digest() + content)
        Path(file.name).replace(path)
    except OSError:
        return


def read(path: Path) -> Code | None:
    """A kernel that was kept; None when there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, content = content[:32], content[32:]
    if hashlib.sha256(content).digest() != digest:
        return None
    wrapper, environment, machine_code = content.split(b"\n", 2)
    return Code(machine_code, wrapper.decode(), environment.decode())


@cache
def _processor() -> str:
    import llvmlite.binding as ll  # noqa: PLC0415 - only where kernels are compiled code

    return f"{ll.get_host_cpu_name()} {ll.get_host_cpu_features().flatten()}"


def _load_extension(package: str, name: str) -> ModuleType:
    """An extension module of a package that is not imported itself."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(package, name + suffix)
        if path.exists():
            loader = ExtensionFileLoader(f"numba.{name}", str(path))
            spec = spec_from_file_location(loader.name, path, loader=loader)
            if spec is not None:
                module = module_from_spec(spec)
                loader.exec_module(module)
                return module
    raise ImportError(name)


class _Linker:
    """LLVM as a linker: no compiler is started."""

    def __init__(self) -> None:
        import llvmlite.binding as ll  # noqa: PLC0415 - as above

        found = find_spec("numba")
        if found is None or not found.submodule_search_locations:
            raise ImportError("numba")
        helpers, self._functions = (_load_extension(found.submodule_search_locations[0], name) for name in ("_helperlib", "_dynfunc"))
        self._ll = ll
        self._lock = threading.Lock()
        ll.add_symbol("_Py_NoneStruct", id(None))
        for module in (helpers, self._functions):
            for name, address in module.c_helpers.items():
                ll.add_symbol(f"numba_{name}", address)
        for name, one in vars(builtins).items():
            if isinstance(one, type) and issubclass(one, BaseException):
                ll.add_symbol(f"PyExc_{name}", id(one))
        ll.initialize_native_target()
        ll.initialize_native_asmprinter()
        machine = ll.Target.from_default_triple().create_target_machine(jit=True)
        self._engine = ll.create_mcjit_compiler(ll.parse_assembly(""), machine)

    def link(self, function: Callable[..., Any], code: Code) -> Callable[..., Any]:
        """The kernel ``function`` from its code."""
        with self._lock:
            self._engine.add_object_file(self._ll.ObjectFileRef.from_data(code.machine_code))
            self._engine.finalize_object()
            entry = self._engine.get_function_address(code.wrapper)
            place = self._engine.get_global_value_address(code.environment)
        if not entry or not place:
            raise ImportError(function.__name__)
        environment = self._functions.Environment(function.__globals__)
        ctypes.c_void_p.from_address(place).value = id(environment)
        module = sys.modules[function.__module__]
        made: Callable[..., Any] = self._functions.make_function(
            module, function.__name__, function.__doc__ or "", entry, environment, (self._engine, environment)
        )
        return made


@cache
def _linker() -> _Linker | None:
    try:
        return _Linker()
    except (ImportError, AttributeError, OSError, RuntimeError, TypeError):
        return None


def load(path: Path, function: Callable[..., Any]) -> Callable[..., Any] | None:
    """The kernel ``function`` from disk; None when it has to be compiled."""
    code = read(path)
    linker = _linker() if code is not None else None
    if code is None or linker is None:
        return None
    try:
        made = linker.link(function, code)
        os.utime(path)
    except (ImportError, RuntimeError, OSError):
        return None
    return made
