"""The target: which column it is, whether it names classes or measures something, and its values."""

from __future__ import annotations

import numpy as np
import polars as pl

from shoal.data.conversion import (
    check_finite,
    first_row,
    is_date,
    is_integer,
    is_truth,
    to_labels,
    to_numbers,
    to_truth,
)
from shoal.data.roles import Roles
from shoal.data.units import split_unit
from shoal.errors import DataError, SettingError, listing, suggest
from shoal.results import Task

MULTILABEL = "multilabel"
"""The task of several targets that say no or yes: a classification, in which any number of them may be true."""
MOST_CLASSES = 1000
MOST_FEW = 20  # different whole numbers that may be classes
_ERROR_NAMES = ("{}_err", "{}_error", "sigma_{}", "{}_sigma", "err_{}")


def find_errors(table: pl.DataFrame, targets: list[str], roles: Roles) -> list[str]:
    """Return columns that by their names, units aside, hold the measured errors of the targets, or none."""
    taken = {name for _, name in roles.pairs()} | set(roles.features or []) | set(targets)
    free = [name for name in table.columns if name not in taken]
    called = {split_unit(name).name: name for name in free} | {name: name for name in free}
    errors = []
    for target in targets:
        stems = dict.fromkeys((target, split_unit(target).name))
        match = next((called[n] for s in stems for p in _ERROR_NAMES if (n := p.format(s)) in called), None)
        if match is None or not table.get_column(match).dtype.is_numeric():
            return []
        errors.append(match)
    return errors


def infer_task(table: pl.DataFrame, targets: list[str], has_errors: bool) -> tuple[Task, str]:
    """Return the task with a sentence that says why.

    Text, truth values and a few whole numbers (two different ones; at most 20, each in 20 rows on average,
    or counting 0 … k-1 or 1 … k with ten rows each on average) are classes; everything else is measured. Several
    targets are classes if one of them holds text, or all hold truth values.

    Raises:
        DataError: of several targets some hold text and others are measured.
    """
    if len(targets) > 1 and not has_errors:
        return _task_of_several(table, targets)
    if len(targets) > 1:
        return Task.REGRESSION, "Several targets with measured errors make it a regression."
    if has_errors:
        return Task.REGRESSION, "A target with measured errors makes it a regression."
    series = table.get_column(targets[0]).drop_nulls()
    if series.dtype == pl.Boolean or (series.dtype == pl.String and not is_date(series)):
        return Task.CLASSIFICATION, f"{targets[0]!r} holds text or truth values, so its values are classes."
    if is_integer(series) and (k := series.n_unique()) <= MOST_FEW:
        if _as_classes(series, k):
            return Task.CLASSIFICATION, (
                f"{targets[0]!r} holds {k} different whole numbers, so they are taken as classes; "
                "set the task to regression (--task regression) if they measure something."
            )
        return Task.REGRESSION, (
            f"{targets[0]!r} holds {k} different whole numbers in {len(series)} rows, so they are taken as measured; "
            "set the task to classification (--task classification) if they name classes."
        )
    return Task.REGRESSION, f"{targets[0]!r} holds numbers, so it is a regression."


def _task_of_several(table: pl.DataFrame, targets: list[str]) -> tuple[Task, str]:
    columns = {name: table.get_column(name).drop_nulls() for name in targets}
    text = [name for name, series in columns.items() if series.dtype == pl.String and not is_date(series)]
    if not text and not all(series.dtype == pl.Boolean for series in columns.values()):
        return Task.REGRESSION, "Several targets without text make it a regression."
    measured = [name for name in targets if infer_task(table, [name], False)[0] is Task.REGRESSION]
    if not measured:
        return (
            Task.CLASSIFICATION,
            f"{listing(map(repr, targets))} hold text or truth values: each has its own classes.",
        )
    first = columns[text[0]][0]
    raise DataError(
        f"the target {text[0]!r} holds text, such as {first!r}, and {listing(map(repr, measured))} holds numbers; "
        "networks predict classes or numbers, so fit each kind by itself (or mend the text, if it should be numbers; "
        "or set the task to classification, if the numbers name classes)"
    )


def _as_classes(series: pl.Series, k: int) -> bool:
    """Return whether `k` different whole numbers are few enough for their rows to be classes."""
    values = series.unique().sort().to_numpy()
    counts_up = k > 0 and values[0] in (0, 1) and values[-1] - values[0] == k - 1
    return k <= 2 or 20 * k <= len(series) or (counts_up and 10 * k <= len(series))


def are_few_numbers(series: pl.Series) -> bool:
    """Return whether a target holds few different whole numbers, which may be classes or measured."""
    present = series.drop_nulls()
    return is_integer(present) and present.n_unique() <= MOST_FEW


def read_task(task: Task | str) -> Task:
    """Return the task of that name; multilabel is a classification.

    Raises:
        SettingError: not classification, multilabel or regression.
    """
    supervised = [MULTILABEL, *(known for known in Task if known is not Task.RECONSTRUCTION)]
    if task == MULTILABEL:
        return Task.CLASSIFICATION
    if task == Task.RECONSTRUCTION:
        raise SettingError(
            "task must be classification, multilabel or regression; to reconstruct the inputs, give reconstruct"
        )
    try:
        return Task(task)
    except ValueError:
        raise SettingError(
            f"task must be classification, multilabel or regression, got {task!r}.{suggest(str(task), supervised)}"
        ) from None


