"""A recurrent network unrolled in time: the same layers at each step, and what they hand on to the next."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shoal.errors import NetworkError
from shoal.networks.layers import (
    Activation,
    BatchNormalization,
    Bidirectional,
    Dense,
    Dropout,
    GaussianNoise,
    Layer,
    LayerNormalization,
    Masking,
    Normalization,
    SpatialDropout1D,
    TimeDistributed,
)
from shoal.networks.layers.recurrent import Recurrent
from shoal.networks.summary import layer_note

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from shoal.networks.network import Network

_INK, _GREY = "#333333", "#9a9a9a"
_INPUT, _OUTPUT = "#dce6f0", "#f6e3cf"
_FONT = 9.0
_APART, _UP = 0.62, 0.82  # inches between boxes of neighbouring steps, and from layer to layer
_TALL, _LETTER = 0.4, 0.078
_STEPS = 5  # of more the first three and the last are drawn

_AT_EACH_STEP = (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    GaussianNoise,
    LayerNormalization,
    Masking,
    Normalization,
    SpatialDropout1D,
    TimeDistributed,
)
"""Layers that treat each step by itself, where rows have steps."""


@dataclass(frozen=True)
class LayerRow:
    """A layer in the drawing.

    `carries` is what it hands from step to step, `h` or `h, c`; `directions` are 1 forward and -1 backward in time.
    Without `at_steps` it is a single box, which reads what the row below hands on.
    """

    text: str
    carries: str = ""
    directions: tuple[int, ...] = ()
    at_steps: bool = True
    sequences: bool = True
    """Whether it hands on each step, not only the one that it reads last."""


def rows_of(network: Network) -> list[LayerRow]:
    """Return the rows of the drawing from the first layer up.

    Raises:
        NetworkError: no layer is recurrent, or one mixes the steps before.

    Example:
        >>> from shoal.networks.network import Network
        >>> [(row.text, row.carries, row.at_steps) for row in rows_of(Network.parse("9x2 lstm:4 1"))]
        [('LSTM 4', 'h, c', True), ('Dense 1', '', False)]
    """
    rows: list[LayerRow] = []
    at_steps = len(network.input_shape) > 1
    for layer, name, shape in zip(network.layers, network.names, network.shapes, strict=True):
        inner = layer.layer if isinstance(layer, Bidirectional) else layer
        if at_steps and isinstance(inner, Recurrent):
            forward = -1 if inner.go_backwards else 1
            directions = (forward, -forward) if isinstance(layer, Bidirectional) else (forward,)
            carries = "h" if inner.states == 1 else "h, c"
            at_steps = inner.return_sequences
            rows.append(LayerRow(f"{type(inner).__name__} {inner.units}", carries, directions, sequences=at_steps))
            continue
        at_steps = at_steps and isinstance(layer, _AT_EACH_STEP)
        if not at_steps and not any(row.directions for row in rows):
            raise NetworkError(
                f"only a network whose recurrent layers read the steps of its rows can be unrolled in time, but layer "
                f"{name!r} ({type(layer).__name__}) comes before any of them"
            )
        rows.append(LayerRow(_text(layer, shape), at_steps=at_steps))
    if not any(row.directions for row in rows):
        raise NetworkError("no layer is recurrent, so that there is nothing to unroll in time")
    return rows


def _text(layer: Layer, shape: tuple[int, ...]) -> str:
    inner = layer.layer if isinstance(layer, TimeDistributed) else layer
    return f"{type(inner).__name__} {shape[-1] if isinstance(inner, Dense) else layer_note(inner)}".strip()


def drawn_steps(time: int) -> list[int | None]:
    """Return the steps that are drawn, from 1, with None for those left out.

    Example:
        >>> drawn_steps(3), drawn_steps(20)
        ([1, 2, 3], [1, 2, 3, None, 20])
    """
    return list(range(1, time + 1)) if time <= _STEPS else [1, 2, 3, None, time]


def draw_unrolled(network: Network) -> Figure:
    """Return a figure of a recurrent network unrolled in time: inputs below, the output on top.

    Raises:
        NetworkError: no layer is recurrent, or one mixes the steps before.
    """
    from shoal.notebook.figure import ShownFigure

    rows, steps = rows_of(network), drawn_steps(network.input_shape[0])
    width = 0.3 + _LETTER * max(len(row.text) for row in rows)
    xs = [0.15 + width / 2 + i * (width + _APART) for i in range(len(steps))]
    size = xs[-1] + width / 2 + 0.15, 0.6 + _UP * (len(rows) + 1)
    figure = ShownFigure(figsize=size, facecolor="white")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, size[0]), ylim=(0, size[1]), aspect="equal")
    axes.set_axis_off()
    _draw_symbols(axes, xs, [f"$x_{{{step}}}$" if step else "" for step in steps], 0.3)
    reading = range(len(steps))
    for number, row in enumerate(rows, 1):
        fill = _OUTPUT if number == len(rows) else "#ffffff"
        reading = _draw_row(axes, row, (xs, width, 0.3 + number * _UP), steps, reading, fill)
    outputs = [f"$\\hat{{y}}_{{{steps[i]}}}$" if len(reading) > 1 else r"$\hat{y}$" for i in reading]
    top = 0.3 + (len(rows) + 1) * _UP
    places = [xs[i] for i in reading if steps[i]]
    _draw_symbols(axes, places, [text for text, i in zip(outputs, reading, strict=True) if steps[i]], top)
    for x in places:
        _draw_arrow(axes, (x, top - _UP + _TALL / 2), (x, top - 0.16))
    return figure


def _draw_row(
    axes: Axes, row: LayerRow, place: tuple[list[float], float, float], steps: list[int | None], below: Any, fill: str
) -> Any:
    """Draw the boxes of a layer with the arrows that lead to them; return where the next layer reads."""
    xs, width, y = place
    start, end = y - _UP + (0.16 if y < 0.3 + 1.5 * _UP else _TALL / 2), y - _TALL / 2
    if not row.at_steps:
        at = len(steps) - 1 if len(below) != 1 else below[0]
        for i in below:
            if steps[i]:
                _draw_arrow(axes, (xs[i], start), (xs[at] + 0.12 * (i - at), end))
        _draw_box(axes, (xs[at], y), width, row.text, fill)
        return [at]
    for i, step in enumerate(steps):
        if step is None:
            axes.text(xs[i], y, "…", ha="center", va="center", fontsize=_FONT + 3, color=_INK)
            continue
        _draw_arrow(axes, (xs[i], start), (xs[i], end))
        _draw_box(axes, (xs[i], y), width, row.text, fill)
    for direction in row.directions:
        shift = 0.0 if len(row.directions) == 1 else 0.1 * direction
        for left, right in pairwise(xs):
            ends = (left + width / 2, y + shift), (right - width / 2, y + shift)
            _draw_arrow(axes, ends[0] if direction == 1 else ends[1], ends[direction == 1], colour=_INK)
    if row.directions:
        for left, right in pairwise(xs):
            axes.text((left + right) / 2, y + 0.2, f"${row.carries}$", ha="center", va="center", fontsize=_FONT - 1,
                      color=_INK, parse_math=True)  # fmt: skip
    if row.sequences:
        return range(len(steps))
    return sorted({len(steps) - 1 if direction == 1 else 0 for direction in row.directions})


def _draw_box(axes: Axes, middle: tuple[float, float], width: float, text: str, fill: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = middle[0] - width / 2 + 0.05, middle[1] - _TALL / 2 + 0.05
    box = FancyBboxPatch(corner, width - 0.1, _TALL - 0.1, "round,pad=0.05", facecolor=fill, edgecolor=_INK)
    axes.add_patch(box)
    axes.text(*middle, text, ha="center", va="center", fontsize=_FONT, color=_INK)


def _draw_symbols(axes: Axes, xs: list[float], texts: list[str], y: float) -> None:
    for x, text in zip(xs, texts, strict=True):
        axes.text(x, y, text, ha="center", va="center", fontsize=_FONT + 2, color=_INK, parse_math=True)


def _draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = _GREY) -> None:
    way: Any = {"arrowstyle": "-|>", "color": colour, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=way)
