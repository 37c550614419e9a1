"""Several targets of zeros and ones: classes where each row has exactly one 1, else several labels a row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import polars as pl

from shoal.data.frames import default_names
from shoal.data.raw import Raw
from shoal.data.targets import MULTILABEL
from shoal.errors import listing
from shoal.results import Task


class JoinedTargets(NamedTuple):
    """Data whose targets were looked at: joined into one column of classes or as they were, and what is said of it.

    `task` is the one that was asked for, or classification where targets were joined.
    """

    raw: Raw
    task: Task | str | None
    notes: tuple[str, ...] = ()


def with_classes_joined(raw: Raw, task: Task | str | None) -> JoinedTargets:
    """Return data in which one-hot targets are one column of classes, unless a regression is asked for.

    Args:
        raw: with all roles; targets of rows or of the steps of series.
        task: as asked for; None: it is inferred.
    """
    names = raw.roles.target
    targets = _targets(raw)
    if len(names) < 2 or raw.roles.y_err or not _are_zeros_and_ones(targets):
        return JoinedTargets(raw, task)
    which, number = listing(names), len(names)
    if task == MULTILABEL:
        return JoinedTargets(raw, task)
    if not _has_one_each(targets):
        several = (
            f"{which} hold only 0 and 1, but not exactly one 1 in each row: several labels a row, each of which is"
        )
        if task == Task.REGRESSION or raw.step_target_names:
            note = f"{several} fitted as a number, not as a class."
            return JoinedTargets(_explained(raw, note), task, (note,))
        note = f"{several} a class of its own; with the task regression (--task regression) they are {number} numbers."
        return JoinedTargets(_explained(raw, note), Task.CLASSIFICATION, (note,))
    if task is not None and task != Task.CLASSIFICATION:
        note = f"{which} hold exactly one 1 in each row, but are fitted as {number} numbers, as the task says."
        return JoinedTargets(_explained(raw, note), task, (note,))
    note = (
        f"{which} hold exactly one 1 in each row, whose place is taken as the class; with the task regression "
        f"(--task regression) they are {number} numbers."
    )
    return JoinedTargets(_explained(_joined(raw, targets), note), Task.CLASSIFICATION, (note,))


def joined_again(table: pl.DataFrame, target: str, classes: Sequence[str]) -> pl.DataFrame:
    """Return other rows with the column of classes that a fit made of one-hot targets, if they hold such targets.

    Args:
        table: may hold the target itself, or a column for each class.
        target: its name.
        classes: their names; they are those of the columns, or their places.
    """
    count = len(classes)
    for names in [] if target in table.columns else [list(classes), *_unnamed(count)]:
        if count > 1 and set(names) <= set(table.columns):
            targets = table.select(names)
            if _are_zeros_and_ones(targets) and _has_one_each(targets):
                return table.with_columns(_places(targets, target, classes))
    return table


def _targets(raw: Raw) -> pl.DataFrame:
    """Return the columns of targets, of rows or of steps."""
    steps = None if raw.signals is None else raw.signals.targets
    return (raw.table if steps is None else steps.table).select(raw.roles.target)


def _explained(raw: Raw, note: str) -> Raw:
    return raw._replace(choice=replace(raw.choice, task_reason=note))


def _unnamed(count: int) -> tuple[list[str], list[str]]:
    """Return the names that columns of targets get which came as an array."""
    return default_names(count, "y"), [f"target {i}" for i in range(count)]


def _known(targets: pl.DataFrame) -> pl.DataFrame:
    return targets.fill_nan(None).drop_nulls()


def _are_zeros_and_ones(targets: pl.DataFrame) -> bool:
    """Return whether all columns hold zeros and ones, or truth values, and some row has all of them."""
    if not all(dtype.is_numeric() or dtype == pl.Boolean for dtype in targets.dtypes):
        return False
    known = _known(targets.cast(pl.Float64))
    return known.height > 0 and all(series.is_in([0.0, 1.0]).all() for series in known.get_columns())


def _has_one_each(targets: pl.DataFrame) -> bool:
    known = _known(targets.cast(pl.Float64))
    return bool((known.sum_horizontal() == 1.0).all()) and sum(bool(s.any()) for s in known.cast(pl.Boolean)) > 1


def _joined(raw: Raw, targets: pl.DataFrame) -> Raw:
    """Return data with one column of classes instead of one-hot targets."""
    names = targets.columns
    unnamed = names in _unnamed(len(names))
    name = _free_name(names, [column for column in raw.column_names if column not in names], unnamed=unnamed)
    column = _places(targets, name, None if unnamed else names)
    roles, signals, table = replace(raw.roles, target=[name]), raw.signals, raw.table
    if signals is not None and signals.targets is not None:
        signals = replace(signals, targets=replace(signals.targets, table=pl.DataFrame([column])))
    else:
        table = table.drop(names).with_columns(column)
    units = {column: unit for column, unit in raw.units.items() if column not in names}
    return raw._replace(table=table, roles=roles, signals=signals, units=units)


def _free_name(names: list[str], others: list[str], *, unnamed: bool) -> str:
    """Return a name for the column of classes: what the names of one-hot columns begin with, or class."""
    common = re.sub(r"[\W_\d]+$", "", _beginning(names))
    name = common if unnamed or len(common) > 1 else "class"
    while name in others or name in names:
        name = f"{name}_class"
    return name


def _beginning(names: list[str]) -> str:
    """Return the letters with which all names begin."""
    first, last = min(names), max(names)
    same = [a == b for a, b in zip(first, last, strict=False)]
    return first[: (*same, False).index(False)]


def _places(targets: pl.DataFrame, name: str, classes: Sequence[str] | None) -> pl.Series:
    """Return the class of each row, null where a target is not known: the place of its 1, or the name of the place."""
    numbers = targets.cast(pl.Float64).fill_nan(None)
    known = pl.Series(numbers.select(pl.all_horizontal(pl.all().is_not_null())).to_series())
    places = pl.Series(name, numbers.fill_null(0.0).to_numpy().argmax(axis=1)).cast(pl.Int64)
    column = places if classes is None else pl.Series(name, list(classes)).gather(places)
    return column.set(~known, None)
