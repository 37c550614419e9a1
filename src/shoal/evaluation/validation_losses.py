"""The loss of each validation row, as one network leaves it: what the scatter from row to row is taken from."""

from __future__ import annotations

import math

import numpy as np

from shoal.networks import Flatten, Network, numpy_namespace
from shoal.training.forward import predict
from shoal.training.member import TrainedMember
from shoal.training.problem import Problem
from shoal.training.resampling import rows_of_fold

NUMBERS_AT_ONCE = 1 << 24


def validating_rows(problem: Problem, trained: TrainedMember) -> np.ndarray:
    """Return which of the validation rows validate a network, `(rows,)` bool."""
    if problem.folds is None:
        return np.ones(len(problem.validation_y), bool)
    return rows_of_fold(problem, trained.member.fold or 0, trained.member.repeat)[1]


def row_losses(problem: Problem, trained: TrainedMember, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of some validation rows at the network's best epoch, and their weights, each `(rows,)` float64.

    The mean of the losses with these weights is the validation loss of all rows (its square, for rmse). Of series
    with a target at each step a row's loss is the mean over its steps.

    Args:
        problem: what the network learned; with the loss by which it was judged.
        trained: the network.
        rows: their places among the validation rows.
    """
    network = trained.network
    once = max(1, NUMBERS_AT_ONCE // (math.prod(network.input_shape) + math.prod(network.output_shape)))
    parts = [_part(problem, trained, rows[i : i + once]) for i in range(0, len(rows), once)]
    losses, weights = (np.concatenate(of_parts) for of_parts in zip(*parts, strict=True))
    return losses, weights


def _part(problem: Problem, trained: TrainedMember, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    xp, loss, h = numpy_namespace, problem.loss, trained.member.hyperparameters
    x = np.asarray(problem.validation_x[rows])
    logits = loss.absorbs(problem.output_activation)
    output = predict(trained.network, trained.parameters, x, logits=logits)
    y = _reconstructed(problem, x) if problem.reconstruct else problem.validation_y[rows]
    values_of = (loss.values_of_logits if logits else None) or loss.values
    values = np.asarray(values_of(xp, y, output, {"huber_delta": h.huber_delta}), np.float64)
    weights = np.asarray(problem.validation_weights[rows], np.float64)
    each = tuple(range(1, values.ndim))
    weight = weights.mean(axis=each)
    total = np.broadcast_to(weights, values.shape) if weights.shape[-1] == 1 else weights
    return (total * values).mean(axis=each) / np.where(weight > 0.0, weight, 1.0), weight


def _reconstructed(problem: Problem, x: np.ndarray) -> np.ndarray:
    stem = Network([*problem.stem, Flatten()], problem.input_shape)
    return np.asarray(stem.apply([{}] * len(stem.layers), x)).reshape(len(x), -1)
