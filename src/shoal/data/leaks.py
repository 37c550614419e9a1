"""What would let an answer leak into a score: copies of rows, groups on both sides, features that are the target.

Each check names the rows or columns. The rules:

* *Copies*: rows equal in all features and targets. Named are test rows that equal a training or validation row.
* *Groups*: `split_rows` keeps each on one side and asserts it; test rows that the user chose may share groups.
* *Giveaways*: a feature whose order alone gives the classes without an error, or the target: equal up to a factor and
  an offset, a monotone function (sorted by the feature the target only rises, or only falls), or one-to-one with it
  (equal values always go with equal values, both ways, and values repeat). A pattern that chance would make with a
  probability above 10⁻⁶ is no evidence.
* *The future*, where a column gives the time: a date that lies after the row's own time; or a feature that holds the
  target of a later row (of the same group), up to a factor and an offset, and no earlier or present one as exactly.
* *Clocks*: a feature that rises (or falls) with the time from row to row. It is known in time, but all test rows lie
  beyond its values in training, where no network knows anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import polars as pl

from shoal.data.columns import Column, Kind
from shoal.data.conversion import is_date, to_labels, to_times
from shoal.data.dataset import Dataset
from shoal.data.split.split import Split
from shoal.errors import listing
from shoal.results import Task

NAMED = 5
"""Rows and groups that a warning names at most."""
CHANCE = 1e-6
"""A pattern that chance makes more often than this is no evidence."""
_COPY = 0.9999
_EXACT = 1e-9
"""Share of a feature's variance that may differ from the target of another row for it to count as a copy."""
LOOK_AHEAD = 24
"""Rows ahead in which the target is looked for in a feature."""
_LEAST = 10
_FEW = slice(10_000)
"""Rows that mostly show that a number does not tell the target: what some of them contradict, all of them do."""
_NUMBERS = (Kind.NUMBER, Kind.DATE, Kind.BOOLEAN)


def find_leaks(dataset: Dataset, split: Split) -> list[str]:
    """Return warnings of everything that would make a score too good, to be told before training."""
    return [*leaks_of_split(dataset, split), *giveaways(dataset), *from_the_future(dataset)]


def leaks_of_split(dataset: Dataset, split: Split) -> list[str]:
    """Return warnings of what is on both sides of a split: copies of rows, and groups.

    Args:
        dataset: the data.
        split: their rows for training, validation and test.

    Example:
        >>> from shoal.data.loading import load_dataset
        >>> from shoal.data.split.split import split_rows
        >>> data = load_dataset({"x": [0.1 * i for i in range(12)], "y": [i * i / 7 for i in range(12)]})
        >>> leaks_of_split(data, split_rows(data))
        []
    """
    return [*_copies_across(dataset, split), *_groups_across(dataset, split)]


def repeated_rows(dataset: Dataset) -> list[str]:
    """Return a warning if rows repeat earlier ones; how they will be split is not known."""
    first = _first_copy(dataset)
    repeated = int((first != np.arange(dataset.rows)).sum())
    if not repeated:
        return []
    rows = f"{repeated:,} row{' repeats' if repeated == 1 else 's repeat'}"
    return [
        f"{rows} an earlier one in all {_content(dataset)} and targets. Copies on both sides of the split make the "
        "test score too good."
    ]


def _content(dataset: Dataset) -> str:
    if dataset.signals is None:
        return "features"
    return "pixels" if dataset.signals.kind == "images" else "steps"


def _first_copy(dataset: Dataset) -> np.ndarray:
    """Return for each row the position of the first that is equal in what is learnt from and in the targets."""
    answers = list(dataset.targets) if dataset.step_targets is None else []
    names = [column.name for column in dataset.features] + answers
    columns = [dataset.table.get_column(name).alias(str(i)) for i, name in enumerate(names)]
    if dataset.signals is not None:
        columns.append(pl.Series("content", dataset.signals.digests(), dtype=pl.Binary))
    used, first = pl.DataFrame(columns), np.arange(dataset.rows)
    again = used.hash_rows().is_duplicated()  # rows of different hashes differ, and those of one are compared
    if again.any():
        alike = used.filter(again).with_columns(place=pl.Series(first).filter(again))
        first[again.to_numpy()] = alike.select(pl.col("place").min().over(used.columns)).to_series().to_numpy()
    return first


