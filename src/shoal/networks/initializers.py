"""Initial weights: Keras' initializers by name, drawn from a counter-based stream."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.errors import SettingError, listing, suggest
from shoal.streams import Stream

Shape = tuple[int, ...]
Initializer = Callable[[Any, Shape], np.ndarray]
"""A function of a stream (or of many at once) and a shape that returns float32 numbers, those of each stream first."""

# Standard deviation of a standard normal distribution cut at two standard deviations.
_CUT_NORMAL_STD = 0.87962566103423978


def fans(shape: Shape) -> tuple[int, int]:
    """Return how many inputs each output has, and how many outputs each input has.

    Example:
        >>> fans((4, 8)), fans((3, 3, 2, 5))
        ((4, 8), (18, 45))
    """
    if len(shape) < 2:
        return (math.prod(shape),) * 2
    field = math.prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


def _cut_normal(stream: Stream, shape: Shape, std: float) -> np.ndarray:
    """Normal numbers of which those beyond two standard deviations are left out."""
    from scipy.special import ndtr, ndtri

    u = stream.uniform(shape).astype(np.float64)
    edge = float(ndtr(-2.0))
    return (std * ndtri(edge + u * (1.0 - 2.0 * edge))).astype(np.float32)


def _scaled(scale: float, fan: str, kind: str) -> Initializer:
    """Return the initializer with variance `scale / n`, n the fan in or the mean of both fans."""

    def initialize(stream: Stream, shape: Shape) -> np.ndarray:
        fan_in, fan_out = fans(shape)
        variance = scale / max(1.0, fan_in if fan == "in" else (fan_in + fan_out) / 2)
        if kind == "uniform":
            limit = math.sqrt(3.0 * variance)
            return stream.uniform(shape, -limit, limit)
        return _cut_normal(stream, shape, math.sqrt(variance) / _CUT_NORMAL_STD)

    return initialize


def orthogonal(stream: Stream, shape: Shape) -> np.ndarray:
    """Return a matrix with orthonormal rows or columns, whichever are fewer (Saxe et al., 2014).

    Raises:
        SettingError: the shape has fewer than two axes.
    """
    if len(shape) < 2:
        raise SettingError(f"orthogonal needs at least two axes, got shape {shape}; use it for kernels only")
    rows, columns = math.prod(shape[:-1]), shape[-1]
    a = stream.normal((max(rows, columns), min(rows, columns))).astype(np.float64)
    q, r = np.linalg.qr(a)
    q = q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]
    q = np.swapaxes(q, -1, -2) if rows < columns else q
    return q.reshape(*a.shape[:-2], *shape).astype(np.float32)


def identity(stream: Stream, shape: Shape) -> np.ndarray:  # noqa: ARG001 - nothing is drawn
    """Return ones on the diagonal of a matrix.

    Raises:
        SettingError: the shape is not that of a matrix.
    """
    if len(shape) != 2:
        raise SettingError(f"identity needs two axes, got shape {shape}; use it for kernels only")
    return np.eye(*shape, dtype=np.float32)


INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": _scaled(1.0, "mean", "uniform"),
    "glorot_normal": _scaled(1.0, "mean", "normal"),
    "he_uniform": _scaled(2.0, "in", "uniform"),
    "he_normal": _scaled(2.0, "in", "normal"),
    "lecun_uniform": _scaled(1.0, "in", "uniform"),
    "lecun_normal": _scaled(1.0, "in", "normal"),
    "random_normal": lambda stream, shape: (0.05 * stream.normal(shape)).astype(np.float32),
    "random_uniform": lambda stream, shape: stream.uniform(shape, -0.05, 0.05),
    "truncated_normal": lambda stream, shape: _cut_normal(stream, shape, 0.05),
    "orthogonal": orthogonal,
    "identity": identity,
    "zeros": lambda stream, shape: np.zeros(shape, np.float32),  # noqa: ARG005
    "ones": lambda stream, shape: np.ones(shape, np.float32),  # noqa: ARG005
}
"""Every initializer by Keras' name, with Keras' defaults."""

ALIASES = {"zero": "zeros", "one": "ones", "uniform": "random_uniform", "normal": "random_normal"}
"""Other names that are understood; `GlorotUniform` stands for `glorot_uniform`, and so on."""


def get_initializer(name: str) -> Initializer:
    """Return the initializer of a name.

    Raises:
        SettingError: no initializer has this name.

    Example:
        >>> get_initializer("glorot_uniform")(Stream(0), (4, 8)).shape
        (4, 8)
    """
    key = "".join(f"_{c.lower()}" if c.isupper() else c for c in str(name)).lstrip("_")
    key = ALIASES.get(key, key)
    if key not in INITIALIZERS:
        raise SettingError(
            f"no initializer is called {name!r}.{suggest(str(name), INITIALIZERS)}"
            f" Choose one of: {listing(INITIALIZERS, 20)}"
        )
    return INITIALIZERS[key]
