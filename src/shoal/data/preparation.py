"""From the columns of a table to the numbers that a network sees, and the target to a common scale and back.

Everything is fitted on training rows only and saved with the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from shoal.data.column_reading import ColumnReading
from shoal.data.columns import Column, Kind
from shoal.data.conversion import check_columns, is_plain
from shoal.data.dataset import Dataset, Inputs
from shoal.data.encoders import ENCODERS, BooleanEncoder, CategoryEncoder, Encoder, NumberEncoder
from shoal.data.feature_scaling import get_scaling, mean_and_scale
from shoal.data.labels import LabelType
from shoal.data.one_hot import joined_again
from shoal.data.series.recipe import Recipe
from shoal.data.series.step_targets import StepTargets
from shoal.data.signals import SignalPreparation
from shoal.data.table_rules import TableRules
from shoal.data.targets import check_classes_known, target_numbers
from shoal.errors import DataError, listing
from shoal.results import Task
from shoal.short_repr import ShortRepr


@dataclass(frozen=True, eq=False, repr=False)
class Preparation(ShortRepr):
    """Imputing, encoding and normalising, as fitted on the training rows of a dataset.

    `target_mean` and `target_scale` have shape `(targets,)`; they are 0 and 1 for classes. `left_out` are
    features that are the same in every training row: nothing can be learnt from them. `signals` takes the place of the
    encoders where networks predict from images or series. `units` are those of the columns, where they are known.
    `label_type` is that in which the labels of the classes came. `reading` tells how the columns are read, `rules` what
    is computed from them and which rows count.

    Example:
        >>> from shoal.data.loading import load_dataset
        >>> data = load_dataset({"x": [0.0, 1.0] * 6, "y": [0.1 * i for i in range(12)]})
        >>> Preparation.fit(data, np.arange(8)).transform(data.table)[:2].tolist()
        [[-1.0], [1.0]]
    """

    encoders: tuple[Encoder, ...]
    normalization: str
    task: Task
    targets: tuple[str, ...]
    classes: tuple[str, ...]
    target_mean: np.ndarray
    target_scale: np.ndarray
    left_out: tuple[str, ...] = ()
    signals: SignalPreparation | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    label_type: LabelType = "str"
    reading: ColumnReading = field(default_factory=ColumnReading)
    rules: TableRules = field(default_factory=TableRules)

    @classmethod
    def fit(
        cls, dataset: Dataset, rows: np.ndarray, *, normalization: str = "standard", counts: bool = False
    ) -> Preparation:
        """Fit on the training rows of a dataset.

        Args:
            dataset: the data; rows other than `rows` have no influence.
            rows: positions of the training rows.
            normalization: of numeric columns: standard (mean and deviation), robust (median and
                quartiles, outliers drawn in), quantile (normal scores) or none.
            counts: the targets are counts: divided by their mean, so that zero stays zero.

        Raises:
            SettingError: no such normalisation.
            DataError: no feature varies in the training rows, or a count is negative.
        """
        get_scaling(normalization)
        rows = np.asarray(rows, np.int64)
        signals = None
        if dataset.signals is not None:
            recipe = None if dataset.cut is None else dataset.cut.recipe
            signals = SignalPreparation.fit(dataset.signals, rows, normalization, recipe)
        encoders, same = [], []
        for column in dataset.features:
            series = dataset.table.get_column(column.name).gather(rows)
            if series.n_unique() < 2:
                same.append(column.name)
            else:
                encoders.append(_fit_encoder(column, series, normalization))
        if not encoders and signals is None:
            raise DataError(f"no feature varies in the {len(rows)} training rows; there is nothing to predict from")
        mean, scale = _fit_targets(dataset, rows, counts=counts)
        return cls(
            encoders=tuple(encoders),
            normalization=normalization,
            task=dataset.task,
            targets=dataset.targets,
            classes=dataset.classes,
            target_mean=mean,
            target_scale=scale,
            left_out=tuple(same),
            signals=signals,
            units=dict(dataset.units),
            label_type=dataset.label_type,
            reading=dataset.reading,
            rules=dataset.rules,
        )

    def of_target(self, dataset: Dataset) -> Preparation:
        """Return the same of one of several targets of classes, see `Dataset.of_target`."""
        return replace(
            self,
            targets=dataset.targets,
            classes=dataset.classes,
            target_mean=self.target_mean[:1],
            target_scale=self.target_scale[:1],
            label_type=dataset.label_type,
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the columns of `transform`, e.g. `mass`, `mass is missing`, `color=red`; or of the channels."""
        if self.signals is not None:
            return self.signals.channels
        return tuple(name for encoder in self.encoders for name in encoder.names)

    @property
    def number_columns(self) -> tuple[tuple[int, int | None], ...]:
        """Where among the features each number or date stands, and what marks it as missing, or None; of tables."""
        places, start = [], 0
        for encoder in self.encoders if self.signals is None else ():
            if isinstance(encoder, NumberEncoder):
                places.append((start, start + 1 if encoder.marker else None))
            start += len(encoder.names)
        return tuple(places)

    @property
    def input_columns(self) -> tuple[str, ...]:
        """The columns that a table must have."""
        return tuple(encoder.column for encoder in self.encoders)

    @property
    def recipe(self) -> Recipe | None:
        """How series are cut from a table, or None where they are not."""
        return None if self.signals is None else self.signals.recipe

    @property
    def per_step(self) -> bool:
        """Whether each step of a series has its own target."""
        return self.signals is not None and self.signals.per_step

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided on the training rows, in sentences."""
        rare = {e.column: len(e.rare) for e in self.encoders if isinstance(e, CategoryEncoder) and e.rare}
        pooled = [
            f"{name!r}: {count:,} rare categor{'ies count' if count > 1 else 'y counts'} as 'other'."
            for name, count in rare.items()
        ]
        same = f"Left out {listing(self.left_out)}: the same in every training row."
        return (*pooled, same) if self.left_out else tuple(pooled)

    def transform(self, table: Inputs) -> np.ndarray:
        """Return `(rows, features)` float32, or images or series as networks take them.

        Args:
            table: has the input columns, in any order; others are not looked at. Or images or series.

        Raises:
            DataError: a column is missing, or a value is of another type than in training or infinite.
        """
        if self.signals is not None:
            return self.signals.transform(table)
        table = self._columns_of(table)
        counts = [len(encoder.names) for encoder in self.encoders]
        out = np.zeros((sum(counts), table.height), np.float32)
        start = 0
        for encoder, count in zip(self.encoders, counts, strict=True):
            encoder.encode(self.column(table, encoder.column), out[start : start + count])
            start += count
        return np.ascontiguousarray(out.T)

    def inverse(self, features: np.ndarray) -> pl.DataFrame:
        """Return the table whose columns are nearest to features `(rows, features)`, in the units of the columns.

        Raises:
            DataError: the model was trained on images or series, which have no columns.
        """
        if self.signals is not None:
            raise DataError(f"the model was trained on {self.signals.kind}, which have no columns")
        columns, start = [], 0
        for encoder in self.encoders:
            stop = start + len(encoder.names)
            columns.append(encoder.decode(np.asarray(features)[:, start:stop].T))
            start = stop
        return pl.DataFrame(columns)

    def column(self, table: pl.DataFrame, name: str) -> pl.Series:
        """Return a column as the fit read it.

        Raises:
            DataError: it holds something else than one value per row.
        """
        series = self.reading.read(table.get_column(name))
        if not is_plain(series):
            raise DataError(f"column {name!r} holds {str(series.dtype).lower()}, not one value per row")
        return series

    def unknown_categories(self, table: Inputs) -> dict[str, int]:
        """Return the number of rows with a category that no training row had, by column; {} if none."""
        if self.signals is not None:
            return {}
        table = self._columns_of(table)
        categories = [encoder for encoder in self.encoders if isinstance(encoder, CategoryEncoder)]
        unknown = {e.column: e.count_unknown(self.column(table, e.column)) for e in categories}
        return {column: count for column, count in unknown.items() if count}

    def target_values(self, table: pl.DataFrame) -> np.ndarray:
        """Return the targets of another table as `Dataset.y` would, with the classes known here.

        Raises:
            DataError: a target column is missing, or a row has no target or an unknown class.
        """
        if self.task is Task.CLASSIFICATION:
            table = joined_again(table, self.targets[0], self.classes)
        check_columns(table, self.targets, ", the target")
        columns = [self.column(table, name) for name in self.targets]
        if self.task is Task.CLASSIFICATION:
            return check_classes_known(columns[0], self.classes)
        return target_numbers(pl.DataFrame(columns), list(self.targets))

    def step_target_values(self, targets: StepTargets | None) -> np.ndarray:
        """Return the targets of the steps of other series as `Dataset.y` would.

        Raises:
            DataError: there are none, they have other names, or a class is unknown.
        """
        if targets is None:
            raise DataError("the model predicts a label for each step, but the data hold none to compare with")
        if self.task is Task.CLASSIFICATION:
            targets = replace(targets, table=joined_again(targets.table, self.targets[0], self.classes))
        check_columns(targets.table, self.targets, ", the target of each step")
        targets = targets.only(list(self.targets))
        if self.task is Task.REGRESSION:
            return targets.numbers()
        targets.check_known(self.classes)
        return targets.classes(self.classes)

    def scale_target(self, y: np.ndarray) -> np.ndarray:
        """Return float32 targets of mean 0 and deviation 1 on the training rows; shape `(..., targets)`."""
        return np.asarray((y - self.target_mean) / self.target_scale, np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON; numbers survive exactly."""
        return {
            "encoders": [encoder.to_dict() for encoder in self.encoders],
            "normalization": self.normalization,
            "task": str(self.task),
            "targets": list(self.targets),
            "classes": list(self.classes),
            "target_mean": self.target_mean.tolist(),
            "target_scale": self.target_scale.tolist(),
            "left_out": list(self.left_out),
            **({} if self.signals is None else {"signals": self.signals.to_dict()}),
            **({"units": dict(self.units)} if self.units else {}),
            **({"label_type": self.label_type} if self.label_type != "str" else {}),
            **({"reading": self.reading.to_dict()} if self.reading else {}),
            **({"rules": self.rules.to_dict()} if self.rules else {}),
        }

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Preparation:
        """Return the preparation that `to_dict` described."""
        return cls(
            encoders=tuple(ENCODERS[encoder["kind"]].from_dict(encoder) for encoder in d["encoders"]),
            normalization=d["normalization"],
            task=Task(d["task"]),
            targets=tuple(d["targets"]),
            classes=tuple(d["classes"]),
            target_mean=np.asarray(d["target_mean"], np.float64),
            target_scale=np.asarray(d["target_scale"], np.float64),
            left_out=tuple(d["left_out"]),
            signals=SignalPreparation.from_dict(d["signals"]) if "signals" in d else None,
            units=d.get("units", {}),
            label_type=d.get("label_type", "str"),
            reading=ColumnReading.from_dict(d["reading"]) if "reading" in d else ColumnReading(),
            rules=TableRules.from_dict(d["rules"]) if "rules" in d else TableRules(),
        )

    def _columns_of(self, table: Inputs) -> pl.DataFrame:
        if not isinstance(table, pl.DataFrame):
            raise DataError(f"the model was trained on a table, got {table.kind}")
        check_columns(table, self.input_columns, ", which the model was trained on")
        return table


