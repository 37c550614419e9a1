"""Recurrent layers are traced once: what they do in a step is the body of a loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.export.source.operations import Buffer, Operation, Recurrence
from shoal.export.source.symbols import Symbol, contiguous, joined, new_symbol, program_of, symbol_of, written_down


def scan(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any) -> tuple[Any, Any]:
    """Write down one step of `f(carry, x) -> (carry, y)`, which a loop will do; return the last carry and all y.

    Args:
        f: one step; y is one array.
        init: the first carry, an array or a tuple of arrays.
        xs: what is taken apart along the first axis, an array or a tuple of arrays, or of None.
    """
    several, tuples = isinstance(xs, tuple), isinstance(init, tuple)
    parts, first = (xs if several else (xs,)), (init if tuples else (init,))
    program = program_of(*parts, *first)
    given = [None if part is None else _computed(symbol_of(program, part)) for part in parts]
    begin = [contiguous(symbol_of(program, value)) for value in first]
    now = [None if part is None else new_symbol(program, part.shape[1:]) for part in given]
    carry = [new_symbol(program, value.shape) for value in begin]
    outside, program.operations = program.operations, []
    new, y = f(tuple(carry) if tuples else carry[0], tuple(now) if several else now[0])
    carried = tuple(symbol.buffer for symbol in carry)
    after = [_fresh(symbol_of(program, value), carried) for value in (new if tuples else (new,))]
    body, program.operations = tuple(program.operations), outside
    turns = len(next(part for part in given if part is not None))
    moving = tuple(symbol.buffer for symbol in now if symbol is not None)
    others = [Symbol(program, buffer, np.arange(buffer.size)) for buffer in _read_outside(body, (*moving, *carried))]
    inputs = tuple(symbol.view for symbol in (*given, *begin, *others) if symbol is not None)
    size = turns * y.index.size
    out = new_symbol(program, (size + sum(buffer.size for buffer in carried),))
    step = Recurrence(out.view, inputs, turns, moving, carried, body, tuple(symbol.view for symbol in after), y.view)
    written_down(step, out)
    last, start = [], size
    for symbol in carry:
        stop = start + math.prod(symbol.shape)
        last.append(out.at(out.index[start:stop].reshape(symbol.shape)))
        start = stop
    return tuple(last) if tuples else last[0], out.at(out.index[:size].reshape(turns, *y.shape))


def _computed(symbol: Symbol) -> Symbol:
    """Return a symbol of which a part can be read in each turn."""
    return contiguous(symbol) if symbol.buffer.values is None else joined([symbol], 0)


def _fresh(symbol: Symbol, carried: tuple[Buffer, ...]) -> Symbol:
    """Return a symbol that can be carried on while the others still are read."""
    within = any(symbol.buffer is buffer for buffer in carried)
    return joined([symbol], 0) if within else symbol


def _read_outside(body: tuple[Operation, ...], known: tuple[Buffer, ...]) -> list[Buffer]:
    """Return what a body reads and neither computes nor is given, apart from constants."""
    inside = {id(operation.out.buffer) for operation in body} | {id(buffer) for buffer in known}
    read = {id(view.buffer): view.buffer for operation in body for view in operation.inputs}
    return [buffer for key, buffer in read.items() if key not in inside and buffer.values is None]
