"""Penalties on weights, added to the cost of every batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shoal.errors import SettingError
from shoal.networks import Layer
from shoal.user_function import called, name_of, takes_namespace

Penalty = Callable[[Any, Sequence[Mapping[str, Any]]], Any]
"""A penalty of the user's: `(xp, weights)`, a dict of arrays for each layer that has any, to a number."""


def penalised(layer: Layer) -> list[str]:
    """Return the parameters of a layer on which L1 and L2 act; not on those that training does not change."""
    return [name for name in layer.regularised if layer.trains(name)]


def user_penalty(function: Callable[..., Any]) -> Penalty:
    """Return a user's function `(weights)` or `(xp, weights)` as a penalty, which must be one number.

    Raises:
        SettingError: it takes other arguments; or, when it is called, it fails or returns something else.
    """
    with_xp = takes_namespace(function, "penalty", ("weights",))

    def penalty(xp: Any, weights: Sequence[Mapping[str, Any]]) -> Any:
        value = called(function, "penalty", *((xp, weights) if with_xp else (weights,)))
        shape = getattr(value, "shape", () if isinstance(value, (int, float)) else None)
        if shape != ():
            got = type(value).__name__ if shape is None else f"shape {tuple(shape)}"
            raise SettingError(f"the penalty {name_of(function)!r} must return one number, got {got}")
        return value

    return penalty


def weight_penalty(xp: Any, weights: Sequence[Any], numbers: Mapping[str, Any]) -> Any:
    """Return `l2 / (2k) Σ W² + l1 / k Σ |W|` over the k regularised weights (the notes' equation 1.10).

    Keras adds `λ Σ W²` instead: there `λ = l2 / (2k)`. Biases are not regularised.

    Args:
        xp: array namespace.
        weights: arrays of weights; padding must be zero.
        numbers: `l2`, `l1` and `weights` (k, the padding not counted).
    """
    squares = sum(xp.total(w**2) for w in weights)
    # jax gives |w| the slope 1 at zero, which would move padding away from zero
    sizes = sum(xp.total(xp.where(w == 0.0, 0.0, xp.abs(w))) for w in weights)
    return (0.5 * numbers["l2"] * squares + numbers["l1"] * sizes) / numbers["weights"]
