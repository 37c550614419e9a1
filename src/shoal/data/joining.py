"""Test rows that come in their own file or table."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from shoal.data.conversion import tidy
from shoal.data.dataset import Dataset
from shoal.data.loading import load_dataset
from shoal.data.raw import Raw, read_any
from shoal.data.readers import ReadOptions
from shoal.data.series.step_targets import StepTargets
from shoal.data.signal_readers import options_alike
from shoal.data.signals import Signals
from shoal.data.units import differing_units
from shoal.errors import DataError, listing, suggest


def load_with_test(data: Any, test: Any, **options: Any) -> tuple[Dataset, np.ndarray]:
    """Return one dataset of both tables, and the positions of its test rows for `split_rows`.

    Args:
        data: rows for training and validation, as for `load_dataset`.
        test: test rows with the same columns, in any order; others are not looked at.
        options: arguments of `load_dataset`.

    Raises:
        DataError: the test rows lack a column, or hold another type in it.

    Example:
        >>> table = {"x": [0.1 * i for i in range(12)], "y": [0.3 * i for i in range(12)]}
        >>> dataset, rows = load_with_test(table, {"y": [1.0, 2.0], "x": [5.0, 6.0]})
        >>> dataset.rows, rows.tolist()
        (14, [12, 13])
    """
    reading = options.get("options", ReadOptions())
    name, source, first, own, signals, told, *_, units = read_any(data, reading)
    if signals is not None:
        reading = options_alike(reading, test, signals)
    _, _, second, _, others, told_of_test, *_, other_units = read_any(test, reading)
    notes = (*told, *(f"Test data: {note}" for note in told_of_test))
    if differing := differing_units(other_units, units):
        raise DataError(f"the test rows: {differing[0]}; convert it, or mend the unit in the file")
    missing = [column for column in first.columns if column not in second.columns]
    if missing:
        raise DataError(
            f"the test rows have no column {listing(map(repr, missing))}; their columns are: "
            f"{listing(second.columns)}." + suggest(missing[0], second.columns)
        )
    both = _stacked(tidy(first), tidy(second))
    roles = options.pop("roles", None) or own
    part = np.repeat([0, 1], [first.height, second.height])
    raw = Raw(name, source, both, roles, _joined(signals, others), notes, part, None, units)
    dataset = load_dataset(raw, roles=roles, **options)
    dataset = Dataset(**{**_fields(dataset), "name": name, "source": source})
    if dataset.cut is not None:
        return dataset, np.flatnonzero(dataset.cut.part == 1)
    return dataset, np.flatnonzero(dataset.kept >= first.height)


def _joined(first: Signals | None, second: Signals | None) -> Signals | None:
    """Return the images or series of both."""
    if first is None and second is None:
        return None
    if first is not None and second is not None and first.kind == second.kind == "series":
        first, second = _equally_long(first, second)
    if first is None or second is None or first.kind != second.kind or first.shape != second.shape:
        shapes = ["a table" if s is None else f"{s.kind} of shape {s.shape}" for s in (first, second)]
        raise DataError(f"the training data are {shapes[0]}, the test data {shapes[1]}; both must be alike")
    lengths = None
    if first.lengths is not None or second.lengths is not None:
        each = [np.full(len(s), s.shape[0]) if s.lengths is None else s.lengths for s in (first, second)]
        lengths = np.concatenate(each)
    targets = _joined_targets(first.targets, second.targets)
    return Signals(first.kind, np.concatenate([first.values, second.values]), first.channels, lengths, targets)


def _joined_targets(first: StepTargets | None, second: StepTargets | None) -> StepTargets | None:
    if first is None and second is None:
        return None
    if first is None or second is None:
        which = "the test data" if first is None else "the training data"
        raise DataError(f"only {which} have a target for each step; both must be alike")
    return StepTargets(_stacked(first.table, second.table), first.steps)


def _equally_long(*parts: Signals) -> list[Signals]:
    """Return series padded to the longest of all."""
    steps = max(one.shape[0] for one in parts)
    padded = []
    for one in parts:
        found = one.shape[0]
        if found < steps:
            values = np.pad(one.values, ((0, 0), (0, steps - found), (0, 0)))
            lengths = np.full(len(one), found) if one.lengths is None else one.lengths
            targets = None if one.targets is None else one.targets.padded(steps)
            one = Signals(one.kind, values, one.channels, lengths, targets)
        padded.append(one)
    return padded


def _fields(dataset: Dataset) -> dict[str, Any]:
    return {name: getattr(dataset, name) for name in dataset.__dataclass_fields__}


def _stacked(first: pl.DataFrame, second: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of both; a column that is empty in one takes the type of the other."""
    columns = []
    for top in first.get_columns():
        bottom = second.get_column(top.name)
        dtype = _common(top, bottom)
        columns.append(top.cast(dtype).append(bottom.cast(dtype)))
    return pl.DataFrame(columns)


def _common(top: pl.Series, bottom: pl.Series) -> Any:
    if top.dtype == bottom.dtype or bottom.null_count() == len(bottom):
        return top.dtype
    if top.null_count() == len(top):
        return bottom.dtype
    if top.dtype.is_numeric() and bottom.dtype.is_numeric():
        return pl.Float64
    if top.dtype == pl.String and bottom.dtype.is_numeric():
        return pl.String  # a category of digits in few rows
    raise DataError(
        f"column {top.name!r} holds {str(top.dtype).lower()} in the training data and "
        f"{str(bottom.dtype).lower()} in the test rows; both must be of one type"
    )
