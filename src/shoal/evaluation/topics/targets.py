"""Several targets of classes that the same networks predict: the scores of all together, and what is said of each.

Each target is evaluated as a run of its own, in a folder within that of the run; here are their records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data.labels import labels_of
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record, Scores
from shoal.evaluation.topics.base import Topic
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.scored_rows import ScoredRows
from shoal.evaluation.topics.scores import PartScores, as_dict
from shoal.evaluation.topics.verdict import Verdict
from shoal.results import Interval, readable
from shoal.statistics.joint import joint_intervals


@dataclass(frozen=True)
class TargetScores:
    """The scores of several targets together, and the record of each.

    Attributes:
        parts: `validation` and `test`, each score of all targets together, see `shoal.statistics.joint`.
        f1: of each label on the test rows, where targets say no or yes; else empty.
        records: the finished run of each target, by its name.
        opening: how often all of them are right, a sentence.
    """

    parts: dict[str, Scores]
    f1: tuple[Interval, ...]
    records: Mapping[str, Record]
    opening: str

    @property
    def text(self) -> str:
        """The conclusions, in sentences."""
        return " ".join([self.opening, *(f"{name!r}: {of[Verdict].opening}" for name, of in self.records.items())])


def measure(evaluation: Evaluation) -> TargetScores | None:
    """Return the scores of several targets; None where there is one."""
    records, dataset = evaluation.fitted.targets, evaluation.fitted.dataset
    if not records:
        return None
    parts: dict[str, Scores] = {}
    f1: list[Interval] = []
    for part in ("validation", "test"):
        rows = [record[ScoredRows].parts[part] for record in records.values()]
        truth = np.stack([each.truth for each in rows], axis=1)
        predicted = np.stack([each.guess.argmax(axis=1) for each in rows], axis=1)
        drawing: dict[str, Any] = {"labels": dataset.is_multilabel, "seed": evaluation.seed, "groups": rows[0].groups}
        parts[part], f1 = joint_intervals(truth, predicted, rows[0].weights, **drawing)
    return TargetScores(parts, tuple(f1), records, _opening(parts["test"], len(records), dataset.is_multilabel))


def _opening(test: Scores, count: int, labels: bool) -> str:
    right, wrong, what = test["subset_accuracy"], test["hamming_loss"], "labels" if labels else "targets"
    every = "Both" if count == 2 else f"All {count}"
    return (
        f"{every} {what} of a row are predicted correctly in {_percent(right)} of the untouched test rows; of single "
        f"{what}, {_percent(wrong)} are wrong (the Hamming loss)."
    )


def _percent(share: Interval) -> str:
    value, low, high = (readable(100 * x, 3) for x in (share.value, share.low, share.high))
    interval = f"95 % interval {low} to {high} %" if share.low <= share.high else "too few groups for an interval"
    return f"{value} % ({interval})"


def numbers(record: Record) -> dict[str, Any]:
    """Return the scores of all targets together, and of each its classes, scores, baselines, coverage and verdict."""
    several = record[TargetScores]
    each = {name: _of_target(of_target) for name, of_target in several.records.items()}
    for name, score in zip(each, several.f1, strict=False):
        each[name]["test"]["f1"] = score.as_dict()
    scores = {part: as_dict(several.parts[part]) for part in ("test", "validation")}
    return {**scores, "targets": each, "verdict": {"text": several.text}}


def _of_target(record: Record) -> dict[str, Any]:
    data, bars, coverage = record[DataRecord], record.get(ErrorBars), record[PredictedTestRows].coverage
    document: dict[str, Any] = {
        "classes": list(labels_of(data.classes, data.label_type)),
        "test": as_dict(record[PartScores].test),
        "baselines": {name: as_dict(scores) for name, scores in record[BaselineScores].scores.items()},
        "verdict": record[Verdict].text,
    }
    if coverage is not None and bars is not None:
        document["coverage"] = {**coverage.as_dict(), "level": bars.level}
    return document


TOPIC = Topic(107, TargetScores, measure, numbers, of_any_run=True)
