"""The numbers of a network's drawing: where nodes and connections are, in inches. Nothing is drawn here."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import NetworkError
from shoal.networks.initializers import Shape
from shoal.networks.layers import Activation, Bidirectional, Dense, Flatten, Layer
from shoal.networks.layers.recurrent import Recurrent
from shoal.networks.layers.spatial import crossed
from shoal.networks.summary import layer_note

if TYPE_CHECKING:
    from shoal.networks.network import Network, OrderedParameters

RADIUS = 0.15
_STEP = 0.42  # from node to node
_SPACIOUS = (2.9, 0.72)  # from column to column and from node to node where texts stand between them
_LOOP = 0.3  # above a recurrent layer
_MOST = 12  # a column of more nodes is abbreviated
_FEWEST = 3  # there is room for at least this many nodes
_FIRST = 7  # to this many, a gap and the last one
_LETTER = 0.078  # mean width of a letter of a name
_BOLD = 0.086  # the same of the first line of a caption
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
class LayerColumn:
    """All inputs, or all neurons of a layer: how many there are and what is written below them."""

    x: float
    size: int
    caption: tuple[str, ...]
    gap: float | None
    """Height of the dots that stand for nodes that are not drawn; None if all are."""
    block: bool = False
    """Whether it is a series, an image or a volume, drawn as one block without nodes."""
    dense: int | None = None
    """The Dense layer whose weights lead to the nodes."""
    recurrent: bool = False
    """Whether the layer reads its own last output."""


@dataclass(frozen=True)
class Layout:
    """A drawing in numbers; lengths are in inches from the lower left corner."""

    width: float
    height: float
    captions: float
    """Height of the top of the captions."""
    columns: tuple[LayerColumn, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    middle: float = 0.0
    """Height of the middle of all columns."""
    arrows: tuple[tuple[int, int], ...] = ()
    """Pairs of columns that are not connected node by node, because one of them is a block or is read from one."""

    @property
    def largest(self) -> float:
        """The largest absolute weight that is drawn, 1 if there is none."""
        known = [abs(edge.weight) for edge in self.edges if edge.weight is not None]
        return max(known, default=0.0) or 1.0

    @property
    def crowded(self) -> bool:
        """Whether captions of neighbouring columns would touch each other."""
        wide = [_BOLD * max(map(len, column.caption), default=0) for column in self.columns]
        gaps = [b.x - a.x for a, b in itertools.pairwise(self.columns)]
        return any(gap < (a + b) / 2 + 0.08 for gap, (a, b) in zip(gaps, itertools.pairwise(wide), strict=True))

    def stretched(self, width: float, least: Sequence[float]) -> Layout:
        """Return the drawing with its columns moved apart or together until it is so wide.

        Args:
            width: in inches.
            least: the distance between neighbouring columns to which they come when there is no more room.

        Example:
            >>> from shoal.networks.network import Network
            >>> layout_network(Network.parse("4 8:relu 3:softmax")).stretched(4.0, [0.5, 0.5]).width
            4.0
        """
        first, last = self.columns[0].x, self.columns[-1].x
        natural = np.diff([column.x for column in self.columns])
        wanted = width - self.width + last - first
        share = (wanted - sum(least)) / ((last - first - sum(least)) or 1.0)
        x = first + np.concatenate([[0.0], np.cumsum(least + share * (natural - least))])
        nodes = {id(node): replace(node, x=float(x[node.column])) for node in self.nodes}
        return replace(
            self,
            width=width,
            columns=tuple(replace(column, x=float(place)) for column, place in zip(self.columns, x, strict=True)),
            nodes=tuple(nodes.values()),
            edges=tuple(Edge(nodes[id(e.start)], nodes[id(e.end)], e.weight) for e in self.edges),
        )


def layout_network(
    network: Network,
    parameters: OrderedParameters | None = None,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    *,
    spacious: bool = False,
) -> Layout:
    """Return the numbers of the drawing of a network; `spacious` leaves room for texts on the connections.

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
    stages = _stages(network)
    first, last = stages[0], stages[-1]
    outputs = (network.output_shape or (1,))[-1] if last.block else last.size
    names: list[Sequence[str] | None] = [None] * len(stages)
    names[-1] = _checked(class_names, outputs, "class_names", "outputs")
    names[0] = _checked(feature_names, first.size, "feature_names", "inputs")
    names = [None if stage.block else of_stage for stage, of_stage in zip(stages, names, strict=True)]

    left = max(0.65, 0.35 + _width(names[0]), _caption_width(first) / 2)
    right = max(0.65, 0.35 + _width(names[-1] if len(stages) > 1 else None), _caption_width(last) / 2)
    step = _SPACIOUS[0] if spacious else float(np.clip(8.0 / max(1, len(stages) - 1), 1.35, 2.4))
    step = max(step, *map(_caption_width, stages))
    apart = _SPACIOUS[1] if spacious else _STEP
    slots = (_FEWEST, *(len(_slots(stage.size)) for stage in stages if not stage.block))
    tallest = apart * (max(slots) - 1)
    top = 0.12 + _LINE * max(len(stage.lines) for stage in stages)
    loop = _LOOP if any(stage.recurrent for stage in stages) else 0.0
    below = 0.46 if spacious else 0.3  # of the lowest node, whose bias may stand there
    middle = top + below + tallest / 2

    columns, nodes = [], []
    for c, (stage, of_stage) in enumerate(zip(stages, names, strict=True)):
        column, of_column = _column(c, (left + c * step, middle, apart), stage, of_stage)
        columns.append(column)
        nodes.append(of_column)
    kernels = [None if parameters is None or s.dense is None else parameters[s.dense]["kernel"] for s in stages]
    return Layout(
        width=left + right + step * (len(stages) - 1),
        height=top + below + 0.3 + tallest + loop,
        captions=top,
        columns=tuple(columns),
        nodes=tuple(node for of_column in nodes for node in of_column),
        edges=tuple(
            edge
            for i, stage in enumerate(stages[1:], start=1)
            if not stage.arrow
            for edge in _edges(nodes[i - 1], nodes[i], kernels[i])
        ),
        middle=middle,
        arrows=tuple((i - 1, i) for i, stage in enumerate(stages) if i and stage.arrow),
    )


