"""What is in the data that are chosen, read once for all pages and tabs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Dataset, load_dataset
from shoal.data.conversion import to_numbers
from shoal.data.describe import Description, describe
from shoal.data.target_choice import TargetMissing
from shoal.errors import ShoalWarning
from shoal.steps.reading import loading_options
from shoal.workbench.recent import Recent
from shoal.workbench.state import State

_MOST_KEPT = 4
BINS, MOST_TOGETHER, ENOUGH_ROWS = 24, 24, 100_000
_NONE = np.empty((0, 0))
_FOR_TARGETS = ("task", "y_err", "y_cov", "window", "series", "season", "horizon", "per_step")


@dataclass(frozen=True, eq=False)
class Look:
    """Data as they are read with the settings of a state.

    Attributes:
        dataset: the rows and columns.
        description: what a careful person would want to know.
        headline: what is predicted, or why nothing is yet.
    """

    dataset: Dataset
    description: Description
    headline: str

    def histogram(self, name: str) -> list[int]:
        """Return how many rows lie in each of 24 equal parts of a column's range, or how many are of each category."""
        return list(_histogram(self, name))

    def correlations(self) -> tuple[list[str], np.ndarray]:
        """Return the first columns of numbers and their rank correlations (Spearman), at most 24 of them."""
        names = [column.name for column in self.description.columns if column.kind == "number"][:MOST_TOGETHER]
        ranks = [to_numbers(self._some(name)).rank().to_numpy() for name in names]
        with np.errstate(invalid="ignore", divide="ignore"):
            return names, np.atleast_2d(np.ma.corrcoef(np.ma.masked_invalid(ranks)).filled(np.nan)) if names else _NONE

    def _some(self, name: str) -> pl.Series:
        """Return a column, of many rows as many of them, evenly, as tell its shape."""
        column = self.dataset.table.get_column(name)
        return column.gather_every(max(1, len(column) // ENOUGH_ROWS))


@lru_cache(maxsize=2000)
def _histogram(look: Look, name: str) -> tuple[int, ...]:
    column = look._some(name).drop_nulls()
    if column.dtype.is_numeric() and not column.is_empty():
        values = column.to_numpy()
        return tuple(np.histogram(values[np.isfinite(values)], bins=BINS)[0].tolist())
    if column.dtype.is_temporal():
        return tuple(np.histogram(column.to_physical().to_numpy(), bins=BINS)[0].tolist())
    return tuple(column.cast(pl.String).value_counts(sort=True)["count"].head(BINS).to_list())


class Looks:
    """The data that were looked at last, so that pages and tabs need not read them again."""

    def __init__(self) -> None:
        self._recent = Recent[Look](_MOST_KEPT)

    def look(self, state: State, folder: Path) -> Look:
        """Read and describe the data of a state; this may take a while.

        Raises:
            DataError: they cannot be used as they are.
            SettingError: a setting makes no sense.
        """
        source, options = state.source(folder), loading_options(state.checked(folder))
        return self._recent.get((source, _stamp(source), repr(options)), lambda: _read(source, options))


LOOKS = Looks()


def _stamp(source: str) -> tuple[int, int] | None:
    try:
        status = Path(source).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _read(source: str, options: Mapping[str, Any]) -> Look:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShoalWarning)
        try:
            dataset = load_dataset(source, **options)
            return Look(dataset, describe(dataset), dataset.announcement())
        except TargetMissing as missing:  # the columns are shown all the same: one looks at them to choose
            plain = {name: value for name, value in options.items() if name not in _FOR_TARGETS}
            dataset = load_dataset(source, **plain, reconstruct=True)
            described = replace(describe(dataset), task_name="no target named")
            return Look(dataset, described, f"predicting nothing yet: {missing}")
