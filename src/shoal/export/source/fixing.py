"""A program with its products of layers in fixed point: which units, and which functions by tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from shoal.errors import ExportError
from shoal.export.source.chains import Chain, Chains
from shoal.export.source.evaluating import chunks_of, outputs_of
from shoal.export.source.fixed_point import (
    BLOCK,
    INTERVALS,
    LEAST,
    MOST,
    MOST_SUMMED,
    Dequantise,
    Finish,
    FixedCorrelation,
    FixedProduct,
    FixedReduction,
    Quantise,
    Shifted,
    exponent_for,
    in_shorts,
    looked_up,
)
from shoal.export.source.operations import (
    Buffer,
    Copy,
    Correlation,
    Elementwise,
    Operation,
    Product,
    Program,
    Recurrence,
    Reduction,
    View,
)

FINER = 6
"""Table of a function may look at so many times a half of the numbers that it is asked for, if it is better so."""


def in_fixed_point(program: Program, rows: np.ndarray) -> tuple[Program, tuple[str, ...]]:
    """Return a program with the products of its layers in 16 bits, and in sentences what is left in floating point.

    Args:
        program: in floating point.
        rows: `(rows, inputs)`, by whose numbers the units are chosen.

    Raises:
        ExportError: it has recurrent layers, or no layers at all.
    """
    if any(isinstance(operation, Recurrence) for operation in program.operations):
        raise ExportError(
            "fixed point is for dense and convolutional networks, and this one has recurrent layers, whose states "
            "add up small errors. Export without --fixed"
        )
    largest: dict[int, float] = {}
    for values in chunks_of(program, rows):
        for key, array in values.items():
            found = float(np.abs(np.where(np.isfinite(array), array, 0.0)).max(initial=0.0))
            largest[key] = max(largest.get(key, 0.0), found)
    fixing = Fixing(program, largest)
    for operation in program.operations:
        fixing.add(operation)
    if not fixing.layers:
        raise ExportError("this model has no layer that fixed point could say. Export without --fixed")
    return replace(program, operations=fixing.operations, parallel=[]), tuple(fixing.notes())


class Fixing:
    """Adds operations one by one, in shorts where they can be.

    Args:
        program: in floating point.
        largest: number of each buffer that was seen, by its identity.
    """

    def __init__(self, program: Program, largest: dict[int, float]) -> None:
        self.largest, self.chains = largest, Chains(program.operations)
        self.operations: list[Operation] = []
        self.shorts: dict[int, tuple[Buffer, int]] = {}
        self.floats = {id(program.inputs)}
        self.done: set[int] = set()
        self.after: set[int] = set()
        self.layers = self.tables = self.returns = 0

    def notes(self) -> list[str]:
        """Return what is in fixed point and what is not."""
        tables = f", and {self.tables} functions by tables of {INTERVALS + 1} numbers" if self.tables else ""
        notes = [
            f"In 16 bits with sums of 32: weights and inputs of {self.layers} layers{tables}.",
            "In floating point: all else, such as what comes before the first and after the last layer of a network.",
        ]
        if self.returns:
            notes.append(f"{self.returns} inputs of layers go through floating point between two layers, too.")
        return notes

    def add(self, step: Operation) -> None:
        """Add an operation."""
        if id(step) in self.done:
            return
        chain = self.chains.of(step)
        if isinstance(step, (Product, Correlation)) and chain is not None:
            self._layer(step, chain)
        elif not self._moved(step, chain):
            self._floating(step)

    def _moved(self, step: Operation, chain: Chain | None) -> bool:
        """Add what only moves or pools shorts; return whether it was that."""
        if isinstance(step, Reduction) and id(step.inputs[0].buffer) in self.shorts:
            return self._reduced(step, chain)
        return isinstance(step, Copy) and self._copied(step)

    # What is read, as shorts or as floating numbers.

    def _short(self, buffer: Buffer) -> tuple[Buffer, int]:
        """Return a buffer as shorts, with the exponent."""
        if id(buffer) not in self.shorts:
            self._need_float(buffer)
            exponent = exponent_for(self.largest[id(buffer)])
            short = self._new_short(buffer, exponent)
            self.operations.append(Quantise(_all(short), (_all(buffer),), exponent))
            self.returns += id(buffer) in self.after
        return self.shorts[id(buffer)]

    def _new_short(self, buffer: Buffer, exponent: int) -> Buffer:
        short = Buffer(buffer.size, bits=16)
        self.shorts[id(buffer)] = short, exponent
        return short

    def _need_float(self, buffer: Buffer) -> None:
        if buffer.values is None and id(buffer) not in self.floats and id(buffer) in self.shorts:
            short, exponent = self.shorts[id(buffer)]
            self.operations.append(Dequantise(_all(buffer), (_all(short),), exponent))
            self.floats.add(id(buffer))
            self.after.add(id(buffer))

    def _floating(self, step: Operation) -> None:
        """Add an operation as it is."""
        for view in step.inputs:
            self._need_float(view.buffer)
        self.operations.append(step)
        self.floats.add(id(step.out.buffer))
        if any(id(view.buffer) in self.after for view in step.inputs):
            self.after.add(id(step.out.buffer))

    # What is computed in shorts.

    def _layer(self, step: Product | Correlation, chain: Chain) -> None:
        """Add a layer with its bias and, where the next layer reads it, its activation."""
        short, exponent = self._short(step.inputs[0].buffer)
        weights, bias = chain.weights, chain.bias
        finest, early = _units_of(weights, bias, exponent)
        unit = exponent + finest - early
        finish = replace(self._finish(chain, unit), early=early)
        constants = Buffer(weights.size, np.rint(weights * 2.0**finest).ravel(), bits=16)
        biases = Buffer(bias.size, np.rint(bias * 2.0**unit), bits=32)
        out = _all(self.shorts[id(chain.final)][0])
        inputs = _all(short), _all(constants), _all(biases)
        kind: Any = FixedProduct if isinstance(step, Product) else FixedCorrelation
        self.operations.append(kind(out, inputs, step, finish))
        self.layers += 1

    def _reduced(self, step: Reduction, chain: Chain | None) -> bool:
        """Add a sum, the largest or the smallest of shorts, if a layer reads it as shorts; return whether."""
        view = step.inputs[0]
        short, exponent = self.shorts[id(view.buffer)]
        if step.function == "sum":
            if chain is None or step.inner > MOST_SUMMED or not self.chains.wanted(chain.final):
                return False
            finish = self._finish(chain, exponent)
            out = self.shorts[id(chain.final)][0]
        else:
            if not self.chains.wanted(step.out.buffer):
                return False
            out, finish = self._new_short(step.out.buffer, exponent), Finish(0)
        index = View(short, view.index)
        self.operations.append(FixedReduction(_all(out), (index,), step.function, step.inner, finish))
        return True

    def _copied(self, step: Copy) -> bool:
        """Add a copy of shorts or constants, if a layer reads it as shorts; return whether."""
        out, source = step.out.buffer, step.inputs[0]
        group = self.chains.copies_to(out)
        known = all(each.buffer.values is not None or id(each.buffer) in self.shorts for each in group)
        if id(out) not in self.shorts:
            if not known or not self.chains.wanted(out) or all(each.buffer.values is not None for each in group):
                return False
            self._new_short(out, min(self.shorts[id(v.buffer)][1] for v in group if v.buffer.values is None))
        target, exponent = self.shorts[id(out)]
        if source.buffer.values is not None:
            values = in_shorts(source.buffer.values, exponent)
            given, shift = View(Buffer(len(values), values, bits=16), source.index), 0
        else:
            short, of_source = self.shorts[id(source.buffer)]
            given, shift = View(short, source.index), of_source - exponent
        self.operations.append(Shifted(View(target, step.out.index), (given,), shift))
        return True

    def _finish(self, chain: Chain, exponent: int) -> Finish:
        """Choose the unit of what comes of sums in a unit, and the table of an activation."""
        self.done |= set(map(id, chain.steps))
        before = self.largest[id(chain.before)]
        coarse = min(exponent, exponent_for(before))
        if not chain.activation:
            self._new_short(chain.final, coarse)
            return Finish(exponent - coarse)
        grid = np.linspace(-before, before, 4001) if before else np.zeros(1)
        wanted = _function_of(chain, grid)
        if np.array_equal(wanted, np.maximum(grid, 0.0).astype(np.float32)):
            self._new_short(chain.final, coarse)
            return Finish(exponent - coarse, function="relu")
        of_out = exponent_for(self.largest[id(chain.final)])
        self._new_short(chain.final, of_out)
        tables = {finer: _table(chain, finer, of_out) for finer in range(coarse, min(exponent, coarse + FINER) + 1)}
        off = {e: np.abs(looked_up(table, in_shorts(grid, e)) * 2.0**-of_out - wanted).max()
               for e, table in tables.items()}  # fmt: skip
        best = min(off, key=lambda e: off[e])
        self.tables += 1
        return Finish(exponent - best, function="table", table=tables[best])


def _units_of(weights: np.ndarray, bias: np.ndarray, exponent: int) -> tuple[int, int]:
    """Return the finest unit of weights in which no sum of 32 bits can overflow, whatever the inputs.

    Returns:
        The exponent of the weights, and by how many bits the sums of each block of products are shifted.
    """
    for finest in range(20, -32, -1):
        whole = np.abs(np.rint(weights * 2.0**finest))
        blocks = np.add.reduceat(whole, np.arange(0, len(whole), BLOCK), axis=0)
        if whole.max(initial=0.0) > MOST or blocks.max(initial=0.0) > -LEAST:
            continue
        sums = (blocks.sum(axis=0) * -LEAST + np.abs(bias) * 2.0 ** (exponent + finest)).max(initial=0.0)
        early = max(0, int(np.ceil(np.log2(max(sums, 1.0) / 2.0**30))))
        if early <= 16 and exponent + finest - early < 31:
            return finest, early
    raise ExportError("the weights of a layer are too large for fixed point. Export without --fixed")


def _function_of(chain: Chain, numbers: np.ndarray) -> np.ndarray:
    """Return the activation of a chain at numbers."""
    known = {id(chain.before): Buffer(1, name="x")}
    operations: list[Operation] = []
    for step in chain.activation:
        out = known.setdefault(id(step.out.buffer), Buffer(1))
        inputs = tuple(View(known.get(id(v.buffer), v.buffer), v.index[:1]) for v in step.inputs)
        operations.append(Elementwise(_all(out), inputs, step.function))
    program = Program(known[id(chain.before)], operations, {"y": _all(known[id(chain.final)])})
    return outputs_of(program, numbers[:, None])["y"][:, 0].astype(np.float32)


def _table(chain: Chain, exponent: int, of_out: int) -> Buffer:
    """Return the table of an activation, of shorts in one unit to shorts in another."""
    numbers = (LEAST + (MOST + 1 - LEAST) // INTERVALS * np.arange(INTERVALS + 1)) * 2.0**-exponent
    return Buffer(INTERVALS + 1, in_shorts(_function_of(chain, numbers), of_out), bits=16)


def _all(buffer: Buffer) -> View:
    return View(buffer, np.arange(buffer.size))
