"""The named weights of a network as a text and as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Weights = Mapping[str, Mapping[str, np.ndarray]]
"""The arrays of each layer that has any, by the name of the layer and their own."""

_MOST_ROWS, _MOST_COLUMNS = 16, 12


def summarize_weights(weights: Weights) -> str:
    """Return each array with its shape, mean and standard deviation, and its numbers where they are few.

    Example:
        >>> print(summarize_weights({"dense": {"kernel": np.array([[1.0, -2.0], [0.5, 1.0]]), "bias": np.zeros(50)}}))
        dense/kernel  (2, 2)  mean 0.125, std 1.244, from -2 to 1
              1      -2
            0.5       1
        dense/bias  (50,)  mean 0, std 0, from 0 to 0
    """
    lines = []
    for layer, arrays in weights.items():
        for name, array in arrays.items():
            mean, std = float(np.mean(array)), float(np.std(array))
            spread = f"mean {mean:.4g}, std {std:.4g}, from {np.min(array):.4g} to {np.max(array):.4g}"
            lines += [f"{layer}/{name}  {np.shape(array)}  {spread}", *_matrix(np.atleast_2d(array))]
    return "\n".join(lines) or "no weights"


def _matrix(array: np.ndarray) -> list[str]:
    """Return the lines of a matrix, or none where it is large or has more axes."""
    if array.ndim > 2 or array.shape[0] > _MOST_ROWS or array.shape[1] > _MOST_COLUMNS:
        return []
    cells = [[f"{value:.4g}" for value in row] for row in array]
    width = max(6, *(len(cell) for row in cells for cell in row))
    return ["  " + "".join(f"  {cell.rjust(width)}" for cell in row).rstrip() for row in cells]


def tabulate_weights(weights: Weights) -> dict[str, list[Any]]:
    """Return all weights as columns: layer, array, the place along each axis from 0 (None beyond the last), value.

    Example:
        >>> tabulate_weights({"dense": {"kernel": np.array([[1.0], [2.0]]), "bias": np.array([0.5])}})["axis_1"]
        [0, 0, None]
    """
    arrays = [(layer, name, np.asarray(a)) for layer, of_layer in weights.items() for name, a in of_layer.items()]
    columns: dict[str, list[Any]] = {"layer": [], "array": []}
    columns |= {f"axis_{axis}": [] for axis in range(max((a.ndim for *_, a in arrays), default=0))}
    columns["value"] = []
    for layer, name, array in arrays:
        places = np.indices(array.shape).reshape(array.ndim, -1).tolist()
        rest = [[None] * array.size] * (len(columns) - 3 - array.ndim)
        parts: list[list[Any]] = [[layer] * array.size, [name] * array.size, *places, *rest, array.ravel().tolist()]
        for column, part in zip(columns.values(), parts, strict=True):
            column.extend(part)
    return columns
