"""What simple methods see of prepared rows: a row of numbers each, whatever the networks take.

Tables are such rows already. A new kind is one function and one line in `FEATURES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Flat = Callable[[np.ndarray], np.ndarray]
"""From prepared rows to `(rows, features)` float64."""
MOST_NUMBERS = 256
"""Numbers of an image at most. Trees take four times as long for four times the numbers, and on noisy images all simple
methods get worse by them: on the built-in galaxies, 71 % instead of 62 % are right with 144 means for 576 pixels."""
MOST_IN_ALL = 10_000_000
"""Numbers of all images at most, though at least 64 of each."""


def flat_features(x: Any) -> Flat:
    """Return the function from prepared rows to features, fitted on training rows.

    Args:
        x: `(rows, features)` or images `(rows, height, width, channels)`.

    Example:
        >>> flat_features(np.zeros((2, 64, 64, 3), np.uint8))(np.zeros((1, 64, 64, 3), np.uint8)).shape
        (1, 192)
    """
    return FEATURES[x.ndim](x)


def _columns(x: np.ndarray) -> Flat:  # noqa: ARG001 (tables are prepared)
    return lambda rows: np.asarray(rows, np.float64)


def _pixels(x: np.ndarray) -> Flat:
    """Return the function that takes means of square blocks of pixels and scales them to mean 0 and deviation 1."""
    most = max(64, min(MOST_NUMBERS, MOST_IN_ALL // max(1, len(x))))
    block = 1
    while _blocks(x.shape[1], block) * _blocks(x.shape[2], block) * x.shape[3] > most and block < max(x.shape[1:3]):
        block += 1
    means = block_means(x, block)
    centre, scale = means.mean(axis=0), means.std()
    scale = scale if scale > 0 else 1.0  # one for all pixels: a dark corner tells as little as it varies

    def features(rows: np.ndarray) -> np.ndarray:
        return (block_means(rows, block) - centre) / scale

    return features


def _blocks(pixels: int, block: int) -> int:
    return -(-pixels // block)


def block_means(images: Any, block: int) -> np.ndarray:
    """Return `(rows, blocks · channels)` float64 means over squares of pixels; those at the edges may be smaller.

    Args:
        images: `(rows, height, width, channels)`.
        block: side of a square in pixels.

    Example:
        >>> block_means(np.arange(6.0).reshape(1, 2, 3, 1), 2).tolist()
        [[2.0, 3.5]]
    """
    tall, wide = (np.arange(0, side, block) for side in images.shape[1:3])
    out = np.empty((len(images), len(tall) * len(wide) * images.shape[3]))
    once = max(1, 4_000_000 // math.prod(images.shape[1:]))
    for i in range(0, len(images), once):  # a float copy of all pixels might not fit into memory
        sums = np.add.reduceat(np.asarray(images[i : i + once], np.float64), tall, axis=1)
        sums = np.add.reduceat(sums, wide, axis=2)
        out[i : i + once] = sums.reshape(len(sums), -1)
    heights, widths = (np.diff([*starts, side]) for starts, side in zip((tall, wide), images.shape[1:3], strict=True))
    return out / np.repeat(np.outer(heights, widths).reshape(-1), images.shape[3])


FEATURES: dict[int, Callable[[np.ndarray], Flat]] = {2: _columns, 4: _pixels}
"""By the number of axes of the prepared rows."""
