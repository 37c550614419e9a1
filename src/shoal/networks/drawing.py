"""The textbook drawing of a network: nodes in columns, connections, weights as colour and width."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import SettingError, listing
from shoal.networks.layout import RADIUS, Layout, layout_network
from shoal.networks.weight_texts import WAYS, WeightTexts, check_way, weight_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

    from shoal.networks.network import Network, OrderedParameters

_INK, _GREY = "#333333", "#9a9a9a"
_WEIGHTS = ("#2166ac", "#cfcfcf", "#c0392b")  # negative, none, positive
_FILLS = {"input": "#dce6f0", "hidden": "#ffffff", "output": "#f6e3cf"}
_BAR = 0.9  # inches for the colour bar
_FONT = 9.0
_LINE = 0.17  # inches from line to line of a caption
_FORMULA = 0.32  # the same of formulas
_SHEET = 0.7  # inches, the side of a block
_SMALLEST = 0.62  # of the size that it has by itself, while columns keep their distance
_NEAREST = 0.45  # inches between columns


def draw_network(
    network: Network,
    parameters: OrderedParameters | None = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    width: float | None = None,
    show_weights: str = "colours",
) -> Figure:
    """Return a figure of a network; it belongs to nobody else and leaves matplotlib's state alone.

    Args:
        network: what to draw; layers of more than 12 neurons are abbreviated, with their number below.
        parameters: one dict of arrays per layer; default none, all connections grey.
        feature_names: names of the inputs.
        class_names: names of the outputs.
        width: of the figure in inches; by default as wide as it needs to be.
        show_weights: `values` writes the number of each weight and bias, `symbols` w_ij and b_i with the formula of
            each layer (both of small layers only), `colours` (default) neither.

    Raises:
        NetworkError: names or parameters do not fit the network, or a layer is too large for texts.
        SettingError: weights cannot be shown so.
    """
    from shoal.notebook.figure import ShownFigure

    check_way(show_weights, parameters)
    spacious = show_weights != WAYS[0]
    layout = layout_network(network, parameters, feature_names, class_names, spacious=spacious)
    texts = weight_texts(layout, network, parameters, show_weights)
    weighted = any(edge.weight is not None for edge in layout.edges)
    bar, scale = _BAR if weighted else 0.0, 1.0
    if width is not None and spacious:
        scale = width / (layout.width + bar)  # texts stay where they have room
    elif width is not None:
        layout, scale = _fitted(layout, width, bar)
    drop, head = _drop(layout), _FORMULA * len(texts.head)
    figure = ShownFigure(figsize=(layout.width + bar, layout.height + drop + head), facecolor="white")
    axes = figure.add_axes((0.0, 0.0, layout.width / figure.get_figwidth(), 1.0))
    axes.set(xlim=(0, layout.width), ylim=(-drop, layout.height + head), aspect="equal")
    axes.set_axis_off()
    _draw_edges(axes, layout, weighted)
    _draw_nodes(axes, layout)
    _draw_blocks(axes, layout)
    _draw_captions(axes, layout)
    _draw_texts(axes, texts, layout.height + head)
    if weighted:
        _draw_bar(figure, layout, drop)
    _rescale(figure, scale)
    return figure


def _fitted(layout: Layout, width: float, bar: float) -> tuple[Layout, float]:
    """Return the layout that fills a width once it is scaled, and the scale: first columns come nearer."""
    if len(layout.columns) == 1:
        return layout, width / (layout.width + bar)
    sides = [_SHEET / 2 if column.block else 0.0 for column in layout.columns]
    least = [_NEAREST + a + b for a, b in itertools.pairwise(sides)]
    fixed = layout.width + bar - (layout.columns[-1].x - layout.columns[0].x)
    scale = min(1.0, max(_SMALLEST, width / (layout.width + bar)), width / (fixed + sum(least)))
    return layout.stretched(width / scale - bar, least), scale


def _drop(layout: Layout) -> float:
    """Return how much lower every second caption stands, so that neighbours do not touch."""
    return _LINE * max(len(column.caption) for column in layout.columns) + 0.06 if layout.crowded else 0.0


def _rescale(figure: Figure, scale: float) -> None:
    """Make a figure smaller with all that is in it."""
    if scale == 1.0:
        return
    from matplotlib.collections import Collection
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    width, height = figure.get_size_inches()
    figure.set_size_inches(width * scale, height * scale)
    for text in _all(figure, Text):
        text.set_fontsize(float(text.get_fontsize()) * scale)
    for axes in figure.axes:
        axes.tick_params(labelsize=(_FONT - 1) * scale)
    for lines in _all(figure, Collection):
        lines.set_linewidth([width * scale for width in lines.get_linewidth()])
    for patch in _all(figure, Patch):
        patch.set_linewidth(patch.get_linewidth() * scale)


def save_drawing(figure: Figure, path: str | Path) -> None:
    """Write a figure; the ending of the path says how.

    Raises:
        SettingError: the ending is not one that figures can be written in.
    """
    known = figure.canvas.get_supported_filetypes()
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in known:
        raise SettingError(
            f"a figure cannot be written to {str(path)!r}: its name must end in one of "
            f"{listing((f'.{kind}' for kind in sorted(known)), 20)}"
        )
    figure.savefig(path, dpi=200)


def _all(figure: Figure, kind: Any) -> list[Any]:
    return figure.findobj(kind)


def _draw_edges(axes: Axes, layout: Layout, weighted: bool) -> None:
    from matplotlib.collections import LineCollection

    edges = sorted(layout.edges, key=lambda edge: abs(edge.weight or 0.0))  # the strongest on top
    lines = [[(e.start.x, e.start.y), (e.end.x, e.end.y)] for e in edges]
    if not weighted:
        axes.add_collection(LineCollection(lines, colors=_GREY, linewidths=0.6, zorder=1))
        return
    shares = [e.weight / layout.largest if e.weight else 0.0 for e in edges]
    colours = _colours()([0.5 + 0.5 * share for share in shares])
    widths = [0.3 + 2.4 * abs(share) for share in shares]
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=widths, zorder=1, capstyle="round"))


def _draw_nodes(axes: Axes, layout: Layout) -> None:
    from matplotlib.patches import Circle

    last = len(layout.columns) - 1
    for node in layout.nodes:
        kind = "input" if node.column == 0 else "output" if node.column == last else "hidden"
        circle = Circle((node.x, node.y), RADIUS, facecolor=_FILLS[kind], edgecolor=_INK, linewidth=1.0)
        circle.set_zorder(2)
        axes.add_patch(circle)
        if node.label:
            side, align = (-1, "right") if node.column == 0 else (1, "left")
            x = node.x + side * (RADIUS + 0.08)
            axes.text(x, node.y, node.label, ha=align, va="center_baseline", fontsize=_FONT, color=_INK)
    for column in layout.columns:
        if column.gap is not None:
            for shift in (-0.09, 0.0, 0.09):
                dot = Circle((column.x, column.gap + shift), 0.022, facecolor=_INK, linewidth=0)
                axes.add_patch(dot)


def _draw_texts(axes: Axes, texts: WeightTexts, top: float) -> None:
    """Write on connections and neurons, and above all what the layers compute."""
    centred: Any = {"ha": "center", "va": "center", "color": _INK, "parse_math": True}
    for weight in texts.weights:
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        axes.text(weight.x, weight.y, weight.text, fontsize=_FONT - 2, bbox=ground, zorder=1.5, **centred)
    for bias in texts.biases:
        axes.text(bias.x, bias.y, bias.text, fontsize=_FONT - 2, **centred)
    for neuron in texts.neurons:
        axes.text(neuron.x, neuron.y, neuron.text, fontsize=_FONT, zorder=3, **centred)
    for number, line in enumerate(texts.head):
        height = top - _FORMULA * (0.5 + number)
        axes.text(0.12, height, line, ha="left", va="center", fontsize=_FONT, color=_INK, parse_math=True)


def _draw_blocks(axes: Axes, layout: Layout) -> None:
    """Draw series, images and volumes as sheets one behind the other, and arrows to and from them."""
    from matplotlib.patches import Rectangle

    last, sheets = len(layout.columns) - 1, layout.middle + _SHEET / 2 + 0.05
    for number, column in enumerate(layout.columns):
        kind = "input" if number == 0 else "output" if number == last else "hidden"
        for shift in (0.1, 0.05, 0.0) if column.block else ():
            corner = (column.x - _SHEET / 2 + shift - 0.05, layout.middle - _SHEET / 2 + shift - 0.05)
            sheet = Rectangle(corner, _SHEET, _SHEET, facecolor=_FILLS[kind], edgecolor=_INK, linewidth=1.0)
            axes.add_patch(sheet)
        if column.recurrent:
            _draw_loop(
                axes, column.x, max([n.y + RADIUS - 0.05 for n in layout.nodes if n.column == number], default=sheets)
            )
    for start, end in layout.arrows:
        gaps = [0.12 + (_SHEET / 2 if layout.columns[c].block else RADIUS) for c in (start, end)]
        tip, tail = layout.columns[end].x - gaps[1], layout.columns[start].x + gaps[0]
        style = {"arrowstyle": "-|>", "color": _GREY, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (tip, layout.middle), (tail, layout.middle), arrowprops=style)


def _draw_loop(axes: Axes, x: float, top: float) -> None:
    """Draw the arrow of a layer that reads its own last output."""
    way: Any = {"arrowstyle": "-|>", "connectionstyle": "arc3,rad=1.6", "shrinkA": 0, "shrinkB": 0, "color": _INK}
    axes.annotate("", (x - 0.11, top + 0.03), (x + 0.11, top + 0.03), arrowprops=way)


def _draw_captions(axes: Axes, layout: Layout) -> None:
    drop = _drop(layout)
    for number, column in enumerate(layout.columns):
        for i, line in enumerate(column.caption):
            axes.text(
                column.x,
                layout.captions - _LINE * i - drop * (number % 2),
                line,
                ha="center",
                va="top",
                fontsize=_FONT,
                color=_INK,
                fontweight="normal" if i else "bold",
            )


def _draw_bar(figure: Figure, layout: Layout, drop: float) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    width, height = figure.get_size_inches()
    tall = min(2.4, 0.55 * (layout.height - layout.captions))
    middle = (layout.height + layout.captions) / 2 + drop
    place = ((layout.width + 0.1) / width, (middle - tall / 2) / height, 0.11 / width, tall / height)
    colours = ScalarMappable(Normalize(-layout.largest, layout.largest), _colours())
    bar = figure.colorbar(colours, cax=figure.add_axes(place))
    largest = f"{layout.largest:.2g}"
    bar.set_ticks([-layout.largest, 0.0, layout.largest], labels=[f"−{largest}", "0", largest])
    bar.ax.tick_params(labelsize=_FONT - 1, color=_GREY, labelcolor=_INK)
    bar.ax.set_title("weight", fontsize=_FONT - 1, color=_INK, loc="left", pad=9)
    bar.outline.set_edgecolor(_GREY)


def _colours() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("weights", _WEIGHTS)
