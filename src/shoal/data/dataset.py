"""A dataset: a table whose columns have types and roles, and the task that they define."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from shoal.data.column_reading import ColumnReading
from shoal.data.columns import Column
from shoal.data.conversion import to_numbers, to_times
from shoal.data.covariance import Covariance
from shoal.data.labels import LabelType, label_type
from shoal.data.roles import Roles
from shoal.data.series.recipe import Cut
from shoal.data.series.step_targets import StepTargets
from shoal.data.signals import Signals
from shoal.data.stream.rows import RowStream
from shoal.data.table_rules import RowCut, TableRules, in_words
from shoal.data.target_choice import TargetChoice
from shoal.data.targets import class_indices, target_numbers
from shoal.errors import counted, listing
from shoal.results import Task

Inputs = pl.DataFrame | Signals
"""What can be predicted from."""


NO_AND_YES = {("0", "1"), ("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t")}
FEWEST = 10
"""Rows of a combination of classes that make a stratum."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A table whose columns have types and roles, and the task that they define.

    `kept` holds the positions in `source` of the rows of `table`; rows without a target are left out.
    `sha256` is that of the whole content as read. `classes` is empty in a regression. `signals` are the images or
    series to predict from, one for each row of the table, or None where its columns are the features. `read_notes` are
    those of the `notes` that the reader gave. `cut` says where series come from that were cut from a table of steps.
    In a reconstruction there are no targets; a column of that role is a label that nothing learns from. `covariance` is
    that of the errors of the rows' target, where these are known so. `units` are those of columns, as far as their
    names, the file or the user tell them. `choice` says why the targets and the task are those that they are. `reading`
    tells how columns are read, and `cautions` what in them may mislead, in sentences. Where several targets are
    classes, `classes_by_target` has theirs and `classes` is empty; `of_target` then gives each as a dataset of its own,
    whose `beside` names the others. `rules` are derived columns and cuts, `row_cuts` what each of these left. Where all
    rows do not fit into memory, `stream` has them, and those of the table are a sample.
    """

    name: str
    source: str
    table: pl.DataFrame
    columns: tuple[Column, ...]
    roles: Roles
    task: Task
    classes: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str
    kept: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    signals: Signals | None = None
    read_notes: tuple[str, ...] = ()
    cut: Cut | None = None
    covariance: Covariance | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    choice: TargetChoice = field(default_factory=TargetChoice)
    reading: ColumnReading = field(default_factory=ColumnReading)
    cautions: tuple[str, ...] = ()
    classes_by_target: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    rules: TableRules = field(default_factory=TableRules)
    row_cuts: tuple[RowCut, ...] = ()
    stream: RowStream | None = None

    def of_target(self, name: str) -> Dataset:
        """Return the same rows with one of several targets of classes.

        Example:
            >>> from shoal.data.loading import load_dataset
            >>> data = {"x": range(12), "kind": ["a", "b", "c"] * 4, "big": [False, True] * 6}
            >>> load_dataset(data, target=["kind", "big"]).of_target("kind").task_name
            '3-class classification'
        """
        others = tuple(target for target in self.targets if target != name)
        return replace(
            self,
            columns=tuple(
                replace(column, role="ignored", reason="another target") if column.name in others else column
                for column in self.columns
            ),
            roles=replace(self.roles, target=[name]),
            classes=self.classes_by_target[name],
            classes_by_target={},
            beside=others,
            notes=(
                *self.notes,
                f"The networks predict {listing(map(repr, others))} as well; what their losses say is of all.",
            ),
        )

    @property
    def refinement(self) -> tuple[str, ...]:
        """Which columns were derived and what each cut left, in sentences."""
        derived = [f"{name!r} is {text}." for name, text in self.rules.definitions.items()]
        return (*derived, *(f"{in_words(cut)}." for cut in self.row_cuts))

    @property
    def of_each_target(self) -> tuple[Dataset, ...]:
        """Those of several targets of classes; else the dataset itself."""
        return tuple(self.of_target(name) for name in self.classes_by_target) or (self,)

    @property
    def is_multilabel(self) -> bool:
        """Whether several targets say no or yes, any number of them in a row yes."""
        lowered = {tuple(name.lower() for name in classes) for classes in self.classes_by_target.values()}
        return bool(lowered) and lowered <= NO_AND_YES

    def inputs(self, rows: np.ndarray) -> Inputs:
        """Return what a preparation transforms of some rows: their images or series, or their part of the table."""
        return self.table[rows] if self.signals is None else self.signals[rows]

    def __repr__(self) -> str:
        features = "" if self.signals is not None else f", {counted(len(self.features), 'feature')}"
        return f"Dataset({self.name!r}: {counted(self.rows, self.unit)}{features}, {self.task_name})"

    @property
    def rows(self) -> int:
        """The number of rows that have a target."""
        return self.table.height

    @property
    def unit(self) -> str:
        """What a row is: a `row` of a table, an `image`, a `series`, or a `window` of one."""
        if self.cut is not None and self.cut.recipe.window is not None:
            return "window"
        kind = "table" if self.signals is None else self.signals.kind
        return {"table": "row", "images": "image"}.get(kind, kind)

    @property
    def positions(self) -> np.ndarray:
        """The positions of the rows in the data as read, `(rows,)`."""
        return self.kept if len(self.kept) == self.rows else np.arange(self.rows)

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns to predict from."""
        return tuple(column for column in self.columns if column.role == "feature")

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the columns to predict."""
        return () if self.task is Task.RECONSTRUCTION else tuple(self.roles.target)

    @property
    def label(self) -> str | None:
        """The column that says what the rows of a reconstruction are, if one is known; nothing learns from it."""
        return self.roles.target[0] if self.task is Task.RECONSTRUCTION and self.roles.target else None

    @property
    def task_name(self) -> str:
        """The task in words, e.g. `3-class classification` or `regression, 2 targets`."""
        if self.classes_by_target:
            name = f"classification, {len(self.targets)} targets"
            name = f"multilabel classification, {len(self.targets)} labels" if self.is_multilabel else name
        elif self.task is Task.CLASSIFICATION:
            name = ("binary" if len(self.classes) == 2 else f"{len(self.classes)}-class") + " classification"
        elif self.task is Task.RECONSTRUCTION:
            name = "reconstruction"
        else:
            name = "regression" if len(self.targets) == 1 else f"regression, {len(self.targets)} targets"
        return name if self.step_targets is None else f"{name} of every step"

    def announcement(self) -> str:
        """Return what is predicted and why, in words for the first line that a user sees.

        Example:
            >>> from shoal.data.loading import load_dataset
            >>> load_dataset("iris").announcement()
            'predicting species (3 classes): the target of the built-in set iris'
        """
        if self.task is Task.RECONSTRUCTION:
            what = f"{len(self.features)} columns" if self.signals is None else f"{self.rows:,} {self.signals.kind}"
            return f"reconstructing {what}"
        number = len(self.classes) or len(self.targets)
        what = f"{number} classes" if self.classes else "a number" if number == 1 else f"{number} numbers"
        if self.classes_by_target:
            *counts, last = (str(len(classes)) for classes in self.classes_by_target.values())
            what = "any number of them true" if self.is_multilabel else f"{', '.join(counts)} and {last} classes"
        verb = "forecasting" if self.cut is not None and self.cut.recipe.window is not None else "predicting"
        steps = "" if self.step_targets is None else " at every step"
        return f"{verb} {listing(self.targets)} ({what}{steps}): {self.choice.reason or 'the target of the data'}"

    def y(self) -> np.ndarray:
        """Return `(rows,)` int64 class positions, or `(rows, targets)` float64 values; none in a reconstruction.

        Of several targets of classes `(rows, targets)` int64.
        With a target for each step `(rows, time)`, -1 where there is none, or `(rows, time, targets)`, NaN there.
        """
        if self.classes_by_target:
            return np.stack([each.y() for each in self.of_each_target], axis=1)
        steps = self.step_targets
        if steps is not None:
            return steps.classes(self.classes) if self.task is Task.CLASSIFICATION else steps.numbers()
        if self.task is Task.CLASSIFICATION:
            return class_indices(self.table.get_column(self.targets[0]), self.classes)
        return target_numbers(self.table, list(self.targets))

    @property
    def label_type(self) -> LabelType:
        """The type in which the labels of the classes came; text where there are none."""
        if self.task is not Task.CLASSIFICATION or self.classes_by_target:
            return "str"
        table = self.table if self.step_targets is None else self.step_targets.table
        return label_type(table.get_column(self.targets[0]))

    @property
    def step_targets(self) -> StepTargets | None:
        """The targets of the steps of series; None where each row has its target."""
        return None if self.signals is None else self.signals.targets

    def strata(self) -> np.ndarray | None:
        """Return the class of each row, by which splits keep proportions, or None without classes.

        Of series whose steps have classes it is the most frequent one, of several targets that of `joint_strata`.
        """
        if self.task is not Task.CLASSIFICATION:
            return None
        if self.classes_by_target:
            return joint_strata(self.y())
        y = self.y()
        return y if y.ndim == 1 else (y[:, :, None] == np.arange(len(self.classes))).sum(axis=1).argmax(axis=1)

    def y_err(self) -> np.ndarray | None:
        """Return `(rows, targets)` measured errors of the targets, or None."""
        if self.covariance is not None:
            return self.covariance.sigma[:, None]
        if not self.roles.y_err:
            return None
        columns = [to_numbers(self.table.get_column(name)) for name in self.roles.y_err]
        errors = np.stack([column.to_numpy() for column in columns], axis=1)
        return np.ascontiguousarray(np.broadcast_to(errors, (self.rows, len(self.targets))))

    def weights(self) -> np.ndarray | None:
        """Return `(rows,)` float64 weights, or None."""
        name = self.roles.weight
        return None if name is None else to_numbers(self.table.get_column(name)).to_numpy().copy()

    def groups(self) -> np.ndarray | None:
        """Return `(rows,)` int64 group numbers, or None; rows with the same number belong together."""
        name = self.roles.group
        if name is None:
            return None
        ranks = self.table.get_column(name).cast(pl.String).rank("dense").cast(pl.Int64) - 1
        return ranks.to_numpy().copy()

    def times(self) -> np.ndarray | None:
        """Return `(rows,)` float64 times (dates in days since 1970), or None."""
        name = self.roles.time
        return None if name is None else to_times(self.table.get_column(name)).to_numpy().copy()


def joint_strata(y: np.ndarray) -> np.ndarray:
    """Return a stratum for each row of several targets of classes `(rows, targets)`: its combination of classes.

    Where fewer than ten rows share a combination, it is the rarest of the row's classes instead.

    Example:
        >>> joint_strata(np.array([[0, 0]] * 10 + [[1, 0], [1, 1]])).tolist()
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]
    """
    _, combination, counts = np.unique(y, axis=0, return_inverse=True, return_counts=True)
    combination = combination.reshape(-1)
    rows = np.stack([np.bincount(column)[column] for column in y.T], axis=1)
    rarest = rows.argmin(axis=1)
    first = np.cumsum([0, *(y.max(axis=0) + 1)])[rarest]
    rare = len(counts) + first + y[np.arange(len(y)), rarest]
    return np.unique(np.where(counts[combination] < FEWEST, rare, combination), return_inverse=True)[1]
