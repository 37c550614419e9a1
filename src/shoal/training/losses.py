"""Losses: what training makes small.

Each loss gives one value per row (or step of a series) and output; the cost of a batch is their weighted mean, plus the
penalties of :mod:`shoal.training.penalties`. `target` and `output` have one shape, unless the loss has a head
(:mod:`shoal.training.heads`) that says more of a target than its value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import SettingError, spelled, suggest
from shoal.results import Task
from shoal.training.heads import (
    FLOOR,
    VALUE,
    ClassesHead,
    GaussianHead,
    Head,
    MultivariateGaussianHead,
    PoissonHead,
    QuantileHead,
    columns,
)
from shoal.user_function import called, name_of, takes_namespace

Values = Callable[[Any, Any, Any, Mapping[str, Any]], Any]
CLIP = 1e-7


@dataclass(frozen=True)
class Loss:
    """A loss with everything that the trainer needs to know of it.

    Attributes:
        name: its name, as in Keras.
        values: `(xp, target, output, numbers) -> (batch, outputs or 1)`.
        tasks: the tasks that it suits.
        fused: the last activation that it may absorb: it then gets the values before that activation,
            by `values_of_logits`, which is exact where the two steps would overflow.
        values_of_logits: as `values`, for the output before the activation `fused`.
        root: whether the cost is the square root of the mean (rmse).
        head: what the outputs say of the targets.
        user: whether it is a function of the user's, which only the XLA engine can train with.
    """

    name: str
    values: Values
    tasks: tuple[Task, ...] = tuple(Task)
    fused: str | None = None
    values_of_logits: Values | None = None
    root: bool = False
    head: Head = VALUE
    user: bool = False

    def absorbs(self, activation: str) -> bool:
        """Whether the loss takes the place of this last activation."""
        return self.values_of_logits is not None and self.fused == activation

    def finish(self, xp: Any, mean: Any) -> Any:
        """Return the cost made of the mean of the values."""
        if not self.root:
            return mean
        positive = mean > 0
        # no NaN gradient at zero; but a NaN mean stays one, or who has diverged would look perfect
        return xp.where(positive, xp.sqrt(xp.where(positive, mean, 1.0)), 0.0 * mean)


def _check(target: Any, output: Any, agree: bool | None = None) -> None:
    if not (target.shape == output.shape if agree is None else agree):
        raise SettingError(f"loss: target of shape {target.shape} and output of shape {output.shape} must agree")


def squared_error(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `(y - f)²`."""
    _check(target, output)
    return (target - output) ** 2


