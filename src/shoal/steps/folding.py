"""Whether candidates are cross-validated where the user does not say: folds use the rows of small tables fully."""

from __future__ import annotations

import numpy as np

from shoal.data import Dataset
from shoal.results import Task
from shoal.settings import FitSettings

FOLDS = 5
FEWEST_ROWS, MOST_ROWS = 50, 10_000
"""Of a table, the test rows left out, from which on and up to which candidates are cross-validated by default.

Fewer leave folds of a few rows; with more, 16 % of them are many, and the networks of all folds take long.
"""
FEWEST_SERIES, MOST_SERIES = 20, 500
"""The same of series that belong to classes, whose networks take longer each and of which most sets have few rows."""
FEWEST_CANDIDATES = 16
"""Each row of a fold is judged by the half of the kept candidates that it did not stop; of few, that is none at all."""


def default_folds(dataset: Dataset, settings: FitSettings, rows: np.ndarray) -> int | None:
    """Return into how many folds the rows outside the test are dealt where `cv` is not given; None: into none.

    Tables whose rows stand for themselves are, where enough candidates are tried, and series that have a class each.
    Rows that the user sets apart stay apart: `validation_size`, `repeats` and a search that repeats each candidate ask
    for a plain split, and replicas would be trained of the networks of all folds.
    """
    asked = settings.model_fields_set & {"validation_size", "repeats"} or settings.replicas or settings.y_cov
    series = dataset.signals is not None and dataset.signals.kind == "series" and dataset.task is Task.CLASSIFICATION
    known = dataset.signals is None or (series and dataset.step_targets is None and dataset.cut is None)
    plain = not known or dataset.task is Task.RECONSTRUCTION or dataset.roles.time is not None
    few = settings.networks is not None and settings.networks < FEWEST_CANDIDATES
    if (
        asked
        or plain
        or few
        or settings.strategy != "random"
        or dataset.classes_by_target
        or settings.network is not None
    ):
        return None
    groups = dataset.groups()
    if groups is not None and len(np.unique(groups[rows])) < 2 * FOLDS:
        return None
    if dataset.task is Task.CLASSIFICATION and np.bincount(dataset.y()[rows].ravel()).min() < 2 * FOLDS:
        return None
    fewest, most = (FEWEST_SERIES, MOST_SERIES) if series else (FEWEST_ROWS, MOST_ROWS)
    return FOLDS if fewest <= len(rows) <= most else None
