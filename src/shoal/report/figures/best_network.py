"""The drawing of the best network, weights and all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.best_network import BestMember
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.networks import Dense, Layer, Network
from shoal.networks.layers.spatial import crossed
from shoal.networks.layout import Edge, drawn_nodes, layout_network
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import WIDE, asked_width, name_text
from shoal.report.figures.tabular import Columns

PLACE = 260
MOST_LETTERS, MOST_LETTERS_NARROW = 32, 16


@stored("figure.best_network")
@dataclass(frozen=True)
class BestNetwork:
    """What the figure draws: the best kept network, and the names of what goes in and comes out.

    `kernels` holds the weights of each dense layer `(inputs, units)`, those of nodes that are not drawn left out;
    None for other layers.
    """

    network: Network
    kernels: tuple[np.ndarray | None, ...]
    feature_names: tuple[str, ...] | None
    class_names: tuple[str, ...]
    id: int | None
    one_of_several: bool = False

    def table(self) -> Columns:
        """Return the numbers, one row for each connection that is drawn, or for each layer if there is none."""
        layout = layout_network(self.network, self.parameters, self.feature_names, self.class_names or None)
        if layout.edges:
            last = len(layout.columns) - 1
            layer, start, end, weight = zip(*(_connection(edge, last) for edge in layout.edges), strict=True)
            return {"layer": layer, "from": start, "to": end, "weight": weight}
        return {
            "layer": self.network.names,
            "output_shape": [crossed(shape) for shape in self.network.shapes],
            "parameters": [sum(map(math.prod, one.values())) for one in self.network.parameter_shapes],
        }

    @property
    def parameters(self) -> list[dict[str, np.ndarray]]:
        """Parameters with the weights that are drawn; all others are zero."""
        shapes = self.network.parameter_shapes
        made = [{name: np.zeros(shape, np.float32) for name, shape in layer.items()} for layer in shapes]
        for layer, kernel in zip(made, self.kernels, strict=True):
            if kernel is not None:
                layer["kernel"][np.ix_(*map(drawn_nodes, layer["kernel"].shape))] = kernel
        return made

    @property
    def alt(self) -> str:
        return "Drawing of the best network: its layers as columns of nodes, its weights as lines between them."

    @property
    def caption(self) -> str:
        which = "The best network" if self.id is None else f"The best of the networks kept, number {self.id}"
        if self.one_of_several:
            which = f"One of the networks of the best candidate, number {self.id}"
        return f"{which}. Lines are weights: colour tells their sign, width their size."


def numbers(record: Record) -> BestNetwork | None:
    """Return what the figure draws, or None if no network was kept."""
    if record[BestMember].network is None:
        return None
    member, data, candidates = record[BestMember], record[DataRecord], record[Candidates]
    outputs = data.classes or member.outputs or data.targets
    if data.classes and member.network.output_shape[-1] == 1:
        outputs = outputs[-1:]  # of two classes, one sigmoid gives the probability of the second
    best = candidates.kept[0].id if candidates.kept else None
    inputs = data.feature_names if len(member.network.input_shape) == 1 else None  # pixels and steps have no names
    if data.reconstructs:
        outputs = inputs or ()
    kernels = tuple(map(_drawn, member.network.layers, member.parameters))
    return BestNetwork(member.network, kernels, inputs, outputs, best, candidates.networks_each > 1)


def _drawn(layer: Layer, parameters: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """Return the weights of a dense layer between nodes that are drawn."""
    if not isinstance(layer, Dense):
        return None
    kernel = np.asarray(parameters["kernel"], np.float32)
    return kernel[np.ix_(*map(drawn_nodes, kernel.shape))]


def _connection(edge: Edge, last: int) -> tuple[int, str, str, float]:
    """Return layer, both ends and weight of a connection in a network whose last column has this number."""
    start, end = (node.label or f"{_kind(node.column, last)}_{node.index + 1}" for node in (edge.start, edge.end))
    return edge.end.column, start, end, math.nan if edge.weight is None else edge.weight


def _kind(column: int, last: int) -> str:
    return "input" if column == 0 else "output" if column == last else "unit"


def draw(shown: BestNetwork) -> Figure:
    """Let the network draw itself, as wide as it needs to be unless a width is asked for."""
    most = MOST_LETTERS if (asked_width() or WIDE) > 4.5 else MOST_LETTERS_NARROW
    figure: Figure = shown.network.draw(
        parameters=shown.parameters,
        feature_names=None if shown.feature_names is None else [name_text(n, most) for n in shown.feature_names],
        class_names=[name_text(name, most) for name in shown.class_names] or None,
        width=asked_width(),
    )
    return figure
