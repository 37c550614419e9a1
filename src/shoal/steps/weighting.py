"""The weights by which rows teach networks: those of the data, or their means where some are negative."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.data import Dataset, Preparation, Split
from shoal.errors import SettingError
from shoal.evaluation.baselines.flat_features import flat_features
from shoal.prediction.scored import Scored
from shoal.results import Task
from shoal.statistics.class_weights import class_weights
from shoal.statistics.mean_weights import learn_mean_weights

PARTS = 64
"""Stretches of a series whose means tell rows apart."""


TeachingWeights = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From prepared rows, targets as `Dataset.y` has them, and weights to the weights by which rows teach."""


def mean_weights(dataset: Dataset, split: Split, preparation: Preparation, seed: int) -> TeachingWeights | None:
    """Return what gives rows their mean weights, where weights of training or validation rows are negative; else None.

    Learned from the training rows by :mod:`shoal.statistics.mean_weights`.
    """
    weights = dataset.weights()
    rows = np.union1d(split.train, split.validation)
    if weights is None or not (weights[rows] < 0.0).any():
        return None
    x = preparation.transform(dataset.inputs(split.train))
    seen = flat_features(x) if x.ndim != 3 else _stretches

    def columns(y: np.ndarray) -> np.ndarray:
        return np.zeros((len(y), 0)) if dataset.task is Task.RECONSTRUCTION else _as_columns(y)

    y = columns(dataset.y()[split.train])
    classes = dataset.task is Task.CLASSIFICATION and y.shape[1] == 1
    learned = learn_mean_weights(seen(x), y, weights[split.train], seed, classes=classes)
    return lambda x, y, weights: learned(seen(x), columns(y), weights)


def teaching_weights(
    dataset: Dataset, split: Split, preparation: Preparation, mean: TeachingWeights | None
) -> np.ndarray | None:
    """Return the weights of all rows by which networks are trained, stopped, chosen and calibrated; None without.

    With `mean` weights, training and validation rows get these. Scores keep the signs: the test rows, which teach
    nothing, keep their weights here, too.
    """
    weights = dataset.weights()
    if weights is None or mean is None:
        return weights
    y, weights = dataset.y(), weights.copy()
    for part in (split.train, np.setdiff1d(split.validation, split.train)):
        if len(part):
            weights[part] = mean(preparation.transform(dataset.inputs(part)), y[part], weights[part])
    return weights


def weights_of_classes(
    dataset: Dataset, split: Split, choice: tuple[str, ...] | None, teaching: np.ndarray | None
) -> np.ndarray | None:
    """Return how much each class counts in training, `(classes,)`; None: all alike.

    Raises:
        SettingError: there are no classes, or not those that are named.
    """
    if choice is None:
        return None
    if dataset.task is not Task.CLASSIFICATION:
        raise SettingError("class_weight is for classes, but no classes are predicted here; leave it out")
    train = split.train
    scored = Scored.of(dataset.task, dataset.y()[train], None if teaching is None else teaching[train])
    return class_weights(choice, dataset.classes, scored.truth, scored.weights)


def weighed_by_class(y: np.ndarray, weights: np.ndarray | None, of_class: np.ndarray | None) -> np.ndarray | None:
    """Return the weights of rows times those of their classes; of steps for each step, `(rows, time)`.

    Example:
        >>> weighed_by_class(np.array([0, 1]), np.array([2.0, 2.0]), np.array([1.0, 3.0])).tolist()
        [2.0, 6.0]
    """
    if of_class is None:
        return weights
    factors = np.where(y >= 0, of_class[y], 0.0)
    return factors if weights is None else factors * weights.reshape(-1, *[1] * (y.ndim - 1))


def _as_columns(y: np.ndarray) -> np.ndarray:
    """Return targets as a row of numbers each; those of steps as means over stretches."""
    if y.ndim == 1:
        return y[:, None].astype(np.float64)
    return y if y.shape[1] == 0 or y.ndim == 2 else _stretches(y)


def _stretches(series: Any) -> np.ndarray:
    """Return means over stretches of series `(rows, time, ...)` as a row of numbers each."""
    parts = np.array_split(np.asarray(series, np.float64), min(PARTS, series.shape[1]), axis=1)
    return np.stack([part.mean(axis=1) for part in parts], axis=1).reshape(len(series), -1)
