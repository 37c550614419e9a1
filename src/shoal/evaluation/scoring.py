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
    """Prepared rows: features, targets in their own units (or scaled inputs), weights and numbers of groups or None."""

    x: Any
    y: np.ndarray
    weights: np.ndarray | None
    groups: np.ndarray | None = None

    def some(self, places: np.ndarray | slice) -> Rows:
        """Return some of them."""
        of_rows = (None if each is None else each[places] for each in (self.weights, self.groups))
        return Rows(self.x[places], self.y[places], *of_rows)

    def scored(self, task: Task) -> Scored:
        """Return what of them is scored."""
        return Scored.of(task, self.y, self.weights, self.groups)


def prepared_rows(dataset: Dataset, preparation: Preparation, rows: np.ndarray, weights: np.ndarray | None) -> Rows:
    """Return some rows of a dataset, prepared, with their weights among those of all rows."""
    x = preparation.transform(dataset.inputs(rows))
    groups = dataset.groups()
    of_rows = (None if each is None else each[rows] for each in (weights, groups))
    return Rows(x, truth_of(preparation, x, dataset.y()[rows]), *of_rows)


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


def drawing_of(preparation: Preparation, scored: Scored, rows: int, seed: int) -> dict[str, Any]:
    """Return how intervals draw entries anew; `rows` are those of which the entries are."""
    return {"seed": seed, "block": block_of(preparation, rows), "groups": scored.groups}


def score_guess(
    predictor: Predictor, rows: Rows, guess: np.ndarray, seed: int, chosen: Sequence[Metric] = ()
) -> Scores:
    """Return the chosen and the usual metrics of what was predicted for some rows, with their intervals."""
    return score_entries(predictor, rows, rows.scored(predictor.preparation.task).taken(guess), seed, chosen)


def score_entries(
    predictor: Predictor, rows: Rows, guess: np.ndarray, seed: int, chosen: Sequence[Metric] = ()
) -> Scores:
    """Return the same for a guess of each row, or of each step with a target."""
    preparation = predictor.preparation
    scored = rows.scored(preparation.task)
    drawing = drawing_of(preparation, scored, len(rows.x), seed)
    return with_intervals(preparation.task, scored.truth, guess, weights=scored.weights, chosen=chosen, **drawing)
