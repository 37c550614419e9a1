"""A hundred networks with a hundred learning rates descend the same cost surface."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import Dense, Network
from shoal.workbench.learn.drawing import axes, drawing, handle, heat, line, lines, points
from shoal.workbench.learn.figure import Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.population import train_population

MEMBERS, EPOCHS, SPAN = 100, 100, 3.5
RATES = np.logspace(-3.0, 0.7, MEMBERS)
NETWORK = Network([Dense(1, activation="tanh", use_bias=False), Dense(1, use_bias=False)], (1,))
"""Two weights and nothing else: ŷ = w2 tanh(w1 x), so that its cost is a surface."""


def cost(w1: np.ndarray, w2: np.ndarray, data: FigureData) -> np.ndarray:
    """Return the mean squared error for weights of any shape."""
    predicted = w2[..., None] * np.tanh(w1[..., None] * data.x[:, 0])
    return np.asarray(np.mean((predicted - data.y[:, 0]) ** 2, axis=-1))


@lru_cache(maxsize=32)
def ways(w1: float, w2: float, data: FigureData) -> np.ndarray:
    """Return the weights of all members after each epoch, `(epochs + 1, members, 2)`."""
    start = [{"kernel": np.array([[w]], np.float32)} for w in (w1, w2)]
    settings = [
        {"epochs": EPOCHS, "learning_rate": float(rate), "optimizer": "sgd", "batch_size": len(data.x)}
        for rate in RATES
    ]
    seen: list[list[list[float]]] = []

    def look(_: int, members: list[Any]) -> None:
        seen.append([[float(layer["kernel"][0, 0]) for layer in member] for member in members])

    train_population(data.x, data.y, settings, network=NETWORK, start=start, look=look)
    return np.array(seen)


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return the surface with all networks on it, and the cost of each over its learning rate."""
    step = state["step"]
    way = ways(state["w1"], state["w2"], data)
    axis = np.linspace(-SPAN, SPAN, 70)
    surface = cost(*np.meshgrid(axis, axis), data)
    here = cost(way[step, :, 0], way[step, :, 1], data)
    shown = np.where(np.abs(way) <= 2 * SPAN, way, np.nan)
    ramp = np.linspace(0.0, 1.0, MEMBERS)
    trail = slice(max(0, step - 12), step + 1)
    marks = [
        heat(np.log10(surface + 0.02), (-SPAN, SPAN), (-SPAN, SPAN), scale="sequential", label="log₁₀ cost"),
        lines(shown[trail, :, 0].T, shown[trail, :, 1].T, ramp, width=1.0, opacity=0.6),
        points(shown[step, :, 0], shown[step, :, 1], ramp, size=3.0),
        handle(state["w1"], state["w2"], ("w1", "w2"), "start", "green", step="0"),
    ]
    capped = np.minimum(np.where(np.isfinite(here), here, 1e3), 1e3)
    first, best = float(cost(np.array(state["w1"]), np.array(state["w2"]), data)), int(np.argmin(capped))
    low = max(float(surface.min()) * 0.8, 1e-3)
    panels = [
        axes("Networks on the cost surface", (-SPAN, SPAN, "w1"), (-SPAN, SPAN, "w2"), marks, square=True),
        axes(
            f"Cost after {step} epochs",
            (RATES[0], RATES[-1], "learning rate η"),
            (low, max(10.0, 2 * first), "cost"),
            [
                line([RATES[0], RATES[-1]], [first, first], "muted", dash=True, label="at the start"),
                points(RATES, np.clip(capped, low, max(10.0, 2 * first)), ramp, size=3.0),
            ],
            log_x=True,
            log_y=True,
        ),
    ]
    lost = int(np.sum(~(here <= first)))
    say = (
        f"After {step} epochs the learning rate {RATES[best]:.3g} is the best of a hundred, with a cost of "
        f"{capped[best]:.3g}. {lost} networks stand higher than they began."
    )
    facts = [("Best learning rate", f"{RATES[best]:.3g}"), ("Higher than at the start", str(lost))]
    return drawing(panels, say, facts)


FIGURE = Figure(
    "learning-rate",
    "Training",
    2,
    "The learning rate",
    "A hundred networks of two weights begin at the same place. Each has steps of its own: blue short, red long.",
    (r"w \leftarrow w - \eta\, \nabla J(w), \qquad \hat{y} = w_2 \tanh(w_1 x)",),
    "The cost is J = a w²/2. Which learning rates diverge?",
    "A step multiplies w by 1 − aη. Its size falls for η < 2/a and grows above: the steeper the valley, the shorter "
    "steps must be.",
    (
        Slider("step", "Epoch", 0, EPOCHS, 20, 1, play=True, whole=True),
        Slider("w1", "Start: w₁", -3.0, 3.0, -2.0, 0.1),
        Slider("w2", "Start: w₂", -3.0, 3.0, 2.5, 0.1),
    ),
    compute,
    "curve",
    ("bend", "sine", "noisy_sine", "damped_oscillation", "diabetes"),
)
