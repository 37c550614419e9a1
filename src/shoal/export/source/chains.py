"""What follows a product in a program until another layer reads it: bias, scales of channels, activation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shoal.export.source.operations import Buffer, Copy, Correlation, Elementwise, Operation, Product, Reduction, View

AFFINE = ("add", "sub", "mul", "div")


@dataclass(frozen=True)
class Chain:
    """A product or sum with what becomes of it.

    Attributes:
        weights: with the scales of the channels.
        bias: of each column.
        before: what the activation reads.
        final: what comes of it.
        steps: all operations but the product.
        activation: those of the activation; none where another layer does not read what comes of it.
    """

    weights: np.ndarray
    bias: np.ndarray
    before: Buffer
    final: Buffer
    steps: tuple[Elementwise, ...]
    activation: tuple[Elementwise, ...]


class Chains:
    """The chains of a program."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.order = {id(operation): place for place, operation in enumerate(operations)}
        self.readers: dict[int, list[Operation]] = {}
        self.copies: dict[int, list[View]] = {}
        self._wanted: dict[int, bool] = {}
        for operation in operations:
            for key in {id(view.buffer) for view in operation.inputs}:
                self.readers.setdefault(key, []).append(operation)
            if isinstance(operation, Copy):
                self.copies.setdefault(id(operation.out.buffer), []).append(operation.inputs[0])

    def copies_to(self, buffer: Buffer) -> list[View]:
        """Return all that is copied to a buffer."""
        return self.copies[id(buffer)]

    def of(self, step: Operation) -> Chain | None:
        """Return the chain of a layer or of a sum; None of anything else."""
        if isinstance(step, (Product, Correlation)):
            kernel = step.inputs[1]
            if kernel.buffer.values is None:
                return None
            columns = step.columns if isinstance(step, Product) else step.filters
            weights = kernel.buffer.values[kernel.index].reshape(-1, columns)
            return self._after(*self._affine(step.out.buffer, weights))
        if isinstance(step, Reduction) and step.function == "sum":
            return self._after(np.ones((1, 1)), np.zeros(1), step.out.buffer, ())
        return None

    def wanted(self, buffer: Buffer) -> bool:
        """Return whether a layer reads a buffer, or what is only moved or pooled of it."""
        if id(buffer) not in self._wanted:
            self._wanted[id(buffer)] = any(self._wants(reader, buffer) for reader in self.readers.get(id(buffer), ()))
        return self._wanted[id(buffer)]

    def _wants(self, reader: Operation, buffer: Buffer) -> bool:
        if isinstance(reader, (Product, Correlation)):
            return reader.inputs[0].buffer is buffer and reader.inputs[1].buffer.values is not None
        if isinstance(reader, Reduction) and reader.function == "sum":
            chain = self.of(reader)
            return chain is not None and self.wanted(chain.final)
        moves = isinstance(reader, (Copy, Reduction)) and reader.out.buffer.name is None
        return moves and self.wanted(reader.out.buffer)

    def _affine(
        self, out: Buffer, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, Buffer, tuple[Elementwise, ...]]:
        """Return weights and bias with what is added to and multiplied with each column, and the steps that did so."""
        columns = weights.shape[1]
        scale, bias, steps = np.ones(columns), np.zeros(columns), []
        while len(self.readers.get(id(out), ())) == 1:
            step = self.readers[id(out)][0]
            if not isinstance(step, Elementwise) or step.function not in AFFINE or step.out.buffer.double:
                break
            place = 0 if step.inputs[0].buffer is out else 1
            other = step.inputs[1 - place]
            if not step.inputs[place].is_all or other.buffer.values is None or (step.function, place) == ("div", 1):
                break
            values = other.buffer.values[other.index].reshape(-1, columns)
            if not (values == values[0]).all():
                break
            by, given = values[0], place == 1
            if step.function in ("mul", "div"):
                by = by if step.function == "mul" else 1.0 / by
                scale, bias = scale * by, bias * by
            else:
                sign = -1.0 if step.function == "sub" else 1.0
                turned = sign if given else 1.0
                scale, bias = turned * scale, turned * bias + (by if given else sign * by)
            steps.append(step)
            out = step.out.buffer
        return weights * scale, bias, out, tuple(steps)

    def _after(self, weights: np.ndarray, bias: np.ndarray, before: Buffer, steps: tuple[Elementwise, ...]) -> Chain:
        """Return the chain with the longest activation of which a layer reads nothing but the end."""
        found = self._of_one_number(before)
        for length in range(len(found), 0, -1):
            inside, final = found[:length], found[length - 1].out.buffer
            known = {id(operation) for operation in inside}
            kept = [before, *(operation.out.buffer for operation in inside[:-1])]
            within = all(id(reader) in known for buffer in kept for reader in self.readers.get(id(buffer), ()))
            if within and self.wanted(final):
                return Chain(weights, bias, before, final, (*steps, *inside), tuple(inside))
        return Chain(weights, bias, before, before, steps, ())

    def _of_one_number(self, before: Buffer) -> list[Elementwise]:
        """Return the operations, in their order, that compute functions of each number of a buffer alone."""
        derived, waiting, found = {id(before)}, [before], dict[int, Elementwise]()
        while waiting:
            for reader in self.readers.get(id(waiting.pop()), ()):
                if id(reader) in found or not isinstance(reader, Elementwise) or reader.out.size != before.size:
                    continue
                if all((id(v.buffer) in derived and v.is_all) or v.constant is not None for v in reader.inputs):
                    found[id(reader)] = reader
                    derived.add(id(reader.out.buffer))
                    waiting += [before, *(each.out.buffer for each in found.values())]
        return sorted(found.values(), key=lambda operation: self.order[id(operation)])
