"""What figures are drawn with: a few primitives as plain data, which one script turns into SVG."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Mark = dict[str, Any]
Panel = dict[str, Any]
Colour = str | float
"""`blue`, `vermilion`, `green`, `ink`, `muted`, `class 2`, or a number of the ramp from blue, 0, to vermilion, 1."""
DIGITS = 4


def plain(values: Any) -> Any:
    """Return numbers as JSON takes them: with four digits, None where they are not finite."""
    array = np.asarray(values)
    if array.dtype.kind in "iub":
        return array.tolist()
    if array.ndim == 0:
        return float(f"{array:.{DIGITS}g}") if np.isfinite(array) else None
    if array.dtype.kind != "f":
        return array.tolist()
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where((array == 0) | ~np.isfinite(array), 1.0, np.abs(array))
        scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(size)))
        short = np.round(array.astype(np.float64) * scale) / scale
    return _without_nan(short.tolist()) if not np.isfinite(array).all() else short.tolist()


def _without_nan(values: Any) -> Any:
    if isinstance(values, list):
        return [_without_nan(value) for value in values]
    return values if np.isfinite(values) else None


def drawing(
    panels: Sequence[Panel],
    say: str,
    facts: Sequence[tuple[str, str]] = (),
    ends: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return a drawing.

    Args:
        panels: what is drawn.
        say: a sentence that says what is to be seen.
        facts: numbers with their names.
        ends: of sliders that make no sense beyond, by their names.
    """
    return {"panels": list(panels), "say": say, "facts": [list(fact) for fact in facts], "ends": dict(ends or {})}


def axes(
    title: str,
    x: tuple[float, float, str],
    y: tuple[float, float, str],
    marks: Sequence[Mark],
    *,
    log_x: bool = False,
    log_y: bool = False,
    square: bool = False,
) -> Panel:
    """Return a panel with axes, each with its limits and label, and marks in their units."""
    spans = {"x": [*plain(x[:2]), x[2]], "y": [*plain(y[:2]), y[2]]}
    return {"type": "axes", "title": title, **spans, "log_x": log_x, "log_y": log_y, "square": square, "marks": marks}


def line(x: Any, y: Any, colour: Colour = "blue", *, label: str = "", width: float = 1.8, dash: bool = False) -> Mark:
    """Return a line through points; it is broken where a number is not finite."""
    return {
        "m": "lines",
        "x": plain(x),
        "y": [plain(y)],
        "colour": [colour],
        "width": width,
        "dash": dash,
        "label": label,
    }


def lines(
    x: Any, ys: Any, colours: Iterable[Colour], *, width: float = 0.8, opacity: float = 0.3, label: str = ""
) -> Mark:
    """Return many lines over the same x `(points,)`, or each over its own `(lines, points)`."""
    many = {"m": "lines", "x": plain(x), "y": plain(ys), "width": width, "opacity": opacity, "label": label}
    return many | {"colour": list(colours)}


def band(x: Any, low: Any, high: Any, colour: Colour = "blue", *, label: str = "") -> Mark:
    """Return the area between two lines."""
    return {"m": "band", "x": plain(x), "low": plain(low), "high": plain(high), "colour": colour, "label": label}


def points(x: Any, y: Any, colours: Any = "ink", *, size: float = 2.5, label: str = "", opacity: float = 0.85) -> Mark:
    """Return dots, of one colour or each of its own."""
    colour = [colours] if isinstance(colours, str) else list(colours)
    place = {"m": "points", "x": plain(x), "y": plain(y)}
    return place | {"colour": colour, "size": size, "label": label, "opacity": opacity}


def segments(
    parts: Sequence[Any], colour: Colour = "ink", *, width: float = 0.8, opacity: float = 0.2, label: str = ""
) -> Mark:
    """Return straight pieces, a list of arrays `(pieces, 4)` of x, y, x, y; an array is one path."""
    each = [plain(part) for part in parts if len(part)]
    return {"m": "segments", "parts": each, "colour": colour, "width": width, "opacity": opacity, "label": label}


def heat(
    values: Any,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    scale: str = "diverging",
    limits: Any = None,
    label: str = "",
) -> Mark:
    """Return a map of numbers `(height, width)`, the first row at the bottom; `scale`: `diverging`, `sequential`."""
    array = np.asarray(values, np.float64)
    finite = array[np.isfinite(array)]
    top = float(np.abs(finite).max()) if len(finite) else 1.0
    low, high = limits or ((-top, top) if scale == "diverging" else (float(finite.min()), float(finite.max())))
    shares = np.round(np.clip((array - low) / ((high - low) or 1.0), 0.0, 1.0), 3)
    place = {"m": "heat", "x": plain(x), "y": plain(y), "values": plain(shares)}
    return place | {"scale": scale, "label": label, "limits": plain([low, high])}


def bars(edges: Any, heights: Any, colour: Colour = "blue", *, label: str = "", opacity: float = 0.6) -> Mark:
    """Return a histogram: bars between edges."""
    return {
        "m": "bars",
        "edges": plain(edges),
        "y": plain(heights),
        "colour": colour,
        "label": label,
        "opacity": opacity,
    }


