"""What is explained: an ensemble, and rows of a table on which it is asked."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from shoal.data.conversion import tidy_column, to_days, to_numbers, to_truth
from shoal.data.encoders import Encoder, NumberEncoder
from shoal.data.labels import Label, place_of
from shoal.data.units import full_name
from shoal.errors import SettingError, listing, suggest
from shoal.evaluation.signal import signal_class
from shoal.prediction.predictor import EnsembleMember, Predictor
from shoal.results import Task
from shoal.statistics.weighted import weighted_mean
from shoal.streams import Stream

EXPLAINING = 11
"""The path of the streams from which explanations draw."""
NUMBERS_AT_ONCE = 16_000_000
"""Prepared numbers that lie in memory together."""
VALIDATION, OUT_OF_FOLD = "validation rows", "rows out of fold"
"""What rows are that trained no weight, or not those of the networks that are asked."""
_MICROSECONDS = 86_400e6

Tell = Callable[[str], None]
"""Takes a line on how far the work is."""


def silent(text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class ColumnFeatures:
    """A column of the table and where its features stand in a prepared row: what belongs together moves together."""

    encoder: Encoder
    features: slice

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.encoder.column

    @property
    def kind(self) -> str:
        """What the column holds: `number`, `date`, `boolean` or `category`."""
        if isinstance(self.encoder, NumberEncoder):
            return "date" if self.encoder.dates else "number"
        return self.encoder.kind

    def values(self, table: pl.DataFrame) -> np.ndarray:
        """Return the values of a column that has an order, `(rows,)` with NaN where there is none.

        Dates are days since 1970, truth values 0 and 1.
        """
        series = tidy_column(table.get_column(self.name))
        if self.kind == "boolean":
            numbers = to_truth(series)
        elif self.kind == "date":
            numbers = to_days(series)
        else:
            numbers = to_numbers(series)
        return numbers.cast(pl.Float64).fill_null(np.nan).to_numpy()

    def series(self, values: np.ndarray | list[Any]) -> pl.Series:
        """Return values, as `values` has them or of categories, as a column of a table."""
        series = pl.Series(self.name, values)
        if self.kind == "date":
            series = (series * _MICROSECONDS).round().cast(pl.Int64).cast(pl.Datetime("us"))
        elif self.kind == "boolean":
            series = series.cast(pl.Boolean)
        return series

    def encode(self, values: np.ndarray | list[str | None]) -> np.ndarray:
        """Return the features of values as `values` has them, or of categories, `(values, features)` float32."""
        series = self.series(values)
        out = np.zeros((len(self.encoder.names), len(series)), np.float32)
        self.encoder.encode(series, out)
        return out.T


@dataclass(frozen=True)
class Subject:
    """An ensemble and the rows on which it is explained.

    Attributes:
        predictor: the ensemble.
        x: prepared rows, `(rows, features)`.
        name: what the rows are, e.g. `validation rows`.
        table: the columns as they were read; None where only features are needed.
        y: class numbers `(rows,)` or values `(rows, targets)`; None where they are not known.
        weights: of the rows, any sign, or None.
        answering: `(members, rows)`, the members that did not learn from each row; None: all are asked about all.
        groups: `(rows,)` number of the group of each row, which was drawn as a whole; None: rows were.
        numbers: `(rows,)` where the rows stand in the data, from 1.
        of: the class or target that is asked about; None: see `outputs`.
        seed: names the random numbers.
    """

    predictor: Predictor
    x: np.ndarray
    name: str = "rows"
    table: pl.DataFrame | None = None
    y: np.ndarray | None = None
    weights: np.ndarray | None = None
    answering: np.ndarray | None = None
    groups: np.ndarray | None = None
    numbers: np.ndarray | None = None
    of: Label | None = None
    seed: int = 0

    def __len__(self) -> int:
        return len(self.x)

    @property
    def task(self) -> Task:
        """What the ensemble does."""
        return self.predictor.preparation.task

    @cached_property
    def columns(self) -> tuple[ColumnFeatures, ...]:
        """The columns that the ensemble predicts from."""
        encoders = self.predictor.preparation.encoders
        ends = itertools.accumulate(len(encoder.names) for encoder in encoders)
        return tuple(ColumnFeatures(e, slice(end - len(e.names), end)) for e, end in zip(encoders, ends, strict=True))

    def column(self, name: str) -> ColumnFeatures:
        """Return a column.

        Raises:
            SettingError: the ensemble does not predict from a column of that name.
        """
        known = [column.name for column in self.columns]
        if (place := full_name(name, known)) in known:
            return self.columns[known.index(place)]
        raise SettingError(
            f"column {name!r} is none that the networks predict from; those are {listing(known)}.{suggest(name, known)}"
        )

    @cached_property
    def w(self) -> np.ndarray:
        """The weights of the rows, ones where there are none."""
        return np.ones(len(self)) if self.weights is None else np.asarray(self.weights, np.float64)

    @cached_property
    def explained(self) -> tuple[int, ...]:
        """The numbers of the outputs that are explained.

        The class or target asked for; else the signal of two classes, all of several classes, the first target.

        Raises:
            SettingError: there is no such class or target.
        """
        names, classes = self._output_names, self.predictor.preparation.classes
        if self.of is not None:
            return (place_of(self.of, names, classes=bool(classes)),)
        if classes:
            return (signal_class(names),) if len(names) == 2 else tuple(range(len(names)))
        return (0,)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the classes or of the target that are explained."""
        return tuple(self._output_names[i] for i in self.explained)

    @property
    def _output_names(self) -> tuple[str, ...]:
        return self.predictor.preparation.classes or self.predictor.preparation.targets

    def answer(self, member: EnsembleMember, x: np.ndarray) -> np.ndarray:
        """Return what one network says of prepared rows, `(rows, classes or targets)`, not calibrated."""
        return np.asarray(replace(self.predictor, members=(member,)).member_outputs(x)[0])

    def answers(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs that are explained, of each member, `(members, rows, outputs)`, before calibration.

        What the ensemble says is their mean, so that a part of its answer is the mean of the members' parts.
        """
        return self.predictor.member_outputs(x)[..., list(self.explained)]

    def stream(self, *path: int) -> Stream:
        """Return random numbers of its own for each use."""
        return Stream(self.seed, EXPLAINING, *path)

    def taken(self, rows: np.ndarray) -> Subject:
        """Return the same with some of the rows."""

        def some(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return replace(
            self,
            x=self.x[rows],
            table=None if self.table is None else self.table[rows],
            y=some(self.y),
            weights=some(self.weights),
            answering=None if self.answering is None else self.answering[:, rows],
            groups=None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1],
            numbers=some(self.numbers),
        )

    def at_most(self, rows: int) -> Subject:
        """Return the same with so many rows, drawn at random, where there are more."""
        if len(self) <= rows:
            return self
        return self.taken(np.sort(self.stream(0, rows).permutation(len(self))[:rows]))

    def pieces(self, count: int) -> Iterator[slice]:
        """Give `count` copies of the rows in pieces that fit into memory."""
        once = max(1, NUMBERS_AT_ONCE // max(self.x.size, 1))
        yield from (slice(start, min(start + once, count)) for start in range(0, count, once))


def error_of_mean(values: np.ndarray, w: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """Return the standard error of the weighted mean over rows, `(outputs,)`; rows of a group count together.

    Args:
        values: `(rows, outputs)`.
        w: weights of the rows, any sign.
        groups: `(rows,)` number of the group of each row, or None.
    """
    influence = (values - weighted_mean(values, w)) * (w / w.sum())[:, None]
    if groups is not None:
        influence = np.stack([np.bincount(groups, output) for output in influence.T], axis=1)
    count = len(influence)
    return np.asarray(np.sqrt((influence**2).sum(axis=0) * count / max(count - 1, 1)))