def absolute_error(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `|y - f|`."""
    _check(target, output)
    return xp.abs(target - output)


def huber(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `e²/2` for `|e| ≤ δ`, else `δ|e| - δ²/2` (Huber, Ann. Math. Statist. 35, 73, 1964)."""
    _check(target, output)
    delta = numbers.get("huber_delta", 1.0)
    size = xp.abs(target - output)
    return xp.where(size <= delta, 0.5 * size**2, delta * size - 0.5 * delta**2)


def log_cosh(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `log cosh(f - y)`, computed so that it does not overflow."""
    _check(target, output)
    size = xp.abs(output - target)
    return size + xp.log1p(xp.exp(-2.0 * size)) - float(np.log(2.0))


def _smooth(target: Any, numbers: Mapping[str, Any], classes: int) -> Any:
    smoothing = numbers.get("label_smoothing", 0.0)
    return target * (1.0 - smoothing) + smoothing / classes


def binary_crossentropy(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `-y log p - (1 - y) log(1 - p)` for a probability p."""
    _check(target, output)
    y, p = _smooth(target, numbers, 2), xp.clip(output, CLIP, 1.0 - CLIP)
    return -(y * xp.log(p) + (1.0 - y) * xp.log(1.0 - p))


def binary_crossentropy_of_logits(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return the binary cross-entropy of `p = sigmoid(z)` from z: `log(1 + exp z) - zy`."""
    _check(target, output)
    y = _smooth(target, numbers, 2)
    return xp.logaddexp(0.0, output) - output * y


def categorical_crossentropy(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `-Σ y log p`, one value per row; p is scaled to sum to one, as in Keras."""
    _check(target, output)
    axis = xp.features
    p = xp.clip(output / xp.sum(output, axis=axis, keepdims=True), CLIP, 1.0 - CLIP)
    return -xp.sum(_smooth(target, numbers, target.shape[axis]) * xp.log(p), axis=axis, keepdims=True)


def categorical_crossentropy_of_logits(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return the categorical cross-entropy of `p = softmax(z)` from z."""
    _check(target, output)
    axis = xp.features
    shifted = output - xp.stop_gradient(xp.max(output, axis=axis, keepdims=True))
    log_p = shifted - xp.log(xp.sum(xp.exp(shifted), axis=axis, keepdims=True))
    return -xp.sum(_smooth(target, numbers, target.shape[axis]) * log_p, axis=axis, keepdims=True)


@dataclass(frozen=True)
class Crossentropies:
    """The sum over several targets of the cross-entropy of each, from its outputs before sigmoid or softmax.

    Args:
        head: which outputs are those of which target.
    """

    head: ClassesHead

    def __call__(self, xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
        """Return the loss, one value per row."""
        _check(target, output)
        total = 0.0
        for group in self.head.groups:
            binary = group.stop - group.start == 1
            of_target = binary_crossentropy_of_logits if binary else categorical_crossentropy_of_logits
            y, z = (columns(xp, array, group.start, group.stop) for array in (target, output))
            total = total + of_target(xp, y, z, numbers)
        return total


def gaussian_nll(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `(y - f)² / v + log v` with the variance `v = s²`, or `v = σ² + s²` where σ is measured.

    That is twice the negative log-likelihood of a normal distribution, less a constant (Nix and Weigend, ICNN 1994,
    55). Targets `(rows, targets)` may have their standard errors σ behind them, `(rows, 2 targets)`; s is then the
    scatter that is left beside them, and s = 0 makes it the chi-square.
    """
    width, axis = output.shape[xp.features], xp.features
    count = width // 2
    _check(target, output, width % 2 == 0 and target.shape[axis] in (count, width))
    variance = xp.exp(2.0 * columns(xp, output, count, width)) + FLOOR
    if target.shape[axis] == width:
        variance = variance + columns(xp, target, count, width) ** 2
    return (columns(xp, target, 0, count) - columns(xp, output, 0, count)) ** 2 / variance + xp.log(variance)


def multivariate_gaussian_nll(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `|Lᵀ (y - f)|² - 2 Σ log L_ii`, one value per row: `(y - f)ᵀ C⁻¹ (y - f) + log det C`, `C⁻¹ = L Lᵀ`.

    That is twice the negative log-likelihood of a multivariate normal distribution, less a constant (Williams, Neural
    Comput. 8, 843, 1996).
    """
    count, width = target.shape[xp.features], output.shape[xp.features]
    _check(target, output, MultivariateGaussianHead().outputs(count) == width)
    away = target - columns(xp, output, 0, count)
    logs = columns(xp, output, count, 2 * count)
    away, below, total = [columns(xp, away, i, i + 1) for i in range(count)], 2 * count, 0.0
    for j in range(count):
        product = xp.exp(columns(xp, logs, j, j + 1)) * away[j]
        for i in range(j + 1, count):
            product = product + columns(xp, output, below, below + 1) * away[i]
            below += 1
        total = total + product**2
    return total - 2.0 * xp.sum(logs, axis=xp.features, keepdims=True)


@dataclass(frozen=True)
class Pinball:
    """`mean over levels τ of max(τ (y - q), (τ - 1) (y - q))`, whose minimum are quantiles (Koenker and Bassett 1978).

    Args:
        levels: those of the outputs: all targets at the first level, then at the next.
    """

    levels: tuple[float, ...]

    def __call__(self, xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
        """Return the loss of each target, the mean over the levels."""
        del numbers
        count = target.shape[xp.features]
        _check(target, output, output.shape[xp.features] == count * len(self.levels))
        total = 0.0
        for i, level in enumerate(self.levels):
            above = target - columns(xp, output, i * count, (i + 1) * count)
            total = total + xp.maximum(level * above, (level - 1.0) * above)
        return total / len(self.levels)


def poisson(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return `f - y log f` for the expected number f of counts, as in Keras."""
    _check(target, output)
    return output - target * xp.log(output + CLIP)


def poisson_of_logits(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
    """Return the Poisson loss of `f = exp(z)` from z: `exp z - y z`."""
    _check(target, output)
    return xp.exp(output) - target * output


_CLASSES, _NUMBERS = (Task.CLASSIFICATION,), (Task.REGRESSION,)
LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("mse", squared_error),
        Loss("rmse", squared_error, root=True),
        Loss("mae", absolute_error),
        Loss("huber", huber),
        Loss("log_cosh", log_cosh),
        Loss("binary_crossentropy", binary_crossentropy, _CLASSES, "sigmoid", binary_crossentropy_of_logits),
        Loss(
            "categorical_crossentropy",
            categorical_crossentropy,
            _CLASSES,
            "softmax",
            categorical_crossentropy_of_logits,
        ),
        Loss("gaussian_nll", gaussian_nll, _NUMBERS, head=GaussianHead()),
        Loss("multivariate_gaussian_nll", multivariate_gaussian_nll, _NUMBERS, head=MultivariateGaussianHead()),
        Loss("pinball", Pinball(QuantileHead().levels), _NUMBERS, head=QuantileHead()),
        Loss("poisson", poisson, _NUMBERS, "exponential", poisson_of_logits, head=PoissonHead()),
    )
}
ALIASES = {
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "huber_loss": "huber",
    "crossentropy": "categorical_crossentropy",
    "sparse_categorical_crossentropy": "categorical_crossentropy",
    "nll": "gaussian_nll",
    "quantile": "pinball",
}


def get_loss(loss: str | Loss | Callable[..., Any]) -> Loss:
    """Return the loss of this name, or of a function `(y_true, y_pred)` or `(xp, y_true, y_pred)`.

    The function gives a value for each row and output, or for each row.

    Raises:
        SettingError: there is no such loss, or the function takes other arguments.

    Example:
        >>> get_loss("mean_squared_error").name
        'mse'
    """
    if isinstance(loss, Loss):
        return loss
    if callable(loss):
        return Loss(name_of(loss), _checked_values(loss), user=True)
    if not isinstance(loss, str):
        raise SettingError(f"loss: expected a name or a function (y_true, y_pred), got {loss!r}")
    name = spelled(loss, [*LOSSES, *ALIASES])
    name = ALIASES.get(name, name)
    if name not in LOSSES:
        near = suggest(loss.lower(), [*LOSSES, *ALIASES])
        raise SettingError(f"loss: expected one of {', '.join(LOSSES)}, got {loss!r}.{near}")
    return LOSSES[name]


def _checked_values(function: Callable[..., Any]) -> Values:
    """Return a user's function as a loss; other shapes would be broadcast to something else without a word."""
    with_xp, name = takes_namespace(function, "loss", ("y_true", "y_pred")), name_of(function)

    def values(xp: Any, target: Any, output: Any, numbers: Mapping[str, Any]) -> Any:
        _check(target, output)
        result = called(function, "loss", *((xp, target, output) if with_xp else (target, output)))
        front, shape = tuple(target.shape[:-1]), getattr(result, "shape", None)
        if shape not in (target.shape, (*front, 1), front) or result.dtype.kind != "f":
            got = f"{type(result).__name__} {result!r:.40}" if shape is None else f"{tuple(shape)} of {result.dtype}"
            expected = f"{target.shape}, {(*front, 1)} or {front}"
            raise SettingError(
                f"the loss {name!r} must return {expected}, one floating number per row, got {got}. "
                f"Take no mean over the rows: that of a batch is taken with the weights of the rows"
            )
        return result[..., None] if len(shape) == len(front) else result

    return values
