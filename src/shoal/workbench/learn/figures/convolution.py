"""A kernel steps over an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.networks import Conv2D, Network
from shoal.workbench.learn.drawing import drawing, grid
from shoal.workbench.learn.figure import Choice, Figure, Numbers, Slider, State, Toggle
from shoal.workbench.learn.figure_data import NOTES_IMAGE, FigureData

DRAWN = "notes_image"
FILTERS = {
    "notes": ("of the notes", (1, 0, 1, 0, 1, 0, 1, 0, 1)),
    "right": ("brighter to the right", (-1, 0, 1, -1, 0, 1, -1, 0, 1)),
    "top": ("brighter to the top", (1, 1, 1, 0, 0, 0, -1, -1, -1)),
    "blur": ("mean", (1 / 9,) * 9),
    "edges": ("edges", (-1, -1, -1, -1, 8, -1, -1, -1, -1)),
}
SIDES = tuple(str(i) for i in range(1, 8))
KERNEL = Numbers("kernel", "Kernel", SIDES[:3], SIDES[:3], FILTERS["notes"][1], -9.0, 9.0, 0.5, sets={"filter": "own"})
IMAGE = Numbers("pixels", "Image", SIDES, SIDES, tuple(float(c) for c in "".join(NOTES_IMAGE)), pixels=True, only=DRAWN)


def settle(state: State) -> State:
    """Return the state with the kernel of the chosen filter."""
    chosen = FILTERS.get(state["filter"])
    return dict(state) if chosen is None else {**state, "kernel": tuple(float(v) for v in chosen[1])}


def convolved(image: np.ndarray, kernel: np.ndarray, state: State) -> np.ndarray:
    """Return the feature map as shoal's own layer computes it."""
    layer = Conv2D(1, 3, strides=state["stride"], padding=state["padding"], activation=state["activation"])
    network = Network([layer], (*image.shape, 1))
    parameters = [{"kernel": kernel[:, :, None, None], "bias": np.array([state["b"]])}]
    return np.asarray(network.predict(parameters, image[None, :, :, None]))[0, :, :, 0]


def before(size: int, kernel: int, stride: int, padding: str) -> int:
    """Return how many zeros stand before an axis."""
    return max(0, (-(-size // stride) - 1) * stride + kernel - size) // 2 if padding == "same" else 0


def border(shape: tuple[int, ...], kernel: int, stride: int, padding: str) -> int:
    """Return how many zeros stand around an image where most of them do."""
    if padding == "valid":
        return 0
    firsts = [before(size, kernel, stride, padding) for size in shape]
    lasts = [(-(-n // stride) - 1) * stride + kernel - n - first for n, first in zip(shape, firsts, strict=True)]
    return max(0, *firsts, *lasts)


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return image, kernel and feature map, as far as the kernel has come, with the sum at its place."""
    image = IMAGE.matrix(state["pixels"]) if data.name == "image of the notes" else data.image
    kernel, stride = KERNEL.matrix(state["kernel"]), state["stride"]
    result = convolved(image, kernel, state)
    height, width = result.shape
    step = min(state["step"], result.size)
    at = divmod(max(step, 1) - 1, width)
    top, left = (before(size, 3, stride, state["padding"]) for size in image.shape)
    corner = at[0] * stride - top, at[1] * stride - left
    padded = np.pad(image, 3)
    window = padded[corner[0] + 3 : corner[0] + 6, corner[1] + 3 : corner[1] + 6]
    total = float((window * kernel).sum() + state["b"])
    digits = 0 if np.all(image == np.round(image)) else 1
    of_kernel = 0 if np.all(kernel == np.round(kernel)) else 2
    fine = max(digits, of_kernel)
    around = border(image.shape, 3, stride, state["padding"])
    boxes = [(*corner, 3, 3)] if step else []
    scale = "sequential" if result.min() >= 0 else "diverging"
    panels = [
        grid(
            f"Image, {image.shape[0]} × {image.shape[1]}",
            image,
            boxes=boxes,
            digits=digits,
            limits=(0.0, 1.0),
            border=around,
        ),
        grid("Kernel", kernel, digits=of_kernel, scale="diverging"),
        grid(
            f"Feature map, {height} × {width}",
            result,
            boxes=[(*at, 1, 1)] if step else [],
            digits=fine,
            scale=scale,
            known=step,
        ),
    ]
    if state["several"]:
        for words, values in FILTERS.values():
            made = convolved(image, np.reshape(np.asarray(values, np.float64), (3, 3)), state)
            panels.append(grid(words, made, numbers=False, scale="sequential" if made.min() >= 0 else "diverging"))
    pairs = zip(window.ravel(), kernel.ravel(), strict=True)
    terms = " + ".join(f"{x:.{digits}f}·{w:.{of_kernel}f}" for x, w in pairs if x)
    bend = "" if state["activation"] == "linear" else f", behind {state['activation']} {result[at]:.{fine}f}"
    say = (
        f"Place {step} of {result.size}: {terms or '0'} + {state['b']:g} = {total:.{fine}f}{bend}."
        if step
        else "The kernel has not begun."
    )
    pixels = image.size
    facts = [
        ("Parameters of the filter", "9 weights and a bias"),
        ("Of a dense neuron", f"{pixels} weights and a bias"),
        ("Size", f"{image.shape[0]} × {image.shape[1]} → {height} × {width}"),
    ]
    return drawing(panels, say, facts, {"step": result.size})


FIGURE = Figure(
    "convolution",
    "Images",
    1,
    "Convolution",
    "The kernel is laid over the image, what lies upon each other is multiplied and added, and it moves on.",
    (r"y_{ij} = f\Big(\sum_k \sum_l x_{i+k,\, j+l}\; w_{kl} + b\Big)",),
    "An image has 7 × 7 pixels, the kernel 3 × 3. How large is the feature map with stride 2, and with padding?",
    "3 × 3 without: (7 − 3)/2 + 1 places along each axis. 4 × 4 with zeros around: 7/2, rounded up. About a quarter of "
    "the numbers are left.",
    (
        Slider("step", "Place of the kernel", 0, 144, 13, 1, play=True, whole=True),
        Choice("filter", "Filter", {name: words for name, (words, _) in FILTERS.items()} | {"own": "your own"}),
        KERNEL,
        Slider("b", "Bias", -5.0, 5.0, 0.0, 0.5),
        Choice("padding", "Padding", {"valid": "none", "same": "zeros around"}),
        Slider("stride", "Stride", 1, 3, 1, 1, whole=True),
        Choice("activation", "Activation", {"linear": "none", "relu": "relu", "tanh": "tanh"}),
        Toggle("several", "Show what all filters see"),
        IMAGE,
    ),
    compute,
    "images",
    ("notes_image", "digit_images", "galaxies"),
    settle,
)
