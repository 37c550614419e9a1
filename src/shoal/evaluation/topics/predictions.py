"""The test rows with their predictions, as figures show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data.labels import labels_of
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.data import DataRecord
from shoal.prediction.conformal import coverage
from shoal.prediction.prediction import ClassPrediction
from shoal.results import Interval, Task
from shoal.statistics.metrics import confusion_matrix
from shoal.statistics.weighted import effective_number, negative_fraction


@dataclass(frozen=True)
class PredictedTestRows:
    """The test rows with their predictions, for the figures.

    Classification: `truth` (rows,) class numbers, `probabilities` (rows, classes).
    Regression: `truth`, `mean`, `std`, `low`, `high` (rows, targets) in the target's units;
    `coverage` is the share of test values inside their interval, of classes inside their set.
    Where each step of series has a target, rows are all their steps, and `series` holds the number of the test series
    of each.
    """

    truth: np.ndarray
    weights: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    coverage: Interval | None = None
    series: np.ndarray | None = None

    @property
    def unit(self) -> str:
        """What one entry is: a `row`, or a `step` of a series."""
        return "row" if self.series is None else "step"


def measure(evaluation: Evaluation) -> PredictedTestRows:
    """Return the test rows with what was predicted for them; of a reconstruction only their weights."""
    test, entries, groups = evaluation.test, evaluation.test.entries, evaluation.test.entries.groups
    if evaluation.task is Task.RECONSTRUCTION:
        return PredictedTestRows(test.truth[:, :0], test.weights)
    prediction = test.prediction if entries.present is None else test.prediction.at(entries.present)
    truth, weights, series = entries.truth, entries.weights, entries.series
    if isinstance(prediction, ClassPrediction):
        held = None
        if prediction.sets is not None:
            held = coverage(prediction.sets[np.arange(len(truth)), truth], weights, groups)
        return PredictedTestRows(truth, weights, probabilities=prediction.probabilities, coverage=held, series=series)
    inside = (truth >= prediction.low) & (truth <= prediction.high)
    return PredictedTestRows(
        truth,
        weights,
        mean=prediction.mean,
        std=prediction.std,
        low=prediction.low,
        high=prediction.high,
        coverage=coverage(inside, weights, groups),
        series=series,
    )


def numbers(record: Record) -> dict[str, Any]:
    """Return what the weights are worth, the confusion matrix, and how many true values their intervals hold."""
    data, rows = record[DataRecord], record[PredictedTestRows]
    document: dict[str, Any] = {} if rows.series is None else {"steps": len(rows.series)}
    if data.task is Task.RECONSTRUCTION:
        return document
    if rows.weights is not None:
        effective, negative = effective_number(rows.weights), negative_fraction(rows.weights)
        document["weights"] = {"effective_test_rows": effective, "negative_fraction": negative}
    if data.task is Task.CLASSIFICATION and rows.probabilities is not None:
        matrix = confusion_matrix(rows.truth, rows.probabilities, rows.weights)
        document["confusion_matrix"] = {
            "classes": list(labels_of(data.classes, data.label_type)),
            "rows_are_true": matrix,
        }
    if rows.coverage is not None:
        document["coverage"] = rows.coverage.as_dict()
    return document


TOPIC = Topic(100, PredictedTestRows, measure, numbers)
