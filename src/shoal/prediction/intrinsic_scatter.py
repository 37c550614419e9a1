"""Intrinsic scatter: how much targets scatter beyond their measured errors and the errors of the fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.codec import PlainRecord
from shoal.data.conversion import to_numbers
from shoal.errors import DataError
from shoal.results import Interval
from shoal.statistics.minimum import minimum

if TYPE_CHECKING:
    import polars as pl

    from shoal.prediction.prediction import NumberPrediction

HALF_OF_CHI_SQUARE = 1.92  # half of the 95 % point of a chi-square of one degree of freedom
TRIED = 60


@dataclass(frozen=True)
class MeasuredErrors(PlainRecord):
    """What is known of the errors of the targets.

    Attributes:
        columns: the columns that hold them, one for each target or one for all; none where a covariance does.
        scatter: the intrinsic scatter of each target in its unit, with its interval.
    """

    columns: tuple[str, ...]
    scatter: tuple[Interval, ...]

    @property
    def values(self) -> np.ndarray:
        """The intrinsic scatter of each target, `(targets,)`."""
        return np.asarray([interval.value for interval in self.scatter])

    def read(self, table: pl.DataFrame) -> np.ndarray | None:
        """Return the errors of rows, `(rows, targets)`, or None where a column is missing or empty.

        Errors that are missing are NaN.

        Raises:
            DataError: an error is zero or negative.
        """
        if not self.columns or not set(self.columns) <= set(table.columns):
            return None
        columns = [to_numbers(table.get_column(name)).to_numpy() for name in self.columns]
        for name, values in zip(self.columns, columns, strict=True):
            if (values <= 0.0).any():
                row = int(np.argmax(values <= 0.0))
                held = f"row {row + 1} holds {values[row]:g}"
                raise DataError(f"column {name!r}: a measured error must be a positive number, but {held}")
        if any(np.isnan(values).all() for values in columns):
            return None
        return np.ascontiguousarray(np.broadcast_to(np.stack(columns, axis=1), (table.height, len(self.scatter))))


def intrinsic_scatter(residuals: np.ndarray, variance: np.ndarray, weights: np.ndarray | None = None) -> Interval:
    """Return the most likely scatter `s` that is left beside the known variance of each residual, with its interval.

    It makes `sum(r² / (v + s²) + log(v + s²))` smallest: twice the negative log-likelihood of a normal
    distribution of width `sqrt(v + s²)`. The interval holds all `s` whose log-likelihood lies within 1.92 of the best,
    95 % (Wilks 1938); where it begins at zero, no scatter is seen. Rows with weights count as so many as they are
    effectively, `(sum w)² / sum w²`.

    Args:
        residuals: `(rows,)`, of rows that trained no weight.
        variance: `(rows,)`, of the measurement and of the fit.
        weights: `(rows,)` or None.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> scatter = intrinsic_scatter(rng.normal(size=4000) * np.hypot(0.3, 0.4), np.full(4000, 0.3**2))
        >>> round(scatter.value, 1), scatter.low < 0.4 < scatter.high
        (0.4, True)
    """
    squares, variance = np.square(residuals, dtype=np.float64), np.asarray(variance, np.float64)
    w, most = effective_weights(len(squares), weights), float(np.sqrt(squares.max(initial=0.0)))
    if most == 0.0:
        return Interval(0.0, 0.0, 0.0, "likelihood")

    def loss(s: float) -> float:
        return scatter_loss(s, squares, variance, w)

    best = likely_scatter(squares, variance, w)
    limit = loss(best) + HALF_OF_CHI_SQUARE
    low = 0.0 if loss(0.0) <= limit else _crossing(loss, limit, best, 0.0)
    high = 2.0 * most
    while loss(high) <= limit:
        high *= 2.0
    return Interval(best, low, _crossing(loss, limit, best, high), "likelihood")


def likely_scatter(squares: np.ndarray, variance: np.ndarray, w: np.ndarray, shape: Any = 1.0) -> float:
    """Return the scatter whose `scatter_loss` is smallest; arguments as there."""
    # beyond the largest residual the likelihood only falls
    most = float(np.sqrt((squares / shape).max(initial=0.0)))
    if most == 0.0:
        return 0.0
    places = np.concatenate([[0.0], np.geomspace(1e-4 * most, most, TRIED)])
    return minimum(lambda s: scatter_loss(s, squares, variance, w, shape), places)


def scatter_loss(s: float, squares: np.ndarray, variance: np.ndarray, w: np.ndarray, shape: Any = 1.0) -> float:
    """Return the negative log-likelihood of a scatter, `sum(w (r² / t + log t)) / 2` with `t = v + s² shape`.

    Args:
        s: the scatter; where it has a shape, in units of its root.
        squares: `(rows,)`, of the residuals.
        variance: `(rows,)`, that is known beside.
        w: `(rows,)`, as `effective_weights` tells.
        shape: `(rows,)`, how the variance of the scatter goes from row to row; 1: it is the same for all.
    """
    total = variance + s * s * shape
    return 0.5 * float(np.sum(w * (squares / total + np.log(total))))


def effective_weights(rows: int, weights: np.ndarray | None) -> np.ndarray:
    """Return weights that add up to the effective number of rows, `(sum w)² / sum w²`; of rows without weights ones."""
    w = np.ones(rows) if weights is None else np.asarray(weights, np.float64)
    return np.asarray(w * (w.sum() / np.square(w).sum()))


def _crossing(loss: Callable[[float], float], limit: float, inside: float, outside: float) -> float:
    """Return where a function rises above a limit between a place inside and one outside, by bisection."""
    # not by scipy's brentq, whose import takes 0.4 s
    for _ in range(50):
        middle = 0.5 * (inside + outside)
        inside, outside = (middle, outside) if loss(middle) <= limit else (inside, middle)
    return inside


def total_error(*parts: Any) -> np.ndarray:
    """Return independent errors together, `sqrt(sum of squares)`; those that are None do not count."""
    return np.asarray(np.sqrt(sum(np.square(part) for part in parts if part is not None)))


def error_of_fit(prediction: NumberPrediction) -> np.ndarray:
    """Return the error of the predicted mean, `(rows, targets)`.

    With replicas it is `sqrt(data_spread² + spread² / degrees)`: how far another measurement would move the mean, and
    how far as many other members would, `degrees` being their number less one for each fold. Without replicas the
    spread of the members, all of it, stands for both.
    """
    if prediction.data_spread is None:
        return prediction.spread
    return total_error(prediction.spread / np.sqrt(max(prediction.degrees, 1)), prediction.data_spread)
