"""The importance of columns that a fit measures in passing, for its page."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.explanation.importance import ImportanceTable, permutation_importance
from shoal.evaluation.explanation.subject import OUT_OF_FOLD, VALIDATION, Subject
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.results import Task

REPEATS_IN_PASSING, ROWS_IN_PASSING, FEWEST_ROWS = 5, 500, 100
MULTIPLICATIONS = 1e9
"""That importance in passing may take: a fifth of a second or less."""
LIKE_A_MULTIPLICATION = 5
"""How many multiplications take as long as one output of a layer, with its activation."""


def measure(evaluation: Evaluation) -> ImportanceTable | None:
    """Return the importance of the columns of a table on its validation rows, or None where it is not cheap."""
    dataset, validation, folds = evaluation.fitted.dataset, evaluation.validation.rows, evaluation.fitted.folds
    if dataset.signals is not None or evaluation.task is Task.RECONSTRUCTION:
        return None
    groups = dataset.groups()
    numbers = None if groups is None else np.unique(groups[evaluation.validation_rows], return_inverse=True)[1]
    return cheap_importance(
        Subject(
            evaluation.judge,
            validation.x,
            VALIDATION if folds is None else OUT_OF_FOLD,
            y=validation.y,
            weights=validation.weights,
            answering=None if folds is None else folds.unlearned,
            groups=numbers,
            seed=evaluation.seed,
        )
    )


def cheap_importance(subject: Subject) -> ImportanceTable | None:
    """Return the importance of the columns by fewer rows and permutations, or None where it would take too long.

    The rows are as many as fit into about a fifth of a second, up to `ROWS_IN_PASSING`.
    """
    members = subject.predictor.members
    columns = 2 * len(subject.columns)  # those that go with others are permuted twice
    multiplications = sum(
        member.network.multiplications + LIKE_A_MULTIPLICATION * member.network.values for member in members
    )
    rows = int(MULTIPLICATIONS // max(1, columns * REPEATS_IN_PASSING * multiplications))
    if min(rows, len(subject)) < min(FEWEST_ROWS, len(subject)) or len(subject) < 2:
        return None
    return permutation_importance(subject.at_most(min(rows, ROWS_IN_PASSING)), repeats=REPEATS_IN_PASSING)


def numbers(record: Record) -> dict[str, Any]:
    """Return the importance of each column."""
    return {"importance": record[ImportanceTable].as_dict()}


TOPIC = Topic(160, ImportanceTable, measure, numbers, opens_test_rows=False)
