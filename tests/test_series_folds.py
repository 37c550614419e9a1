"""Series that have a class each are cross-validated by default where they are few."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.data import load_dataset
from shoal.settings import check_settings
from shoal.steps.folding import FEWEST_CANDIDATES, FOLDS, MOST_SERIES, default_folds
from shoal.steps.proposing import NETWORKS_ON_SIGNALS, count_candidates


def folds_of(rows: int, classes: int = 2, regression: bool = False, **settings: object) -> int | None:
    x, y = np.random.default_rng(0).normal(size=(rows, 12, 1)), np.arange(rows) % classes
    dataset = load_dataset((x, y + 0.5 * (np.arange(rows) % 7)) if regression else (x, y))
    return default_folds(dataset, check_settings(settings), np.arange(rows))


@pytest.mark.parametrize(
    ("rows", "classes", "folds"),
    [(20, 2, FOLDS), (50, 10, FOLDS), (MOST_SERIES, 3, FOLDS), (19, 2, None), (40, 10, None)],
)
def test_few_series_are_dealt_into_folds(rows: int, classes: int, folds: int | None) -> None:
    assert folds_of(rows, classes) == folds


def test_many_series_numbers_and_what_the_user_asks_for_are_not() -> None:
    assert folds_of(MOST_SERIES + 1) is None
    assert folds_of(100, regression=True) is None
    assert folds_of(100, validation_size=0.3) is None
    assert folds_of(100, networks=4) is None


def test_with_folds_fewer_candidates_are_tried() -> None:
    settings = check_settings({})
    assert count_candidates(settings.with_folds(FOLDS), "series") == FEWEST_CANDIDATES
    assert count_candidates(settings.with_folds(None), "series") == NETWORKS_ON_SIGNALS
