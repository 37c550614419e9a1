"""Ways to bring numeric columns to a common scale, fitted on training rows and stored as plain numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar, Self

import numpy as np

from shoal.codec import PlainRecord
from shoal.errors import SettingError, listing, suggest

_QUANTILES = 256


class FeatureScaling(PlainRecord, ABC):
    """A fitted scaling: a function of a float64 column, and its numbers as plain data."""

    tag = "name"
    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, values: np.ndarray) -> Self:
        """Return the scaling fitted on `(rows,)` finite values."""

    @abstractmethod
    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the scaled values."""

    @abstractmethod
    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Return the values that have these scaled ones."""


def mean_and_scale(values: np.ndarray) -> tuple[float, float]:
    """Return mean and standard deviation, 1 where it vanishes (divisor n, as in scikit-learn)."""
    if not len(values):
        return 0.0, 1.0
    size = float(np.abs(values).max()) or 1.0  # scaled first, so that squares of huge numbers do not overflow
    unit = values / size
    mean = float(unit.mean())
    scale = float(np.sqrt(np.mean((unit - mean) ** 2)))
    # what is left of a constant after rounding is no scale
    if scale <= 10 * np.finfo(np.float64).eps * max(abs(mean), np.finfo(np.float64).tiny):
        return mean * size, 1.0
    return mean * size, scale * size


@dataclass(frozen=True)
class Standard(FeatureScaling):
    """`(x - mean) / standard deviation`."""

    name = "standard"
    mean: float
    scale: float

    @classmethod
    def fit(cls, values: np.ndarray) -> Standard:
        """Return mean and standard deviation of the values."""
        return cls(*mean_and_scale(values))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the scaled values."""
        return np.asarray((x - self.mean) / self.scale)

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Return the values that have these scaled ones."""
        return np.asarray(z * self.scale + self.mean)


@dataclass(frozen=True)
class Robust(FeatureScaling):
    """`u / sqrt(1 + (u/3)²)` with `u = (x - median) / (interquartile range)`: outliers end within ±3.

    Where the quartiles agree, half the full range takes their place (Holzmüller et al., "Better by
    default", NeurIPS 2024).
    """

    name = "robust"
    median: float
    scale: float

    @classmethod
    def fit(cls, values: np.ndarray) -> Robust:
        """Return median and scale of the values."""
        if not len(values):
            return cls(0.0, 1.0)
        low, lower, median, upper, high = (float(q) for q in np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))
        return cls(median, (upper - lower) or (high - low) / 2 or 1.0)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the scaled values."""
        u = (x - self.median) / self.scale
        return np.asarray(u / np.hypot(1.0, u / 3.0))

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Return the values that have these scaled ones; those beyond ±3, which no value has, are drawn in."""
        z = np.clip(z, -2.999, 2.999)
        return np.asarray(z / np.sqrt(1.0 - (z / 3.0) ** 2) * self.scale + self.median)


@dataclass(frozen=True)
class Quantile(FeatureScaling):
    """The normal score of x's rank among the training rows, linear between up to 256 stored quantiles."""

    name = "quantile"
    quantiles: tuple[float, ...]
    scores: tuple[float, ...]

    @classmethod
    def fit(cls, values: np.ndarray) -> Quantile:
        """Return quantiles of the values and their normal scores; equal quantiles share their mean score."""
        if not len(values):
            return cls((0.0,), (0.0,))
        count = min(_QUANTILES, len(values))
        levels = (np.arange(count) + 0.5) / count
        normal = NormalDist()
        scores = np.asarray([normal.inv_cdf(float(level)) for level in levels])
        unique, inverse, counts = np.unique(
            np.quantile(values, levels, method="hazen"), return_inverse=True, return_counts=True
        )
        means = np.bincount(inverse, scores) / counts if len(unique) > 1 else np.zeros(1)
        return cls(tuple(unique.tolist()), tuple(means.tolist()))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the scaled values."""
        return np.asarray(np.interp(x, self.quantiles, self.scores))

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Return the values that have these scaled ones, within the range of the training rows."""
        return np.asarray(np.interp(z, self.scores, self.quantiles))


@dataclass(frozen=True)
class Unchanged(FeatureScaling):
    """`x` itself."""

    name = "none"

    @classmethod
    def fit(cls, values: np.ndarray) -> Unchanged:  # noqa: ARG003
        """Return the scaling that changes nothing."""
        return cls()

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the values."""
        return x

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Return the values."""
        return z


_SCALINGS: tuple[type[FeatureScaling], ...] = (Standard, Robust, Quantile, Unchanged)
FEATURE_SCALINGS = {scaling.name: scaling for scaling in _SCALINGS}


def get_scaling(name: str) -> type[FeatureScaling]:
    """Return the scaling of that name.

    Raises:
        SettingError: there is none; the message lists them.
    """
    if name not in FEATURE_SCALINGS:
        raise SettingError(
            f"normalization must be one of {listing(FEATURE_SCALINGS)}, got {name!r}." + suggest(name, FEATURE_SCALINGS)
        )
    return FEATURE_SCALINGS[name]
