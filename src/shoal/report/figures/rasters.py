"""Numbers as pixels: pictures in grey or colour, and signed numbers whose zero is the paper."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import BLUE, MUTED, VERMILION

SHARPEST = 128  # pixels along a side: more are not seen in a small picture, but make the page large
BESIDE = 0.045  # inches between a picture and its text

Box = tuple[float, float, float, float]
"""Where a picture stands: left, top, width and height in inches."""


def pictures(values: np.ndarray) -> np.ndarray:
    """Return images `(rows, height, width, channels)` as bytes, grey or red, green and blue, of one brightness scale.

    Three channels are taken as colours, and so are the first three of four; of others the mean is shown.

    Example:
        >>> pictures(np.array([0.0, 2.0]).reshape(1, 1, 2, 1)).tolist()
        [[[0, 255]]]
    """
    shrunk = np.stack([shrink(image) for image in np.asarray(values, np.float64)])
    colours = shrunk[..., :3] if shrunk.shape[-1] in (3, 4) else shrunk.mean(axis=-1)
    finite = colours[np.isfinite(colours)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    scaled = np.nan_to_num((colours - low) / (high - low if high > low else 1.0))
    return (255 * np.clip(scaled, 0, 1)).round().astype(np.uint8)


def shrunk(images: np.ndarray) -> np.ndarray:
    """Return images `(rows, height, width, ...)` as sharp as they are drawn: as they are, or means of their pixels."""
    if not len(images) or max(images.shape[1:3]) <= SHARPEST:
        return images
    return np.stack([shrink(np.asarray(image, np.float64)) for image in images]).astype(np.float32)


def signed(values: np.ndarray, most: float | None = None) -> np.ndarray:
    """Return numbers `(rows, columns)` as pixels `(rows, columns, 4)`: blue below zero, vermilion above.

    Zero is transparent, so that it has the colour of the page, light or dark.

    Args:
        values: the numbers.
        most: what has the full colour; default the largest of them.
    """
    from matplotlib.colors import to_rgb

    numbers = np.nan_to_num(np.asarray(values, np.float64))
    scale = float(np.abs(numbers).max(initial=0.0)) if most is None else most
    strength = np.clip(np.abs(numbers) / (scale or 1.0), 0, 1)
    colours = np.where((numbers < 0)[..., None], to_rgb(BLUE), to_rgb(VERMILION))
    return (255 * np.concatenate([colours, strength[..., None]], axis=-1)).round().astype(np.uint8)


def shrink(image: np.ndarray, most: int = SHARPEST) -> np.ndarray:
    """Return an image `(height, width, ...)` of at most so many pixels a side, each the mean of those that it covers.

    Example:
        >>> shrink(np.arange(6.0).reshape(2, 3), 2).tolist()
        [[2.0, 3.5]]
    """
    times = math.ceil(max(image.shape[:2]) / most)
    if times == 1:
        return image
    starts = [np.arange(0, n, times) for n in image.shape[:2]]
    sums = np.add.reduceat(np.add.reduceat(image, starts[0], axis=0), starts[1], axis=1)
    counts = [np.diff(begin, append=n) for begin, n in zip(starts, image.shape[:2], strict=True)]
    return sums / np.outer(*counts).reshape(*sums.shape[:2], *(1,) * (image.ndim - 2))


def flat(values: np.ndarray) -> np.ndarray:
    """Return a map `(height, width)`; of a volume `(depth, height, width)` the slice in its middle."""
    return values if values.ndim == 2 else values[len(values) // 2]


def show(figure: Figure, box: Box, raster: np.ndarray, *, frame: str = MUTED) -> None:
    """Show pixels in a frame, each as one square."""
    from matplotlib.patches import Rectangle

    left, top, wide, high = box
    tone: dict[str, Any] = {} if raster.ndim == 3 else {"cmap": "gray", "vmin": 0, "vmax": 255}
    sheet, extent = _sheet(figure), (left, left + wide, top + high, top)
    sheet.imshow(raster, interpolation="none", aspect="auto", extent=extent, **tone)
    edge: dict[str, Any] = {"edgecolor": frame, "linewidth": 0.5 if frame == MUTED else 1.6}
    sheet.add_patch(Rectangle((left, top), wide, high, fill=False, **edge))


def _sheet(figure: Figure) -> Axes:
    """Return the axes of all pictures of a figure, in inches from its upper left: axes of each would take long."""
    if not figure.axes:
        width, height = figure.get_size_inches()
        figure.add_axes((0.0, 0.0, 1.0, 1.0)).set(xlim=(0.0, width), ylim=(height, 0.0))
        figure.axes[0].set_axis_off()
    return figure.axes[0]


def write_beside(figure: Figure, box: Box, text: str, colour: str, *, below: bool = False) -> None:
    """Write a text above a picture, or below it."""
    (left, top, wide, high), (width, height) = box, figure.get_size_inches()
    y = top + high + BESIDE if below else top - BESIDE
    side = "top" if below else "bottom"
    figure.text((left + wide / 2) / width, 1.0 - y / height, text, ha="center", va=side, size=7, color=colour)


def fitted(shape: tuple[int, int], wide: float, high: float) -> tuple[float, float]:
    """Return width and height in inches of a picture `(height, width)` within a box, with square pixels.

    Pictures of extreme shape are stretched so that their short side can be seen.

    Example:
        >>> fitted((10, 20), 1.0, 1.0)
        (1.0, 0.5)
    """
    ratio = float(np.clip(shape[0] / shape[1], 0.2, 5.0))
    width = min(wide, high / ratio)
    return width, width * ratio
