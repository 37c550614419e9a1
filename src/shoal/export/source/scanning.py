"""Recurrent layers are traced once: what they do in a step is the body of a loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from shoal.export.source.operations import Buffer, Copy, Operation, Program, Scan, View
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
    step = Scan(out.view, inputs, turns, moving, carried, body, tuple(symbol.view for symbol in after), y.view)
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


def unroll(program: Program) -> None:
    """Write each turn of the scans of a program down, for formats that have no loops."""
    written = {id(step): _turns(step) for step in program.operations if isinstance(step, Scan)}

    def flat(operations: list[Operation]) -> list[Operation]:
        return [each for operation in operations for each in written.get(id(operation), [operation])]

    program.operations = flat(program.operations)
    program.parallel = [[flat(block) for block in blocks] for blocks in program.parallel]


def _turns(step: Scan) -> list[Operation]:
    given, others = step.inputs[: len(step.moving)], step.inputs[len(step.moving) :]
    carry = dict(zip(map(id, step.carried), others, strict=False))
    out, size, operations = step.out.buffer, step.said.size, list[Operation]()
    for turn in range(step.turns):
        known = {id(now): View(view.buffer, view.index[turn * now.size + np.arange(now.size)])
                 for view, now in zip(given, step.moving, strict=True)} | carry  # fmt: skip
        for operation in step.body:
            buffer = operation.out.buffer
            known.setdefault(id(buffer), View(replace(buffer), np.arange(buffer.size)))
            inputs = tuple(_known(view, known) for view in operation.inputs)
            operations.append(replace(operation, out=_known(operation.out, known), inputs=inputs))
        operations.append(Copy(View(out, turn * size + np.arange(size)), (_known(step.said, known),)))
        carry = {id(buffer): _known(view, known) for buffer, view in zip(step.carried, step.new, strict=True)}
    at = step.turns * size
    for view in carry.values():
        operations.append(Copy(View(out, at + np.arange(view.size)), (view,)))
        at += view.size
    return operations


def _known(view: View, known: dict[int, View]) -> View:
    """Return the same numbers of the buffer that stands for another in one turn."""
    there = known.get(id(view.buffer))
    return view if there is None else View(there.buffer, there.index[view.index])
