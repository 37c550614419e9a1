"""BatchNormalization: each channel gets mean 0 and variance 1 over the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.networks.initializers import Initializer, Shape
from shoal.networks.layers.base import Context, Parameters
from shoal.networks.layers.scaled import Scaled, checked_number


@dataclass(frozen=True)
class BatchNormalization(Scaled):
    """Give each channel mean 0 and variance 1 over the batch and all axes but the last, then scale and shift it.

    `y = gamma (x - mean) / sqrt(variance + epsilon) + beta` (Ioffe and Szegedy, 2015)

    While training, mean and variance are those of the batch, in which absent rows and masked steps do not count, and
    the moving ones follow: `moving = momentum moving + (1 - momentum) batch`. In prediction the moving ones are used.

    Args:
        momentum: how much of the moving mean and variance one batch leaves, 0 ≤ momentum < 1; default 0.99.
        epsilon: added to the variance; default 1e-3.
        axis: the axis of the channels; always -1, the last.
        center: whether beta is added; default True.
        scale: whether gamma is multiplied; default True.
        beta_initializer: start of beta; default "zeros".
        gamma_initializer: start of gamma; default "ones".

    Raises:
        SettingError: another axis, a momentum or epsilon out of range, or an unknown initializer.

    Example:
        >>> import numpy as np
        >>> layer = BatchNormalization(epsilon=0.0, center=False, scale=False)
        >>> layer.apply(np, {}, np.array([[1.0], [3.0]]), Context(training=True)).tolist()
        [[-1.0], [1.0]]
    """

    momentum: float = 0.99
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "momentum", checked_number(self.label, "momentum", self.momentum, below=1.0))
        object.__setattr__(self, "epsilon", checked_number(self.label, "epsilon", self.epsilon))

    @property
    def moving(self) -> tuple[str, ...]:
        """The mean and variance that follow the batches."""
        return ("moving_mean", "moving_variance")

    def initializer(self, name: str) -> str | Initializer:
        """Return those of gamma and beta; the moving mean starts at 0 and the moving variance at 1."""
        return {"moving_mean": "zeros", "moving_variance": "ones"}.get(name) or super().initializer(name)

    def parameter_shapes(self, input_shape: Shape) -> dict[str, Shape]:
        """Return the shapes of gamma, beta, moving_mean and moving_variance, each (channels,)."""
        shapes = super().parameter_shapes(input_shape)
        return shapes | {name: (input_shape[-1],) for name in self.moving}

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:
        """Return x normalised by the batch while training, else by the moving mean and variance."""
        if context.training:
            mean, variance = self._of_batch(xp, parameters, x, context)
        else:
            mean, variance = parameters["moving_mean"], parameters["moving_variance"]
        return self._scaled(parameters, (x - mean) / xp.sqrt(variance + self.epsilon))

    def _of_batch(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> tuple[Any, Any]:
        """Return mean and variance of each channel over the batch, and record the moving ones."""
        weights = _weights(xp, x, context)
        if weights is None:
            axes = tuple(range(x.ndim - 1))
            mean, variance, keep = xp.mean(x, axis=axes), xp.var(x, axis=axes), self.momentum
        else:
            mean, variance, count = _weighted_moments(xp, x, weights)
            keep = xp.where(count > 0, xp.asarray(self.momentum, x.dtype), 1.0)
        if context.record is not None:
            for name, value in zip(self.moving, (mean, variance), strict=True):
                context.record(name, xp.stop_gradient(keep * parameters[name] + (1.0 - keep) * value))
        return mean, variance


def _weights(xp: Any, x: Any, context: Context) -> Any:
    """Return how much each place counts, of x's shape with 1 for the channels; None: all alike."""
    if context.present is None and (context.mask is None or x.ndim < 3):
        return None
    weights = xp.ones((*x.shape[:-1], 1), x.dtype)
    if context.present is not None:
        weights = weights * xp.reshape(context.present, (-1, *[1] * (x.ndim - 1))).astype(x.dtype)
    if context.mask is not None and x.ndim >= 3:
        weights = weights * xp.reshape(context.mask, (*x.shape[:2], *[1] * (x.ndim - 2))).astype(x.dtype)
    return weights


def _weighted_moments(xp: Any, x: Any, weights: Any) -> tuple[Any, Any, Any]:
    """Return weighted mean and variance of each channel, and the sum of the weights."""
    axes = tuple(range(x.ndim - 1))
    count = xp.sum(weights)
    divisor = xp.where(count > 0, count, 1.0)
    x = xp.where(weights > 0, x, 0.0)  # a NaN in a row that does not count must not count either
    mean = xp.sum(weights * x, axis=axes) / divisor
    variance = xp.sum(weights * (x - mean) ** 2, axis=axes) / divisor
    return mean, variance, count
