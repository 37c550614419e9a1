"""A prediction: what the ensemble says of rows, with its error bars, as arrays and as columns."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from shoal.data.labels import Label, label_names
from shoal.errors import listing, suggest
from shoal.short_repr import ShortRepr

ERRORS = ("noise", "data_spread", "input_spread", "scatter", "total")
BETWEEN = " | "  # the classes of a set


@dataclass(frozen=True, repr=False)
class _Rows(ShortRepr, ABC):
    """What predictions of classes and of numbers share: the targets, the rows, and the steps of series."""

    targets: tuple[str, ...]
    outside: np.ndarray | None = field(default=None, kw_only=True)
    lengths: np.ndarray | None = field(default=None, kw_only=True)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the predictions for several pieces of the rows as one."""
        if len(parts) == 1:
            return parts[0]
        pieces = [part._arrays() for part in parts]
        arrays: dict[str, Any] = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        return replace(parts[0], **arrays)

    def at(self, steps: np.ndarray | tuple[np.ndarray, ...]) -> Self:
        """Return the prediction for some steps, `(rows, time)` true or false, one after the other."""
        return self._each(lambda values: values[steps], None)

    def until(self, time: int, lengths: np.ndarray | None) -> Self:
        """Return the prediction of so many steps, with NaN behind the end of each series; None: all go to the last."""
        ends = np.full(len(self), time) if lengths is None else np.asarray(lengths)
        real = np.arange(time) < ends[:, None]

        def cut(values: np.ndarray) -> np.ndarray:
            there = real.reshape(*real.shape, *[1] * (values.ndim - 2))
            return np.where(there, values[:, :time], False if values.dtype == bool else np.nan)

        return self._each(cut, ends)

    def _each(self, change: Callable[[np.ndarray], np.ndarray], lengths: np.ndarray | None) -> Self:
        changed: dict[str, Any] = {name: change(values) for name, values in self._arrays().items()}
        return replace(self, **changed, lengths=lengths)

    def _arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of rows, or of rows and steps, by name."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("outside", "lengths")}
        return {name: array for name, array in values.items() if isinstance(array, np.ndarray)}

    def __len__(self) -> int:
        return len(next(iter(self._arrays().values())))

    def frame(self) -> pl.DataFrame:
        """Return the prediction as columns to put beside the input.

        Where each step is predicted, a row for each real step, with the columns `row` and `step` (from 0 and 1 on).
        """
        if self.lengths is not None:
            most = int(self.lengths.max(initial=0))
            rows, steps = np.nonzero(np.arange(most) < self.lengths[:, None])
            of_steps = self.at((rows, steps)).frame().get_columns()
            return pl.DataFrame([pl.Series("row", rows), pl.Series("step", steps + 1), *of_steps])
        columns = self._columns()
        if self.outside is not None:
            columns["outside"] = self.outside
        return pl.DataFrame(columns)

    def _repr_html_(self) -> str:
        """Return some of the rows as a table for notebooks."""
        return self.frame()._repr_html_()

    @abstractmethod
    def _columns(self) -> dict[str, Any]:
        """Return the columns of rows by name."""


@dataclass(frozen=True, repr=False)
class ClassPrediction(_Rows):
    """What the ensemble says of the classes of rows.

    Attributes:
        targets: names.
        classes: the labels of the classes, in the type in which they came: text, int, float or bool.
        probabilities: `(rows, classes)`, the mean over the members, calibrated; `labels` are the most probable classes.
        probability_std: `(rows, classes)`, the standard deviation over the members, before calibration.
        averaged: `(rows, classes)`, the probabilities before calibration.
        disagreement: `(rows,)`, the part of the uncertainty that comes from disagreement between members, in nats:
            the entropy of their mean less the mean of their entropies, before calibration. It is what more data of
            this kind could remove.
        sets: `(rows, classes)`, the classes that together hold the truth with the stated coverage.
        outside: `(rows,)`, whether a row lies outside the region of the training rows; there, no error bar can be
            relied on. None where nothing is known of the region.
        lengths: `(rows,)`, the number of real steps where each step of a series is predicted. All others have an axis
            of time behind the rows then, `(rows, time, ...)`, with NaN (no class in a set) behind the end of a series.
        mean, std, low, high: None, since classes have none; see `NumberPrediction`.
    """

    mean: ClassVar[None] = None
    std: ClassVar[None] = None
    low: ClassVar[None] = None
    high: ClassVar[None] = None
    classes: tuple[Label, ...]
    probabilities: np.ndarray
    probability_std: np.ndarray
    averaged: np.ndarray
    disagreement: np.ndarray
    sets: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray:
        """The most probable class of each row or step, in the type of `classes`; None behind the end of a series."""
        labels = self._all_labels[np.argmax(self.probabilities, axis=-1)]
        behind = np.isnan(self.probabilities[..., 0])
        if behind.any():
            labels = labels.astype(object)
            labels[behind] = None
        return np.asarray(labels)

    @property
    def _all_labels(self) -> np.ndarray:
        """The classes as an array: of numbers or truth values, or of objects where they are text."""
        return np.asarray(self.classes, object if isinstance(self.classes[0], str) else None)

    def _columns(self) -> dict[str, Any]:
        names = label_names(self.classes)
        columns: dict[str, Any] = {
            "prediction": self._all_labels[np.argmax(self.probabilities, axis=1)].tolist(),
            **{f"probability_{name}": self.probabilities[:, i] for i, name in enumerate(names)},
            "disagreement": self.disagreement,
        }
        if self.sets is not None:
            each, (kinds, which) = np.asarray(names, object), _distinct(self.sets)
            texts = pl.Series([BETWEEN.join(each[row]) for row in kinds], dtype=pl.String)
            columns["set"] = texts.gather(which)
        return columns


