"""Operations on whole numbers of 16 bits, each array with a power of two as its unit, and what they compute.

A short `q` with the exponent `e` stands for `q / 2**e`. Products are summed up in 32 bits and shifted to shorts; what
is too large becomes the largest short. What is said here in NumPy, the C of `fixed_c` says to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from shoal.export.source.operations import Buffer, Correlation, Operation, Product, View

LEAST, MOST = -32768, 32767
INTERVALS = 256
"""Of a table of a function over all shorts."""
BLOCK = 16
"""So many products are summed up before the sum is shifted for the first time, where sums could overflow."""
MOST_SUMMED = 1 << 15
"""So many shorts add up in 32 bits."""


def exponent_for(largest: float) -> int:
    """Return the finest unit in which numbers up to `largest`, and a tenth more, are shorts.

    Example:
        >>> exponent_for(1.0), exponent_for(100.0)
        (14, 8)
    """
    return int(np.clip(math.floor(math.log2(MOST / max(1.1 * largest, 1e-6))), -16, 20))


def saturated(values: np.ndarray) -> np.ndarray:
    """Return whole numbers as shorts."""
    return np.clip(values, LEAST, MOST)


def shifted(values: np.ndarray, shift: int) -> np.ndarray:
    """Return whole numbers divided by a power of two, rounded to the nearest, as shorts."""
    return saturated(rounded(values, shift))


def rounded(sums: np.ndarray, shift: int) -> np.ndarray:
    """Return whole numbers divided by a power of two, rounded to the nearest.

    Example:
        >>> rounded(np.array([5, 6, -6]), 2).tolist()
        [1, 2, -1]
    """
    return (sums + (1 << (shift - 1))) >> shift if shift > 0 else sums


def in_shorts(values: np.ndarray, exponent: int) -> np.ndarray:
    """Return numbers in units of a power of two."""
    scaled = np.floor(np.asarray(values, np.float32) * np.float32(2.0**exponent) + np.float32(0.5))
    return np.where(scaled > MOST, MOST, np.where(scaled > LEAST, scaled, LEAST)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Finish:
    """How a sum of 32 bits becomes a short: shifted, then nothing more, `relu`, or what a table says in between.

    Attributes:
        shift: by which a sum is divided, as a power of two.
        early: by which the sums of each 16 products are divided before they are added up.
        function: `none`, `relu` or `table`.
        table: 257 shorts, at every 256th short.
    """

    shift: int
    early: int = 0
    function: str = "none"
    table: Buffer | None = None

    def __call__(self, sums: np.ndarray) -> np.ndarray:
        """Return shorts of sums."""
        shorts = shifted(sums, self.shift)
        if self.function == "relu":
            return np.maximum(shorts, 0)
        return shorts if self.table is None else looked_up(self.table, shorts)


def looked_up(table: Buffer, shorts: np.ndarray) -> np.ndarray:
    """Return what a table of a function says of shorts, in a straight line between its entries."""
    assert table.values is not None
    values = table.values.astype(np.int64)
    place, rest = (shorts - LEAST) >> 8, (shorts - LEAST) & 255
    return values[place] + (((values[place + 1] - values[place]) * rest + 128) >> 8)


@dataclass(frozen=True, eq=False)
class FixedOperation(Operation):
    """An operation of which inputs or output are shorts."""

    def computed(self, *values: np.ndarray) -> np.ndarray:
        """Return `(rows, size)` from inputs that are alike."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Quantise(FixedOperation):
    """Shorts of floating numbers."""

    exponent: int

    def computed(self, *values: np.ndarray) -> np.ndarray:
        """Return them, rounded."""
        return in_shorts(values[0], self.exponent)


@dataclass(frozen=True, eq=False)
class Dequantise(FixedOperation):
    """Floating numbers of shorts."""

    exponent: int

    def computed(self, *values: np.ndarray) -> np.ndarray:
        """Return them."""
        return values[0].astype(np.float32) * np.float32(2.0**-self.exponent)


