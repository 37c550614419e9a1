"""The distribution that an ensemble predicts for a new measurement of each row: its density, its PIT and its CRPS.

Networks that say one value, or mean and variance, give a mixture of normal distributions, one for each member, with the
mean and the standard deviation `std` of the prediction. Those that say quantiles give the distribution that has the
averaged quantiles and is normal between and beyond them (`z` is linear in the value), stretched as error bars are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from shoal.errors import SettingError
from shoal.prediction.prediction import NumberPrediction
from shoal.prediction.predictor import Predictor
from shoal.results import Task
from shoal.statistics.bootstrap import normal_quantile
from shoal.training.forward import ROWS_AT_ONCE
from shoal.training.heads import QuantileHead

QUANTILES = 400
"""By so many, equally likely, the CRPS of a distribution with quantiles is found."""
MOST_POINTS = 5000
"""Of a grid."""
_DENSITY = 1.0 / np.sqrt(2.0 * np.pi)


@dataclass(frozen=True)
class Distribution(ABC):
    """What is predicted of each row; `...` below are the rows, or rows and steps."""

    targets: tuple[str, ...]

    @abstractmethod
    def at(self, rows: Any) -> Distribution:
        """Return the distributions of some of the rows, by a slice, places, or true and false."""

    @abstractmethod
    def density(self, grid: np.ndarray) -> np.ndarray:
        """Return the probability density at each value of a grid `(points,)`, `(..., targets, points)`."""

    @abstractmethod
    def cdf(self, values: np.ndarray) -> np.ndarray:
        """Return the probability of a smaller value than each of `(..., targets)`.

        Of measured values it is the probability integral transform (PIT), uniform where distributions are right (Dawid,
        J. R. Stat. Soc. A 147, 278, 1984).
        """

    @abstractmethod
    def crps(self, values: np.ndarray) -> np.ndarray:
        """Return the continuous ranked probability score of measured values `(..., targets)`, alike, in their unit.

        `∫ (F(x) − [y ≤ x])² dx = E|X − y| − E|X − X'| / 2`, zero at best; that of a value without an error bar is its
        absolute error (Gneiting and Raftery, J. Am. Stat. Assoc. 102, 359, 2007).
        """


@dataclass(frozen=True)
class NormalMixture(Distribution):
    """A mixture of normal distributions of equal parts.

    Attributes:
        means, stds: `(members, ..., targets)`.

    Example:
        >>> normal = NormalMixture(("y",), np.zeros((1, 1, 1)), np.ones((1, 1, 1)))
        >>> [round(float(f(np.zeros((1, 1)))[0, 0]), 4) for f in (normal.cdf, normal.crps)]
        [0.5, 0.2337]
    """

    means: np.ndarray
    stds: np.ndarray

    def at(self, rows: Any) -> NormalMixture:
        """Return the distributions of some of the rows."""
        return replace(self, means=self.means[:, rows], stds=self.stds[:, rows])

    def density(self, grid: np.ndarray) -> np.ndarray:
        """Return the mean of the densities of the members."""
        total = np.zeros((*self.means.shape[1:], len(grid)))
        for mean, std in zip(self.means[..., None], self.stds[..., None], strict=True):
            total += np.exp(-0.5 * ((grid - mean) / std) ** 2) / std
        return total * (_DENSITY / len(self.means))

    def cdf(self, values: np.ndarray) -> np.ndarray:
        """Return the mean of the distribution functions of the members."""
        from scipy.special import ndtr

        return np.asarray(ndtr((values - self.means) / self.stds).mean(axis=0))

    def crps(self, values: np.ndarray) -> np.ndarray:
        """Return the score in closed form (Grimit et al., Q. J. R. Meteorol. Soc. 132, 2925, 2006)."""
        to_values = _mean_size(values - self.means, self.stds).mean(axis=0)
        between = np.zeros_like(to_values)
        for mean, std in zip(self.means, self.stds, strict=True):
            between += _mean_size(mean - self.means, np.hypot(std, self.stds)).mean(axis=0)
        return np.asarray(to_values - 0.5 * between / len(self.means))


def _mean_size(mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return the mean absolute value of normal variables."""
    from scipy.special import ndtr

    z = mean / std
    return np.asarray(2.0 * _DENSITY * std * np.exp(-0.5 * z**2) + mean * (2.0 * ndtr(z) - 1.0))


