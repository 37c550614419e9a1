"""Activations and their slopes."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.networks import get_activation
from shoal.networks.namespace import numpy_namespace
from shoal.workbench.learn.drawing import axes, drawing, line, points
from shoal.workbench.learn.figure import Choice, Figure, Slider, State

NAMES = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "swish", "softplus", "linear")
EPSILON = 1e-5


def value(name: str, z: Any) -> np.ndarray:
    """Return what an activation makes of numbers."""
    return np.asarray(get_activation(name).function(numpy_namespace, np.asarray(z, np.float64)))


def slope(name: str, z: Any) -> np.ndarray:
    """Return its derivative."""
    z = np.asarray(z, np.float64)
    return (value(name, z + EPSILON) - value(name, z - EPSILON)) / (2 * EPSILON)


def compute(state: State, _: None) -> dict[str, Any]:
    """Return the curves of an activation and of its slope, and both at z."""
    name, z, layers = state["activation"], state["z"], state["layers"]
    across = np.linspace(-5.0, 5.0, 201)
    here, steep = float(value(name, z)), float(slope(name, z))
    left = steep**layers
    depth = np.arange(1, 21)
    panels = [
        axes(
            "Activation and slope",
            (-5.0, 5.0, "z"),
            (-1.5, 5.0 if value(name, 5.0) > 2 else 1.5, "a"),
            [
                line(across, value(name, across), label=f"{name}(z)"),
                line(across, slope(name, across), "vermilion", dash=True, label="slope"),
                points([z], [here], "blue", size=5),
                points([z], [steep], "vermilion", size=5),
            ],
        ),
        axes(
            "What is left of a gradient behind many layers",
            (1.0, 20.0, "layers"),
            (1e-12, 10.0, "product of slopes"),
            [
                line(depth, np.maximum(np.abs(steep) ** depth, 1e-12), "vermilion"),
                points([layers], [max(abs(left), 1e-12)], "vermilion", size=5),
            ],
            log_y=True,
        ),
    ]
    say = (
        f"At z = {z:.2f} {name} gives {here:.3f} with a slope of {steep:.3f}. Behind {layers} layers with this slope "
        f"{left:.2g} of a gradient is left."
    )
    return drawing(panels, say, [("a", f"{here:.4f}"), ("slope", f"{steep:.4f}"), ("slope after all", f"{left:.2g}")])


FIGURE = Figure(
    "activations",
    "Neurons and layers",
    3,
    "Activations",
    "The bend behind each neuron. Its slope is what training multiplies, layer by layer.",
    (r"a = f(W x + b), \qquad \mathrm{sigmoid}(z) = \frac{1}{1 + e^{-z}}, \qquad \mathrm{relu}(z) = \max(0, z)",),
    "Why do ten layers of sigmoids hardly learn in their first layers?",
    "The slope of the sigmoid is 1/4 at most. Ten of them multiply a gradient by less than one millionth.",
    (
        Choice("activation", "Activation", {name: name for name in NAMES}),
        Slider("z", "z", -5.0, 5.0, 1.0, 0.1),
        Slider("layers", "Layers", 1, 20, 10, 1, whole=True),
    ),
    compute,
)
