"""What simple methods reach on the same rows: networks that do not beat them are not worth their trouble.

* most frequent / mean: predicts the shares of the classes, or the mean of each target, in the training rows.
* logistic / linear regression: scikit-learn's `LogisticRegression` (C = 1) and `RidgeCV` (penalty chosen by
  leave-one-out among 13 values).
* gradient boosting: scikit-learn's histogram trees (31 leaves, learning rate 0.1, at most 100 rounds), tuned
  where its defaults are weak, since a weak baseline proves nothing: the number of rounds is chosen by
  cross-validation inside the training rows, leaves may be smaller in tables of less than 200 rows, and from
  eight features on each split looks at 30 % of them. Over five splits this beat the defaults on every
  built-in table: log-loss 0.14 for 0.25 (iris), 0.03 for 0.06 (wine), 0.13 for 0.17 (breast cancer), RMSE
  56 for 60 (diabetes). More than five classes get fewer and larger steps (digits: 0.07 for 0.09, in seconds). From
  100,000 training rows on, a tenth of them held back stops the one fit early, as scikit-learn does it by itself.

Baselines see the training rows, already prepared, and nothing else; of more than `MOST_ROWS` some by chance. Of images
they see means over blocks of pixels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from shoal.evaluation.baselines.flat_features import flat_features
from shoal.evaluation.baselines.series import Forecast, Learned, learn_series_baselines
from shoal.evaluation.baselines.steps import learn_step_baselines
from shoal.results import Task

ROUNDS = 100
FOLDS = 3
WIDE = 100_000
"""Numbers in a table from which on one of the folds is enough."""
MANY_ROWS = 100_000
MOST_ROWS = 1_000_000
"""Rows that simple methods learn from, at most; from a third of 640,000 they learned worse, and would flatter us."""
TREES = 500
"""Trees of one boosted model at most: one a round and class, so ten classes get 50 rounds."""


def learn_baselines(
    task: Task, x: Any, y: Any, weights: Any, classes: int, seed: int, forecast: Forecast | None = None
) -> Learned:
    """Fit simple methods and return the function that predicts for other rows, by the methods' names.

    It needs no test rows, so that it can be done while the networks train. Series `(rows, time, channels)` have
    methods of their own, and so have windows of them, which `forecast` describes. Where each step has a target, the
    methods see single steps with their neighbours.

    Args:
        task: classification or regression.
        x: prepared features `(rows, features)`, scaled and without missing values; or images, see `flat_features`.
        y: class numbers `(rows,)`, or values `(rows, targets)`.
        weights: `(rows,)` or None. Negative ones count as zero here, since scikit-learn's methods have no use for
            them; in the scores they keep their sign.
        classes: number of classes (0 in regression). A class without training rows gets probability 0.
        seed: of the folds for gradient boosting.
        forecast: of windows, what they predict.

    Example:
        >>> x = np.linspace(-1, 1, 50)[:, None]
        >>> fits = learn_baselines(Task.REGRESSION, x, 3 * x, None, 0, seed=0)(np.array([[0.5]]))
        >>> list(fits), fits["linear_regression"].round(2).tolist()
        (['mean', 'linear_regression', 'gradient_boosting'], [[1.5]])
    """
    if np.ndim(x) == 3 and np.ndim(y) == (2 if Task(task) is Task.CLASSIFICATION else 3):

        def learn(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> Learned:
            return learn_baselines(task, x, y, weights, classes, seed)

        return learn_step_baselines(Task(task), x, y, weights, seed, learn)
    if np.ndim(x) == 3:
        return learn_series_baselines(task, x, y, weights, classes, seed, forecast)
    flat = flat_features(x)
    x = flat(x)
    scaled = _scaled_weights(weights, len(x))
    size = x.shape  # the rows themselves need not be kept
    with _quietly(*size):
        if Task(task) is Task.CLASSIFICATION:
            learned = _classifiers(x, np.asarray(y, np.int64), scaled, classes, seed)
        else:
            learned = _regressors(x, np.asarray(y, np.float64).reshape(len(x), -1), scaled, seed)

    def predict(x_test: np.ndarray) -> dict[str, np.ndarray]:
        with _quietly(*size):
            return learned(flat(x_test))

    return predict


def rows_to_learn_from(rows: int, classes: np.ndarray | None, seed: int) -> np.ndarray | slice:
    """Return which of so many rows simple methods learn from: all, or `MOST_ROWS` by chance with a row of each class.

    Args:
        rows: their number.
        classes: number of the class of each, `(rows,)`; None in regression.
        seed: names the random numbers.
    """
    if rows <= MOST_ROWS:
        return slice(None)
    order = np.random.default_rng([seed, rows]).permutation(rows)
    if classes is not None:
        first = np.unique(classes[order], return_index=True)[1]
        order = np.concatenate([order[first], np.delete(order, first)])
    return np.sort(order[:MOST_ROWS])


def predict_by(learned: Learned, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the methods predict for prepared rows."""
    return learned(x)


