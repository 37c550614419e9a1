"""Rolling folds: networks learn from the past of the rows that they are judged on (forward chaining).

The rows outside the test rows are cut, in the order of time, into one part more than there are folds. The networks
of fold k are judged on part k + 1 and learn from earlier rows only, so that each fold repeats what the split does with
the test rows. Nobody is judged on the first part, and nobody learns from the last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.data.dataset import Dataset
from shoal.data.split.folds import advice
from shoal.errors import SettingError, listing
from shoal.results import Task

FEWEST = 2
"""Rows that a network learns from or is judged on: one half of those that judge stops it, the other is its score."""


@dataclass(frozen=True, eq=False)
class RollingFolds:
    """Which rows the networks of each fold do not learn from, and on which they are judged.

    Attributes:
        held_out: `(rows, folds)` int32; column k holds k at rows that fold k does not learn from, -1 at the others.
        judged: `(rows, folds)` int32; column k holds k at rows that judge fold k, -1 at the others.
    """

    held_out: np.ndarray
    judged: np.ndarray

    @property
    def validated(self) -> np.ndarray:
        """Whether a row judges the networks of some fold, `(rows,)`."""
        return self.part >= 0

    @property
    def part(self) -> np.ndarray:
        """The fold that a row judges, `(rows,)`; -1 in the first part."""
        return np.asarray(self.judged.max(axis=1))


def roll_folds(
    times: np.ndarray, folds: int, groups: np.ndarray | None = None, until: np.ndarray | None = None
) -> RollingFolds:
    """Return rolling folds of rows, those of scikit-learn's `TimeSeriesSplit` where all times differ.

    Parts are equally large, but for the first, which has what is left over. They are cut where the time changes,
    nearest to where equal sizes would have them. A group stands where its first row does and is never divided; rows of
    it that do not lie before all rows that judge are left out of that fold's training.

    Args:
        times: `(rows,)` time of each row, of windows that of the first value that they predict.
        folds: how many, at least 2; the rows need one more time (of the first rows of groups) than that.
        groups: `(rows,)` integers, or None.
        until: `(rows,)` time of the last value that a window predicts, which must lie before all that judge; None:
            `times`.

    Example:
        >>> rolled = roll_folds(np.arange(6.0), 2)
        >>> rolled.held_out.T.tolist()
        [[-1, -1, 0, 0, 0, 0], [-1, -1, -1, -1, 1, 1]]
        >>> rolled.judged.T.tolist()
        [[-1, -1, 0, 0, -1, -1], [-1, -1, -1, -1, 1, 1]]
    """
    starts, until = _starts(times, groups), times if until is None else until
    number = np.arange(folds)
    part = np.searchsorted(_cuts(np.sort(starts), folds), starts, side="right")
    judging = part[:, None] == number + 1
    first = np.where(judging, times[:, None], np.inf).min(axis=0)
    learning = (part[:, None] <= number) & (until[:, None] < first)
    return RollingFolds(*(np.where(marked, number, -1).astype(np.int32) for marked in (~learning, judging)))


def _starts(times: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return where each row stands in time: where the first row of its group does."""
    if groups is None:
        return times
    _, group = np.unique(groups, return_inverse=True)
    first = np.full(group.max() + 1, np.inf)
    np.minimum.at(first, group, times)
    return np.asarray(first[group])


def _cuts(ordered: np.ndarray, folds: int) -> np.ndarray:
    """Return the times at which the parts but the first begin, each as near to its place as the times allow."""
    changes = np.flatnonzero(np.diff(ordered) > 0) + 1
    size = len(ordered) // (folds + 1)
    cuts: list[int] = []
    for fold in range(folds):
        after = 0 if not cuts else int(np.searchsorted(changes, cuts[-1], side="right"))
        left = changes[after : len(changes) - (folds - 1 - fold)]  # those behind are for the cuts that follow
        wanted = len(ordered) - (folds - fold) * size
        cuts.append(int(left[np.abs(left - wanted).argmin()]))
    return ordered[cuts]


