"""Encodings of numbers: each channel as several that a network tells apart more easily, with nothing to train."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from shoal.errors import NetworkError, SettingError
from shoal.networks.initializers import Shape
from shoal.networks.layers.base import Context, Layer, Parameters
from shoal.networks.layers.scaled import check_channels

Knots = tuple[tuple[float, ...], ...]
"""Increasing numbers for each channel; a channel that stays as it is has none."""


@dataclass(frozen=True)
class _Encoding(Layer):
    """A layer that reads, for each channel with knots, between which of them a number lies.

    `ramp_t(x) = min(max((x - b_t) / (b_{t+1} - b_t), 0), 1)`
    """

    knots: Knots

    def __post_init__(self) -> None:
        try:
            knots = tuple(tuple(map(float, channel)) for channel in self.knots)
        except (TypeError, ValueError):
            knots = ((np.nan,),)
        if not all(len(k) != 1 and np.isfinite(k).all() and (np.diff(k) > 0.0).all() for k in knots):
            raise SettingError(
                f"{self.label}: knots must be two or more increasing numbers for each channel, or none for one that "
                f"stays as it is, got {self.knots!r}"
            )
        object.__setattr__(self, "knots", knots)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:  # of thousands of numbers, and asked for with each network that is built
        return hash((type(self), self.knots, self.name))

    def _check_fit(self, input_shape: Shape) -> None:
        check_channels(self.label, input_shape)
        if len(self.knots) != input_shape[-1]:
            raise NetworkError(
                f"{self.label} has knots for {len(self.knots)} channels, but inputs of shape {input_shape} have "
                f"{input_shape[-1]}. Give a tuple for each channel, () for one that stays as it is"
            )

    @cached_property
    def ramps(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The channel of each ramp, where it begins, and one over its length."""
        channels = np.repeat(np.arange(len(self.knots)), [max(len(k) - 1, 0) for k in self.knots])
        low = np.concatenate([np.zeros(0), *(np.asarray(k)[:-1] for k in self.knots)])
        length = np.concatenate([np.ones(0), *(np.diff(k) for k in self.knots)])
        return channels, low, 1.0 / length

    def _ramp(self, xp: Any, x: Any) -> Any:
        """Return the ramps of all channels one after the other, `(..., ramps)`."""
        channels, low, steepness = self.ramps
        u = (xp.take(x, channels, axis=-1) - low.astype(x.dtype)) * steepness.astype(x.dtype)
        return xp.minimum(xp.maximum(u, 0.0), 1.0)


@dataclass(frozen=True)
class PiecewiseEncoding(_Encoding):
    """Each channel as it is, and beside all of them how far it has come through each of its bins.

    `y = (x, ramp_1(x_1), …, ramp_T(x_1), ramp_1(x_2), …)`, with `ramp_t(x) = (x - b_t) / (b_{t+1} - b_t)` kept within
    0 and 1: a dense layer behind it is piecewise linear in each channel (Gorishniy, Rubachev, Babenko, "On embeddings
    for numerical features in tabular deep learning", NeurIPS 2022). Nothing is trained.

    Args:
        knots: the edges of the bins of each channel, increasing; () for a channel that has none.

    Raises:
        SettingError: knots that do not increase, or a single one.

    Example:
        >>> import numpy as np
        >>> PiecewiseEncoding(((0.0, 1.0, 3.0), ())).apply(np, {}, np.array([[2.0, 7.0]]), Context()).tolist()
        [[2.0, 7.0, 1.0, 0.5]]
    """

    __hash__ = _Encoding.__hash__

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape with as many more channels as there are bins."""
        self._check_fit(input_shape)
        return (*input_shape[:-1], input_shape[-1] + len(self.ramps[0]))

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x with its ramps beside it."""
        return xp.concatenate([x, self._ramp(xp, x)], axis=-1) if len(self.ramps[0]) else x


@dataclass(frozen=True)
class QuantileEncoding(_Encoding):
    """Each channel with knots by a line through given values at them, flat outside.

    `y = v_1 + Σ_t (v_{t+1} - v_t) ramp_t(x)`. With the quantiles of a channel as knots and their normal scores as
    values, the channel becomes about standard normal, whatever its distribution. Nothing is trained.

    Args:
        knots: of each channel, increasing; () for a channel that stays as it is.
        values: at the knots, as many for each channel.

    Raises:
        SettingError: knots that do not increase, or another number of values.

    Example:
        >>> import numpy as np
        >>> layer = QuantileEncoding(((0.0, 1.0, 3.0), ()), ((-1.0, 0.0, 1.0), ()))
        >>> layer.apply(np, {}, np.array([[2.0, 7.0]]), Context()).tolist()
        [[0.5, 7.0]]
    """

    values: Knots

    __hash__ = _Encoding.__hash__

    def __post_init__(self) -> None:
        super().__post_init__()
        values = tuple(tuple(map(float, channel)) for channel in self.values)
        if [len(v) for v in values] != [len(k) for k in self.knots]:
            raise SettingError(
                f"{self.label}: values must be as many as the knots of each channel, "
                f"{', '.join(str(len(k)) for k in self.knots)}, got {', '.join(str(len(v)) for v in values)}"
            )
        object.__setattr__(self, "values", values)

    def output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        self._check_fit(input_shape)
        return input_shape

    def scratch(self, input_shape: Shape) -> int:  # noqa: ARG002
        """Return the number of ramps."""
        return len(self.ramps[0])

    @cached_property
    def mixing(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How much of each ramp goes into each channel, where channels start, and 1 for one that stays as it is."""
        mixing = np.zeros((len(self.ramps[0]), len(self.knots)))
        rises = np.concatenate([np.zeros(0), *(np.diff(v) for v in self.values)])
        mixing[np.arange(len(rises)), self.ramps[0]] = rises
        start = np.asarray([v[0] if v else 0.0 for v in self.values])
        return mixing, start, np.asarray([0.0 if v else 1.0 for v in self.values])

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return the values between those at the knots."""
        mixing, start, same = (array.astype(x.dtype) for array in self.mixing)
        return xp.matmul(self._ramp(xp, x), mixing) + x * same + start
