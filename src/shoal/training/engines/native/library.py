"""The kernel's libraries, found beside this module where the installation could build them."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import SettingError
from shoal.training.engines.native.records import GRAPH, MEMBER, OPERATION, ROWS, STEP_MASK

KERNEL_VARIABLE = "SHOAL_KERNEL"  # names the instruction set to use, for tests and comparisons
INSTRUCTION_SETS = ("avx512", "avx2", "baseline")  # each has a library of its own
FUNCTIONS = (
    "exponential",
    "logarithm",
    "exponential_minus_one",
    "log_one_plus",
    "hyperbolic_tangent",
    "error_function",
    "cosine_of_turns",
    "logistic",
    "softplus",
)


@dataclass(frozen=True)
class Kernel:
    """The kernel for one instruction set: its name, how many members it trains side by side, and where it is."""

    name: str
    lanes: int
    handle: int

    def train(
        self, rows: np.ndarray, members: np.ndarray, starts: np.ndarray, turn: int, epochs: int, cores: int
    ) -> None:
        """Train lane blocks for some epochs; Python's other threads go on meanwhile.

        Args:
            rows: one record of type ROWS.
            members: addresses of records of type MEMBER, block by block.
            starts: where each block begins in `members`, and the end of the last, int32.
            turn: which of the orders of the rows comes first.
            epochs: how many.
            cores: threads that share the blocks.
        """
        blocks = len(starts) - 1
        arguments = (self.handle, rows.ctypes.data, members.ctypes.data, starts.ctypes.data)
        _library().shoal_train(*arguments, blocks, turn, epochs, cores)

    def predict(self, rows: np.ndarray, member: np.ndarray, outputs: np.ndarray, cores: int) -> None:
        """Fill in what a network makes of rows, before its last activation; the same bits on any number of cores.

        Args:
            rows: one record of type ROWS, without orders.
            member: one record of type MEMBER whose graph has channels in the lanes.
            outputs: `(rows, outputs)` float32.
            cores: threads that share the rows.
        """
        _library().shoal_predict(self.handle, rows.ctypes.data, member.ctypes.data, outputs.ctypes.data, cores)

    def function(self, name: str, x: np.ndarray) -> np.ndarray:
        """Return one of the kernel's own functions (`FUNCTIONS`) of float32 numbers."""
        x = np.ascontiguousarray(x, np.float32)
        value = np.empty_like(x)
        _library().shoal_function(self.handle, FUNCTIONS.index(name), x.ctypes.data, value.ctypes.data, x.size)
        return value

    def activation(self, code: int, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the value and the slope of the activation with this code, of float32 numbers."""
        x = np.ascontiguousarray(x, np.float32)
        value, slope = np.empty_like(x), np.empty_like(x)
        addresses = x.ctypes.data, value.ctypes.data, slope.ctypes.data
        _library().shoal_activation(self.handle, code, *addresses, x.size)
        return value, slope


class _Head(ctypes.Structure):
    """The first fields of a kernel."""

    _fields_ = (("name", ctypes.c_char_p), ("lanes", ctypes.c_int32))


def _loaded(name: str) -> Any:
    """Return a library beside this module by the end of its name, or None where it was not built."""
    for suffix in EXTENSION_SUFFIXES:
        path = Path(__file__).with_name(f"_kernel{name}{suffix}")
        if path.exists():
            try:
                return ctypes.CDLL(str(path))
            except OSError:
                return None
    return None


@lru_cache(maxsize=1)
def _library() -> Any:
    """Return the library, or None where there is none that fits."""
    library = _loaded("")
    if library is None or hasattr(library, "shoal_kernel"):
        return None  # one of an older build
    address, int32, int64 = ctypes.c_void_p, ctypes.c_int32, ctypes.c_int64
    library.shoal_record_size.argtypes, library.shoal_record_size.restype = [int32], int64
    library.shoal_train.argtypes = [*[address] * 4, *[int32] * 4]
    library.shoal_predict.argtypes = [*[address] * 4, int32]
    library.shoal_function.argtypes = [address, int32, address, address, int64]
    library.shoal_activation.argtypes = [address, int32, address, address, address, int64]
    for function in (library.shoal_train, library.shoal_predict, library.shoal_function, library.shoal_activation):
        function.restype = None
    sizes = [library.shoal_record_size(number) for number in range(5)]
    ours = [record.itemsize for record in (ROWS, MEMBER, OPERATION, GRAPH, STEP_MASK)]
    return library if sizes == ours else None  # one of an older build


@lru_cache(maxsize=1)
def kernels() -> tuple[Kernel, ...]:
    """Return the kernels that this processor can run, the fastest first; none where the libraries were not built."""
    compiled: list[Kernel] = []
    for name in INSTRUCTION_SETS if _library() else ():
        kernel = getattr(_loaded(f"_{name}"), f"shoal_{name}", None)
        if kernel is None:
            continue
        kernel.restype = ctypes.c_void_p
        if handle := kernel():
            head = _Head.from_address(handle)
            compiled.append(Kernel(head.name.decode(), head.lanes, handle))
    return tuple(compiled)


def best_kernel() -> Kernel | None:
    """Return the fastest kernel, or the one that the environment variable SHOAL_KERNEL names; None if there is none.

    Raises:
        SettingError: the variable names a kernel that this processor cannot run.
    """
    wanted, usable = os.environ.get(KERNEL_VARIABLE), kernels()
    if not wanted or not usable:
        return usable[0] if usable else None
    for kernel in usable:
        if kernel.name == wanted:
            return kernel
    names = ", ".join(kernel.name for kernel in usable)
    raise SettingError(f"{KERNEL_VARIABLE}: this processor runs {names}, not {wanted!r}")