def _fit_targets(dataset: Dataset, rows: np.ndarray, *, counts: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return what is taken off targets and what they are divided by, `(targets,)` each."""
    if dataset.task is not Task.REGRESSION:
        return np.zeros(len(dataset.targets)), np.ones(len(dataset.targets))
    values = dataset.y()[rows].reshape(-1, len(dataset.targets))  # of rows, or of all their steps
    pairs = [mean_and_scale(column) for column in values[np.isfinite(values).all(axis=1)].T]
    mean, scale = np.asarray([pair[0] for pair in pairs]), np.asarray([pair[1] for pair in pairs])
    if counts:
        _check_counts(dataset)
        return np.zeros_like(mean), np.where(mean > 0.0, mean, 1.0)
    return mean, scale


def _check_counts(dataset: Dataset) -> None:
    y = dataset.y()
    for name, values in zip(dataset.targets, y.reshape(-1, y.shape[-1]).T, strict=True):
        if (values < 0.0).any():
            row = int(np.argmax(values < 0.0))
            raise DataError(f"column {name!r}: counts cannot be negative, but row {row + 1} holds {values[row]:g}")


def _fit_encoder(column: Column, series: pl.Series, normalization: str) -> Encoder:
    if column.kind is Kind.BOOLEAN:
        return BooleanEncoder.fit(series)
    if column.kind in (Kind.CATEGORY, Kind.TEXT):
        return CategoryEncoder.fit(series)
    return NumberEncoder.fit(series, normalization, dates=column.kind is Kind.DATE)
