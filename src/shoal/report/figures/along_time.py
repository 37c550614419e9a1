"""Series and what happens along them: lines of few points, and heat maps below them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from shoal.evaluation.topics.examples import SignalRecord
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.rasters import shrink, signed
from shoal.report.figures.style import BLUE, GREEN, INK, VERMILION, add_axes, limits, name_text, new_figure, wide

COLOURS = {"blue": BLUE, "vermilion": VERMILION, "green": GREEN}
DASHES: tuple[Any, ...] = ("-", (0, (3.5, 1.2)), (0, (1.2, 1.0)))  # so that lines differ in grey, too
MOST_POINTS, MOST_LINES, MOST_LAYERS, MOST_PIXELS = 400, 40, 6, 400


def thinned(values: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and values of a line of at most so many points: of each stretch the lowest and the highest.

    Example:
        >>> steps, values = thinned(np.array([0.0, 5.0, 1.0, -3.0, 0.0, 0.0]), 4)
        >>> steps.tolist(), values.tolist()
        ([0, 1, 3, 4], [0.0, 5.0, -3.0, 0.0])
    """
    if len(values) <= most:
        return np.arange(len(values)), values
    known = np.nan_to_num(values)
    steps = []
    for part in np.array_split(np.arange(len(values)), most // 2):
        steps += sorted({int(part[known[part].argmin()]), int(part[known[part].argmax()])})
    return np.asarray(steps), values[steps]


def steps_of(signals: SignalRecord, row: int) -> int:
    """Return how many steps a series has, one at least."""
    return signals.shape[0] if signals.lengths is None else max(1, int(signals.lengths[row]))


def scaled(series: np.ndarray) -> np.ndarray:
    """Return up to three channels `(time, channels)`, each from 0 to 1 where there are several."""
    some = np.asarray(series[:, : len(COLOURS)], np.float64)
    if some.shape[1] == 1:
        return some
    low, high = np.nanmin(some, axis=0), np.nanmax(some, axis=0)
    return (some - low) / np.where(high > low, high - low, 1.0)


def draw_lines(axes: Axes, channels: np.ndarray) -> None:
    """Draw channels `(time, channels)` as lines from step 1 on."""
    for colour, dashes, line in zip(COLOURS.values(), DASHES, channels.T, strict=False):
        steps, values = thinned(line)
        axes.plot(steps + 1, values, color=colour, ls=dashes, lw=0.9)
    axes.set_xlim(0.5, len(channels) + 0.5)


def colours_of(channels: tuple[str, ...]) -> str:
    """Return which colour is which channel, in a sentence; nothing for a single one.

    >>> colours_of(("x", "y"))
    ' Blue: x, vermilion (dashed): y, each in its own scale.'
    """
    if len(channels) < 2:
        return ""
    drawn = zip(COLOURS, ("", " (dashed)", " (dotted)"), channels, strict=False)
    text = ", ".join(f"{colour}{dashes}: {name_text(name)}" for colour, dashes, name in drawn)
    some = f" (three of {len(channels)} channels)" if len(channels) > len(COLOURS) else ""
    return f" {text[0].upper()}{text[1:]}, each in its own scale{some}."


def draw_along(series: np.ndarray, layers: Mapping[str, np.ndarray], line: str) -> Figure:
    """Draw a series and, below it, the outputs `(steps, units)` of each layer as a heat map on the same time.

    Args:
        series: `(time, channels)`.
        layers: outputs by name of the layer; a layer with fewer steps than the series is stretched over it.
        line: what a line of a heat map is, e.g. "unit".
    """
    shown = list(layers.items())[:MOST_LAYERS]
    above, title, left = 0.75, 0.27, 0.55
    highs = [float(np.clip(0.05 * min(values.shape[1], MOST_LINES), 0.3, 1.4)) for _, values in shown]
    total = above + title + sum(high + title for high in highs) + 0.42
    figure = new_figure(total, wide())
    axes = add_axes(figure, left, total - title - above, 0.1, title)
    draw_lines(axes, scaled(series))
    axes.set_title("series")
    axes.set(xticklabels=[], yticks=[])
    top = title + above
    for (name, values), high in zip(shown, highs, strict=True):
        axes = add_axes(figure, left, total - top - title - high, 0.1, top + title)
        pixels = signed(shrink(values.T, MOST_PIXELS))
        extent = (0.5, len(series) + 0.5, values.shape[1] + 0.5, 0.5)
        axes.imshow(pixels, interpolation="none", aspect="auto", extent=extent)
        axes.set_title(name_text(name, 40), color=INK)
        axes.set(yticks=[1, values.shape[1]] if values.shape[1] > 1 else [1], ylabel=line, xticklabels=[])
        top += title + high
    step_axis(axes)
    return figure


def step_axis(axes: Axes) -> None:
    """Number the steps, and say what they are, below the lowest of some axes."""
    axes.tick_params(labelbottom=True)
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.set_xlabel("step")


def common_limits(channels: list[np.ndarray]) -> tuple[float, float]:
    """Return limits that hold all of some lines."""
    return limits(np.concatenate([values.ravel() for values in channels]), log=False)
