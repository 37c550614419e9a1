"""The importance of columns that a fit measures in passing, for its page."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.data import Dataset, Split
from shoal.evaluation.explanation.importance import ImportanceTable, permutation_importance
from shoal.evaluation.explanation.subject import OUT_OF_FOLD, VALIDATION, Subject
from shoal.prediction.predictor import Predictor
from shoal.results import Task

REPEATS_IN_PASSING, ROWS_IN_PASSING, FEWEST_ROWS = 5, 500, 100
MULTIPLICATIONS = 1e9
"""That importance in passing may take: a fifth of a second or less."""
LIKE_A_MULTIPLICATION = 5
"""How many multiplications take as long as one output of a layer, with its activation."""


def importance_in_passing(
    predictor: Predictor, dataset: Dataset, split: Split, rows: Any, held_out: np.ndarray | None, seed: int
) -> ImportanceTable | None:
    """Return the importance of the columns of a table on its validation rows, or None where it is not cheap.

    Args:
        predictor: the ensemble.
        dataset: what was read.
        split: its rows.
        rows: the validation rows: `x`, `y` and `weights`.
        held_out: `(members, rows)`, the members that did not learn from each; None: none of them did.
        seed: names the random numbers.
    """
    if dataset.signals is not None or dataset.task is Task.RECONSTRUCTION:
        return None
    groups = dataset.groups()
    if groups is not None:
        groups = np.unique(groups[split.validation], return_inverse=True)[1]
    weights, what = rows.weights, VALIDATION if held_out is None else OUT_OF_FOLD
    return cheap_importance(
        Subject(predictor, rows.x, what, y=rows.y, weights=weights, answering=held_out, groups=groups, seed=seed)
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
