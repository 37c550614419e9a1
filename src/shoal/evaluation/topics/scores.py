"""Every metric on the training, validation and test rows, with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record, Scores
from shoal.evaluation.scoring import score_entries, score_guess
from shoal.evaluation.signal import signal_class
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.data import DataRecord
from shoal.statistics.bootstrap import with_intervals
from shoal.statistics.metric_choice import judges_one_class


@dataclass(frozen=True)
class PartScores:
    """The scores of each part.

    Attributes:
        parts: `train`, `validation` and `test`, each metric to its value with interval.
        chosen: metrics that the user wanted, the first as the headline.
        notes: what is to be known of these.
    """

    parts: dict[str, Scores] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def test(self) -> Scores:
        """Those of the test rows."""
        return self.parts.get("test", {})


def measure(evaluation: Evaluation) -> PartScores:
    """Return the scores of each part.

    With folds those of validation rows are of members that did not learn from them, those of training rows of members
    that did. Probabilities of validation rows are calibrated by what other rows say.
    """
    scored, seed, test = evaluation.scored, evaluation.seed, evaluation.test
    chosen = evaluation.fitted.metrics
    train, validation, calibrated = evaluation.train, evaluation.validation, evaluation.fitted.calibrated.probabilities
    of_validation = (
        score_guess(scored, validation.rows, validation.guess, seed, chosen)
        if calibrated is None
        else score_entries(scored, validation.rows, calibrated.after, seed, chosen)
    )
    entries = test.entries
    parts = {
        "train": score_guess(scored, train.rows, train.guess, seed, chosen),
        "validation": of_validation,
        "test": with_intervals(
            evaluation.task, entries.truth, test.guess, weights=entries.weights, chosen=chosen, **evaluation.drawing
        ),
    }
    return PartScores(parts, tuple(metric.name for metric in chosen), tuple(_notes(evaluation, parts["test"])))


def _notes(evaluation: Evaluation, test: Scores) -> Iterator[str]:
    """Give what is to be known of the metrics that the user wanted, whose scores on the test rows are known."""
    fitted = evaluation.fitted
    metrics, classes = fitted.metrics, fitted.dataset.classes
    of_class = [metric.label for metric in metrics if judges_one_class(metric, classes)]
    if of_class:
        positive = classes[signal_class(classes, fitted.settings.signal)]
        yield f"Of class {positive!r}, against the other: {', '.join(of_class)}."
    unweighted = [metric.label for metric in metrics if not metric.weighted]
    if unweighted and evaluation.test.entries.weights is not None:
        yield f"Without the weights of rows: {', '.join(unweighted)}."
    unbounded = [metric.label for metric in metrics if not metric.bounded]
    if unbounded:
        yield f"Without an interval, since drawing rows anew never shows a larger one: {', '.join(unbounded)}."
    undefined = [metric.label for metric in metrics if math.isnan(test[metric.name].value)]
    if undefined:
        yield f"Not a number for these test rows and what is predicted for them: {', '.join(undefined)}."


def as_dict(scores: Scores) -> dict[str, Any]:
    """Return scores as plain data."""
    return {name: interval.as_dict() for name, interval in scores.items()}


def numbers(record: Record) -> dict[str, Any]:
    """Return the scores of each part, and their units where they are known."""
    data, scores = record[DataRecord], record[PartScores]
    document: dict[str, Any] = {part: as_dict(scores.parts.get(part, {})) for part in ("test", "validation", "train")}
    if scores.chosen:
        document["metrics"] = {"chosen": list(scores.chosen), "notes": list(scores.notes)}
    if data.units:
        units = {name: unit for name in scores.test if (unit := data.score_unit(name))}
        document["units"] = {"scores": units}
    return document


TOPIC = Topic(50, PartScores, measure, numbers)
