"""What simple methods reach on the test rows, and whether the ensemble beats them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from shoal.evaluation.baselines.labels import label_of
from shoal.evaluation.baselines.pca import Principal
from shoal.evaluation.baselines.tabular import MOST_ROWS
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.guessing import cost_name, row_costs, variances
from shoal.evaluation.paired import paired_difference, paired_gain
from shoal.evaluation.record import Record, Scores
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.scores import as_dict
from shoal.results import Interval, Task, in_number, readable
from shoal.statistics.bootstrap import with_intervals
from shoal.statistics.metrics import METRICS, Metric
from shoal.statistics.weighted import weighted_mean


class Outcome(enum.StrEnum):
    """How the ensemble compares with the best simple method in the score that decides, `main_metric`.

    `BETTER` and `WORSE` are differences clear of noise: the 95 % interval of the paired difference, which counts the
    choice of the best, does not hold zero. All else is `UNCLEAR`.
    """

    BETTER = "better"
    UNCLEAR = "no clear difference"
    WORSE = "worse"

    @classmethod
    def of(cls, difference: Interval) -> Outcome:
        """Return what follows from the loss of the best simple method minus that of the ensemble."""
        return cls.BETTER if difference.low > 0.0 else cls.WORSE if difference.high < 0.0 else cls.UNCLEAR


@dataclass(frozen=True)
class AgainstBaselines:
    """How the ensemble stands beside simple methods.

    Attributes:
        outcome: how it compares with the best of them.
        sentence: who is better, by how much, and whether that is more than chance.
        difference: the loss of the best of them minus that of the ensemble, see `paired_difference`.
    """

    outcome: Outcome
    sentence: str
    difference: Interval


@dataclass(frozen=True)
class BaselineScores:
    """The test scores of simple methods, and whether the ensemble beats them.

    Attributes:
        scores: name of a method to its scores.
        outcome: how the ensemble compares with the best of them.
        sentence: who is better, by how much, and whether that is more than chance.
        predicted: name of a method to what it predicts for the test entries.
        learned: from how many rows they learned, where these are not all that the networks saw.
    """

    scores: dict[str, Scores]
    outcome: Outcome
    sentence: str
    predicted: Mapping[str, np.ndarray] = field(default_factory=dict)
    learned: int | None = None


def measure(evaluation: Evaluation) -> BaselineScores:
    """Return what simple methods reach on the test rows."""
    task, entries = evaluation.task, evaluation.test.entries
    others = predictions(evaluation)
    drawing: dict[str, Any] = {"weights": entries.weights, **evaluation.drawing}
    chosen = evaluation.fitted.metrics
    scores = {
        name: with_intervals(task, entries.truth, other, chosen=chosen, **drawing) for name, other in others.items()
    }
    drawing["metric"] = next(iter(chosen), None)
    standing = compare_with_baselines(task, entries.truth, evaluation.test.guess, others, **drawing)
    sentence = in_number(standing.sentence, len(evaluation.scored.members))
    split = evaluation.fitted.split
    seen = len(split.train) + (0 if split.folds else len(split.validation))
    learned = MOST_ROWS if seen > MOST_ROWS and task is not Task.RECONSTRUCTION else None
    return BaselineScores(scores, standing.outcome, sentence, others, learned)


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


def compare_with_baselines(
    task: Task,
    y: Any,
    ensemble_prediction: Any,
    baseline_predictions: Mapping[str, Any],
    weights: Any = None,
    seed: int = 0,
    block: int = 1,
    groups: np.ndarray | None = None,
    metric: Metric | None = None,
) -> AgainstBaselines:
    """Return whether the ensemble is better than the best baseline, by more than chance.

    It has a lower loss, or is better by the metric that the user wants to see first, if that can tell.

    The loss of a row is its log-loss, its reconstruction error or its squared error; for several targets the mean of
    these with each target in units of its spread over the rows. So the mean loss ranks as `main_metric` does.

    Args:
        task: classification, regression or reconstruction.
        y: class numbers `(rows,)` or values `(rows, targets)`.
        ensemble_prediction: probabilities `(rows, classes)` or values `(rows, targets)`.
        baseline_predictions: the same by the baseline's name.
        weights: of the rows, `(rows,)`, any sign; None for ones.
        seed: of the resamples.
        block: how many neighbouring rows are drawn together.
        groups: `(rows,)` group of each row, counted from 0, which are drawn together; None: there are none.
        metric: that decides; None, or one of which it is not known whether larger is better: the loss does.

    Example:
        >>> y = np.arange(20) % 2
        >>> better = np.where(np.eye(2)[y] == 1, 0.9, 0.1)
        >>> standing = compare_with_baselines(Task.CLASSIFICATION, y, better, {"most_frequent": np.full((20, 2), 0.5)})
        >>> standing.outcome.value, round(standing.difference.value, 2)
        ('better', 0.59)
    """
    task = Task(task)
    if metric is not None and metric.name != main_metric(task, _targets(y)) and baseline_predictions:
        by_metric = _standing_by(metric, y, ensemble_prediction, baseline_predictions, weights, seed, block, groups)
        if by_metric is not None:
            return by_metric
    unknown = Interval(float("nan"), float("nan"), float("nan"))
    losses = deciding_losses(task, y, ensemble_prediction, weights)
    others = {name: deciding_losses(task, y, p, weights) for name, p in baseline_predictions.items()}
    means = {name: float(weighted_mean(other, weights)) for name, other in others.items()}
    comparable = {name: mean for name, mean in means.items() if np.isfinite(mean)}
    if not comparable:
        return AgainstBaselines(Outcome.UNCLEAR, "There is no baseline to compare with.", unknown)
    compared = np.array([others[name] for name in comparable])
    difference = paired_difference(losses, compared, weights, seed=seed, block=block, groups=groups)
    if np.isnan(difference.value):
        sentence = "The networks' predictions cannot be compared: their loss is not a finite number."
        return AgainstBaselines(Outcome.UNCLEAR, sentence, unknown)
    outcome = Outcome.of(difference)
    best = min(comparable, key=lambda name: comparable[name])
    scores = _scores(task, y, ensemble_prediction, baseline_predictions, weights, best)
    size = _size(difference, _unit(task, y), len(comparable))
    return AgainstBaselines(outcome, _sentence(outcome, difference, label_of(best), scores, size), difference)


def _standing_by(
    metric: Metric,
    y: Any,
    ensemble: Any,
    baselines: Mapping[str, Any],
    weights: Any,
    seed: int,
    block: int,
    groups: np.ndarray | None,
) -> AgainstBaselines | None:
    """Return whether the ensemble is better than the best baseline by a metric; None where it cannot tell."""
    if metric.greater_is_better is None or not metric.bounded:
        return None
    sign = 1.0 if metric.greater_is_better else -1.0
    first = metric(y, ensemble, weights)
    scores = {name: metric(y, other, weights) for name, other in baselines.items()}
    scores = {name: score for name, score in scores.items() if np.isfinite(score)}
    if not scores or not np.isfinite(first):
        return None
    best = max(scores, key=lambda name: sign * scores[name])
    others = [baselines[name] for name in scores]
    difference = paired_gain(metric, y, ensemble, others, weights, seed=seed, block=block, groups=groups)
    of_both = f"{readable(first)} for the networks and {readable(scores[best])} for {label_of(best)}"
    size = _size(difference, metric.label, len(scores))
    outcome = Outcome.of(difference)
    sentence = _sentence(outcome, difference, label_of(best), f"{metric.label} {of_both}, the best of these", size)
    return AgainstBaselines(outcome, sentence, difference)


def deciding_losses(task: Task, y: Any, prediction: Any, weights: Any) -> np.ndarray:
    """Return each row's loss `(rows,)`, see `compare_with_baselines`."""
    return row_costs(task, y, prediction, None if _plain(task, y) else variances(y, weights))