@contextmanager
def _quietly(rows: int, features: int) -> Iterator[None]:
    with warnings.catch_warnings(), _threads(rows, features):  # convergence is not the user's concern
        warnings.simplefilter("ignore")
        yield


def _scaled_weights(weights: Any, rows: int) -> np.ndarray:
    """Return weights ≥ 0, those > 0 with mean 1: penalties shall mean the same whatever the weights' unit."""
    if weights is None:
        return np.ones(rows)
    positive = np.clip(np.asarray(weights, np.float64), 0.0, None)
    return positive / positive[positive > 0].mean() if positive.sum() > 0 else np.ones(rows)


def _threads(rows: int, features: int) -> Any:
    """Keep all but large fits on one thread: beside training, scikit-learn's trees were 15 times slower on two.

    Those of a product, too, or the last digits of a linear model would hang on the number of cores.
    """
    import sklearn.ensemble  # noqa: F401 - only libraries that are loaded are kept to it
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(1 if rows * features < 8_000_000 else None)


def _bins(x: np.ndarray, weights: np.ndarray) -> tuple[list[np.ndarray] | None, np.ndarray | None]:
    """Return the edges of bins and weights for boosting: both None for equal weights, which is much faster.

    Trees see only the order of values, and scikit-learn 1.9 makes the same bins, but with weights it spends
    seconds on them in every fit; values that are few already it takes as they are.
    """
    if np.ptp(weights) == 0:
        return None, None
    edges = []
    for column in x.T:
        values = np.unique(column)
        if len(values) > 255:
            edges.append(np.unique(np.quantile(column, np.linspace(0, 1, 256)[1:-1])))
        else:
            edges.append((values[1:] + values[:-1]) / 2)
    return edges, weights


def _coded(x: np.ndarray, edges: list[np.ndarray] | None) -> np.ndarray:
    """Return features as the numbers of their quantile bins, 255 at most; as they are without bins."""
    if edges is None:
        return x
    codes = np.empty(x.shape)
    for j, edge in enumerate(edges):
        codes[:, j] = np.searchsorted(edge, x[:, j])
    return codes


def _classifiers(x: np.ndarray, y: np.ndarray, weights: np.ndarray, classes: int, seed: int) -> Learned:
    from sklearn.linear_model import LogisticRegression

    share = np.bincount(y, weights=weights, minlength=classes) / weights.sum()
    names = ("most_frequent", "logistic_regression", "gradient_boosting")
    used = weights > 0
    if len(np.unique(y[used])) < 2:  # nothing to tell apart
        return lambda rows: dict.fromkeys(names, np.tile(share, (len(rows), 1)))
    x, y, weights = x[used], y[used], weights[used]
    logistic = LogisticRegression(max_iter=1000).fit(x, y, sample_weight=weights)
    edges, tree_weights = _bins(x, weights)
    boosted = _boosted_classes(_coded(x, edges), y, tree_weights, classes, seed)

    def predict(rows: np.ndarray) -> dict[str, np.ndarray]:
        frequent = np.tile(share, (len(rows), 1))
        linear = _all_classes(logistic.predict_proba(rows), logistic.classes_, classes)
        trees = _all_classes(boosted.predict_proba(_coded(rows, edges)), boosted.classes_, classes)
        return dict(zip(names, (frequent, linear, trees), strict=True))

    return predict


