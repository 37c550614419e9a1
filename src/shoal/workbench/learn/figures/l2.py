"""Equation 1.10: the cost with its penalty, and what it does to the weights."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.workbench.learn.drawing import axes, bars, drawing, line, lines, points
from shoal.workbench.learn.figure import Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.population import Parameters, train_population

NETWORK, SEEDS, ROWS = Network.parse("1 24:tanh 24:tanh 1"), 16, 24
WEIGHTS = 24 + 24 * 24 + 24
"""k of equation 1.10: biases are not regularised."""
ACROSS = np.linspace(-1.1, 1.1, 120, dtype=np.float32)[:, None]


def rows_of(data: FigureData) -> np.ndarray:
    """Return the rows that train."""
    return np.random.default_rng(1).permutation(len(data.x))[:ROWS]


@lru_cache(maxsize=32)
def trained(
    data: FigureData, strength: float, epochs: int
) -> tuple[list[Parameters], np.ndarray, np.ndarray, np.ndarray]:
    """Return parameters and curves of all seeds, and their mean losses on the training rows and on the others."""
    rows = rows_of(data)
    settings = [{"epochs": epochs, "learning_rate": 0.01, "batch_size": 8, "l2": strength}] * SEEDS
    done = train_population(data.x[rows], data.y[rows], settings, network=NETWORK)
    errors = (done.predict(data.x)[:, :, 0] - data.y[:, 0]) ** 2
    others = np.setdiff1d(np.arange(len(data.x)), rows)
    return done.parameters, done.predict(ACROSS)[:, :, 0], errors[:, rows].mean(axis=1), errors[:, others].mean(axis=1)


def weights_of(parameters: Parameters) -> np.ndarray:
    """Return the regularised weights of a network: all but the biases."""
    return np.concatenate([layer["kernel"].ravel() for layer in parameters])


def penalty(parameters: Parameters, strength: float) -> float:
    """Return the second term of equation 1.10."""
    weights = weights_of(parameters).astype(np.float64)
    return float(strength / (2 * len(weights)) * np.sum(weights**2))


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return the curves, the histogram of the weights with and without penalty, and the terms of the cost."""
    strength = 0.0 if state["strength"] <= 0.0101 else state["strength"]
    parameters, curves, losses, others = trained(data, strength, state["epochs"])
    free = trained(data, 0.0, state["epochs"])[0]
    rows = rows_of(data)
    top = float(np.abs(data.y).max()) * 1.35
    loss, term = float(losses.mean()), float(np.mean([penalty(each, strength) for each in parameters]))
    edges = np.linspace(-2.0, 2.0, 41)
    heights = [
        np.histogram(np.clip(np.concatenate([weights_of(p) for p in each]), -1.999, 1.999), edges)[0]
        for each in (free, parameters)
    ]
    others_rows = np.setdiff1d(np.arange(len(data.x)), rows)
    shown = [
        lines(ACROSS[:, 0], np.clip(curves, -3 * top, 3 * top), ["blue"] * SEEDS, width=1.0, opacity=0.4),
        points(data.x[rows, 0], data.y[rows, 0], "ink", size=3.5, label="training rows"),
        points(data.x[others_rows, 0], data.y[others_rows, 0], "vermilion", size=2.2, label="other rows"),
    ]
    marks = [
        line(np.repeat(edges, 2)[1:-1], np.repeat(np.sqrt(heights[0]), 2), "muted", width=1.2, label="λ = 0"),
        bars(edges, np.sqrt(heights[1]), "blue", label=f"λ = {strength:.3g}"),
    ]
    high = float(np.sqrt(max(map(np.max, heights)))) * 1.05
    panels = [
        axes(f"{SEEDS} networks", (-1.1, 1.1, data.labels[0]), (-top, top, data.labels[1]), shown),
        axes("Weights of all networks", (-2.0, 2.0, "weight"), (0.0, high, "√ count"), marks),
    ]
    size = float(np.mean([np.sqrt(np.mean(weights_of(each) ** 2)) for each in parameters]))
    say = (
        f"With λ = {strength:.3g} the mean loss is {loss:.3f} and the penalty {term:.3f}, together a cost of "
        f"{loss + term:.3f}. On rows that did not train the loss is {others.mean():.3f}."
    )
    facts = [
        ("Mean loss", f"{loss:.4f}"),
        ("λ/(2k) Σ w²", f"{term:.4f}"),
        ("Cost J", f"{loss + term:.4f}"),
        ("Loss on other rows", f"{others.mean():.3f}"),
        ("Root mean square of the weights", f"{size:.3f}"),
    ]
    return drawing(panels, say, facts)


FIGURE = Figure(
    "l2",
    "Training",
    5,
    "The cost with its penalty",
    "A penalty on the squares of the weights keeps a large network from bending to every point.",
    (
        r"J = \frac{1}{m} \sum_{i=1}^{m} L(y_i, \hat{y}_i) + \frac{\lambda}{2k} \sum_{j=1}^{k} w_j^2, "
        rf"\qquad k = {WEIGHTS}",
    ),
    "What happens to the network when λ becomes very large?",
    "All weights go to zero, and only the bias of the output is left: it answers the mean of the labels everywhere.",
    (
        Slider("strength", "λ (0 at the left end)", 0.01, 1000.0, 10.0, 0.1, log=True),
        Slider("epochs", "Epochs", 50, 600, 400, 50, whole=True),
    ),
    compute,
    "curve",
    ("noisy_sine", "damped_oscillation", "diabetes"),
)
