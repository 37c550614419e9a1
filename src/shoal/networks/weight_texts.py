"""What a drawing of a small network writes on connections and neurons: the numbers of a trained one, or symbols."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.errors import NetworkError, SettingError, listing, suggest
from shoal.networks.activations import activation_label, is_linear
from shoal.networks.layers import Dense, Dropout, Layer
from shoal.networks.layout import RADIUS, Edge, Layout, Node

if TYPE_CHECKING:
    from shoal.networks.network import Network, OrderedParameters

WAYS = ("colours", "values", "symbols")
"""How a drawing shows weights; the first writes nothing."""

_LETTER, _TALL, _TALLER = 0.058, 0.115, 0.19  # inches, of a letter on a connection, its line, one with indices
_FAR = 0.14  # inches from other lines that are enough
_PLACES = np.linspace(0.16, 0.84, 35)  # where on a connection a text may stand
_MOST = 100  # connections between two layers
_TERMS = 4  # of a sum that is written out


@dataclass(frozen=True)
class Text:
    """A text and where its middle stands, in inches."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class WeightTexts:
    """The texts of a drawing; `left_out` of all weights have no room for theirs."""

    weights: tuple[Text, ...] = ()
    biases: tuple[Text, ...] = ()
    neurons: tuple[Text, ...] = ()
    formulas: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def head(self) -> tuple[str, ...]:
        """What stands above the drawing: the formulas, and how many weights have no text."""
        every = len(self.weights) + self.left_out
        note = f"{self.left_out} of {every} weights have no room for their text"
        return (*self.formulas, note) if self.left_out else self.formulas


def check_way(show_weights: str, parameters: OrderedParameters | None) -> None:
    """Check how weights shall be shown.

    Raises:
        SettingError: no such way.
        NetworkError: values of a network without parameters.
    """
    if show_weights not in WAYS:
        raise SettingError(
            f"show_weights must be one of {listing(WAYS)}, got {show_weights!r}.{suggest(show_weights, WAYS)}"
        )
    if show_weights == "values" and parameters is None:
        raise NetworkError(
            "show_weights='values' needs the weights, but no parameters are given; symbols need none. "
            "Give parameters=network.initialize(…), or draw the network of a run"
        )


def weight_texts(
    layout: Layout, network: Network, parameters: OrderedParameters | None, show_weights: str
) -> WeightTexts:
    """Return the texts of a drawing.

    Args:
        layout: where nodes and connections are.
        network: what is drawn.
        parameters: one dict of arrays per layer; None with symbols.
        show_weights: one of `WAYS`.

    Raises:
        NetworkError: a layer is too large, or its neurons have no weights of their own.
    """
    if show_weights == "colours":
        return WeightTexts()
    numbers = _dense_numbers(layout, network)
    symbols = show_weights == "symbols"
    write = _symbols(layout, numbers) if symbols else _values
    placed = _placed(layout, write)
    return WeightTexts(
        weights=placed,
        biases=tuple(_biases(layout, network, parameters, numbers, symbols=symbols)),
        neurons=tuple(_neuron(layout, network, node, numbers) for node in layout.nodes) if symbols else (),
        formulas=_formulas(network) if symbols else (),
        left_out=len(layout.edges) - len(placed),
    )


def _dense_numbers(layout: Layout, network: Network) -> dict[int, int]:
    """Return for each column that connections lead to the number of its dense layer, counted from 1.

    Raises:
        NetworkError: there is no such column, or one of its neurons cannot be shown by itself.
    """
    columns = sorted({edge.end.column for edge in layout.edges})
    if not columns:
        raise NetworkError("no dense layer follows single neurons or inputs, so that there are no weights to write")
    for column in columns:
        pair = layout.columns[column - 1], layout.columns[column]
        count = pair[0].size * pair[1].size
        if count > _MOST or pair[0].gap is not None or pair[1].gap is not None:
            raise NetworkError(
                f"weights can be written where {_MOST} at most stand between two layers of 12 neurons at most, but "
                f"{pair[0].size} × {pair[1].size} stand before layer {network.names[pair[1].dense or 0]!r}. "
                "Draw them as colours, or print them: shoal network RUN, run.weights"
            )
    for column in columns:
        index = layout.columns[column].dense
        assert index is not None
        if network.parameter_shapes[index]["kernel"][1] != network.shapes[index][-1]:
            raise NetworkError(
                f"layer {network.names[index]!r} has the activation "
                f"{activation_label(network.layers[index].final_activation)}, which makes one number of two neurons; "
                "its weights can only be drawn as colours"
            )
    return {column: number for number, column in enumerate(columns, 1)}


def _values(edge: Edge) -> str:
    return "?" if edge.weight is None else _number(edge.weight)


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


def _symbols(layout: Layout, numbers: dict[int, int]) -> Callable[[Edge], str]:
    def write(edge: Edge) -> str:
        column = layout.columns[edge.end.column]
        places = (edge.start.index,) if column.size == 1 else (edge.end.index, edge.start.index)
        return f"${_symbol('w', numbers, edge.end.column, *places)}$"

    return write


def _symbol(letter: str, numbers: dict[int, int], column: int, *places: int) -> str:
    """Return e.g. `w_{12}`, with the number of the layer above where there are several."""
    layer = f"^{{({numbers[column]})}}" if len(numbers) > 1 else ""
    comma = "," if max(places, default=0) > 8 else ""
    below = f"_{{{comma.join(str(place + 1) for place in places)}}}" if places else ""
    return f"{letter}{layer}{below}"


