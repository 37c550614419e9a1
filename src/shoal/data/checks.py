"""What data must satisfy to become a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from shoal.data.conversion import first_row, to_numbers, to_times
from shoal.data.raw import Raw
from shoal.data.roles import Roles
from shoal.errors import DataError, SettingError, counted

LEAST_ROWS = 10


def check_reconstruction(**given: Any) -> None:
    """Refuse the arguments that a reconstruction, which has no targets, has no use for."""
    for name, value in given.items():
        if value is not None:
            raise SettingError(f"reconstruct learns the inputs and has no targets; leave out {name}={value!r}")


def check_labelled(raw: Raw) -> None:
    """Refuse images or series that come without targets; they are for predictions."""
    if raw.signals is None or raw.roles.target or set(raw.table.columns) - {name for _, name in raw.roles.pairs()}:
        return
    mend = "one folder for each class, or a table labels.csv that names files and targets"
    mend = "targets beside them, as y" if raw.signals.kind == "series" or "file" not in raw.table.columns else mend
    raise DataError(
        f"{raw.source} holds {raw.signals.kind} without targets, from which nothing can be learned; give {mend}"
    )


def check_size(table: pl.DataFrame, columns: int, what: str = "row") -> None:
    """Refuse tables with too few columns, or with too few rows (`what` says what one is)."""
    if table.width < columns:
        raise DataError(
            f"the table has only one column, {table.columns[0]!r}; it needs a target and at least one "
            "feature. For a text file, is the delimiter right?"
        )
    if table.height < LEAST_ROWS:
        raise DataError(f"the table has {counted(table.height, what)}; at least {LEAST_ROWS} are needed")


def check_role_values(table: pl.DataFrame, roles: Roles, kept: np.ndarray) -> None:
    """Check target errors, weights, groups and times.

    Raises:
        DataError: names the column and the row.
    """
    for name in roles.y_err:
        series = table.get_column(name)
        _refuse(series, ~(to_numbers(series) > 0), "a measured error must be a positive number", kept)
        _refuse(series, to_numbers(series).is_infinite(), "a measured error must be finite", kept)
    if roles.weight is not None:
        series = table.get_column(roles.weight)
        numbers = to_numbers(series)
        _refuse(series, numbers.is_null() | numbers.is_nan(), "a weight must be a number", kept)
        _refuse(series, numbers.is_infinite(), "a weight must be finite", kept)
        if not (numbers != 0).any():
            raise DataError(f"the weights in column {roles.weight!r} are all zero")
        if not (total := float(numbers.sum())) > 0:
            raise DataError(
                f"the weights in column {roles.weight!r} add up to {total:g}; negative ones are allowed, but a "
                "weighted mean means nothing unless their sum is positive"
            )
    if roles.group is not None:
        series = table.get_column(roles.group)
        _refuse(series, series.is_null(), "every row needs a group", kept)
    if roles.time is not None:
        series = table.get_column(roles.time)
        _refuse(series, ~to_times(series).is_finite(), "every row needs a time (a number or a date)", kept)


def check_class_weights(y: np.ndarray, classes: tuple[str, ...], weights: np.ndarray | None) -> None:
    """Refuse classes whose weights do not add up to more than zero.

    Raises:
        DataError: names the class; the loss of such a class has no lower bound.
    """
    if weights is None or y.ndim != 1:
        return
    totals = np.bincount(y, weights=weights, minlength=len(classes))
    for name, total in zip(classes, totals.tolist(), strict=True):
        if not total > 0:
            raise DataError(
                f"the weights of the class {name!r} add up to {total:g}: its expected number is not positive, and the "
                "less probable the networks call it the smaller their loss, without end; add rows or mend the weights"
            )


def _refuse(series: pl.Series, wrong: pl.Series, expected: str, kept: np.ndarray) -> None:
    wrong = wrong.fill_null(True)
    if wrong.any():
        value = series.filter(wrong)[0]
        held = "nothing" if value is None else repr(value)
        raise DataError(f"column {series.name!r}: {expected}, but row {first_row(wrong, kept)} holds {held}")
