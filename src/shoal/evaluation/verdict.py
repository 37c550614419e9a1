"""The conclusions in plain sentences: how good, whether better than simple methods, whether overfitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shoal.evaluation.overfitting import Overfitting
from shoal.evaluation.record import Scores, Verdict
from shoal.results import Interval, Task, readable
from shoal.statistics.bootstrap import normal_quantile, percentiles, resampled_weights, resamples_for
from shoal.statistics.metrics import METRICS, row_losses

LABELS = {
    "most_frequent": "always predicting the shares of the classes",
    "mean": "always predicting the mean",
    "logistic_regression": "logistic regression",
    "linear_regression": "linear regression",
    "gradient_boosting": "gradient boosting",
    "random_kernels": "random convolution kernels with ridge regression",
    "persistence": "repeating the last value",
    "seasonal_naive": "repeating the value of one season ago",
    "pca": "principal component analysis with as many components",
    "logistic_regression_on_neighbours": "logistic regression on neighbouring steps",
    "linear_regression_on_neighbours": "linear regression on neighbouring steps",
    "gradient_boosting_on_neighbours": "gradient boosting on neighbouring steps",
    "ridge_on_window": "ridge regression on the window",
}


def main_metric(task: Task, targets: int = 1) -> str:
    """Return the metric that decides: log-loss, RMSE, R² for targets of different units, or reconstruction error.

    Example:
        >>> main_metric(Task.CLASSIFICATION), main_metric(Task.REGRESSION), main_metric(Task.REGRESSION, 2)
        ('log_loss', 'rmse', 'r2')
    """
    if Task(task) is Task.CLASSIFICATION:
        return "log_loss"
    if Task(task) is Task.RECONSTRUCTION:
        return "reconstruction_error"
    return "rmse" if targets == 1 else "r2"


def paired_difference(
    losses: Any,
    other: Any,
    weights: Any = None,
    *,
    seed: int = 0,
    resamples: int = 2000,
    block: int = 1,
    groups: np.ndarray | None = None,
) -> Interval:
    """Return the mean of `other - losses` over rows, with the bootstrap interval of the pairs.

    Both predictions are scored on the same resampled rows, so that rows that are hard for both cancel.

    Example:
        >>> paired_difference([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).as_dict()["low"]
        1.0
    """
    difference = np.asarray(other, np.float64) - np.asarray(losses, np.float64)
    weights = np.ones(len(difference)) if weights is None else np.asarray(weights, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(np.divide(weights @ difference, weights.sum()))
        if len(difference) < 2 or not np.isfinite(value):
            return Interval(value, float("nan"), float("nan"), "paired bootstrap")
        count = resamples_for(len(difference), resamples)
        draws = resampled_weights(len(difference), weights, count, seed, block, groups)
        drawn = [(w @ difference) / w.sum(axis=1) for w in draws]
    values = np.concatenate(drawn)
    low, high = percentiles(values)
    if count < min(resamples, 400):
        half = normal_quantile(0.95) * float(np.nanstd(values, ddof=1))
        low, high = value - half, value + half
    return Interval(value, low, high, "paired bootstrap")


def beats_baselines(
    task: Task,
    y: Any,
    ensemble_prediction: Any,
    baseline_predictions: Mapping[str, Any],
    weights: Any = None,
    seed: int = 0,
    block: int = 1,
    groups: np.ndarray | None = None,
) -> tuple[bool, str]:
    """Return whether the ensemble has a lower loss than every baseline, and a sentence that says how clearly.

    The loss of a row is its log-loss; in regression its squared error, for several targets their mean with
    each target in units of its spread over these rows.

    Args:
        task: classification or regression.
        y: class numbers `(rows,)` or values `(rows, targets)`.
        ensemble_prediction: probabilities `(rows, classes)` or values `(rows, targets)`.
        baseline_predictions: the same by the baseline's name.
        weights: of the rows, `(rows,)`, any sign; None for ones.
        seed: of the resamples.
        block: how many neighbouring rows are drawn together.
        groups: `(rows,)` group of each row, counted from 0, which are drawn together; None: there are none.

    Example:
        >>> y = np.arange(20) % 2
        >>> better = np.where(np.eye(2)[y] == 1, 0.9, 0.1)
        >>> beats_baselines(Task.CLASSIFICATION, y, better, {"most_frequent": np.full((20, 2), 0.5)})[0]
        True
    """
    task = Task(task)
    if not baseline_predictions:
        return False, "There is no baseline to compare with."
    losses = _losses(task, y, ensemble_prediction, weights)
    others = {name: _losses(task, y, p, weights) for name, p in baseline_predictions.items()}
    means = {name: _mean(other, weights) for name, other in others.items()}
    best = min(means, key=lambda name: (np.nan_to_num(means[name], nan=np.inf), name))
    own = _mean(losses, weights)
    difference = paired_difference(losses, others[best], weights, seed=seed, block=block, groups=groups)
    wins = bool(own < means[best])
    label = LABELS.get(best, best.replace("_", " "))
    numbers = _comparison(task, y, ensemble_prediction, baseline_predictions[best], weights, label)
    if not np.isfinite(own):
        return False, "The networks' predictions cannot be compared: their loss is not a finite number."
    return wins, _sentence(wins, label, numbers, difference, _unit(task, y))


def _losses(task: Task, y: Any, prediction: Any, weights: Any) -> np.ndarray:
    """Return each row's loss `(rows,)`."""
    losses = row_losses(task, y, prediction)
    if task is Task.CLASSIFICATION:
        return losses
    if losses.shape[1] == 1:
        return losses[:, 0]
    mean = np.asarray(y, np.float64).mean(axis=0)
    spread = np.array([_mean(column, weights) for column in ((np.asarray(y) - mean) ** 2).T])
    return (losses / np.where(spread > 0, spread, 1.0)).mean(axis=1)


def _mean(losses: np.ndarray, weights: Any) -> float:
    if weights is None:
        return float(losses.mean())
    total = float(np.sum(weights))
    return float(np.asarray(weights, np.float64) @ losses / total) if total else float("nan")


def _targets(y: Any) -> int:
    return 1 if np.ndim(y) < 2 else int(np.shape(y)[1])


def _unit(task: Task, y: Any) -> str:
    if task is Task.CLASSIFICATION:
        return "log-loss"
    return (
        "mean squared error"
        if _targets(y) == 1 or task is Task.RECONSTRUCTION
        else "squared error in units of each target's variance"
    )


def _comparison(task: Task, y: Any, own: Any, other: Any, weights: Any, label: str) -> str:
    """Return e.g. `log-loss 0.12 for the networks and 0.2 for gradient boosting, accuracy 0.97 and 0.93`."""
    names = ["log_loss", "accuracy"] if task is Task.CLASSIFICATION else [main_metric(task, _targets(y))]
    pairs = [(METRICS[n].label, METRICS[n](y, own, weights), METRICS[n](y, other, weights)) for n in names]
    first, *rest = pairs
    text = f"{first[0]} {readable(first[1])} for the networks and {readable(first[2])} for {label}"
    return ", ".join([text, *(f"{name} {readable(one)} and {readable(two)}" for name, one, two in rest)])


def _sentence(wins: bool, label: str, numbers: str, difference: Interval, unit: str) -> str:
    """Return who is better, by how much, and whether that is more than chance."""
    low, high = (difference.low, difference.high) if wins else (-difference.high, -difference.low)
    interval = f"95 % interval {readable(low, 2)} to {readable(high, 2)}"
    size = f"The difference in {unit} is {readable(abs(difference.value), 2)}, {interval}"
    clear = low > 0
    if wins:
        close = "a clear one." if clear else "it could be chance on these rows."
        return f"The networks beat the simple methods: {numbers}, the best of these. {size}: {close}"
    if difference.value == 0:
        return f"The networks do not beat the simple methods: {label} is exactly as good ({numbers})."
    close = (
        f"a clear one. Use {label}, or give the networks more rows or a wider search."
        if clear
        else "within the uncertainty; these rows cannot tell the two apart."
    )
    return f"The networks do not beat the simple methods: {numbers}. {size}: {close}"


def verdict_text(
    task: Task,
    scores: Scores,
    baselines_text: str,
    overfitting: Overfitting,
    *,
    rows: int = 0,
    kept: int = 0,
    trained: int = 0,
    targets: int = 1,
    steps: int = 0,
) -> str:
    """Return the text that opens the page: the score with its interval, the baselines, overfitting.

    Args:
        task: classification or regression.
        scores: of the test rows, by metric.
        baselines_text: the sentence of `beats_baselines`.
        overfitting: the verdict of `overfitting_verdict`.
        rows: number of test rows, 0 to leave it unsaid.
        kept: networks in the ensemble, 0 to leave it unsaid.
        trained: networks that were trained.
        targets: number of targets.
        steps: number of steps in the test rows, where each of them has a target.
    """
    number = f"{rows} " if rows else ""
    score = _score(Task(task), scores, targets)
    what = f"untouched test series with {steps:,} steps" if steps else "untouched test rows"
    opening = f"{_who(kept, trained)}, scored on {number}{what}, {score}."
    parts = (opening, baselines_text, overfitting.sentence, overfitting.advice)
    return " ".join(part for part in parts if part)


def _who(kept: int, trained: int) -> str:
    if not kept:
        return "The ensemble"
    if kept > 1:
        return f"The ensemble of {kept} of the {trained} trained networks"
    return f"The best of {trained} trained networks" if trained > 1 else "The network"


def _score(task: Task, scores: Scores, targets: int) -> str:
    """Return e.g. `predicts 97 % of them correctly (95 % interval 90 to 100 %)`."""
    if task is Task.CLASSIFICATION:
        right = scores["accuracy"]
        value, low, high = (readable(100 * x) for x in (right.value, right.low, right.high))
        loss = scores["log_loss"]
        return (
            f"predicts {value} % of them correctly (95 % interval {low} to {high} %), with a log-loss of "
            f"{_with_interval(loss)}"
        )
    if task is Task.RECONSTRUCTION:
        share, error = (_with_interval(scores[name]) for name in ("explained_variance", "reconstruction_error"))
        return (
            f"reconstructs them with a mean squared error of {error} in units of the inputs' variance, and explains "
            f"{share} of that"
        )
    r2, rmse = scores["r2"], scores["rmse"]
    share, error = f"R² of {_with_interval(r2)}", f"RMSE of {_with_interval(rmse)}"
    if targets > 1:
        return f"predicts the {targets} targets with a mean {share} and a mean {error}"
    return f"predicts them with an {error} and an {share}"


def _with_interval(score: Interval) -> str:
    return f"{readable(score.value)} ({readable(score.low)} to {readable(score.high)})"


def conclude(
    task: Task,
    scores: Scores,
    baselines: tuple[bool, str],
    overfitting: Overfitting,
    *,
    rows: int,
    kept: int,
    trained: int,
    targets: int = 1,
    steps: int = 0,
) -> Verdict:
    """Return all conclusions of a run; `baselines` is what `beats_baselines` returned."""
    sizes = {"rows": rows, "kept": kept, "trained": trained, "targets": targets, "steps": steps}
    text = verdict_text(task, scores, baselines[1], overfitting, **sizes)
    return Verdict(
        overfitting=overfitting.kind,
        overfitting_text=overfitting.sentence,
        overfitting_advice=overfitting.advice,
        beats_baselines=baselines[0],
        baselines_text=baselines[1],
        text=text,
    )
