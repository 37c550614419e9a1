"""The validation and test rows with what was predicted for them, kept for later comparisons and cuts."""

from __future__ import annotations

from dataclasses import dataclass, field

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.topics.base import Topic
from shoal.results import Task


@dataclass(frozen=True)
class ScoredRows:
    """`parts`: `validation` and `test` rows with their predictions, as `scored.safetensors` keeps them."""

    parts: dict[str, PredictedRows] = field(default_factory=dict)


def measure(evaluation: Evaluation) -> ScoredRows:
    """Return the test rows, and but for steps the validation rows, with their predictions; of a reconstruction none."""
    if evaluation.task is Task.RECONSTRUCTION:
        return ScoredRows()
    split, test = evaluation.fitted.split, evaluation.test
    entries = test.entries
    parts = {"test": PredictedRows(split.test, entries.truth, test.guess, entries.weights, entries.groups)}
    if entries.present is None:
        validation = evaluation.validation
        rows = validation.rows
        parts["validation"] = PredictedRows(
            evaluation.validation_rows, rows.y, validation.guess, rows.weights, rows.groups
        )
    return ScoredRows(parts)


TOPIC = Topic(105, ScoredRows, measure)