def roll_dataset(dataset: Dataset, rows: np.ndarray, folds: int) -> RollingFolds:
    """Return rolling folds of some rows of a dataset with a time column.

    Args:
        dataset: the data.
        rows: positions of the rows outside the test rows.
        folds: how many.

    Raises:
        SettingError: too few different times or too few rows; the message says how many folds there can be.
    """
    times, groups, cut = dataset.times(), dataset.groups(), dataset.cut
    assert times is not None
    until = None if cut is None or cut.recipe.window is None else cut.until[rows]
    times, groups = times[rows], None if groups is None else groups[rows]
    need, outside = f"cv: {folds} rolling folds need at least", "outside the test rows"
    count = len(np.unique(_starts(times, groups)))
    if count <= folds:
        what = "different times" if groups is None else f"different times at which a {dataset.roles.group!r} begins"
        raise SettingError(
            f"{need} {folds + 1} {what}; in {dataset.roles.time!r} {outside} there are {count}.{advice(count - 1)}"
        )
    if len(rows) < FEWEST * (folds + 1):
        raise SettingError(
            f"{need} {FEWEST * (folds + 1)} rows; there are {len(rows)} {outside}.{advice(len(rows) // FEWEST - 1)}"
        )
    rolled = roll_folds(times, folds, groups, until)
    _check_filled(dataset, rolled)
    return rolled


def _check_filled(dataset: Dataset, rolled: RollingFolds) -> None:
    """Refuse folds that learn from next to nothing, or are judged on it."""
    learn, judge = (rolled.held_out < 0).sum(axis=0), (rolled.judged >= 0).sum(axis=0)
    time, group = dataset.roles.time, dataset.roles.group
    if judge.min() < FEWEST:
        raise SettingError(
            f"cv: many rows have the same {time!r}, so that only {judge.min()} is left to judge fold "
            f"{judge.argmin() + 1} of {len(judge)}, which needs one to stop a network and one to judge it; choose "
            "fewer folds, or leave out --cv"
        )
    if learn.min() < FEWEST:
        why = "choose fewer folds, or leave out --cv"
        if group is not None:
            why = (
                f"others are later than the first row of a {group!r} that does; leave out either {group!r} or {time!r}"
            )
        elif dataset.cut is not None:
            why = (
                "others predict values that the windows that judge predict, too; choose fewer folds, or leave out --cv"
            )
        raise SettingError(
            f"cv: only {learn.min()} of the rows lie before those that judge fold {learn.argmin() + 1} of "
            f"{len(learn)}; {why}"
        )


def describe_rolling(dataset: Dataset, rows: np.ndarray, rolled: RollingFolds) -> str:
    """Return in sentences how rolling folds were made, and what the first of them cannot know.

    Args:
        dataset: the data.
        rows: positions of the rows outside the test rows, in the order of `rolled`.
        rolled: their folds.
    """
    folds, sizes = rolled.judged.shape[1], (rolled.judged >= 0).sum(axis=0)
    size = f"{sizes[0]:,}" if np.ptp(sizes) == 0 else f"{sizes.min():,} to {sizes.max():,}"
    text = (
        f" Fold k is judged on part k + 1 of {folds + 1} in the order of {dataset.roles.time!r} ({size} rows each) and "
        "learns from rows before it only; the networks of the last fold make the ensemble."
    )
    lost = ((rolled.held_out >= 0) & (rolled.part[:, None] < np.arange(folds))).sum(axis=0).max()
    if lost:
        what, why = "windows", "predict values that those that judge predict, too"
        if dataset.cut is None or dataset.cut.recipe.window is None:
            what, why = (
                "rows",
                f"are later than the first row that judges, though their {dataset.roles.group!r} began earlier",
            )
        text += f" Up to {lost:,} {what} that {why}, were left out of a fold."
    return text + _unseen(dataset, rows, rolled)


def _unseen(dataset: Dataset, rows: np.ndarray, rolled: RollingFolds) -> str:
    """Name the classes that the first fold is judged on or will be, and does not learn."""
    if dataset.classes_by_target:
        return "".join(_unseen(each, rows, rolled) for each in dataset.of_each_target)
    if dataset.task is not Task.CLASSIFICATION:
        return ""
    y = dataset.y()[rows]
    known = np.unique(y[rolled.held_out[:, 0] < 0])
    missing = [name for i, name in enumerate(dataset.classes) if i in y and i not in known]
    return f" The first fold learns from no row of {listing(map(repr, missing))}." if missing else ""
