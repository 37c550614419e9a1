"""The folds of a cross-validation: which rows a network leaves out of its training and is judged on.

Rows with a time have other folds; see `shoal.data.split.rolling`.
"""

from __future__ import annotations

import numpy as np

from shoal.data.dataset import Dataset
from shoal.errors import SettingError
from shoal.results import Task
from shoal.streams import Stream

FOLDS = 7  # the path of the streams that deal rows to folds


def check_folds(dataset: Dataset, rows: np.ndarray, folds: int) -> None:
    """Refuse folds that these rows cannot fill.

    Args:
        dataset: the data.
        rows: positions of the rows outside the test rows.
        folds: how many folds are wanted.

    Raises:
        SettingError: fewer groups, fewer rows of a class or fewer than two rows for each fold.
    """
    if dataset.classes_by_target:
        for each in dataset.of_each_target:
            check_folds(each, rows, folds)
        return
    groups, fewest = dataset.groups(), f"cv: {folds} folds need at least"
    if groups is not None:
        count = len(np.unique(groups[rows]))
        if count < folds:
            where = f"in {dataset.roles.group!r} outside the test rows there are {count}"
            raise SettingError(f"{fewest} {folds} groups; {where}.{advice(count)}")
    elif dataset.task is Task.CLASSIFICATION:
        y = dataset.y()[rows]
        if y.ndim == 2:  # of series, those count in which a class comes up
            y = np.concatenate([np.unique(steps[steps >= 0]) for steps in y])
        counts = np.bincount(y, minlength=len(dataset.classes))
        rarest = int(np.where(counts > 0, counts, len(rows)).argmin())
        if counts[rarest] < folds:
            where = f"outside the test rows {dataset.classes[rarest]!r} has {counts[rarest]}"
            raise SettingError(f"{fewest} {folds} rows of each class; {where}.{advice(int(counts[rarest]))}")
    if len(rows) < 2 * folds:
        where = f"there are {len(rows)} outside the test rows"
        raise SettingError(f"{fewest} {2 * folds} rows; {where}.{advice(len(rows) // 2)}")


def advice(most: int) -> str:
    """Return what to do where there can be only so many folds."""
    return f" Choose --cv {most} or less, or leave it out." if most >= 2 else " Leave out --cv."


def assign_folds(
    strata: np.ndarray, folds: int, repeats: int, seed: int, groups: np.ndarray | None = None
) -> np.ndarray:
    """Return the fold of each row in each repeat.

    Without groups, rows are shuffled within their stratum and dealt in turn, stratum after stratum, so that folds
    differ by one row at most, and so do the rows of any stratum in them and of strata with neighbouring numbers
    taken together. With groups, whole groups go one after the other to the fold that has least of what they
    bring, large groups first.

    Args:
        strata: a number `(rows,)` for each row; rows of one number are spread evenly over the folds.
        folds: how many, at least 2.
        repeats: how many times the rows are dealt anew.
        seed: names the random numbers; repeat r has its own whatever the number of repeats.
        groups: `(rows,)` integers; rows of one group stay in one fold.

    Returns:
        `(rows, repeats)` int32, 0 to `folds - 1`.

    Example:
        >>> assign_folds(np.array([0, 0, 1, 1]), 2, 3, seed=0).sum(axis=0).tolist()
        [2, 2, 2]
    """
    streams = [Stream(seed, FOLDS, repeat) for repeat in range(repeats)]
    if groups is None:
        dealt = [_by_row(strata, folds, stream) for stream in streams]
    else:
        dealt = [_by_group(strata, groups, folds, stream) for stream in streams]
    return np.stack(dealt, axis=1).astype(np.int32)


def _by_row(strata: np.ndarray, folds: int, stream: Stream) -> np.ndarray:
    order = stream.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    fold = np.empty(len(strata), np.int64)
    fold[order] = np.arange(len(strata)) % folds
    return fold


def _by_group(strata: np.ndarray, groups: np.ndarray, folds: int, stream: Stream) -> np.ndarray:
    """Deal whole groups so that the sum of squares of the folds' shares of each stratum grows least."""
    names, group = np.unique(groups, return_inverse=True)
    cells, cell = np.unique(strata, return_inverse=True)
    counts = np.zeros((len(names), len(cells)))
    np.add.at(counts, (group, cell), 1.0)
    sizes = counts.sum(axis=1)
    # the number of rows counts as much as all strata together, since it decides how sure a fold's loss is
    share = np.column_stack([counts / counts.sum(axis=0), np.sqrt(len(cells)) * sizes / sizes.sum()])
    order = stream.permutation(len(names))
    # large groups first fills folds evenly; in classes of size, so that repeats still differ
    order = order[np.argsort(-np.floor(np.log2(sizes[order])), kind="stable")]
    held, chosen = np.zeros((folds, share.shape[1])), np.empty(len(names), np.int64)
    for index in order:
        chosen[index] = np.argmin(held @ share[index])
        held[chosen[index]] += share[index]
    return chosen[group]