@dataclass
class _Stage:
    """What becomes a column: its size, its caption, and how it is reached from the one before."""

    size: int
    what: str = ""
    """What is counted: inputs, neurons or outputs; empty where the notes say it all."""
    notes: list[str] = field(default_factory=list)
    block: bool = False
    dense: int | None = None
    """The Dense layer whose weights lead here."""
    arrow: bool = False
    recurrent: bool = False

    @property
    def lines(self) -> tuple[str, ...]:
        """The caption."""
        return ((_count(self.size, self.what),) if self.what else ()) + tuple(self.notes)


def _stages(network: Network) -> list[_Stage]:
    """Return the inputs, and each layer that is more than a note below the column before it."""
    pairs = zip(network.input_shapes, network.shapes, strict=True)
    blocks = [_is_block(layer, *shapes) for layer, shapes in zip(network.layers, pairs, strict=True)]
    stages = [_input_stage(network, blocks)]
    for i, (layer, shape) in enumerate(zip(network.layers, network.shapes, strict=True)):
        before = stages[-1]
        if isinstance(layer, Dense) and not before.block:
            before.size = network.parameter_shapes[i]["kernel"][0]  # of rows with axes, or flattened since
            stages.append(_Stage(shape[-1], "neuron", _notes(layer), dense=i))
        elif blocks[i] or (before.block and isinstance(layer, (Dense, Flatten))):
            notes = _block_notes(layer, shape)
            recurrent = isinstance(layer, (Recurrent, Bidirectional))
            stages.append(_Stage(math.prod(shape), "", notes, block=len(shape) > 1, arrow=True, recurrent=recurrent))
        else:
            before.notes.extend(_notes(layer))
    if stages[-1].dense is not None:
        stages[-1].what = "output"
    return stages


