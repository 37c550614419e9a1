"""The numbers of a network's drawing: where nodes and connections are, in inches. Nothing is drawn here."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import NetworkError
from shoal.networks.layers import Dense, Layer
from shoal.networks.summary import layer_note

if TYPE_CHECKING:
    from shoal.networks.network import Network, NetworkParameters

RADIUS = 0.15
_STEP = 0.42  # from node to node
_MOST = 12  # a column of more nodes is abbreviated
_FEWEST = 3  # there is room for at least this many nodes
_FIRST = 7  # to this many, a gap and the last one
_LETTER = 0.078  # mean width of a letter of a name
_LINE = 0.17  # height of a line of a caption
_LONGEST = 32  # letters of a name


@dataclass(frozen=True)
class Node:
    """A neuron or input that is drawn: its place, and its name or an empty string."""

    column: int
    index: int
    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Edge:
    """A connection between two drawn nodes; `weight` is None where parameters are not known."""

    start: Node
    end: Node
    weight: float | None
    """None also where the weight is not a finite number."""


@dataclass(frozen=True)
class Column:
    """All inputs, or all neurons of a layer: how many there are and what is written below them."""

    x: float
    size: int
    caption: tuple[str, ...]
    gap: float | None
    """Height of the dots that stand for nodes that are not drawn; None if all are."""


@dataclass(frozen=True)
class Layout:
    """A drawing in numbers; lengths are in inches from the lower left corner."""

    width: float
    height: float
    captions: float
    """Height of the top of the captions."""
    columns: tuple[Column, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def largest(self) -> float:
        """The largest absolute weight that is drawn, 1 if there is none."""
        known = [abs(edge.weight) for edge in self.edges if edge.weight is not None]
        return max(known, default=0.0) or 1.0


def layout_network(
    network: Network,
    parameters: NetworkParameters | None = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> Layout:
    """Return the numbers of the drawing of a network.

    Raises:
        NetworkError: names or parameters do not fit the network.

    Example:
        >>> from shoal.networks.network import Network
        >>> layout = layout_network(Network.parse("4 8:relu 3:softmax"))
        >>> len(layout.nodes), len(layout.edges)
        (15, 56)
    """
    if parameters is not None:
        network.check_parameters(parameters)
    dense = [i for i, layer in enumerate(network.layers) if isinstance(layer, Dense)]
    sizes = _sizes(network, dense)
    names: list[Sequence[str] | None] = [None] * len(sizes)
    names[-1] = _checked(class_names, sizes[-1], "class_names", "outputs")
    names[0] = _checked(feature_names, sizes[0], "feature_names", "inputs")
    captions = _captions(network, dense, sizes)

    left = max(0.65, 0.35 + _width(names[0]))
    right = max(0.65, 0.35 + _width(names[-1] if dense else None))
    step = float(np.clip(8.0 / max(1, len(sizes) - 1), 1.35, 2.4))
    tallest = _STEP * (max(_FEWEST, *(len(_slots(size)) for size in sizes)) - 1)
    top = 0.12 + _LINE * max(len(lines) for lines in captions)

    columns, nodes = [], []
    for c, (size, lines) in enumerate(zip(sizes, captions, strict=True)):
        column, of_column = _column(c, left + c * step, top + 0.3 + tallest / 2, size, lines, names[c])
        columns.append(column)
        nodes.append(of_column)
    return Layout(
        width=left + right + step * (len(sizes) - 1),
        height=top + 0.6 + tallest,
        captions=top,
        columns=tuple(columns),
        nodes=tuple(node for of_column in nodes for node in of_column),
        edges=_edges(nodes, [None if parameters is None else parameters[i]["kernel"] for i in dense]),
    )


def _column(
    number: int, x: float, middle: float, size: int, caption: tuple[str, ...], names: Sequence[str] | None
) -> tuple[Column, list[Node]]:
    """Return a column and its nodes, spread evenly about the middle."""
    slots = _slots(size)
    heights = [middle + _STEP * ((len(slots) - 1) / 2 - i) for i in range(len(slots))]
    nodes = [
        Node(number, i, x, y, _short(names[i]) if names else "")
        for i, y in zip(slots, heights, strict=True)
        if i is not None
    ]
    gap = heights[slots.index(None)] if None in slots else None
    return Column(x, size, caption, gap), nodes


def _sizes(network: Network, dense: list[int]) -> list[int]:
    """Return how many inputs there are and how many values each Dense layer hands on."""
    if not dense:
        return [int(np.prod(network.input_shape))]
    handed_on = [network.parameter_shapes[i]["kernel"][0] for i in dense]
    return [*handed_on, (network.output_shape or (1,))[-1]]


def _captions(network: Network, dense: list[int], sizes: list[int]) -> list[tuple[str, ...]]:
    """Return the lines below each column: how many, what activation, and layers in between."""
    captions: list[list[str]] = [[_count(sizes[0], "input")]]
    for i, layer in enumerate(network.layers):
        if i in dense:
            last = i == dense[-1]
            captions.append([_count(sizes[len(captions)], "output" if last else "neuron")])
        captions[-1].extend(_notes(layer))
    return [tuple(lines) for lines in captions]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _notes(layer: Layer) -> list[str]:
    note, kind = layer_note(layer), type(layer).__name__.lower()
    if isinstance(layer, Dense) or kind == "activation":
        parts = note.split(", ") if note else []
        return parts if len(parts) <= 4 else [*parts[:3], f"… {len(parts)} kinds"]
    return [f"{kind} {note.removeprefix('rate ')}".strip()]


def _slots(size: int) -> list[int | None]:
    """Return the nodes that are drawn, with None for the gap."""
    if size <= _MOST:
        return list(range(size))
    return [*range(_FIRST), None, size - 1]


def _edges(nodes: list[list[Node]], kernels: list[Any]) -> tuple[Edge, ...]:
    edges = []
    for kernel, starts, ends in zip(kernels, nodes[:-1], nodes[1:], strict=True):
        # A flattened column repeats the neurons of the layer, hence the remainder.
        for a, b in itertools.product(starts, ends):
            weight = math.nan if kernel is None else float(kernel[a.index, b.index % kernel.shape[1]])
            edges.append(Edge(a, b, weight if math.isfinite(weight) else None))
    return tuple(edges)


def _checked(names: Sequence[str] | None, size: int, what: str, of: str) -> Sequence[str] | None:
    if names is not None and len(names) != size:
        raise NetworkError(f"{what} has {len(names)} names but the network has {size} {of}. Give one name each")
    return None if names is None else [str(name) for name in names]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 8]}…{name[-7:]}"


def _width(names: Sequence[str] | None) -> float:
    return _LETTER * max((len(_short(name)) for name in names or ()), default=0)