def label(x: float, y: float, text: str, colour: Colour = "ink", anchor: str = "start") -> Mark:
    """Return words at a place."""
    return {"m": "text", "x": plain(x), "y": plain(y), "text": text, "colour": colour, "anchor": anchor}


def handle(x: float, y: float, sets: tuple[str, str], text: str, colour: Colour = "vermilion", **also: str) -> Mark:
    """Return a dot that can be dragged, which sets two controls; `also` sets others."""
    place = {"m": "handle", "x": plain(x), "y": plain(y), "sets": list(sets)}
    return place | {"text": text, "colour": colour, "also": also}


def grid(
    title: str,
    values: Any,
    *,
    boxes: Sequence[tuple[float, float, float, float]] = (),
    digits: int = 0,
    scale: str = "sequential",
    limits: tuple[float, float] | None = None,
    numbers: bool = True,
    known: int | None = None,
    border: int = 0,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> Panel:
    """Return a grid of shaded numbers, the first row at the top.

    Args:
        title: above it.
        values: `(rows, columns)`.
        boxes: frames: row, column, height and width in cells; they may reach over the border.
        digits: behind the point.
        scale: `sequential` or `diverging`.
        limits: of the shades; by default the least and the largest number, about zero where diverging.
        numbers: whether they are written.
        known: how many of the cells are shown, row by row; by default all.
        border: cells around, for boxes that reach over.
        rows: their names.
        columns: their names.
    """
    array = np.asarray(values, np.float64)
    top = float(np.abs(array).max()) or 1.0
    low, high = limits or ((-top, top) if scale == "diverging" else (float(array.min()), float(array.max())))
    shades = np.clip((array - low) / ((high - low) or 1.0), 0.0, 1.0)
    texts = [
        [
            f"{value:.{digits}f}".replace("-0", "0") if not round(value, digits) else f"{value:.{digits}f}"
            for value in row
        ]
        for row in array
    ]
    shown = {"texts": texts if numbers else None, "shades": plain(np.round(shades, 3)), "scale": scale}
    frames = {"boxes": [plain(box) for box in boxes], "known": array.size if known is None else known, "border": border}
    return {"type": "grid", "title": title, **shown, **frames, "rows": list(rows), "columns": list(columns)}


def diagram(
    title: str, nodes: Sequence[Mapping[str, Any]], arrows: Sequence[Mapping[str, Any]], height: float = 0.6
) -> Panel:
    """Return circles or boxes and arrows between them.

    Args:
        title: above it.
        nodes: each with `x`, `y` (0 to 1, from the top left), `text`, perhaps `below`, `box` and `colour`.
        arrows: each `from` and `to` a node, perhaps with `text`, `colour` and `width`.
        height: over the width.
    """
    return {"type": "diagram", "title": title, "nodes": list(nodes), "arrows": list(arrows), "height": height}


def network_diagram(
    title: str,
    sizes: Sequence[int],
    weights: Sequence[Any] | None = None,
    *,
    names: Mapping[int, Sequence[str]] | None = None,
    biases: Sequence[Any] | None = None,
    numbers: bool = False,
) -> Panel:
    """Return the drawing of a dense network: neurons in columns, weights as arrows, wider where larger.

    Args:
        title: above it.
        sizes: neurons of each layer, the inputs first.
        weights: a kernel `(inputs, outputs)` for each layer behind the first; None: all alike.
        names: what is written in the neurons of some layers, by their number.
        biases: of each layer behind the first, written below its neurons.
        numbers: write the weights on the arrows.
    """
    nodes: list[dict[str, Any]] = []
    places: list[range] = []
    for layer, size in enumerate(sizes):
        places.append(range(len(nodes), len(nodes) + size))
        for neuron in range(size):
            text = names[layer][neuron] if names and layer in names else ""
            below = f"b = {biases[layer - 1][neuron]:.2f}" if biases is not None and layer else ""
            place = {"x": (layer + 0.5) / len(sizes), "y": (neuron + 0.5) / size, "text": text, "below": below}
            nodes.append({**place, "colour": "blue" if 0 < layer < len(sizes) - 1 else "ink"})
    top = max((float(np.abs(kernel).max()) for kernel in weights or ()), default=1.0) or 1.0
    arrows = []
    for layer, (before, behind) in enumerate(itertools.pairwise(places)):
        for i, start in enumerate(before):
            for j, end in enumerate(behind):
                weight = None if weights is None else float(weights[layer][i][j])
                style = {"colour": "muted", "width": 1.0}
                if weight is not None:
                    style = {"colour": "vermilion" if weight > 0 else "blue", "width": 0.4 + 3.0 * abs(weight) / top}
                arrows.append(
                    {
                        "from": start,
                        "to": end,
                        "text": f"{weight:.2f}" if numbers and weight is not None else "",
                        **style,
                    }
                )
    return diagram(title, nodes, arrows, height=min(1.0, 0.14 * max(sizes) + 0.2))


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Panel:
    """Return a table of words and numbers."""
    return {"type": "table", "title": title, "head": list(head), "rows": [list(row) for row in rows]}
