"""New rows for networks that were fitted: read as those of the fit were, with the units checked and series cut."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from shoal.data.column_reading import ColumnReading
from shoal.data.conversion import tidy
from shoal.data.one_hot import joined_again
from shoal.data.preparation import Preparation
from shoal.data.raw import Raw, read_any
from shoal.data.readers import ReadOptions, options_alike
from shoal.data.roles import Roles
from shoal.data.series.cutting import cut_again
from shoal.data.series.long_tables import steps_of
from shoal.data.table_rules import RefinedTable
from shoal.data.unit_clues import other_units
from shoal.data.unit_conversion import in_units
from shoal.data.units import units_of_names
from shoal.errors import DataError, ShoalWarning, counted
from shoal.results import Task


def read_new(data: Any, preparation: Preparation, options: ReadOptions | None = None) -> Raw:
    """Return new data as read, in the units of the fit, with a ShoalWarning for all that was done or looks doubtful.

    Args:
        data: a file, data frame, dict of columns, row as a dict, list of such rows, or array; an array has the
            features in their order.
        preparation: of the fit.
        options: how to read text files.

    Raises:
        DataError: the data cannot be read, or a column is in another unit than in the fit and shall not be converted.
    """
    options = options or ReadOptions()
    if isinstance(data, np.ndarray) and data.ndim == 2:
        names = preparation.input_columns
        if data.shape[1] == len(names):
            return Raw("data", "python", pl.DataFrame({name: data[:, i] for i, name in enumerate(names)}), Roles())
    data = _columns_of_rows(data)
    usual = replace(options, formats=preparation.reading.formats)
    raw = read_any(data, options_alike(usual, data, preparation.signals))
    if isinstance(data, Raw):  # these were read before
        return raw
    raw, notes = read_as_fitted(raw, preparation, options)
    for note in notes:
        warnings.warn(f"{raw.source}: {note}", ShoalWarning, stacklevel=4)
    return raw


def read_as_fitted(raw: Raw, preparation: Preparation, options: ReadOptions) -> tuple[Raw, tuple[str, ...]]:
    """Return data of any reader as the fit would have them, and in sentences what was done or looks doubtful.

    Raises:
        DataError: a column is in another unit than in the fit and shall not be converted.
    """
    given = ColumnReading(missing=(*preparation.reading.missing, *options.missing))
    signals = raw.signals and given.read_signals(raw.signals)
    table = ColumnReading(missing=options.missing).read_table(raw.table)
    units = {**units_of_names(raw.table.columns), **raw.units}
    used = preparation.units if preparation.signals is not None else {*preparation.input_columns, *preparation.targets}
    known = {name: unit for name, unit in preparation.units.items() if name in used}
    where = raw.source if raw.source != "python" else "the data"
    table, converted = in_units(table, units, known, convert=options.convert_units, data=where)
    refined, notes = refined_as_fitted(table, preparation)
    table = refined.table
    if refined.passed is not None:
        table = table.filter(pl.Series(refined.passed))
        signals = signals and signals[np.flatnonzero(refined.passed)]
    said = (*raw.notes, *converted, *other_units(table, preparation), *notes)
    return raw._replace(table=table, signals=signals, units={**units, **known}, refined=refined), said


def refined_as_fitted(table: pl.DataFrame, preparation: Preparation) -> tuple[RefinedTable, tuple[str, ...]]:
    """Return a table with the derived columns of the fit, which rows pass its cuts, and what is to be said of it."""
    if not preparation.rules:
        return RefinedTable(table), ()
    table = tidy(table)
    refined, notes = preparation.rules.apply_again(table, preparation.reading.read_table(table))
    left = 0 if refined.passed is None else int((~refined.passed).sum())
    if left:
        notes = (*notes, f"{counted(left, 'row')} of {table.height:,} left out by the cuts of the fit")
    return refined, notes


def beside_all_rows(raw: Raw, answers: pl.DataFrame) -> pl.DataFrame:
    """Return all rows of new data, with answers for those that pass the cuts of the fit; `passed` says which.

    Args:
        raw: as `read_new` returns it.
        answers: a row for each row that passes; may hold the columns of the data once more.
    """
    if raw.refined is None or raw.refined.passed is None:
        return answers
    everything, passed = raw.refined.table, raw.refined.passed
    places = pl.Series(np.cumsum(passed) - 1, dtype=pl.Int64).set(pl.Series(~passed), None)
    new = [name for name in answers.columns if name not in everything.columns]
    name = "passed" if "passed" not in everything.columns else "shoal_passed"
    return everything.hstack(answers.select(pl.col(new).gather(places))).with_columns(pl.Series(name, passed))


def _columns_of_rows(data: Any) -> Any:
    """Return a row, a dict of single values, or a list of such rows as a dict of columns; anything else as it is."""
    if isinstance(data, Mapping) and data and all(_is_single(value) for value in data.values()):
        return {name: [value] for name, value in data.items()}
    if not isinstance(data, list) or not data or not all(isinstance(row, Mapping) for row in data):
        return data
    for number, row in enumerate(data, 1):
        absent = [name for name in data[0] if name not in row]
        more = [name for name in row if name not in data[0]]
        if absent or more:
            raise DataError(
                f"row {number} of the data has {'no' if absent else 'a'} column {(absent or more)[0]!r}, unlike row 1; "
                "give each row the same names, and None where a value is missing"
            )
    return {name: [row[name] for row in data] for name in data[0]}


def _is_single(value: Any) -> bool:
    return isinstance(value, str) or not hasattr(value, "__len__")


def cut_as_fitted(raw: Raw, preparation: Preparation, *, known: bool = False) -> Raw:
    """Return data cut into series where those of the fit were; with `known` those whose target is known."""
    if preparation.recipe is None or raw.signals is not None:
        return raw
    table = preparation.reading.read_table(raw.table)
    if known and preparation.task is Task.CLASSIFICATION:
        table = joined_again(table, preparation.targets[0], preparation.classes)
    table, signals = cut_again(table, preparation.recipe, known=known)
    return raw._replace(table=table, signals=signals)


def predicted_rows(uncut: Raw, cut: Raw, preparation: Preparation, lengths: np.ndarray | None) -> pl.DataFrame:
    """Return the rows as read for which there is an answer: one each, or one for each of `lengths` steps of series."""
    if lengths is None:
        return cut.table
    if preparation.recipe is not None and uncut.signals is None:
        return steps_of(preparation.reading.read_table(uncut.table), preparation.recipe)
    return cut.table.select(pl.all().repeat_by(pl.Series(lengths)).explode())


def true_values(raw: Raw, preparation: Preparation, time: int) -> np.ndarray:
    """Return the targets of rows, or those of the `time` steps that the networks know."""
    if not preparation.per_step or raw.signals is None:
        return preparation.target_values(raw.table)
    targets = raw.signals.targets
    return preparation.step_target_values(None if targets is None else targets.padded(time))
