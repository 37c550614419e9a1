"""Which rows trained, validated and tested, and how often each candidate was trained on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.sealed import checksum_of_rows
from shoal.evaluation.topics.base import Topic


@dataclass(frozen=True)
class SplitRecord:
    """How the rows were split.

    Attributes:
        rows: how many for `train`, `validation` and `test`.
        how: a sentence.
        cv: how many folds each candidate was trained on, None without folds.
        repeats: how often.
        rolling: of rolling folds, how many rows taught a network (`train`) and judged one (`validation`).
        test_openings: how often the test rows were opened.
        unit: what a row is, see `Dataset.unit`.
        chosen: whether shoal chose the folds, rather than the user.
        judging: with folds, how many rows judged a network of the ensemble; None without.
        test_checksum: by which runs know that they were tested on the same rows.
    """

    rows: dict[str, int]
    how: str
    cv: int | None = None
    repeats: int = 1
    rolling: dict[str, int] | None = None
    test_openings: int = 1
    test_checksum: str = ""
    unit: str = "row"
    chosen: bool = False
    judging: int | None = None

    @property
    def sealed(self) -> bool:
        """Whether nothing looked at the test rows."""
        return self.test_openings == 0


def measure(evaluation: Evaluation) -> SplitRecord:
    """Return how the rows were split."""
    split = evaluation.fitted.split
    targets, dataset = evaluation.fitted.targets, evaluation.fitted.dataset
    checksum = checksum_of_rows(dataset.sha256, dataset.task, dataset.targets, split.test)
    if targets:
        return replace(next(iter(targets.values()))[SplitRecord], test_checksum=checksum)
    kept, rolling = bool(evaluation.fitted.kept), None
    if split.rolling is not None and kept:
        rolling = {"train": len(evaluation.train.rows.x), "validation": len(evaluation.validation.rows.x)}
    if kept and not evaluation.fitted.sealed.for_later:
        _ = evaluation.test  # opened now, if by no other topic before
    openings, repeats = evaluation.fitted.sealed.openings, evaluation.fitted.settings.repeats
    folds = split.folds, repeats, rolling
    chosen, judging = evaluation.fitted.settings.chosen_folds is not None, None
    if split.folds is not None and kept:
        judging = len(evaluation.validation_rows)
    return SplitRecord(split.sizes, split.how, *folds, openings, checksum, dataset.unit, chosen, judging)


def numbers(record: Record) -> dict[str, Any]:
    """Return how many rows there are for what, the folds, and how often the test rows were opened."""
    split = record[SplitRecord]
    search: dict[str, Any] = {"cv": split.cv, "repeats": split.repeats}
    if split.rolling is not None:
        search["rolling"] = dict(split.rolling)
    return {
        "rows": dict(split.rows),
        "search": search,
        "test_openings": split.test_openings,
        "test_checksum": split.test_checksum,
        "data": {"split": split.how, "row": split.unit},
    }


TOPIC = Topic(20, SplitRecord, measure, numbers, of_any_run=True, of_sealed_run=True)
