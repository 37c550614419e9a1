"""What simple methods reach on the test rows, and whether the ensemble beats them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shoal.evaluation.baselines.pca import Principal
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.paired import paired_difference
from shoal.evaluation.record import Record, Scores
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.scores import as_dict
from shoal.results import Interval, Task, readable
from shoal.statistics.bootstrap import with_intervals
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


@dataclass(frozen=True)
class BaselineScores:
    """The test scores of simple methods, and whether the ensemble beats them.

    Attributes:
        scores: name of a method to its scores.
        beaten: whether the ensemble has a lower loss than all of them.
        sentence: who is better, by how much, and whether that is more than chance.
        predicted: name of a method to what it predicts for the test entries.
    """

    scores: dict[str, Scores]
    beaten: bool
    sentence: str
    predicted: Mapping[str, np.ndarray] = field(default_factory=dict)


def measure(evaluation: Evaluation) -> BaselineScores:
    """Return what simple methods reach on the test rows."""
    task, entries = evaluation.task, evaluation.test.entries
    others = predictions(evaluation)
    drawing: dict[str, Any] = {"weights": entries.weights, **evaluation.drawing}
    scores = {name: with_intervals(task, entries.truth, other, **drawing) for name, other in others.items()}
    beaten, sentence = beats_baselines(task, entries.truth, evaluation.test.guess, others, **drawing)
    return BaselineScores(scores, beaten, sentence, others)


def predictions(evaluation: Evaluation) -> dict[str, np.ndarray]:
    """Return what each simple method predicts for the test entries."""
    test, others = evaluation.test, evaluation.fitted.baselines(evaluation.test.x)
    reconstruction = evaluation.record(ReconstructionRecord)
    if reconstruction is not None:
        train = evaluation.train.rows
        size = reconstruction.bottleneck
        others = simple_reconstructions(train.y, test.truth, size, train.weights, evaluation.seed)
    return {name: test.entries.taken(other) for name, other in others.items()}


def simple_reconstructions(
    train: np.ndarray, test: np.ndarray, components: int, weights: np.ndarray | None, seed: int
) -> dict[str, np.ndarray]:
    """Return what simple methods make of test rows: the mean, and as many principal components as a code has numbers.

    Args:
        train: scaled training rows `(rows, numbers)`, from which they learn.
        test: scaled test rows.
        components: the size of the code.
        weights: of the training rows, or None.
        seed: see `Principal.fit`.
    """
    principal = Principal.fit(train, components, weights, seed)
    return {"mean": np.tile(principal.mean, (len(test), 1)), "pca": principal.reconstruct(test)}


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
    of_ensemble = _mean(losses, weights)
    difference = paired_difference(losses, others[best], weights, seed=seed, block=block, groups=groups)
    wins = bool(of_ensemble < means[best])
    label = LABELS.get(best, best.replace("_", " "))
    numbers = _comparison(task, y, ensemble_prediction, baseline_predictions[best], weights, label)
    if not np.isfinite(of_ensemble):
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


def _comparison(task: Task, y: Any, ensemble: Any, baseline: Any, weights: Any, label: str) -> str:
    """Return e.g. `log-loss 0.12 for the networks and 0.2 for gradient boosting, accuracy 0.97 and 0.93`."""
    names = ["log_loss", "accuracy"] if task is Task.CLASSIFICATION else [main_metric(task, _targets(y))]
    pairs = [(METRICS[n].label, METRICS[n](y, ensemble, weights), METRICS[n](y, baseline, weights)) for n in names]
    first, *rest = pairs
    text = f"{first[0]} {readable(first[1])} for the networks and {readable(first[2])} for {label}"
    return ", ".join([text, *(f"{name} {readable(a)} and {readable(b)}" for name, a, b in rest)])


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


def numbers(record: Record) -> dict[str, Any]:
    """Return the scores of simple methods, and who is better."""
    baselines = record[BaselineScores]
    return {
        "baselines": {name: as_dict(scores) for name, scores in baselines.scores.items()},
        "verdict": {"beats_baselines": bool(baselines.beaten), "baselines_text": baselines.sentence},
    }


TOPIC = Topic(60, BaselineScores, measure, numbers)
