"""The problem that engines train on, and how it is made of prepared rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.networks import Layer, Network
from shoal.results import Task
from shoal.row_view import TakenRows
from shoal.streams import Stream
from shoal.training.encodings import Encodings, NumberColumn
from shoal.training.heads import VALUE, ClassesHead
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.losses import Loss, get_loss
from shoal.training.parts import RowsInParts

HALVES = 4
ROWS_AT_ONCE = 8_192  # so that what comes between stays in the cache

Prepared = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Features, targets and weights of some rows."""


@dataclass(frozen=True)
class Problem:
    """The prepared rows that every member trains on, and the words of the task.

    Attributes:
        x: features of the training rows, `(rows, features)` float32; series `(rows, time, channels)` float32; or images
            `(rows, height, width, channels)` in the number type in which they were stored, perhaps as
            rows taken from the array of all.
        y: targets of the training rows, `(rows, outputs)` float32: one-hot classes, a single 0/1 column for two
            classes, or normalised values. Where each step of a series has a target, `(rows, time, outputs)`.
            With `known_errors` the standard errors of the targets stand behind them, `(rows, 2 targets)`.
        weights: `(rows, 1 or targets)` float32 with mean one; `(rows, time, 1)` with zeros at steps without a target.
        validation_x, validation_y, validation_weights: the same for the validation rows.
        validation_half: 0 or 1 for each validation row: members are stopped on one half and judged on the other.
        loss: what is made small.
        seed: names the random numbers of the run.
        penalties: callables `(xp, parameters) -> number` added to the cost.
        folds: the fold of each row in each repeat of a cross-validation, `(rows, repeats)`; the validation rows
            are then the training rows, and a member is trained on the rows outside its fold. None: no folds.
        validation_folds: of rolling folds, in which a member is not validated on all rows that it does not learn from:
            `(rows, folds)`, a column for each fold, which holds its number at the rows that validate it. `folds` has as
            many columns then, each with the number of the fold at rows that it does not learn from. None: `folds`.
        y_err, validation_y_err: standard error of each target, shaped as `y`, float32 in units of `y`, for replicas,
            or None: their targets are then not redrawn.
        y_noise, validation_y_noise: what redrawn first targets differ by where the errors of rows are correlated,
            `(rows, draws)` float32 in units of `y`, in place of `y_err`; or None.
        stem: layers with which every network begins, such as the scaling of images.
        reconstruct: the targets are what comes out of the stem, in one line; `y` is then `(rows, 0)`.
        known_errors: `y` and `validation_y` also hold the standard errors of the targets, for the loss.
        network: what every member is, the stem included, in place of a network built of its hyperparameters; or None.
        start: the weights with which every member starts, a dict for each layer of `network`; None: its own draw.
        number_columns: which features are numbers of a table, whose encoding members choose; none where they do not.
        whole: the problem whose rows went through the frozen beginning of its networks to give these; `x` is what they
            hand on, and members train the rest of their networks. None: rows are as they were prepared.
        stream: all training rows, where they do not fit into memory; `x` is then a part of them. None: `x` is all.
    """

    x: Any
    y: np.ndarray
    weights: np.ndarray
    validation_x: Any
    validation_y: np.ndarray
    validation_weights: np.ndarray
    validation_half: np.ndarray
    task: Task
    loss: Loss
    seed: int = 0
    penalties: tuple[Callable[..., Any], ...] = ()
    folds: np.ndarray | None = None
    validation_folds: np.ndarray | None = None
    y_err: np.ndarray | None = None
    validation_y_err: np.ndarray | None = None
    y_noise: np.ndarray | None = None
    validation_y_noise: np.ndarray | None = None
    stem: tuple[Layer, ...] = ()
    reconstruct: bool = False
    known_errors: bool = False
    network: Network | None = None
    start: Sequence[Mapping[str, np.ndarray]] | None = None
    number_columns: tuple[NumberColumn, ...] = ()
    whole: Problem | None = None
    stream: RowsInParts | None = None

    @cached_property
    def encodings(self) -> Encodings:
        """The encodings among which members choose, fitted on the training rows."""
        return Encodings(self.x, self.number_columns)

    def behind(self, encoding: str) -> Problem:
        """Return the problem whose rows have gone through an encoding, for the networks behind it."""
        if not self.encodings.layers(encoding):
            return self
        if encoding not in self._behind:
            x = self.encoded(encoding, self.x)
            validation = x if self.folds is not None else self.encoded(encoding, self.validation_x)
            self._behind[encoding] = replace(self, x=x, validation_x=validation, number_columns=())
        return self._behind[encoding]

    def encoded(self, encoding: str, x: Any) -> Any:
        """Return features of rows as networks with an encoding read them."""
        layers = self.encodings.layers(encoding)
        return _through(Network(layers, self.input_shape), x) if layers else x

    @cached_property
    def _behind(self) -> dict[str, Problem]:
        return {}

    @cached_property
    def networks(self) -> dict[int, tuple[Hyperparameters, Network]]:
        """Networks that were built, by where their hyperparameters lie; `packing` fills it in."""
        return {}

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row, `(features,)` for tables."""
        return tuple(self.x.shape[1:])

    @property
    def inputs(self) -> int:
        """Number of features."""
        return int(self.x.shape[1])

    @property
    def outputs(self) -> int:
        """Number of outputs of a network, or of each step."""
        return math.prod(self.input_shape) if self.reconstruct else self.loss.head.outputs(self.targets)

    @property
    def targets(self) -> int:
        """Number of columns that are predicted."""
        return int(self.y.shape[-1]) // (2 if self.known_errors else 1)

    @property
    def constants(self) -> int:
        """Number of outputs that are the same for every row."""
        return self.loss.head.constants(self.targets)

    @property
    def per_step(self) -> bool:
        """Whether each step of a series has a target of its own."""
        return self.y.ndim == 3

    @property
    def rolling(self) -> bool:
        """Whether a member's fold is a column of the folds, rather than a number in the column of its repeat."""
        return self.validation_folds is not None

    @property
    def validation_from(self) -> int:
        """Number of the first validation row among all whose targets are redrawn; with folds they are the same rows."""
        return len(self.x) if self.folds is None else 0

    def weighed_by_class(self, class_weight: np.ndarray) -> Problem:
        """Return the problem with the weights of rows times those of their classes, `(classes,)`.

        They are not brought to a mean of one again: a loss is `Σ w c l / n`, as in Keras.
        """

        def times(y: np.ndarray, weights: np.ndarray) -> np.ndarray:
            place = y[..., 0].astype(int) if y.shape[-1] == 1 else y.argmax(axis=-1)
            return (weights * class_weight[place][..., None]).astype(np.float32)

        weights, validation = times(self.y, self.weights), times(self.validation_y, self.validation_weights)
        return replace(self, weights=weights, validation_weights=validation)

    def steps(self, batch_size: int) -> int:
        """Return how many mini-batches of this size make an epoch; the last may be short."""
        return -(-len(self.x) // batch_size)

    @property
    def output_activation(self) -> str:
        """The activation of the last layer: of `network`, or the one that suits the task."""
        if self.network is not None:
            activation = self.network.output_activation
            return "own" if callable(activation) or isinstance(activation, tuple) else activation or "linear"
        if self.task is not Task.CLASSIFICATION or self.loss.head != VALUE:
            return self.loss.head.activation
        return "sigmoid" if self.outputs == 1 or self.loss.fused == "sigmoid" else "softmax"


def _through(network: Network, x: np.ndarray) -> np.ndarray:
    """Return what layers without parameters make of rows, few at a time."""
    made = np.empty((len(x), *network.output_shape), np.float32)
    for at in range(0, len(x), ROWS_AT_ONCE):
        made[at : at + ROWS_AT_ONCE] = network.apply([{}] * len(network.layers), x[at : at + ROWS_AT_ONCE])
    return made


def make_problem(
    task: Task,
    loss: Loss,
    training: Prepared,
    validation: Prepared,
    *,
    classes: int = 0,
    seed: int = 0,
    folds: np.ndarray | None = None,
    validation_folds: np.ndarray | None = None,
) -> Problem:
    """Return the problem made of prepared training and validation rows; what else it says is left at its defaults.

    Args:
        task: classification, regression or reconstruction.
        loss: what is made small.
        training: features `(rows, features)`, targets (class numbers `(rows,)` or normalised values
            `(rows, targets)`) and weights `(rows,)`, `(rows, targets)` or None. Where each step of a series has a
            target, `(rows, time)` with -1, or `(rows, time, targets)` with NaN, at steps without one.
        validation: the same for the validation rows; at least two of them.
        classes: number of classes.
        seed: names the random numbers.
        folds: the fold of each row in each repeat, `(rows, repeats)`; `validation` must then be `training`.
        validation_folds: of rolling folds, see `Problem`; a column for each fold, -1 at rows that do not validate it.

    Raises:
        DataError: fewer than two validation rows, in all or in one fold, or weights that add up to nothing.
    """
    _, validation_y, _ = validation
    rows = len(validation_y)
    if rows < 2:
        raise DataError(f"at least two validation rows are needed, got {rows}; add rows or raise the share")
    judged = None if validation_folds is None else validation_folds.max(axis=1)
    half = deal_halves(task, validation_y, seed, judged)
    if folds is not None:
        _check_halves(folds if judged is None else judged[:, None], half)
    return Problem(
        *_prepared(task, loss, classes, training, "training"),
        *_prepared(task, loss, classes, validation, "validation"),
        validation_half=half,
        task=task,
        loss=loss,
        seed=seed,
        folds=None if folds is None else np.ascontiguousarray(folds, np.int32),
        validation_folds=None if validation_folds is None else np.ascontiguousarray(validation_folds, np.int32),
    )


def _prepared(task: Task, loss: Loss, classes: int, part: Prepared, name: str) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return features, targets and weights of a part as engines take them."""
    x, y, weights = part
    if not isinstance(loss.head, ClassesHead):
        weights = _of_steps(task, y, weights)
    return numbers_for_engines(x), encode_target(task, loss, classes, y), _mean_one(weights, len(x), name)


def numbers_for_engines(x: Any) -> Any:
    """Return features as engines take them: images in their own number type, all else float32."""
    if isinstance(x, TakenRows):
        return x
    return np.ascontiguousarray(x, None if x.ndim == 4 and x.dtype != np.float64 else np.float32)


def encode_target(task: Task, loss: Loss, classes: int, y: np.ndarray) -> np.ndarray:
    """Return targets as a network's output layer has them, `(rows, outputs)` or `(rows, time, outputs)` float32.

    Two classes make one column of 0 and 1, unless the loss wants a column for each; more make one column each. A step
    without a target holds zeros. Of several targets, a column of `y` each, the columns of each stand beside the others.
    """
    if isinstance(loss.head, ClassesHead):
        binary, counts = get_loss("binary_crossentropy"), loss.head.counts_of_classes
        each = [encode_target(task, binary, count, column) for count, column in zip(counts, y.T, strict=True)]
        return np.concatenate(each, axis=1)
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
