"""Targets of the single steps of series, beside a table that has one row for each series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.data.conversion import tidy
from shoal.data.targets import class_indices, target_numbers
from shoal.errors import DataError


@dataclass(frozen=True, eq=False)
class StepTargets:
    """What is to be predicted at each step of series.

    Attributes:
        table: one row for each step of each series, padding included, one series after the other; null where a step
            has no target.
        steps: of each series, padding included.

    Example:
        >>> targets = StepTargets.of(pl.DataFrame({"state": ["a", "b", "a", None]}), 2)
        >>> len(targets), targets.present.tolist(), targets.classes(("a", "b")).tolist()
        (2, [[True, True], [True, False]], [[0, 1], [0, -1]])
    """

    table: pl.DataFrame
    steps: int

    @classmethod
    def of(cls, table: pl.DataFrame, steps: int) -> StepTargets:
        """Return the targets in a table as read; NaN and "" are missing."""
        return cls(tidy(table), steps)

    def __len__(self) -> int:
        return self.table.height // self.steps

    def __getitem__(self, rows: Any) -> StepTargets:
        chosen = np.arange(len(self))[rows]
        return StepTargets(self.table[(chosen[:, None] * self.steps + np.arange(self.steps)).reshape(-1)], self.steps)

    @property
    def present(self) -> np.ndarray:
        """Which steps have all targets, `(rows, steps)`."""
        known = np.ones(self.table.height, bool)
        for column in self.table.get_columns():
            known &= column.is_not_null().to_numpy()
        return known.reshape(-1, self.steps)

    @property
    def real(self) -> pl.DataFrame:
        """The targets of those steps that have all of them."""
        return self.table.filter(pl.Series(self.present.reshape(-1)))

    def only(self, names: list[str]) -> StepTargets:
        """Return some of the targets."""
        return StepTargets(self.table.select(names), self.steps)

    def classes(self, names: tuple[str, ...]) -> np.ndarray:
        """Return `(rows, steps)` int64 positions in the list of classes, -1 where missing or unknown."""
        return class_indices(self.table.get_columns()[0], names).reshape(-1, self.steps)

    def numbers(self) -> np.ndarray:
        """Return `(rows, steps, targets)` float64, NaN where one of them is missing.

        Raises:
            DataError: a value is no finite number.
        """
        present = self.present
        values = np.full((*present.shape, self.table.width), np.nan)
        values[present] = numbers_of(self.real, self.table.columns)
        return values

    def padded(self, steps: int) -> StepTargets:
        """Return them with steps behind the last."""
        place = np.arange(steps)
        rows = np.arange(len(self))[:, None] * self.steps + place
        return StepTargets(rows_or_nothing(self.table, np.where(place < self.steps, rows, -1).reshape(-1)), steps)

    def check_known(self, classes: tuple[str, ...]) -> None:
        """Refuse classes that are not known.

        Raises:
            DataError: names the class and where it stands.
        """
        odd = (self.classes(classes) < 0) & self.present
        if odd.any():
            row, step = (int(place[0]) for place in np.nonzero(odd))
            column = self.table.get_columns()[0]
            raise DataError(
                f"step {step + 1} of series {row + 1} has the class {column[row * self.steps + step]!r} in "
                f"{column.name!r}; the model knows: {', '.join(classes)}"
            )


def rows_or_nothing(table: pl.DataFrame, rows: np.ndarray) -> pl.DataFrame:
    """Return rows of a table, with nothing in them where the position is negative."""
    at = pl.Series(rows).cast(pl.Int64)
    return pl.DataFrame([column.gather(at.clip(0)).set(at < 0, None) for column in table.get_columns()])


def numbers_of(real: pl.DataFrame, names: list[str]) -> np.ndarray:
    """Return `(steps, targets)` float64 values of the steps that have all targets.

    Raises:
        DataError: a value is no finite number; its row is counted over these steps.
    """
    try:
        return target_numbers(real, names)
    except DataError as error:
        raise DataError(f"of the steps that have a target, one after the other: {error}") from None


def series_with_targets(targets: StepTargets, lengths: np.ndarray | None) -> tuple[np.ndarray, list[str]]:
    """Return the positions of the series of which some step has a target, and sentences on what is missing.

    Args:
        targets: of the steps.
        lengths: `(rows,)` real steps of each series; None: all are.

    Raises:
        DataError: no step has a target.
    """
    present = targets.present
    if not present.any():
        raise DataError(f"no step has a target: {', '.join(map(repr, targets.table.columns))} holds no values")
    kept = np.flatnonzero(present.any(axis=1))
    real = present.size if lengths is None else int(lengths.sum())
    missing, notes = real - int(present.sum()), []
    if missing:
        have, count = ("has", "counts") if missing == 1 else ("have", "count")
        notes.append(f"{missing:,} of {real:,} steps {have} no target and {count} for nothing.")
    if len(kept) < len(present):
        notes.append(f"{len(present) - len(kept):,} series without any target left out.")
    return kept, notes
