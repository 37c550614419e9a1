"""An autoencoder that squeezes images through two numbers: drag the code, and see what comes out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.workbench.learn.drawing import axes, drawing, grid, handle, points
from shoal.workbench.learn.figure import Choice, Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.population import Parameters, train_population

SPAN, SEEDS = 1.05, 8


def network_of(pixels: int, activation: str) -> Network:
    """Return the whole network: its first half ends in two numbers between -1 and 1."""
    bend = "" if activation == "linear" else f":{activation}"
    return Network.parse(f"{pixels} 48{bend} 2:tanh 48{bend} {pixels}")


@lru_cache(maxsize=16)
def trained(data: FigureData, epochs: int, activation: str) -> tuple[Parameters, np.ndarray]:
    """Return the parameters of the best of a few networks, and its mean squared error after each epoch."""
    x = data.x.reshape(len(data.x), -1)
    settings = [{"epochs": epochs, "learning_rate": 0.01, "batch_size": 16, "schedule": "cosine"}] * SEEDS
    done = train_population(x, x, settings, network=network_of(x.shape[1], activation))
    best = int(np.nanargmin(done.loss[:, -1]))
    return done.parameters[best], done.loss[best]


def halves(data: FigureData, epochs: int, activation: str) -> tuple[Any, Any]:
    """Return the encoder and the decoder as functions of rows."""
    parameters, _ = trained(data, epochs, activation)
    network = network_of(data.x[0].size, activation)
    first, second = Network(network.layers[:2], network.input_shape), Network(network.layers[2:], (2,))
    return (
        lambda rows: np.asarray(first.predict(parameters[:2], rows)),
        lambda codes: np.asarray(second.predict(parameters[2:], codes)),
    )


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return the plane of codes, what the decoder makes of the chosen code, and an image that went through both."""
    encode, decode = halves(data, state["epochs"], state["activation"])
    _, losses = trained(data, state["epochs"], state["activation"])
    codes = encode(data.x.reshape(len(data.x), -1))
    code = np.array([[state["c1"], state["c2"]]])
    out = decode(code)[0].reshape(data.image.shape)
    again = decode(codes[data.row : data.row + 1])[0].reshape(data.image.shape)
    plain = float(np.mean((data.x - data.x.mean(axis=0)) ** 2))
    near = int(np.argmin(np.sum((codes - code) ** 2, axis=1)))
    named = data.classes[data.y[near]] if data.classes else f"number {near}"
    marks = [points(codes[:, 0], codes[:, 1], [f"class {k}" for k in data.y], size=2.6)]
    for k, name in enumerate(data.classes[:10]):
        mine = codes[data.y == k]
        if len(mine):
            marks.append({**points([], [], [f"class {k}"]), "label": name})
    marks += [
        points(codes[data.row : data.row + 1, 0], codes[data.row : data.row + 1, 1], "ink", size=5, label="the image"),
        handle(state["c1"], state["c2"], ("c1", "c2"), "code"),
    ]
    span = (-SPAN, SPAN)
    panels = [
        axes(f"Codes of {len(codes)} images", (*span, "first number"), (*span, "second number"), marks, square=True),
        grid("What comes out of the code", out, numbers=False, limits=(0.0, 1.0)),
        grid("An image", data.image, numbers=False, limits=(0.0, 1.0)),
        grid("The same through its code", again, numbers=False, limits=(0.0, 1.0)),
    ]
    say = (
        f"The code ({state['c1']:.2f}, {state['c2']:.2f}) lies nearest to that of an image of {named}. Two numbers for "
        f"{data.image.size} pixels lose {losses[-1] / plain:.0%} of the scatter."
    )
    facts = [
        ("Mean squared error", f"{losses[-1]:.4f}"),
        ("Of the mean image", f"{plain:.4f}"),
        ("Code of the image", f"({codes[data.row, 0]:.2f}, {codes[data.row, 1]:.2f})"),
    ]
    return drawing(panels, say, facts)


FIGURE = Figure(
    "autoencoder",
    "Without labels",
    1,
    "An autoencoder",
    "It learns to say an image again after it went through two numbers. Drag these two, and see what comes out.",
    (r"c = e(x), \qquad \hat{x} = d(c), \qquad J = \frac{1}{m} \sum_i |x_i - d(e(x_i))|^2",),
    "Why does an autoencoder need a narrow place?",
    "Without it, it could hand every number on as it is: a perfect reconstruction, and nothing learned.",
    (
        Slider("c1", "Code: first number", -1.0, 1.0, 0.3, 0.02),
        Slider("c2", "Code: second number", -1.0, 1.0, -0.3, 0.02),
        Slider("epochs", "Epochs", 5, 100, 60, 5, whole=True),
        Choice("activation", "Activation of the other layers", {k: k for k in ("relu", "tanh", "linear")}),
    ),
    compute,
    "images",
    ("digit_images", "galaxies"),
)
