"""Images moved, mirrored, turned, scaled and made noisy while training, series moved and stretched, as members say.

A network that has seen an image in many places and attitudes does not learn where it was by chance. Each row of each
batch has its own draw. The four geometric changes are one map from the pixels of the new image to places in the old
one, where it is interpolated linearly: one pass, whatever is asked for, and exact where nothing is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from shoal.networks import Context, Layer
from shoal.networks.layers import Parameters

AUGMENTATIONS: dict[str, str] = {
    "shift": "pixels by which an image is moved at most, up, down, left and right; steps of a series, back and forth",
    "flip": "share of the images that may be mirrored, left for right; each is with probability 1/2",
    "rotation": "degrees by which an image is turned at most, either way",
    "zoom": "share by which an image, or a series in time, is enlarged or reduced at most, at least 0 and below 1",
    "noise": "standard deviation of noise in every pixel, in units of the scaled pixels",
}
"""The numbers of a member that `augmented` knows, with what each means; 0 changes nothing."""
Random = Callable[[tuple[int, ...]], Any]
"""From a shape to uniform numbers in [0, 1)."""


def augmented(xp: Any, x: Any, numbers: Mapping[str, Any], random: Random) -> Any:
    """Return images or series as one member sees them in one batch.

    Args:
        xp: array namespace.
        x: scaled images `(rows, height, width, channels)`, or series `(rows, time, channels)`: images of one line.
        numbers: some of `AUGMENTATIONS`; those that are left out, or are plain zeros, cost nothing.
        random: returns uniform numbers in [0, 1) of a shape; called once for all geometric changes and once for noise,
            so that the draws for one do not depend on the strength of another.

    Returns:
        An array like x. What comes in from beyond an edge has the value of the edge.

    Example:
        >>> import numpy as np
        >>> image = np.arange(3.0).reshape(1, 1, 3, 1)
        >>> augmented(np, image, {"flip": 1.0}, lambda shape: np.full(shape, 0.4)).ravel().tolist()
        [2.0, 1.0, 0.0]
    """
    given = {name: value for name, value in numbers.items() if name in AUGMENTATIONS and not _is_zero(value)}
    geometric = given.keys() - {"noise"}
    if geometric:
        images = x if x.ndim == 4 else x[:, None]
        rows, columns = places(xp, images.shape, given, random((x.shape[0], 5)))
        x = interpolated(xp, images, rows, columns).reshape(x.shape)
    if "noise" in given:
        x = x + given["noise"] * _normal(xp, x.shape, random)
    return x


@dataclass(frozen=True)
class Augmentation(Layer):
    """The changes of images as a layer behind the stem, only while training; no saved network has it.

    Its draws are apart from those of all other layers, so that a neighbour that is augmented moves nobody's dropout.
    """

    SOURCE: ClassVar[int] = 200

    @property
    def sources(self) -> int:
        """It counts as none."""
        return 0

    def apply(self, xp: Any, parameters: Parameters, x: Any, context: Context) -> Any:  # noqa: ARG002
        """Return x as the member sees it; as it is outside training."""
        if not context.training or context.random is None:
            return x
        draw = context.random
        return augmented(xp, x, context.numbers, lambda shape: draw(shape, self.SOURCE))


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and value == 0


def places(xp: Any, shape: tuple[int, ...], numbers: Mapping[str, Any], draws: Any) -> tuple[Any, Any]:
    """Return where in the old images each pixel of the new ones is, as rows and columns `(rows, height, width)`.

    About the centre, `old = R(angle) new / zoom - shift`, mirrored in the old image.

    Args:
        xp: array namespace.
        shape: of the images, `(rows, height, width, channels)`.
        numbers: some of `AUGMENTATIONS`.
        draws: `(rows, 5)` uniform numbers: of both shifts, the mirror, the angle and the zoom.
    """
    middle = (shape[1] - 1) / 2, (shape[2] - 1) / 2
    down, right = (xp.arange(n) - centre for n, centre in zip(shape[1:3], middle, strict=True))
    draws = draws[:, :, None, None]
    spread = 2.0 * draws - 1.0  # uniform in [-1, 1)
    shift, zoom = numbers.get("shift", 0.0), 1.0 + numbers.get("zoom", 0.0) * spread[:, 4]
    angle = numbers.get("rotation", 0.0) * (math.pi / 180) * spread[:, 3]
    cos, sin = xp.cos(angle) / zoom, xp.sin(angle) / zoom
    mirror = xp.where(draws[:, 2] < 0.5 * numbers.get("flip", 0.0), -1.0, 1.0)
    rows = cos * down[:, None] - sin * right - shift * spread[:, 0] + middle[0]
    columns = mirror * (sin * down[:, None] + cos * right - shift * spread[:, 1]) + middle[1]
    return rows, columns


def interpolated(xp: Any, x: Any, rows: Any, columns: Any) -> Any:
    """Return the values of images at places between their pixels, linear in both directions.

    Args:
        xp: array namespace.
        x: `(rows, height, width, channels)`.
        rows: `(rows, height, width)`, those beyond an edge count as on it.
        columns: as `rows`.
    """
    count, height, width, channels = x.shape
    flat = x.reshape(count * height * width, channels)
    first = (xp.arange(count) * (height * width))[:, None, None]
    (top, bottom, below), (left, right, beside) = (
        _neighbours(xp, at, size, x.dtype) for at, size in ((rows, height), (columns, width))
    )

    def at(row: Any, column: Any) -> Any:
        # no index is out of range; saying "clip" spares the engine a test at every pixel, dearer than all the rest
        return xp.take(flat, first + row * width + column, axis=0, mode="clip")

    upper = at(top, left) * (1.0 - beside) + at(top, right) * beside
    lower = at(bottom, left) * (1.0 - beside) + at(bottom, right) * beside
    return upper * (1.0 - below) + lower * below


def _neighbours(xp: Any, at: Any, size: int, dtype: Any) -> tuple[Any, Any, Any]:
    """Return the pixels before and behind places along one axis, and how far the places lie from the former."""
    at = xp.clip(at, 0.0, size - 1.0)
    before = xp.floor(at)
    share = (at - before).astype(dtype)[..., None]
    before = before.astype("int32")
    return before, xp.minimum(before + 1, size - 1), share


def _normal(xp: Any, shape: tuple[int, ...], random: Random) -> Any:
    """Return standard normal numbers by Box and Muller's transform, two from two uniform ones."""
    count = math.prod(shape)
    uniform = random((2, (count + 1) // 2))
    radius, angle = xp.sqrt(-2.0 * xp.log1p(-uniform[0])), 2.0 * math.pi * uniform[1]
    return xp.concatenate([radius * xp.cos(angle), radius * xp.sin(angle)])[:count].reshape(shape)
