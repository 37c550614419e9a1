"""Networks and predictors are traced: run once with symbols in place of arrays, they write down their operations.

What layers compute is said once, by their `apply`; no exporter knows a layer. Whatever only moves numbers (reshape,
transpose, slices, windows, broadcasting) is done to an array of places by NumPy and costs the program nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shoal.errors import ExportError
from shoal.export.source.operations import (
    Buffer,
    Copy,
    Correlation,
    Elementwise,
    Interpolation,
    Nearest,
    Operation,
    Product,
    Program,
    Reduction,
    Rows,
    Sorting,
    View,
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


def _operator(name: str, *, turned: bool = False) -> Any:
    def operate(self: Any, other: Any) -> Any:
        return elementwise(name, other, self) if turned else elementwise(name, self, other)

    return operate


class Symbol:
    """An array `(1, ...)` that the program will compute; it has a shape and no numbers."""

    __array_ufunc__ = None  # NumPy's arrays leave operators to the symbol
    dtype = np.dtype(np.float32)

    def __init__(self, program: Program, buffer: Buffer, index: np.ndarray) -> None:
        self.program, self.buffer, self.index = program, buffer, index

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return self.index.shape

    @property
    def ndim(self) -> int:
        """As of an array."""
        return self.index.ndim

    @property
    def view(self) -> View:
        """Its numbers in one line."""
        return View(self.buffer, self.index.ravel())

    def at(self, index: Any) -> Symbol:
        """Return the same numbers in other places."""
        return Symbol(self.program, self.buffer, np.asarray(index))

    __add__: Any = _operator("add")
    __sub__: Any = _operator("sub")
    __mul__: Any = _operator("mul")
    __truediv__: Any = _operator("div")
    __lt__: Any = _operator("lt")
    __le__: Any = _operator("le")
    __gt__: Any = _operator("gt")
    __ge__: Any = _operator("ge")
    __and__: Any = _operator("and")
    __or__: Any = _operator("or")
    __eq__: Any = _operator("eq")
    __ne__: Any = _operator("ne")
    __radd__: Any = _operator("add", turned=True)
    __rsub__: Any = _operator("sub", turned=True)
    __rmul__: Any = _operator("mul", turned=True)
    __rtruediv__: Any = _operator("div", turned=True)
    __rand__: Any = _operator("and", turned=True)
    __ror__: Any = _operator("or", turned=True)
    __hash__ = object.__hash__

    def astype(self, dtype: Any) -> Symbol:
        """Return the same; only what is read in double precision becomes single."""
        return elementwise("cast", self) if self.buffer.double and np.dtype(dtype) == np.float32 else self

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: Any) -> Symbol:
        return self.at(self.index[places])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __pow__(self, power: float) -> Symbol:
        if power != 2:
            raise ExportError(f"no source code says the power {power} yet")
        return self * self

    def __neg__(self) -> Symbol:
        return elementwise("neg", self)

    def __invert__(self) -> Symbol:
        return elementwise("not", self)


def _program(*values: Any) -> Program:
    return next(value.program for value in values if isinstance(value, Symbol))


def _symbol(program: Program, value: Any) -> Symbol:
    """Return a value as a symbol: constants of the program where it is an array."""
    if isinstance(value, Symbol):
        return value
    array = np.asarray(value, np.float64)
    return Symbol(program, program.constant(array), np.arange(array.size).reshape(array.shape))


def _new(program: Program, shape: tuple[int, ...], *, double: bool = False) -> Symbol:
    size = math.prod(shape)
    return Symbol(program, Buffer(size, double=double), np.arange(size).reshape(shape))


def _add(operation: Operation, out: Symbol) -> Symbol:
    out.program.operations.append(operation)
    return out


def elementwise(name: str, *values: Any) -> Symbol:
    """Return the symbol of a function of each number."""
    program = _program(*values)
    symbols = [_symbol(program, value) for value in values]
    indices = np.broadcast_arrays(*(symbol.index for symbol in symbols))
    double = name != "cast" and any(symbol.buffer.double for symbol in symbols)
    out = _new(program, indices[0].shape, double=double)
    views = tuple(View(symbol.buffer, index.ravel()) for symbol, index in zip(symbols, indices, strict=True))
    return _add(Elementwise(out.view, views, name), out)


def joined(parts: Sequence[Any], axis: int = -1, fill: float | None = None, room: Any = None) -> Symbol:
    """Return parts side by side; or one part in the middle of `room` places that are filled otherwise."""
    program = _program(*parts)
    symbols = [_symbol(program, part) for part in parts]
    if room is None:
        axis = axis % symbols[0].ndim
        shape = list(symbols[0].shape)
        shape[axis] = sum(symbol.shape[axis] for symbol in symbols)
        out, start, places = _new(program, tuple(shape)), 0, []
        for symbol in symbols:
            stop = start + symbol.shape[axis]
            places.append(np.take(out.index, range(start, stop), axis=axis))
            start = stop
    else:
        around = [(slice(a, a + n)) for (a, _), n in zip(room, symbols[0].shape, strict=True)]
        out = _new(program, tuple(n + a + b for (a, b), n in zip(room, symbols[0].shape, strict=True)))
        _add(Copy(out.view, (View(_symbol(program, fill).buffer, np.zeros(out.index.size, int)),)), out)
        places = [out.index[tuple(around)]]
    for symbol, place in zip(symbols, places, strict=True):
        if place.size:
            _add(Copy(View(out.buffer, place.ravel()), (symbol.view,)), out)
    return out


def contiguous(symbol: Symbol) -> Symbol:
    """Return a symbol whose buffer holds its numbers and no others in order, copied where that is not so."""
    return symbol if symbol.view.is_all else joined([symbol.at(symbol.index.reshape(symbol.shape or (1,)))], 0)


def reduced(function: str, x: Symbol, axis: Any = None, *, keepdims: bool = False) -> Symbol:
    """Return the sum, the largest or the smallest number over axes."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(a % x.ndim for a in np.atleast_1d(axis).tolist())
    kept = [a for a in range(x.ndim) if a not in axes]
    index = np.transpose(x.index, (*kept, *axes))
    shape = tuple(x.shape[a] for a in kept)
    inner = math.prod(x.shape[a] for a in axes)
    out = _new(x.program, shape)
    _add(Reduction(out.view, (View(x.buffer, index.ravel()),), function, inner), out)
    return out.at(np.expand_dims(out.index, axes)) if keepdims else out


