"""One neuron: weights turn a line, the bias shifts it."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.workbench.learn.contours import contours, plane
from shoal.workbench.learn.drawing import axes, drawing, handle, heat, line, network_diagram, points, segments
from shoal.workbench.learn.figure import Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return the plane with the sum z, the line where it is zero, and the neuron with its numbers."""
    w, b = np.array([state["w1"], state["w2"]]), state["b"]
    place = np.array([state["x1"], state["x2"]])
    network, parameters = Network.parse("2 1"), [{"kernel": w[:, None], "bias": np.array([b])}]
    across, up, grid = plane(data.x, 50)
    z = np.asarray(network.predict(parameters, grid)).reshape(50, 50)
    positive = np.asarray(network.predict(parameters, data.x))[:, 0] > 0
    right = float(np.mean(positive == (data.y > 0)))
    marks = [
        heat(z, (across[0], across[-1]), (up[0], up[-1]), label="z"),
        points(data.x[:, 0], data.x[:, 1], [f"class {k}" for k in data.y]),
        segments([contours(z, across, up)], width=2.0, opacity=1.0, label="z = 0"),
        line([0.0, w[0]], [0.0, w[1]], "vermilion", label="weights"),
        handle(w[0], w[1], ("w1", "w2"), "weights"),
        handle(place[0], place[1], ("x1", "x2"), "a row x", "green"),
    ]
    there = float(w @ place + b)
    names = {0: ("x1", "x2"), 1: ("z",)}
    others = "the others" if len(data.classes) > 2 else data.classes[1]
    return drawing(
        [
            axes(
                "Where z is positive and negative",
                (across[0], across[-1], data.labels[0]),
                (up[0], up[-1], data.labels[1]),
                marks,
                square=True,
            ),
            network_diagram("The neuron", (2, 1), [w[:, None]], names=names, biases=[[b]], numbers=True),
        ],
        f"At x = ({place[0]:.2f}, {place[1]:.2f}) the neuron computes z = {w[0]:.2f} · {place[0]:.2f} + {w[1]:.2f} · "
        f"{place[1]:.2f} + {b:.2f} = {there:.2f}. Its line leaves {100 * right:.0f} % of the rows on the right side.",
        [("z at the green point", f"{there:.2f}"), (f"{data.classes[0]} negative, {others} positive", f"{right:.0%}")],
    )


def _number(name: str, label: str, default: float) -> Slider:
    return Slider(name, label, -3.0, 3.0, default, 0.05)


FIGURE = Figure(
    "neuron",
    "Neurons and layers",
    1,
    "A neuron",
    "Drag the weights: they turn the line. The bias shifts it. On one side z is positive, on the other negative.",
    (r"z = w_1 x_1 + w_2 x_2 + b",),
    "Which weights and bias make z positive where x₁ > 2 x₂ + 1, and negative elsewhere?",
    "x₁ − 2 x₂ − 1 > 0 says the same, so w = (1, −2) and b = −1. Any positive multiple of them does as well.",
    (
        _number("w1", "Weight w₁", 1.0),
        _number("w2", "Weight w₂", 0.5),
        _number("b", "Bias b", 0.0),
        _number("x1", "Row: x₁", -1.0),
        _number("x2", "Row: x₂", 1.0),
    ),
    compute,
    "classes",
    ("two_clouds", "exclusive_or", "iris"),
)
