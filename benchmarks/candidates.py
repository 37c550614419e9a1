"""The mixed search: the same candidates for everyone, drawn without any of the libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

ACTIVATIONS = ("relu", "tanh", "sigmoid", "silu", "gelu", "elu")
WIDTHS, DEPTHS = (4, 64), (1, 3)
RATES = (1e-3, 3e-2)
STRENGTHS = (0.0, 0.001, 0.01, 0.1, 1.0)
DROPOUTS = (0.0, 0.1, 0.25)


def draw_candidates(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Return candidates: widths even in the logarithm per layer, an activation, learning rate, L2 and dropout each.

    Their number does not change them: the first of a thousand are the first of ten.
    """
    rng = np.random.default_rng(seed)
    return [_draw(rng) for _ in range(count)]


def _draw(rng: np.random.Generator) -> dict[str, Any]:
    depth = int(rng.integers(DEPTHS[0], DEPTHS[1] + 1))
    widths = np.exp(rng.uniform(np.log(WIDTHS[0]), np.log(WIDTHS[1] + 1), depth))
    return {
        "hidden": tuple(min(int(width), WIDTHS[1]) for width in widths),
        "activation": str(rng.choice(ACTIVATIONS)),
        "learning_rate": float(np.exp(rng.uniform(*np.log(RATES)))),
        "l2": float(rng.choice(STRENGTHS)),
        "dropout": float(rng.choice(DROPOUTS)),
    }
