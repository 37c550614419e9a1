"""Prepared rows, and the scores of what is predicted for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data import Dataset, Preparation
from shoal.evaluation.record import Scores
from shoal.prediction.autoencoder import scaled_inputs
from shoal.prediction.prediction import ClassPrediction, Prediction
from shoal.prediction.predictor import Predictor
from shoal.prediction.scored import Scored
from shoal.results import Task
from shoal.row_view import joined
from shoal.statistics.bootstrap import block_length, with_intervals
from shoal.statistics.metrics import Metric


@dataclass(frozen=True)
class Rows:
    """Prepared rows of one part of the split: features, targets in their own units (or scaled inputs), weights."""

    x: Any
    y: np.ndarray
    weights: np.ndarray | None


def prepared_rows(dataset: Dataset, preparation: Preparation, rows: np.ndarray, weights: np.ndarray | None) -> Rows:
    """Return some rows of a dataset, prepared, with their weights among those of all rows."""
    x = preparation.transform(dataset.inputs(rows))
    return Rows(x, truth_of(preparation, x, dataset.y()[rows]), None if weights is None else weights[rows])


def joined_rows(a: Rows, b: Rows) -> Rows:
    """Return the rows of two parts together."""
    weights = None
    if a.weights is not None and b.weights is not None:
        weights = np.concatenate([a.weights, b.weights])
    return Rows(joined(a.x, b.x), np.concatenate([a.y, b.y]), weights)


def truth_of(preparation: Preparation, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return what the ensemble is compared with: the targets, or in a reconstruction the scaled inputs."""
    return scaled_inputs(preparation, x) if preparation.task is Task.RECONSTRUCTION else y


def best_guess(prediction: Prediction) -> np.ndarray:
    """Return what metrics compare with the truth: probabilities, or the mean."""
    return prediction.probabilities if isinstance(prediction, ClassPrediction) else prediction.mean


def block_of(preparation: Preparation, rows: int) -> int:
    """Return how many neighbouring rows an interval draws together: one, but more of overlapping windows."""
    recipe = preparation.recipe
    return 1 if recipe is None or recipe.window is None else block_length(rows, recipe.horizon)


def score_guess(
    predictor: Predictor, rows: Rows, guess: np.ndarray, seed: int, chosen: Sequence[Metric] = ()
) -> Scores:
    """Return the chosen and the usual metrics of what was predicted for some rows, with their intervals."""
    scored = Scored.of(predictor.preparation.task, rows.y, rows.weights)
    return score_entries(predictor, rows, scored.taken(guess), seed, chosen)


def score_entries(
    predictor: Predictor, rows: Rows, guess: np.ndarray, seed: int, chosen: Sequence[Metric] = ()
) -> Scores:
    """Return the same for a guess of each row, or of each step with a target."""
    block, task = block_of(predictor.preparation, len(rows.x)), predictor.preparation.task
    scored = Scored.of(task, rows.y, rows.weights)
    drawing: dict[str, Any] = {"seed": seed, "block": block, "groups": scored.series, "chosen": chosen}
    return with_intervals(task, scored.truth, guess, weights=scored.weights, **drawing)
