"""Image files of any sizes and colours, decoded one by one into one array."""

from __future__ import annotations

import math
import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from shoal.data.readers.files import first_line
from shoal.data.readers.options import ReadOptions
from shoal.data.readers.room import check_room
from shoal.data.readers.signals.arrays import COLOURS
from shoal.data.readers.signals.pixels import by, fitted, scaling, wanted_size
from shoal.data.signals import Signals
from shoal.errors import DataError, listing
from shoal.row_view import aligned_empty

if TYPE_CHECKING:
    from PIL.Image import Image

A = TypeVar("A")
B = TypeVar("B")
THREADS = 4
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")  # no other, some of which start programs
MOST_DAMAGED = 0.1
_BITS = {"uint8": "8 bit", "uint16": "16 bit", "float32": "floating point"}
_TURNED = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""From EXIF's orientation to Pillow's number of the transposition that undoes it."""


class _ImageHeader(NamedTuple):
    size: tuple[int, int]
    colour: bool
    dtype: str
    alpha: bool
    frames: int
    deep: bool


@dataclass(frozen=True)
class Pixels:
    """Images of one size, the positions of their files among those given, and what was done to them."""

    signals: Signals
    kept: list[int]
    notes: list[str]


def read_images(folder: Path, files: Sequence[Path], options: ReadOptions) -> Pixels:
    """Return the images in files, brought to one size and one number of channels.

    The size is that of most images, or the one that the options ask for; others are scaled to cover it and cropped at
    the centre. Where most have colour, grey ones get it by repeating; else colour is turned grey. Transparency is
    dropped, palettes are looked up, and photos are turned as their EXIF data say.

    Args:
        folder: what messages call them.
        files: at least one.
        options: may hold the size.

    Raises:
        DataError: 8 and 16 bit mixed, more than a tenth damaged, or too much for the memory.
    """
    damaged: dict[int, str] = {}
    # Pillow warns of odd metadata, which change no pixel
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1)) as pool:
        looked_at = list(pool.map(_guarded(_header), files))
        headers = {i: header for i, header in enumerate(looked_at) if isinstance(header, _ImageHeader)}
        damaged = {i: reason for i, reason in enumerate(looked_at) if isinstance(reason, str)}
        _check_damaged(folder, files, damaged)
        dtype = _common_dtype(folder, files, headers)
        size, colour = _size(headers, options), 2 * sum(h.colour for h in headers.values()) >= len(headers)
        values = _room(folder, len(headers), (*size, 3 if colour else 1), dtype)
        rows = list(headers)

        def decode_into(at: int) -> None:
            values[at] = _pixels(files[rows[at]], size, colour, values.dtype)

        failed = list(pool.map(_guarded(decode_into), range(len(rows))))
    damaged |= {rows[at]: reason for at, reason in enumerate(failed) if reason is not None}
    _check_damaged(folder, files, damaged)
    good = [at for at, reason in enumerate(failed) if reason is None]
    for to, at in enumerate(good):  # in place: the rows behind a damaged one move up
        if to != at:
            values[to] = values[at]
    kept = [rows[at] for at in good]
    notes = [*_damage(files, damaged), *_notes([headers[i] for i in kept], size, colour)]
    return Pixels(Signals("images", values[: len(good)], COLOURS[values.shape[-1]]), kept, notes)


def _guarded(function: Callable[[A], B]) -> Callable[[A], B | str]:
    """Return a function that returns the reason where Pillow cannot read a file."""

    def read(argument: A) -> B | str:
        try:
            return function(argument)
        except Exception as error:  # damaged files make Pillow raise nearly anything
            return "it is no image" if "cannot identify" in str(error) else first_line(error)

    return read


def _header(file: Path) -> _ImageHeader:
    from PIL import Image as Images

    with Images.open(file, formats=_FORMATS) as image:
        turned = _orientation(image) in (5, 6, 7, 8)
        size = (image.width, image.height) if turned else (image.height, image.width)
        colour, dtype = _stored(image)
        frames = getattr(image, "n_frames", 1) if image.format in ("TIFF", "GIF") else 1
        alpha = image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
        deep = colour and any("16" in str(tile[3]) for tile in image.tile)
        return _ImageHeader(size, colour, dtype, alpha, frames, deep)


def _orientation(image: Image) -> int:
    return int(image.getexif().get(0x0112, 1)) if "exif" in image.info else 1


def _stored(image: Image) -> tuple[bool, str]:
    """Return whether an image has colour, and the number type of its pixels."""
    if image.mode == "F":
        return False, "float32"
    if image.mode.startswith("I"):  # Pillow gave 16 bit PNG as 32 bit integers for long
        return False, "uint16" if image.mode.startswith("I;16") or image.format == "PNG" else "float32"
    if image.mode == "P":
        palette = image.getpalette("RGB") or []
        return not palette[::3] == palette[1::3] == palette[2::3], "uint8"
    return image.mode not in ("1", "L", "LA", "La"), "uint8"


def _pixels(file: Path, size: tuple[int, int], colour: bool, dtype: np.dtype) -> np.ndarray:
    from PIL import Image as Images

    with Images.open(file, formats=_FORMATS) as image:
        turn = _orientation(image)
        if image.format == "JPEG":
            _shrink_while_decoding(image, size[::-1] if turn in (5, 6, 7, 8) else size, colour)
        if dtype == np.uint8:
            converted = image.convert("RGB" if colour else "L")
        else:
            converted = Images.fromarray(np.asarray(image, dtype))
        if turn in _TURNED:
            converted = converted.transpose(Images.Transpose(_TURNED[turn]))
        return fitted(converted, size, dtype)


def _shrink_while_decoding(image: Image, size: tuple[int, int], colour: bool) -> None:
    """Let the JPEG decoder skip detail that scaling would average away: 2, 4 or 8 times faster for large photos."""
    scale = max(size[0] / image.height, size[1] / image.width)
    if scale <= 0.5:
        least = math.ceil(2 * scale * image.width), math.ceil(2 * scale * image.height)
        image.draft("RGB" if colour else "L", least)


def _size(headers: dict[int, _ImageHeader], options: ReadOptions) -> tuple[int, int]:
    """Return the size that the options ask for, else that of most images, the largest if several are as frequent."""
    counts = Counter(header.size for header in headers.values())
    return wanted_size(options) or max(counts, key=lambda size: (counts[size], size[0] * size[1], size))


def _common_dtype(folder: Path, files: Sequence[Path], headers: dict[int, _ImageHeader]) -> str:
    first: dict[str, int] = {}
    for i, header in headers.items():
        first.setdefault(header.dtype, i)
    if len(first) > 1:
        counts = Counter(header.dtype for header in headers.values())
        types = " and ".join(f"{counts[t]:,} {_BITS[t]} ({files[i].name!r}, …)" for t, i in first.items())
        raise DataError(f"{folder} mixes images of {types}, whose units differ; save all of them alike")
    return next(iter(first))


def _room(folder: Path, rows: int, shape: tuple[int, int, int], dtype: str) -> np.ndarray:
    """Return an array for all images."""
    needed = rows * math.prod(shape) * np.dtype(dtype).itemsize
    mend = "Choose a smaller size, such as image_size='64x64'."
    check_room(needed, f"{folder}: {rows:,} images of {by(shape)} pixels", mend)
    return aligned_empty((rows, *shape), dtype)


def _check_damaged(folder: Path, files: Sequence[Path], damaged: dict[int, str]) -> None:
    if len(damaged) <= MOST_DAMAGED * len(files):
        return
    i = min(damaged)
    count = (
        f"{len(damaged):,} of {len(files):,} images cannot be read" if len(files) > 1 else "the image cannot be read"
    )
    raise DataError(f"{folder}: {count}, first {files[i].name!r} ({damaged[i]}); mend or remove them")


def _damage(files: Sequence[Path], damaged: dict[int, str]) -> list[str]:
    if not damaged:
        return []
    names = listing((f"{files[i].name!r} ({damaged[i]})" for i in sorted(damaged)), most=3)
    return [f"{len(damaged):,} damaged image{'s' if len(damaged) > 1 else ''} left out: {names}."]


def _notes(headers: list[_ImageHeader], size: tuple[int, int], colour: bool) -> list[str]:
    """Return sentences on what was changed, with the number of images that it concerned."""
    rows = len(headers)
    sizes = Counter(header.size for header in headers if header.size != size)
    other = ", ".join(f"{by(odd)} ({count:,})" for odd, count in sizes.most_common(3)) + ", …" * (len(sizes) > 3)
    mixed = sum(header.colour != colour for header in headers)
    counted = {
        f"another size than {by(size)} pixels ({other}), {scaling(size)}": sizes.total(),
        "grey among images with colour, so that all channels hold the same": mixed if colour else 0,
        "colour among grey images, turned grey": 0 if colour else mixed,
        "transparency, dropped": sum(header.alpha for header in headers),
        "several frames or pages, of which the first was taken": sum(header.frames > 1 for header in headers),
        "16 bit colour, read as 8 bit": sum(header.deep for header in headers),
    }
    return [f"{count:,} of {rows:,} images: {what}." for what, count in counted.items() if count]
