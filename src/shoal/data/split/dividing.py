"""The ways to divide rows in two: by group, by time, by class, or at random."""

from __future__ import annotations

import numpy as np

from shoal.data.dataset import Dataset
from shoal.data.split.stratified import divide_stratified
from shoal.errors import DataError

_GROUP_DRAWS = 40


def divide(dataset: Dataset, rows: np.ndarray, share: float, of: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide rows in two; the second part gets `share` of `of` rows.

    Groups are never divided; without groups, the latest rows come second; without times, classes are in proportion.

    Args:
        dataset: the data.
        rows: the positions to divide.
        share: from 0 to 1.
        of: the number of rows of which `share` is meant.
        seed: of the random numbers.

    Raises:
        DataError: too few groups or times.
    """
    count = min(max(round(share * of), 1), len(rows) - 1)
    groups, times = dataset.groups(), dataset.times()
    if groups is not None:
        return _by_group(dataset, rows, groups[rows], count, seed)
    if times is not None:
        return _by_time(rows, times[rows], count)
    strata = dataset.strata()
    if strata is not None:
        return _by_class(rows, strata[rows], count, seed)
    return _at_random(rows, count, seed)


def _at_random(rows: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.random.default_rng(seed % 2**64).permutation(rows)
    return order[count:], order[:count]


def _by_class(rows: np.ndarray, y: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide with every class in proportion; classes too rare for that share one stratum."""
    counts = np.bincount(y)
    least = int(np.ceil(len(rows) / min(count, len(rows) - count)))
    rare = (counts < least)[y]
    strata = np.where(rare, -1, y)
    if 0 < rare.sum() < least:  # too few even together: they join the largest class
        strata = np.where(rare, int(counts.argmax()), y)
    if len(np.unique(strata)) > min(count, len(rows) - count):
        first, second = _at_random(rows, count, seed)
    else:
        first, second = divide_stratified(rows, strata, count, seed % 2**32)
    return _every_class_first(rows, y, first, second)


def _every_class_first(
    rows: np.ndarray, y: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Swap rows so that no class is in the second part only: what was never seen cannot be learnt."""
    label = np.empty(rows.max() + 1, y.dtype)
    label[rows] = y
    first_y, second_y = label[first], label[second]
    for missing in np.setdiff1d(second_y, first_y):
        source = int(np.flatnonzero(second_y == missing)[0])
        target = int(np.flatnonzero(first_y == np.bincount(first_y).argmax())[0])
        first[target], second[source] = second[source], first[target]
        first_y[target], second_y[source] = second_y[source], first_y[target]
    return first, second


def _by_group(
    dataset: Dataset, rows: np.ndarray, groups: np.ndarray, count: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Divide between groups: of 40 draws the one nearest to the wanted number of rows and mix of classes."""
    from sklearn.model_selection import GroupShuffleSplit

    number = len(np.unique(groups))
    if number < 2:
        raise DataError(
            f"the group column {dataset.roles.group!r} has too few different groups; training, validation "
            "and test need at least one each"
        )
    share = min(max(count / len(rows), 1 / number), 1 - 1 / number)
    splitter = GroupShuffleSplit(_GROUP_DRAWS, test_size=share, random_state=seed % 2**32)
    strata = dataset.strata()
    classes = np.zeros(len(rows), np.int64) if strata is None else strata[rows]
    wanted = np.bincount(classes) * (count / len(rows))
    draws = [(first, second) for first, second in splitter.split(rows, groups=groups)]
    misfits = [np.abs(np.bincount(classes[second], minlength=len(wanted)) - wanted).sum() for _, second in draws]
    first, second = draws[int(np.argmin(misfits))]
    return rows[first], rows[second]


def _by_time(rows: np.ndarray, times: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Put the latest rows second; rows of the same time stay together."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    cuts = np.flatnonzero(ordered[1:] > ordered[:-1]) + 1
    if not len(cuts):
        raise DataError("the time column has too few different times to split the past from the future")
    cut = int(cuts[np.abs(cuts - (len(rows) - count)).argmin()])
    return rows[order[:cut]], rows[order[cut:]]
