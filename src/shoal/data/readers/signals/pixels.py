"""Bringing images to one size and one number type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.data.readers.options import ReadOptions
from shoal.errors import SettingError
from shoal.row_view import aligned_empty

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 8192


def wanted_size(options: ReadOptions) -> tuple[int, int] | None:
    """Return the height and width that the options ask for, or None.

    Raises:
        SettingError: it is not like `64x64`.

    Example:
        >>> wanted_size(ReadOptions(image_size="24x32"))
        (24, 32)
    """
    if options.image_size is None:
        return None
    match = re.fullmatch(r"\s*(\d+)\s*(?:[x×*]\s*(\d+)\s*)?", str(options.image_size))
    height, width = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not (1 <= height <= MOST_PIXELS and 1 <= width <= MOST_PIXELS):
        raise SettingError(
            f"image_size is height x width in pixels, such as 64x64 and {MOST_PIXELS} at most, "
            f"got {options.image_size!r}"
        )
    return height, width


def stored_type(dtype: np.dtype, kind: str) -> np.dtype:
    """Return the number type in which an array is kept: images as uint8, uint16 or float32, series as they are.

    Example:
        >>> stored_type(np.dtype("float64"), "images").name, stored_type(np.dtype(">u2"), "images").name
        ('float32', 'uint16')
    """
    dtype = np.dtype(dtype).newbyteorder("=")
    if kind != "images" or dtype in (np.uint8, np.uint16):
        return dtype
    return np.dtype(np.uint8 if dtype.kind == "b" else np.float32)


def cover_box(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the central part `(left, top, right, bottom)` of an image that has the proportions of another.

    Args:
        size: height and width of the image.
        wanted: height and width of the other.

    Example:
        >>> cover_box((10, 40), (5, 5))
        (15.0, 0.0, 25.0, 10.0)
    """
    (height, width), (to_height, to_width) = size, wanted
    scale = min(height / to_height, width / to_width)
    left, top = (width - to_width * scale) / 2, (height - to_height * scale) / 2
    return left, top, width - left, height - top


def fitted(image: Image, wanted: tuple[int, int], dtype: np.dtype) -> np.ndarray:
    """Return `(height, width, channels)`: the image scaled to cover a size, and cropped at the centre.

    Every pixel is a mean over the area that it covers, weighted linearly with the distance, as Pillow's `BILINEAR`.
    """
    from PIL import Image as Images

    height, width = wanted
    if (image.height, image.width) != wanted:
        if np.dtype(dtype) == np.uint16:  # Pillow scales 16 bit in newer versions only
            image = Images.fromarray(np.asarray(image, np.float32))
        box = cover_box((image.height, image.width), wanted)
        image = image.resize((width, height), Images.Resampling.BILINEAR, box=box)
    pixels: np.ndarray = np.asarray(image)
    if pixels.dtype != dtype and np.dtype(dtype).kind == "u":
        pixels = np.clip(np.rint(pixels), 0, np.iinfo(dtype).max)
    return pixels.reshape(height, width, -1)


def fitted_arrays(values: np.ndarray, options: ReadOptions) -> tuple[np.ndarray, list[str]]:
    """Return images `(rows, height, width, channels)` in the size that the options ask for, and a note if they change.

    Each channel is scaled as `fitted` does it.
    """
    wanted = wanted_size(options)
    size = values.shape[1:3]
    if wanted is None or wanted == size:
        return values, []
    from PIL import Image as Images

    out = aligned_empty((len(values), *wanted, values.shape[-1]), values.dtype)
    for image, place in zip(values, out, strict=True):
        for channel in range(values.shape[-1]):
            plane: Any = Images.fromarray(np.ascontiguousarray(image[..., channel], np.float32))
            place[..., channel] = fitted(plane, wanted, values.dtype)[..., 0]
    return out, [f"All {len(values):,} images: {by(size)} pixels, {scaling(wanted)}."]


def scaling(wanted: tuple[int, int]) -> str:
    """Return how images of another size are brought to the wanted one, in words."""
    return f"scaled to cover {by(wanted)} (means over the area of each pixel) and cropped at the centre"


def by(size: tuple[int, ...]) -> str:
    """Return height and width in words.

    >>> by((2, 3))
    '2 × 3'
    """
    return f"{size[0]} × {size[1]}"
