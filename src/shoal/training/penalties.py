"""Penalties on weights, added to the cost of every batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


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
