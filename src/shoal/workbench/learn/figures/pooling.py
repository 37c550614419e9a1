"""Pooling: windows of an image become single numbers, without parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.networks import AveragePooling2D, MaxPooling2D, Network
from shoal.workbench.learn.drawing import drawing, grid
from shoal.workbench.learn.figure import Choice, Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.figures.convolution import before, border


def pooled(image: np.ndarray, kind: str, size: int, stride: int, padding: str) -> np.ndarray:
    """Return what shoal's own layers make of an image; the least is the largest of the negative, turned back."""
    layer = (AveragePooling2D if kind == "mean" else MaxPooling2D)(size, strides=stride, padding=padding)
    sign = -1.0 if kind == "min" else 1.0
    network = Network([layer], (*image.shape, 1))
    return sign * np.asarray(network.predict([{}], sign * image[None, :, :, None]))[0, :, :, 0]


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return the image, and what is pooled of it so far."""
    image, size, stride = np.round(9 * data.image), state["size"], state["stride"]
    result = pooled(image, state["kind"], size, stride, state["padding"])
    height, width = result.shape
    step = min(state["step"], result.size)
    at = divmod(max(step, 1) - 1, width)
    first = [before(n, size, stride, state["padding"]) for n in image.shape]
    corner = at[0] * stride - first[0], at[1] * stride - first[1]
    rows, columns = (slice(max(0, c), c + size) for c in corner)
    window = image[rows, columns]
    digits = 1 if state["kind"] == "mean" else 0
    words = {"max": "largest", "min": "least", "mean": "mean"}[state["kind"]]
    panels = [
        grid(
            f"Image, {image.shape[0]} × {image.shape[1]}",
            image,
            boxes=[(*corner, size, size)] if step else [],
            limits=(0.0, 9.0),
            border=border(image.shape, size, stride, state["padding"]),
        ),
        grid(
            f"Pooled, {height} × {width}",
            result,
            boxes=[(*at, 1, 1)] if step else [],
            digits=digits,
            limits=(0.0, 9.0),
            known=step,
        ),
    ]
    numbers = ", ".join(f"{value:.0f}" for value in window.ravel())
    say = f"Place {step} of {result.size}: the {words} of {numbers} is {result[at]:.{digits}f}."
    overlap = "overlap" if stride < size else "touch" if stride == size else "leave gaps"
    facts = [
        ("Parameters", "0"),
        ("Numbers that are left", f"{result.size} of {image.size}"),
        ("Windows", overlap),
    ]
    return drawing(panels, say if step else "The window has not begun.", facts, {"step": result.size})


FIGURE = Figure(
    "pooling",
    "Images",
    2,
    "Pooling",
    "A window moves over the image and keeps one number of each place: the largest, the least or the mean.",
    (r"y_{ij} = \max_{k, l}\; x_{s i + k,\, s j + l}",),
    "Which pooling halves the height and the width of an image, and how many parameters does it have?",
    "Size two with stride two. It has none: nothing is learned, so that nothing can be overfitted either.",
    (
        Slider("step", "Place of the window", 0, 144, 6, 1, play=True, whole=True),
        Choice("kind", "Keep", {"max": "the largest", "min": "the least", "mean": "the mean"}),
        Slider("size", "Size", 1, 4, 2, 1, whole=True),
        Slider("stride", "Stride", 1, 4, 2, 1, whole=True),
        Choice("padding", "Padding", {"valid": "none", "same": "around"}),
    ),
    compute,
    "images",
    ("digit_images", "notes_image", "galaxies"),
)
