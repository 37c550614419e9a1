"""The rows of a problem as programs read them: filled up to sizes that data sets of similar size share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from shoal.row_view import TakenRows
from shoal.training.packing import batch_order
from shoal.training.parts import Part
from shoal.training.planner import validation_batch
from shoal.training.problem import Problem
from shoal.training.structure import Structure, bucket_rows

STEPS_AT_ONCE = 2  # of the loop over mini-batches: two in a row need half of its copies, more only compile longer


class SharedRows(NamedTuple):
    """The data that every member of a block reads, filled up to sizes that many data sets share.

    `present` is 1 for a real row; the last row never is. `validation_weights` is `(batches, rows, outputs or 1, 2)`,
    one column for each half; `folds` and `validation_folds` hold the fold of each row in each repeat, or are
    those of rolling folds, and have no columns where there are none. `steps` and `validation_batches` say how much is
    real. Images are not copied: `x` is then the array of all of them, `where` holds the positions of the training rows
    in it and `validation_x` those of the validation rows.
    """

    x: Any
    y: Any
    weights: Any
    present: Any
    y_err: Any
    folds: Any
    validation_x: Any
    validation_y: Any
    validation_weights: Any
    validation_y_err: Any
    validation_folds: Any
    validation_from: Any
    steps: Any
    validation_batches: Any
    y_noise: Any
    validation_y_noise: Any
    where: Any = None

    def inputs(self, indices: Any) -> Any:
        """Return the inputs of some training rows."""
        return self.x[indices] if self.where is None else self.x[self.where[indices]]

    def validation_inputs(self, batch: Any) -> Any:
        """Return the inputs of a batch of validation rows."""
        rows = self.validation_x[batch]
        return rows if self.where is None else self.x[rows]


def shared_rows(problem: Problem, structure: Structure) -> SharedRows:
    """Return the rows of a problem with nothing added but rows and features of zeros."""
    rows, validation = len(problem.x), len(problem.validation_x)
    size = min(bucket_rows(validation), validation_batch(structure.network.values))
    batches = -(-validation // size)
    full = size * bucket_rows(batches)
    halves = np.eye(2, dtype=np.float32)[problem.validation_half]
    weights = problem.validation_weights[..., None] * halves.reshape(validation, *[1] * (problem.y.ndim - 1), 2)
    folds = problem.folds if problem.folds is not None else np.zeros((rows, 0), np.int32)
    validation_folds = folds if problem.validation_folds is None else problem.validation_folds
    validation_folds = validation_folds if problem.folds is not None else np.zeros((validation, 0), np.int32)
    y_err = _errors(structure, problem.y_err, rows)
    validation_y_err = _errors(structure, problem.validation_y_err, validation)
    padded, width = _padded(problem), structure.input_shape[0]
    taken = isinstance(problem.x, TakenRows) and problem.x.array is getattr(problem.validation_x, "array", None)

    def filled(array: np.ndarray) -> np.ndarray:
        return _filled(array, padded)

    def batched(array: np.ndarray) -> np.ndarray:
        return _filled(array, full).reshape(full // size, size, *array.shape[1:])

    return SharedRows(
        x=problem.x.array if taken else filled(_wider(problem.x, width)),
        y=filled(problem.y),
        weights=filled(problem.weights),
        present=filled(np.ones(rows, np.float32)),
        y_err=filled(y_err),
        folds=filled(folds),
        validation_x=batched(_positions(problem.validation_x, full) if taken else _wider(problem.validation_x, width)),
        validation_y=batched(problem.validation_y),
        validation_weights=batched(weights),
        validation_y_err=batched(validation_y_err),
        validation_folds=batched(validation_folds),
        validation_from=np.int32(problem.validation_from),
        steps=np.int32(problem.steps(structure.batch_size)),
        validation_batches=np.int32(batches),
        y_noise=filled(_draws(structure, problem.y_noise, rows)),
        validation_y_noise=batched(_draws(structure, problem.validation_y_noise, validation)),
        where=_positions(problem.x, padded) if taken else None,
    )


def exchanged(problem: Problem, structure: Structure, part: Part) -> dict[str, np.ndarray]:
    """Return the training rows of a part, as many as those of the problem, as `shared_rows` has them."""
    wider, padded = part._replace(x=_wider(part.x, structure.input_shape[0])), _padded(problem)
    return {name: _filled(array, padded) for name, array in wider._asdict().items()}


def _errors(structure: Structure, errors: np.ndarray | None, rows: int) -> np.ndarray:
    """Return the errors within which targets are redrawn, without columns where none are."""
    return errors if structure.replicas and errors is not None else np.zeros((rows, 0), np.float32)


def _draws(structure: Structure, noise: np.ndarray | None, rows: int) -> np.ndarray:
    """Return by what targets are redrawn in each draw, filled up with draws that nobody sees."""
    if noise is None or not structure.replicas:
        return np.zeros((rows, 0), np.float32)
    return np.pad(noise, ((0, 0), (0, bucket_rows(noise.shape[1]) - noise.shape[1])))


def shared_orders(problem: Problem, structure: Structure, epochs: int) -> np.ndarray:
    """Return the rows of every step, `(epochs, steps, batch)`, the steps filled up with empty ones."""
    order = batch_order(problem, structure.batch_size, epochs)
    steps = bucket_rows(order.shape[1])
    steps += -steps % STEPS_AT_ONCE
    nobody = _padded(problem) - 1
    full = np.full((epochs, steps, order.shape[2]), nobody, np.int32)
    full[:, : order.shape[1]] = np.where(order < 0, nobody, order)
    return full


def _padded(problem: Problem) -> int:
    """Return the number of rows with those that fill up; at least one does, for places of a batch that stay empty."""
    return bucket_rows(len(problem.x) + 1)


def _filled(array: np.ndarray, length: int) -> np.ndarray:
    """Return an array with zeros behind it."""
    full = np.zeros((length, *array.shape[1:]), array.dtype)
    full[: len(array)] = array
    return full


def _positions(taken: TakenRows, length: int) -> np.ndarray:
    """Return where rows are, filled up with the first of them: no other row is ever looked at."""
    positions = np.full(length, taken.rows[0], np.int32)
    positions[: len(taken)] = taken.rows
    return positions


def _wider(x: np.ndarray, inputs: int) -> np.ndarray:
    """Return rows with features of zeros behind the real ones; images and series as they are."""
    x = np.asarray(x)
    return x if x.ndim > 2 or inputs == x.shape[1] else np.pad(x, ((0, 0), (0, inputs - x.shape[1])))
