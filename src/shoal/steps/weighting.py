"""The weights by which rows teach networks: those of the data, or their means where some are negative."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.data import Dataset, Preparation, Split
from shoal.evaluation.baselines.flat_features import flat_features
from shoal.results import Task
from shoal.statistics.mean_weights import learn_mean_weights

PARTS = 64
"""Stretches of a series whose means tell rows apart."""


def teaching_weights(dataset: Dataset, split: Split, preparation: Preparation, seed: int) -> np.ndarray | None:
    """Return the weights of all rows by which networks are trained, stopped, chosen and calibrated; None without.

    Where weights of training or validation rows are negative, all of these rows get their means instead, as
    :mod:`shoal.statistics.mean_weights` learns them from the training rows. Scores keep the signs: the test rows, which
    teach nothing, keep their weights here, too.
    """
    weights = dataset.weights()
    rows = np.union1d(split.train, split.validation)
    if weights is None or not (weights[rows] < 0.0).any():
        return weights
    x = preparation.transform(dataset.inputs(split.train))
    seen = flat_features(x) if x.ndim != 3 else _stretches
    y = np.zeros((len(weights), 0)) if dataset.task is Task.RECONSTRUCTION else _as_columns(dataset.y())
    classes = dataset.task is Task.CLASSIFICATION and y.shape[1] == 1
    learned = learn_mean_weights(seen(x), y[split.train], weights[split.train], seed, classes=classes)
    weights = weights.copy()
    for part in (split.train, np.setdiff1d(rows, split.train)):
        if len(part):
            weights[part] = learned(seen(preparation.transform(dataset.inputs(part))), y[part], weights[part])
    return weights


def _as_columns(y: np.ndarray) -> np.ndarray:
    """Return targets as a row of numbers each; those of steps as means over stretches."""
    if y.ndim == 1:
        return y[:, None].astype(np.float64)
    return y if y.shape[1] == 0 or y.ndim == 2 else _stretches(y)


def _stretches(series: Any) -> np.ndarray:
    """Return means over stretches of series `(rows, time, ...)` as a row of numbers each."""
    parts = np.array_split(np.asarray(series, np.float64), min(PARTS, series.shape[1]), axis=1)
    return np.stack([part.mean(axis=1) for part in parts], axis=1).reshape(len(series), -1)
