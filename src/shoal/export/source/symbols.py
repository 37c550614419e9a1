"""Arrays that a program will compute: what is done to them is written down, and nothing is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from shoal.errors import ExportError
from shoal.export.source.operations import (
    Buffer,
    Copy,
    Elementwise,
    Interpolation,
    Nearest,
    Operation,
    Program,
    Reduction,
    View,
)


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


def program_of(*values: Any) -> Program:
    """Return the program to which values belong."""
    return next(value.program for value in values if isinstance(value, Symbol))


def symbol_of(program: Program, value: Any) -> Symbol:
    """Return a value as a symbol: constants of the program where it is an array."""
    if isinstance(value, Symbol):
        return value
    array = np.asarray(value, np.float64)
    return Symbol(program, program.constant(array), np.arange(array.size).reshape(array.shape))


def new_symbol(program: Program, shape: tuple[int, ...], *, double: bool = False) -> Symbol:
    """Return the symbol of a new buffer."""
    size = math.prod(shape)
    return Symbol(program, Buffer(size, double=double), np.arange(size).reshape(shape))


def written_down(operation: Operation, out: Symbol) -> Symbol:
    """Add an operation to the program, and return the symbol of what it computes."""
    out.program.operations.append(operation)
    return out


def elementwise(name: str, *values: Any) -> Symbol:
    """Return the symbol of a function of each number."""
    program = program_of(*values)
    symbols = [symbol_of(program, value) for value in values]
    indices = np.broadcast_arrays(*(symbol.index for symbol in symbols))
    double = name != "cast" and any(symbol.buffer.double for symbol in symbols)
    out = new_symbol(program, indices[0].shape, double=double)
    views = tuple(View(symbol.buffer, index.ravel()) for symbol, index in zip(symbols, indices, strict=True))
    return written_down(Elementwise(out.view, views, name), out)


def joined(parts: Sequence[Any], axis: int = -1, fill: float | None = None, room: Any = None) -> Symbol:
    """Return parts side by side; or one part in the middle of `room` places that are filled otherwise."""
    program = program_of(*parts)
    symbols = [symbol_of(program, part) for part in parts]
    if room is None:
        axis = axis % symbols[0].ndim
        shape = list(symbols[0].shape)
        shape[axis] = sum(symbol.shape[axis] for symbol in symbols)
        out, start, places = new_symbol(program, tuple(shape)), 0, []
        for symbol in symbols:
            stop = start + symbol.shape[axis]
            places.append(np.take(out.index, range(start, stop), axis=axis))
            start = stop
    else:
        around = [(slice(a, a + n)) for (a, _), n in zip(room, symbols[0].shape, strict=True)]
        out = new_symbol(program, tuple(n + a + b for (a, b), n in zip(room, symbols[0].shape, strict=True)))
        written_down(Copy(out.view, (View(symbol_of(program, fill).buffer, np.zeros(out.index.size, int)),)), out)
        places = [out.index[tuple(around)]]
    for symbol, place in zip(symbols, places, strict=True):
        if place.size:
            written_down(Copy(View(out.buffer, place.ravel()), (symbol.view,)), out)
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
    out = new_symbol(x.program, shape)
    written_down(Reduction(out.view, (View(x.buffer, index.ravel()),), function, inner), out)
    return out.at(np.expand_dims(out.index, axes)) if keepdims else out


def interpolated(x: Symbol, corners: np.ndarray, values: np.ndarray) -> Symbol:
    """Return what `numpy.interp` does."""
    out, tables = new_symbol(x.program, x.shape), [symbol_of(x.program, table).view for table in (corners, values)]
    return written_down(Interpolation(out.view, (x.view, *tables)), out)


def nearest(x: Symbol, rows: np.ndarray, neighbours: int) -> Symbol:
    """Return the mean distance of one row to its nearest among some rows."""
    out, x = new_symbol(x.program, (1,)), contiguous(x)
    return written_down(Nearest(out.view, (x.view, symbol_of(x.program, rows).view), neighbours), out)
