"""Which rows train, which choose and stop, and which are opened once at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from shoal.data.dataset import FEWEST, Dataset
from shoal.data.split.dividing import divide
from shoal.data.split.folds import check_folds
from shoal.data.split.rolling import RollingFolds, describe_rolling, roll_dataset
from shoal.errors import DataError, SettingError, counted, listing
from shoal.results import Task
from shoal.short_repr import ShortRepr


@dataclass(frozen=True, eq=False, repr=False)
class Split(ShortRepr):
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


class _TestRows(NamedTuple):
    """The positions of the test rows, and whether the user chose them."""

    rows: np.ndarray
    given: bool


def split_rows(
    dataset: Dataset,
    *,
    sizes: tuple[float, float, float] = (0.64, 0.16, 0.20),
    seed: int = 0,
    test_rows: np.ndarray | None = None,
    folds: int | Callable[[np.ndarray], int | None] | None = None,
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
            of a split without folds. With a time column they are rolling. None: no folds. What chooses the number by
            the positions of the rows for training and validation may stand in its place.
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
    rest, test = _set_test_apart(dataset, sizes[2], seed, test_rows)
    folds = folds(rest) if callable(folds) else folds
    if folds is not None and dataset.roles.time is not None:
        return _split_rolling(dataset, rest, test, folds)
    train, validation = _divide_rest(dataset, rest, test, sizes, seed + 1)
    lost = len(rest) - len(train) - len(validation)
    parts = f"{counted(len(train), dataset.unit)} for training, {len(validation):,} for validation"
    if folds is not None:
        train = validation = np.concatenate([train, validation])
        check_folds(dataset, train, folds)
        dealt = "" if repeats == 1 else f" (dealt anew in each of {repeats} repeats)"
        parts = f"{counted(len(train), dataset.unit)} for training in {folds} folds{dealt}"
    _assert_groups_apart(dataset, test, train, validation, folds)
    how = _describe(dataset, parts, train, test)
    if lost:
        how += f" Left out {counted(lost, 'window')} that would predict values of later parts, too."
    return Split(np.sort(train), np.sort(validation), np.sort(test.rows), how, folds)


def _set_test_apart(
    dataset: Dataset, share: float, seed: int, test_rows: np.ndarray | None
) -> tuple[np.ndarray, _TestRows]:
    """Return the rows that are for no test, and the test rows: those that the user chose, else a share of all."""
    rows = np.arange(dataset.rows)
    if test_rows is not None:
        test = _checked_test_rows(test_rows, dataset.rows)
        return np.setdiff1d(rows, test), _TestRows(test, given=True)
    rest, test = divide(dataset, rows, share, dataset.rows, seed)
    return rest, _TestRows(test, given=False)


def _divide_rest(
    dataset: Dataset, rest: np.ndarray, test: _TestRows, sizes: tuple[float, float, float], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows for training and for validation, without windows that predict what later parts predict."""
    share, of = (sizes[1] / (sizes[0] + sizes[1]), len(rest)) if test.given else (sizes[1], dataset.rows)
    train, validation = divide(dataset, rest, share, of, seed)
    validation = _purged(dataset, validation, test.rows, given=test.given)
    train = _purged(dataset, _purged(dataset, train, validation), test.rows, given=test.given)
    for name, part in (("training", train), ("validation", validation), ("test", test.rows)):
        if not len(part):
            raise DataError(f"{dataset.rows} rows are too few for this split: no {name} rows are left")
    return train, validation


def _split_rolling(dataset: Dataset, rest: np.ndarray, test: _TestRows, folds: int) -> Split:
    """Return the split whose training rows are all but the test rows, in rolling folds."""
    train = np.sort(_purged(dataset, rest, test.rows, given=test.given))
    rolled = roll_dataset(dataset, train, folds)
    how = _describe(dataset, f"{counted(len(train), dataset.unit)} for training in {folds} rolling folds", train, test)
    if len(train) < len(rest):
        how += f" Left out {counted(len(rest) - len(train), 'window')} that would predict values of test windows, too."
    how += describe_rolling(dataset, train, rolled)
    _assert_groups_apart(dataset, test, train, train, folds)
    return Split(train, train[rolled.validated], np.sort(test.rows), how, folds, rolled)


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


def _assert_groups_apart(
    dataset: Dataset, test: _TestRows, train: np.ndarray, validation: np.ndarray, folds: int | None
) -> None:
    """Assert that no group is divided, which the way of splitting makes impossible unless the user chose test rows."""
    groups = dataset.groups()
    if groups is None or test.given:
        return
    kept_apart = [(test.rows, train), (test.rows, validation)] + ([] if folds else [(train, validation)])
    for rows, others in kept_apart:
        assert not np.intersect1d(groups[rows], groups[others]).size, "a group is on both sides of the split"


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


def _describe(dataset: Dataset, parts: str, train: np.ndarray, test: _TestRows) -> str:
    """Say in a sentence how the rows were split; `parts` names those that are no test rows."""
    way = "at random"
    if dataset.roles.group is not None:
        way = f"with each {dataset.roles.group!r} kept on one side"
    elif dataset.roles.time is not None:
        way = f"in the order of {dataset.roles.time!r}, the earliest for training"
    elif dataset.task is Task.CLASSIFICATION:
        way = "at random, with the classes in proportion"
        if dataset.classes_by_target:
            way = f"at random, with the combinations of classes that have {FEWEST} rows or more in proportion"
    unseen = []
    for each in dataset.of_each_target if dataset.task is Task.CLASSIFICATION else ():
        seen = np.unique(each.y()[train])
        unseen += [name for i, name in enumerate(each.classes) if i not in seen]
    more = f" No training row has the class {listing(map(repr, unseen))}." if unseen else ""
    if not test.given:
        return f"{parts} and {len(test.rows):,} for the test, split {way}.{more}"
    text = f"{parts}, split {way}; {counted(len(test.rows), f'test {dataset.unit}')} as given.{more}"
    groups = dataset.groups()
    if groups is not None:
        others = np.setdiff1d(np.arange(dataset.rows), test.rows)
        shared = len(np.intersect1d(groups[test.rows], groups[others]))
        verb = "is" if shared == 1 else "are"
        text += f" {counted(shared, 'group')} {verb} in the test rows and in the others." if shared else ""
    return text
