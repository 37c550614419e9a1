"""Optimizers race from the same place down the same valley."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.networks.namespace import numpy_namespace
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.optimizers import OPTIMIZERS, Slots
from shoal.workbench.learn.drawing import axes, drawing, handle, heat, line, points
from shoal.workbench.learn.figure import Choice, Figure, Slider, State

STEPS = 200
LEAST = 1e-6
"""The lowest cost that is drawn."""
Valley = tuple[str, Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]
STEEP = np.array([1.0, 25.0])


def _two(w: np.ndarray) -> np.ndarray:
    return 0.05 * w[..., 0] ** 4 - 0.5 * w[..., 0] ** 2 - 0.4 * w[..., 0] + 3.0 * w[..., 1] ** 2 + 2.1


def _two_slope(w: np.ndarray) -> np.ndarray:
    return np.stack([0.2 * w[..., 0] ** 3 - w[..., 0] - 0.4, 6.0 * w[..., 1]], axis=-1)


def _banana(w: np.ndarray) -> np.ndarray:
    x, y = w[..., 0] / 2.0, 2.0 * w[..., 1]
    return (1.0 - x) ** 2 + 5.0 * (y - x**2) ** 2


def _banana_slope(w: np.ndarray) -> np.ndarray:
    x, y = w[..., 0] / 2.0, 2.0 * w[..., 1]
    along = -2.0 * (1.0 - x) - 20.0 * x * (y - x**2)
    return np.stack([along / 2.0, 20.0 * (y - x**2)], axis=-1)


VALLEYS: dict[str, Valley] = {
    "narrow": ("a narrow valley", lambda w: 0.5 * np.sum(STEEP * w**2, axis=-1), lambda w: STEEP * w),
    "two": ("two hollows", _two, _two_slope),
    "curved": ("a curved valley", _banana, _banana_slope),
}
RACERS: dict[str, tuple[str, float, str, dict[str, float]]] = {
    "descent": ("sgd", 0.03, "ink", {}),
    "momentum": ("sgd", 0.03, "blue", {"momentum": 0.9}),
    "AdaGrad": ("adagrad", 1.0, "green", {}),
    "RMSProp": ("rmsprop", 0.1, "class 3", {}),
    "Adam": ("adam", 0.3, "vermilion", {}),
}
"""Rule, learning rate, colour, and what else is not as usual."""


def race(valley: str, start: tuple[float, float], factor: float) -> dict[str, np.ndarray]:
    """Return the way of each, `(steps + 1, 2)`, by the formulas with which shoal trains."""
    slope = VALLEYS[valley][2]
    ways = {}
    usual = Hyperparameters.model_validate({})
    for name, (rule, rate, _, changes) in RACERS.items():
        numbers = {k: float(getattr(usual, k)) for k in ("momentum", "nesterov", "beta_1", "rho", "epsilon")}
        numbers |= {"beta_2": usual.second_decay()} | changes
        w = np.array(start)
        slots = Slots(np.zeros(2), np.full(2, 0.1 if rule == "adagrad" else 0.0), 1.0)
        way = [w]
        with np.errstate(over="ignore", invalid="ignore"):
            for t in range(1, STEPS + 1):
                w, slots = OPTIMIZERS[rule](numpy_namespace, w, slope(w), slots, factor * rate, float(t), numbers)
                way.append(w)
        ways[name] = np.array(way)
    return ways


def _said(cost: float, of: str = "") -> str:
    return "below 10⁻⁶" if cost <= LEAST else f"{of}{cost:.3g}"


def compute(state: State, _: None) -> dict[str, Any]:
    """Return the valley with the ways so far, and the cost over the steps."""
    valley, step = state["valley"], state["step"]
    words, cost, _slope = VALLEYS[valley]
    ways = race(valley, (state["w1"], state["w2"]), state["factor"])
    across, up = np.linspace(-5.0, 5.0, 90), np.linspace(-1.5, 1.5, 60)
    surface = cost(np.stack(np.meshgrid(across, up), axis=-1))
    on_map: list[dict[str, Any]] = [
        heat(np.log10(surface - surface.min() + 0.05), (-5.0, 5.0), (-1.5, 1.5), scale="sequential", label="log₁₀ cost")
    ]
    courses, facts, costs = [], [], {}
    for name, way in ways.items():
        colour = RACERS[name][2]
        so_far = np.where(np.abs(way[: step + 1]) < [9.0, 3.0], way[: step + 1], np.nan)
        on_map += [
            line(so_far[:, 0], so_far[:, 1], colour, width=1.4),
            points(so_far[-1:, 0], so_far[-1:, 1], colour, size=5),
        ]
        with np.errstate(over="ignore", invalid="ignore"):
            course = np.clip(cost(way) - min(0.0, float(surface.min())), LEAST, 1e3)
        costs[name] = float(course[step]) if np.isfinite(course[step]) else 1e3
        courses.append(line(np.arange(step + 1), course[: step + 1], colour, label=name))
        facts.append((name, _said(costs[name])))
    on_map.append(handle(state["w1"], state["w2"], ("w1", "w2"), "start", "green", step="0"))
    panels = [
        axes(f"From one place down {words}", (-5.0, 5.0, "w1"), (-1.5, 1.5, "w2"), on_map),
        axes("Cost", (0.0, float(STEPS), "step"), (LEAST, 1e2, "cost"), courses, log_y=True),
    ]
    first = min(costs, key=lambda name: costs[name])
    return drawing(panels, f"After {step} steps {first} stands lowest, at a cost {_said(costs[first], 'of ')}.", facts)


FIGURE = Figure(
    "optimizers",
    "Training",
    3,
    "Optimizers race",
    "Five rules that make steps of gradients, from the same start. Drag it, and let them run.",
    (
        r"\text{momentum:} \quad v \leftarrow \mu v - \eta g, \quad w \leftarrow w + v",
        r"\text{RMSProp:} \quad s \leftarrow \rho s + (1 - \rho) g^2, \quad "
        r"w \leftarrow w - \eta g / \sqrt{s + \epsilon}",
    ),
    "Why does RMSProp with a constant learning rate keep trembling about the minimum?",
    "It divides by the size of recent gradients. However small they are, its steps stay about η long. AdaGrad's sum of "
    "squares only grows, so its steps shrink.",
    (
        Slider("step", "Step", 0, STEPS, 60, 1, play=True, whole=True),
        Choice("valley", "Valley", {name: words for name, (words, _, _) in VALLEYS.items()}),
        Slider("factor", "Learning rates, times", 0.1, 10.0, 1.0, 0.1, log=True),
        Slider("w1", "Start: w₁", -5.0, 5.0, -4.0, 0.1),
        Slider("w2", "Start: w₂", -1.5, 1.5, 0.8, 0.05),
    ),
    compute,
)
