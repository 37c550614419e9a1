"""Values of a column at which its effect is looked at."""

from __future__ import annotations

import numpy as np

from shoal.errors import DataError, counted

POINTS = 21
"""Values of a grid that rows have, at most; of categories all."""
RUG = 200


def grid_of(values: np.ndarray, column: str) -> np.ndarray:
    """Return values of a column from the least to the largest: all of a few, else those at even quantiles.

    Args:
        values: `(rows,)`, NaN where there is none.
        column: its name, for the message.

    Raises:
        DataError: there are fewer than two.

    Example:
        >>> grid_of(np.array([3.0, 1.0, 1.0, np.nan]), "x").tolist(), len(grid_of(np.arange(1000.0), "x"))
        ([1.0, 3.0], 21)
    """
    present = np.sort(values[np.isfinite(values)])
    distinct = np.unique(present)
    if len(distinct) < 2:
        raise DataError(
            f"column {column!r} has {counted(len(distinct), 'value')} in these rows; an effect needs two at least"
        )
    if len(distinct) <= POINTS:
        return distinct
    places = np.linspace(0, len(present) - 1, POINTS).round().astype(int)
    return np.unique(present[places])  # values that occur, so that whole numbers stay whole


def filled(edges: np.ndarray, values: np.ndarray, parts: int = POINTS) -> np.ndarray:
    """Return the values of a grid with more between those that lie far apart, so that a curve is seen there, too.

    Whole numbers stay whole, and where the grid has all values that occur nothing is added.

    Example:
        >>> filled(np.array([0.0, 1.0, 5.0, 9.0]), np.linspace(0, 9, 99), parts=4).tolist()
        [0.0, 1.0, 3.0, 5.0, 7.0, 9.0]
    """
    if len(np.unique(values[np.isfinite(values)])) == len(edges):
        return edges
    widths, most = np.diff(edges), (edges[-1] - edges[0]) / parts
    counts = np.maximum(1, np.ceil(widths / most - 1e-9)).astype(int)
    between = [start + width * np.arange(n) / n for start, width, n in zip(edges, widths, counts, strict=False)]
    grid = np.concatenate([*between, edges[-1:]])
    present = values[np.isfinite(values)]
    return np.unique(grid.round()) if (present == present.round()).all() else grid


def nearest(grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the place in the grid that is nearest to each value, -1 where there is none."""
    place = np.searchsorted((grid[1:] + grid[:-1]) / 2, values)
    return np.where(np.isfinite(values), place, -1)


def rug_of(values: np.ndarray) -> np.ndarray:
    """Return the values of some rows, spread evenly over all of them."""
    present = np.sort(values[np.isfinite(values)])
    return present[np.linspace(0, len(present) - 1, min(RUG, len(present))).round().astype(int)]
