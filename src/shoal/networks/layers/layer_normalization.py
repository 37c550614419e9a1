"""LayerNormalization and GroupNormalization: statistics within each row, none over the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shoal.errors import NetworkError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Parameters
from shoal.networks.layers.scaled import Scaled, check_channels, checked_number
from shoal.networks.layers.settings import checked_integer


@dataclass(frozen=True)
class LayerNormalization(Scaled):
    """Give the channels of each place of each row mean 0 and variance 1, then scale and shift each channel.

    `y = gamma (x - mean) / sqrt(variance + epsilon) + beta`, over the last axis (Ba, Kiros and Hinton, 2016)

    Args:
        epsilon: added to the variance; default 1e-3.
        axis: the axis of the channels; always -1, the last.
        center: whether beta is added; default True.
        scale: whether gamma is multiplied; default True.
        beta_initializer: start of beta; default "zeros".
        gamma_initializer: start of gamma; default "ones".

    Raises:
        SettingError: another axis, a negative epsilon, or an unknown initializer.

    Example:
        >>> import numpy as np
        >>> layer = LayerNormalization(epsilon=0.0, center=False, scale=False)
        >>> layer.apply(np, {}, np.array([[1.0, 3.0]]), Context()).tolist()
        [[-1.0, 1.0]]
    """

    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "epsilon", checked_number(self.label, "epsilon", self.epsilon))

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x normalised over its last axis."""
        return self._scaled(parameters, _normalised(xp, x, (-1,), self.epsilon))


@dataclass(frozen=True)
class GroupNormalization(Scaled):
    """Give groups of channels of each row mean 0 and variance 1 over all places, then scale and shift each channel.

    `y = gamma (x - mean) / sqrt(variance + epsilon) + beta`, over a group of channels and all axes of a row before
    them (Wu and He, 2018); steps that a mask calls padding count, as in Keras.

    Args:
        groups: how many groups the channels make, which divides their number; -1 makes one of each; default 32.
        epsilon: added to the variance; default 1e-3.
        axis: the axis of the channels; always -1, the last.
        center: whether beta is added; default True.
        scale: whether gamma is multiplied; default True.
        beta_initializer: start of beta; default "zeros".
        gamma_initializer: start of gamma; default "ones".

    Raises:
        SettingError: groups below 1 that are not -1, another axis, a negative epsilon, or an unknown initializer.

    Example:
        >>> import numpy as np
        >>> layer = GroupNormalization(2, epsilon=0.0, center=False, scale=False)
        >>> layer.apply(np, {}, np.array([[1.0, 3.0, 10.0, 30.0]]), Context()).tolist()
        [[-1.0, 1.0, -1.0, 1.0]]
    """

    groups: int = 32
    epsilon: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.groups != -1:
            object.__setattr__(self, "groups", checked_integer(self.label, "groups", self.groups))
        object.__setattr__(self, "epsilon", checked_number(self.label, "epsilon", self.epsilon))

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        check_channels(self.label, input_shape)
        channels = input_shape[-1]
        if self.groups != -1 and channels % self.groups:
            divisors = [n for n in range(1, channels + 1) if channels % n == 0]
            raise NetworkError(
                f"{self.label} cannot make {self.groups} groups of equal size of the {channels} channels of shape "
                f"{input_shape}. Choose groups among {', '.join(map(str, divisors[:12]))}"
            )
        return input_shape

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x normalised over each group of channels and all places."""
        groups = x.shape[-1] if self.groups == -1 else self.groups
        grouped = xp.reshape(x, (*x.shape[:-1], groups, x.shape[-1] // groups))
        axes = (*range(1, x.ndim - 1), -1)
        return self._scaled(parameters, xp.reshape(_normalised(xp, grouped, axes, self.epsilon), x.shape))


def _normalised(xp: Any, x: Any, axes: tuple[int, ...], epsilon: float) -> Any:
    centred = x - xp.mean(x, axis=axes, keepdims=True)
    return centred / xp.sqrt(xp.mean(centred * centred, axis=axes, keepdims=True) + epsilon)