@dataclass(frozen=True, eq=False)
class Shifted(FixedOperation):
    """Shorts copied to another unit, or constants."""

    shift: int

    def computed(self, *values: np.ndarray) -> np.ndarray:
        """Return them."""
        return shifted(values[0], self.shift)


@dataclass(frozen=True, eq=False)
class FixedProduct(FixedOperation):
    """A matrix product of shorts `inputs[0]` and constants, with the biases `inputs[2]` in the sums."""

    product: Product
    finish: Finish

    @property
    def count(self) -> int:
        """That of the product."""
        return self.product.count

    def computed(self, *values: np.ndarray) -> np.ndarray:
        """Return shorts; products of doubles are exact here."""
        step, rows = self.product, len(values[0])
        flat = values[0].reshape(-1, step.inner).astype(np.float64)
        weights = integers(self.inputs[1]).reshape(step.inner, step.columns).astype(np.float64)
        total = integers(self.inputs[2])
        for start in range(0, step.inner, BLOCK):
            part = slice(start, start + BLOCK)
            total = total + rounded((flat[:, part] @ weights[part]).astype(np.int64), self.finish.early)
        return self.finish(total.reshape(rows, -1))


@dataclass(frozen=True, eq=False)
class FixedCorrelation(FixedOperation):
    """A cross-correlation of shorts with constants, with the biases `inputs[2]` in the sums."""

    correlation: Correlation
    finish: Finish

    @property
    def count(self) -> int:
        """That of the cross-correlation."""
        return self.correlation.count

    def computed(self, *values: np.ndarray) -> np.ndarray:
        """Return shorts."""
        step, rows = self.correlation, len(values[0])
        x = values[0].reshape(rows, *step.space, step.channels).astype(np.float64)
        weights = integers(self.inputs[1]).reshape(-1, step.filters).astype(np.float64)
        total = np.zeros((rows, *step.places, step.filters), np.int64) + integers(self.inputs[2])
        for start in range(0, len(weights), BLOCK):
            sums = np.zeros(total.shape)
            for place, channels in self._parts(start, min(start + BLOCK, len(weights))):
                at = place * step.channels
                sums += x[self._seen(place)][..., channels] @ weights[at + channels.start : at + channels.stop]
            total += rounded(sums.astype(np.int64), self.finish.early)
        return self.finish(total.reshape(rows, -1))

    def _parts(self, start: int, stop: int) -> Iterator[tuple[int, slice]]:
        """Give places of the kernel, and which of its channels there, from one product to another."""
        channels = self.correlation.channels
        for place in range(start // channels, -(-stop // channels)):
            yield place, slice(max(start - place * channels, 0), min(stop - place * channels, channels))

    def _seen(self, place: int) -> tuple[slice, ...]:
        """Return what a place of the kernel sees of the space."""
        step = self.correlation
        begin = [e * d for e, d in zip(np.unravel_index(place, step.kernel), step.dilation, strict=True)]
        steps = zip(begin, step.places, step.strides, strict=True)
        return (slice(None), *(slice(int(b), int(b) + (n - 1) * s + 1, s) for b, n, s in steps))


@dataclass(frozen=True, eq=False)
class FixedReduction(FixedOperation):
    """The `sum`, finished, or the `max` or `min` of shorts over `inner` numbers."""

    function: str
    inner: int
    finish: Finish

    @property
    def count(self) -> int:
        """One for each number."""
        return self.inputs[0].size

    def computed(self, *values: np.ndarray) -> np.ndarray:
        """Return shorts."""
        reduced = getattr(np, self.function)(values[0].reshape(len(values[0]), -1, self.inner), axis=2)
        return self.finish(reduced)


def integers(view: View) -> np.ndarray:
    """Return whole numbers that are constant."""
    assert view.buffer.values is not None
    return view.buffer.values[view.index].astype(np.int64)