def _placed(layout: Layout, write: Callable[[Edge], str]) -> tuple[Text, ...]:
    """Return a text on each connection, the strongest first, as far from other lines as it can, none on another."""
    ends = np.array([[(e.start.x, e.start.y), (e.end.x, e.end.y)] for e in layout.edges])
    texts: list[Text] = []
    half: list[float] = []
    for i in sorted(range(len(layout.edges)), key=lambda i: -abs(layout.edges[i].weight or 0.0)):
        text = write(layout.edges[i])
        wide = _LETTER * (len(text) if text[0] != "$" else 3 + text.count("^")) / 2
        points = ends[i, 0] + _PLACES[:, None] * (ends[i, 1] - ends[i, 0])
        free = np.ones(len(points), bool)
        for other, its in zip(texts, half, strict=True):
            apart = np.abs(points - (other.x, other.y))
            free &= (apart[:, 0] > wide + its + 0.02) | (apart[:, 1] > (_TALLER if text[0] == "$" else _TALL))
        if not free.any():
            continue
        beside = ends[:, 0, 0] == ends[i, 0, 0]
        beside[i] = False
        room = np.minimum(_nearest(points, ends[beside]), _FAR) - 0.05 * np.abs(_PLACES - 0.5)
        best = int(np.argmax(np.where(free, room, -np.inf)))
        texts.append(Text(float(points[best, 0]), float(points[best, 1]), text))
        half.append(wide)
    return tuple(texts)


def _nearest(points: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Return how far each point is above or below the nearest line; lines go from left to right."""
    if not len(lines):
        return np.full(len(points), np.inf)
    start, end = lines[:, 0], lines[:, 1]
    share = (points[:, :1] - start[:, 0]) / (end[:, 0] - start[:, 0])
    return np.asarray(np.abs(start[:, 1] + share * (end[:, 1] - start[:, 1]) - points[:, 1:]).min(axis=1))


def _biases(
    layout: Layout, network: Network, parameters: OrderedParameters | None, numbers: dict[int, int], *, symbols: bool
) -> list[Text]:
    """Return the bias of each neuron below it."""
    texts = []
    for node in layout.nodes:
        column = layout.columns[node.column]
        if column.dense is None or "bias" not in network.parameter_shapes[column.dense]:
            continue
        place = node.index % network.shapes[column.dense][-1]
        if symbols:
            text = f"$+\\,{_symbol('b', numbers, node.column, *(() if column.size == 1 else (place,)))}$"
        else:
            assert parameters is not None
            bias = float(parameters[column.dense]["bias"][place])
            text = f"{'+' if bias >= 0 else '−'} {_number(abs(bias))}"
        texts.append(Text(node.x, node.y - RADIUS - 0.09, text))
    return texts


def _neuron(layout: Layout, network: Network, node: Node, numbers: dict[int, int]) -> Text:
    """Return what stands in a neuron: an input x, the output a of a hidden one, z without activation, or ŷ."""
    last = len(layout.columns) - 1
    places = () if layout.columns[node.column].size == 1 else (node.index,)
    if node.column not in numbers:
        letter = _symbol("x" if node.column == 0 else "a", {0: 1}, 0, *places)
    elif node.column == last:
        letter = _symbol(_output(network), {0: 1}, 0, *places)
    else:
        hidden = {column: number for column, number in numbers.items() if column != last}
        letter = _symbol("a", hidden, node.column, *places)
    return Text(node.x, node.y, f"${letter}$")


def _output(network: Network) -> str:
    """Return z for linear neurons alone, as for a single sum; else ŷ."""
    alone = len(network.layers) == 1 and is_linear(network.output_activation)
    return "z" if alone else r"\hat{y}"


def _formulas(network: Network) -> tuple[str, ...]:
    """Return what each layer computes, where there are dense layers only; dropout does nothing in prediction."""
    layers = [layer for layer in network.layers if not isinstance(layer, Dropout)]
    if len(network.input_shape) > 1 or not all(isinstance(layer, Dense) for layer in layers):
        return ()
    lines, inputs, size = [], "x", network.input_shape[0] if network.input_shape else 1
    for number, layer in enumerate(layers, 1):
        units = int(getattr(layer, "units", 1))
        several, last = len(layers) > 1, number == len(layers)
        above = f"^{{({number})}}" if several else ""
        hidden = f"^{{({number})}}" if len(layers) > 2 else ""
        output = _output(network) if last else f"a{hidden}"
        i = "" if units == 1 else "i"
        bias = f" + b{above}_{{{i}}}" if getattr(layer, "use_bias", True) else ""
        if units == 1 and size <= _TERMS:
            each = range(1, size + 1)
            total = " + ".join(f"w{above}_{{{j}}}{_with_place(inputs, '' if size == 1 else str(j))}" for j in each)
        else:
            total = f"\\sum_j w{above}_{{{i}j}}{_with_place(inputs, 'j')}"
        lines.append(f"${_with_place(output, i)} = {_activated(layer, (total + bias).replace('_{}', ''))}$")
        inputs, size = output, units
    return tuple(lines)


def _with_place(letter: str, place: str) -> str:
    return f"{letter}_{{{place}}}" if place else letter


def _activated(layer: Layer, total: str) -> str:
    activation = layer.final_activation
    if is_linear(activation):
        return total
    name = activation_label(activation)
    return f"\\mathrm{{{name}}}({total})" if name.isalnum() else f"f({total})"
