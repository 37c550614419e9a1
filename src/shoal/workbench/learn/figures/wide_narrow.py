"""Eight hidden neurons in two layers or in four, and what 200 seeds of each make of a curve."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.workbench.learn.drawing import axes, bars, drawing, line, lines, network_diagram, points
from shoal.workbench.learn.figure import Choice, Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.population import train_population

SEEDS = 200
SHAPES = {"wide": (4, 4), "narrow": (2, 2, 2, 2)}
COLOURS = {"wide": "blue", "narrow": "vermilion"}
ACROSS = np.linspace(-1.0, 1.0, 80, dtype=np.float32)[:, None]


def network_of(shape: str, activation: str) -> Network:
    """Return the wide network, of 33 parameters, or the narrow one, of 25."""
    return Network.parse(" ".join(["1", *(f"{units}:{activation}" for units in SHAPES[shape]), "1"]))


@lru_cache(maxsize=16)
def trained(shape: str, activation: str, rate: float, epochs: int, data: FigureData) -> tuple[np.ndarray, np.ndarray]:
    """Return the curves `(seeds, places)` and the last losses of all seeds."""
    settings = [{"epochs": epochs, "learning_rate": rate, "batch_size": 16}] * SEEDS
    done = train_population(data.x, data.y, settings, network=network_of(shape, activation))
    return done.predict(ACROSS)[:, :, 0], done.loss[:, -1]


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return both networks, the curves of all of their seeds, and how their losses are spread."""
    settings = state["activation"], state["rate"], state["epochs"], data
    panels, losses, facts = [], {}, []
    top = float(np.abs(data.y).max()) * 1.3
    for shape, colour in COLOURS.items():
        network = network_of(shape, state["activation"])
        curves, losses[shape] = trained(shape, *settings)
        name = f"{'-'.join(map(str, (1, *SHAPES[shape], 1)))}: {network.parameter_count} parameters"
        marks = [
            lines(ACROSS[:, 0], np.clip(curves, -2 * top, 2 * top), [colour] * SEEDS, width=0.7, opacity=0.12),
            points(data.x[:, 0], data.y[:, 0], "ink", size=1.8),
            line(ACROSS[:, 0], np.nanmedian(curves, axis=0), colour, label="median"),
        ]
        spans = (-1.0, 1.0, data.labels[0]), (-top, top, data.labels[1])
        panels += [network_diagram(name, (1, *SHAPES[shape], 1)), axes(f"{SEEDS} seeds, {shape}", *spans, marks)]
        facts += [(f"Median loss, {shape}", f"{np.nanmedian(losses[shape]):.3g}")]
    logs = {shape: np.log10(np.maximum(loss[np.isfinite(loss)], 1e-7)) for shape, loss in losses.items()}
    edges = np.linspace(min(map(np.min, logs.values())) - 0.05, max(map(np.max, logs.values())) + 0.05, 31)
    counts = {shape: np.histogram(log, edges)[0] for shape, log in logs.items()}
    marks = [bars(edges, counts[shape], colour, label=shape) for shape, colour in COLOURS.items()]
    highest = float(max(map(np.max, counts.values())))
    panels.append(axes("Losses at the end", (edges[0], edges[-1], "log₁₀ loss"), (0.0, highest, "networks"), marks))
    better = float(np.mean(losses["wide"][:, None] < losses["narrow"][None, :]))
    say = f"A wide network drawn at random beats a narrow one in {better:.0%} of all pairs."
    return drawing(panels, say, [*facts, ("Pairs that the wide one wins", f"{better:.0%}")])


FIGURE = Figure(
    "wide-narrow",
    "Neurons and layers",
    4,
    "Wide against narrow",
    "Eight hidden neurons in two layers or in four, each trained 200 times from other weights.",
    (
        r"4 (1 + 1) + 4 (4 + 1) + 1 (4 + 1) = 33",
        r"2 (1 + 1) + 3 \cdot 2 (2 + 1) + 1 (2 + 1) = 25",
    ),
    "Why does a single seed tell little about which shape is better?",
    "The losses of one shape are spread over several powers of ten. Which of two networks is better depends on their "
    "first weights as much as on their shapes; only many of each show the difference.",
    (
        Slider("epochs", "Epochs", 10, 300, 150, 10, whole=True),
        Slider("rate", "Learning rate", 0.001, 0.1, 0.01, 0.25, log=True),
        Choice("activation", "Activation", {k: k for k in ("tanh", "relu", "sigmoid", "linear")}),
    ),
    compute,
    "curve",
    ("sine", "noisy_sine", "damped_oscillation"),
)
