"""A predictor as a list of few plain operations on flat arrays, which C, Fortran and Python print each in its way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(eq=False)
class Buffer:
    """A flat array of the program.

    Attributes:
        size: how many numbers it has.
        values: of a constant; None where the program computes it.
        double: whether it is read, or kept for a moment, in double precision.
        name: of an input or output; None within.
        bits: of a whole number, 16 or 32; 0: it is a floating number.
    """

    size: int
    values: np.ndarray | None = None
    double: bool = False
    name: str | None = None
    bits: int = 0


@dataclass(frozen=True, eq=False)
class View:
    """Some numbers of a buffer in some order, `buffer[index[i]]`."""

    buffer: Buffer
    index: np.ndarray

    @property
    def size(self) -> int:
        """How many numbers are read."""
        return len(self.index)

    @property
    def is_all(self) -> bool:
        """Whether it is the buffer in its own order."""
        return self.size == self.buffer.size and bool((self.index == np.arange(self.size)).all())

    @property
    def constant(self) -> float | None:
        """The number that is read everywhere, if it is one constant."""
        if self.buffer.values is None:
            return None
        read = self.buffer.values[self.index]
        return float(read[0]) if len(read) and (read == read[0]).all() else None


@dataclass(frozen=True, eq=False)
class Operation:
    """`out` is computed from `inputs`."""

    out: View
    inputs: tuple[View, ...]

    @property
    def count(self) -> int:
        """About how many additions and multiplications or function calls it takes."""
        return self.out.size


@dataclass(frozen=True, eq=False)
class Elementwise(Operation):
    """`out[i] = function(inputs[0][i], ...)`; `sum` takes any number of inputs."""

    function: str


@dataclass(frozen=True, eq=False)
class Copy(Operation):
    """`out[i] = inputs[0][i]`, where `out` may be a part of a buffer."""


@dataclass(frozen=True, eq=False)
class Product(Operation):
    """The matrix product of `inputs[0]` `(rows, inner)` and `inputs[1]` `(inner, columns)`."""

    rows: int
    inner: int
    columns: int

    @property
    def count(self) -> int:
        """Each multiplication with its addition counts two."""
        return 2 * self.rows * self.inner * self.columns


@dataclass(frozen=True, eq=False)
class Correlation(Operation):
    """The cross-correlation of `inputs[0]` `(*space, channels)` with `inputs[1]` `(*kernel, channels, filters)`.

    `space`, `kernel`, `strides`, `dilation` and `places` have three entries each.
    """

    space: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    places: tuple[int, ...]
    channels: int
    filters: int

    @property
    def count(self) -> int:
        """Each multiplication with its addition counts two."""
        return 2 * math.prod(self.places) * math.prod(self.kernel) * self.channels * self.filters


@dataclass(frozen=True, eq=False)
class Reduction(Operation):
    """`out[i]` is the `sum`, `max` or `min` of `inputs[0]` `(out, inner)` over `inner` numbers."""

    function: str
    inner: int

    @property
    def count(self) -> int:
        """One for each number."""
        return self.inputs[0].size


@dataclass(frozen=True, eq=False)
class Sorting(Operation):
    """Each row of `inputs[0]` `(rows, inner)` in rising order."""

    inner: int

    @property
    def count(self) -> int:
        """By insertion, at most half the square."""
        return self.out.size * self.inner // 2


@dataclass(frozen=True, eq=False)
class Interpolation(Operation):
    """`inputs[0]` between the corners `inputs[1]`, where it is `inputs[2]`; as `numpy.interp`."""

    @property
    def count(self) -> int:
        """About the search by halves."""
        return self.out.size * (4 + 2 * max(1, self.inputs[1].size).bit_length())


@dataclass(frozen=True, eq=False)
class Rows(Operation):
    """The rows of the table `inputs[0]` `(rows, width)` whose numbers are `inputs[1]`."""

    width: int


@dataclass(frozen=True, eq=False)
class Nearest(Operation):
    """The mean distance from `inputs[0]` to its `neighbours` nearest rows of `inputs[1]` `(rows, len(inputs[0]))`."""

    neighbours: int

    @property
    def count(self) -> int:
        """Three for each coordinate."""
        return 3 * self.inputs[1].size


@dataclass(frozen=True, eq=False)
class FoldsEnd(Operation):
    """The upper end of an interval by CV+ of one target: see `Conformal.cross`.

    `inputs` are the means and the deviations of each fold, then all scores and masses, one fold after the other.
    """

    starts: tuple[int, ...]
    pooled: float
    share: float
    bisections: int

    @property
    def count(self) -> int:
        """Each bisection searches in each fold."""
        return self.bisections * 12 * (len(self.starts) - 1)


@dataclass(frozen=True, eq=False)
class Recurrence(Operation):
    """A body that is done `turns` times, each time with the next part of what moves and with what it carried on.

    `inputs` are the arrays that move, whole and one after the other in turns; then what is carried at first; then all
    else that the body reads. `out` is what the body says in each turn, then what is carried at the end.

    Attributes:
        turns: how often.
        moving: what the body reads of the arrays that move.
        carried: what it reads of the turn before.
        body: its operations.
        new: what it carries on.
        said: what is kept of each turn.
    """

    turns: int
    moving: tuple[Buffer, ...]
    carried: tuple[Buffer, ...]
    body: tuple[Operation, ...]
    new: tuple[View, ...]
    said: View

    @property
    def count(self) -> int:
        """That of all turns."""
        return self.turns * sum(operation.count for operation in self.body)


def all_of(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Give the operations, and those of the bodies of scans."""
    for operation in operations:
        yield operation
        if isinstance(operation, Recurrence):
            yield from all_of(operation.body)


