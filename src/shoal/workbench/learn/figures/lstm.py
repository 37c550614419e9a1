"""The gates of an LSTM along a series."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.networks import LSTM, Network
from shoal.workbench.learn.drawing import axes, diagram, drawing, line, points
from shoal.workbench.learn.figure import Choice, Figure, Numbers, Slider, State
from shoal.workbench.learn.figure_data import FigureData

GATES = ("i", "f", "g", "o")
"""The order of shoal's and Keras' layers: taken in, kept, new, shown."""
SETTINGS: dict[str, tuple[str, tuple[float, ...]]] = {
    "keep": ("keep the pulse", (40, 0, 2, 0, 0, 0, 0, 0, -20, 20, 0, 20)),
    "forget": ("forget slowly", (0, 0, 2, 0, 0, 0, 0, 0, 2, 2, 0, 20)),
    "sum": ("add up", (0, 0, 0.2, 0, 0, 0, 0, 0, 20, 20, 0, 20)),
    "plain": ("as networks begin", (0.7, -0.4, 0.9, 0.5, 0.3, 0.2, -0.4, 0.1, 0, 1, 0, 0)),
}
NUMBERS = Numbers(
    "weights", "Weights", ("of x", "of h", "bias"), GATES, SETTINGS["keep"][1], -50.0, 50.0, 0.1, sets={"as": "own"}
)


def settle(state: State) -> State:
    """Return the state with the weights of the chosen setting."""
    chosen = SETTINGS.get(state["as"])
    return dict(state) if chosen is None else {**state, "weights": tuple(float(v) for v in chosen[1])}


def layer_output(series: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the output h of shoal's own layer at each step."""
    network = Network([LSTM(1, return_sequences=True)], (len(series), 1))
    parameters = [{"kernel": weights[:1], "recurrent_kernel": weights[1:2], "bias": weights[2]}]
    return np.asarray(network.predict(parameters, series[None, :, None]))[0, :, 0]


def gates(series: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return i, f, g, o, the cell c and the output h at each step, by the formulas."""
    h = c = 0.0
    seen: dict[str, list[float]] = {name: [] for name in (*GATES, "c", "h")}
    for x in series:
        z = weights[0] * x + weights[1] * h + weights[2]
        i, f, o = (1.0 / (1.0 + np.exp(-z[k])) for k in (0, 1, 3))
        g = np.tanh(z[2])
        c = f * c + i * g
        h = o * np.tanh(c)
        for name, value in zip(seen, (i, f, g, o, c, h), strict=True):
            seen[name].append(float(value))
    return {name: np.array(values) for name, values in seen.items()}


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return gates, cell and output along the series, and the numbers of one step."""
    series, weights = np.asarray(data.x, np.float64), NUMBERS.matrix(state["weights"])
    at, h = gates(series, weights), layer_output(series, weights)
    t, steps = min(state["step"], len(series) - 1), np.arange(len(series))
    span = (0.0, float(len(series) - 1), "step")
    past = at["c"][t - 1] if t else 0.0
    nodes = [
        {"x": 0.08, "y": 0.3, "text": f"c {past:.2f}", "box": True},
        {"x": 0.36, "y": 0.3, "text": "×", "below": f"f = {at['f'][t]:.2f}", "colour": "green"},
        {"x": 0.62, "y": 0.3, "text": "+", "colour": "ink"},
        {"x": 0.92, "y": 0.3, "text": f"c {at['c'][t]:.2f}", "box": True},
        {"x": 0.08, "y": 0.85, "text": f"x {series[t]:.2f}", "box": True},
        {"x": 0.36, "y": 0.85, "text": f"g {at['g'][t]:.2f}", "box": True, "colour": "purple"},
        {"x": 0.62, "y": 0.85, "text": "×", "below": f"i = {at['i'][t]:.2f}", "colour": "blue"},
        {"x": 0.92, "y": 0.85, "text": f"h {at['h'][t]:.2f}", "below": f"o = {at['o'][t]:.2f}", "box": True},
    ]
    ways = ((0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 2), (3, 7))
    panels = [
        diagram(f"The cell at step {t}", nodes, [{"from": a, "to": b} for a, b in ways], 0.55),
        axes(
            "Gates",
            span,
            (-0.05, 1.05, "open"),
            [
                line(steps, at[k], c, label=n)
                for k, c, n in (("i", "blue", "i takes in"), ("f", "green", "f keeps"), ("o", "class 4", "o shows"))
            ],
        ),
        axes(
            "Input, cell and output",
            span,
            (min(-1.1, float(at["c"].min())), max(1.1, float(at["c"].max())), data.labels[1]),
            [
                line(steps, series, "muted", width=1.2, label="input x"),
                line(steps, at["c"], "vermilion", label="cell c"),
                line(steps, h, "blue", label="output h"),
                points([t], [h[t]], "blue", size=5),
            ],
        ),
    ]
    say = (
        f"Step {t}: c = {at['f'][t]:.3f} · {past:.3f} + {at['i'][t]:.3f} · {at['g'][t]:.3f} = {at['c'][t]:.3f}, and "
        f"h = {at['o'][t]:.3f} · tanh(c) = {h[t]:.3f}."
    )
    facts = [(f"{name} at this step", f"{at[name][t]:.3f}") for name in (*GATES, "c", "h")]
    return drawing(panels, say, facts, {"step": len(series) - 1})


FIGURE = Figure(
    "lstm",
    "Memory",
    2,
    "LSTM: gates and a cell",
    "A cell to which is added rather than bent anew at each step. Gates decide what comes in, stays and is shown.",
    (
        r"i, f, o = \mathrm{sigmoid}(w x_t + u h_{t-1} + b), \qquad g = \tanh(w_g x_t + u_g h_{t-1} + b_g)",
        r"c_t = f\, c_{t-1} + i\, g, \qquad h_t = o \tanh(c_t)",
    ),
    "Which gates let the cell keep its value for as long as you like?",
    "f = 1 and i = 0: c stays as it is, whatever comes in. A simple recurrent neuron bends its memory at each step.",
    (
        Slider("step", "Step", 0, 59, 6, 1, play=True, whole=True),
        Choice("as", "Set the gates to", {name: words for name, (words, _) in SETTINGS.items()} | {"own": "your own"}),
        NUMBERS,
    ),
    compute,
    "series",
    ("pulse", "wave", "chirps", "driven_pendulum"),
    settle,
)