def _input_stage(network: Network, blocks: list[bool]) -> _Stage:
    size = math.prod(network.input_shape)
    first = next(
        (i for i, layer in enumerate(network.layers) if blocks[i] or isinstance(layer, (Dense, Flatten))), None
    )
    if first is not None and blocks[first] and len(network.input_shape) > 1:
        return _Stage(size, notes=["input", crossed(network.input_shape)], block=True)
    return _Stage(size, "input")


def _caption_width(stage: _Stage) -> float:
    """Return the room that the caption of a layer with a column of its own needs; others are short."""
    return 0.2 + _BOLD * max(map(len, stage.lines)) if stage.arrow else 0.0


def _is_block(layer: Layer, input_shape: Shape, shape: Shape) -> bool:
    """Return whether a layer is drawn in one: it changes the shape or weighs its inputs, and is not dense."""
    if isinstance(layer, (Dense, Flatten, Activation)):
        return False
    return shape != input_shape or layer.multiplications(input_shape) > 0


def _block_notes(layer: Layer, shape: Shape) -> list[str]:
    """Return e.g. `conv2d 3×3`, `26×26×32` and `relu`."""
    note = str(getattr(layer, "note", ""))
    size = crossed(shape) if len(shape) > 1 else _count(math.prod(shape), "value")
    activation = layer_note(layer).removeprefix(note).strip()
    return [f"{type(layer).__name__.lower()} {note}".strip(), size, *([_short(activation)] if activation else [])]


def _column(
    number: int, place: tuple[float, float, float], stage: _Stage, names: Sequence[str] | None
) -> tuple[LayerColumn, list[Node]]:
    """Return a column and its nodes, spread evenly about the middle; the place is x, middle and step of the nodes."""
    x, middle, step = place
    column = LayerColumn(x, stage.size, stage.lines, None, stage.block, stage.dense, stage.recurrent)
    if stage.block:
        return column, []
    slots = _slots(stage.size)
    heights = [middle + step * ((len(slots) - 1) / 2 - i) for i in range(len(slots))]
    nodes = [
        Node(number, i, x, y, _short(names[i]) if names else "")
        for i, y in zip(slots, heights, strict=True)
        if i is not None
    ]
    gap = heights[slots.index(None)] if None in slots else None
    return replace(column, gap=gap), nodes


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _notes(layer: Layer) -> list[str]:
    note, kind = layer_note(layer), type(layer).__name__.lower()
    if isinstance(layer, Dense) or kind == "activation":
        parts = note.split(", ") if note else []
        return parts if len(parts) <= 4 else [*parts[:3], f"… {len(parts)} kinds"]
    return [f"{kind} {note.removeprefix('rate ')}".strip()]


def drawn_nodes(size: int) -> list[int]:
    """Return which nodes of a column are drawn.

    Example:
        >>> drawn_nodes(3), drawn_nodes(100)
        ([0, 1, 2], [0, 1, 2, 3, 4, 5, 6, 99])
    """
    return [slot for slot in _slots(size) if slot is not None]


def _slots(size: int) -> list[int | None]:
    """Return the nodes that are drawn, with None for the gap."""
    if size <= _MOST:
        return list(range(size))
    return [*range(_FIRST), None, size - 1]


def _edges(starts: list[Node], ends: list[Node], kernel: Any) -> list[Edge]:
    edges = []
    # A flattened column repeats the neurons of the layer, hence the remainder.
    for a, b in itertools.product(starts, ends):
        weight = math.nan if kernel is None else float(kernel[a.index, b.index % kernel.shape[1]])
        edges.append(Edge(a, b, weight if math.isfinite(weight) else None))
    return edges


def _checked(names: Sequence[str] | None, size: int, what: str, of: str) -> Sequence[str] | None:
    if names is not None and len(names) != size:
        raise NetworkError(f"{what} has {len(names)} names but the network has {size} {of}. Give one name each")
    return None if names is None else [str(name) for name in names]


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 8]}…{name[-7:]}"


def _width(names: Sequence[str] | None) -> float:
    return _LETTER * max((len(_short(name)) for name in names or ()), default=0)
