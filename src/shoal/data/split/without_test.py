"""Rows for training and validation alone, where somebody else keeps rows for a test."""

from __future__ import annotations

import numpy as np

from shoal.data.dataset import Dataset
from shoal.data.split.dividing import divide
from shoal.data.split.folds import check_folds
from shoal.data.split.rolling import roll_dataset
from shoal.data.split.split import Split


def split_without_test(dataset: Dataset, share: float, seed: int, folds: int | None = None) -> Split:
    """Split all rows into training and validation, or deal them to folds; there are no test rows.

    As in `split_rows`, classes are in proportion, no group is divided, and the latest rows validate.

    Args:
        dataset: the data.
        share: of the rows for validation, of which there are two at least.
        seed: of the random numbers.
        folds: how many folds, in place of `share`; None: no folds.

    Raises:
        SettingError: more folds than the rows can fill.
        DataError: too few groups or times to split.

    Example:
        >>> from shoal.data.loading import load_dataset
        >>> data = load_dataset({"x": [0.1 * i for i in range(50)], "y": [i * i / 7 for i in range(50)]})
        >>> split_without_test(data, 0.2, seed=0).sizes
        {'train': 40, 'validation': 10, 'test': 0}
    """
    rows, none = np.arange(dataset.rows), np.empty(0, np.int64)
    if folds is None:
        train, validation = divide(dataset, rows, max(share, 2 / len(rows)), len(rows), seed)
        return Split(np.sort(train), np.sort(validation), none, "no test rows")
    if dataset.roles.time is not None:
        rolled = roll_dataset(dataset, rows, folds)
        return Split(rows, rows[rolled.validated], none, "rolling folds, no test rows", folds, rolled)
    check_folds(dataset, rows, folds)
    return Split(rows, rows, none, "folds, no test rows", folds)