def forecast_task(task: Task | str | None) -> Task:
    """Return the task of windows, which forecast numbers.

    Raises:
        SettingError: another task was asked for.
    """
    if task is not None and read_task(task) is not Task.REGRESSION:
        raise SettingError("a window predicts numbers; leave out task=classification, or window")
    return Task.REGRESSION


def class_names(series: pl.Series) -> tuple[str, ...]:
    """Return the classes in a target column, numbers in their order and text in alphabetical order."""
    names = to_labels(series).unique().drop_nulls()
    numbers = names.cast(pl.Float64, strict=False)
    order = numbers if numbers.null_count() == 0 else names
    return tuple(names.gather(order.arg_sort()).to_list())


def check_classes(target: pl.Series, classes: tuple[str, ...], kept: np.ndarray | None = None) -> None:
    """Check that a target can be told apart into classes.

    Raises:
        DataError: one class only, a class of one row, or far too many classes.
    """
    name, rows = target.name, len(target)
    check_finite(name, target, kept)
    if len(classes) == 1:
        raise DataError(f"the target {name!r} is {classes[0]!r} in every row; there is nothing to learn")
    if len(classes) > MOST_CLASSES or len(classes) > rows / 2:
        raise DataError(
            f"the target {name!r} has {len(classes):,} different values in {rows:,} rows, too many for "
            "classes; name another target, or set the task to regression if it holds numbers"
        )
    counts = to_labels(target).value_counts()
    single = counts.filter(counts.get_column("count") < 2).get_column(name).sort()
    if len(single):
        more = f" (and {len(single) - 1} more)" if len(single) > 1 else ""
        raise DataError(
            f"the class {single[0]!r}{more} of the target {name!r} has one row only; "
            "each class needs at least two, so add rows or leave the class out"
            + (", or set the task to regression" if target.dtype.is_numeric() else "")
        )


def class_indices(series: pl.Series, classes: tuple[str, ...]) -> np.ndarray:
    """Return `(rows,)` int64 positions of a target's values in the list of classes, -1 where unknown."""
    index = to_labels(series).replace_strict(
        list(classes), list(range(len(classes))), default=-1, return_dtype=pl.Int64
    )
    return index.fill_null(-1).to_numpy().copy()


def check_classes_known(series: pl.Series, classes: tuple[str, ...]) -> np.ndarray:
    """Return class positions as `class_indices` does, and refuse classes that are not known.

    Raises:
        DataError: names the first row with a missing or unknown class.
    """
    index = class_indices(series, classes)
    if (index < 0).any():
        row = first_row(index < 0)
        value = to_labels(series)[row - 1]
        if value is None:
            raise DataError(f"row {row} has no class in column {series.name!r}")
        raise DataError(
            f"row {row} has the class {value!r} in column {series.name!r}; the model knows: "
            f"{listing(classes)}." + suggest(value, classes)
        )
    return index


def target_numbers(table: pl.DataFrame, targets: list[str], rows: np.ndarray | None = None) -> np.ndarray:
    """Return `(rows, targets)` float64 values.

    Args:
        table: a tidied table.
        targets: names of its target columns.
        rows: positions of the rows in the file, where some were left out.

    Raises:
        DataError: names the column and row of the first value that is no finite number.
    """
    columns = []
    for name in targets:
        series = table.get_column(name)
        if is_date(series):
            raise DataError(f"the target {name!r} holds dates; give numbers, e.g. days since some date")
        read = to_numbers(series)
        if series.dtype == pl.String and series.null_count() < len(series) and is_truth(series):
            read = to_truth(series)
        lost = read.is_null()
        if lost.any():
            row = first_row(lost, rows)
            value = series.filter(lost)[0]
            held = "nothing" if value is None else repr(value)
            raise DataError(
                f"the target {name!r} must hold numbers for a regression, but row {row} holds {held}; "
                "mend the row, or set the task to classification"
            )
        check_finite(name, read, rows)
        columns.append(read.to_numpy())
    return np.stack(columns, axis=1) if columns else np.empty((table.height, 0))


def check_targets_vary(values: np.ndarray, targets: list[str]) -> None:
    """Check that no target of a regression is constant, and that each has a variance.

    Raises:
        DataError: names the target.
    """
    for name, column in zip(targets, values.T, strict=True):
        if column.min() == column.max():
            raise DataError(f"the target {name!r} is {column[0]:g} in every row; there is nothing to learn")
        known = column[np.isfinite(column)]
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            variance = float(np.var(known))
        if known.size and not np.finfo(float).tiny <= variance < np.inf:
            raise DataError(
                f"the target {name!r} reaches from {known.min():g} to {known.max():g}, and the square of such numbers "
                "is no number of 64 bits; give it in another unit"
            )
