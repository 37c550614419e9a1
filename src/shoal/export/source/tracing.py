"""Networks and predictors are traced: run once with symbols in place of arrays, they write down their operations.

What layers compute is said once, by their `apply`; no exporter knows a layer. Whatever only moves numbers (reshape,
transpose, slices, windows, broadcasting) is done to an array of places by NumPy and costs the program nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from shoal.errors import ExportError
from shoal.export.source.operations import Correlation, Product, Rows, Sorting
from shoal.export.source.scanning import scan
from shoal.export.source.symbols import (
    Symbol,
    contiguous,
    elementwise,
    joined,
    new_symbol,
    program_of,
    reduced,
    symbol_of,
    written_down,
)
from shoal.networks.namespace import Namespace, numpy_namespace

BINARY = {
    "add": "add", "subtract": "sub", "multiply": "mul", "true_divide": "div", "divide": "div", "maximum": "max",
    "minimum": "min", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge", "equal": "eq",
    "not_equal": "ne", "logical_and": "and", "logical_or": "or",
}  # fmt: skip
UNARY = {
    "negative": "neg", "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "tanh": "tanh", "sqrt": "sqrt",
    "abs": "abs", "absolute": "abs", "sign": "sign", "cos": "cos", "isnan": "isnan", "logical_not": "not",
}  # fmt: skip
MOVES = ("reshape", "transpose", "swapaxes", "moveaxis", "flip", "repeat", "broadcast_to", "expand_dims", "squeeze")
TRUTHS = ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "logical_and", "logical_or")


def _reduction(name: str, function: Callable[..., Any]) -> Any:
    def reduce(_: Any, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        if isinstance(x, Symbol):
            return reduced(name, x, axis, keepdims=keepdims)
        return function(x, axis=axis, keepdims=keepdims)

    return reduce


class TracingModule:
    """The functions of NumPy that layers call, for symbols; numbers that are known already are left to NumPy."""

    __name__ = "tracing"

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, name)
        if not callable(function) or isinstance(function, type):
            return function

        def called(*values: Any, **options: Any) -> Any:
            if not any(isinstance(value, Symbol) for value in values):
                return function(*values, **options)
            if name in MOVES:
                return values[0].at(function(values[0].index, *values[1:], **options))
            if name in BINARY or name in UNARY:
                return elementwise(BINARY.get(name) or UNARY[name], *values)
            raise ExportError(f"no source code says the function {name!r} yet")

        return called

    def asarray(self, value: Any, dtype: Any = None) -> Any:
        """Return the symbol itself."""
        return value if isinstance(value, Symbol) else np.asarray(value, dtype)

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        """Choose between two numbers."""
        if any(isinstance(value, Symbol) for value in (condition, a, b)):
            return elementwise("where", condition, a, b)
        return np.where(condition, a, b)

    def concatenate(self, parts: Sequence[Any], axis: int = 0) -> Any:
        """Put arrays side by side."""
        known = not any(isinstance(part, Symbol) for part in parts)
        return np.concatenate(parts, axis) if known else joined(parts, axis)

    def stack(self, parts: Sequence[Any], axis: int = 0) -> Any:
        """Put arrays side by side along a new axis."""
        if not any(isinstance(part, Symbol) for part in parts):
            return np.stack(parts, axis)
        program = program_of(*parts)
        symbols = [symbol_of(program, part) for part in parts]
        return joined([symbol.at(np.expand_dims(symbol.index, axis)) for symbol in symbols], axis)

    def pad(self, x: Any, widths: Any, *, constant_values: float = 0, **options: Any) -> Any:
        """Put a rim around an array."""
        if isinstance(x, Symbol):
            return joined([x], fill=float(constant_values), room=[tuple(map(int, pair)) for pair in widths])
        return np.pad(x, widths, constant_values=constant_values, **options)

    def take(self, x: Any, places: Any, axis: int | None = None) -> Any:
        """Take known places of a symbol, or rows of a known table at places that are symbols."""
        if isinstance(x, Symbol):
            return x.at(np.take(x.index, places, axis))
        if not isinstance(places, Symbol):
            return np.take(x, places, axis)
        out = new_symbol(places.program, (*places.shape, *x.shape[1:]))
        width = math.prod(x.shape[1:])
        return written_down(Rows(out.view, (symbol_of(places.program, x).view, contiguous(places).view), width), out)

    def zeros_like(self, x: Any) -> np.ndarray:
        """Return zeros of the same shape."""
        return np.zeros(x.shape, np.float32)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply matrices, of which the second has two axes."""
        if not isinstance(a, Symbol) and not isinstance(b, Symbol):
            return np.matmul(a, b)
        program = program_of(a, b)
        a, b = (contiguous(symbol_of(program, each)) for each in (a, b))
        inner, columns = b.shape
        out = new_symbol(program, (*a.shape[:-1], columns))
        return written_down(Product(out.view, (a.view, b.view), math.prod(a.shape[:-1]), inner, columns), out)

    sum, max, min = _reduction("sum", np.sum), _reduction("max", np.max), _reduction("min", np.min)
    any = _reduction("max", np.any)

    def mean(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return the mean over axes."""
        if not isinstance(x, Symbol):
            return np.mean(x, axis=axis, keepdims=keepdims)
        total = self.sum(x, axis, keepdims=keepdims)
        return total * (total.index.size / x.index.size)

    def sort(self, x: Any, axis: int = -1) -> Any:
        """Put the numbers along the last axis in order."""
        if not isinstance(x, Symbol):
            return np.sort(x, axis)
        out = new_symbol(x.program, x.shape)
        return written_down(Sorting(out.view, (x.view,), x.shape[axis]), out)

    def cumsum(self, x: Any, axis: int = -1) -> Any:
        """Sum up along the last axis."""
        if not isinstance(x, Symbol):
            return np.cumsum(x, axis)
        return self.matmul(x, np.triu(np.ones((x.shape[axis], x.shape[axis]), np.float32)))


class TracingNamespace(Namespace):
    """What layers are traced with."""

    def correlate(self, x: Any, kernel: Any, strides: Sequence[int], dilation: Sequence[int]) -> Any:
        """Write down a cross-correlation as it is, without the patches of it."""
        rank = len(kernel.shape) - 2
        if not isinstance(x, Symbol) or not isinstance(kernel, np.ndarray) or rank > 3:
            return super().correlate(x, kernel, strides, dilation)

        def three(sizes: Sequence[int]) -> tuple[int, ...]:
            return (*[1] * (3 - rank), *map(int, sizes))

        x, (channels, filters) = contiguous(x), kernel.shape[-2:]
        space, size, steps, holes = (three(s) for s in (x.shape[1:-1], kernel.shape[:-2], strides, dilation))
        places = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(space, size, steps, holes, strict=True))
        out = new_symbol(x.program, (1, *places[3 - rank :], filters))
        views = x.view, symbol_of(x.program, kernel).view
        return written_down(Correlation(out.view, views, space, size, steps, holes, places, channels, filters), out)


def _erf(x: Any) -> Any:
    return elementwise("erf", x) if isinstance(x, Symbol) else numpy_namespace.erf(x)


tracing_namespace = TracingNamespace(TracingModule(), erf=_erf, scan=scan, stop_gradient=lambda x: x)