def interpolated(x: Symbol, corners: np.ndarray, values: np.ndarray) -> Symbol:
    """Return what `numpy.interp` does."""
    out, tables = _new(x.program, x.shape), [_symbol(x.program, table).view for table in (corners, values)]
    return _add(Interpolation(out.view, (x.view, *tables)), out)


def nearest(x: Symbol, rows: np.ndarray, neighbours: int) -> Symbol:
    """Return the mean distance of one row to its nearest among some rows."""
    out, x = _new(x.program, (1,)), contiguous(x)
    return _add(Nearest(out.view, (x.view, _symbol(x.program, rows).view), neighbours), out)


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
        program = _program(*parts)
        symbols = [_symbol(program, part) for part in parts]
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
        out = _new(places.program, (*places.shape, *x.shape[1:]))
        width = math.prod(x.shape[1:])
        return _add(Rows(out.view, (_symbol(places.program, x).view, contiguous(places).view), width), out)

    def zeros_like(self, x: Any) -> np.ndarray:
        """Return zeros of the same shape."""
        return np.zeros(x.shape, np.float32)

    def matmul(self, a: Any, b: Any) -> Any:
        """Multiply matrices, of which the second has two axes."""
        if not isinstance(a, Symbol) and not isinstance(b, Symbol):
            return np.matmul(a, b)
        program = _program(a, b)
        a, b = (contiguous(_symbol(program, each)) for each in (a, b))
        inner, columns = b.shape
        out = _new(program, (*a.shape[:-1], columns))
        return _add(Product(out.view, (a.view, b.view), math.prod(a.shape[:-1]), inner, columns), out)

    def sum(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Sum over axes."""
        return reduced("sum", x, axis, keepdims=keepdims) if isinstance(x, Symbol) else np.sum(
            x, axis=axis, keepdims=keepdims)  # fmt: skip

    def max(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return the largest over axes."""
        return reduced("max", x, axis, keepdims=keepdims) if isinstance(x, Symbol) else np.max(
            x, axis=axis, keepdims=keepdims)  # fmt: skip

    def min(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return the smallest over axes."""
        return reduced("min", x, axis, keepdims=keepdims) if isinstance(x, Symbol) else np.min(
            x, axis=axis, keepdims=keepdims)  # fmt: skip

    def any(self, x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
        """Return whether any is true."""
        return reduced("max", x, axis, keepdims=keepdims) if isinstance(x, Symbol) else np.any(
            x, axis=axis, keepdims=keepdims)  # fmt: skip

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
        out = _new(x.program, x.shape)
        return _add(Sorting(out.view, (x.view,), x.shape[axis]), out)

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
        out = _new(x.program, (1, *places[3 - rank :], filters))
        views = x.view, _symbol(x.program, kernel).view
        return _add(Correlation(out.view, views, space, size, steps, holes, places, channels, filters), out)


def _erf(x: Any) -> Any:
    return elementwise("erf", x) if isinstance(x, Symbol) else numpy_namespace.erf(x)


def _scan(f: Any, init: Any, xs: Any) -> tuple[Any, Any]:
    """Write down each step."""
    carry, outputs = init, []
    first = xs[0] if isinstance(xs, tuple) else xs
    for i in range(len(first)):
        now = tuple(None if x is None else x[i] for x in xs) if isinstance(xs, tuple) else xs[i]
        carry, y = f(carry, now)
        outputs.append(y)
    return carry, tracing_namespace.stack(outputs)


tracing_namespace = TracingNamespace(TracingModule(), erf=_erf, scan=_scan, stop_gradient=lambda x: x)
