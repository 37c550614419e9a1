"""New rows for networks that were fitted: read as those of the fit were, with the units checked and series cut."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import polars as pl

from shoal.data.preparation import Preparation
from shoal.data.raw import Raw, read_any
from shoal.data.readers import ReadOptions, options_alike
from shoal.data.roles import Roles
from shoal.data.series.cutting import cut_again
from shoal.data.series.long_tables import steps_of
from shoal.data.units import differing_units
from shoal.errors import ShoalWarning


def read_new(data: Any, preparation: Preparation, options: ReadOptions | None = None) -> Raw:
    """Return new data as read, with a ShoalWarning for each column in another unit than in the fit.

    Args:
        data: a file, data frame, dict of columns or array; an array has the features in their order.
        preparation: of the fit.
        options: how to read text files.

    Raises:
        DataError: the data cannot be read.
    """
    if isinstance(data, np.ndarray) and data.ndim == 2:
        names = preparation.input_columns
        if data.shape[1] == len(names):
            return Raw("data", "python", pl.DataFrame({name: data[:, i] for i, name in enumerate(names)}), Roles())
    raw = read_any(data, options_alike(options or ReadOptions(), data, preparation.signals))
    units = [f"{text}; nothing is converted" for text in differing_units(raw.units, preparation.units)]
    for note in (*raw.notes, *units):
        warnings.warn(f"{raw.source}: {note}", ShoalWarning, stacklevel=4)
    return raw


def cut_as_fitted(raw: Raw, preparation: Preparation, *, known: bool = False) -> Raw:
    """Return data cut into series where those of the fit were; with `known` those whose target is known."""
    if preparation.recipe is None or raw.signals is not None:
        return raw
    table, signals = cut_again(raw.table, preparation.recipe, known=known)
    return raw._replace(table=table, signals=signals)


def predicted_rows(uncut: Raw, cut: Raw, preparation: Preparation, lengths: np.ndarray | None) -> pl.DataFrame:
    """Return the rows as read for which there is an answer: one each, or one for each of `lengths` steps of series."""
    if lengths is None:
        return cut.table
    if preparation.recipe is not None and uncut.signals is None:
        return steps_of(uncut.table, preparation.recipe)
    return cut.table.select(pl.all().repeat_by(pl.Series(lengths)).explode())


def true_values(raw: Raw, preparation: Preparation, time: int) -> np.ndarray:
    """Return the targets of rows, or those of the `time` steps that the networks know."""
    if not preparation.per_step or raw.signals is None:
        return preparation.target_values(raw.table)
    targets = raw.signals.targets
    return preparation.step_target_values(None if targets is None else targets.padded(time))
