"""Weights without negative signs: each row gets the mean weight of rows like it, instead of its own.

Events of a Monte Carlo at next-to-leading order carry negative weights, which are to cancel events beside them. A
weighted loss `Σ w l` with such weights has no floor: a network that is large enough tells a row of weight -1 from its
neighbours, makes its `l` as large as it likes, and so "wins" without end; that is no fit, and early stopping and the
choice of networks believe it. What is meant by the weights is their mean over rows that cannot be told apart,
`E[w | x, y]`, a density and so never negative, and for every function l of x and y

    E[w l(x, y)] = E[E[w | x, y] l(x, y)].

So a loss with the mean weights has the same minimum. Its variance is smaller, and it has a floor. With weights `w ≥ 0`
of positive sum, the loss `Σ w l / Σ w` of a network is a mean of its values `l`, which is no less than the least of
them; a cross-entropy `l = -log p`, `0 < p ≤ 1`, never falls below 0, whatever the network does.

The new weight is `|w| r(x, y)`, with r the mean sign of rows of such x and y, each counted by |w|, so that its mean is
the same `E[w | x, y]`. Boosted trees learn r from the rows that train; it is taken as 0 where they fall below that, and
the sum of the weights of each class stays as it was. It is what Nachman and Thaler do by networks (neural resampling,
Phys. Rev. D 102, 076004, 2020); Andersen et al. (Eur. Phys. J. C 80, 1007, 2020, and 82, 664, 2022) take the mean over
bins and over cells of neighbours. `docs/howto/signal_background.md` compares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

MeanWeights = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From features `(rows, features)`, targets `(rows, targets)` and weights `(rows,)` to mean weights `(rows,)`."""
MOST_CATEGORIES = 255  # of scikit-learn's trees; more classes are taken in the order of their numbers
ONE_THREAD = 2_000_000  # numbers in a table up to which a second thread of the trees costs more than it does


def learn_mean_weights(x: np.ndarray, y: np.ndarray, weights: np.ndarray, seed: int, *, classes: bool) -> MeanWeights:
    """Learn the mean weight of rows and return the function that tells it, `|w| max(r(x, y), 0)` times a factor.

    Args:
        x: `(rows, features)` of the rows that train, as numbers; NaN where there is none.
        y: `(rows, targets)`: their targets, or in one column the numbers of their classes.
        weights: `(rows,)`, any sign, of positive sum.
        seed: names the random numbers that part the rows by which the trees are stopped.
        classes: whether `y` are classes, each of which keeps the sum of its weights; else all rows together keep it.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x, y = rng.normal(size=(500, 1)), np.zeros((500, 1))
        >>> w = np.where(rng.uniform(size=500) < 0.2, -1.0, 1.0)
        >>> mean = learn_mean_weights(x, y, w, 0, classes=True)(x, y, w)
        >>> bool(mean.min() > 0.0), bool(np.isclose(mean.sum(), w.sum()))
        (True, True)
    """
    category = x.shape[1] if classes and len(np.unique(y)) <= MOST_CATEGORIES else None
    trees = _mean_sign(np.column_stack([x, y]), weights, seed, category)

    def unscaled(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
        return np.abs(weights) * np.clip(trees(np.column_stack([x, y])), 0.0, 1.0)

    first, overall = unscaled(x, y, weights), _factor(weights, np.abs(weights), 1.0)
    factors = {}
    if classes:
        for k in np.unique(y[:, 0]):
            rows = y[:, 0] == k
            factors[float(k)] = _factor(weights[rows], first[rows], overall)
    otherwise = _factor(weights, first, overall)

    def mean_weights(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
        scale = [factors.get(float(k), otherwise) for k in y[:, 0]] if classes else otherwise
        return np.asarray(unscaled(x, y, weights) * scale)

    return mean_weights


def _factor(weights: np.ndarray, positive: np.ndarray, otherwise: float) -> float:
    """Return what gives positive weights the sum of others; where a sum is not positive, a given factor."""
    total, other = float(weights.sum()), float(positive.sum())
    return total / other if total > 0.0 and other > 0.0 else otherwise


def _mean_sign(columns: np.ndarray, weights: np.ndarray, seed: int, category: int | None) -> Callable[[Any], Any]:
    """Return the function that tells the mean sign of rows, learned by trees that stop where held-out rows say so.

    Small trees and small steps, since a sign tells little: on 1,600 events of which 12 % (30 %) are negative, the mean
    sign was off by 0.085 (0.156) with these, by 0.135 (0.213) with the defaults of 31 leaves and steps of 0.1.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    used = weights != 0.0
    trees = HistGradientBoostingRegressor(
        max_iter=300,
        learning_rate=0.05,
        max_leaf_nodes=4,
        min_samples_leaf=20,
        early_stopping=True,
        validation_fraction=0.2,
        n_iter_no_change=10,
        categorical_features=None if category is None else [category],
        random_state=seed % 2**32,
    )
    limit = 1 if columns.size < ONE_THREAD else None
    with threadpool_limits(limit, user_api="openmp"):
        trees.fit(columns[used], np.sign(weights[used]), sample_weight=np.abs(weights[used]))

    def sign(rows: np.ndarray) -> np.ndarray:
        with threadpool_limits(limit, user_api="openmp"):
            return np.asarray(trees.predict(rows), np.float64)

    return sign
