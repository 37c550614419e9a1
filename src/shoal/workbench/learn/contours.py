"""Lines along which a function on a grid has a value: marching squares, of many functions at once."""

from __future__ import annotations

import numpy as np

# Of the four corners, counted around the cell, which sides are crossed: each side lies between corner k and k + 1.
CORNERS = ((0, 0), (0, 1), (1, 1), (1, 0))


def contours(values: np.ndarray, x: np.ndarray, y: np.ndarray, level: float = 0.0) -> np.ndarray:
    """Return pieces `(pieces, 4)` of x, y, x, y of the line on which a function has a value.

    Args:
        values: `(len(y), len(x))`.
        x: of the columns, rising.
        y: of the rows, rising.
        level: the value.

    Example:
        >>> contours(np.array([[-1.0, 1.0], [-1.0, 1.0]]), np.array([0.0, 1.0]), np.array([0.0, 1.0])).tolist()
        [[0.5, 0.0, 0.5, 1.0]]
    """
    height, width = values.shape
    shifted = np.where(np.isfinite(values), values, np.inf) - level
    corner = [shifted[i : height - 1 + i, j : width - 1 + j] for i, j in CORNERS]
    mesh_x, mesh_y = np.meshgrid(x, y)
    places = [
        (mesh_x[i : height - 1 + i, j : width - 1 + j], mesh_y[i : height - 1 + i, j : width - 1 + j])
        for i, j in CORNERS
    ]
    crossings, crossed = [], []
    for k in range(4):
        a, b = corner[k], corner[(k + 1) % 4]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.clip(np.where(np.isfinite(a) & np.isfinite(b), a / (a - b), 0.5), 0.0, 1.0)
        (ax, ay), (bx, by) = places[k], places[(k + 1) % 4]
        crossings.append(np.stack([ax + share * (bx - ax), ay + share * (by - ay)], axis=-1))
        crossed.append((a > 0) != (b > 0))
    sides = np.stack(crossed, axis=-1)
    at = np.stack(crossings, axis=-2)
    two, four = sides.sum(axis=-1) == 2, sides.all(axis=-1)
    order = np.argsort(~sides[two], axis=-1, kind="stable")[:, :2]
    pairs = np.take_along_axis(at[two], order[..., None], axis=1).reshape(-1, 4)
    saddles = at[four].reshape(-1, 2, 4)  # sides 0 and 1, 2 and 3: one of the two ways to join them
    return np.concatenate([pairs, saddles.reshape(-1, 4)])


def plane(x: np.ndarray, size: int = 40, margin: float = 0.25) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the axes of a grid around points `(rows, 2)`, and all of its places `(size², 2)`."""
    low, high = x.min(axis=0) - margin, x.max(axis=0) + margin
    across, up = (np.linspace(low[k], high[k], size) for k in (0, 1))
    mesh = np.meshgrid(across, up)
    return across, up, np.stack([m.ravel() for m in mesh], axis=1).astype(np.float32)