def _distinct(sets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different rows of truth values, and which of them each row is."""
    packed = np.packbits(sets, axis=1)
    different, which = np.unique(packed.ravel() if packed.shape[1] == 1 else packed, axis=0, return_inverse=True)
    rows = np.unpackbits(different.reshape(-1, packed.shape[1]), axis=1, count=sets.shape[1])
    return rows.astype(bool), which.ravel()


@dataclass(frozen=True, repr=False)
class NumberPrediction(_Rows):
    """What the ensemble says of the numbers of rows.

    Attributes:
        targets: names.
        mean: `(rows, targets)`, the value, in the target's units; the mean over the members.
        std: `(rows, targets)`, the error of a new measurement: the spread, `input_spread` and the scatter of the data
            about the prediction, scaled so that residuals on rows that trained no weight are as wide.
        spread: `(rows, targets)`, the standard deviation over the members (over those of one fold, where there are
            folds): how far they disagree.
        low, high: `(rows, targets)`, the interval that holds new measurements with the stated coverage (conformal).
        std_below, std_above: `(rows, targets)`, as `std`, of values below and above the mean; unlike for quantiles.
        degrees: how many members the spread is taken over, less one for each fold.
        noise: `(rows, targets)`, where the networks say so: the standard deviation of the data about the mean; with
            measured errors it is the `scatter`.
        data_spread: `(rows, targets)`, with replicas: the error that the measured errors of the targets leave on the
            mean.
        input_spread: `(rows, targets)`, the error that the errors of the features leave, where both are known: how far
            the mean moves within them, times the root of the share that counts (see `input_noise`).
        scatter: `(rows, targets)`, with measured errors: the intrinsic scatter about the mean.
        total: `(rows, targets)`, with measured errors: the error of the mean (see `intrinsic_scatter.error_of_fit`),
            `input_spread` and `scatter` together, the error of a true value; where the errors of new measurements are
            given, they are part of it.
        total_of_measurement: whether they are.
        quantiles: `(rows, targets, levels)`, where the networks predict them, with their `levels`.
        covariance: `(rows, targets, targets)`, of the targets of a row, where the networks predict it.
        outside: `(rows,)`, as of classes.
        lengths: `(rows,)`, as of classes.
        probabilities, labels, sets: None, since numbers have none; see `ClassPrediction`.
    """

    probabilities: ClassVar[None] = None
    labels: ClassVar[None] = None
    sets: ClassVar[None] = None
    mean: np.ndarray
    std: np.ndarray
    spread: np.ndarray
    low: np.ndarray
    high: np.ndarray
    std_below: np.ndarray
    std_above: np.ndarray
    degrees: int = 1
    noise: np.ndarray | None = None
    data_spread: np.ndarray | None = None
    input_spread: np.ndarray | None = None
    scatter: np.ndarray | None = None
    total: np.ndarray | None = None
    total_of_measurement: bool = False
    quantiles: np.ndarray | None = None
    levels: tuple[float, ...] = ()
    covariance: np.ndarray | None = None

    def _columns(self) -> dict[str, Any]:
        values = {"prediction": self.mean, "std": self.std, "low": self.low, "high": self.high, "spread": self.spread}
        values |= {name: array for name in ERRORS if (array := getattr(self, name)) is not None}
        columns: dict[str, Any] = {}
        for i, target in enumerate(self.targets):
            end = f"_{target}" if len(self.targets) > 1 else ""
            columns |= {name + end: array[:, i] for name, array in values.items()}
            if self.quantiles is not None:
                at_levels = zip(self.levels, self.quantiles[:, i].T, strict=True)
                columns |= {f"quantile_{level:.3g}{end}": quantile for level, quantile in at_levels}
        return columns | self._correlations()

    def _correlations(self) -> dict[str, np.ndarray]:
        """Return the correlation of each pair of targets, `(rows,)`."""
        if self.covariance is None:
            return {}
        size = np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))
        pairs = itertools.combinations(range(len(self.targets)), 2)
        return {
            f"correlation_{self.targets[i]}_{self.targets[j]}": self.covariance[:, i, j] / (size[:, i] * size[:, j])
            for i, j in pairs
        }


Prediction = ClassPrediction | NumberPrediction
"""What `predict` returns: of a classification the first, of a regression the second."""


class TargetPredictions(Mapping[str, Prediction]):
    """What the ensemble says of the classes of several targets: a `ClassPrediction` for the name of each."""

    lengths: ClassVar[None] = None

    def __init__(self, by_target: Mapping[str, Prediction]) -> None:
        self._by_target = dict(by_target)

    def __getitem__(self, target: str) -> Prediction:
        if target not in self._by_target:
            raise KeyError(f"expected one of the targets {listing(self)}, got {target!r}.{suggest(str(target), self)}")
        return self._by_target[target]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_target)

    def __len__(self) -> int:
        return len(self._by_target)

    def frame(self) -> pl.DataFrame:
        """Return the predictions as columns: those of each target, with its name behind `prediction`, `probability`, …

        `outside` is that of the row.
        """
        columns: list[pl.Series] = []
        outside: list[pl.Series] = []
        for target, prediction in self.items():
            frame = prediction.frame()
            outside = [frame.get_column(name) for name in frame.columns if name == "outside"]
            for column in frame.drop("outside", strict=False):
                what, _, of_class = column.name.partition("_")
                columns.append(column.alias("_".join(part for part in (what, target, of_class) if part)))
        return pl.DataFrame([*columns, *outside])

    def _repr_html_(self) -> str:
        """Return some of the rows as a table for notebooks."""
        return self.frame()._repr_html_()
