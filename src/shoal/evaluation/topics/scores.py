"""Every metric on the training, validation and test rows, with its interval."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record, Scores
from shoal.evaluation.scoring import score_entries, score_guess
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.data import DataRecord
from shoal.statistics.bootstrap import with_intervals


@dataclass(frozen=True)
class PartScores:
    """`parts`: `train`, `validation` and, unless it is sealed, `test`, each metric to its value with interval."""

    parts: dict[str, Scores] = field(default_factory=dict)

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
    scored, seed = evaluation.scored, evaluation.seed
    train, validation, calibrated = evaluation.train, evaluation.validation, evaluation.fitted.calibrated.probabilities
    of_validation = (
        score_guess(scored, validation.rows, validation.guess, seed)
        if calibrated is None
        else score_entries(scored, validation.rows, calibrated.after, seed)
    )
    parts = {"train": score_guess(scored, train.rows, train.guess, seed), "validation": of_validation}
    if not evaluation.fitted.sealed.for_later:
        test = evaluation.test
        drawing: dict[str, Any] = {"weights": test.entries.weights, **evaluation.drawing}
        parts["test"] = with_intervals(evaluation.task, test.entries.truth, test.guess, **drawing)
    return PartScores(parts)


def as_dict(scores: Scores) -> dict[str, Any]:
    """Return scores as plain data."""
    return {name: interval.as_dict() for name, interval in scores.items()}


def numbers(record: Record) -> dict[str, Any]:
    """Return the scores of each part, and their units where they are known."""
    data, scores = record[DataRecord], record[PartScores]
    document: dict[str, Any] = {part: as_dict(scores.parts.get(part, {})) for part in ("test", "validation", "train")}
    if data.units:
        units = {name: unit for name in scores.shown if (unit := data.score_unit(name))}
        document["units"] = {"scores": units}
    return document


TOPIC = Topic(50, PartScores, measure, numbers, of_sealed_run=True)
