"""Training and validation loss as networks grow."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.workbench.learn.drawing import axes, band, drawing, line, lines, points
from shoal.workbench.learn.figure import Choice, Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.population import train_population

WIDTHS, SEEDS = (1, 2, 4, 8, 16, 32, 64), 12
ACROSS = np.linspace(-1.0, 1.0, 120, dtype=np.float32)[:, None]


def parts(data: FigureData, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that train, and those that validate: all others."""
    order = np.random.default_rng(1).permutation(len(data.x))
    count = min(rows, len(data.x) - 2)
    return order[:count], order[count:]


@lru_cache(maxsize=16)
def trained(data: FigureData, rows: int, epochs: int, activation: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return losses and validation losses `(widths, seeds)`, and the curves `(widths, seeds, places)`."""
    training, validation = parts(data, rows)
    settings = [
        {"hidden": (width,), "activation": (activation,), "epochs": epochs, "learning_rate": 0.02, "batch_size": 8}
        for width in WIDTHS
        for _ in range(SEEDS)
    ]
    beside = data.x[validation], data.y[validation]
    done = train_population(data.x[training], data.y[training], settings, validation=beside)
    curves = done.predict(ACROSS)[:, :, 0].reshape(len(WIDTHS), SEEDS, -1)
    predicted = [done.predict(data.x[rows])[:, :, 0] - data.y[rows, 0] for rows in (training, validation)]
    losses = [np.mean(error**2, axis=1).reshape(len(WIDTHS), SEEDS) for error in predicted]
    return losses[0], losses[1], curves


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return losses over capacity, and the curves of the chosen width."""
    loss, beside, curves = trained(data, state["rows"], state["epochs"], state["activation"])
    at = state["width"]
    training, validation = parts(data, state["rows"])
    counts = [Network.parse(f"1 {width}:relu 1").parameter_count for width in WIDTHS]
    medians = np.median(loss, axis=1), np.median(beside, axis=1)
    top = float(np.abs(data.y).max()) * 1.35
    low = max(min(float(np.min(loss)), float(np.min(beside))), 1e-4) * 0.8
    marks = []
    for values, median, colour, name in zip(
        (loss, beside), medians, ("blue", "vermilion"), ("training", "validation"), strict=True
    ):
        quarters = np.maximum(np.quantile(values, (0.1, 0.9), axis=1), low)
        marks += [
            band(counts, quarters[0], quarters[1], colour),
            line(counts, np.maximum(median, low), colour, label=name),
        ]
        marks.append(points([counts[at]], [max(median[at], low)], colour, size=5))
    high = float(np.max(np.maximum(loss, beside))) * 1.2
    shown = [
        lines(ACROSS[:, 0], np.clip(curves[at], -3 * top, 3 * top), ["blue"] * SEEDS, width=1.0, opacity=0.4),
        points(data.x[training, 0], data.y[training, 0], "ink", size=3.5, label="training rows"),
        points(data.x[validation, 0], data.y[validation, 0], "vermilion", size=2.5, label="validation rows"),
    ]
    spans = (-1.0, 1.0, data.labels[0]), (-top, top, data.labels[1])
    panels = [
        axes("Loss over capacity", (4.0, 200.0, "parameters"), (low, high, "loss"), marks, log_x=True, log_y=True),
        axes(f"{SEEDS} networks of {WIDTHS[at]} hidden neurons", *spans, shown),
    ]
    best = int(np.argmin(medians[1]))
    say = (
        f"With {WIDTHS[at]} hidden neurons the loss is {medians[0][at]:.3f} on the {len(training)} training rows and "
        f"{medians[1][at]:.3f} on the {len(validation)} others. The validation rows like {WIDTHS[best]} best."
    )
    facts = [
        ("Training loss", f"{medians[0][at]:.3f}"),
        ("Validation loss", f"{medians[1][at]:.3f}"),
        ("Parameters", str(counts[at])),
        ("Best width", str(WIDTHS[best])),
    ]
    return drawing(panels, say, facts)


FIGURE = Figure(
    "overfitting",
    "Training",
    4,
    "Overfitting as capacity grows",
    "Few rows, and networks from 4 to 193 parameters. The training loss falls; the validation loss turns.",
    (r"J = \frac{1}{m} \sum_{i=1}^{m} (y_i - \hat{y}_i)^2",),
    "The noise of the labels has a variance of 0.3. What does a training loss of 0.05 tell?",
    "That noise was learned: on new rows no network gets below 0.3.",
    (
        Slider("width", "Hidden neurons, 2 to the power of", 0, len(WIDTHS) - 1, 5, 1, play=True, whole=True),
        Slider("rows", "Training rows", 6, 50, 16, 1, whole=True),
        Slider("epochs", "Epochs", 50, 1000, 600, 50, whole=True),
        Choice("activation", "Activation", {k: k for k in ("tanh", "relu", "sigmoid")}),
    ),
    compute,
    "curve",
    ("noisy_sine", "sine", "damped_oscillation", "diabetes"),
)
