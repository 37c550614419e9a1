"""The decision boundaries of a whole shoal, and where it disagrees."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.workbench.learn.contours import contours, plane
from shoal.workbench.learn.drawing import axes, drawing, handle, heat, points, segments
from shoal.workbench.learn.figure import Choice, Figure, Slider, State
from shoal.workbench.learn.figure_data import FigureData
from shoal.workbench.learn.population import train_population

SIZE = 36


@lru_cache(maxsize=16)
def shares(data: FigureData, members: int, width: int, epochs: int, activation: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities on the grid `(members, size, size, classes)`, and each member's share of right rows."""
    classes = len(data.classes)
    layers = {"hidden": (width, width), "activation": (activation,)}
    settings = [{**layers, "epochs": epochs, "learning_rate": 0.02, "batch_size": 32}] * members
    done = train_population(data.x, data.y, settings, classes=classes)
    *_, places = plane(data.x, SIZE, 0.6)
    both = done.predict(np.concatenate([places, data.x]))
    if classes == 2:
        both = np.concatenate([1.0 - both, both], axis=-1)
    right = (both[:, len(places) :].argmax(axis=-1) == data.y).mean(axis=1)
    return both[:, : len(places)].reshape(members, SIZE, SIZE, classes), right


def disagreement(probabilities: np.ndarray) -> np.ndarray:
    """Return how far members disagree about places: the mean spread of their probabilities, 0 to about 0.5."""
    return np.asarray(probabilities.std(axis=0).mean(axis=-1))


def ahead(probabilities: np.ndarray, k: int) -> np.ndarray:
    """Return by how much a class is ahead of the strongest other; its boundary lies at zero."""
    return np.asarray(probabilities[..., k] - np.delete(probabilities, k, axis=-1).max(axis=-1))


def compute(state: State, data: FigureData) -> dict[str, Any]:
    """Return all boundaries, the disagreement, and what the shoal says of one place."""
    settings = state["members"], state["width"], state["epochs"], state["activation"]
    probabilities, right = shares(data, *settings)
    across, up, _ = plane(data.x, SIZE, 0.6)
    spans = (across[0], across[-1], data.labels[0]), (up[0], up[-1], data.labels[1])
    rows = points(data.x[:, 0], data.x[:, 1], [f"class {k}" for k in data.y])
    mean = probabilities.mean(axis=0)
    each = range(max(1, len(data.classes) - 1))
    many = [contours(field, across, up) for k in each for field in ahead(probabilities, k)]
    together = [contours(ahead(mean, k), across, up) for k in each]
    faint = float(np.clip(12.0 / state["members"], 0.05, 0.6))
    spread = disagreement(probabilities)
    place = np.clip([state["x1"], state["x2"]], [across[0], up[0]], [across[-1], up[-1]])
    i, j = int(np.abs(up - place[1]).argmin()), int(np.abs(across - place[0]).argmin())
    spoken = probabilities[:, i, j]
    panels = [
        axes(
            f"Boundaries of {state['members']} networks",
            *spans,
            [
                rows,
                segments(many, "ink", width=0.9, opacity=faint, label="each network"),
                segments(together, "ink", width=2.4, opacity=1.0, label="all together"),
            ],
            square=True,
        ),
        axes(
            "Where they disagree",
            *spans,
            [
                heat(spread, spans[0][:2], spans[1][:2], scale="sequential", limits=(0.0, 0.4), label="disagreement"),
                rows,
                handle(place[0], place[1], ("x1", "x2"), "asked", "green"),
            ],
            square=True,
        ),
    ]
    best = int(spoken.mean(axis=0).argmax())
    votes = float(np.mean(spoken.argmax(axis=1) == best))
    say = (
        f"At ({place[0]:.1f}, {place[1]:.1f}) {votes:.0%} of the networks say {data.classes[best]}, and their mean "
        f"probability is {spoken.mean(axis=0)[best]:.2f}. Far from all rows each has an opinion, and not the same."
    )
    facts = [
        ("Right rows, mean of the networks", f"{right.mean():.1%}"),
        ("Disagreement there", f"{spread[i, j]:.2f}"),
        ("Where it is largest", f"{spread.max():.2f}"),
    ]
    return drawing(panels, say, facts)


FIGURE = Figure(
    "boundaries",
    "Many networks",
    2,
    "Decision boundaries of a whole shoal",
    "The same rows and settings, other first weights. Where rows are the networks agree; elsewhere they guess.",
    (
        r"\bar{p}_c(x) = \frac{1}{N} \sum_{n=1}^{N} p_{c,n}(x), \qquad "
        r"\mathrm{disagreement}(x) = \frac{1}{C} \sum_{c=1}^{C} "
        r"\sqrt{\frac{1}{N} \sum_{n=1}^{N} (p_{c,n} - \bar{p}_c)^2}",
    ),
    "All networks agree on a row far away from all others. Is their answer right?",
    "Not for certain. Networks of one kind can be wrong together; disagreement tells where they know little, agreement "
    "does not prove that they know.",
    (
        Slider("members", "Networks", 10, 300, 200, 10, whole=True),
        Slider("width", "Neurons in each of two layers", 1, 16, 6, 1, whole=True),
        Slider("epochs", "Epochs", 5, 150, 60, 5, whole=True),
        Choice("activation", "Activation", {k: k for k in ("tanh", "relu", "sigmoid", "linear")}),
        Slider("x1", "Asked: first feature", -4.0, 4.0, 0.0, 0.1),
        Slider("x2", "Asked: second feature", -4.0, 4.0, 0.0, 0.1),
    ),
    compute,
    "classes",
    ("exclusive_or", "two_clouds", "ring", "spirals", "iris", "wine"),
)
