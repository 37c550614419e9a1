"""X, y and what comes with them, checked in scikit-learn's manner, as one table of rows to learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import Any

import numpy as np
import polars as pl
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d, validate_data

from shoal.data import Dataset
from shoal.data.building import build_known
from shoal.data.checks import check_class_weights
from shoal.data.conversion import tidy
from shoal.data.frames import from_python
from shoal.data.raw import Raw
from shoal.data.roles import Roles
from shoal.errors import DataError
from shoal.results import Task

FEWEST = 4
"""Rows: two train at least, and two validate."""
COPIES = 8
"""As which a row that counts several times comes at most, so that it may both train and validate."""
FEW = 32
"""Different rows from which on their split needs no copies of all of them."""
NESTED = dict | list | tuple | set | np.ndarray


def features_of(estimator: Any, X: Any, *, reset: bool) -> pl.DataFrame:
    """Return the features as a table, with the names of a data frame, or `x0`, `x1`, ….

    Numbers may be missing; columns of data frames and of arrays of objects keep their types.

    Args:
        estimator: gets `n_features_in_` and `feature_names_in_` with `reset`; else X must agree with them.
        X: data frame, array or list of rows.
        reset: whether this is the beginning of a fit.

    Raises:
        ValueError: another shape, other names or another order than in the fit, or infinite numbers.
        TypeError: sparse data, or values that are no numbers, texts or dates.
    """
    if hasattr(X, "__dataframe__") or hasattr(X, "__arrow_c_stream__"):
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        table = from_python(X, source="X")
        if reset:
            _check_count(estimator, table.height)
    else:
        fewest = FEWEST if reset else 1
        checks: dict[str, Any] = {"dtype": None, "ensure_all_finite": "allow-nan", "ensure_min_samples": fewest}
        table = _of_array(validate_data(estimator, X, reset=reset, **checks))
    table.columns = feature_names(estimator)
    return tidy(table)


def feature_names(estimator: Any) -> list[str]:
    """Return the names of the features that a fit saw."""
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{i}" for i in range(estimator.n_features_in_)] if names is None else [str(name) for name in names]


def _of_array(X: np.ndarray) -> pl.DataFrame:
    if X.dtype.kind in "biuf":
        return pl.DataFrame(np.ascontiguousarray(X.T, np.float64).T, orient="row")
    for value in X.flat if X.dtype == object else ():
        if isinstance(value, NESTED):
            raise TypeError(f"argument must be a string or a number, got {type(value).__name__!r} in X")
    return from_python({f"x{i}": column for i, column in enumerate(X.T)}, source="X")


def _check_count(estimator: Any, rows: int) -> None:
    if rows < FEWEST:
        raise ValueError(
            f"Found array with {rows} sample(s) while a minimum of {FEWEST} is required by {type(estimator).__name__}."
        )


@dataclass
class Columns:
    """The columns of a fit beside the features, and what each is for."""

    values: dict[str, Any] = field(default_factory=dict)
    roles: dict[str, Any] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)

    def add(self, role: str, name: str, values: Any) -> None:
        """Add a column under a name that no other has."""
        while name in self.taken:
            name = f"{name}_"
        self.taken.append(name)
        self.values[name] = values
        several = role in ("target", "y_err")
        self.roles[role] = [*self.roles.get(role, []), name] if several else name


def learning_rows(
    features: pl.DataFrame,
    targets: Sequence[Any],
    task: Task,
    *,
    sample_weight: np.ndarray | None = None,
    groups: Any = None,
    time: Any = None,
    y_err: np.ndarray | None = None,
    labels: Sequence[tuple[str, ...]] = (),
) -> Dataset:
    """Return the dataset of a fit: a row of weight k is the same as k equal rows, and the order of rows is no matter.

    Rows of weight zero are left out and equal rows are joined, their weights added. Where all weights are whole
    numbers they count rows, and a row that counts several times comes several times, at most eight.

    Args:
        features: of the rows.
        targets: the columns to predict: names of classes, or numbers.
        task: what is learnt.
        sample_weight: of the rows.
        groups: of the rows; a group is on one side of the split.
        time: of the rows; the latest validate.
        y_err: measured errors, `(rows, targets)`.
        labels: the names of the classes of each target, in their order.

    Raises:
        ValueError: too few rows, one class only, or values that make no sense.
    """
    columns = Columns(taken=list(features.columns))
    for target in targets:
        columns.add("target", "y", target)
    if groups is not None:
        check_consistent_length(features, groups)
        columns.add("group", "groups", [str(group) for group in np.asarray(groups).tolist()])
    if time is not None:
        check_consistent_length(features, time)
        columns.add("time", "time", np.asarray(time))
    for errors in () if y_err is None else y_err.T:
        columns.add("y_err", "y_err", errors)
    if sample_weight is not None and not sample_weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    columns.add("weight", "sample_weight", np.ones(features.height) if sample_weight is None else sample_weight)
    weight = columns.roles["weight"]
    table = pl.concat([features, tidy(from_python(columns.values, source="the rows"))], how="horizontal")
    table = counted_rows(joined_rows(table, weight), weight)
    if table.get_column(weight).n_unique() == 1:
        table, columns.roles["weight"] = table.drop(weight), None
    if table.height < FEWEST:
        raise ValueError(
            f"at least {FEWEST} different rows are needed, some to train on and others to validate, got {table.height} "
            f"among n_samples={features.height}"
        )
    roles = Roles(features=features.columns).replaced(**columns.roles)
    classes = dict(zip(columns.roles.get("target", ()), labels, strict=False))
    return _dataset(Raw("data", "python", table, roles), task, classes)


def _dataset(raw: Raw, task: Task, classes: Mapping[str, tuple[str, ...]]) -> Dataset:
    dataset = build_known(raw, task, classes)
    for each in dataset.of_each_target if classes else ():
        check_class_weights(each.y(), each.classes, each.weights())
    return dataset


def joined_rows(table: pl.DataFrame, weight: str) -> pl.DataFrame:
    """Return the different rows of a table in an order of their own, each with the weight of all that are equal.

    Example:
        >>> joined_rows(pl.DataFrame({"x": [2.0, 1.0, 2.0, 3.0], "w": [1.0, 1.0, 0.5, 0.0]}), "w").rows()
        [(1.0, 1.0), (2.0, 1.5)]
    """
    names = [name for name in table.columns if name != weight]
    floats = [pl.col(name) + 0.0 for name in names if table.schema[name].is_float()]  # -0.0 is 0.0
    ordered = table.filter(pl.col(weight) != 0).with_columns(floats).sort([*names, weight], nulls_last=True)
    changes = pl.any_horizontal([pl.col(name).ne_missing(pl.col(name).shift(1)) for name in names])
    new = ordered.select(changes).to_series().to_numpy().copy()
    new[:1] = True
    starts = np.flatnonzero(new)
    sums = np.add.reduceat(ordered.get_column(weight).to_numpy(), starts)
    return ordered[starts].with_columns(pl.Series(weight, sums, dtype=pl.Float64))


def counted_rows(table: pl.DataFrame, weight: str) -> pl.DataFrame:
    """Return rows that count several times several times, where all weights are whole numbers.

    Unless rows are few, weights are taken in units of the largest number that divides them all.

    Example:
        >>> counted_rows(pl.DataFrame({"x": [1.0, 2.0], "w": [1.0, 9.0]}), "w").get_column("w").to_list()
        [1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    weights = table.get_column(weight).to_numpy()
    if (weights < 1).any() or (weights % 1 != 0).any() or (weights > 2.0**53).any():
        return table
    counts = weights.astype(np.int64)
    if len(counts) >= FEW:
        counts //= gcd(*np.unique(counts).tolist())
    copies = np.minimum(counts, COPIES)
    rows = np.repeat(np.arange(len(counts)), copies)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(copies) - copies, copies)
    shares = counts[rows] // copies[rows] + (number < counts[rows] % copies[rows])
    return table[rows].with_columns(pl.Series(weight, shares.astype(np.float64)))


def checked_numbers(values: Any, name: str, estimator: Any) -> np.ndarray:
    """Return `(rows, columns)` finite numbers of y or of its errors."""
    checks: dict[str, Any] = {"ensure_2d": False, "dtype": np.float64, "input_name": name, "estimator": estimator}
    array = check_array(values, ensure_min_samples=0, ensure_min_features=0, **checks)
    if array.ndim == 2 and array.shape[1] == 1:
        array = column_or_1d(array, warn=True)
    return array.reshape(len(array), -1)


def checked_errors(y_err: Any, shape: tuple[int, ...], estimator: Any) -> np.ndarray:
    """Return measured errors `(rows, targets)`, of one column alike for all targets.

    Raises:
        ValueError: another shape, or an error that is no positive number.
    """
    errors = checked_numbers(y_err, "y_err", estimator)
    if errors.shape not in (shape, (shape[0], 1)):
        raise ValueError(f"y_err must have the shape of y, {shape}, or {(shape[0],)}, got {np.shape(y_err)}")
    if not (errors > 0).all():
        row, target = np.argwhere(~(errors > 0))[0]
        raise DataError(f"y_err must hold positive numbers, got {errors[row, target]:g} in row {row} (counted from 0)")
    return np.broadcast_to(errors, shape)