@dataclass(frozen=True)
class QuantileDistribution(Distribution):
    """Distributions with given quantiles, normal between and beyond them.

    Attributes:
        levels: `(levels,)`, rising.
        quantiles: `(..., targets, levels)`, rising.
    """

    levels: np.ndarray
    quantiles: np.ndarray

    def at(self, rows: Any) -> QuantileDistribution:
        """Return the distributions of some of the rows."""
        return replace(self, quantiles=self.quantiles[rows])

    def _normal(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return z of values `(..., targets, points)` and its slope."""
        from scipy.special import ndtri

        z, knots = ndtri(self.levels), self.quantiles
        slopes = np.diff(z) / np.diff(knots, axis=-1)
        part = np.zeros(values.shape, np.int64)
        for inner in np.moveaxis(knots[..., 1:-1], -1, 0):
            part += values >= inner[..., None]
        slope = np.take_along_axis(slopes, part, axis=-1)
        return z[part] + slope * (values - np.take_along_axis(knots[..., :-1], part, axis=-1)), slope

    def density(self, grid: np.ndarray) -> np.ndarray:
        """Return the density, which jumps at the quantiles."""
        z, slope = self._normal(np.broadcast_to(grid, (*self.quantiles.shape[:-1], len(grid))))
        return _DENSITY * slope * np.exp(-0.5 * z**2)

    def cdf(self, values: np.ndarray) -> np.ndarray:
        """Return the distribution function."""
        from scipy.special import ndtr

        return np.asarray(ndtr(self._normal(values[..., None])[0][..., 0]))

    def crps(self, values: np.ndarray) -> np.ndarray:
        """Return the score of `QUANTILES` equally likely values, which is nearly that of the distribution."""
        from scipy.special import ndtri

        shares = (np.arange(QUANTILES) + 0.5) / QUANTILES
        z, wanted = ndtri(self.levels), ndtri(shares)
        part = np.clip(np.searchsorted(z, wanted) - 1, 0, len(z) - 2)
        away = ((wanted - z[part]) / np.diff(z)[part])[:, None]
        knots = np.moveaxis(self.quantiles, -1, 0)
        away = away.reshape(-1, *[1] * (knots.ndim - 1))
        likely = knots[part] + away * (knots[part + 1] - knots[part])
        between = np.mean((2.0 * shares - 1.0).reshape(away.shape) * likely, axis=0)
        return np.asarray(np.abs(likely - values).mean(axis=0) - between)


def distribution_of(predictor: Predictor, x: np.ndarray, prediction: NumberPrediction) -> Distribution:
    """Return the distributions of prepared rows, of which a prediction was made.

    Args:
        predictor: an ensemble for numbers, but not for counts.
        x: the prepared rows.
        prediction: what the predictor says of them.
    """
    if isinstance(predictor.head, QuantileHead) and prediction.quantiles is not None:
        return _of_quantiles(predictor.head, prediction)
    scale = np.asarray(1.0 if predictor.scale is None else predictor.scale)
    learned = 1.0 if predictor.input_noise is None else np.asarray(predictor.input_noise.learned_share)
    means, variances = _said(predictor, x, prediction.mean.shape)
    folds = [member.fold for member in predictor.members]
    for fold in dict.fromkeys(folds):  # how much folds differ is part of the noise
        of_fold = [other == fold for other in folds]
        means[of_fold] -= means[of_fold].mean(axis=0)
    variances *= learned
    rest = (prediction.std / scale) ** 2 - (means**2 + variances).mean(axis=0)
    stds = scale * np.sqrt(np.maximum(rest, 0.0) + variances)
    return NormalMixture(prediction.targets, prediction.mean + scale * means, stds)


def check_density(predictor: Predictor) -> None:
    """Raise SettingError if an ensemble predicts no density."""
    task = predictor.preparation.task
    what = {Task.CLASSIFICATION: "classes", Task.RECONSTRUCTION: "its inputs again"}.get(task, "")
    what = "counts" if predictor.head.counts else "each step of series" if predictor.preparation.per_step else what
    if what:
        raise SettingError(f"a density is there of predicted numbers, but this run predicts {what}")


def _said(predictor: Predictor, x: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance that each member says of rows, `(members, rows, ..., targets)`."""
    means, variances = np.empty((2, len(predictor.members), *shape))
    for rows in predictor.pieces(len(x)):
        for i, said in enumerate(predictor.described(x[rows])):
            means[i, rows], variances[i, rows] = said.mean, 0.0 if said.variance is None else said.variance
    return means, variances


def _of_quantiles(head: QuantileHead, prediction: NumberPrediction) -> QuantileDistribution:
    """Return the averaged quantiles, with each side stretched so far that `std_below` and `std_above` are kept."""
    quantiles, median = prediction.quantiles, prediction.mean[..., None]
    assert quantiles is not None
    away, reach = quantiles - median, normal_quantile(head.levels[-1] - head.levels[0])
    with np.errstate(invalid="ignore", divide="ignore"):
        below, above = (
            np.nan_to_num(reach * std / np.abs(away[..., end]), posinf=1.0)[..., None]
            for end, std in ((0, prediction.std_below), (-1, prediction.std_above))
        )
    stretched = median + away * np.where(away < 0.0, below, above)
    least = 1e-6 * (prediction.std_below + prediction.std_above)[..., None]  # quantiles may be equal
    rising = np.maximum.accumulate(stretched, axis=-1) + least * np.arange(len(head.levels))
    return QuantileDistribution(prediction.targets, np.asarray(head.levels), rising)


def density_columns(distribution: Distribution, rows: int, grid: np.ndarray) -> pl.DataFrame:
    """Return densities of rows on a grid as columns of vectors: `density`, of several targets `density_<target>`."""
    several = len(distribution.targets) > 1
    densities = np.empty((len(distribution.targets), rows, len(grid)), np.float32)
    for first in range(0, rows, ROWS_AT_ONCE):
        some = slice(first, first + ROWS_AT_ONCE)
        densities[:, some] = np.moveaxis(distribution.at(some).density(grid), 1, 0)
    names = [f"density_{target}" if several else "density" for target in distribution.targets]
    kind = pl.Array(pl.Float32, len(grid))
    return pl.DataFrame([pl.Series(name, each, kind) for name, each in zip(names, densities, strict=True)])


def parsed_grid(text: str) -> np.ndarray:
    """Return the values of a grid that `START:STOP:STEP` names, both ends among them where steps reach the last.

    Raises:
        SettingError: the text is no grid, or has too many points.

    Example:
        >>> parsed_grid("0:1:0.25").tolist()
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    try:
        start, stop, step = map(float, text.split(":"))
        points = int(np.floor((stop - start) / step * (1.0 + 1e-12) + 1e-9)) + 1
    except (ValueError, ZeroDivisionError, OverflowError):
        points = 0
    if not 2 <= points <= MOST_POINTS:
        raise SettingError(
            f"a grid is START:STOP:STEP, such as 0:3:0.01, with 2 to {MOST_POINTS:,} points; got {text!r}"
        )
    return start + step * np.arange(points)
