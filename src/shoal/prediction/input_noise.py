"""How much of what targets scatter about the networks the errors of the features explain, so that each counts once.

Networks that learn from measured features predict from measured features: residuals of validation rows, and a variance
that a likelihood head has learned, hold the noise of the features already, as large as it is in these rows on average.
A row measured better or worse has its own, `input_spread`. So the variance of a row is

    known² + share · input_spread² + rest

with `known` the error of the fit and the measured error of the target, `rest` the intrinsic scatter s², the same for
all rows, or `learned_share` times the variance that the networks predict: the most likely for residuals of rows that
trained no weight. `share` is as much as these allow: the largest up to 1 whose log-likelihood lies within 1.92 of the
best (95 %; Wilks 1938). It is 1, the effective variance (Orear, Am. J. Phys. 50, 912, 1982), but for two cases. Where
noise carries rows to places that few others come from, answers are steeper there than where the rows truly lie, and
propagation says too much. And a variance that is learned tells more of such noise than propagation does: it then takes
its place, and holds noise of features and intrinsic scatter together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import PlainRecord
from shoal.prediction.intrinsic_scatter import HALF_OF_CHI_SQUARE, effective_weights, likely_scatter, scatter_loss

SHARES = np.linspace(0.0, 1.0, 21)
FLOOR, TINY = 1e-6, 1e-300  # of a known variance, so that one network with errors of nothing is no division by zero


@dataclass(frozen=True)
class InputNoise(PlainRecord):
    """What the errors of the features add to the variance of a row, a number for each target.

    Attributes:
        share: of `input_spread²`, from 0 to 1.
        share_alone: the same beside a scatter that is the same for all rows, whatever the networks predict: by this,
            the measured errors of the targets are judged.
        learned_share: of the variance that the networks predict, what counts beside that; 1 where they predict none.
        typical: root mean square of `input_spread` over rows that trained no weight: for rows whose errors are not
            given.
    """

    share: tuple[float, ...]
    share_alone: tuple[float, ...]
    learned_share: tuple[float, ...]
    typical: tuple[float, ...]

    @classmethod
    def of(
        cls,
        residuals: np.ndarray,
        known: np.ndarray,
        input_spread: np.ndarray,
        learned: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> InputNoise:
        """Return the most likely shares.

        Args:
            residuals: `(rows, targets)`, of rows that trained no weight.
            known: alike, the variance of the measurement, if known, and of the fit.
            input_spread: alike.
            learned: alike, the variance that the networks predict, or None.
            weights: `(rows,)` or None.

        Example:
            >>> rng = np.random.default_rng(0)
            >>> moved = rng.uniform(0.1, 0.5, (4000, 1))
            >>> residuals = rng.normal(size=(4000, 1)) * np.hypot(moved, 0.3)
            >>> InputNoise.of(residuals, np.full((4000, 1), 1e-4), moved).share
            (1.0,)
        """
        moved, targets = np.square(input_spread), range(residuals.shape[1])
        alone = [_shares(residuals[:, i], known[:, i], moved[:, i], None, weights) for i in targets]
        beside = alone
        if learned is not None:
            beside = [_shares(residuals[:, i], known[:, i], moved[:, i], learned[:, i], weights) for i in targets]
        share, learned_share = zip(*beside, strict=True)
        typical = np.sqrt(np.average(moved, axis=0, weights=weights))
        return cls(share, tuple(each for each, _ in alone), learned_share, tuple(typical.tolist()))


def _shares(
    residuals: np.ndarray, known: np.ndarray, moved: np.ndarray, learned: np.ndarray | None, weights: np.ndarray | None
) -> tuple[float, float]:
    """Return the share of `moved`, and that of the variance which is learned, of one target; all are variances."""
    squares, w = np.square(residuals, dtype=np.float64), effective_weights(len(residuals), weights)
    shape = 1.0 if learned is None else learned
    known = np.maximum(known, FLOOR * squares.mean() + TINY)
    scatters = [likely_scatter(squares, known + share * moved, w, shape) for share in SHARES]
    losses = [
        scatter_loss(scatter, squares, known + share * moved, w, shape)
        for share, scatter in zip(SHARES, scatters, strict=True)
    ]
    chosen = int(np.flatnonzero(np.asarray(losses) <= min(losses) + HALF_OF_CHI_SQUARE)[-1])
    return float(SHARES[chosen]), 1.0 if learned is None else scatters[chosen] ** 2
