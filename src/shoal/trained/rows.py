"""The arrays that `Network.fit` is given, checked against the network and the loss."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import DataError, SettingError, ShoalWarning
from shoal.networks import Network
from shoal.training.losses import Loss
from shoal.training.problem import numbers_for_engines

SPARSE = "sparse_categorical_crossentropy"
CROSSENTROPIES = ("binary_crossentropy", "categorical_crossentropy")


@dataclass(frozen=True)
class Rows:
    """Rows that a network learns from or is judged on.

    Attributes:
        x: `(rows, *input_shape)`.
        y: the truth as it was given, but `(rows, 1)` for one output.
        targets: the truth as the loss compares it with outputs, float32 `(rows, targets)` or `(rows, time, targets)`.
        weights: float32 `(rows, 1)` or `(rows, time, 1)`.
    """

    x: np.ndarray
    y: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, which: slice) -> Rows:
        return Rows(self.x[which], self.y[which], self.targets[which], self.weights[which])


def checked_rows(network: Network, loss: Loss, sparse: bool, x: Any, y: Any, weights: Any, what: str = "") -> Rows:
    """Return rows that fit a network and a loss.

    Args:
        network: that is to learn from them.
        loss: of the training.
        sparse: whether classes come as numbers.
        x: features.
        y: truth.
        weights: of the rows, or None.
        what: stands before `x` and `y` in messages.

    Raises:
        DataError: what differs, where, and how to mend it.
    """
    features = checked_features(network, x, f"{what}x")
    truth = _array(y, f"{what}y")
    if truth.ndim == 0 or len(truth) != len(features):
        rows = len(truth) if truth.ndim else 1
        raise DataError(f"{what}x has {len(features)} rows, but {what}y has {rows}; each row needs one answer")
    targets = _targets(network, loss, sparse, truth, f"{what}y")
    if targets.shape == (*truth.shape, 1):  # else a metric of the user's would pair each row with all others
        truth = truth[..., None]
    return Rows(numbers_for_engines(features), truth, targets, _weights(weights, targets, what))


def checked_features(network: Network, x: Any, what: str = "x") -> np.ndarray:
    """Return features that a network can take.

    Raises:
        DataError: another shape than the network's input, no rows, texts, or numbers that are not finite.
    """
    array = _array(x, what)
    if array.shape[1:] != network.input_shape or array.ndim == 0:
        raise DataError(_misfit(network, array.shape, what))
    if not len(array):
        raise DataError(f"{what} has no rows")
    _check_finite(array, what)
    return array


def last_rows(rows: Rows, share: float, classes: bool) -> tuple[Rows, Rows]:
    """Return the rows without the last of them, and the last share, which validate, as in Keras.

    Raises:
        SettingError: a share that leaves no rows on one side.
    """
    first = math.floor(len(rows) * (1.0 - share)) if 0.0 < share < 1.0 else 0
    if not 0 < first < len(rows):
        raise SettingError(
            f"validation_split must leave rows to learn from and rows to validate, got {share!r} of {len(rows)} rows; "
            "0.2 takes the last fifth"
        )
    training, validation = rows[:first], rows[first:]
    if classes and training.targets.shape[-1] > 1:
        here, there = (set(part.targets.argmax(axis=-1).ravel().tolist()) for part in (training, validation))
        if here != there:
            warnings.warn(
                f"validation_split takes the last rows as they stand: they hold the classes {sorted(there)}, the "
                f"others {sorted(here)}; shuffle the rows first",
                ShoalWarning,
                stacklevel=6,
            )
    return training, validation


def _array(values: Any, what: str) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(f"{what} must be an array of numbers: {error}") from None
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            array = array.astype(str)
    if array.dtype.kind not in "biuf":
        first = array.ravel()[0].item() if array.size else ""
        mending = "np.unique(y, return_inverse=True)[1]" if what.endswith("y") else "shoal.fit, which encodes columns"
        raise DataError(f"{what} must hold numbers, got {first!r}; turn texts into numbers, by {mending}")
    return array


def _misfit(network: Network, shape: tuple[int, ...], what: str) -> str:
    """Return which axis of the features does not fit the first layer, and what to change."""
    wanted, layer = network.input_shape, network.layers[0]
    where = f"layer {network.names[0]!r} ({type(layer).__name__})"
    due = ", ".join(["rows", *map(str, wanted)])
    text = f"{what} has shape {shape}, but {where} takes ({due})"
    if shape == wanted:
        return f"{text}. For a single row write {what}[None]"
    if (*shape[1:], 1) == wanted:
        return f"{text}. Give it an axis of channels: {what}[..., None]"
    if len(shape) and math.prod(shape[1:]) == math.prod(wanted):
        return f"{text}. Write {what}.reshape(len({what}), {', '.join(map(str, wanted))})"
    if len(shape) == len(wanted) + 1:
        axis = next(i for i, (got, right) in enumerate(zip(shape[1:], wanted, strict=True), start=1) if got != right)
        text = f"{text}: axis {axis} has {shape[axis]} for {wanted[axis - 1]}"
    return f"{text}. Change the data, or build the network with input_shape={shape[1:]}"


def _check_finite(array: np.ndarray, what: str) -> None:
    with np.errstate(over="ignore"):
        bad = np.argwhere(~np.isfinite(array.astype(np.float32)))
    if len(bad):
        place = ", ".join(map(str, bad[0]))
        value = array[tuple(bad[0])]
        raise DataError(
            f"{what}[{place}] is {value}, no number that float32 can hold; leave such rows out or fill them"
        )


def _targets(network: Network, loss: Loss, sparse: bool, y: np.ndarray, what: str) -> np.ndarray:
    """Return the truth as the loss compares it with the outputs."""
    _check_finite(y, what)
    outputs = network.output_shape
    if sparse:
        return _of_classes(outputs, y, what)
    given = y.shape
    y = y[..., None] if y.ndim == len(outputs) and loss.head.outputs(1) == outputs[-1] else y
    targets = y.shape[-1] if y.ndim == len(outputs) + 1 else 0
    if y.shape[1:-1] != outputs[:-1] or not targets or loss.head.outputs(targets) != outputs[-1]:
        raise DataError(_wrong_kind(loss, outputs, given, what))
    _check_values(loss, y, what)
    return np.ascontiguousarray(y, np.float32)


def _of_classes(outputs: tuple[int, ...], y: np.ndarray, what: str) -> np.ndarray:
    """Return class numbers as a column for each class."""
    if y.shape[1:] == (*outputs[:-1], 1):
        y = y[..., 0]
    shape = ", ".join(["rows", *map(str, outputs[:-1])])
    if y.shape[1:] != outputs[:-1]:
        raise DataError(
            f"{SPARSE} takes the number of each row's class, {what} of shape ({shape},), got {y.shape}. For a column "
            "for each class use categorical_crossentropy"
        )
    wrong = y[(y < 0) | (y >= outputs[-1]) | (y != np.floor(y))]
    if wrong.size:
        raise DataError(
            f"{what} must hold class numbers from 0 to {outputs[-1] - 1}, one for each of the network's {outputs[-1]} "
            f"outputs, got {wrong[0]}"
        )
    return np.eye(outputs[-1], dtype=np.float32)[y.astype(np.int64)]


def _wrong_kind(loss: Loss, outputs: tuple[int, ...], given: tuple[int, ...], what: str) -> str:
    """Return why the truth does not suit outputs and loss, and what to change."""
    shape = f"({', '.join(['rows', *map(str, outputs)])})"
    text = f"{what} has shape {given}, but the outputs of the network have {shape}"
    if _named(loss, "categorical_crossentropy") and len(given) == len(outputs):
        return f"{text}. For class numbers use loss={SPARSE!r}"
    if loss.head.outputs(1) != 1:
        return (
            f"{text}, and loss {loss.name!r} needs {loss.head.outputs(1)} outputs for one target. Change the last layer"
        )
    if len(given) == len(outputs) == 1:
        return f"{text}. For one number a row, the last layer has one unit; for class numbers use loss={SPARSE!r}"
    return f"{text}. Change the units of the last layer, or {what}"


def _named(loss: Loss, name: str) -> bool:
    return loss.name == name and not loss.user  # a user may call a function so


def _check_values(loss: Loss, y: np.ndarray, what: str) -> None:
    """Refuse values that the loss cannot mean."""
    if _named(loss, "binary_crossentropy") and not (y.min() >= 0 and y.max() <= 1):
        wrong = y[(y < 0) | (y > 1)][0]
        raise DataError(
            f"binary_crossentropy takes {what} between 0 and 1, got {wrong}; for two labels write y == label"
        )
    if _named(loss, "categorical_crossentropy") and not (y.min() >= 0 and np.allclose(y.sum(axis=-1), 1, atol=1e-3)):
        raise DataError(
            f"categorical_crossentropy takes {what} with shares of the classes that add up to 1 in each row. For "
            "several labels a row use binary_crossentropy and activation='sigmoid'"
        )
    if loss.head.counts and y.min() < 0:
        raise DataError(f"loss {loss.name!r} takes counts, got {what} with {y.min()}")


def _weights(weights: Any, targets: np.ndarray, what: str) -> np.ndarray:
    """Return a weight for each row, and for each of its steps."""
    rows = len(targets)
    if weights is None:
        values = np.ones(rows, np.float32)
    else:
        values = _array(weights, f"{what}sample_weight").astype(np.float32)
        if values.shape not in ((rows,), (rows, 1)):
            raise DataError(
                f"{what}sample_weight must have one weight for each of {rows} rows, got shape {values.shape}"
            )
        _check_finite(values, f"{what}sample_weight")
    values = values.reshape(rows, *[1] * (targets.ndim - 1))
    return np.ascontiguousarray(np.broadcast_to(values, (*targets.shape[:-1], 1)))
