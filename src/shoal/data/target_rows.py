"""The rows that have a target; others teach nothing and are left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from shoal.data.checks import LEAST_ROWS, check_size
from shoal.data.raw import Raw
from shoal.data.series.step_targets import numbers_of, series_with_targets
from shoal.data.targets import check_classes, check_targets_vary, class_names, target_numbers
from shoal.errors import DataError, listing
from shoal.results import Task


class TargetRows(NamedTuple):
    """The rows that have a target.

    Attributes:
        table: those rows.
        kept: `(rows,)` their positions in the data.
        targets: holds the columns of targets: the table itself, or one row for each step of series that has a target.
        per_step: whether the targets are those of steps.
        notes: what was left out, in sentences.
    """

    table: pl.DataFrame
    kept: np.ndarray
    targets: pl.DataFrame
    per_step: bool
    notes: list[str]


def rows_with_target(raw: Raw) -> TargetRows:
    """Return the rows that have a target, of series whose steps have targets those with one at some step.

    Raises:
        DataError: a target has no values, or too few rows have one.
    """
    if raw.signals is not None and raw.signals.targets is not None:
        kept, notes = series_with_targets(raw.signals.targets, raw.signals.lengths)
        table = raw.table[kept]
        check_size(table, 1, "labelled series")
        return TargetRows(table, kept, raw.signals.targets.real, True, notes)
    table, present, notes = raw.table, np.ones(raw.table.height, bool), []
    for name in raw.roles.target:
        series = table.get_column(name)
        if series.null_count() == len(series):
            raise DataError(f"the target {name!r} has no values")
        present &= series.is_not_null().to_numpy()
    passed = np.ones(table.height, bool) if raw.passed is None else raw.passed
    kept = np.flatnonzero(present & passed)
    left_out = int((passed & ~present).sum())
    if left_out:
        notes.append(f"{left_out} row{'s' if left_out > 1 else ''} without a target left out.")
    if len(kept) < table.height:
        table = table[kept]
    if table.height < LEAST_ROWS:
        which = "have a target" if passed.all() else "pass the cuts and have a target"
        raise DataError(f"only {table.height} rows {which}; at least {LEAST_ROWS} are needed")
    return TargetRows(table, kept, table, False, notes)


def learnable_classes(raw: Raw, rows: TargetRows, task: Task) -> dict[str, tuple[str, ...]]:
    """Return the classes of each target of a classification, none of a regression, whose targets are checked as well.

    Raises:
        DataError: classes that cannot be told apart or have measured errors; numbers that are not finite or never vary.
    """
    roles = raw.roles
    if task is not Task.CLASSIFICATION:
        if rows.per_step:
            numbers = numbers_of(rows.targets, roles.target)
        else:
            numbers = target_numbers(rows.table, roles.target, rows.kept)
        check_targets_vary(numbers, roles.target)
        return {}
    if rows.per_step and len(roles.target) > 1:
        raise DataError(
            f"of the steps of series, classes can be predicted for one target only, got {len(roles.target)}: "
            f"{listing(roles.target)}"
        )
    classes = {name: class_names(rows.targets.get_column(name)) for name in roles.target}
    try:
        for name, of_target in classes.items():
            check_classes(rows.targets.get_column(name), of_target, None if rows.per_step else rows.kept)
    except DataError as error:  # images and series may come from many files: say where they are
        raise error if raw.signals is None else DataError(f"{raw.source}: {error}") from None
    if roles.y_err:
        raise DataError(f"classes have no measured errors; leave out y_err={listing(roles.y_err)}")
    return classes
