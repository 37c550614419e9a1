"""Test rows that come in their own file or table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from shoal.data.conversion import check_columns, tidy
from shoal.data.dataset import Dataset
from shoal.data.loading import load_dataset
from shoal.data.raw import read_any
from shoal.data.readers import ReadOptions, options_alike
from shoal.data.series.step_targets import StepTargets
from shoal.data.signals import Signals
from shoal.data.stacking import stacked
from shoal.data.unit_conversion import in_units
from shoal.data.units import units_of_names
from shoal.errors import DataError

_NAMES = ("the training data", "the test rows")


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
    first = read_any(data, reading)
    second = read_any(test, options_alike(replace(reading, formats=first.formats), test, first.signals))
    units = [{**units_of_names(raw.column_names), **raw.units} for raw in (first, second)]
    converted, conversions = in_units(
        second.table, units[1], units[0], convert=reading.convert_units, data="the test rows"
    )
    second = second._replace(table=converted, notes=(*second.notes, *(f"{text}." for text in conversions)))
    check_columns(second.table, first.table.columns, data="the test rows")
    both = first._replace(
        table=stacked([tidy(first.table), tidy(second.table)], _NAMES),
        signals=_stacked_signals(first.signals, second.signals),
        notes=(*first.notes, *(f"Test data: {note}" for note in second.notes)),
        part=np.repeat([0, 1], [first.table.height, second.table.height]),
        cut=None,
    )
    dataset = load_dataset(both, **options)
    if dataset.cut is not None:
        return dataset, np.flatnonzero(dataset.cut.part == 1)
    return dataset, np.flatnonzero(dataset.kept >= first.table.height)


def _stacked_signals(first: Signals | None, second: Signals | None) -> Signals | None:
    """Return the images or series of both."""
    if first is None and second is None:
        return None
    if first is not None and second is not None and first.kind == second.kind == "series":
        steps = max(first.shape[0], second.shape[0])
        first, second = _padded(first, steps), _padded(second, steps)
    if first is None or second is None or first.kind != second.kind or first.shape != second.shape:
        shapes = ["a table" if s is None else f"{s.kind} of shape {s.shape}" for s in (first, second)]
        raise DataError(f"the training data are {shapes[0]}, the test data {shapes[1]}; both must be alike")
    lengths = None
    if first.lengths is not None or second.lengths is not None:
        each = [np.full(len(s), s.shape[0]) if s.lengths is None else s.lengths for s in (first, second)]
        lengths = np.concatenate(each)
    targets = _stacked_targets(first.targets, second.targets)
    return Signals(first.kind, np.concatenate([first.values, second.values]), first.channels, lengths, targets)


def _stacked_targets(first: StepTargets | None, second: StepTargets | None) -> StepTargets | None:
    if first is None and second is None:
        return None
    if first is None or second is None:
        which = "the test data" if first is None else "the training data"
        raise DataError(f"only {which} have a target for each step; both must be alike")
    return StepTargets(stacked([first.table, second.table], _NAMES), first.steps)


def _padded(series: Signals, steps: int) -> Signals:
    longest = series.shape[0]
    if longest == steps:
        return series
    values = np.pad(series.values, ((0, 0), (0, steps - longest), (0, 0)))
    lengths = np.full(len(series), longest) if series.lengths is None else series.lengths
    targets = None if series.targets is None else series.targets.padded(steps)
    return Signals(series.kind, values, series.channels, lengths, targets)