def _copies_across(dataset: Dataset, split: Split) -> list[str]:
    first = _first_copy(dataset)
    repeated = int((first != np.arange(dataset.rows)).sum())
    if not repeated:
        return []
    others = np.union1d(split.train, split.validation)
    copied = split.test[np.isin(first[split.test], first[others])]
    if len(copied):
        where = others[_first_place(first[others], first[copied])]
        pairs = (
            f"{dataset.positions[test] + 1} = {dataset.positions[other] + 1}"
            for test, other in zip(copied[:NAMED], where[:NAMED], strict=True)
        )
        more = f", … ({len(copied):,} in all)" if len(copied) > NAMED else ""
        what = "1 of the test rows is a copy" if len(copied) == 1 else f"{len(copied):,} of the test rows are copies"
        return [
            f"{what} of rows that networks learned from or were chosen by, in all {_content(dataset)} and targets "
            f"(row {', '.join(pairs)}{more}): the test score is a little too good. Leave the copies out, or keep them "
            "on one side with a group column."
        ]
    if split.folds is None:
        return []
    rows = "1 row repeats" if repeated == 1 else f"{repeated:,} rows repeat"
    return [f"{rows} an earlier one in all {_content(dataset)} and targets; copies may be in different folds."]


def _first_place(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where each wanted number stands first among the values, which hold it."""
    order = np.argsort(values, kind="stable")
    return order[np.searchsorted(values[order], wanted)]


def _groups_across(dataset: Dataset, split: Split) -> list[str]:
    name = dataset.roles.group
    if name is None:
        return []
    names = dataset.table.get_column(name).cast(pl.String).to_numpy()
    others = np.union1d(split.train, split.validation)
    shared = np.intersect1d(names[split.test], names[others]).tolist()
    if not shared:
        return []
    verb = "1 group is" if len(shared) == 1 else f"{len(shared):,} groups are"
    return [
        f"{verb} both in the test rows that were given and in the others: {listing(shared, NAMED)} "
        f"({name}). The test score tells nothing of new groups."
    ]


def giveaways(dataset: Dataset) -> Iterator[str]:
    """Give a warning for each feature that alone determines the target."""
    if dataset.classes_by_target:
        for each in dataset.of_each_target:
            yield from (f"{each.targets[0]!r}: {warning}" for warning in giveaways(each))
        return
    if dataset.task is Task.CLASSIFICATION:
        y = dataset.y()
        names = [column.name for column in dataset.features if _tells_class(dataset, column, y)]
        yield from (_giveaway(name, "tells the classes apart without an error") for name in names)
        return
    for column in dataset.features:
        for name, y in zip(dataset.targets, dataset.y().T, strict=True):
            how = _determines(dataset.table.get_column(column.name), column, y)
            if how:
                yield _giveaway(column.name, how.format(target=repr(name)))


def _giveaway(name: str, what: str) -> str:
    return f"{name!r} alone {what}. Would it be known when you predict? If not, ignore it."


def _determines(series: pl.Series, column: Column, y: np.ndarray) -> str:
    """Return how a feature determines a target, with `{target}` for its name, or an empty text."""
    if column.kind in _NUMBERS:
        x = _numbers(series)
        known = ~np.isnan(x)
        x, y = x[known], y[known]
        if _correlation(x, y) > _COPY:
            return "is {target} up to a factor and an offset, nearly"
    elif series.null_count() < len(series):
        known = series.is_not_null().to_numpy()
        x, y = to_labels(series).rank("dense").to_numpy()[known].astype(np.float64), y[known]
    else:
        return ""
    if len(y) < max(_LEAST, 0.5 * len(series)):
        return ""
    if column.kind in _NUMBERS and (_monotone(x, y) or _monotone(x, -y)):
        return "gives {target} by a curve that only rises or only falls, without an error"
    if column.distinct > len(x) / 2 or not _one_to_one(x, y):
        return ""
    return "is one-to-one with {target}: each of its values goes with one of the target"


def _monotone(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether y is a function of x that never falls, and chance is no explanation."""
    return _never_falls(x[_FEW], y[_FEW]) and _never_falls(x, y) and _orders(y) > -math.log(CHANCE / 2)


def _never_falls(x: np.ndarray, y: np.ndarray) -> bool:
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    return not (y[1:] < y[:-1]).any() and not ((x[1:] == x[:-1]) & (y[1:] != y[:-1])).any()


def _orders(y: np.ndarray) -> float:
    """Return the logarithm of the number of orders in which these values can come."""
    counts = np.unique(y, return_counts=True)[1]
    return math.lgamma(len(y) + 1) - sum(math.lgamma(n + 1) for n in counts.tolist())


def _one_to_one(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether equal x go with equal y and the other way round, with values that repeat often enough to tell."""
    pairs = pl.DataFrame({"x": x, "y": y})
    levels = pairs.get_column("x").n_unique()
    if not 1 < levels <= len(x) / 2 or pairs.get_column("y").n_unique() != levels or pairs.n_unique() != levels:
        return False
    return _orders(y) - math.lgamma(levels + 1) > -math.log(CHANCE)


def _numbers(series: pl.Series) -> np.ndarray:
    return to_times(series).cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the absolute Pearson correlation; 0 for fewer than ten rows."""
    if len(x) < _LEAST:
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    x, y = x / (np.abs(x).max() or 1.0), y / (np.abs(y).max() or 1.0)
    norm = float(np.sqrt(x @ x) * np.sqrt(y @ y))
    return abs(float(x @ y)) / norm if norm > 0 else 0.0


def _tells_class(dataset: Dataset, column: Column, y: np.ndarray) -> bool:
    """Whether equal or neighbouring values of a feature always have the same class.

    A number does when the rows sorted by it change class only as often as there are classes; a category
    when none of its levels has two classes and levels are much fewer than rows.
    """
    series = dataset.table.get_column(column.name)
    if series.null_count() > 0.5 * len(series):
        return False
    if column.kind in (Kind.CATEGORY, Kind.BOOLEAN, Kind.TEXT):
        pairs = pl.DataFrame({"x": to_labels(series), "y": y}).drop_nulls()
        levels = pairs.get_column("x").n_unique()
        some = 10 * levels <= pairs.height and pairs.get_column("y").n_unique() > 1
        return some and pairs.n_unique() == levels
    x = _numbers(series)
    known = ~np.isnan(x)
    x, y = x[known], y[known]
    classes = len(np.unique(y))
    if classes < 2 or _changes_of_class(x[_FEW], y[_FEW]) > classes - 1:
        return False
    return _changes_of_class(x, y) == classes - 1


def _changes_of_class(x: np.ndarray, y: np.ndarray) -> float:
    """Return how often the class changes along the rows sorted by a number; infinite where equal ones differ."""
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    change = y[1:] != y[:-1]
    return math.inf if (change & (x[1:] == x[:-1])).any() else int(change.sum())


def from_the_future(dataset: Dataset) -> Iterator[str]:
    """Give a warning for each feature that knows what comes after its row, or that is a clock."""
    times, name = dataset.times(), dataset.roles.time
    if times is None or name is None or dataset.signals is not None:
        return
    dated = is_date(dataset.table.get_column(name))
    for column in dataset.features:
        if column.kind not in _NUMBERS:
            continue
        x = _numbers(dataset.table.get_column(column.name))
        if dated and column.kind is Kind.DATE and (later := np.flatnonzero(x > times)).size:
            rows = f"{len(later):,} rows" if len(later) > 1 else "1 row"
            yield (
                f"{column.name!r} holds dates after the row's own {name!r} in {rows}, first in row "
                f"{dataset.positions[later[0]] + 1}. Would they be known then? If not, ignore it."
            )
        elif ahead := _holds_later(dataset, times, x):
            rows = "next" if ahead == 1 else f"{ahead} rows"
            yield (
                f"{column.name!r} holds the target of the row {rows} after it in time: it comes from the future. "
                "Ignore it."
            )
        elif dataset.groups() is None and _is_clock(times, x):
            yield (
                f"{column.name!r} only rises or only falls with {name!r}: a clock. Every test row lies beyond its "
                "values in training, where networks know nothing; ignore it, or use a difference or a phase."
            )


def _holds_later(dataset: Dataset, times: np.ndarray, x: np.ndarray) -> int:
    """Return how many rows later the target is that a feature holds, 0 if it holds none."""
    if dataset.task is not Task.REGRESSION or np.isnan(x).mean() > 0.5:
        return 0
    groups = dataset.groups()
    group = np.zeros(len(x), np.int64) if groups is None else groups
    order = np.lexsort((times, group))
    group, x = group[order], x[order] / (np.nanmax(np.abs(x)) or 1.0)
    for y in dataset.y()[order].T:
        if not _may_hold_later(x, y, group):
            continue
        misfit = {shift: _misfit(x, y, group, shift) for shift in range(-LOOK_AHEAD, LOOK_AHEAD + 1)}
        best = min(misfit, key=lambda shift: (misfit[shift], abs(shift)))
        known = min(misfit[shift] for shift in range(-LOOK_AHEAD, 1))
        if best > 0 and misfit[best] < _EXACT and misfit[best] < 1e-3 * known:
            return best
    return 0


def _may_hold_later(x: np.ndarray, y: np.ndarray, group: np.ndarray) -> bool:
    """Whether some of the rows leave it open; a line through all of them cannot fit these better than their own."""
    most = _EXACT * float(np.nansum((x - np.nanmean(x)) ** 2))
    few = x[_FEW], y[_FEW], group[_FEW]
    return any(_beyond_line(*_pairs(*few, shift))[0] <= most for shift in range(1, LOOK_AHEAD + 1))


def _misfit(x: np.ndarray, y: np.ndarray, group: np.ndarray, shift: int) -> float:
    """Return the share of a feature's variance that a line through the target `shift` rows later leaves open."""
    a, b = _pairs(x, y, group, shift)
    if len(a) < _LEAST or len(np.unique(a)) < 4:
        return 1.0
    rest, variance = _beyond_line(a, b)
    return rest / variance if variance else 1.0


def _pairs(x: np.ndarray, y: np.ndarray, group: np.ndarray, shift: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the known values of a feature beside the targets `shift` rows later in the same group."""
    here = slice(None, -shift) if shift > 0 else slice(-shift, None)
    there = slice(shift, None) if shift > 0 else slice(None, shift or None)
    same = (group[here] == group[there]) & ~np.isnan(x[here])
    return x[here][same], y[there][same]


def _beyond_line(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the squares of `a` around its line through `b`, and around its mean."""
    if not len(a):
        return 0.0, 0.0
    a, b = a - a.mean(), b - b.mean()
    b = b / (np.abs(b).max() or 1.0)
    rest = a - b * ((a @ b) / (b @ b or 1.0))
    return float(rest @ rest), float(a @ a)


def _is_clock(times: np.ndarray, x: np.ndarray) -> bool:
    """Whether a feature is a strictly monotone function of the time."""
    if np.isnan(x).any() or not _keeps_time(times[_FEW], x[_FEW]):
        return False
    return len(np.unique(times)) >= _LEAST and _keeps_time(times, x)


def _keeps_time(times: np.ndarray, x: np.ndarray) -> bool:
    order = np.argsort(times, kind="stable")
    step, passed = np.diff(x[order]), np.diff(times[order]) > 0
    still = step[~passed] == 0
    return bool(still.all() and ((step[passed] > 0).all() or (step[passed] < 0).all()))
