"""Scores of which an importance is the loss, and the importance with its errors from the losses of permuted rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from shoal.codec import stored
from shoal.results import Task
from shoal.statistics.metrics import row_losses


@dataclass(frozen=True)
class Score:
    """A score of which the importance is the loss: S of the mean over rows of `losses`, and the slope of S.

    `change` says in words what happens to the score.
    """

    name: str
    change: str
    losses: Callable[[np.ndarray, np.ndarray], np.ndarray]
    root: bool = False

    def of(self, mean: np.ndarray) -> np.ndarray:
        """Return S."""
        return np.asarray(np.sqrt(np.maximum(mean, 0.0)) if self.root else mean)

    def slope(self, mean: np.ndarray) -> np.ndarray:
        """Return dS / d mean; 0 where a root has none."""
        if not self.root:
            return np.ones_like(mean)
        return np.where(mean > 0, 0.5 / np.sqrt(np.where(mean > 0, mean, 1.0)), 0.0)


def _wrong(truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
    return np.asarray(guess.argmax(axis=1) != truth, np.float64)


def _squared(truth: np.ndarray, guess: np.ndarray) -> np.ndarray:
    return np.asarray((guess - truth) ** 2)


SCORES: dict[Task, tuple[Score, ...]] = {
    Task.CLASSIFICATION: (
        Score("log_loss", "rise of the log-loss", lambda y, p: row_losses(Task.CLASSIFICATION, y, p)),
        Score("accuracy", "fall of the accuracy", _wrong),
    ),
    Task.REGRESSION: (
        Score("rmse", "rise of the RMSE", _squared, root=True),
        Score("mae", "rise of the MAE", lambda y, f: np.abs(f - y)),
        Score("mse", "rise of the mean squared error", _squared),
    ),
}


@stored("estimate")
@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and the parts of it; a part is NaN where it is not known."""

    value: float
    rows: float = float("nan")
    permutations: float = float("nan")
    members: float = float("nan")

    @property
    def error(self) -> float:
        """The standard error: the parts that are known, joined in quadrature."""
        parts = np.asarray([self.rows, self.permutations, self.members])
        return float(np.sqrt(np.nansum(parts**2))) if np.isfinite(parts).any() else float("nan")

    def as_dict(self) -> dict[str, float]:
        """Return the number, its error and the parts of the error."""
        return {**asdict(self), "error": self.error}


def estimate(
    score: Score,
    before: np.ndarray,
    permuted: np.ndarray,
    deals: np.ndarray,
    w: np.ndarray,
    groups: np.ndarray | None = None,
) -> Estimate:
    """Return an importance with its errors.

    Args:
        score: that is lost.
        before: losses of the ensemble and of it without each unit, `(1 + units, rows)`.
        permuted: the same of permuted rows, `(1 + units, repeats, rows)`.
        deals: from which row each got its value, `(repeats, rows)`.
        w: weights of the rows, any sign.
        groups: `(rows,)` number of the group of each row, or None.
    """
    pairs = w * w[deals]
    with np.errstate(invalid="ignore", divide="ignore"):
        after = (pairs * permuted).sum(axis=-1) / pairs.sum(axis=-1)  # (1 + units, repeats)
        mean = before @ w / w.sum()
        taking = pairs * (permuted[0] - after[0][:, None]) / pairs.sum(axis=1, keepdims=True)
        unpermuted = w * (before[0] - mean[0]) / w.sum()
    lost = score.of(after) - score.of(mean)[:, None]
    repeats, units = len(deals), len(lost) - 1
    chance = float(lost[0].std(ddof=1) / np.sqrt(repeats)) if repeats > 1 else float("nan")
    left_out = lost[1:].mean(axis=1)
    members = float(np.sqrt((units - 1) * left_out.var())) if units > 1 else float("nan")
    giving = np.empty_like(taking)
    np.put_along_axis(giving, deals, taking, axis=1)
    influences = score.slope(after[0])[:, None] * (taking + giving), score.slope(mean[0]) * unpermuted
    return Estimate(float(lost[0].mean()), _error_of_rows(*influences, groups), chance, members)


def _error_of_rows(permuted: np.ndarray, unpermuted: np.ndarray, groups: np.ndarray | None) -> float:
    """Return the error of an importance that finite rows leave: the root of the sum of squared influences.

    Args:
        permuted: how each row moves the score of permuted rows, `(repeats, rows)`.
        unpermuted: how it moves the score of the rows as they are, `(rows,)`.
        groups: `(rows,)` number of the group of each row, or None.
    """
    if groups is not None:
        permuted = np.stack([np.bincount(groups, influence) for influence in permuted])
        unpermuted = np.bincount(groups, unpermuted)
    repeats, count = permuted.shape
    if count < 2:
        return float("nan")
    squares = float(((permuted.mean(axis=0) - unpermuted) ** 2).sum())
    if repeats > 1:
        squares -= float(permuted.var(axis=0, ddof=1).sum()) / repeats
    return float(np.sqrt(max(squares, 0.0) * count / (count - 1)))