def _regressors(x: np.ndarray, y: np.ndarray, weights: np.ndarray, seed: int) -> Learned:
    from sklearn.linear_model import RidgeCV

    mean = np.average(y, axis=0, weights=weights)
    scale = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weights))
    scale[~(scale > 0)] = 1.0
    scaled = (y - mean) / scale  # one penalty serves targets of different units
    ridge = RidgeCV(alphas=np.logspace(-3, 3, 13)).fit(x, scaled, sample_weight=weights)
    edges, tree_weights = _bins(x, weights)
    codes = _coded(x, edges)
    boosted = [_boosted_values(codes, values, tree_weights, seed) for values in scaled.T]

    def predict(rows: np.ndarray) -> dict[str, np.ndarray]:
        codes = _coded(rows, edges)
        trees = [np.asarray(model.predict(codes), np.float64) for model in boosted]
        return {
            "mean": np.tile(mean, (len(rows), 1)),
            "linear_regression": ridge.predict(rows).reshape(len(rows), -1) * scale + mean,
            "gradient_boosting": np.stack(trees, axis=1) * scale + mean,
        }

    return predict


def _all_classes(probabilities: np.ndarray, known: np.ndarray, classes: int) -> np.ndarray:
    """Return `(rows, classes)` with probability 0 for the classes that training did not see."""
    full = np.zeros((len(probabilities), classes))
    full[:, np.asarray(known, np.int64)] = probabilities
    return full


def _boosted_classes(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, classes: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    present = len(np.unique(y))
    rounds = min(ROUNDS, max(5, TREES // present)) if present > 2 else ROUNDS

    def fit(rows: np.ndarray, limit: int) -> Any:
        model = HistGradientBoostingClassifier(**_settings(len(rows), x.shape[1], limit, rounds, seed))
        return model.fit(x[rows], y[rows], sample_weight=None if weights is None else weights[rows])

    def losses(model: Any, rows: np.ndarray) -> list[float]:
        place = np.full(classes, -1)
        place[model.classes_] = np.arange(len(model.classes_))
        known = rows[place[y[rows]] >= 0]  # a class that the fold did not see costs the same in every round
        chosen = place[y[known]]
        if not len(known):
            return []
        picked = [p[np.arange(len(known)), chosen] for p in model.staged_predict_proba(x[known])]
        return [_sum(-np.log(np.clip(p, 1e-15, None)), weights, known) for p in picked]

    if len(x) < MANY_ROWS:
        rounds = _best_rounds(fit, losses, len(x), rounds, seed, strata=y, wide=x.size > WIDE)
    return fit(np.arange(len(x)), rounds)


def _boosted_values(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    def fit(rows: np.ndarray, limit: int) -> Any:
        model = HistGradientBoostingRegressor(**_settings(len(rows), x.shape[1], limit, ROUNDS, seed))
        return model.fit(x[rows], y[rows], sample_weight=None if weights is None else weights[rows])

    def losses(model: Any, rows: np.ndarray) -> list[float]:
        return [_sum((p - y[rows]) ** 2, weights, rows) for p in model.staged_predict(x[rows])]

    rounds = ROUNDS if len(x) >= MANY_ROWS else _best_rounds(fit, losses, len(x), ROUNDS, seed, wide=x.size > WIDE)
    return fit(np.arange(len(x)), rounds)


def _sum(losses: np.ndarray, weights: np.ndarray | None, rows: np.ndarray) -> float:
    return float(losses.sum() if weights is None else (losses * weights[rows]).sum())


def _settings(rows: int, features: int, limit: int, rounds: int, seed: int) -> dict[str, Any]:
    """Return the settings of the trees that the module's docstring explains."""
    return {
        "max_iter": limit,
        "learning_rate": 0.1 if rounds >= ROUNDS else 0.2,
        "early_stopping": rows >= MANY_ROWS,
        "min_samples_leaf": int(np.clip(rows // 10, 2, 20)),
        "max_features": 0.3 if features >= 8 else 1.0,
        "random_state": seed,
    }


def _best_rounds(
    fit: Callable[[np.ndarray, int], Any],
    losses: Callable[[Any, np.ndarray], list[float]],
    rows: int,
    rounds: int,
    seed: int,
    strata: np.ndarray | None = None,
    wide: bool = False,
) -> int:
    """Return the number of rounds with the least summed loss on held-out folds of the training rows."""
    order = np.random.default_rng(seed).permutation(rows)
    if strata is not None:
        order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(rows, np.int64)
    fold[order] = np.arange(rows) % FOLDS
    total = np.zeros(rounds)
    few = rows <= 1000 and not wide
    for k in range(FOLDS if few else 1):  # one fold says enough when it has many rows, and costs less in wide tables
        kept, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        if len(held) == 0 or (strata is not None and len(np.unique(strata[kept])) < 2):
            continue
        curve = losses(fit(kept, rounds), held)
        if curve:
            total += curve
    return int(np.argmin(total)) + 1 if total.any() else rounds