def _plain(task: Task, y: Any) -> bool:
    """Return whether losses are what they are, not in units of the variances of several targets."""
    return task is not Task.REGRESSION or _targets(y) == 1


def _targets(y: Any) -> int:
    return 1 if np.ndim(y) < 2 else int(np.shape(y)[1])


def _unit(task: Task, y: Any) -> str:
    plain_number = task is not Task.CLASSIFICATION and _plain(task, y)
    return "mean squared error" if plain_number else cost_name(task, y)


def _scores(task: Task, y: Any, ensemble: Any, baselines: Mapping[str, Any], weights: Any, best: str) -> str:
    """Return e.g. `log-loss 0.12 for the networks and 0.2 for gradient boosting, the best of these; accuracy 1 and 1`.

    Where another simple method has a better accuracy than the best one, it is named.
    """
    metric = METRICS["log_loss" if task is Task.CLASSIFICATION else main_metric(task, _targets(y))]
    first, second = metric(y, ensemble, weights), metric(y, baselines[best], weights)
    of_both = f"{readable(first)} for the networks and {readable(second)} for {label_of(best)}"
    text = f"{metric.label} {of_both}, the best of these"
    if task is not Task.CLASSIFICATION:
        return text
    accuracies = {name: METRICS["accuracy"](y, baseline, weights) for name, baseline in baselines.items()}
    most = max(sorted(accuracies), key=lambda name: np.nan_to_num(accuracies[name], nan=-np.inf))
    text += f"; accuracy {readable(METRICS['accuracy'](y, ensemble, weights))} and {readable(accuracies[best])}"
    if accuracies[most] > accuracies[best]:
        text += f" (the best accuracy of the simple methods is {readable(accuracies[most])}, of {label_of(most)})"
    return text


