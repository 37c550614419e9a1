"""A hidden layer, which without activation is none."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.workbench.learn.contours import contours, plane
from shoal.workbench.learn.drawing import axes, drawing, grid, heat, network_diagram, points, segments
from shoal.workbench.learn.figure import Choice, Figure, Slider, State, Toggle
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.population import Parameters, train_population


@lru_cache(maxsize=32)
def weights(network: Network, seed: int, trained: bool, data: FigureData) -> Parameters:
    """Return random weights, or the best of sixteen networks trained to tell the first class from the others."""
    if not trained:
        random = np.random.default_rng(seed)
        shapes = network.parameter_shapes
        return [{name: random.normal(size=shape) for name, shape in layer.items()} for layer in shapes]
    settings = [{"epochs": 150, "learning_rate": 0.03, "batch_size": 32}] * 16
    y = np.where(data.y > 0, 1.0, -1.0)[:, None]
    done = train_population(data.x, y, settings, network=network, seed=seed)
    return done.parameters[int(np.nanargmin(done.loss[:, -1]))]


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return the network, its output, and the one matrix into which it merges."""
    hidden, bend = state["hidden"], state["activation"]
    network = Network.parse(f"2 {hidden}:{bend} 1")
    parameters = weights(network, state["seed"], state["trained"], data)
    across, up, places = plane(data.x, 50)
    output = np.asarray(network.predict(parameters, places)).reshape(50, 50)
    right = float(np.mean((np.asarray(network.predict(parameters, data.x))[:, 0] > 0) == (data.y > 0)))
    marks = [
        heat(output, (across[0], across[-1]), (up[0], up[-1]), label="output"),
        points(data.x[:, 0], data.x[:, 1], [f"class {k}" for k in data.y]),
        segments([contours(output, across, up)], width=2.0, opacity=1.0, label="output = 0"),
    ]
    kernels = [layer["kernel"] for layer in parameters]
    names = {0: ("x1", "x2"), 2: ("ŷ",)}
    panels = [
        axes(
            "What the network says",
            (across[0], across[-1], data.labels[0]),
            (up[0], up[-1], data.labels[1]),
            marks,
            square=True,
        ),
        network_diagram(f"2 inputs, {hidden} hidden, 1 output", (2, hidden, 1), kernels, names=names),
    ]
    count = f"{network.parameter_count} parameters"
    merged, product = network.merge_linear(parameters)
    if merged == network:
        panels.append(grid("W₁ and b₁: they cannot be merged", _with_bias(parameters[0]), digits=2, scale="diverging"))
        say = f"With {bend} between them the layers stay two, and the line may bend. {right:.0%} of the rows are right."
        return drawing(panels, say, [("Layers", "2"), ("Parameters", count)])
    apart = float(np.abs(np.asarray(merged.predict(product, places)).ravel() - output.ravel()).max())
    panels.append(
        grid("W₂W₁ | W₂b₁ + b₂", _with_bias(product[0]), digits=3, scale="diverging", columns=("x1", "x2", "bias"))
    )
    panels.append(
        network_diagram(
            "The same in one layer",
            (2, 1),
            [product[0]["kernel"]],
            names={0: ("x1", "x2"), 1: ("ŷ",)},
            biases=[product[0]["bias"]],
            numbers=True,
        )
    )
    say = (
        f"Without activation both layers are one: {count} do what 3 do, and the line is straight. "
        f"{right:.0%} of the rows are right."
    )
    facts = [("Largest difference of the outputs", f"{apart:.1e}"), ("Parameters", f"{count}, merged 3")]
    return drawing(panels, say, facts)


def _with_bias(layer: dict[str, np.ndarray]) -> np.ndarray:
    """Return a layer as the notes write it: a row for each neuron, the bias as the last column."""
    return np.hstack([layer["kernel"].T, layer["bias"][:, None]])


FIGURE = Figure(
    "hidden-layer",
    "Neurons and layers",
    2,
    "A hidden layer, and its collapse",
    "Two layers one after the other. Take the activation away, and they merge into a single matrix.",
    (
        r"a = f(W_1 x + b_1), \qquad \hat{y} = W_2 a + b_2",
        r"f(z) = z: \qquad \hat{y} = (W_2 W_1)\, x + (W_2 b_1 + b_2)",
    ),
    "How many of the 13 parameters of a 2-3-1 network are of use if its hidden layer has no activation?",
    "Three: the two weights and the bias of the merged layer. The other ten change nothing that these could not.",
    (
        Choice("activation", "Activation", {k: k for k in ("linear", "relu", "tanh", "sigmoid")}),
        Slider("hidden", "Hidden neurons", 1, 8, 3, 1, whole=True),
        Toggle("trained", "Trained on the points", True),
        Slider("seed", "Other weights", 0, 20, 0, 1, whole=True),
    ),
    compute,
    "classes",
    ("exclusive_or", "two_clouds", "ring", "iris"),
)
