"""Every metric on the training, validation and test rows, with its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

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
        parts: `train`, `validation` and, unless it is sealed, `test`, each metric to its value with interval.
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

    @property
    def shown(self) -> Scores:
        """Those that stand for the run: of the test rows, or while these are sealed of the validation rows."""
        return self.test or self.parts.get("validation", {})


def measure(evaluation: Evaluation) -> PartScores:
    """Return the scores of each part.

    With folds those of validation rows are of members that did not learn from them, those of training rows of members
    that did. Probabilities of validation rows are calibrated by what other rows say.
    """
    scored, seed, chosen = evaluation.scored, evaluation.seed, evaluation.fitted.metrics
    train, validation, calibrated = evaluation.train, evaluation.validation, evaluation.fitted.calibrated.probabilities
    of_validation = (
        score_guess(scored, validation.rows, validation.guess, seed, chosen)
        if calibrated is None
        else score_entries(scored, validation.rows, calibrated.after, seed, chosen)
    )
    parts = {"train": score_guess(scored, train.rows, train.guess, seed, chosen), "validation": of_validation}
    if not evaluation.fitted.sealed.for_later:
        test = evaluation.test
        drawing: dict[str, Any] = {"weights": test.entries.weights, "chosen": chosen, **evaluation.drawing}
        parts["test"] = with_intervals(evaluation.task, test.entries.truth, test.guess, **drawing)
    scores = PartScores(parts, tuple(metric.name for metric in chosen))
    return replace(scores, notes=tuple(_notes(evaluation, scores.shown)))


def _notes(evaluation: Evaluation, shown: Scores) -> Iterator[str]:
    """Give what is to be known of the metrics that the user wanted, with the scores that are shown."""
    fitted, asked = evaluation.fitted, evaluation.asked
    if isinstance(asked, np.ndarray):
        yield f"Training: {len(asked):,} of these rows, drawn by chance."
    metrics, classes = fitted.metrics, fitted.dataset.classes
    of_class = [metric.label for metric in metrics if judges_one_class(metric, classes)]
    if of_class:
        positive = classes[signal_class(classes, fitted.settings.signal)]
        yield f"Of class {positive!r}, against the other: {', '.join(of_class)}."
    unweighted = [metric.label for metric in metrics if not metric.weighted]
    if unweighted and fitted.dataset.weights() is not None:
        yield f"Without the weights of rows: {', '.join(unweighted)}."
    unbounded = [metric.label for metric in metrics if not metric.bounded]
    if unbounded:
        yield f"Without an interval, since drawing rows anew never shows a larger one: {', '.join(unbounded)}."
    undefined = [metric.label for metric in metrics if math.isnan(shown[metric.name].value)]
    if undefined:
        part = "validation" if fitted.sealed.for_later else "test"
        yield f"Not a number for these {part} rows and what is predicted for them: {', '.join(undefined)}."


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
        units = {name: unit for name in scores.shown if (unit := data.score_unit(name))}
        document["units"] = {"scores": units}
    return document


TOPIC = Topic(50, PartScores, measure, numbers, of_sealed_run=True)
