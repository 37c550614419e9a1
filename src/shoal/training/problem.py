"""From prepared rows to the problem that engines train on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.errors import DataError, SettingError
from shoal.networks import Layer
from shoal.results import Task
from shoal.row_view import TakenRows
from shoal.streams import Stream
from shoal.training.heads import GaussianHead, QuantileHead
from shoal.training.losses import Loss, check_loss_suits, get_loss, with_levels, with_scatter
from shoal.training.member import Problem

HALVES = 4


def choose_loss(
    task: Task,
    classes: int,
    loss: str | Callable[..., Any] | None,
    scatter: str | None = None,
    coverage: float = 0.95,
) -> Loss:
    """Return the loss that the user asked for, or the one that suits the task.

    Without a wish: the mean squared error for numbers and reconstructions, the cross-entropy for classes (binary for
    two). A `scatter` that is to be learned, as a `constant` or a `function` of the inputs, makes it `gaussian_nll`; the
    outermost quantiles of `pinball` have the share `coverage` between them.

    Raises:
        SettingError: the loss does not suit the task, or learns no scatter.
    """
    if scatter in ("constant", "function"):
        chosen = get_loss("gaussian_nll" if loss is None else loss)
        if not isinstance(chosen.head, GaussianHead):
            raise SettingError(f"scatter {scatter!r} is learned by the loss gaussian_nll, not by {chosen.name}")
        check_loss_suits(chosen, task)
        return with_scatter(chosen, scatter)
    if loss is None:
        if task is not Task.CLASSIFICATION:
            return get_loss("mse")
        return get_loss("binary_crossentropy" if classes == 2 else "categorical_crossentropy")
    chosen = get_loss(loss)
    check_loss_suits(chosen, task)
    if scatter == "zero" and isinstance(chosen.head, GaussianHead):
        raise SettingError("gaussian_nll learns a scatter; with scatter zero leave out loss, or use mse")
    return with_levels(chosen, coverage) if isinstance(chosen.head, QuantileHead) else chosen


def make_problem(
    task: Task,
    loss: Loss,
    training: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    validation: tuple[np.ndarray, np.ndarray, np.ndarray | None],
    *,
    classes: int = 0,
    seed: int = 0,
    penalties: tuple[Callable[..., Any], ...] = (),
    folds: np.ndarray | None = None,
    validation_folds: np.ndarray | None = None,
    y_err: np.ndarray | None = None,
    stem: tuple[Layer, ...] = (),
    reconstruct: bool = False,
    known_errors: bool = False,
) -> Problem:
    """Return the problem made of prepared training and validation rows.

    Args:
        task: classification, regression or reconstruction.
        loss: what is made small.
        training: features `(rows, features)`, targets (class numbers `(rows,)` or normalised values
            `(rows, targets)`) and weights `(rows,)`, `(rows, targets)` or None. Where each step of a series has a
            target, `(rows, time)` with -1, or `(rows, time, targets)` with NaN, at steps without one.
        validation: the same for the validation rows; at least two of them.
        classes: number of classes.
        seed: names the random numbers.
        penalties: callables `(xp, parameters) -> number`.
        folds: the fold of each row in each repeat, `(rows, repeats)`; `validation` must then be `training`.
        validation_folds: of rolling folds, see `Problem`; a column for each fold, -1 at rows that do not validate it.
        y_err: standard error of each normalised target, `(rows, targets)`, for replicas.
        stem: layers with which every network begins.
        reconstruct: whether the networks reconstruct what comes out of the stem; targets are then `(rows, 0)`.
        known_errors: whether the targets of both parts have their standard errors behind them, `(rows, 2 targets)`.

    Raises:
        DataError: fewer than two validation rows, in all or in one fold, or weights that add up to nothing.
    """
    x, y, w = training
    validation_x, validation_y, validation_w = validation
    if len(validation_x) < 2:
        found = len(validation_x)
        raise DataError(f"at least two validation rows are needed, got {found}; add rows or raise the share")
    half = deal_halves(task, validation_y, seed, None if validation_folds is None else validation_folds.max(axis=1))
    if folds is not None:
        _check_halves(folds if validation_folds is None else validation_folds.max(axis=1, keepdims=True), half)
    return Problem(
        x=_numbers(x),
        y=encode_target(task, loss, classes, y),
        weights=_mean_one(_of_steps(task, y, w), len(x), "training"),
        validation_x=_numbers(validation_x),
        validation_y=encode_target(task, loss, classes, validation_y),
        validation_weights=_mean_one(_of_steps(task, validation_y, validation_w), len(validation_x), "validation"),
        validation_half=half,
        task=task,
        loss=loss,
        seed=seed,
        penalties=penalties,
        folds=None if folds is None else np.ascontiguousarray(folds, np.int32),
        validation_folds=None if validation_folds is None else np.ascontiguousarray(validation_folds, np.int32),
        y_err=None if y_err is None else np.ascontiguousarray(y_err, np.float32),
        stem=stem,
        reconstruct=reconstruct,
        known_errors=known_errors,
    )


def _numbers(x: Any) -> Any:
    """Return features as engines take them: images in their own number type, all else float32."""
    if isinstance(x, TakenRows):
        return x
    return np.ascontiguousarray(x, None if x.ndim == 4 and x.dtype != np.float64 else np.float32)


def encode_target(task: Task, loss: Loss, classes: int, y: np.ndarray) -> np.ndarray:
    """Return targets as a network's output layer has them, `(rows, outputs)` or `(rows, time, outputs)` float32.

    Two classes make one column of 0 and 1, unless the loss wants a column for each; more make one column each. A step
    without a target holds zeros.
    """
    if task is not Task.CLASSIFICATION:
        return np.ascontiguousarray(y if y.ndim < 3 else np.nan_to_num(y, nan=0.0), np.float32)
    if classes == 2 and loss.name != "categorical_crossentropy":
        return (y[..., None] == 1).astype(np.float32)
    return np.concatenate([np.eye(classes, dtype=np.float32), np.zeros((1, classes), np.float32)])[y]  # -1: the last


def steps_present(task: Task, y: np.ndarray) -> np.ndarray | None:
    """Return which steps have a target, `(rows, time)`; None where targets are those of rows.

    Example:
        >>> steps_present(Task.CLASSIFICATION, np.array([[0, 1, -1]])).tolist()
        [[True, True, False]]
    """
    if task is Task.CLASSIFICATION:
        return y >= 0 if y.ndim == 2 else None
    return np.isfinite(y).all(axis=-1) if y.ndim == 3 else None


def _of_steps(task: Task, y: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
    """Return the weight of each step, zero where it has no target; those of rows as they are."""
    present = steps_present(task, y)
    if present is None:
        return weights
    return present[:, :, None] * (1.0 if weights is None else np.asarray(weights, np.float64).reshape(-1, 1, 1))


def _mean_one(weights: np.ndarray | None, rows: int, part: str) -> np.ndarray:
    """Return weights of mean one, so that no scale of the weights changes the size of a step."""
    if weights is None:
        return np.ones((rows, 1), np.float32)
    weights = np.asarray(weights, np.float64)
    weights = weights.reshape(rows, -1) if weights.ndim < 3 else weights
    mean = weights.mean()
    if not mean > 0.0:
        raise DataError(f"the weights of the {part} rows must have a positive mean, got {mean:g}")
    return (weights / mean).astype(np.float32)


def deal_halves(task: Task, y: np.ndarray, seed: int, part: np.ndarray | None = None) -> np.ndarray:
    """Return 0 or 1 for each validation row, each class of rows dealt evenly to both halves.

    Args:
        task: classification or regression.
        y: class numbers `(rows,)` or values `(rows, targets)`.
        seed: names the random numbers.
        part: `(rows,)` number of the part that a row belongs to, each of which is dealt evenly, too; None: one part.

    Example:
        >>> int(deal_halves(Task.REGRESSION, np.zeros((4, 1)), seed=0).sum())
        2
    """
    order = Stream(seed, HALVES).permutation(len(y))
    if task is Task.CLASSIFICATION and y.ndim == 1:
        order = order[np.argsort(y[order], kind="stable")]
    if part is not None:
        order = order[np.argsort(part[order], kind="stable")]
    half = np.empty(len(y), np.int64)
    half[order] = np.arange(len(y)) % 2
    return half


def _check_halves(folds: np.ndarray, half: np.ndarray) -> None:
    """Refuse a fold that could not both stop a member and judge it."""
    for column in folds.T:
        fold = int(column.max()) + 1
        dealt = 2 * column + half
        if np.bincount(dealt[column >= 0], minlength=2 * fold).min() == 0:
            raise DataError(
                f"each of the {fold} folds needs at least two rows, one to stop a network and one to judge it; "
                "choose fewer folds"
            )