def _size(difference: Interval, unit: str, methods: int) -> str:
    """Return how large the difference is, with its interval, both as a gain of the one that is ahead."""
    ahead = difference.value >= 0.0
    low, high = (difference.low, difference.high) if ahead else (-difference.high, -difference.low)
    size = f"The difference in {unit} is {readable(abs(difference.value), 2)}"
    if not np.isfinite([low, high]).all():
        return f"{size}; the independent rows are too few for an interval"
    chosen = f", which counts that the best of {methods} was chosen on these rows" if methods > 1 else ""
    return f"{size}, 95 % interval {readable(low, 2)} to {readable(high, 2)}{chosen}"


def _sentence(outcome: Outcome, difference: Interval, label: str, scores: str, size: str) -> str:
    """Return who is better, by how much, and whether that is more than chance."""
    if outcome is Outcome.BETTER:
        return f"The networks beat the simple methods: {scores}. {size}: a clear one."
    if outcome is Outcome.WORSE:
        advice = f"Use {label}, or give the networks more rows or a wider search."
        return f"The networks are worse than the simple methods: {scores}. {size}: a clear one. {advice}"
    if difference.value == difference.low == difference.high:
        return f"The networks do not beat the simple methods: {label} is exactly as good ({scores})."
    ahead = "the networks are" if difference.value > 0 else f"{label} is"
    return (
        f"No clear difference between the networks and the simple methods: {scores}. {size}: "
        f"{ahead} ahead, but within the uncertainty of these rows."
    )


def numbers(record: Record) -> dict[str, Any]:
    """Return the scores of simple methods, and who is better."""
    baselines = record[BaselineScores]
    return {
        "baselines": {name: as_dict(scores) for name, scores in baselines.scores.items()},
        "verdict": {
            "beats_baselines": baselines.outcome is Outcome.BETTER,
            "against_baselines": baselines.outcome.value,
            "baselines_text": baselines.sentence,
        },
    }


TOPIC = Topic(60, BaselineScores, measure, numbers)
