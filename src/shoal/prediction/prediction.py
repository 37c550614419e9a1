"""A prediction: what the ensemble says of rows, with its error bars, as arrays and as columns."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

ERRORS = ("noise", "data_spread", "input_spread", "scatter", "total")
_MORE = ("std_below", "std_above", "quantiles", "covariance")
BETWEEN = " | "  # the classes of a set


@dataclass(frozen=True)
class Prediction:
    """What the ensemble says of rows.

    Attributes:
        targets, classes: names.
        probabilities: `(rows, classes)`, the mean over the members, calibrated; `labels` are the most probable classes.
        averaged: `(rows, classes)`, the probabilities before calibration.
        probability_std: `(rows, classes)`, the standard deviation over the members, before calibration.
        disagreement: `(rows,)`, the part of the uncertainty that comes from disagreement between members, in nats:
            the entropy of their mean less the mean of their entropies, before calibration. It is what more data of
            this kind could remove.
        sets: `(rows, classes)`, the classes that together hold the truth with the stated coverage.
        mean: `(rows, targets)`, the value, in the target's units; the mean over the members.
        spread: `(rows, targets)`, the standard deviation over the members (over those of one fold, where there are
            folds): how far they disagree.
        std: `(rows, targets)`, the total: the spread and the scatter of the data about the prediction, scaled so that
            residuals on rows that trained no weight are as wide.
        noise: `(rows, targets)`, where the networks say so: the standard deviation of the data about the mean; with
            measured errors it is the `scatter`.
        std_below, std_above: `(rows, targets)`, as `std`, of values below and above the mean; unlike for quantiles.
        quantiles: `(rows, targets, levels)`, where the networks predict them, with their `levels`.
        covariance: `(rows, targets, targets)`, of the targets of a row, where the networks predict it.
        low, high: `(rows, targets)`, the interval that holds new measurements with the stated coverage (conformal).
        data_spread: `(rows, targets)`, with replicas: the error that the measured errors of the targets leave on the
            mean.
        input_spread: `(rows, targets)`, the error that the errors of the features leave, where both are known.
        scatter: `(rows, targets)`, with measured errors: the intrinsic scatter about the mean.
        total: `(rows, targets)`, with measured errors: the error of the mean (see `noise.error_of_fit`), `input_spread`
            and `scatter` together, the error of a true value; where the errors of new measurements are given, they are
            part of it.
        outside: `(rows,)`, whether a row lies outside the region of the training rows; there, no error bar can be
            relied on. None where nothing is known of the region.
        degrees: how many members the spread is taken over, less one for each fold.
        lengths: `(rows,)`, the number of real steps where each step of a series is predicted. All others have an axis
            of time behind the rows then, `(rows, time, ...)`, with NaN (no class in a set) behind the end of a series.
    """

    targets: tuple[str, ...]
    classes: tuple[str, ...] = ()
    probabilities: np.ndarray | None = None
    probability_std: np.ndarray | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    spread: np.ndarray | None = None
    data_spread: np.ndarray | None = None
    input_spread: np.ndarray | None = None
    scatter: np.ndarray | None = None
    total: np.ndarray | None = None
    lengths: np.ndarray | None = None
    disagreement: np.ndarray | None = None
    sets: np.ndarray | None = None
    outside: np.ndarray | None = None
    averaged: np.ndarray | None = None
    degrees: int = 1
    noise: np.ndarray | None = None
    std_below: np.ndarray | None = None
    std_above: np.ndarray | None = None
    quantiles: np.ndarray | None = None
    covariance: np.ndarray | None = None
    levels: tuple[float, ...] = ()

    @property
    def labels(self) -> np.ndarray | None:
        """The most probable class of each row or step, None for numbers and behind the end of a series."""
        if self.probabilities is None:
            return None
        labels = np.asarray(self.classes, object)[np.argmax(self.probabilities, axis=-1)]
        labels[np.isnan(self.probabilities[..., 0])] = None
        return np.asarray(labels)

    def at(self, steps: np.ndarray) -> Prediction:
        """Return the prediction for some steps, `(rows, time)` true or false, one after the other."""
        return self._each(lambda values: values[steps], None)

    def until(self, time: int, lengths: np.ndarray | None) -> Prediction:
        """Return the prediction of so many steps, with NaN behind the end of each series; None: all go to the last."""
        ends = np.full(len(self), time) if lengths is None else np.asarray(lengths)
        real = np.arange(time) < ends[:, None]

        def cut(values: np.ndarray) -> np.ndarray:
            there = real.reshape(*real.shape, *[1] * (values.ndim - 2))
            return np.where(there, values[:, :time], False if values.dtype == bool else np.nan)

        return self._each(cut, ends)

    def _each(self, change: Callable[[np.ndarray], np.ndarray], lengths: np.ndarray | None) -> Prediction:
        of_classes = ("probabilities", "averaged", "probability_std", "disagreement", "sets")
        of_numbers = ("mean", "std", "low", "high", "spread", *ERRORS, *_MORE)
        given = {name: values for name in (*of_classes, *of_numbers) if (values := getattr(self, name)) is not None}
        changed: dict[str, Any] = {name: change(values) for name, values in given.items()}
        return replace(self, **changed, lengths=lengths)

    def __len__(self) -> int:
        first = self.probabilities if self.probabilities is not None else self.mean
        return 0 if first is None else len(first)

    def frame(self) -> pl.DataFrame:
        """Return the prediction as columns to put beside the input.

        Where each step is predicted, a row for each real step, with the columns `row` and `step` (from 0 and 1 on).
        """
        if self.lengths is not None:
            most = int(self.lengths.max(initial=0))
            rows, steps = np.nonzero(np.arange(most) < self.lengths[:, None])
            of_steps = self.at((rows, steps)).frame().get_columns()  # type: ignore[arg-type]
            return pl.DataFrame([pl.Series("row", rows), pl.Series("step", steps + 1), *of_steps])
        columns: dict[str, Any] = {}
        if self.probabilities is not None:
            columns["prediction"] = list(np.asarray(self.classes)[np.argmax(self.probabilities, axis=1)])
            for i, name in enumerate(self.classes):
                columns[f"probability_{name}"] = self.probabilities[:, i]
            if self.disagreement is not None:
                columns["disagreement"] = self.disagreement
            if self.sets is not None:
                names = np.asarray(self.classes, object)
                columns["set"] = pl.Series([BETWEEN.join(names[row]) for row in self.sets], dtype=pl.String)
        else:
            several = len(self.targets) > 1
            for i, target in enumerate(self.targets):
                end = f"_{target}" if several else ""
                words = [("prediction", self.mean), ("std", self.std), ("low", self.low), ("high", self.high)]
                words += [(name, array) for name in ("spread", *ERRORS) if (array := getattr(self, name)) is not None]
                for word, array in words:
                    columns[word + end] = None if array is None else array[:, i]
                for k, level in enumerate(self.levels if self.quantiles is not None else ()):
                    columns[f"quantile_{level:.3g}{end}"] = self.quantiles[:, i, k]  # type: ignore[index]
            columns |= self._correlations()
        if self.outside is not None:
            columns["outside"] = self.outside
        return pl.DataFrame(columns)

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
