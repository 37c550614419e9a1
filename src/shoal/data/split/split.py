"""Which rows train, which choose and stop, and which are opened once at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data.dataset import Dataset
from shoal.data.split.folds import check_folds
from shoal.data.split.rolling import RollingFolds, roll_dataset, told
from shoal.data.split.stratified import divide_stratified
from shoal.errors import DataError, SettingError, listing
from shoal.results import Task

_GROUP_DRAWS = 40


@dataclass(frozen=True, eq=False)
class Split:
    """Sorted int64 positions of the rows for training, validation and test, and how they were drawn.

    With `folds`, training and validation rows are the same: each network learns from all but one fold of them and
    is validated on that fold. With `rolling` folds of rows in time, which are those of the training rows, a network
    learns from rows before those that it is validated on, and the first rows validate nobody.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    how: str
    folds: int | None = None
    rolling: RollingFolds | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """The number of rows in each part; no rows are set apart for validation where there are folds."""
        validation = 0 if self.folds else len(self.validation)
        return {"train": len(self.train), "validation": validation, "test": len(self.test)}

    @property
    def rows_of_a_network(self) -> int:
        """How many rows one network learns from; with rolling folds, one of the last fold."""
        if self.folds is None:
            return len(self.train)
        return len(self.train) - len(self.train) // (self.folds if self.rolling is None else self.folds + 1)


def split_rows(
    dataset: Dataset,
    *,
    sizes: tuple[float, float, float] = (0.64, 0.16, 0.20),
    seed: int = 0,
    test_rows: np.ndarray | None = None,
    folds: int | None = None,
    repeats: int = 1,
) -> Split:
    """Split the rows of a dataset into training, validation and test.

    Windows that predict several steps overlap: those whose targets reach into the validation or test rows are left
    out of what comes before.

    Classes are in the same proportion in all three. With a group column, no group is divided; with a time column
    (and no group), the earliest rows train and the latest test.

    Args:
        dataset: the data.
        sizes: shares of training, validation and test rows; positive, adding up to 1.
        seed: integer ≥ 0; the same seed gives the same split.
        test_rows: positions of test rows that the user chose; the others are divided into training and
            validation in the proportion of `sizes`.
        folds: of a cross-validation on the rows for training and validation together; the test rows stay those
            of a split without folds. With a time column they are rolling. None: no folds.
        repeats: how many times the rows are dealt to folds; rolling folds are always the same.

    Raises:
        SettingError: sizes that are not positive or do not add up to 1; more folds than the rows can fill.
        DataError: too few rows, groups or times to split.

    Example:
        >>> from shoal.data.loading import load_dataset
        >>> data = load_dataset({"x": [0.1 * i for i in range(50)], "y": [i * i / 7 for i in range(50)]})
        >>> split = split_rows(data)
        >>> len(split.train), len(split.validation), len(split.test)
        (32, 8, 10)
    """
    sizes = _checked_sizes(sizes)
    everything = np.arange(dataset.rows)
    given = test_rows is not None
    if test_rows is not None:
        test = _checked_test_rows(test_rows, dataset.rows)
        rest = np.setdiff1d(everything, test)
    else:
        rest, test = _divide(dataset, everything, sizes[2], dataset.rows, seed)
    if folds is not None and dataset.roles.time is not None:
        return _rolling(dataset, rest, test, folds, given=given)
    share = sizes[1] / (sizes[0] + sizes[1])
    wanted = len(rest) if given else dataset.rows
    train, validation = _divide(dataset, rest, share if given else sizes[1], wanted, seed + 1)
    lost = len(train) + len(validation)
    validation = _purged(dataset, validation, test, given=given)
    train = _purged(dataset, _purged(dataset, train, validation), test, given=given)
    lost -= len(train) + len(validation)
    for name, part in (("training", train), ("validation", validation), ("test", test)):
        if not len(part):
            raise DataError(f"{dataset.rows} rows are too few for this split: no {name} rows are left")
    if folds is None:
        parts = f"{len(train):,} rows for training, {len(validation):,} for validation"
    else:
        train = validation = np.concatenate([train, validation])
        check_folds(dataset, train, folds)
        dealt = "" if repeats == 1 else f" (dealt anew in each of {repeats} repeats)"
        parts = f"{len(train):,} rows for training in {folds} folds{dealt}"
    if not given:
        _assert_groups_apart(dataset, test, train, validation, folds)
    how = _how(dataset, given, parts, train, test)
    if lost:
        how += f" {lost:,} windows were left out, since they predict values that later parts predict, too."
    return Split(np.sort(train), np.sort(validation), np.sort(test), how, folds)


def _rolling(dataset: Dataset, rest: np.ndarray, test: np.ndarray, folds: int, *, given: bool) -> Split:
    """Return the split whose training rows are all but the test rows, in rolling folds."""
    train = np.sort(_purged(dataset, rest, test, given=given))
    rolled = roll_dataset(dataset, train, folds)
    how = _how(dataset, given, f"{len(train):,} rows for training in {folds} rolling folds", train, test)
    if len(train) < len(rest):
        how += (
            f" {len(rest) - len(train):,} windows were left out, since they predict values that test windows predict."
        )
    how += told(dataset, train, rolled)
    if not given:
        _assert_groups_apart(dataset, test, train, train, folds)
    return Split(train, train[rolled.validated], np.sort(test), how, folds, rolled)