@dataclass
class Program:
    """The operations in order, from the buffer `x` of inputs to the named outputs.

    `parallel` are lists of blocks of operations, of which none needs what another computes.
    """

    inputs: Buffer
    operations: list[Operation] = field(default_factory=list)
    outputs: dict[str, View] = field(default_factory=dict)
    constants: dict[Any, Buffer] = field(default_factory=dict)
    parallel: list[list[list[Operation]]] = field(default_factory=list)

    def each(self, items: Iterable[Item], function: Callable[[Item], Result]) -> list[Result]:
        """Return what a function makes of each item; the operations of all items may run side by side."""
        results, blocks = [], []
        for item in items:
            start = len(self.operations)
            results.append(function(item))
            blocks.append(self.operations[start:])
        self.parallel.append(blocks)
        return results

    def constant(self, values: np.ndarray) -> Buffer:
        """Return the buffer of constants, one for equal arrays."""
        values = np.ascontiguousarray(values, np.float64).ravel()
        key = (len(values), values.tobytes())
        if key not in self.constants:
            self.constants[key] = Buffer(len(values), values)
        return self.constants[key]

    def mark_double(self) -> None:
        """Let the constants that meet numbers in double precision be double, too."""
        for operation in all_of(self.operations):
            if isinstance(operation, Elementwise) and any(view.buffer.double for view in operation.inputs):
                for view in operation.inputs:
                    view.buffer.double = view.buffer.double or view.buffer.values is not None

    def finish(self) -> None:
        """Give each output a buffer of its own, and leave out what no output needs."""
        for name, view in self.outputs.items():
            out = Buffer(view.size, name=name)
            self.operations.append(Copy(View(out, np.arange(view.size)), (view,)))
            self.outputs[name] = self.operations[-1].out
        needed = {id(view.buffer) for view in self.outputs.values()}
        kept = []
        for operation in reversed(self.operations):
            if id(operation.out.buffer) in needed:
                kept.append(operation)
                needed |= {id(view.buffer) for view in operation.inputs}
        self.operations = kept[::-1]
        left = set(map(id, kept))
        self.parallel = [
            [[operation for operation in block if id(operation) in left] for block in blocks]
            for blocks in self.parallel
        ]

    @property
    def count(self) -> int:
        """About how many additions and multiplications or function calls one row takes."""
        return sum(operation.count for operation in self.operations)


def steps_of(index: np.ndarray) -> tuple[int, tuple[tuple[int, int], ...]] | None:
    """Return offset and `(count, step)` of nested loops, the outermost first, that run through an index.

    None where no loops do.

    Example:
        >>> steps_of(np.array([5, 5, 7, 7]))
        (5, ((2, 2), (2, 0)))
    """
    offset, index = int(index[0]), index - index[0]
    loops: list[tuple[int, int]] = []
    while len(index) > 1:
        step, size = int(index[1]), len(index)
        straight = index == step * np.arange(size)
        run = size if straight.all() else int(np.argmin(straight))
        for count in (d for d in range(run, 1, -1) if size % d == 0):
            heads = index[::count]
            if (index.reshape(-1, count) == heads[:, None] + step * np.arange(count)).all():
                break
        else:
            return None
        loops.append((count, step))
        index = heads
    return offset, tuple(loops[::-1])
