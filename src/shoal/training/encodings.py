"""Encodings of the numbers of a table, among which members choose what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from shoal.networks import Layer, PiecewiseEncoding, QuantileEncoding

PLAIN = "plain"
BINS = 12  # of each number; Gorishniy et al. find little between 8 and 64
QUANTILES = 32  # between which normal scores are drawn as lines

NumberColumn = tuple[int, int | None]
"""The place of a number among the features, and of the feature that is 1 where it is missing, if there is one."""


@dataclass(frozen=True, eq=False)
class Encodings:
    """The encodings of a table's numbers, fitted on its training rows when one is first asked for.

    Args:
        x: features of the training rows, `(rows, features)`.
        columns: which of them are numbers; none: there is nothing to encode.

    Example:
        >>> rows = np.linspace(0.0, 1.0, 25, dtype=np.float32)[:, None]
        >>> Encodings(rows, ((0, None),)).layers("piecewise")[0].output_shape((1,))
        (13,)
    """

    x: Any
    columns: tuple[NumberColumn, ...]

    def layers(self, name: str) -> tuple[Layer, ...]:
        """Return the layer of an encoding with which networks begin, or none for plain features."""
        if name == PLAIN or not self.columns:
            return ()
        return (self._piecewise if name == "piecewise" else self._quantile,)

    @cached_property
    def _piecewise(self) -> Layer:
        levels = np.linspace(0.0, 1.0, BINS + 1)  # at numbers that rows have, so that few different ones get few bins
        edges = [np.unique(np.quantile(values, levels, method="inverted_cdf")) for values in self._numbers]
        # two edges are one bin, which is the plain feature once more
        return PiecewiseEncoding(self._of_features([_short(each) if len(each) > 2 else () for each in edges]))

    @cached_property
    def _quantile(self) -> Layer:
        levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
        scores = np.asarray([NormalDist().inv_cdf(float(level)) for level in levels])
        knots, values = [], []
        for numbers in self._numbers:
            unique, which, counts = np.unique(
                _short(np.quantile(numbers, levels, method="hazen")), return_inverse=True, return_counts=True
            )
            several = len(unique) > 1
            knots.append(unique.tolist() if several else ())
            values.append(_short(np.bincount(which, scores) / counts) if several else ())  # of equal ones the mean
        return QuantileEncoding(self._of_features(knots), self._of_features(values))

    @property
    def _numbers(self) -> list[np.ndarray]:
        """The values of each number in the rows that have it."""
        return [self.x[:, at] if gap is None else self.x[self.x[:, gap] == 0, at] for at, gap in self.columns]

    def _of_features(self, of_numbers: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
        each: list[tuple[float, ...]] = [()] * self.x.shape[1]
        for (at, _), knots in zip(self.columns, of_numbers, strict=True):
            each[at] = tuple(knots)
        return tuple(each)


def _short(numbers: np.ndarray) -> list[float]:
    """Return numbers in as many digits as float32 has, so that model files stay small."""
    return [float(f"{number:.7g}") for number in numbers.tolist()]