def _checked_sizes(sizes: Any) -> tuple[float, float, float]:
    try:
        values = tuple(float(size) for size in sizes)
    except (TypeError, ValueError):
        values = ()
    if len(values) != 3 or not all(0 < value < 1 for value in values) or abs(sum(values) - 1) > 1e-6:
        raise SettingError(
            "sizes must be three positive shares for training, validation and test that add up to 1, "
            f"e.g. (0.64, 0.16, 0.2); got {sizes!r}"
        )
    return values[0], values[1], values[2]


def _checked_test_rows(test_rows: np.ndarray, rows: int) -> np.ndarray:
    test = np.unique(np.asarray(test_rows, np.int64))
    if not len(test) or test[0] < 0 or test[-1] >= rows:
        raise SettingError(f"test_rows must be positions from 0 to {rows - 1}, at least one")
    if rows - len(test) < 5:
        raise DataError(f"{rows - len(test)} rows are left for training and validation; at least 5 are needed")
    return test


def _divide(dataset: Dataset, rows: np.ndarray, share: float, of: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide rows in two; the second part gets `share` of `of` rows."""
    count = min(max(round(share * of), 1), len(rows) - 1)
    groups, times = dataset.groups(), dataset.times()
    if groups is not None:
        return _by_group(dataset, rows, groups[rows], count, seed)
    if times is not None:
        return _by_time(rows, times[rows], count)
    strata = dataset.strata()
    if strata is not None:
        return _by_class(rows, strata[rows], count, seed)
    return _at_random(rows, None, count, seed)


def _at_random(rows: np.ndarray, strata: np.ndarray | None, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    if strata is None:
        order = np.random.default_rng(seed % 2**64).permutation(rows)
        return order[count:], order[:count]
    return divide_stratified(rows, strata, count, seed % 2**32)


def _by_class(rows: np.ndarray, y: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide with every class in proportion; classes too rare for that share one stratum."""
    counts = np.bincount(y)
    least = int(np.ceil(len(rows) / min(count, len(rows) - count)))
    rare = (counts < least)[y]
    strata = np.where(rare, -1, y)
    if 0 < rare.sum() < least:  # too few even together: they join the largest class
        strata = np.where(rare, int(counts.argmax()), y)
    if len(np.unique(strata)) > min(count, len(rows) - count):
        first, second = _at_random(rows, None, count, seed)
    else:
        first, second = _at_random(rows, strata, count, seed)
    return _every_class_first(rows, y, first, second)


def _every_class_first(
    rows: np.ndarray, y: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Swap rows so that no class is in the second part only: what was never seen cannot be learnt."""
    label = dict(zip(rows.tolist(), y.tolist(), strict=True))
    first_y, second_y = (np.asarray([label[row] for row in part.tolist()]) for part in (first, second))
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


def _assert_groups_apart(
    dataset: Dataset, test: np.ndarray, train: np.ndarray, validation: np.ndarray, folds: int | None
) -> None:
    """Assert that no group is divided, which the way of splitting makes impossible."""
    groups = dataset.groups()
    if groups is None:
        return
    kept_apart = [(test, train), (test, validation)] + ([] if folds else [(train, validation)])
    for one, other in kept_apart:
        assert not np.intersect1d(groups[one], groups[other]).size, "a group is on both sides of the split"


def _purged(dataset: Dataset, rows: np.ndarray, later: np.ndarray, *, given: bool = False) -> np.ndarray:
    """Leave out windows with a target that the windows of a later part predict, too.

    In a split by time, no target may lie at or after the first one of the later part. Where the user chose the test
    rows, or groups are kept on one side, the order is open: no target may be one of the later part.
    """
    cut = dataset.cut
    if cut is None or cut.recipe.window is None or not len(later):
        return rows
    if given or dataset.roles.time is None or dataset.groups() is not None:
        return cut.outside_of(rows, later)
    return rows[cut.until[rows] < cut.since[later].min()]


def _how(dataset: Dataset, given: bool, parts: str, train: np.ndarray, test: np.ndarray) -> str:
    """Say in a sentence how the rows were split; `parts` names those that are no test rows."""
    way = "at random"
    if dataset.roles.group is not None:
        way = f"with each {dataset.roles.group!r} kept on one side"
    elif dataset.roles.time is not None:
        way = f"in the order of {dataset.roles.time!r}, the earliest for training"
    elif dataset.task is Task.CLASSIFICATION:
        way = "at random, with the classes in proportion"
    unseen = []
    if dataset.task is Task.CLASSIFICATION:
        seen = np.unique(dataset.y()[train])
        unseen = [name for i, name in enumerate(dataset.classes) if i not in seen]
    more = f" No training row has the class {listing(map(repr, unseen))}." if unseen else ""
    if not given:
        return f"{parts} and {len(test):,} for the test, split {way}.{more}"
    text = f"{parts}, split {way}; {len(test):,} test rows as given.{more}"
    groups = dataset.groups()
    if groups is not None:
        others = np.setdiff1d(np.arange(dataset.rows), test)
        shared = len(np.intersect1d(groups[test], groups[others]))
        text += f" {shared} groups are in the test rows and in the others." if shared else ""
    return text
