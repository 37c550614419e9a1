"""A recurrent neuron, unrolled along a series."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.networks import Network, SimpleRNN
from shoal.workbench.learn.drawing import axes, diagram, drawing, line, points
from shoal.workbench.learn.figure import Choice, Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData

SHOWN = 4
"""Steps in the drawing of the unrolled neuron."""


def outputs(series: np.ndarray, state: State) -> np.ndarray:
    """Return the output of shoal's own layer at each step."""
    layer = SimpleRNN(1, activation=state["activation"], return_sequences=True)
    network = Network([layer], (len(series), 1))
    parameters = [
        {
            "kernel": np.array([[state["w"]]]),
            "recurrent_kernel": np.array([[state["u"]]]),
            "bias": np.array([state["b"]]),
        }
    ]
    return np.asarray(network.predict(parameters, series[None, :, None]))[0, :, 0]


def unrolled(series: np.ndarray, h: np.ndarray, last: int, state: State) -> dict[str, Any]:
    """Return the neuron once for each of a few steps up to `last`, with its numbers."""
    first = max(0, last - SHOWN + 1)
    steps = range(first, min(first + SHOWN, len(series)))
    nodes: list[dict[str, Any]] = []
    arrows: list[dict[str, Any]] = []
    for place, step in enumerate(steps):
        x = (place + 0.5) / len(steps)
        now = "vermilion" if step == last else "blue"
        nodes.append({"x": x, "y": 0.92, "text": f"{series[step]:.2f}", "colour": "ink", "box": True})
        nodes.append({"x": x, "y": 0.5, "text": "f", "colour": now})
        nodes.append({"x": x, "y": 0.08, "text": f"{h[step]:.2f}", "colour": "ink", "box": True})
        at = 3 * place
        arrows.append({"from": at, "to": at + 1, "text": f"w {state['w']:g}" if not place else ""})
        arrows.append({"from": at + 1, "to": at + 2})
        if place:
            arrows.append(
                {
                    "from": at - 2,
                    "to": at + 1,
                    "text": f"u {state['u']:g}" if place == 1 else "",
                    "colour": "vermilion",
                    "width": 1.8,
                }
            )
    return diagram(f"Steps {first} to {steps[-1]}: x below, h above", nodes, arrows, 0.55)


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return the series with the output, the unrolled neuron, and what is left of an earlier step."""
    series = np.asarray(data.x, np.float64)
    h = outputs(series, state)
    t = min(state["step"], len(series) - 1)
    steps = np.arange(len(series))
    pulse = np.zeros(30)
    pulse[0] = 1.0
    left = outputs(pulse, {**state, "b": 0.0})
    low, high = min(-1.1, float(h.min())), max(1.1, float(h.max()))
    high, low = min(high, 20.0), max(low, -20.0)
    panels = [
        unrolled(series, h, t, state),
        axes(
            "Along the series",
            (0.0, float(len(series) - 1), "step"),
            (low, high, data.labels[1]),
            [
                line(steps, series, "muted", label="input x", width=1.2),
                line(steps, h, label="output h"),
                points([t], [h[t]], "vermilion", size=5, label="this step"),
            ],
        ),
        axes(
            "Memory of a single 1",
            (0.0, 29.0, "steps later"),
            (min(0.0, float(max(left.min(), -3.0))), float(np.clip(left.max(), 0.1, 5.0)), "h"),
            [line(np.arange(30), left), points(np.arange(30), left, "blue")],
        ),
    ]
    past = h[t - 1] if t else 0.0
    ends = {"step": len(series) - 1}
    z = state["w"] * series[t] + state["u"] * past + state["b"]
    say = (
        f"Step {t}: z = {state['w']:g} · {series[t]:.3f} + {state['u']:g} · {past:.3f} + {state['b']:g} = {z:.3f}, and "
        f"h = {h[t]:.3f}. Ten steps after a single 1, {left[10]:.3g} is left."
    )
    return drawing(panels, say, [("h at this step", f"{h[t]:.4f}"), ("Left after 10 steps", f"{left[10]:.3g}")], ends)


FIGURE = Figure(
    "recurrence",
    "Memory",
    1,
    "A recurrent neuron, unrolled",
    "It takes its own last output beside the new input. The same three numbers serve at every step.",
    (r"h_t = f(w\, x_t + u\, h_{t-1} + b)",),
    "Which w, u, b and f make the neuron add up all that it has seen?",
    "w = 1, u = 1, b = 0 and no activation. With w = 0.1 and u = 0.9 it is a running mean that forgets.",
    (
        Slider("step", "Step", 0, 59, 7, 1, play=True, whole=True),
        Slider("w", "Weight of the input, w", -2.0, 2.0, 1.0, 0.1),
        Slider("u", "Weight of the last output, u", -1.5, 1.5, 0.9, 0.05),
        Slider("b", "Bias b", -1.0, 1.0, 0.0, 0.1),
        Choice("activation", "Activation f", {"tanh": "tanh", "linear": "none", "relu": "relu", "sigmoid": "sigmoid"}),
    ),
    compute,
    "series",
    ("pulse", "wave", "chirps", "driven_pendulum"),
)
